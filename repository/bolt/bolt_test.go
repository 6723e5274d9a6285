package bolt_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mehari-go/mehari/repository/bolt"
	"github.com/mehari-go/mehari/route"
)

func openGroups(t *testing.T, path string) *bolt.Groups {
	t.Helper()
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	g, err := db.Groups("orders")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGroups(t *testing.T) {
	ctx := t.Context()
	r := openGroups(t, filepath.Join(t.TempDir(), "groups.db"))
	if g, err := r.Get(ctx, "x"); g != nil || err != nil {
		t.Errorf("%v, %v", g, err)
	}
	deadline := time.Now().Add(time.Minute)
	g := &route.Group{Key: "x", Size: 2, Timeout: time.Minute, Deadline: deadline, Body: []any{"a", 1}}
	g.SetFields(maps.All(map[string]any{"h": "text"}), maps.All(map[string]any{"p": 2}), nil)
	for version := range uint64(3) {
		if err := r.Put(ctx, g); err != nil || g.Version != version+1 {
			t.Errorf("%v, version %d", err, g.Version)
		}
	}
	got, err := r.Get(ctx, "x")
	if err != nil || got.Key != "x" || got.Size != 2 || got.Version != 3 || got.Timeout != time.Minute || !got.Deadline.Equal(deadline) ||
		fmt.Sprint(got.Body, maps.Collect(got.Headers()), maps.Collect(got.Properties()), maps.Collect(got.Variables())) != "[a 1] map[h:text] map[p:2] map[]" {
		t.Errorf("%+v, %v", got, err)
	}
	old := &route.Group{Key: "x", Version: 2}
	for what, err := range map[string]error{
		"put": r.Put(ctx, old), "put new": r.Put(ctx, &route.Group{Key: "x"}), "remove": r.Remove(ctx, old), "complete": r.Complete(ctx, "1", old),
		"complete new": r.Complete(ctx, "1", &route.Group{Key: "x"}), "remove what is not there": r.Remove(ctx, &route.Group{Key: "z", Version: 1}),
	} {
		if !errors.Is(err, route.ErrConflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := r.Put(ctx, &route.Group{Key: "bad", Body: make(chan int)}); err == nil || !strings.HasPrefix(err.Error(), `bolt: groups "orders": body: a value of type chan int cannot be stored`) {
		t.Error(err)
	}
	for _, id := range []string{"2", "1"} {
		g := &route.Group{Key: "y" + id, Body: id, CompletedBy: "size"}
		if err := r.Complete(ctx, id, g); err != nil {
			t.Error(err)
		}
	}
	if err := r.Complete(ctx, "3", got); err != nil {
		t.Error(err)
	}
	var ids []string
	for id, err := range r.Unconfirmed(ctx) {
		ids = append(ids, id)
		if err != nil {
			t.Error(err)
		}
	}
	if fmt.Sprint(ids) != "[1 2 3]" {
		t.Error(ids)
	}
	if g, err := r.Get(ctx, "x"); g != nil || err != nil {
		t.Errorf("x is still open: %v, %v", g, err)
	}
	for n := 1; n < 3; n++ {
		if g, err := r.Recover(ctx, "1"); err != nil || g.Redeliveries != n || g.Body != "1" || g.CompletedBy != "size" {
			t.Errorf("%+v, %v", g, err)
		}
	}
	for range 2 {
		if err := r.Confirm(ctx, "1"); err != nil {
			t.Error(err)
		}
	}
	if g, err := r.Recover(ctx, "1"); g != nil || err != nil {
		t.Errorf("%v, %v", g, err)
	}
	cancelled, cancel := context.WithCancelCause(ctx)
	cancel(errors.New("enough"))
	if _, err := r.Get(cancelled, "x"); err == nil || err.Error() != "enough" {
		t.Error(err)
	}
}

// All open groups are yielded, however many, and changes are possible meanwhile.
func TestManyGroups(t *testing.T) {
	path := filepath.Join(t.TempDir(), "groups.db")
	db, err := bolt.Open(path, bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, err := db.Groups("orders")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if err := r.Put(t.Context(), &route.Group{Key: fmt.Sprintf("%04d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for g, err := range r.Open(t.Context()) {
		if err != nil || g.Key != fmt.Sprintf("%04d", n) {
			t.Fatalf("%v, %v", g, err)
		}
		if err := r.Remove(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 1000 {
		t.Errorf("%d groups, want 1000", n)
	}
	for range r.Open(t.Context()) {
		t.Error("a group is left")
	}
}

func TestOpenFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "groups.db")
	openGroups(t, path)
	for want, o := range map[string]bolt.Options{
		"bolt: open ": {Wait: 10 * time.Millisecond},
		"bolt: want a Wait that is not negative, have -1ns": {Wait: -1},
		"bolt: type int: want a name and two functions":     {Types: []bolt.Type{bolt.JSON[int]("")}},
	} {
		if _, err := bolt.Open(path, o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	db, err := bolt.Open(filepath.Join(t.TempDir(), "groups.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Groups(""); err == nil {
		t.Error("no error for a repository without a name")
	}
	_ = db.Close()
	if _, err := db.Groups("x"); err == nil {
		t.Error("no error for a closed file")
	}
}

// child is the program that is killed: it takes lines "key body" from its input, tells
// "acked body" when they are in their groups of three, and "done key by body redelivered"
// for each group that is processed. A group with a body that begins with "slow" is not
// processed to the end the first time.
func child(path string) error {
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	groups, err := db.Groups("lines")
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(args...)
	}
	key := route.NewKey[string]("key")
	input := consumer(func(ctx context.Context, next route.Processor) error {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			k, body, _ := strings.Cut(lines.Text(), " ")
			ex := route.NewExchange(body)
			key.Set(ex, k)
			if k == "!" {
				route.CompleteAllGroups.Set(ex, true)
			}
			if err := next.Process(ctx, ex); err != nil {
				say("failed", body, err)
			} else {
				say("acked", body)
			}
			ex.Release()
		}
		<-ctx.Done()
		return nil
	})
	engine, err := route.New(route.Config{Components: route.Components{"in": input}}, route.From("in:lines").
		Aggregate(key, route.JoinText(","), route.Do().Process(func(ctx context.Context, ex *route.Exchange) error {
			again, _ := route.Redelivered.Get(ex)
			body := ex.Body.(string)
			if strings.HasPrefix(body, "slow") && !again {
				say("begun", body)
				<-ctx.Done()
			}
			by, _ := route.AggregatedCompletedBy.Get(ex)
			k, _ := route.AggregatedKey.Get(ex)
			say("done", k, by, body, again)
			return nil
		}), route.AggregateOptions{Size: 3, Parallel: 4, Repository: groups}))
	if err != nil {
		return err
	}
	return engine.Run(context.Background())
}

type consumer func(ctx context.Context, next route.Processor) error

func (consumer) String() string                                              { return "in:lines" }
func (c consumer) Endpoint(route.Env, route.Address) (route.Endpoint, error) { return c, nil }
func (c consumer) Consume(ctx context.Context, next route.Processor) error   { return c(ctx, next) }

func TestMain(m *testing.M) {
	if path := os.Getenv("BOLT_TEST_CHILD"); path != "" {
		fmt.Println(child(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// A life is one of the child's.
type life struct {
	cmd   *exec.Cmd
	input io.WriteCloser
	lines chan string
}

func begin(t *testing.T, path string) *life {
	t.Helper()
	l := &life{cmd: exec.Command(os.Args[0], "-test.run=^$"), lines: make(chan string, 10_000)}
	l.cmd.Env = append(os.Environ(), "BOLT_TEST_CHILD="+path)
	l.cmd.Stderr = os.Stderr
	var err error
	if l.input, err = l.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(l.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			l.lines <- s.Text()
		}
	}()
	t.Cleanup(func() { _ = l.cmd.Process.Kill() })
	return l
}

func (l *life) give(lines ...string) {
	for _, line := range lines {
		_, _ = io.WriteString(l.input, line+"\n") // it may be dead
	}
}

// kill ends the life at once, and returns what was still said.
func (l *life) kill() (rest []string) {
	_ = l.cmd.Process.Kill() // SIGKILL
	for line := range l.lines {
		rest = append(rest, line)
	}
	_ = l.cmd.Wait()
	return rest
}

// Nothing that was acknowledged is lost, however often the process is killed, and groups that
// were being processed are processed again.
func TestSurvivesKills(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	path := filepath.Join(t.TempDir(), "groups.db")
	acked, done := map[string]bool{}, map[string]int{}
	redelivered := 0
	var said []string
	hear := func(line string) {
		said = append(said, line)
		words := strings.Fields(line)
		switch words[0] {
		case "acked":
			if len(words) > 1 {
				acked[words[1]] = true
			}
		case "done":
			for body := range strings.SplitSeq(words[3], ",") {
				done[body]++
			}
			if words[4] == "true" {
				redelivered++
			}
		case "begun":
		default:
			t.Errorf("the child said %q", line)
		}
	}
	until := func(l *life, want string) {
		t.Helper()
		timeout := time.After(30 * time.Second)
		for !slices.Contains(said, want) {
			select {
			case line, ok := <-l.lines:
				if !ok {
					t.Fatalf("the child ended without %q; it said\n%s", want, strings.Join(said, "\n"))
				}
				hear(line)
			case <-timeout:
				t.Fatalf("no %q within 30s; the child said\n%s", want, strings.Join(said, "\n"))
			}
		}
	}

	// an open group, and one that is being processed
	l := begin(t, path)
	l.give("x x1", "x x2", "s slow1", "s slow2", "s slow3")
	until(l, "begun slow1,slow2,slow3")
	until(l, "acked slow3")
	for _, line := range l.kill() {
		hear(line)
	}
	l = begin(t, path)
	until(l, "done s size slow1,slow2,slow3 true")
	l.give("x x3")
	until(l, "done x size x1,x2,x3 false")

	// killed anywhere
	n := 0
	for round := range 4 {
		for range 60 {
			l.give(fmt.Sprintf("k%d b%d", n%7, n))
			n++
		}
		until(l, fmt.Sprintf("acked b%d", n-40+7*round))
		for _, line := range l.kill() {
			hear(line)
		}
		l = begin(t, path)
	}
	l.give("! ")
	until(l, "acked ")
	missing := func() (bodies []string) {
		for _, body := range slices.Sorted(maps.Keys(acked)) {
			if done[body] == 0 {
				bodies = append(bodies, body)
			}
		}
		return bodies
	}
	timeout := time.After(30 * time.Second)
	for waiting := true; waiting && len(missing()) > 0; { // groups are processed in parallel
		select {
		case line, ok := <-l.lines:
			if !ok {
				t.Fatal("the child ended")
			}
			hear(line)
		case <-timeout:
			waiting = false
		}
	}
	for _, line := range l.kill() {
		hear(line)
	}
	if lost := missing(); len(lost) > 0 {
		t.Errorf("acknowledged and lost: %q", lost)
	}
	if len(acked) < 100 || redelivered == 0 {
		t.Errorf("%d acknowledged, %d groups redelivered", len(acked), redelivered)
	}
	t.Logf("%d acknowledged, %d processed, %d groups redelivered", len(acked), len(done), redelivered)
}
