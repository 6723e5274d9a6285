package route_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

type declined struct{ why string }

func (d *declined) Error() string { return "declined: " + d.why }

func TestTry(t *testing.T) {
	fail := func(err error) route.ProcessorFunc {
		return func(context.Context, *route.Exchange) error { return err }
	}
	say := func(what string) route.ProcessorFunc {
		return func(_ context.Context, ex *route.Exchange) error {
			ex.Body = ex.Body.(string) + " " + what
			return nil
		}
	}
	card := &declined{"card"}
	crash := func(context.Context, *route.Exchange) error { panic("crash") }
	caught := func(_ context.Context, ex *route.Exchange) error {
		err, _ := route.Caught.Get(ex)
		return say(fmt.Sprintf("<%T>", errors.Unwrap(err)))(context.Background(), ex)
	}
	do := route.Do
	for i, test := range []struct {
		body     *route.Block
		handlers []route.Handler
		want     string
		err      string
	}{
		{do().Process(say("ok")), []route.Handler{route.Catch[error]().Process(say("no")), route.Finally().Process(say("finally"))}, " ok finally end", ""},
		{do().Process(fail(card)).Process(say("no")), []route.Handler{route.Catch[*declined]().Process(caught), route.Catch[error]().Process(say("no"))}, " <*route_test.declined> end", ""},
		{do().Process(fail(fmt.Errorf("bank: %w", card))), []route.Handler{route.Catch[*declined]().Process(say("wrapped"))}, " wrapped end", ""},
		{do().Process(fail(errors.Join(errors.New("x"), card))), []route.Handler{route.Catch[*declined]().Process(say("joined"))}, " joined end", ""},
		{do().Process(fail(errors.New("other"))), []route.Handler{route.Catch[*declined]().Process(say("no")), route.Finally().Process(say("finally"))}, " finally", "other"},
		{do().Process(crash), []route.Handler{route.Catch[*declined]().Process(say("no")), route.Catch[*route.PanicError]().Process(say("panicked"))}, " panicked end", ""},
		{do().Process(fail(card)), []route.Handler{route.Catch[*route.StepError]().Process(say("step"))}, " step end", ""},
		{do().Process(fail(card)), []route.Handler{route.Catch[error]().Process(fail(errors.New("in the handler"))), route.Finally().Process(say("finally"))}, " finally", "in the handler"},
		{do().Process(fail(card)), []route.Handler{route.Catch[error]().Process(crash), route.Finally().Process(say("finally"))}, " finally", "panic: crash"},
		{do().Process(say("ok")), []route.Handler{route.Finally().Process(crash)}, " ok", "panic: crash"},
		{do().Process(fail(card)), []route.Handler{route.Finally().Process(fail(errors.New("too")))}, "", "too"},
		{do().Process(say("ok")).Stop().Process(say("no")), []route.Handler{route.Finally().Process(say("finally")).Process(say("always"))}, " ok finally always", ""},
		{do().Process(fail(card)), []route.Handler{route.Catch[error]().Process(say("caught")).Stop().Process(say("no")), route.Finally().Process(say("finally"))}, " caught finally", ""},
		{do().Process(say("ok")), []route.Handler{route.Finally().Process(say("finally")).Stop().Process(say("no"))}, " ok finally", ""},
		{do().Try(do().Process(fail(card)), route.Finally().Process(say("inner")).Stop()), []route.Handler{route.Catch[error]().Process(say("1")).Process(say("2"))}, " inner 1 2 end", ""},
		{do().Try(do().Process(fail(card)), route.Catch[*route.PanicError]().Process(say("no"))), []route.Handler{route.Catch[*declined]().Process(say("outer"))}, " outer end", ""},
		{do().Filter(false).Process(say("no")), []route.Handler{route.Catch[error]().Process(say("no"))}, " end", ""},
	} {
		ex := route.NewExchange("")
		_, logs, err := through(t, ex, func(r *route.Route) { r.Try(test.body, test.handlers...).Process(say("end")) })
		if ex.Body != test.want {
			t.Errorf("%d: %q, want %q", i, ex.Body, test.want)
		}
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.HasSuffix(err.Error(), test.err)) {
			t.Errorf("%d: %v, want %s", i, err, test.err)
		}
		if (len(logs) == 1) != (err != nil) {
			t.Errorf("%d: %v, logs %q", i, err, logs)
		}
		if i == 10 && !errors.Is(err, card) {
			t.Errorf("the error of the body is lost: %v", err)
		}
	}
}

func TestFinallyRunsWhenTheTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause error
		cleaned := false
		k := start(t, route.Config{Abandon: 3 * time.Second}, route.From("in:x").
			Try(route.Do().Delay(time.Hour),
				route.Catch[*declined](),
				route.Finally().
					Process(func(ctx context.Context, ex *route.Exchange) error { cleaned = ctx.Err() == nil; return nil }).
					Process(func(ctx context.Context, ex *route.Exchange) error {
						<-ctx.Done()
						cause = context.Cause(ctx)
						return nil
					})))
		ctx, cancel := context.WithTimeoutCause(k.nextOf("x").ctx, time.Second, errors.New("too slow"))
		defer cancel()
		begun := time.Now()
		err := k.nextOf("x").Process(ctx, route.NewExchange(nil))
		wantError(t, err, here(-13)+`: route "route1": exchange ID: delay 1h0m0s: too slow`)
		if !cleaned || cause != context.DeadlineExceeded || time.Since(begun) != 4*time.Second {
			t.Errorf("cleaned %v, cause %v, after %v", cleaned, cause, time.Since(begun))
		}
	})
}
