//go:build linux

package nodes

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const cniPlugins = "/usr/lib/cni"

// Missing says what this machine lacks to run a cluster.
func Missing() error {
	var errs []error
	if os.Getuid() != 0 {
		errs = append(errs, errors.New("not root"))
	}
	for _, name := range []string{"containerd", "ctr", "runc", "iptables", "ip", "ss", "nsenter", "kubectl"} {
		if _, err := exec.LookPath(name); err != nil {
			errs = append(errs, fmt.Errorf("no %s", name))
		}
	}
	for _, name := range []string{"ptp", "host-local", "loopback"} {
		if _, err := os.Stat(filepath.Join(cniPlugins, name)); err != nil {
			errs = append(errs, fmt.Errorf("no CNI plugin %s in %s", name, cniPlugins))
		}
	}
	return errors.Join(errs...)
}

// Alone makes this process the only one that has a cluster here, until it calls
// release: two would take each other's apart.
func Alone() (release func() error, err error) {
	f, err := os.Create("/run/mehari-acceptance.lock")
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another run is under way: %w", err), f.Close())
	}
	return func() error { return errors.Join(os.Remove(f.Name()), f.Close()) }, nil
}

// Clean removes what a cluster has left, however it ended: processes, cgroups, mounts,
// network and files. Where there is nothing it does nothing.
func Clean() error {
	return errors.Join(killDaemons(), cleanCgroups(), cleanContainers(), unmount(), cleanNetwork(), remove())
}

// killDaemons kills the daemons that name the folder of the cluster in their arguments.
func killDaemons() error {
	names := []string{"kubecp", "kubenode", "containerd", "containerd-shim-runc-v2"}
	for range 50 {
		found := false
		processes, err := filepath.Glob("/proc/[0-9]*")
		if err != nil {
			return err
		}
		for _, dir := range processes {
			exe, err := os.Readlink(filepath.Join(dir, "exe"))
			if err != nil {
				continue // gone, or a thread of the kernel
			}
			exe = strings.TrimSuffix(exe, " (deleted)")
			args, err := os.ReadFile(filepath.Join(dir, "cmdline"))
			if err != nil || !slices.Contains(names, filepath.Base(exe)) || !strings.Contains(string(args), State+"/") {
				continue
			}
			found = true
			var pid int
			if _, err := fmt.Sscan(filepath.Base(dir), &pid); err == nil {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended already
			}
		}
		if !found {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("processes of the cluster do not end")
}

// unmount unmounts all that is mounted in the cluster's folder, the last first.
func unmount() error {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	var errs []error
	lines := strings.Split(string(b), "\n")
	for _, line := range slices.Backward(lines) {
		f := strings.Fields(line)
		if len(f) < 2 || !strings.HasPrefix(f[1], State+"/") {
			continue
		}
		if err := syscall.Unmount(f[1], syscall.MNT_DETACH); err != nil {
			errs = append(errs, fmt.Errorf("unmount %s: %w", f[1], err))
		}
	}
	return errors.Join(errs...)
}

// remove removes the files. It stays on their file system: what could not be unmounted
// is not looked into.
func remove() error {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	if strings.Contains(string(b), " "+State+"/") {
		return fmt.Errorf("something is still mounted in %s", State)
	}
	return os.RemoveAll(State)
}
