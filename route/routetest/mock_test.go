package routetest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// recorder is a test that keeps its failures.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func TestExpectations(t *testing.T) {
	mock := new(routetest.Mock)
	routetest.Run(t, route.Config{Components: route.Components{"mock": mock}}, route.From("mock:in").SetProperty("p", true).To("mock:out"))
	for n, body := range []any{"a", 2, []byte("c")} {
		if err := mock.Send("in", body, route.WithHeader("n", n), route.WithHeader("kind", "x")); err != nil {
			t.Fatal(err)
		}
	}
	isText := func(ex *route.Exchange) bool { _, ok := ex.Body.(string); return ok }
	for _, tt := range []struct {
		want routetest.Expectation
		fail string
	}{
		{routetest.Count(3), ""},
		{routetest.Count(2), "want 2 exchanges, have 3"},
		{routetest.AtLeast(3), ""},
		{routetest.AtLeast(4), "want at least 4 exchanges, have 3"},
		{routetest.Bodies("a", 2, []byte("c")), ""},
		{routetest.Bodies("a", 2), `want 2 bodies ["a", int(2)], have 3`},
		{routetest.Bodies(2, "a", []byte("c")), `exchange 0: want body int(2), have "a"`},
		{routetest.BodiesInAnyOrder([]byte("c"), "a", 2), ""},
		{routetest.BodiesInAnyOrder("a", "a", 2), "bodies are missing: [\"a\"]\nbodies are too many: [[]byte(\"c\")]"},
		{routetest.Header("KIND", "x"), ""},
		{routetest.Header("n", 0), `exchange 1: want header "n" to be int(0), have int(1)`},
		{routetest.Header("none", 0), `exchange 0: want header "none" to be int(0), have none`},
		{routetest.Property("p", true), ""},
		{routetest.Property("p", false), `exchange 0: want property "p" to be bool(false), have bool(true)`},
		{routetest.Each("text", isText), "exchange 1: want text"},
		{routetest.Each("something", func(*route.Exchange) bool { return true }), ""},
		{routetest.Any("text", isText), ""},
		{routetest.Any("nothing", func(ex *route.Exchange) bool { return ex.Body == nil }), "want an exchange with nothing, have none"},
	} {
		r := &recorder{TB: t}
		mock.Check(r, "out", tt.want)
		switch {
		case tt.fail == "" && len(r.failures) > 0:
			t.Errorf("fails: %v", r.failures)
		case tt.fail != "" && (len(r.failures) != 1 || !strings.Contains(r.failures[0], tt.fail)):
			t.Errorf("have %q, want %q", r.failures, tt.fail)
		case tt.fail != "" && !strings.Contains(r.failures[0], "have 3 exchanges\n\t0: body \"a\", header n=int(0), header kind=\"x\"\n\t1: body int(2)"):
			t.Errorf("have %q, want what there is", r.failures)
		}
	}
	for _, want := range []routetest.Expectation{
		routetest.Header("kind", "x"), routetest.Property("p", true),
		routetest.Each("something", func(*route.Exchange) bool { return true }),
	} {
		r := &recorder{TB: t}
		mock.Check(r, "otu", want)
		if all := strings.Join(r.failures, ""); !strings.HasPrefix(all, "mock:otu: want exchanges with ") || !strings.HasSuffix(all, ", have none\n\tsent to were: mock:out") {
			t.Errorf("have %q, want a failure that tells where something was sent", all)
		}
	}
	mock.Reset("out")
	mock.Check(t, "out", routetest.Count(0))
}

func TestEventuallyAndNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		routetest.Run(t, route.Config{Components: route.Components{"mock": mock}}, route.From("mock:in").To("mock:out"))
		start := func() (begun time.Time) {
			mock.Reset("out")
			go func() {
				for n := range 3 {
					time.Sleep(time.Second)
					if err := mock.Send("in", n); err != nil {
						t.Error(err)
					}
				}
			}()
			return time.Now()
		}
		for _, tt := range []struct {
			name string
			run  func(r *recorder)
			took time.Duration
			fail string
		}{
			{"eventually", func(r *recorder) { mock.Eventually(r, time.Minute, "out", routetest.Bodies(0, 1)) }, 2 * time.Second, ""},
			{"too late", func(r *recorder) { mock.Eventually(r, 1500*time.Millisecond, "out", routetest.Count(2)) }, 1500 * time.Millisecond, "after 1.5s: want 2 exchanges, have 1"},
			{"never", func(r *recorder) { mock.Never(r, 900*time.Millisecond, "out") }, 900 * time.Millisecond, ""},
			{"once", func(r *recorder) { mock.Never(r, time.Minute, "out") }, time.Second, "after 1s there is what should never be"},
			{"never four", func(r *recorder) { mock.Never(r, time.Minute, "out", routetest.Count(4)) }, time.Minute, ""},
			{"three", func(r *recorder) { mock.Never(r, time.Minute, "out", routetest.Count(3)) }, 3 * time.Second, "after 3s there is"},
		} {
			r := &recorder{TB: t}
			begun := start()
			tt.run(r)
			if d := time.Since(begun); d != tt.took {
				t.Errorf("%s: took %v, want %v", tt.name, d, tt.took)
			}
			if have := strings.Join(r.failures, "\n"); (have == "") != (tt.fail == "") || !strings.Contains(have, tt.fail) {
				t.Errorf("%s: have %q, want %q", tt.name, have, tt.fail)
			}
			routetest.Advance(time.Minute)
		}
	})
}

func TestMockReplies(t *testing.T) {
	mock := new(routetest.Mock)
	busy := errors.New("busy")
	mock.Reply("shop", func(_ context.Context, ex *route.Exchange) error {
		if ex.Body == "tea" {
			return busy
		}
		ex.Body = fmt.Sprint("one ", ex.Body)
		return nil
	})
	routetest.Run(t, route.Config{Components: route.Components{"mock": mock}}, route.From("mock:in").To("mock:shop"))
	if ex, err := mock.Request("in", "coffee"); err != nil || ex.Body != "one coffee" {
		t.Errorf("have %v, %v", ex.Body, err)
	}
	if err := mock.Send("in", "tea"); !errors.Is(err, busy) {
		t.Errorf("have %v, want %v", err, busy)
	}
	mock.Check(t, "shop", routetest.Bodies("coffee", "tea"))
}

func TestMockKeepsCopies(t *testing.T) {
	mock := new(routetest.Mock)
	routetest.Run(t, route.Config{Components: route.Components{"mock": mock}},
		route.From("mock:in").To("mock:out").SetHeader("later", 1).SetBody("changed"))
	body := []byte("abc")
	if err := mock.Send("in", body); err != nil {
		t.Fatal(err)
	}
	body[0] = 'x'
	mock.Check(t, "out", routetest.Bodies([]byte("abc")), routetest.Each("no header", func(ex *route.Exchange) bool { return ex.Header("later") == nil }))
}

func TestSendWithoutRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		err := new(routetest.Mock).Send("in", 1)
		if want := "routetest: no route from mock:in has started within 10s"; err == nil || err.Error() != want || time.Since(begun) != 10*time.Second {
			t.Errorf("after %v have %v, want %q", time.Since(begun), err, want)
		}
	})
}

func TestSendFromMany(t *testing.T) {
	mock := new(routetest.Mock)
	routetest.Run(t, route.Config{Components: route.Components{"mock": mock}}, route.From("mock:in").To("mock:out"))
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			if err := mock.Send("in", n); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	mock.Check(t, "out", routetest.Count(100))
}

func ExampleMock() {
	mock := new(routetest.Mock)
	e, err := route.New(route.Config{Components: route.Components{"mock": mock}, Logger: slog.New(slog.DiscardHandler)},
		route.From("mock:in").Transform(route.Simple("Hello ${body}")).To("mock:out"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background()) // a test calls routetest.Run
	ended := make(chan error)
	go func() { ended <- e.Run(ctx) }()
	fmt.Println(mock.Send("in", "World"))
	fmt.Println(mock.Bodies("out"))
	stop()
	fmt.Println(<-ended)
	// Output:
	// <nil>
	// [Hello World]
	// <nil>
}
