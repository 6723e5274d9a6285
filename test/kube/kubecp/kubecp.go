// Package kubecp finds the control plane of the tests, the command kubecp of the
// module test/controlplane, and builds it where it is not there yet.
package kubecp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// LDFlags are the linker's flags for every command of Kubernetes. Without a version
// the API server says one that kubectl cannot read.
const LDFlags = "-s -w" +
	" -X k8s.io/component-base/version.gitVersion=v1.37.2" +
	" -X k8s.io/component-base/version.gitMajor=1" +
	" -X k8s.io/component-base/version.gitMinor=37"

// ErrMissing is returned by [Find] where the binary must be built first.
var ErrMissing = errors.New("the control plane is not built: run \"make kubecp\" in test/kube, which takes minutes the first time")

// Find returns the path of the binary: $KUBECP, or the one that was built from the
// sources as they are, in $MEHARI_CACHE or else in the user's cache.
func Find() (string, error) {
	if path := os.Getenv("KUBECP"); path != "" {
		_, err := os.Stat(path)
		return path, err
	}
	path, err := cached()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", ErrMissing
	} else if err != nil {
		return "", err
	}
	return path, nil
}

// Build is [Find] that builds what is missing. It removes what it built from other
// sources; one process builds at a time.
func Build(ctx context.Context, progress *slog.Logger) (path string, err error) {
	if path, err := Find(); !errors.Is(err, ErrMissing) {
		return path, err
	}
	path, err = cached()
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if found, err := Find(); !errors.Is(err, ErrMissing) { // another process has built it
		return found, err
	}
	source, err := controlplane()
	if err != nil {
		return "", err
	}
	began := time.Now()
	progress.Info("building the control plane; with an empty build cache this takes about 11 minutes of CPU")
	part := path + ".part"
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags", LDFlags, "-o", part, "./kubecp")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // what is compiled stays
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go build kubecp: %w", err)
	}
	progress.Info("built", "took", time.Since(began).Round(time.Second))
	old, err := filepath.Glob(filepath.Join(dir, "kubecp-*"))
	if err != nil {
		return "", err
	}
	for _, name := range old {
		if name != part {
			if err := os.Remove(name); err != nil {
				return "", err
			}
		}
	}
	return path, os.Rename(part, path)
}

// cached is where the binary is kept: beside no other of different sources, Go
// version or platform.
func cached() (string, error) {
	source, err := controlplane()
	if err != nil {
		return "", err
	}
	key := fmt.Appendln(nil, runtime.Version(), runtime.GOOS, runtime.GOARCH, LDFlags)
	err = filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !relevant(d.Name()) {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(source, path)
		key = fmt.Appendf(key, "%s %x\n", filepath.ToSlash(rel), sha256.Sum256(b))
		return err
	})
	if err != nil {
		return "", err
	}
	dir := os.Getenv("MEHARI_CACHE")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(cache, "mehari-test")
	}
	sum := sha256.Sum256(key)
	return filepath.Join(dir, fmt.Sprintf("kubecp-%x", sum[:8])), nil
}

func relevant(name string) bool {
	return strings.HasSuffix(name, ".go") || name == "go.mod" || name == "go.sum"
}

// Repository is the folder of Mehari, in whose test/kube the working directory is.
func Repository() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/mehari-go/mehari").Output()
	if err != nil {
		return "", fmt.Errorf("find the repository from the working directory: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// controlplane is the folder of the module test/controlplane.
func controlplane() (string, error) {
	repository, err := Repository()
	return filepath.Join(repository, "test", "controlplane"), err
}
