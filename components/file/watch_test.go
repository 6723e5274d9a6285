package file_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/file"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// Files are taken when they come, in folders too that come later, although the next poll is an
// hour away.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	names := make(chan string, 10)
	e := routetest.Run(t, route.Config{Components: route.Components{"file": file.New(nil)}},
		route.From(file.Config{
			Directory: dir, Watch: true, Recursive: true, InitialDelay: new(time.Duration(0)), Delay: new(time.Hour),
			ReadLock: file.Changed, ReadLockCheckInterval: new(30 * time.Millisecond),
		}.URI()).ID("r").Process(func(_ context.Context, ex *route.Exchange) error {
			name, _ := file.FileName.Get(ex)
			names <- name
			return nil
		}))
	for begun := time.Now(); ; time.Sleep(time.Millisecond) { // until it watches
		if s, _ := e.Status().Route("r"); s.Subscribed != nil && *s.Subscribed {
			break
		} else if time.Since(begun) > 20*time.Second {
			t.Fatal("it does not poll")
		}
	}
	want := func(name string) {
		t.Helper()
		select {
		case have := <-names:
			if have != name {
				t.Fatalf("have %s, want %s", have, name)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s does not come", name)
		}
	}
	put(t, dir, "a")
	want("a")
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "folder/b")
	want("folder/b")
	other := t.TempDir()
	put(t, other, "c")
	if err := os.Rename(filepath.Join(other, "c"), filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	want("c")
}
