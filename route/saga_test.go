package route_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// A trip has steps that take part in sagas. to:undo and to:done note who is told.
type trip struct {
	kit
	mu    sync.Mutex // of what follows
	notes []string
	fails map[string]int // how often telling somebody fails, by the note
}

func newTrip() *trip {
	tr := &trip{fails: map[string]int{}}
	tell := func(what string) route.ProcessorFunc {
		return func(_ context.Context, ex *route.Exchange) error {
			note := fmt.Sprint(what, " ", ex.Header("what"))
			if id, ok := route.SagaID.Get(ex); !ok || len(id) < 20 || ex.Body != nil {
				note += fmt.Sprintf(": id %q, body %v", id, ex.Body)
			}
			tr.mu.Lock()
			defer tr.mu.Unlock()
			if tr.fails[note]--; tr.fails[note] >= 0 {
				note += ", fails"
				tr.notes = append(tr.notes, note)
				return errors.New("nobody is there")
			}
			tr.notes = append(tr.notes, note)
			return nil
		}
	}
	tr.to = map[string]route.ProcessorFunc{"undo": tell("undo"), "done": tell("done")}
	return tr
}

// part is what a step of a saga has to say.
func part(what string) route.SagaOptions {
	return route.SagaOptions{Compensation: "to:undo", Completion: "to:done", Options: map[string]route.Expr{"what": what}}
}

func with(o route.SagaOptions, change func(*route.SagaOptions)) route.SagaOptions {
	change(&o)
	return o
}

func (tr *trip) note(what string) route.ProcessorFunc {
	return func(_ context.Context, ex *route.Exchange) error {
		if _, in := route.SagaID.Get(ex); in {
			what += " in a saga"
		}
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.notes = append(tr.notes, what)
		return nil
	}
}

