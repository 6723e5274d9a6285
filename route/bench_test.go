package route_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mehari-go/mehari/route"
)

// The work of BenchmarkFiveSteps: a message has a JSON body of 256 bytes and three
// headers. It is filtered by a header, gets a header, a new body that is one byte
// longer, a header by a choice among three, and is checked and counted by a sink.
//
//	hand    what one writes by hand with maps and slices
//	target  the least that compiled steps over a pooled message with header slots cost
//	mehari  a route
var jsonBody = func() []byte {
	const head, tail = `{"user":"alice","amount":42.5,"currency":"EUR","items":[1,2,3],"note":"`, `"}`
	return []byte(head + strings.Repeat("x", 256-len(head)-len(tail)) + tail)
}()

var regions = [3]string{"eu", "us", "asia"}

type counter struct{ a, b, c, bad atomic.Int64 }

func (c *counter) sink(branch, stage string, length int) {
	if stage != "routed" || length != 257 {
		c.bad.Add(1)
	}
	switch branch {
	case "A":
		c.a.Add(1)
	case "B":
		c.b.Add(1)
	case "C":
		c.c.Add(1)
	default:
		c.bad.Add(1)
	}
}

func (c *counter) check(tb testing.TB, n int) {
	tb.Helper()
	a, b, d := c.a.Load(), c.b.Load(), c.c.Load()
	if c.bad.Load() != 0 || a+b+d != int64(n) || n > 5 && (a == 0 || b == 0 || d == 0) {
		tb.Errorf("sink saw %d, %d, %d and %d bad ones of %d messages", a, b, d, c.bad.Load(), n)
	}
}

func BenchmarkFiveSteps(b *testing.B) {
	for _, v := range []struct {
		name string
		run  func(testing.TB, *counter) func(i int)
	}{{"hand", hand}, {"target", target}, {"mehari", mehari}} {
		b.Run(v.name, func(b *testing.B) {
			b.ReportAllocs()
			var c counter
			run := v.run(b, &c)
			i, begun := 0, cpuTime()
			for b.Loop() {
				run(i)
				i++
			}
			b.ReportMetric(float64(cpuTime()-begun)/float64(i), "cpu-ns/op")
			c.check(b, i)
		})
	}
}

func TestFiveStepsDoNotAllocate(t *testing.T) {
	var c counter
	run := mehari(t, &c)
	i := 0
	if n := testing.AllocsPerRun(1000, func() { run(i); i++ }); n != 0 && !raceEnabled {
		t.Errorf("%v allocations per exchange, want 0", n)
	}
	c.check(t, i)
}

type message struct {
	headers map[string]string
	body    []byte
}

//go:noinline
func newMessage(i int) *message {
	return &message{map[string]string{"type": "order", "region": regions[i%3], "id": "0123456789"}, jsonBody}
}

//go:noinline
func handFilter(m *message) bool { return m.headers["type"] == "order" }

//go:noinline
func handSetHeader(m *message) { m.headers["stage"] = "routed" }

//go:noinline
func handTransform(m *message) {
	out := make([]byte, len(m.body)+1)
	copy(out, m.body)
	out[len(m.body)] = '\n'
	m.body = out
}

//go:noinline
func handChoice(m *message) {
	switch m.headers["region"] {
	case "eu":
		m.headers["route"] = "A"
	case "us":
		m.headers["route"] = "B"
	default:
		m.headers["route"] = "C"
	}
}

//go:noinline
func handSink(m *message, c *counter) { c.sink(m.headers["route"], m.headers["stage"], len(m.body)) }

func hand(_ testing.TB, c *counter) func(int) {
	return func(i int) {
		m := newMessage(i)
		if !handFilter(m) {
			return
		}
		handSetHeader(m)
		handTransform(m)
		handChoice(m)
		handSink(m, c)
	}
}

type slots struct {
	n    int
	list [8]struct{ k, v string }
	body []byte
}

func (s *slots) get(k string) string {
	for i := range s.n {
		if s.list[i].k == k {
			return s.list[i].v
		}
	}
	return ""
}

func (s *slots) set(k, v string) {
	for i := range s.n {
		if s.list[i].k == k {
			s.list[i].v = v
			return
		}
	}
	s.list[s.n].k, s.list[s.n].v = k, v
	s.n++
}

type (
	slotStep interface{ do(*slots) bool }
	slotFunc func(*slots) bool
)

func (f slotFunc) do(s *slots) bool { return f(s) }

