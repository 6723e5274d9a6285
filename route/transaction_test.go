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

// A ledger is a store with transactions. It notes what is done with them.
type ledger struct {
	name  string
	notes *[]string        // of all ledgers of a test
	fail  map[string]error // by what is done
	open  int
}

func (l *ledger) Begin(context.Context) (route.Tx, error) {
	if err := l.note("begin"); err != nil {
		return nil, err
	}
	l.open++
	return &ledgerTx{ledger: l}, nil
}

func (l *ledger) note(what string) error {
	*l.notes = append(*l.notes, strings.TrimSpace(l.name+" "+what))
	if err := l.fail[what]; err != nil && err.Error() == "panic" {
		panic(err)
	}
	return l.fail[what]
}

// write is a step that writes the body in the transaction that runs.
func (l *ledger) write(ctx context.Context, ex *route.Exchange) error {
	tx, _ := route.TxFrom(ctx, l).(*ledgerTx)
	if tx == nil {
		return errors.New("no transaction")
	}
	tx.written = append(tx.written, fmt.Sprint(ex.Body))
	return nil
}

type ledgerTx struct {
	*ledger
	written []string
}

func (tx *ledgerTx) Commit() error {
	tx.open--
	return tx.note("commit " + strings.Join(tx.written, "+"))
}

func (tx *ledgerTx) Rollback() error {
	tx.open--
	return tx.note("rollback " + strings.Join(tx.written, "+"))
}

func boom(context.Context, *route.Exchange) error { return errors.New("boom") }

func TestTransacted(t *testing.T) {
	var notes []string
	l, other := &ledger{notes: &notes}, &ledger{name: "other", notes: &notes}
	do, write := route.Do, route.ProcessorFunc(l.write)
	for _, c := range []struct {
		name  string
		steps func(r *route.Route)
		fails bool
		want  []string
	}{
		{"commit", func(r *route.Route) { r.Transacted(l, do().Process(write)) }, false, []string{"begin", "commit a"}},
		{"rollback", func(r *route.Route) { r.Transacted(l, do().Process(write).Process(boom)) }, true, []string{"begin", "rollback a"}},
		{"panic", func(r *route.Route) {
			r.Transacted(l, do().Process(write).Process(func(context.Context, *route.Exchange) error { panic("boom") }))
		}, true, []string{"begin", "rollback a"}},
		{"later failure is too late", func(r *route.Route) { r.Transacted(l, do().Process(write)).Process(boom) }, true, []string{"begin", "commit a"}},
		{"one after the other", func(r *route.Route) {
			r.Transacted(l, do().Process(write)).Transacted(l, do().Process(write))
		}, false, []string{"begin", "commit a", "begin", "commit a"}},
		{"joined", func(r *route.Route) {
			r.Transacted(l, do().Process(write).Transacted(l, do().SetBody("b").Process(write)).Process(write))
		}, false, []string{"begin", "commit a+b+b"}},
		{"joined in another route", func(r *route.Route) {
			r.Transacted(l, do().Process(write).To("call:y").Process(write))
		}, false, []string{"begin", "commit a+y+y"}},
		{"in parts", func(r *route.Route) {
			r.Transacted(l, do().Split([]any{1, 2}, do().Transacted(l, do().Process(write))))
		}, false, []string{"begin", "commit 1+2"}},
		{"joined block fails and is caught", func(r *route.Route) {
			r.Transacted(l, do().Try(do().Transacted(l, do().Process(write).Process(boom)), route.Catch[error]()).Process(write))
		}, true, []string{"begin", "rollback a+a"}},
		{"another one fails and is caught", func(r *route.Route) {
			r.Transacted(l, do().Try(do().Transacted(other, do().Process(write).Process(boom)), route.Catch[error]()).Process(write))
		}, false, []string{"begin", "other begin", "other rollback", "commit a+a"}},
		{
			"rollback step", func(r *route.Route) { r.Transacted(l, do().Process(write).Rollback("${body} is bad")) }, true,
			[]string{"begin", "rollback a"},
		},
		{"rollback only", func(r *route.Route) {
			r.Transacted(l, do().Transacted(other, do().Process(write).MarkRollbackOnly().Process(write)).Process(write)).Process(boom)
		}, false, []string{"begin", "other begin", "other rollback", "rollback a"}},
		{"rollback only last", func(r *route.Route) {
			r.Transacted(l, do().Transacted(other, do().Process(write).MarkRollbackOnlyLast().Process(write)).SetBody("b").Process(write))
		}, false, []string{"begin", "other begin", "other rollback", "commit a+b"}},
		{
			"stop", func(r *route.Route) { r.Transacted(l, do().Process(write).Stop().Process(write)).Process(boom) }, false,
			[]string{"begin", "commit a"},
		},
		{"stop in one, rollback only last in another", func(r *route.Route) {
			r.Transacted(l, do().MarkRollbackOnlyLast()).Transacted(l, do().Process(write).Stop()).Process(boom)
		}, false, []string{"begin", "rollback", "begin", "commit a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := route.From("in:x")
				c.steps(r)
				k := start(t, route.Config{Poison: true}, r,
					route.From("call:y").SetBody("y").Transacted(l, do().Process(write)))
				notes = nil
				ex := route.NewExchange("a")
				defer ex.Release()
				err := k.give("x", ex)
				if (err != nil) != c.fails {
					t.Error(err)
				}
				if !slices.Equal(notes, c.want) {
					t.Errorf("%q, want %q", notes, c.want)
				}
				if l.open+other.open != 0 {
					t.Errorf("%d and %d are open", l.open, other.open)
				}
			})
		})
	}
}

