//go:build linux

package nodes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	v1 "k8s.io/api/core/v1"
)

// A Process is the process of a pod's container.
type Process struct{ PID int }

// Process returns the process of the pod that runs the command.
func (c *Cluster) Process(pod *v1.Pod, command string) (Process, error) {
	cgroups, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return Process{}, err
	}
	for _, path := range cgroups {
		b, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(b), "/pod"+string(pod.UID)+"/") {
			continue
		}
		args, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if first, _, _ := strings.Cut(string(args), "\x00"); err != nil || first != command {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		return Process{pid}, err
	}
	return Process{}, fmt.Errorf("no process %s of pod %s", command, pod.Name)
}

// Signal sends a signal, without the kubelet knowing.
func (p Process) Signal(s syscall.Signal) error { return syscall.Kill(p.PID, s) }

// Runs reports whether the process is there.
func (p Process) Runs() bool { return syscall.Kill(p.PID, 0) == nil }

// Freeze stops the container as "docker pause" does, until heal is called.
func (p Process) Freeze() (heal func() error, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", p.PID))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(b)) { // 7:freezer:/path, or 0::/path in version 2
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 || unified() != (f[1] == "") || !unified() && f[1] != "freezer" {
			continue
		}
		dir := filepath.Join(cgroupFS, f[1], f[2])
		return func() error { return freeze(dir, false) }, freeze(dir, true)
	}
	return nil, fmt.Errorf("process %d has no cgroup to freeze", p.PID)
}

// Reset answers all that the process sends to the API server with a reset, and breaks
// the connections that it has, until heal is called. The rest of its network is well.
func (p Process) Reset() (heal func() error, err error) {
	inside := func(args ...string) error {
		return run("nsenter", append([]string{"-t", strconv.Itoa(p.PID), "-n"}, args...)...)
	}
	filter := []string{"OUTPUT", "-p", "tcp", "-d", serviceIP, "-j", "REJECT", "--reject-with", "tcp-reset"}
	if err := inside(append([]string{"iptables", "-A"}, filter...)...); err != nil {
		return nil, err
	}
	heal = func() error { return inside(append([]string{"iptables", "-D"}, filter...)...) }
	return heal, inside("ss", "-K", "dst", serviceIP)
}

// Cut drops all that a pod sends, until heal is called.
func Cut(pod *v1.Pod) (heal func() error, err error) { return cut(pod.Status.PodIP + "/32") }

func cut(source string) (heal func() error, err error) {
	r := rule{"raw", "PREROUTING", []string{"-s", source, "-j", "DROP"}}
	return r.remove, r.add()
}

// CutNode cuts a node off: all that its pods send is dropped, and its kubelet is
// silent, until heal is called. Its pods run on.
func (c *Cluster) CutNode(name string) (heal func() error, err error) {
	i, err := strconv.Atoi(strings.TrimPrefix(name, "node"))
	if err != nil || i < 1 || i > Number {
		return nil, fmt.Errorf("no node %q", name)
	}
	join, err := cut(podNetwork(i))
	if err != nil {
		return nil, err
	}
	process := c.daemons[kubelet(i)].cmd.Process
	heal = func() error { return errors.Join(process.Signal(syscall.SIGCONT), join()) }
	return heal, process.Signal(syscall.SIGSTOP)
}