func TestSaga(t *testing.T) {
	boom := func(context.Context, *route.Exchange) error { return errors.New("boom") }
	propagation := func(p route.SagaPropagation) route.SagaOptions { return route.SagaOptions{Propagation: p} }
	manual := func(o *route.SagaOptions) { o.Manual = true }
	for _, c := range []struct {
		name  string
		steps func(tr *trip, r *route.Route)
		fails bool
		want  []string
	}{
		{"completes", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().Process(tr.note("book")).To("call:hotel"), part("flight")).Process(tr.note("after"))
		}, false, []string{"book in a saga", "hotel in a saga", "done hotel", "done flight", "after"}},
		{"compensates", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().To("call:hotel").Process(boom), part("flight"))
		}, true, []string{"hotel in a saga", "undo hotel", "undo flight"}},
		{"compensates after a panic", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().Process(func(context.Context, *route.Exchange) error { panic("boom") }), part("flight"))
		}, true, []string{"undo flight"}},
		{"a step that has joined fails and is caught", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().Try(route.Do().Saga(route.Do().Process(boom), part("hotel")), route.Catch[error]()), part("flight"))
		}, false, []string{"done hotel", "done flight"}},
		{"new one in the other", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().
				Saga(route.Do().To("call:hotel"), propagation(route.SagaRequiresNew)).
				Process(boom), part("flight"))
		}, true, []string{"hotel in a saga", "done hotel", "undo flight"}},
		{"mandatory", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().Saga(route.Do().Process(tr.note("a")), with(part("seat"), func(o *route.SagaOptions) { o.Propagation = route.SagaMandatory })))
		}, false, []string{"a in a saga", "done seat"}},
		{"mandatory without one", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().Process(tr.note("a")), propagation(route.SagaMandatory))
		}, true, nil},
		{"supports", func(tr *trip, r *route.Route) {
			o := with(part("seat"), func(o *route.SagaOptions) { o.Propagation = route.SagaSupports })
			r.Saga(route.Do().Process(tr.note("a")), o).Saga(route.Do().Saga(route.Do().Process(tr.note("b")), o))
		}, false, []string{"a", "b in a saga", "done seat"}},
		{"not supported", func(tr *trip, r *route.Route) {
			o := propagation(route.SagaNotSupported)
			r.Saga(route.Do().Process(tr.note("a")), o).
				Saga(route.Do().Saga(route.Do().Process(tr.note("b")), o).Process(tr.note("c")))
		}, false, []string{"a", "b", "c in a saga"}},
		{"never", func(tr *trip, r *route.Route) {
			o := propagation(route.SagaNever)
			r.Saga(route.Do().Process(tr.note("a")), o).Saga(route.Do().Saga(route.Do().Process(tr.note("b")), o), part("flight"))
		}, true, []string{"a", "undo flight"}},
		{"completed by hand", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().To("call:hotel"), with(part("flight"), manual)).
				Process(tr.note("after")).CompleteSaga()
		}, false, []string{"hotel in a saga", "after in a saga", "done hotel", "done flight"}},
		{"compensated by hand", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().To("call:hotel"), with(part("flight"), manual)).
				CompensateSaga().Process(tr.note("after"))
		}, false, []string{"hotel in a saga", "undo hotel", "undo flight", "after in a saga"}},
		{"by hand, and fails", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().Process(boom), with(part("flight"), manual))
		}, true, []string{"undo flight"}},
		{"ended by a step, and completes", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().CompensateSaga(), part("flight"))
		}, true, []string{"undo flight"}},
		{"ended by a step, and fails", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().CompensateSaga().Process(boom), part("flight"))
		}, true, []string{"undo flight"}},
		{"joined too late", func(tr *trip, r *route.Route) {
			r.Saga(route.Do(). // the header stays
						Process(tr.note("a")), with(part("flight"), manual)).
						CompleteSaga().
						To("call:hotel")
		}, true, []string{"a in a saga", "done flight"}},
		{"ended twice", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().Process(tr.note("a")), with(part("flight"), manual)).CompleteSaga().CompensateSaga()
		}, true, []string{"a in a saga", "done flight"}},
		{"nothing to end", func(_ *trip, r *route.Route) { r.CompleteSaga() }, true, nil},
		{"option fails", func(_ *trip, r *route.Route) {
			o := part("flight")
			o.Options = map[string]route.Expr{"what": func(*route.Exchange) (any, error) { return nil, errors.New("boom") }}
			r.Saga(route.Do().Process(boom), o)
		}, true, nil},
		{"in parts", func(tr *trip, r *route.Route) {
			o := part("")
			o.Options = map[string]route.Expr{"what": route.Simple("${body}")}
			r.Saga(route.Do().Split([]any{1, 2}, route.Do().Saga(route.Do().SetBody("x"), o)).Process(boom), part("flight"))
		}, true, []string{"undo 2", "undo 1", "undo flight"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTrip()
				r := route.From("in:x")
				c.steps(tr, r)
				tr.start(t, route.Config{Poison: true}, r,
					route.From("call:hotel").Saga(route.Do().Process(tr.note("hotel")), part("hotel")))
				ex := route.NewExchange("a")
				defer ex.Release()
				if err := tr.give("x", ex); (err != nil) != c.fails {
					t.Error(err)
				}
				if !slices.Equal(tr.notes, c.want) {
					t.Errorf("%q, want %q", tr.notes, c.want)
				}
			})
		})
	}
}

// A participant that fails is told again; one that always fails keeps no other from being told.
func TestSagaTellsAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		note  string
		fails int
		boom  bool
		took  time.Duration
		err   string
		logs  string
	}{
		{"undo", "undo hotel", 5, true, 25 * time.Second, "boom", ""},
		{"undo", "undo hotel", 6, true, 25 * time.Second, `compensation by "to:undo": attempt 6: nobody is there`, ""},
		{"done", "done hotel", 5, false, 25 * time.Second, "", ""},
		{"done", "done hotel", 6, false, 25 * time.Second, "", "saga completed, but not all could be told"},
	} {
		synctest.Test(t, func(t *testing.T) {
			tr := newTrip()
			tr.fails[c.note] = c.fails
			tr.start(t, route.Config{Poison: true}, route.From("in:x").
				Saga(route.Do().
					Saga(route.Do().Process(tr.note("hotel")), part("hotel")).
					Filter(c.boom, route.Do().Process(func(context.Context, *route.Exchange) error { return errors.New("boom") })),
					part("flight")))
			begun := time.Now()
			ex := route.NewExchange("a")
			defer ex.Release()
			err := tr.give("x", ex)
			if took := time.Since(begun); took != c.took {
				t.Errorf("%s took %v, want %v", c.note, took, c.took)
			}
			if (err != nil) != c.boom || err != nil && !strings.HasSuffix(err.Error(), c.err) {
				t.Errorf("%v, want …%s", err, c.err)
			}
			if last := tr.notes[len(tr.notes)-1]; last != c.name+" flight" || len(tr.notes) != 1+min(c.fails+1, 6)+1 {
				t.Errorf("%q", tr.notes)
			}
			if logged := strings.Join(tr.logs.take(), "\n"); c.logs != "" && !strings.Contains(logged, c.logs) {
				t.Errorf("logged %s", logged)
			}
		})
	}
}