func doAll(steps []slotStep, s *slots) bool {
	for _, st := range steps {
		if !st.do(s) {
			return false
		}
	}
	return true
}

func target(_ testing.TB, c *counter) func(int) {
	set := func(k, v string) slotStep { return slotFunc(func(s *slots) bool { s.set(k, v); return true }) }
	is := func(k, v string) slotFunc { return func(s *slots) bool { return s.get(k) == v } }
	whens := []slotFunc{is("region", "eu"), is("region", "us")}
	branches := [][]slotStep{{set("route", "A")}, {set("route", "B")}, {set("route", "C")}}
	steps := []slotStep{
		is("type", "order"),
		set("stage", "routed"),
		slotFunc(func(s *slots) bool { s.body = append(s.body, '\n'); return true }),
		slotFunc(func(s *slots) bool {
			for i, w := range whens {
				if w(s) {
					return doAll(branches[i], s)
				}
			}
			return doAll(branches[2], s)
		}),
		slotFunc(func(s *slots) bool { c.sink(s.get("route"), s.get("stage"), len(s.body)); return true }),
	}
	pool := sync.Pool{New: func() any { return &slots{body: make([]byte, 0, 512)} }}
	ctx, cancel := context.WithCancel(context.Background())
	_ = cancel
	return func(i int) {
		s := pool.Get().(*slots)
		s.n = 0
		s.set("type", "order")
		s.set("region", regions[i%3])
		s.set("id", "0123456789")
		s.body = append(s.body[:0], jsonBody...)
		if ctx.Err() == nil {
			doAll(steps, s)
		}
		pool.Put(s)
	}
}

var (
	kind   = route.NewKey[string]("type")
	region = route.NewKey[string]("region")
	id     = route.NewKey[string]("id")
	stage  = route.NewKey[string]("stage")
	branch = route.NewKey[string]("route")
)

func mehari(tb testing.TB, c *counter) func(int) {
	sink := processors{"sink": func(_ context.Context, ex *route.Exchange) error {
		b, _ := branch.Get(ex)
		s, _ := stage.Get(ex)
		c.sink(b, s, ex.Body.(*bytes.Buffer).Len())
		return nil
	}}
	ctx, next := consumerOf(tb, route.Config{Components: route.Components{"to": sink}},
		route.From("in:x").
			Filter(route.Is(kind, "order")).
			SetHeader("stage", "routed").
			Process(func(_ context.Context, ex *route.Exchange) error {
				return ex.Body.(*bytes.Buffer).WriteByte('\n')
			}).
			Choice(
				route.When(route.Is(region, "eu")).SetHeader("route", "A"),
				route.When(route.Is(region, "us")).SetHeader("route", "B"),
				route.Otherwise().SetHeader("route", "C"),
			).
			To("to:sink"))
	var buf bytes.Buffer
	ex := route.NewExchange(nil)
	return func(i int) {
		buf.Reset()
		buf.Write(jsonBody)
		ex = ex.Renew(&buf)
		kind.Set(ex, "order")
		region.Set(ex, regions[i%3])
		id.Set(ex, "0123456789")
		if err := next.Process(ctx, ex); err != nil {
			tb.Fatal(err)
		}
	}
}

// processors is a component of producers.
type processors map[string]route.ProcessorFunc

func (p processors) Endpoint(_ route.Env, a route.Address) (route.Endpoint, error) {
	f, ok := p[a.Path]
	if !ok {
		return nil, fmt.Errorf("no %q here", a.Path)
	}
	return processor{a.Path, f}, nil
}

type processor struct {
	name string
	route.ProcessorFunc
}

func (p processor) String() string { return "to:" + p.name }

// consumerOf runs a route from "in:…" and returns what its consumer was given.
func consumerOf(tb testing.TB, cfg route.Config, routes ...*route.Route) (context.Context, route.Processor) {
	tb.Helper()
	type given struct {
		ctx  context.Context
		next route.Processor
	}
	in := make(chan given)
	cfg.Components["in"] = route.ComponentFunc(func(route.Env, route.Address) (route.Endpoint, error) {
		return consumerFunc(func(ctx context.Context, next route.Processor) error {
			in <- given{ctx, next}
			<-ctx.Done()
			return nil
		}), nil
	})
	e, err := route.New(cfg, routes...)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	g := <-in
	return g.ctx, g.next
}

type consumerFunc func(ctx context.Context, next route.Processor) error

func (consumerFunc) String() string                                            { return "in" }
func (f consumerFunc) Consume(ctx context.Context, next route.Processor) error { return f(ctx, next) }
