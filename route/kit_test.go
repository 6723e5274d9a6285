package route_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/mehari-go/mehari/route"
)

// A kit has the components that these tests use, and an engine with routes that does
// not stop before the test does.
//
//	in:name    a consumer; the test gives it messages by kit.give
//	to:name    runs kit.to[name]
//	call:name  calls the route from call:name, as direct does
//	queue:name a queue without bound that is taken from by one, as seda does
type kit struct {
	*route.Engine
	logs logs
	to   map[string]route.ProcessorFunc

	mu     sync.Mutex
	given  map[string]next
	queues map[string]*queue
	cancel context.CancelFunc
	done   chan struct{}
	err    error // of Run
}

type next struct {
	ctx context.Context
	route.Processor
}

// build makes an engine with routes.
func (k *kit) build(cfg route.Config, routes ...*route.Route) (err error) {
	k.given, k.queues = map[string]next{}, map[string]*queue{}
	if k.to == nil {
		k.to = map[string]route.ProcessorFunc{}
	}
	components := route.Components{
		"in":    k.component(func(a route.Address) route.Endpoint { return &in{k, a.Path} }),
		"to":    k.component(func(a route.Address) route.Endpoint { return out{a.Path, k.to[a.Path]} }),
		"call":  k.component(func(a route.Address) route.Endpoint { return &call{in{k, a.Path}} }),
		"queue": k.component(func(a route.Address) route.Endpoint { return k.queue(a.Path) }),
	}
	maps.Copy(components, cfg.Components)
	cfg.Components = components
	if cfg.Logger == nil {
		cfg.Logger = slog.New(&k.logs)
	}
	k.Engine, err = route.New(cfg, routes...)
	return err
}

// start builds and runs an engine. It stops by stop, or at the end of the test.
func start(t testing.TB, cfg route.Config, routes ...*route.Route) *kit {
	t.Helper()
	k := new(kit)
	k.start(t, cfg, routes...)
	return k
}

func (k *kit) start(t testing.TB, cfg route.Config, routes ...*route.Route) {
	t.Helper()
	if err := k.build(cfg, routes...); err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, k.cancel = context.WithCancel(context.Background())
	k.done = make(chan struct{})
	go func() { k.err = k.Run(ctx); close(k.done) }()
	synctest.Wait()
	t.Cleanup(func() { _ = k.stop() })
}

// stop stops the engine and returns what Run has returned.
func (k *kit) stop() error {
	k.cancel()
	<-k.done
	return k.err
}

func (k *kit) component(f func(route.Address) route.Endpoint) route.Component {
	return route.ComponentFunc(func(_ route.Env, a route.Address) (route.Endpoint, error) { return f(a), nil })
}

func (k *kit) nextOf(name string) next {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.given[name]
}

// give makes in:name take a message, and returns the acknowledgement.
func (k *kit) give(name string, ex *route.Exchange) error {
	n := k.nextOf(name)
	if n.ctx == nil || n.ctx.Err() != nil {
		return errors.New("in:" + name + " takes nothing")
	}
	return n.Process(n.ctx, ex)
}

// send gives in:name a body and returns what became of it.
func (k *kit) send(t testing.TB, name string, body any) any {
	t.Helper()
	ex := route.NewExchange(body)
	defer ex.Release()
	if err := k.give(name, ex); err != nil {
		t.Errorf("%v: %v", body, err)
	}
	return ex.Body
}

type in struct {
	kit  *kit
	name string
}

func (i *in) String() string { return "in:" + i.name }
func (i *in) Consume(ctx context.Context, p route.Processor) error {
	w := &waiting{Processor: p}
	i.kit.mu.Lock()
	i.kit.given[i.name] = next{ctx, w}
	i.kit.mu.Unlock()
	<-ctx.Done()
	w.Wait()
	return nil
}

// waiting knows when its last call has returned.
type waiting struct {
	sync.WaitGroup
	route.Processor
}

func (w *waiting) Process(ctx context.Context, ex *route.Exchange) error {
	w.Add(1)
	defer w.Done()
	return w.Processor.Process(ctx, ex)
}

type out struct {
	name string
	route.ProcessorFunc
}

func (o out) String() string { return "to:" + o.name }

// call is internal: nothing waits for it, ever.
type call struct{ in }

func (c *call) String() string { return "call:" + c.name }
func (c *call) Pending() int   { return 0 }
func (c *call) Process(ctx context.Context, ex *route.Exchange) error {
	n := c.kit.nextOf(c.name)
	if n.ctx == nil || n.ctx.Err() != nil {
		return fmt.Errorf("%s: nobody is there", c)
	}
	return n.Processor.Process(ctx, ex)
}

func (k *kit) queue(name string) *queue {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.queues[name] == nil {
		k.queues[name] = &queue{name: name, more: make(chan struct{}, 1)}
	}
	return k.queues[name]
}

type queue struct {
	name    string
	mu      sync.Mutex
	waiting []*route.Exchange
	pending int
	more    chan struct{}
}

func (q *queue) String() string { return "queue:" + q.name }

func (q *queue) Pending() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pending
}

func (q *queue) Process(_ context.Context, ex *route.Exchange) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, ex.Clone())
	q.pending++
	select {
	case q.more <- struct{}{}:
	default:
	}
	return nil
}

func (q *queue) Consume(ctx context.Context, next route.Processor) error {
	for {
		select {
		case <-q.more:
		case <-ctx.Done():
			return nil
		}
		for {
			q.mu.Lock()
			if len(q.waiting) == 0 || ctx.Err() != nil {
				q.mu.Unlock()
				break
			}
			ex := q.waiting[0]
			q.waiting = q.waiting[1:]
			q.mu.Unlock()
			_ = next.Process(ctx, ex)
			ex.Release()
			q.mu.Lock()
			q.pending--
			q.mu.Unlock()
		}
	}
}

// logs keeps what was logged, one line a record: "LEVEL message key=value …".
type logs struct {
	mu    sync.Mutex
	lines []string
}

func (l *logs) Enabled(context.Context, slog.Level) bool { return true }
func (l *logs) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logs) WithGroup(string) slog.Handler            { return l }
func (l *logs) Handle(_ context.Context, r slog.Record) error {
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	return nil
}

// take returns what was logged since it was called last.
func (l *logs) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.lines = nil }()
	return l.lines
}

// short shortens the paths of files and the ids of exchanges in a text.
func short(text string) string {
	text = regexp.MustCompile(`[^\s=]*/([a-z_]+\.go:\d+)`).ReplaceAllString(text, "$1")
	return regexp.MustCompile(`\b[0-9a-f]{8}-\d+-\d+\b`).ReplaceAllString(text, "ID")
}

// here returns the place of the line that is n below that of the caller.
func here(n int) string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s:%d", filepath.Base(file), line+n)
}

// wantLines compares texts, in which paths and ids are shortened.
func wantLines(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	for i := range got {
		got[i] = short(got[i])
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// wantError compares the text of an error, in which paths and ids are shortened.
func wantError(t testing.TB, err error, want string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("no error, want\n%s", want)
	case short(err.Error()) != want:
		t.Errorf("error\n%s\nwant\n%s", short(err.Error()), want)
	}
}
