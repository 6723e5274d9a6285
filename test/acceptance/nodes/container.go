//go:build linux

package nodes

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// cleanContainers removes what the containers that did not end in order have outside of
// the cluster's folder: their network, and the files of runc and of the shims.
func cleanContainers() error {
	bundles, err := filepath.Glob(filepath.Join(State, "n*", "run", "io.containerd.runtime.v2.task", "k8s.io", "*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, bundle := range bundles {
		id := filepath.Base(bundle)
		errs = append(errs, cleanNamespaces(id), os.RemoveAll(filepath.Join("/run/containerd/runc/k8s.io", id)))
		if address, err := os.ReadFile(filepath.Join(bundle, "address")); err == nil { // of the shim
			errs = append(errs, gone(os.Remove(strings.TrimPrefix(string(address), "unix://"))))
		}
	}
	return errors.Join(errs...)
}

// cleanNamespaces removes the network of a container, which CNI remembers: the host's
// end, and the namespace, which may live on for a while with connections that nobody
// closed.
func cleanNamespaces(id string) error {
	results, err := filepath.Glob("/var/lib/cni/results/*-" + id + "-*")
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range results {
		if strings.HasPrefix(filepath.Base(path), "mehari-n") { // and not that of the loopback
			errs = append(errs, cleanNetworkOf(path))
		}
		errs = append(errs, os.Remove(path))
	}
	return errors.Join(errs...)
}

func cleanNetworkOf(result string) error {
	var saved struct {
		Result struct {
			Interfaces []struct{ Name, Sandbox string }
		}
	}
	b, err := os.ReadFile(result)
	if err == nil {
		err = json.Unmarshal(b, &saved)
	}
	errs := []error{err}
	for _, i := range saved.Result.Interfaces {
		if i.Sandbox == "" {
			if _, err := os.Stat("/sys/class/net/" + i.Name); err == nil {
				errs = append(errs, run("ip", "link", "del", i.Name))
			}
			continue
		}
		err := syscall.Unmount(i.Sandbox, syscall.MNT_DETACH)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EINVAL) { // EINVAL: it is not mounted
			errs = append(errs, fmt.Errorf("unmount %s: %w", i.Sandbox, err))
		}
		errs = append(errs, gone(os.Remove(i.Sandbox)))
	}
	return errors.Join(errs...)
}

// gone is err, but for that something is not there.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