func TestSagaTimeout(t *testing.T) {
	slow := func(o *route.SagaOptions) { o.Timeout = time.Minute }
	for _, c := range []struct {
		name  string
		steps func(tr *trip, r *route.Route)
		err   error
		took  time.Duration // of the exchange
		at    time.Duration // when all has been told
		want  []string
	}{
		{"in the body", func(_ *trip, r *route.Route) {
			r.Saga(route.Do().Delay(time.Hour), with(part("flight"), slow))
		}, route.ErrSagaTimeout, time.Minute, time.Minute, []string{"undo flight"}},
		{"in a body that does not look", func(_ *trip, r *route.Route) {
			r.Saga(route.Do().Process(func(context.Context, *route.Exchange) error { time.Sleep(time.Hour); return nil }), with(part("flight"), slow))
		}, route.ErrSagaTimeout, time.Hour, time.Hour, []string{"undo flight"}},
		{"by hand, but nobody does", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().Delay(time.Second).Process(tr.note("a")), with(part("flight"), func(o *route.SagaOptions) { slow(o); o.Manual = true }))
		}, nil, time.Second, time.Minute, []string{"a in a saga", "undo flight"}},
		{"of one that has joined", func(tr *trip, r *route.Route) {
			r.Saga(route.Do().
				Saga(route.Do().Delay(time.Second), with(part("hotel"), slow)).
				Delay(time.Hour).Process(tr.note("too late")), part("flight"))
		}, route.ErrNoSaga, time.Hour + time.Second, time.Hour + time.Second, []string{"undo hotel", "undo flight", "too late in a saga"}},
		{"in time", func(_ *trip, r *route.Route) {
			r.Saga(route.Do().Saga(route.Do().Delay(time.Second), with(part("hotel"), slow)).Delay(time.Second), with(part("flight"), slow))
		}, nil, 2 * time.Second, 2 * time.Second, []string{"done hotel", "done flight"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTrip()
				r := route.From("in:x")
				c.steps(tr, r)
				tr.start(t, route.Config{Poison: true}, r)
				begun := time.Now()
				ex := route.NewExchange(nil)
				defer ex.Release()
				if err := tr.give("x", ex); !errors.Is(err, c.err) {
					t.Errorf("%v, want %v", err, c.err)
				}
				if took := time.Since(begun); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				time.Sleep(c.at - time.Since(begun) + 1)
				synctest.Wait()
				if !slices.Equal(tr.notes, c.want) {
					t.Errorf("%q, want %q", tr.notes, c.want)
				}
				for _, line := range tr.logs.take() {
					if strings.Contains(line, "are open") || strings.Contains(line, "not compensated") {
						t.Error(line)
					}
				}
			})
		})
	}
}

// An exchange whose time is over still compensates, but does not try for long.
func TestSagaAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrip()
		tr.fails["undo hotel"] = 9
		tr.start(t, route.Config{Drain: time.Second}, route.From("in:x").
			Saga(route.Do().Saga(route.Do().Process(tr.note("a")), part("hotel")).Delay(time.Hour), part("flight")))
		go func() {
			ex := route.NewExchange(nil)
			defer ex.Release()
			_ = tr.give("x", ex)
		}()
		synctest.Wait()
		_ = tr.stop()
		synctest.Wait()
		if want := []string{"a in a saga", "undo hotel, fails", "undo flight"}; !slices.Equal(tr.notes, want) {
			t.Errorf("%q, want %q", tr.notes, want)
		}
	})
}

