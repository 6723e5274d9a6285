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

// cleanNamespaces removes the network namespace of a container, which CNI remembers.
// Both ends of its network go with it.
func cleanNamespaces(id string) error {
	results, err := filepath.Glob("/var/lib/cni/results/*-" + id + "-*")
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range results {
		var saved struct {
			Result struct{ Interfaces []struct{ Sandbox string } }
		}
		b, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(b, &saved)
		}
		errs = append(errs, err)
		for _, i := range saved.Result.Interfaces {
			if !strings.HasPrefix(filepath.Base(i.Sandbox), "cni-") {
				continue // it is the host's end
			}
			err := syscall.Unmount(i.Sandbox, syscall.MNT_DETACH)
			if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EINVAL) { // EINVAL: it is not mounted
				errs = append(errs, fmt.Errorf("unmount %s: %w", i.Sandbox, err))
			}
			errs = append(errs, gone(os.Remove(i.Sandbox)))
		}
		errs = append(errs, os.Remove(path))
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
