package route_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// What patterns do together.

// A flakyLedger cannot commit the first time.
type flakyLedger struct{ commits *int }

func (l flakyLedger) Begin(context.Context) (route.Tx, error) { return l, nil }
func (flakyLedger) Rollback() error                           { return nil }
func (l flakyLedger) Commit() error {
	if *l.commits++; *l.commits == 1 {
		return errBoom
	}
	return nil
}

// Where a step is run again, a message that was new in it is no duplicate of itself.
func TestIdempotentConsumerIsRunAgain(t *testing.T) {
	again := route.ErrorHandler{Redelivery: route.Redelivery{Maximum: 2}}
	for _, o := range []route.IdempotentOptions{{}, {Late: true}, {KeepOnFailure: true}, {PassDuplicates: true}} {
		synctest.Test(t, func(t *testing.T) {
			var commits, committed int
			step := func(n *int) *route.Block {
				memory := new(route.IdempotentMemory)
				return route.Do().IdempotentConsumer(messageID, memory, route.Do().Process(func(context.Context, *route.Exchange) error {
					*n++
					if commits == 0 && n != &committed && *n == 1 {
						return errBoom
					}
					return nil
				}), o)
			}
			var called int
			k := start(t, route.Config{Poison: true},
				route.From("in:x").ErrorHandler(again).Transacted(flakyLedger{&commits}, step(&committed)),
				route.From("in:y").ErrorHandler(again).To("call:z"),
				route.From("call:z").Pipeline(step(&called)))
			for _, name := range []string{"y", "x"} {
				for range 2 {
					ex := route.NewExchange("b")
					messageID.Set(ex, "1")
					if err := k.give(name, ex); err != nil {
						t.Errorf("%+v: %s: %v", o, name, err)
					}
					ex.Release()
				}
			}
			want := 2 // the second message is a duplicate
			if o.PassDuplicates {
				want = 3
			}
			if committed != want || called != want {
				t.Errorf("%+v: the bodies were run %d and %d times, want %d", o, committed, called, want)
			}
		})
	}
}

// Only what is run again is new again: not what comes by twice.
func TestIdempotentConsumerInALoopThatIsRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, fails := 0, failing(errBoom)
		k := start(t, route.Config{Poison: true}, route.From("in:x").
			ErrorHandler(route.ErrorHandler{Redelivery: route.Redelivery{Maximum: 1}}).
			Loop(3, route.Do().
				IdempotentConsumer(messageID, new(route.IdempotentMemory), route.Do().
					Process(func(context.Context, *route.Exchange) error { n++; return nil })).
				Process(fails)))
		ex := route.NewExchange("b")
		messageID.Set(ex, "1")
		if err := k.give("x", ex); err != nil || n != 1 {
			t.Errorf("%v; the body was run %d times, want 1", err, n)
		}
		ex.Release()
	})
}

// A block that works on a copy gives back what it has pushed, if it succeeds.
func TestClaimsOfCopies(t *testing.T) {
	for name, add := range map[string]func(*route.Route, *route.Block){
		"loop":     func(r *route.Route, b *route.Block) { r.Loop(1, b, route.LoopOptions{Copy: true}) },
		"breaker":  func(r *route.Route, b *route.Block) { r.CircuitBreaker(b, nil) },
		"failover": func(r *route.Route, b *route.Block) { r.LoadBalance(route.Failover(), b) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := route.From("in:x")
				add(r, route.Do().ClaimCheck(route.ClaimPush, nil).SetBody("other"))
				k := start(t, route.Config{Poison: true}, r.ClaimCheck(route.ClaimPop, nil))
				if got := k.send(t, "x", "b"); got != "b" {
					t.Errorf("got %v, want b", got)
				}
			})
		})
	}
}

// The original message is that before any step, also of an interceptor.
func TestOriginalMessageOfCompletions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k kit
		done := k.record("done")
		original := func() *route.Completion { return route.OnCompletion().UseOriginalMessage().To("to:done") }
		k.start(t, route.Config{Poison: true},
			route.From("in:x").OnCompletion(original()).SetBody("changed"),
			route.From("in:y").OnCompletion(original()).Intercept(route.InterceptFrom("in:y").SetBody("intercepted")).Process(nop))
		k.send(t, "x", "b")
		k.send(t, "y", "c")
		synctest.Wait()
		if slices.Sort(*done); !slices.Equal(*done, []string{"b", "c"}) {
			t.Errorf("%q, want b and c", *done)
		}
	})
}

