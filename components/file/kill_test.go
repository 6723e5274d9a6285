//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package file_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/file"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// A process that is killed at any moment loses no file: each is led to its end once at least, and
// nobody works on one that another works on.
func TestKill(t *testing.T) {
	if dir := os.Getenv("MEHARI_TEST_CONSUME"); dir != "" {
		killed(t, dir)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	const files = 150
	for i := range files {
		put(t, dir, fmt.Sprintf("in/%03d", i))
	}
	run := func() *exec.Cmd {
		cmd := exec.Command(self, "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "MEHARI_TEST_CONSUME="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	left := func() int {
		return len(strings.Fields(tree(t, filepath.Join(dir, "in")))) - len(strings.Fields(done(t, dir)))
	}
	begun := time.Now()
	kills := 0
	for ; left() > 0; kills++ {
		if time.Since(begun) > 60*time.Second {
			t.Fatalf("%s are left", tree(t, filepath.Join(dir, "in")))
		}
		a, b := run(), run()
		time.Sleep(time.Duration(20+kills*7%30) * time.Millisecond)
		_ = a.Process.Kill()
		time.Sleep(time.Duration(kills*13%20) * time.Millisecond)
		_ = b.Process.Kill()
		_, _ = a.Process.Wait()
		_, _ = b.Process.Wait()
	}
	t.Logf("%d pairs of processes were killed", kills)
	if kills < 3 {
		t.Errorf("processes were killed %d times only: want more files", kills)
	}
	if n := len(strings.Fields(done(t, dir))); n != files {
		t.Errorf("%d files are done, want %d", n, files)
	}
	for i := range files {
		if b, err := os.ReadFile(filepath.Join(dir, "led", fmt.Sprintf("%03d", i))); err != nil || len(b) == 0 {
			t.Errorf("file %d was not led: %v", i, err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "twice")); err == nil {
		t.Errorf("two processes worked on %s", b)
	}
}

func done(t *testing.T, dir string) string {
	if _, err := os.Stat(filepath.Join(dir, "in", ".done")); errors.Is(err, os.ErrNotExist) {
		return ""
	}
	return tree(t, filepath.Join(dir, "in", ".done"))
}

// killed consumes until it is killed. Each file that it works on is noted, by a lock that fails if
// another works on it.
func killed(t *testing.T, dir string) {
	for _, sub := range []string{"led", "locks"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var once sync.Mutex
	routetest.Run(t, route.Config{Components: route.Components{"file": file.New(nil)}},
		route.From(file.Config{Directory: filepath.Join(dir, "in"), PreMove: ".work", InitialDelay: new(time.Duration(0)), Delay: new(time.Millisecond), MaxMessagesPerPoll: 3}.URI()).
			Process(func(_ context.Context, ex *route.Exchange) error {
				once.Lock()
				defer once.Unlock()
				name, _ := file.FileName.Get(ex)
				free, err := flock(filepath.Join(dir, "locks", name))
				if err != nil {
					return err
				}
				if free == nil {
					return os.WriteFile(filepath.Join(dir, "twice"), []byte(name), 0o600)
				}
				defer free()
				time.Sleep(2 * time.Millisecond)
				return os.WriteFile(filepath.Join(dir, "led", name), []byte(name), 0o600)
			}))
	time.Sleep(time.Minute)
}
