package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNetworked(t *testing.T) {
	for magic, want := range map[uint32]string{0x6969: "NFS", 0xff534d42: "SMB", 0xfe534d42: "SMB", 0x01021997: "9P", 0xef53: "", 0x01021994: ""} {
		if got := networked(magic); got != want {
			t.Errorf("networked(%#x) = %q, want %q", magic, got, want)
		}
	}
}

func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	made := filepath.Join(dir, "made")
	if _, err := New(made); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Dir(dir), dir, made} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range folders {
		if err := os.Chmod(filepath.Join(made, name), 0o555); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "new"), made} {
		err := asNobody(func() error { _, err := New(path); return err })
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), path) {
			t.Errorf("New(%q) = %v, want a denied permission and the path", path, err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil { // for the clean-up
		t.Fatal(err)
	}
}

// asNobody runs f without the rights of root. The thread that gave them up ends
// with its goroutine, as it is never unlocked.
func asNobody(f func() error) error {
	done := make(chan error)
	go func() {
		if os.Geteuid() == 0 {
			runtime.LockOSThread()
			if _, err := unix.SetfsuidRetUid(65534); err != nil {
				done <- err
				return
			}
		}
		done <- f()
	}()
	return <-done
}
