package direct_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestComponent(t *testing.T) {
	routetest.TestComponent(t, routetest.Harness{
		New: direct.New,
		Configs: []routetest.Config{
			direct.Config{Name: "a"},
			direct.Config{Name: "a?b%c", Block: new(false), FailIfNoConsumers: new(false)},
			direct.Config{Name: "//a", Block: new(true), Timeout: new(time.Minute)},
		},
		Consumer: "direct:a",
		Producer: "direct:a",
	})
}

func TestCallsInTheCallersGoroutine(t *testing.T) {
	mock := new(routetest.Mock)
	routetest.Run(t, components(mock),
		route.From("mock:in").To("direct:hello").To("mock:out"),
		route.From("direct:hello").Transform(route.Simple("Hello ${body}")).SetHeader("called", true))
	if err := mock.Send("in", "World"); err != nil {
		t.Fatal(err)
	}
	mock.Check(t, "out", routetest.Bodies("Hello World"), routetest.Header("called", true))
}

func TestErrorsGoBack(t *testing.T) {
	mock := new(routetest.Mock)
	routetest.Run(t, components(mock),
		route.From("mock:in").To("direct:bad"),
		route.From("direct:bad").ID("bad").Process(func(context.Context, *route.Exchange) error { return errBad }))
	err := mock.Send("in", 1)
	if se, ok := errors.AsType[*route.StepError](err); !ok || se.Route != "bad" || !errors.Is(err, errBad) {
		t.Errorf("have %v, want the error of the called route", err)
	}
}

var errBad = errors.New("bad")

func TestWithoutConsumer(t *testing.T) {
	for _, tt := range []struct {
		to      route.URI
		want    string
		waiting time.Duration
	}{
		{"direct:hallo", "direct:hallo has no consumer, after 30s (did you mean hello?) (have hello)", 30 * time.Second},
		{"direct:hallo?timeout=50", "has no consumer, after 50ms", 50 * time.Millisecond},
		{"direct:hallo?block=false", "direct:hallo?block=false has no consumer (did you mean hello?)", 0},
		{"direct:hallo?failIfNoConsumers=false", "", 30 * time.Second},
		{"direct:hallo?failIfNoConsumers=false&block=false", "", 0},
	} {
		t.Run(string(tt.to), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mock := new(routetest.Mock)
				routetest.Run(t, components(mock),
					route.From("mock:in").To(tt.to).To("mock:out"),
					route.From("direct:hello").To("mock:hello"))
				synctest.Wait()
				begun := time.Now()
				err := mock.Send("in", 1)
				if d := time.Since(begun); d != tt.waiting {
					t.Errorf("took %v, want %v", d, tt.waiting)
				}
				switch {
				case tt.want == "" && err != nil:
					t.Error(err)
				case tt.want == "":
					mock.Check(t, "out", routetest.Bodies(1))
				case err == nil || !strings.Contains(err.Error(), tt.want):
					t.Errorf("have %v, want %q", err, tt.want)
				}
			})
		})
	}
}

func TestWaitsForConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		e := routetest.Run(t, components(mock),
			route.From("mock:in").To("direct:late").To("mock:out"),
			route.From("direct:late").ID("late").AutoStart(false).SetBody("late"))
		done := make(chan error)
		go func() { done <- mock.Send("in", 1) }()
		routetest.Advance(20 * time.Second)
		mock.Check(t, "out", routetest.Count(0))
		if err := e.Start("late"); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		mock.Check(t, "out", routetest.Bodies("late"))
	})
}

func TestGivesUpWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := routetest.Run(t, components(new(routetest.Mock)), route.From("direct:other").SetBody(1))
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errBad)
		defer cancel()
		err := e.Send(ctx, "direct:othre", 1)
		if !errors.Is(err, errBad) {
			t.Errorf("have %v, want the cause of the context", err)
		}
		if want := "direct:othre has no consumer (did you mean other?) (have other): bad"; err.Error() != want {
			t.Errorf("have %v, want %s", err, want)
		}
	})
}

func TestOneConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := routetest.Run(t, components(new(routetest.Mock)),
			route.From("direct:a").ID("first").SetBody(1),
			route.From("direct:a").ID("second").AutoStart(false).SetBody(2))
		synctest.Wait()
		if err := e.Start("second"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s, _ := e.Status().Route("second")
		if s.State != route.Restarting || s.LastFailure == nil {
			t.Fatalf("second is %s, want restarting", s.State)
		}
		for _, want := range []string{"direct:a has a consumer already", `route "first" at `, `route "second" at `, "direct_test.go:"} {
			if got := s.LastFailure.Err.Error(); !strings.Contains(got, want) {
				t.Errorf("have %q, want %q in it", got, want)
			}
		}
		// When the first one has gone the second one takes over.
		if err := e.Stop(t.Context(), "first"); err != nil {
			t.Fatal(err)
		}
		routetest.Advance(time.Minute)
		if ex, err := e.Request(t.Context(), "direct:a", nil); err != nil || ex.Body != 2 {
			t.Errorf("have %v, %v, want the second route's reply", ex, err)
		}
	})
}