func TestAfterIsOnlyForWhatIsIntercepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k kit
		sent, after := k.record("a"), k.record("after")
		is := func(body any) route.Cond { return func(ex *route.Exchange) bool { return ex.Body == body } }
		k.start(t, route.Config{Poison: true}, route.From("in:x").Intercept(
			route.InterceptSendTo("to:a").When(is("after")).After("to:after"),
			route.InterceptSendTo("to:a").When(is("skip")).Skip().After("to:after"),
		).To("to:a"))
		for _, body := range []string{"none", "after", "skip"} {
			k.send(t, "x", body)
		}
		if !slices.Equal(*sent, []string{"none", "after"}) || !slices.Equal(*after, []string{"after", "skip"}) {
			t.Errorf("sent %q, after that %q", *sent, *after)
		}
	})
}

// The error that others look at, such as a tap of the clause, is not changed any more.
func TestCaughtErrorIsNotChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var before, after string
		look := func(text *string) route.ProcessorFunc {
			return func(_ context.Context, ex *route.Exchange) error {
				err, _ := route.Caught.Get(ex)
				*text = err.Error()
				return nil
			}
		}
		k := &kit{to: map[string]route.ProcessorFunc{"tap": look(&after)}}
		k.start(t, route.Config{Poison: true}, route.From("in:x").
			OnError(route.OnError[error]().Process(look(&before)).WireTap("to:tap").Process(failing(&declined{"clause"}))).
			Process(failing(errBoom)))
		if err := k.give("x", route.NewExchange("b")); err == nil || !strings.Contains(err.Error(), "declined: clause") {
			t.Errorf("%v, want both errors", err)
		}
		synctest.Wait()
		if before != after || before == "" {
			t.Errorf("the error was %q and then %q", before, after)
		}
	})
}

// What a failure leaves in an exchange is nothing to the next one.
func TestFailuresOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		k := &kit{to: map[string]route.ProcessorFunc{"flaky": failing(errBoom)}}
		inner := failing(errBoom, errBoom, errBoom)
		k.start(t, route.Config{Poison: true},
			route.From("in:x").ErrorHandler(route.ErrorHandler{
				Redelivery: route.Redelivery{Maximum: 2},
				OnOccurred: func(_ context.Context, ex *route.Exchange) error {
					n, _ := route.RedeliveryCounter.Get(ex)
					of, _ := route.RedeliveryMaximum.Get(ex)
					again, _ := route.Redelivered.Get(ex)
					to, _ := route.FailureEndpoint.Get(ex)
					said = append(said, fmt.Sprintf("%d/%d %v %s", n, of, again, to))
					return nil
				},
			}).To("to:flaky").Process(failing(errBoom)).To("call:y"),
			route.From("call:y").OnError(route.OnErrorIs(errBoom).Continued()).Process(inner).Process(failing(&declined{})))
		k.send(t, "x", "b")
		want := []string{"0/0 false to:flaky", "0/0 false ", "0/0 false call:y"}
		if !slices.Equal(said, want) {
			t.Errorf("%q, want %q", said, want)
		}
	})
}

// The completion of an exchange that is given up still has time.
func TestCompletionBeforeTheConsumerHasTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ran error = errors.New("did not run")
		k := start(t, route.Config{Drain: time.Second, Poison: true}, route.From("in:x").
			OnCompletion(route.OnCompletion().BeforeConsumer().Process(func(ctx context.Context, _ *route.Exchange) error {
				ran = ctx.Err()
				return nil
			})).
			Delay(time.Hour))
		go func() {
			ex := route.NewExchange(0)
			defer ex.Release()
			_ = k.give("x", ex)
		}()
		synctest.Wait()
		_ = k.stop()
		if ran != nil {
			t.Error(ran)
		}
	})
}

