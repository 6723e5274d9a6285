package timer_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/repository/file"
	"github.com/mehari-go/mehari/route"
)

// The process lives for 24 s, is gone for 46 s, and lives again for 20 s.
func TestMisfire(t *testing.T) {
	for uri, want := range map[string][]time.Duration{
		"misfire=skip&period=10s&delay=5s":                  seconds(5, 15, 75, 85),
		"misfire=fire-once&period=10s&delay=5s":             seconds(5, 15, 70, 75, 85),
		"misfire=fire-all&period=10s&delay=5s":              seconds(5, 15, 70, 70, 70, 70, 70, 75, 85),
		"misfire=fire-all&period=40s":                       seconds(1, 70, 81),
		"misfire=skip&time=2000-01-01T00:00:08Z&period=12s": seconds(8, 20, 80),
		"misfire=skip&time=1999-12-31T23:59:52Z&period=30s": seconds(22, 82),
		"misfire=fire-once&period=100s&delay=80s":           seconds(80),
		"misfire=fire-all&period=5s&delay=0&repeatCount=2":  seconds(0, 5, 70, 70),
		"period=10s&delay=5s":                               seconds(5, 15, 75, 85),
	} {
		t.Run(uri, func(t *testing.T) {
			folder := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				var at []time.Duration
				life := func(d time.Duration) {
					cursors, err := file.OpenCursors(folder)
					if err != nil {
						t.Fatal(err)
					}
					defer cursors.Close()
					e, err := route.New(route.Config{
						Components: route.Components{"timer": timer.New()}, Cursors: cursors, Logger: slog.New(slog.DiscardHandler),
					}, route.From(route.URI("timer:clock?"+uri)).Process(func(context.Context, *route.Exchange) error {
						at = append(at, time.Since(begun))
						return errors.New("which does not stop a timer")
					}))
					if err != nil {
						t.Fatal(err)
					}
					ctx, cancel := context.WithTimeout(t.Context(), d)
					defer cancel()
					if err := e.Run(ctx); err != nil {
						t.Error(err)
					}
				}
				life(24 * time.Second)
				time.Sleep(46 * time.Second)
				life(20 * time.Second)
				if !slices.Equal(at, want) {
					t.Errorf("ticks at %v, want %v", at, want)
				}
			})
		})
	}
}

// Where there are no cursors, what is missed by a slow route counts.
func TestMisfireOfASlowRoute(t *testing.T) {
	for policy, want := range map[string][]time.Duration{
		"skip":      seconds(1, 5, 6),
		"fire-once": seconds(1, 4.5, 5, 6),
		"fire-all":  seconds(1, 4.5, 4.5, 4.5, 5, 6),
	} {
		t.Run(policy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				at, _ := ticks(t, route.URI("timer:clock?misfire="+policy), 6500*time.Millisecond, func(context.Context, *route.Exchange) error {
					if n++; n == 1 {
						time.Sleep(3500 * time.Millisecond)
					}
					return nil
				})
				if !slices.Equal(at, want) {
					t.Errorf("ticks at %v, want %v", at, want)
				}
			})
		})
	}
}

func TestDueTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		_, _ = ticks(t, "timer:clock?misfire=fire-all&includeMetadata=true&repeatCount=3", 10*time.Second, func(_ context.Context, ex *route.Exchange) error {
			n, _ := timer.Counter.Get(ex)
			due, _ := timer.DueTime.Get(ex)
			if !due.Equal(begun.Add(time.Duration(n) * time.Second)) {
				t.Errorf("tick %d was due %v after the start", n, due.Sub(begun))
			}
			time.Sleep(2500 * time.Millisecond)
			return nil
		})
	})
}

func TestRefusesMisfire(t *testing.T) {
	for options, want := range map[string]string{
		"misfire=never":                   `option "misfire": want skip, fire-once or fire-all, have "never"`,
		"misfire=skip&period=0":           `option "misfire" has no meaning with period=0`,
		"misfire=skip&delay=-1":           `option "misfire" has no meaning with delay=-1`,
		"misfire=fire-all&fixedRate=true": `option "misfire" has no meaning with fixedRate`,
	} {
		_, err := route.New(route.Config{Components: route.Components{"timer": timer.New()}}, route.From(route.URI("timer:a?"+options)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v, want %q", options, err, want)
		}
	}
}