func TestEndlessCallsEnd(t *testing.T) {
	for _, tt := range []struct {
		name   string
		routes []*route.Route
	}{
		{"itself", []*route.Route{route.From("direct:a").To("direct:a")}},
		{"by another", []*route.Route{route.From("direct:a").To("direct:b"), route.From("direct:b").To("direct:a")}},
		{"by its URI", []*route.Route{route.From("direct:a").ToD("direct:${header.none}a")}},
		{"by a slip", []*route.Route{
			route.From("direct:a").RoutingSlip([]string{"direct:b", "direct:c"}),
			route.From("direct:b"), route.From("direct:c").To("direct:a"),
		}},
		{"by a request", []*route.Route{route.From("direct:a").EnrichD("direct:${header.none}a")}},
		{"by a branch", []*route.Route{route.From("direct:a").LoadBalance(route.Failover(), route.Do().To("direct:a"))}},
		{"by a router", []*route.Route{route.From("direct:a").DynamicRouter(func(*route.Exchange) any { return "direct:a" })}},
		{"by parts", []*route.Route{route.From("direct:a").Split([]int{1}, route.Do().To("direct:a"))}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := routetest.Run(t, components(new(routetest.Mock)), tt.routes...)
			err := e.Send(t.Context(), "direct:a", 1)
			if want := "calls are nested without end"; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("have %v, want %q", err, want)
			}
		})
	}
}

func TestManyCallersAreNoRecursion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := routetest.Run(t, components(new(routetest.Mock)), route.From("direct:slow").Delay(time.Second))
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() {
				if err := e.Send(t.Context(), "direct:slow", 1); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
	})
}

func TestStopWaitsForCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := routetest.Run(t, components(new(routetest.Mock)), route.From("direct:slow").ID("slow").Delay(5*time.Second))
		done := make(chan error)
		go func() { done <- e.Send(t.Context(), "direct:slow", 1) }()
		synctest.Wait()
		begun := time.Now()
		if err := e.Stop(t.Context(), "slow"); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begun); d != 5*time.Second {
			t.Errorf("Stop took %v, want 5s", d)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestRefuses(t *testing.T) {
	for u, want := range map[route.URI]string{
		"direct:":                        `nothing after "direct:"`,
		"direct:a?timeout=-1":            `option "timeout": want more than 0, or block=false, have -1ms`,
		"direct:a?timeout=0":             `option "timeout": want more than 0`,
		"direct:a?block=false&timeout=1": `option "timeout" has no meaning with block=false`,
		"direct:a?blok=false":            `unknown option "blok" (did you mean block?)`,
	} {
		_, err := route.New(components(nil), route.From("direct:x").To(u))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v, want %q", u, err, want)
		}
	}
}

func components(mock *routetest.Mock) route.Config {
	return route.Config{Components: route.Components{"direct": direct.New(), "mock": mock}}
}

func TestCallsDoNotAllocate(t *testing.T) {
	call := caller(t)
	if n := testing.AllocsPerRun(1000, call); n != 0 && !raceEnabled {
		t.Errorf("%v allocations a call, want 0", n)
	}
}

// BenchmarkCall runs a route that calls another.
func BenchmarkCall(b *testing.B) {
	b.ReportAllocs()
	call := caller(b)
	for b.Loop() {
		call()
	}
}

// caller runs a route that calls another, and returns what sends into the first.
func caller(tb testing.TB) (call func()) {
	tb.Helper()
	given := make(chan func(), 1)
	in := consumer(func(ctx context.Context, next route.Processor) error {
		given <- func() {
			ex := route.NewExchange(nil)
			if err := next.Process(ctx, ex); err != nil {
				tb.Error(err)
			}
			ex.Release()
		}
		<-ctx.Done()
		return nil
	})
	e, err := route.New(route.Config{Components: route.Components{"direct": direct.New(), "in": in}},
		route.From("direct:a").Process(func(context.Context, *route.Exchange) error { return nil }),
		route.From("in:x").To("direct:a"))
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		<-done
	})
	return <-given
}

type consumer func(ctx context.Context, next route.Processor) error

func (c consumer) String() string                                            { return "in" }
func (c consumer) Endpoint(route.Env, route.Address) (route.Endpoint, error) { return c, nil }
func (c consumer) Consume(ctx context.Context, next route.Processor) error   { return c(ctx, next) }

func Example() {
	e, err := route.New(route.Config{Components: route.Components{"direct": direct.New()}},
		route.From("direct:greet").Transform(route.Simple("Hello ${body}!")),
		route.From("direct:shout").To("direct:greet").Transform(route.Simple("${body}!!")))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	ex, err := e.Request(ctx, "direct:shout", "World")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ex.Body)
	stop()
	<-done
	// Output: Hello World!!!
}
