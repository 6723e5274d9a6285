//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package file_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/file"
	"github.com/mehari-go/mehari/route"
)

// flock locks a file as long as the process lives, and returns nil if another has it.
func flock(name string) (free func(), err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}

// What others work on is left alone, here and in preMove.
func TestLocked(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a", "b", ".work/c=c")
	for _, name := range []string{"a", ".work/c"} {
		free, err := flock(filepath.Join(dir, name))
		if err != nil || free == nil {
			t.Fatal(err)
		}
		defer free()
	}
	for _, c := range []file.Config{
		{ReadLock: file.FileLock},
		{PreMove: ".work"},
		{ReadLock: file.FileLock, MaxMessagesPerPoll: 1},
		{PreMove: ".work", MaxMessagesPerPoll: 1}, // which are not filled by those of others
	} {
		c.Directory, c.RepeatCount = dir, 2
		put(t, dir, "b")
		led, log := consume(t, c, nil)
		if got := tree(t, dir); len(led) != 1 || led[0] != "b" || got != ".done/b=b .work/c=c a" {
			t.Errorf("%q were led, %s are left\n%s", led, got, log)
		}
	}
}

// While a file is worked on another consumer does not get it.
func TestTwoConsumers(t *testing.T) {
	for _, c := range []file.Config{{ReadLock: file.FileLock}, {PreMove: ".work"}} {
		dir := t.TempDir()
		put(t, dir, "a")
		c.Directory = dir
		led, _ := consume(t, c, func(context.Context, *route.Exchange) error {
			other := c
			other.RepeatCount, other.Delay = 3, new(time.Millisecond)
			if led, log := consume(t, other, nil); len(led) > 0 {
				t.Errorf("%q came twice\n%s", led, log)
			}
			return nil
		})
		if got := tree(t, dir); len(led) != 1 || got != ".done/a=a" {
			t.Errorf("%q were led, %s are left", led, got)
		}
	}
}
