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

func TestSendAndRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		k := start(t, route.Config{Properties: route.PropertyMap{"where": "call:a"}}, route.From("call:a").ID("a").
			Process(func(_ context.Context, ex *route.Exchange) error {
				seen = append(seen, fmt.Sprintf("%v %v %v %v/%v", ex.Body, ex.Header("H"), ex.Property("p"), ex.ReplyExpected(), ex.FromRouteID()))
				return nil
			}).
			SetBody(route.Simple("reply to ${body}")).SetHeader("reply", "yes"))
		ctx := t.Context()
		if err := k.Send(ctx, "call:a", 1, route.WithHeader("h", 2), route.WithProperty("P", 3)); err != nil {
			t.Error(err)
		}
		ex, err := k.Request(ctx, "{{where}}", "x")
		if err != nil || ex.Body != "reply to x" || ex.Header("reply") != "yes" {
			t.Errorf("%v, %v", ex, err)
		}
		wantLines(t, "seen", seen, "1 2 3 false/a", "x <nil> <nil> true/a")
		for range 2 {
			if err := k.Send(ctx, "queue:q", 1); err != nil {
				t.Error(err)
			}
		}
		if n := k.queue("q").Pending(); n != 2 {
			t.Errorf("%d in the queue, want 2", n)
		}
	})
}

func TestSendMistakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		k := new(kit)
		if err := k.build(route.Config{}); err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		wantError(t, k.Send(ctx, "to:x", 1), `send to "to:x": route: the engine does not run`)
		_, err := k.Receive(ctx, "in:x")
		wantError(t, err, `receive from "in:x": route: the engine does not run`)

		k.to = map[string]route.ProcessorFunc{"panic": func(context.Context, *route.Exchange) error { panic("crash") }}
		k.start(t, route.Config{}, route.From("call:a").Process(func(context.Context, *route.Exchange) error { return boom }))
		place := here(-1)
		wantError(t, k.Send(ctx, "too:x?password=hunter2", 1), `send to "too:x?password=xxxxx": no component "too" (did you mean to?) (have call, in, queue, to)`)
		wantError(t, k.Send(ctx, "in:x", 1), `send to "in:x": in:x cannot be sent to`)
		wantError(t, k.Send(ctx, "x", 1), `send to "x": want a URI like scheme:path?option=value, have "x"`)
		wantError(t, k.Send(ctx, "to:panic", 1), `panic: crash`)
		err = k.Send(ctx, "call:a", 1)
		wantError(t, err, place+`: route "route1": exchange ID: process: boom`)
		if reply, err := k.Request(ctx, "call:a", 1); reply != nil || !errors.Is(err, boom) {
			t.Errorf("%v, %v", reply, err)
		}
		if logs := k.logs.take(); len(logs) != 0 { // the caller tells it
			t.Errorf("logs %q", logs)
		}
		_, err = k.Receive(ctx, "to:x")
		wantError(t, err, `receive from "to:x": to:x cannot start a route`)
		if err := k.stop(); err != nil {
			t.Error(err)
		}
		if err := k.Send(ctx, "call:a", 1); !errors.Is(err, route.ErrStopped) {
			t.Errorf("after the end: %v", err)
		}
		if _, err := k.Receive(ctx, "in:a"); !errors.Is(err, route.ErrStopped) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestSendWaitsForRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kit{to: map[string]route.ProcessorFunc{"a": func(_ context.Context, ex *route.Exchange) error {
			ex.Body = "b"
			return nil
		}}}
		if err := k.build(route.Config{}); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := k.Send(t.Context(), "to:a", 1); !errors.Is(err, route.ErrStopped) || time.Since(begun) != 30*time.Second {
			t.Errorf("without Run: %v after %v", err, time.Since(begun))
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			time.Sleep(time.Second)
			done <- k.Run(ctx)
		}()
		if ex, err := k.Request(ctx, "to:a", 1); err != nil || ex.Body != "b" {
			t.Errorf("%v, %v", ex, err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestSendEndsWithItsContextAndWithTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{Drain: 10 * time.Second}, route.From("call:a").Delay(time.Hour))
		ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, errors.New("enough"))
		defer cancel()
		begun := time.Now()
		if err := k.Send(ctx, "call:a", 1); err == nil || !strings.HasSuffix(err.Error(), "enough") || time.Since(begun) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		acked := make(chan error, 1)
		go func() { acked <- k.Send(t.Context(), "call:a", 1) }()
		synctest.Wait()
		begun = time.Now()
		if _, ok := errors.AsType[*route.DrainError](k.stop()); !ok || time.Since(begun) != 10*time.Second {
			t.Errorf("stopped after %v", time.Since(begun))
		}
		if err := <-acked; err == nil || !strings.HasSuffix(err.Error(), "the drain time is over") && !strings.HasSuffix(err.Error(), "does not run") {
			t.Error(err)
		}
	})
}

func TestSendFromWithinARoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := new(kit)
		k.start(t, route.Config{Drain: 10 * time.Second},
			route.From("in:a").Process(func(ctx context.Context, ex *route.Exchange) error {
				reply, err := k.Request(ctx, "call:b", ex.Body)
				if err == nil {
					ex.Body = reply.Body
				}
				return err
			}),
			route.From("call:b").Delay(5*time.Second).SetBody(route.Simple("b of ${body}")))
		acked := make(chan any, 1)
		go func() { acked <- k.send(t, "a", "x") }()
		synctest.Wait()
		if err := k.stop(); err != nil { // which waits for both
			t.Error(err)
		}
		if got := <-acked; got != "b of x" {
			t.Errorf("got %v", got)
		}
	})
}

func TestReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := errors.New("it ended")
		k := start(t, route.Config{Components: consumers(func(context.Context, route.Processor) error { return ended })})
		ctx := t.Context()
		for i := range 3 {
			if err := k.Send(ctx, "queue:q", i); err != nil {
				t.Error(err)
			}
		}
		for i := range 2 {
			ex, err := k.Receive(ctx, "queue:q")
			if err != nil || ex.Body != i {
				t.Errorf("%v, %v; want %d", ex, err, i)
			}
			k.queue("q").more <- struct{}{}
		}
		time.AfterFunc(time.Second, func() { k.send(t, "x", "late") })
		if ex, err := k.Receive(ctx, "in:x"); err != nil || ex.Body != "late" {
			t.Errorf("%v, %v", ex, err)
		}
		_, err := k.Receive(ctx, "c:x")
		wantError(t, err, `receive from "c:x": it ended`)
		short, cancel := context.WithTimeoutCause(ctx, time.Second, errors.New("enough"))
		defer cancel()
		_, err = k.Receive(short, "in:x")
		wantError(t, err, `receive from "in:x": enough`)

		got := make(chan error, 1)
		go func() {
			_, err := k.Receive(ctx, "in:y")
			got <- err
		}()
		synctest.Wait()
		if err := k.stop(); err != nil {
			t.Error(err)
		}
		wantError(t, <-got, `receive from "in:y": route: the engine does not run`)
	})
}