// What is still open when nobody looks at the time any more is told.
func TestSagaLeftOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrip()
		o := with(part("flight"), func(o *route.SagaOptions) { o.Manual, o.Timeout = true, time.Minute })
		tr.start(t, route.Config{}, route.From("in:x").ID("x").Saga(route.Do().Process(tr.note("a")), o),
			route.From("in:y").ID("y").Saga(route.Do().Process(tr.note("b")), o))
		tr.send(t, "x", nil)
		time.Sleep(time.Second)
		if err := tr.Stop(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // y looks at the time for x too
		tr.send(t, "y", nil)
		_ = tr.stop()
		if want := []string{"a in a saga", "undo flight", "b in a saga"}; !slices.Equal(tr.notes, want) {
			t.Errorf("%q, want %q", tr.notes, want)
		}
		logged := strings.Join(tr.logs.take(), "\n")
		if !strings.Contains(logged, "WARN saga compensated: its time is over saga=") || !strings.Contains(logged, "WARN sagas are open: "+
			"nothing is told to their participants unless the routes start again open=1 sagas=[") {
			t.Error(logged)
		}
	})
}

func TestSagaMistakes(t *testing.T) {
	err := new(kit).build(route.Config{}, route.From("in:x").
		Saga(nil).
		Saga(route.Do().SetBody(1), route.SagaOptions{Propagation: "SOME", Timeout: -1, Options: map[string]route.Expr{"a": 1}}).
		Saga(route.Do().SetBody(1), route.SagaOptions{Propagation: route.SagaNever, Manual: true}).
		Saga(route.Do().SetBody(1), route.SagaOptions{Compensation: "nowhere:x"}))
	at := func(n int) string { return fmt.Sprintf(`%s: route "route1": saga: `, here(n-6)) }
	wantError(t, err, at(2)+"want a block with steps: route.Do()\n"+
		at(3)+`want a propagation such as route.SagaRequired, have "SOME"`+"\n"+
		at(3)+"want a timeout that is not negative, have -1ns\n"+
		at(3)+"options are for the messages to Compensation and Completion, and there is neither\n"+
		at(4)+"with NEVER there is no saga to take part in\n"+
		at(5)+`no component "nowhere" (have call, in, queue, to)`)
}

func TestSagaMemoryIsBounded(t *testing.T) {
	m := &route.SagaMemory{Max: 2, Retries: -1}
	ctx := t.Context()
	id, err := m.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Begin(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = m.Begin(ctx)
	wantError(t, err, "2 sagas are open already")
	told := 0
	p := route.SagaParticipant{Compensation: "to:x", Send: func(context.Context, route.URI) error { told++; panic("boom") }}
	for range 1000 {
		if err := m.Join(ctx, id, p); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, m.Join(ctx, id, p), fmt.Sprintf("saga %q has 1000 participants already", id))
	failed, _ := errors.AsType[*route.SagaError](m.Compensate(ctx, id))
	if failed == nil || failed.Saga != id || len(failed.Errs) != 1000 || told != 1000 {
		t.Errorf("%d told, %v", told, failed)
	}
	if _, err := m.Begin(ctx); err != nil {
		t.Error(err)
	}
}

// Who ends a saga that is being ended waits for the outcome.
func TestSagaMemoryEndsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := new(route.SagaMemory)
		ctx := t.Context()
		id, _ := m.Begin(ctx)
		told := 0
		p := route.SagaParticipant{Compensation: "to:x", Send: func(ctx context.Context, _ route.URI) error {
			told++
			time.Sleep(time.Minute)
			return nil
		}}
		if err := m.Join(ctx, id, p); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		go func() { _ = m.Compensate(ctx, id) }()
		synctest.Wait()
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := m.Compensate(short, id); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if err := m.Join(ctx, id, p); !errors.Is(err, route.ErrNoSaga) {
			t.Error(err)
		}
		if err := m.Complete(ctx, id); !errors.Is(err, route.ErrNoSaga) {
			t.Error(err)
		}
		if err := m.Compensate(ctx, id); err != nil || time.Since(begun) != time.Minute || told != 1 {
			t.Error(err, time.Since(begun), told)
		}
	})
}
