package route_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

var errBoom = errors.New("boom")

// failing returns a step that fails with the errors given, then succeeds and adds "ok".
func failing(errs ...error) route.ProcessorFunc {
	n := 0
	return func(_ context.Context, ex *route.Exchange) error {
		n++
		ex.SetHeader("touched", n) // which a redelivery must undo
		if n <= len(errs) {
			ex.Body = fmt.Sprint(ex.Body, "?")
			return errs[n-1]
		}
		ex.Body = fmt.Sprint(ex.Body, " ok", n)
		return nil
	}
}

// record keeps the bodies and errors that come to an endpoint.
func (k *kit) record(name string) *[]string {
	var mu sync.Mutex // for who comes beside the others; tests look when nothing moves any more
	var got []string
	if k.to == nil {
		k.to = map[string]route.ProcessorFunc{}
	}
	k.to[name] = func(_ context.Context, ex *route.Exchange) error {
		text := fmt.Sprint(ex.Body)
		if err, ok := route.Caught.Get(ex); ok {
			cause := err
			if se, ok := errors.AsType[*route.StepError](err); ok {
				cause = se.Err
			}
			text += " after " + cause.Error()
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, text)
		return nil
	}
	return &got
}

func TestErrorClauses(t *testing.T) {
	for name, test := range map[string]struct {
		configure func(*route.Route)
		body      func(*route.Route)
		want      string // the body in the end
		err       string // the error of the exchange
		dead      []string
		took      time.Duration
	}{
		"none": {
			func(*route.Route) {},
			func(r *route.Route) { r.Process(failing(errBoom)) },
			"b?", "boom", nil, 0,
		},
		"not the type": {
			func(r *route.Route) { r.OnError(route.OnError[*declined]().Handled()) },
			func(r *route.Route) { r.Process(failing(errBoom)) },
			"b?", "boom", nil, 0,
		},
		"handled": {
			func(r *route.Route) {
				r.OnError(route.OnError[*declined]().Handled().SetBody(route.Simple("sorry: ${exception.message}")))
			},
			func(r *route.Route) { r.Process(failing(&declined{"poor"})).SetBody("not reached") },
			"sorry: declined: poor", "", nil, 0,
		},
		"wrapped, by value": {
			func(r *route.Route) { r.OnError(route.OnErrorIs(context.Canceled, errBoom).Handled()) },
			func(r *route.Route) { r.Process(failing(fmt.Errorf("far away: %w", errBoom))).SetBody("not reached") },
			"b?", "", nil, 0,
		},
		"by function, not handled": {
			func(r *route.Route) {
				r.OnError(route.OnErrorWhere(func(err error) bool { return strings.Contains(err.Error(), "boom") }).To("to:dead"))
			},
			func(r *route.Route) { r.Process(failing(errBoom)) },
			"b?", "boom",
			[]string{"b? after boom"},
			0,
		},
		"handled under a condition": {
			func(r *route.Route) {
				r.OnError(route.OnError[error]().Handled(func(ex *route.Exchange) bool { return ex.Body == "other" }))
			},
			func(r *route.Route) { r.Process(failing(errBoom)) },
			"b?", "boom", nil, 0,
		},
		"the first that matches": {
			func(r *route.Route) {
				r.OnError(
					route.OnError[*declined]().Handled().SetBody("declined"),
					route.OnError[error]().When(false).Handled().SetBody("when"),
					route.OnErrorIs(errBoom).Handled().SetBody("boom"),
					route.OnError[error]().Handled().SetBody("any"))
			},
			func(r *route.Route) { r.Process(failing(errBoom)) },
			"boom", "", nil, 0,
		},
		"continued": {
			func(r *route.Route) { r.OnError(route.OnError[error]().Continued().SetBody("instead")) },
			func(r *route.Route) {
				r.Filter(true, route.Do().Process(failing(errBoom)).Process(append1)).Process(append1)
			},
			"instead11", "", nil, 0,
		},
		"a panic": {
			func(r *route.Route) { r.OnError(route.OnError[*route.PanicError]().Handled().SetBody("calm")) },
			func(r *route.Route) {
				r.Choice(route.When(true).Process(func(context.Context, *route.Exchange) error { panic("x") }))
			},
			"calm", "", nil, 0,
		},
		"redelivered": {
			func(r *route.Route) { r.ErrorHandler(route.ErrorHandler{Redelivery: route.Redelivery{Maximum: 3}}) },
			func(r *route.Route) { r.Process(append1).Process(failing(errBoom, errBoom)).Process(append1) },
			"b1 ok31", "", nil, 2 * time.Second,
		},
		"redelivered in vain": {
			func(r *route.Route) {
				r.ErrorHandler(route.ErrorHandler{Redelivery: route.Redelivery{Maximum: 2, Exponential: true, Delay: time.Millisecond * 100}})
			},
			func(r *route.Route) { r.Process(failing(errBoom, errBoom, errBoom)) },
			"b?", "process, attempt 3: boom", nil, 300 * time.Millisecond,
		},
		"a clause with steps is not run again": {
			func(r *route.Route) {
				r.ErrorHandler(route.ErrorHandler{Redelivery: route.Redelivery{Maximum: 2}}).
					OnError(route.OnError[error]().To("to:dead"))
			},
			func(r *route.Route) { r.Process(failing(errBoom)) },
			"b?", "boom",
			[]string{"b? after boom"},
			0,
		},
		"a clause without is": {
			func(r *route.Route) {
				r.ErrorHandler(route.ErrorHandler{Redelivery: route.Redelivery{Maximum: 2}}).
					OnError(route.OnError[error]().Handled())
			},
			func(r *route.Route) { r.Process(failing(errBoom, errBoom)) },
			"b ok3", "", nil, 2 * time.Second,
		},
		"the clause changes with the error": {
			func(r *route.Route) {
				r.OnError(
					route.OnError[*declined]().Redeliver(route.Redelivery{Maximum: 5, Delay: -1}).Handled().SetBody("declined"),
					route.OnError[error]().Redeliver(route.Redelivery{Maximum: 2, DelayPattern: "1:1000;2:5s"}).Handled().SetBody("error"))
			},
			func(r *route.Route) { r.Process(failing(errBoom, &declined{}, errBoom, errBoom)) },
			"error", "", nil, time.Second,
		},
		"retry while": {
			func(r *route.Route) {
				r.OnError(route.OnError[error]().RetryWhile(func(ex *route.Exchange) bool {
					n, _ := route.RedeliveryCounter.Get(ex)
					return n < 4
				}))
			},
			func(r *route.Route) { r.Process(failing(errBoom, errBoom, errBoom, errBoom, errBoom)) },
			"b?", "process, attempt 5: boom", nil, 4 * time.Second,
		},
		"dead letter": {
			func(r *route.Route) {
				r.ErrorHandler(route.ErrorHandler{DeadLetter: "to:dead", Redelivery: route.Redelivery{Maximum: 1, MaxDelay: time.Millisecond}})
			},
			func(r *route.Route) { r.Process(failing(errBoom, &declined{"again"})).SetBody("not reached") },
			"b?", "",
			[]string{"b? after declined: again"},
			time.Millisecond,
		},
		"dead letter with the original message": {
			func(r *route.Route) {
				r.ErrorHandler(route.ErrorHandler{DeadLetter: "to:dead", UseOriginalMessage: true})
			},
			func(r *route.Route) {
				r.SetHeader("h", 2).Process(append1).Filter(true, route.Do().Process(append1).Process(failing(errBoom)))
			},
			"b", "",
			[]string{"b after boom"},
			0,
		},
		"a clause without steps leaves it to the dead letter endpoint": {
			func(r *route.Route) {
				r.ErrorHandler(route.ErrorHandler{DeadLetter: "to:dead"}).OnError(route.OnError[error]().UseOriginalBody())
			},
			func(r *route.Route) { r.Process(append1).Process(failing(errBoom)) },
			"b", "",
			[]string{"b after boom"},
			0,
		},
		"try comes first": {
			func(r *route.Route) {
				r.ErrorHandler(route.ErrorHandler{DeadLetter: "to:dead", Redelivery: route.Redelivery{Maximum: 1}})
			},
			func(r *route.Route) {
				r.Try(route.Do().Process(failing(errBoom)), route.Catch[error]().SetBody("caught"))
			},
			"caught", "", nil, 0,
		},
		"what leaves a try is not run again": {
			func(r *route.Route) {
				r.ErrorHandler(route.ErrorHandler{DeadLetter: "to:dead", Redelivery: route.Redelivery{Maximum: 1}})
			},
			func(r *route.Route) {
				r.Try(route.Do().Process(failing(errBoom)), route.Catch[*declined]())
			},
			"b?", "",
			[]string{"b? after boom"},
			0,
		},
		"parts of a split": {
			func(r *route.Route) {
				r.ErrorHandler(route.ErrorHandler{DeadLetter: "to:dead", UseOriginalMessage: true})
			},
			func(r *route.Route) {
				r.Split([]any{"x", "y"}, route.Do().SetHeader("h", 1).Process(append1).Process(failing(errBoom)).To("to:dead")).Process(append1)
			},
			"b1", "",
			[]string{"x after boom", "y1 ok2"},
			0,
		},
		"parts that are not handled meet a clause once": {
			func(r *route.Route) { r.OnError(route.OnError[error]().To("to:dead")) },
			func(r *route.Route) { r.Split([]any{"x", "y"}, route.Do().Process(failing(errBoom, &declined{}))) },
			"b", "boom\n\tFILE: route \"route1\": exchange ID: process: declined: ",
			[]string{"x? after boom", "y? after declined: "},
			0,
		},
		"steps of a clause that fail": {
			func(r *route.Route) { r.OnError(route.OnError[error]().Handled().Process(failing(&declined{"twice"}))) },
			func(r *route.Route) { r.Process(failing(errBoom)) },
			"b??", "boom; and then FILE: route \"route1\": exchange ID: process: declined: twice", nil, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var k kit
				dead := k.record("dead")
				r := route.From("in:x")
				test.configure(r)
				test.body(r)
				k.start(t, route.Config{Poison: true}, r)
				begun := time.Now()
				ex := route.NewExchange("b")
				ex.SetHeader("h", 1)
				err := k.give("x", ex)
				if (err == nil) != (test.err == "") || err != nil && !strings.HasSuffix(strip(err.Error()), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
				if ex.Body != test.want || !slices.Equal(*dead, test.dead) {
					t.Errorf("body %v, dead letters %q; want %v, %q", ex.Body, *dead, test.want, test.dead)
				}
				if took := time.Since(begun); took != test.took {
					t.Errorf("took %v, want %v", took, test.took)
				}
				ex.Release()
			})
		})
	}
}

