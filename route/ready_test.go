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

// reporting is a consumer that says what the test wants.
type reporting func(ctx context.Context) error

func (reporting) String() string { return "report:x" }
func (r reporting) Consume(ctx context.Context, _ route.Processor) error {
	if err := r(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func TestReady(t *testing.T) {
	no, yes := false, true
	for _, c := range []struct {
		report reporting
		want   string
	}{
		{func(context.Context) error { return nil }, ""},
		{func(context.Context) error { return route.ErrDone }, ""},
		{func(context.Context) error { return errors.New("refused") }, "its consumer ended and waits to be started anew: refused"},
		{func(ctx context.Context) error { route.ReportSubscribed(ctx, yes); return nil }, ""},
		{func(ctx context.Context) error { route.ReportSubscribed(ctx, no); return nil }, "it is not subscribed"},
		{func(ctx context.Context) error {
			route.ReportSubscribed(ctx, no)
			route.ReportLeadership(ctx, route.Leadership{Lock: "l"})
			return nil
		}, ""},
		{func(ctx context.Context) error {
			route.ReportLeadership(ctx, route.Leadership{Lock: "l", Leading: true, Err: errors.New("no store")})
			return nil
		}, "it leads but does not consume: no store"},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := start(t, route.Config{Components: route.Components{"report": route.ComponentFunc(func(route.Env, route.Address) (route.Endpoint, error) { return c.report, nil })}},
				route.From("report:x").ID("r"))
			place := here(-1)
			if err := k.Started(t.Context()); err != nil {
				t.Error(err)
			}
			if c.want == "" {
				if err := k.Ready(); err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, k.Ready(), fmt.Sprintf("%s: route %q: %s", place, "r", c.want))
			if err := k.Stop(t.Context(), "r"); err != nil {
				t.Error(err)
			}
			if err := k.Ready(); err != nil {
				t.Errorf("after it was stopped: %v", err)
			}
		})
	}
}

// A policy is told each time that a consumer has ended by itself.
func TestPolicyEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ends := []error{errors.New("a"), nil, route.ErrDone}
		var told []string
		k := start(t, route.Config{
			Components: route.Components{"report": route.ComponentFunc(func(route.Env, route.Address) (route.Endpoint, error) {
				return reporting(func(ctx context.Context) error {
					err := ends[0]
					ends = ends[1:]
					if err == nil {
						panic("b")
					}
					return err
				}), nil
			})},
			Routes: route.Configuration{Policies: []route.Policy{{Ended: func(id string, failures int, err error) {
				told = append(told, fmt.Sprint(id, " ", failures, " ", err))
			}}}},
		}, route.From("report:x").ID("r"), route.From("in:y"))
		time.Sleep(time.Minute)
		if err := k.stop(); err != nil {
			t.Error(err)
		}
		if want := []string{"r 1 a", "r 2 panic: b", "r 0 route: the consumer is done"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

func TestDefinition(t *testing.T) {
	r := route.From("in:a").ID("a").StartOrder(3).AutoStart(false)
	d := r.Definition()
	if short(d.Place.String()) != here(-2) {
		t.Errorf("place %s", d.Place)
	}
	d.Place = route.Position{}
	if want := (route.Definition{ID: "a", From: "in:a", StartOrder: 3}); d != want {
		t.Errorf("have %+v, want %+v", d, want)
	}
}