func TestTransactedFails(t *testing.T) {
	for _, c := range []struct {
		what string
		err  error
		step string
		want string
	}{
		{"begin", errFull, "", "begin: disk full"},
		{"commit a", errFull, "", "commit: disk full"},
		{"commit a", errors.New("panic"), "", "commit: panic: panic"},
		{"rollback a", errFull, "fail", "boom\nrollback: disk full"},
		{"rollback a", errors.New("panic"), "mark", "rollback: panic: panic"},
		{"rollback a", errFull, "mark", "rollback: disk full"},
		{"rollback a", nil, "roll", "rollback: a of x"},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := &ledger{notes: new([]string), fail: map[string]error{c.what: c.err}}
			body := route.Do().Process(l.write)
			switch c.step {
			case "fail":
				body.Process(boom)
			case "mark":
				body.MarkRollbackOnly()
			case "roll":
				body.Rollback("${body} of x")
			}
			k := start(t, route.Config{Poison: true}, route.From("in:x").Transacted(l, body))
			ex := route.NewExchange("a")
			defer ex.Release()
			err := k.give("x", ex)
			if err == nil || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("%s, %s: %v, want …%s", c.what, c.step, err, c.want)
			}
			if _, ok := errors.AsType[*route.RollbackError](err); ok != (c.step == "roll") {
				t.Errorf("%v", err)
			}
		})
	}
}

// Work that outlives the exchange is in none of its transactions.
func TestTransactedEndsWithItsBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{notes: new([]string)}
		var inside, outside context.Context
		keep := func(to *context.Context) route.ProcessorFunc {
			return func(ctx context.Context, _ *route.Exchange) error { *to = ctx; return nil }
		}
		k := start(t, route.Config{}, route.From("in:x").Transacted(l, route.Do().Process(keep(&inside))).Process(keep(&outside)))
		k.send(t, "x", nil)
		if route.TxFrom(inside, l) != nil || route.TxFrom(outside, l) != nil {
			t.Error("a transaction that is over is found")
		}
	})
}

func TestTransactedIsNotForWhatGoesOnBesideIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		notes := new([]string)
		l := &ledger{notes: notes}
		k := start(t, route.Config{Poison: true},
			route.From("in:x").Transacted(l, route.Do().SetBody("a").To("call:y").Process(l.write).Delay(time.Minute)),
			route.From("call:y").OnCompletion(route.OnCompletion().Transacted(l, route.Do().SetBody("b").Process(l.write))).
				Process(l.write))
		k.send(t, "x", nil)
		synctest.Wait()
		if want := []string{"begin", "begin", "commit b", "commit a+a"}; !slices.Equal(*notes, want) {
			t.Errorf("%q, want %q", *notes, want)
		}
	})
}

func TestMarkRollbackOnlyWithoutTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:x").MarkRollbackOnly())
		ex := route.NewExchange(nil)
		defer ex.Release()
		wantError(t, k.give("x", ex), here(-3)+`: route "route1": exchange ID: mark rollback only: there is no transaction: want it within Transacted`)
	})
}

type incomparable []ledger

func (incomparable) Begin(context.Context) (route.Tx, error) { return nil, nil }

func TestTransactedMistakes(t *testing.T) {
	err := new(kit).build(route.Config{}, route.From("in:x").
		Transacted(nil, nil).
		Transacted(incomparable{}, route.Do()).
		Rollback("${body"))
	at := func(n int) string { return fmt.Sprintf(`%s: route "route1": `, here(n-5)) }
	wantError(t, err, at(2)+"transacted: want a transaction, have nil\n"+
		at(2)+"transacted: want a block with steps: route.Do()\n"+
		at(3)+"transacted: want a transaction that is comparable, have route_test.incomparable\n"+
		at(3)+"transacted: want a block with steps: route.Do()\n"+
		at(4)+"rollback \"${body\": simple: column 7: want \"}\" to close \"${\", the text ends\n\t\t${body\n\t\t      ^")
}

// A component finds a transaction that it has begun, whatever it was begun with.
func TestTransactions(t *testing.T) {
	synctest.Test(t, testTransactions)
}

func testTransactions(t *testing.T) {
	var notes []string
	a, b := &ledger{name: "a", notes: &notes}, &ledger{name: "b", notes: &notes}
	var open []string
	look := route.ProcessorFunc(func(ctx context.Context, _ *route.Exchange) error {
		for of, tx := range route.Transactions(ctx) {
			if of != route.Transaction(tx.(*ledgerTx).ledger) {
				t.Errorf("%v is that of another", tx)
			}
			open = append(open, tx.(*ledgerTx).name)
		}
		for range route.Transactions(ctx) { // stops when told
			break
		}
		open = append(open, "|")
		return nil
	})
	k := start(t, route.Config{}, route.From("in:a").Process(look).
		Transacted(a, route.Do().Transacted(b, route.Do().Process(look)).Process(look)).Process(look))
	if err := k.give("a", route.NewExchange(nil)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(open, " "); got != "| b a | a | |" {
		t.Errorf("open are %s", got)
	}
}