// strip takes what differs from run to run from an error.
func strip(text string) string {
	return regexp.MustCompile(`[a-z_]+\.go:\d+`).ReplaceAllString(short(text), "FILE")
}

func TestScopesOfErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k kit
		dead := k.record("dead")
		shared := &route.Configuration{OnError: []*route.ErrorClause{
			route.OnErrorIs(errBoom).Handled().SetBody("by the shared one"),
		}}
		k.start(t, route.Config{Routes: route.Configuration{
			ErrorHandler: &route.ErrorHandler{DeadLetter: "to:dead"},
			OnError:      []*route.ErrorClause{route.OnError[*declined]().Handled().SetBody("by the engine's")},
		}},
			route.From("in:own").Use(shared).OnError(route.OnErrorIs(errBoom).Handled().SetBody("by its own")).Process(failing(errBoom)),
			route.From("in:shared").Use(shared).Process(failing(errBoom)),
			route.From("in:engine").Use(shared).Process(failing(&declined{})),
			route.From("in:dead").Process(failing(errBoom)),
			route.From("in:none").ErrorHandler(route.ErrorHandler{}).Process(failing(errBoom)),
		)
		for name, want := range map[string]string{
			"own": "by its own", "shared": "by the shared one", "engine": "by the engine's", "dead": "b?",
		} {
			if got := k.send(t, name, "b"); got != want {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
		if err := k.give("none", route.NewExchange("b")); !errors.Is(err, errBoom) || len(*dead) != 1 {
			t.Errorf("%v, dead letters %q", err, *dead)
		}
	})
}

func TestErrorsOfCalledRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k kit
		met := k.record("met")
		clause := route.OnErrorIs(errBoom).To("to:met")
		k.start(t, route.Config{Routes: route.Configuration{
			ErrorHandler: &route.ErrorHandler{Redelivery: route.Redelivery{Maximum: 2}},
			OnError:      []*route.ErrorClause{clause},
		}},
			route.From("in:a").OnError(route.OnError[*declined]().Handled().SetBody("handled by a")).To("call:b").SetBody("not reached"),
			route.From("call:b").Process(func(_ context.Context, ex *route.Exchange) error {
				switch ex.Body {
				case "declined":
					return &declined{}
				case "boom":
					return errBoom
				}
				return errors.New("other")
			}),
			route.From("in:stops").To("call:handles").SetBody("not reached"),
			route.From("call:handles").OnError(route.OnError[error]().Handled().SetBody("reply")).Process(failing(errBoom)),
		)
		begun := time.Now()
		ex := route.NewExchange("declined")
		if err := k.give("a", ex); err != nil || ex.Body != "handled by a" || time.Since(begun) != 2*time.Second {
			t.Errorf("%v, %v after %v; want the caller to handle it, run again by the callee only", ex.Body, err, time.Since(begun))
		}
		ex = route.NewExchange("boom")
		if err := k.give("a", ex); !errors.Is(err, errBoom) || len(*met) != 1 {
			t.Errorf("%v, met %q; want the clause to meet it once", err, *met)
		}
		begun = time.Now()
		ex = route.NewExchange("other")
		err := k.give("a", ex)
		if se, ok := errors.AsType[*route.StepError](err); !ok || se.Attempts != 3 || se.Route != "route2" || time.Since(begun) != 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		if got := k.send(t, "stops", "b"); got != "reply" {
			t.Errorf("got %v: what is handled in a called route is the reply, as in Camel", got)
		}
	})
}

func TestDeadLetterEndpointThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		k := start(t, route.Config{Routes: route.Configuration{
			ErrorHandler: &route.ErrorHandler{DeadLetter: "call:dead", Redelivery: route.Redelivery{Maximum: 1, Delay: -1}},
			OnError:      []*route.ErrorClause{route.OnError[*declined]().To("call:dead")},
		}},
			route.From("in:x").Process(func(_ context.Context, ex *route.Exchange) error {
				if ex.Body == "declined" {
					return &declined{"first"}
				}
				return errBoom
			}),
			route.From("call:dead").ID("dead").Process(func(context.Context, *route.Exchange) error {
				calls++
				return &declined{"dead letter"}
			}))
		for body, want := range map[string]string{"poison": "boom", "declined": "first"} {
			calls = 0
			err := k.give("x", route.NewExchange(body))
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "declined: dead letter") || calls > 4 {
				t.Errorf("%s: %v after %d calls; want both errors, and an end", body, err, calls)
			}
		}
		s, _ := k.Status().Route("route1")
		if s.Failed != 2 || s.Handled != 0 || len(k.logs.take()) == 0 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestFailureIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k kit
		k.record("dead")
		k.start(t, route.Config{},
			route.From("in:x").ErrorHandler(route.ErrorHandler{Redelivery: route.Redelivery{Maximum: 2}}).Process(failing(errBoom, errBoom, errBoom)),
			route.From("in:y").ErrorHandler(route.ErrorHandler{DeadLetter: "to:dead", Level: slog.LevelWarn}).Process(failing(errBoom)),
			route.From("in:z").OnError(route.OnError[error]().Handled()).Process(failing(errBoom)),
			route.From("in:v").ErrorHandler(route.ErrorHandler{Redelivery: route.Redelivery{Maximum: 1, Delay: -1, AttemptLevel: slog.LevelInfo}}).Process(failing(errBoom)))
		for _, name := range []string{"x", "y", "z", "v"} {
			_ = k.give(name, route.NewExchange("b"))
		}
		wantLines(t, "logs", strings.Split(strip(strings.Join(k.logs.take(), "\n")), "\n"),
			"DEBUG step failed: running it again route=route1 exchange=ID step=process place=FILE error=boom attempt=1 delay=1s",
			"DEBUG step failed: running it again route=route1 exchange=ID step=process place=FILE attempts=2 error=boom attempt=2 delay=1s",
			"ERROR exchange failed route=route1 exchange=ID step=process place=FILE attempts=3 error=boom",
			"WARN exchange failed and went to the dead letter endpoint route=route2 exchange=ID step=process place=FILE error=boom deadLetter=to:dead",
			"INFO step failed: running it again route=route4 exchange=ID step=process place=FILE error=boom attempt=1 delay=0s")
	})
}

func TestHooksOfErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		say := func(what string) route.ProcessorFunc {
			return func(_ context.Context, ex *route.Exchange) error {
				n, _ := route.RedeliveryCounter.Get(ex)
				of, _ := route.RedeliveryMaximum.Get(ex)
				id, _ := route.FailureRoute.Get(ex)
				to, _ := route.FailureEndpoint.Get(ex)
				said = append(said, fmt.Sprintf("%s %d/%d %s %s", what, n, of, id, to))
				return nil
			}
		}
		var k kit
		k.to = map[string]route.ProcessorFunc{"fails": failing(errBoom, errBoom, errBoom), "dead": nop}
		k.start(t, route.Config{}, route.From("in:x").ErrorHandler(route.ErrorHandler{
			DeadLetter: "to:dead", Redelivery: route.Redelivery{Maximum: 1},
			OnOccurred: say("occurred"), OnRedelivery: say("again"), Prepare: say("prepare"),
		}).To("to:fails"))
		k.send(t, "x", "b")
		want := []string{"occurred 0/0 route1 to:fails", "again 1/1 route1 to:fails", "occurred 1/1 route1 to:fails", "prepare 1/1 route1 to:fails"}
		if !slices.Equal(said, want) {
			t.Errorf("%q, want %q", said, want)
		}
	})
}
