package route_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// onDone is a step that notes the outcome of the exchange under a name.
func onDone(name string, notes *[]string, fail error) route.ProcessorFunc {
	return func(_ context.Context, ex *route.Exchange) error {
		ex.OnDone(func(_ context.Context, ex *route.Exchange, err error) error {
			*notes = append(*notes, fmt.Sprint(name, " ", ex.Body, " ", err != nil))
			return fail
		})
		return nil
	}
}

func TestOnDoneIsCalledOnceTheFirstRouteHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notes []string
		k := start(t, route.Config{Poison: true},
			route.From("in:x").Process(onDone("first", &notes, nil)).To("call:y").Process(onDone("third", &notes, nil)).
				Process(func(context.Context, *route.Exchange) error { notes = append(notes, "end"); return nil }),
			route.From("call:y").Process(onDone("second", &notes, nil)),
		)
		k.send(t, "x", 1)
		if want := []string{"end", "third 1 false", "second 1 false", "first 1 false"}; !slices.Equal(notes, want) {
			t.Errorf("%q, want %q", notes, want)
		}
	})
}

func TestOnDoneOfAPartIsCalledWithThePart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notes []string
		k := start(t, route.Config{Poison: true}, route.From("in:x").
			Process(onDone("whole", &notes, nil)).
			Split([]any{1, 2}, route.Do().
				Process(onDone("part", &notes, nil)).
				Try(route.Do().Process(onDone("try", &notes, nil)), route.Catch[error]()).
				Process(func(_ context.Context, ex *route.Exchange) error {
					if ex.Body == 2 {
						panic("two")
					}
					return nil
				})))
		ex := route.NewExchange(0)
		defer ex.Release()
		if err := k.give("x", ex); err == nil {
			t.Error("no error")
		}
		want := []string{"try 1 false", "part 1 false", "try 2 true", "part 2 true", "whole 0 true"}
		if !slices.Equal(notes, want) {
			t.Errorf("%q, want %q", notes, want)
		}
	})
}

// What a function returns, or panics with, is the exchange's, and the next one's to know.
func TestOnDoneFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notes []string
		full := errors.New("disk full")
		k := start(t, route.Config{}, route.From("in:x").
			Process(onDone("last", &notes, nil)).
			Process(func(_ context.Context, ex *route.Exchange) error {
				ex.OnDone(func(context.Context, *route.Exchange, error) error { panic("done") })
				return nil
			}).
			Process(onDone("first", &notes, full)))
		ex := route.NewExchange(0)
		defer ex.Release()
		err := k.give("x", ex)
		if !errors.Is(err, full) {
			t.Errorf("%v, want %v in it", err, full)
		}
		if _, ok := errors.AsType[*route.PanicError](err); !ok {
			t.Errorf("%v, want a panic in it", err)
		}
		if want := []string{"first 0 false", "last 0 true"}; !slices.Equal(notes, want) {
			t.Errorf("%q, want %q", notes, want)
		}
		if got := k.logs.take(); len(got) != 1 {
			t.Errorf("logged %q, want one line", got)
		}
	})
}

// An exchange that is given up still has time to tell so.
func TestOnDoneHasTimeWhenTheExchangeHasNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left time.Duration
		k := start(t, route.Config{Drain: time.Second, Abandon: 3 * time.Second}, route.From("in:x").
			Process(func(_ context.Context, ex *route.Exchange) error {
				ex.OnDone(func(ctx context.Context, _ *route.Exchange, err error) error {
					end, _ := ctx.Deadline()
					left = time.Until(end)
					return ctx.Err()
				})
				return nil
			}).
			Delay(time.Hour))
		go func() {
			ex := route.NewExchange(0)
			defer ex.Release()
			_ = k.give("x", ex)
		}()
		synctest.Wait()
		_ = k.stop()
		if left != 3*time.Second {
			t.Errorf("%v left, want 3s", left)
		}
	})
}

// What is reused has forgotten, and what is cloned does not know.
func TestOnDoneIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notes []string
		k := start(t, route.Config{}, route.From("in:x"))
		ex := route.NewExchange(1)
		if err := onDone("released", &notes, nil)(t.Context(), ex); err != nil {
			t.Fatal(err)
		}
		c := ex.Clone()
		if err := k.give("x", c); err != nil {
			t.Fatal(err)
		}
		c.Release()
		ex = ex.Renew(2)
		if err := k.give("x", ex); err != nil {
			t.Fatal(err)
		}
		ex.Release()
		if len(notes) > 0 {
			t.Errorf("called: %q", notes)
		}
	})
}
