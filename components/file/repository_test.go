package file_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/file"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// A noted repository notes what it is asked.
type noted struct {
	route.IdempotentMemory
	notes []string
	busy  string // the key of a message that another process works on
	fail  error
}

func (n *noted) note(what, key string) error {
	n.notes = append(n.notes, what+" "+key)
	return n.fail
}

func (n *noted) Contains(ctx context.Context, key string) (bool, error) {
	if n.fail != nil {
		return false, n.fail
	}
	return n.IdempotentMemory.Contains(ctx, key)
}

func (n *noted) Add(ctx context.Context, key string) (bool, error) {
	if key == n.busy {
		return false, route.ErrInProgress
	}
	if err := n.note("add", key); err != nil {
		return false, err
	}
	return n.IdempotentMemory.Add(ctx, key)
}

func (n *noted) Confirm(ctx context.Context, key string) error {
	return errors.Join(n.note("confirm", key), n.IdempotentMemory.Confirm(ctx, key))
}

func (n *noted) Remove(ctx context.Context, key string) error {
	return errors.Join(n.note("remove", key), n.IdempotentMemory.Remove(ctx, key))
}

func TestRepository(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a=1", "b=22", "c=333", "d=1")
	repository := &noted{busy: "c-3"}
	c := file.Config{
		Directory: dir, Idempotent: new(true), IdempotentRepository: "seen", IdempotentKey: "${file:name}-${file:size}", RepeatCount: 2,
	}
	led, log := consumeWith(t, file.New(map[string]route.IdempotentRepository{"seen": repository}), c, failing("b"))
	const want = "add a-1, add b-2, confirm a-1, add d-1, remove b-2, confirm d-1, add b-2, remove b-2"
	if got := strings.Join(repository.notes, ", "); got != want || fmt.Sprint(led) != "[a b d b]" {
		t.Errorf("%s\nwant %s\n%q were led\n%s", got, want, led, log)
	}
	// One that is known already stays where it is.
	put(t, dir, "a=2")
	if led, _ := consumeWith(t, file.New(map[string]route.IdempotentRepository{"seen": repository}), c, failing("b")); fmt.Sprint(led) != "[b b]" {
		t.Errorf("%q were led", led)
	}
}

// What cannot be looked at makes the engine start the consumer anew.
func TestDirectoryIsAway(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "file")
	for want, c := range map[string]file.Config{
		"no such file":    {Directory: filepath.Join(dir, "none"), AutoCreate: new(false)},
		"not a directory": {Directory: filepath.Join(dir, "file")},
		"database is away": {
			Directory: dir, Idempotent: new(true), IdempotentRepository: "seen",
		},
	} {
		c.InitialDelay = new(time.Duration(0))
		component := file.New(map[string]route.IdempotentRepository{"seen": &noted{fail: errors.New("database is away")}})
		e := routetest.Run(t, route.Config{Components: route.Components{"file": component}}, route.From(c.URI()).ID("r").Log("${body}"))
		begun := time.Now()
		for {
			s, _ := e.Status().Route("r")
			if s.State == route.Restarting && strings.Contains(s.LastFailure.Err.Error(), want) {
				break
			}
			if time.Since(begun) > 20*time.Second {
				t.Fatalf("the route is %s, with %+v; want %s", s.State, s.LastFailure, want)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// A file whose exchange is given up with the route has not failed.
func TestGivenUp(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a", "b")
	begun := make(chan struct{}, 1)
	c := file.Config{Directory: dir, InitialDelay: new(time.Duration(0)), MoveFailed: ".failed", PreMove: ".work"}
	e, err := route.New(route.Config{Components: route.Components{"file": file.New(nil)}, Drain: time.Millisecond, Logger: logger(new(strings.Builder))},
		route.From(c.URI()).ID("r").Process(func(ctx context.Context, _ *route.Exchange) error {
			begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- e.Run(ctx) }()
	<-begun
	cancel()
	<-ended
	if got := tree(t, dir); got != "a b" {
		t.Errorf("%s are left, want a b", got)
	}
	if _, err := os.Stat(filepath.Join(dir, ".failed")); err == nil {
		t.Error("there is a folder of failed files")
	}
}
