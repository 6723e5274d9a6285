//go:build linux

package nodes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	cgroupFS     = "/sys/fs/cgroup"
	cgroupPrefix = "mehari-n" // of the roots of the nodes
)

// unified reports whether the machine has cgroups of version 2 only.
func unified() bool {
	_, err := os.Stat(filepath.Join(cgroupFS, "cgroup.controllers"))
	return err == nil
}

// hierarchies returns the folders in which a root of cgroups has to be made.
func hierarchies() ([]string, error) {
	if unified() {
		return []string{cgroupFS}, nil
	}
	all, err := filepath.Glob(filepath.Join(cgroupFS, "*", "cgroup.procs"))
	for i := range all {
		all[i] = filepath.Dir(all[i])
	}
	return all, err
}

// makeCgroups makes the root of a node's cgroups, which the kubelet expects to find.
func makeCgroups(root string) error {
	dirs, err := hierarchies()
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		err := os.Mkdir(filepath.Join(dir, root), 0o755)
		if errors.Is(err, fs.ErrExist) { // another name of the same hierarchy
			continue
		}
		if err != nil {
			return err
		}
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} { // empty at first in version 1
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, root, name), b, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// cleanCgroups kills all that runs in the nodes' cgroups and removes them.
func cleanCgroups() error {
	dirs, err := hierarchies()
	if err != nil {
		return err
	}
	var ours []string // deepest first
	for _, dir := range dirs {
		roots, err := filepath.Glob(filepath.Join(dir, cgroupPrefix+"[0-9]"))
		if err != nil {
			return err
		}
		for _, root := range roots {
			err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.IsDir() {
					ours = append(ours, path)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	slices.Reverse(ours)
	var left error
	for range 50 {
		left = nil
		for _, dir := range ours {
			_ = freeze(dir, false)
			for _, pid := range pidsOf(dir) {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended already
			}
			if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				left = errors.Join(left, err)
			}
		}
		if left == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return left
}

func pidsOf(cgroup string) []int {
	b, err := os.ReadFile(filepath.Join(cgroup, "cgroup.procs"))
	if err != nil {
		return nil // it is gone
	}
	var pids []int
	for f := range strings.FieldsSeq(string(b)) {
		if pid, err := strconv.Atoi(f); err == nil && pid > 1 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// freeze freezes or thaws what runs in a cgroup.
func freeze(dir string, on bool) error {
	file, text := "freezer.state", "THAWED"
	if unified() {
		file, text = "cgroup.freeze", "0"
	}
	switch {
	case on && unified():
		text = "1"
	case on:
		text = "FROZEN"
	}
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
