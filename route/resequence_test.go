package route_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// ordered collects the bodies that come through a block, and when the last one did.
type ordered struct {
	mu    sync.Mutex
	got   []string
	begun time.Time
	after time.Duration
}

func (o *ordered) block() *route.Block {
	o.begun = time.Now()
	return route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.got = append(o.got, fmt.Sprint(ex.Body))
		o.after = time.Since(o.begun)
		if ex.Body == "bad" {
			return errors.New("cannot ship")
		}
		return nil
	})
}

func (o *ordered) want(t testing.TB, want string, after time.Duration) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if got := strings.Join(o.got, " "); got != want || want != "" && o.after != after {
		t.Errorf("%q after %v, want %q after %v", got, o.after, want, after)
	}
	o.got = nil
}

func theBody(ex *route.Exchange) any { return ex.Body }

func TestResequenceBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
		for _, c := range []struct {
			options route.ResequenceOptions
			bodies  []any
			want    string
			after   time.Duration
		}{
			{route.ResequenceOptions{}, []any{"c", "a", "b"}, "a b c", time.Second},
			{route.ResequenceOptions{BatchSize: 3}, []any{3, 1, 2}, "1 2 3", 0},
			{route.ResequenceOptions{BatchTimeout: time.Minute, Reverse: true}, []any{3, 1, 2.5, uint8(7)}, "7 3 2.5 1", time.Minute},
			{route.ResequenceOptions{}, []any{2, 1, 2, 1}, "1 2", time.Second},
			{route.ResequenceOptions{AllowDuplicates: true}, []any{2, 1, 2.0, 1, 3}, "1 1 2 2 3", time.Second},
			{route.ResequenceOptions{}, []any{at(2026), at(2025)}, fmt.Sprint(at(2025), " ", at(2026)), time.Second},
			{route.ResequenceOptions{}, []any{[]byte("b"), "a"}, "a [98]", time.Second},
			{route.ResequenceOptions{IgnoreInvalid: true}, []any{2, nil, "x", true, 1}, "1 2", time.Second},
		} {
			o := new(ordered)
			k := start(t, route.Config{Poison: true}, route.From("in:a").Resequence(theBody, o.block(), c.options).SetBody("went on"))
			for _, body := range c.bodies {
				k.send(t, "a", body)
			}
			pass(2 * time.Minute)
			o.want(t, c.want, c.after)
		}
	})
}

func TestResequenceInvalid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := new(ordered)
		k := start(t, route.Config{},
			route.From("in:a").Resequence(theBody, o.block()),
			route.From("in:b").ResequenceStream(theBody, o.block()),
			route.From("in:c").ResequenceStream(theBody, o.block(), route.StreamOptions{Distance: func(a, b any) (int64, error) { return 0, fmt.Errorf("%v and %v?", a, b) }}))
		k.send(t, "a", 1)
		k.send(t, "c", 1)
		for _, c := range []struct {
			in   string
			body any
			want string
		}{
			{"a", nil, "resequence: want a number, a text or a time to sort by, have <nil>"},
			{"a", []int{1}, "resequence: want a number, a text or a time to sort by, have []int"},
			{"a", "x", "resequence: a string cannot be sorted with a int64"},
			{"b", nil, "resequence stream: want a whole number to order by, have nil"},
			{"b", "x", "resequence stream: "},
			{"b", 1.5, "resequence stream: "},
			{"c", 2, "resequence stream: 1 and 2?"},
		} {
			err := k.give(c.in, route.NewExchange(c.body))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v: %v, want %q", c.body, err, c.want)
			}
		}
	})
}

func TestResequenceStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := new(ordered)
		k := start(t, route.Config{Poison: true}, route.From("in:a").ResequenceStream(theBody, o.block()))
		k.send(t, "a", 2)
		k.send(t, "a", "3")
		pass(500 * time.Millisecond)
		k.send(t, "a", 1)
		pass(499 * time.Millisecond)
		o.want(t, "", 0)
		pass(2 * time.Second)
		o.want(t, "1 2 3", 1500*time.Millisecond) // the first of all waits
		k.send(t, "a", 4)
		synctest.Wait()
		o.want(t, "4", 2999*time.Millisecond)
		k.send(t, "a", 6)
		pass(200 * time.Millisecond)
		k.send(t, "a", 7)
		k.send(t, "a", 7) // is dropped
		pass(200 * time.Millisecond)
		k.send(t, "a", 5)
		synctest.Wait()
		o.want(t, "5 6 7", 3399*time.Millisecond)
		k.send(t, "a", 9) // 8 does not come
		pass(200 * time.Millisecond)
		k.send(t, "a", 10)
		k.send(t, "a", 12)
		pass(900 * time.Millisecond)
		o.want(t, "9 10", 4399*time.Millisecond)
		k.send(t, "a", 8) // too late, but it comes
		pass(200 * time.Millisecond)
		o.want(t, "", 0) // 12 waits behind 8, and that for those before it
		pass(time.Second)
		o.want(t, "8 12", 5499*time.Millisecond)
		if log := k.logs.take(); len(log) != 1 || !strings.HasPrefix(log[0], "WARN exchange dropped: one with the same place in the order waits already route=route1 exchange=") {
			t.Error(log)
		}
	})
}

func TestResequenceStreamOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := new(ordered)
		letters := func(a, b any) (int64, error) { return int64(b.(string)[0]) - int64(a.(string)[0]), nil }
		k := start(t, route.Config{}, route.From("in:a").ResequenceStream(theBody, o.block(),
			route.StreamOptions{Capacity: 2, Timeout: 5 * time.Second, RejectOld: true, Distance: letters}))
		begun := time.Now()
		k.send(t, "a", "c")
		k.send(t, "a", "b")
		k.send(t, "a", "d") // waits for a place
		if d := time.Since(begun); d != 5*time.Second {
			t.Errorf("after %v, want 5s", d)
		}
		synctest.Wait()
		o.want(t, "b c d", 5*time.Second)
		err := k.give("a", route.NewExchange("a"))
		if !errors.Is(err, route.ErrOld) || !strings.Contains(err.Error(), "d was sent before a came") {
			t.Error(err)
		}
		for _, body := range []string{"x", "z"} {
			k.send(t, "a", body)
		}
		ctx, cancel := context.WithTimeoutCause(k.nextOf("a").ctx, time.Second, errors.New("no patience"))
		defer cancel()
		if err := k.nextOf("a").Process(ctx, route.NewExchange("y")); err == nil || !strings.HasSuffix(err.Error(), "no patience") {
			t.Error(err)
		}
	})
}

// What is left is sent when the route stops, in order, and given up when the drain time is
// over; a failure keeps none of the others from being sent.
func TestResequenceStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, stream := range []bool{false, true} {
			run := func(block *route.Block) *kit {
				r := route.From("in:a")
				if stream {
					r.ResequenceStream(route.NewKey[int]("n"), block)
				} else {
					r.Resequence(route.NewKey[int]("n"), block)
				}
				k := start(t, route.Config{Drain: 5 * time.Second}, r)
				for i, body := range []string{"x", "bad", "y", "z"} {
					ex := route.NewExchange(body)
					ex.SetHeader("n", 9-2*i)
					if err := k.give("a", ex); err != nil {
						t.Error(err)
					}
				}
				return k
			}
			o := new(ordered)
			k := run(o.block())
			if err := k.stop(); err != nil {
				t.Error(err)
			}
			o.want(t, "z y bad x", 0)
			if log := strings.Join(k.logs.take(), "\n"); strings.Count(log, "exchange failed") != 1 || !strings.Contains(log, "error=cannot ship") {
				t.Error(log)
			}
			k = run(route.Do().Delay(3 * time.Second))
			drained, ok := errors.AsType[*route.DrainError](k.stop())
			if !ok || len(drained.InFlight) != 1 {
				t.Error(drained)
			}
			log := strings.Join(k.logs.take(), "\n")
			if strings.Count(log, "exchange given up: it had not had its turn route=route1") != 2 || strings.Count(log, "exchange failed") != 1 {
				t.Error(log)
			}
		}
	})
}

// While a batch is sent, the next one is gathered, and no more than that.
func TestResequenceHoldsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := new(ordered)
		k := start(t, route.Config{}, route.From("in:a").Resequence(theBody, o.block().Delay(time.Minute), route.ResequenceOptions{BatchSize: 2}))
		begun := time.Now()
		for i := range 5 {
			k.send(t, "a", 5-i)
			synctest.Wait()
		}
		if d := time.Since(begun); d != 2*time.Minute {
			t.Errorf("after %v", d)
		}
		pass(time.Hour)
		o.want(t, "4 5 2 3 1", 4*time.Minute)
	})
}

func TestResequenceUnderATerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, o := new(kit), new(ordered)
		var end context.CancelCauseFunc
		wrap := consumers(func(ctx context.Context, next route.Processor) error {
			var work context.Context
			work, end = context.WithCancelCause(route.Work(ctx))
			taking, stop := context.WithCancel(route.WithWork(ctx, work))
			context.AfterFunc(work, stop)
			return (&in{k, "a"}).Consume(route.WithWork(taking, work), next)
		})
		k.start(t, route.Config{Components: wrap}, route.From("c:x").Resequence(theBody, o.block()))
		if err := k.give("a", route.NewExchange(1)); err != nil {
			t.Error(err)
		}
		end(errors.New("lock lost"))
		pass(10 * time.Second)
		o.want(t, "", 0)
		if log := strings.Join(k.logs.take(), "\n"); !strings.Contains(log, "exchange given up: it had not had its turn route=route1") || !strings.Contains(log, "cause=lock lost") {
			t.Error(log)
		}
	})
}

func TestResequenceBadInput(t *testing.T) {
	some := func() *route.Block { return route.Do().SetBody(1) }
	for _, c := range []struct {
		add  func(r *route.Route)
		want string
	}{
		{func(r *route.Route) { r.Resequence(theBody, nil) }, "resequence: want a block with steps: route.Do()"},
		{func(r *route.Route) { r.ResequenceStream(theBody, route.Do()) }, "resequence stream: want a block with steps: route.Do()"},
		{func(r *route.Route) { r.Resequence(nil, some()) }, "resequence: want an expression, have the constant <nil>"},
		{func(r *route.Route) { r.Resequence(route.Expression(nil), some()) }, "resequence: nil function"},
		{func(r *route.Route) { r.Resequence(theBody, some(), route.ResequenceOptions{BatchSize: -1}) }, "resequence: want no negative BatchSize or BatchTimeout, have -1 and 0s"},
		{func(r *route.Route) { r.ResequenceStream(theBody, some(), route.StreamOptions{Timeout: -1}) }, "resequence stream: want no negative Capacity or Timeout, have 0 and -1ns"},
		{func(r *route.Route) {
			r.ResequenceStream(theBody, some(), route.StreamOptions{}, route.StreamOptions{})
		}, "resequence stream: want one route.StreamOptions, have 2"},
	} {
		r := route.From("in:a")
		c.add(r)
		if err := new(kit).build(route.Config{}, r); err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