// Of several endpoints only that which has failed is sent to again.
func TestRedeliveryToOneOfSeveral(t *testing.T) {
	for name, add := range map[string]func(*route.Route){
		"recipients": func(r *route.Route) { r.RecipientList("to:good,to:flaky,to:good") },
		"parallel": func(r *route.Route) {
			r.RecipientList("to:good,to:flaky,to:good", route.RecipientOptions{FanOut: route.FanOut{Parallel: 2}})
		},
		"slip": func(r *route.Route) { r.RoutingSlip("to:good,to:flaky,to:good") },
		"router": func(r *route.Route) {
			r.DynamicRouter(func(ex *route.Exchange) any {
				switch at, _ := route.SlipEndpoint.Get(ex); at {
				case "":
					return "to:good"
				case "to:good":
					return "to:flaky,to:last"
				}
				return nil
			})
		},
	} {
		for _, give := range []int{1, 3} { // more than it is run again
			t.Run(fmt.Sprint(name, give), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var k kit
					good, last, dead := k.record("good"), k.record("last"), k.record("dead")
					var to string
					k.to["flaky"] = failing([]error{errBoom, errBoom, errBoom}[:give]...)
					r := route.From("in:x").ErrorHandler(route.ErrorHandler{
						DeadLetter: "to:dead", Redelivery: route.Redelivery{Maximum: 2},
						Prepare: func(_ context.Context, ex *route.Exchange) error { to, _ = route.FailureEndpoint.Get(ex); return nil },
					})
					add(r)
					k.start(t, route.Config{Poison: true}, r)
					begun := time.Now()
					k.send(t, "x", "b")
					want, dies := 2, give == 3
					if dies && name == "slip" {
						want = 1 // it ends there
					}
					if sent := len(*good) + len(*last); sent != want && !(name == "router" && dies && sent == 1) {
						t.Errorf("sent to the others %d times, want %d", sent, want)
					}
					if (len(*dead) == 1) != dies || dies && to != "to:flaky" {
						t.Errorf("dead letters %q, of %q", *dead, to)
					}
					if took := time.Since(begun); took != time.Duration(min(give, 2))*time.Second {
						t.Errorf("took %v", took)
					}
				})
			})
		}
	}
}

// Whatever a route sends to is intercepted, but by interceptors.
func TestInterceptSendToOfAll(t *testing.T) {
	intercepted := route.NewKey[int]("intercepted")
	for name, add := range map[string]func(*route.Route){
		"to":           func(r *route.Route) { r.To("to:a") },
		"toD":          func(r *route.Route) { r.ToD("to:${body}") },
		"to with":      func(r *route.Route) { r.ToWith(route.ToOptions{VariableReceive: "v"}, "to:a") },
		"enrich":       func(r *route.Route) { r.Enrich("to:a") },
		"wire tap":     func(r *route.Route) { r.WireTap("to:a") },
		"recipients":   func(r *route.Route) { r.RecipientList("to:a") },
		"routing slip": func(r *route.Route) { r.RoutingSlip("to:a") },
		"dead letter": func(r *route.Route) {
			r.ErrorHandler(route.ErrorHandler{DeadLetter: "to:a"}).Process(failing(errBoom))
		},
		"clause":     func(r *route.Route) { r.OnError(route.OnError[error]().Handled().To("to:a")).Process(failing(errBoom)) },
		"completion": func(r *route.Route) { r.OnCompletion(route.OnCompletion().To("to:a")).Process(nop) },
		"interceptor": func(r *route.Route) {
			r.Intercept(route.InterceptFrom("in:x").To("to:a").SetHeader("intercepted", 1)).Process(nop)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				times := 0
				k := &kit{to: map[string]route.ProcessorFunc{"a": func(_ context.Context, ex *route.Exchange) error {
					if n, _ := intercepted.Get(ex); n != 1 && name != "interceptor" {
						t.Error("not intercepted")
					}
					times++
					return nil
				}}}
				r := route.From("in:x").Intercept(route.InterceptSendTo("to:a").Process(func(_ context.Context, ex *route.Exchange) error {
					n, _ := intercepted.Get(ex)
					intercepted.Set(ex, n+1)
					return nil
				}))
				add(r)
				k.start(t, route.Config{Poison: true}, r)
				k.send(t, "x", "a")
				synctest.Wait()
				if times != 1 {
					t.Errorf("sent %d times", times)
				}
			})
		})
	}
}
