package cron_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/cron"
	"github.com/mehari-go/mehari/repository/file"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

var quiet = slog.New(slog.DiscardHandler)

func TestComponent(t *testing.T) {
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component { return behind{cron.New()} },
		Configs: []routetest.Config{
			cron.Config{Name: "nightly", Schedule: "30 2 * * *"},
			cron.Config{Name: "a/b", Schedule: "0 0/5 14,18 ? * 6#3 2030", TimeZone: "Europe/Berlin", Misfire: "fire-all"},
		},
		Consumer: "cron:c?schedule=* * * * * ?&misfire=fire-all",
	})
}

// behind is a component that has much to make up for, so that it need not wait for ticks.
type behind struct{ route.Component }

func (b behind) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	e, err := b.Component.Endpoint(env, a)
	if err != nil {
		return nil, err
	}
	return behindEndpoint{e.(route.Consumer)}, nil
}

type behindEndpoint struct{ route.Consumer }

func (b behindEndpoint) Consume(ctx context.Context, next route.Processor) error {
	return b.Consumer.Consume(route.WithCursors(ctx, old{}), next)
}

// old is a cursor of yesterday.
type old struct{}

func (o old) Open(string) (route.Cursor, error) { return o, nil }
func (old) Store(context.Context, []byte) error { return nil }
func (old) Close() error                        { return nil }
func (old) Load(context.Context) ([]byte, error) {
	return time.Now().Add(-24*time.Hour).AppendFormat(nil, time.RFC3339Nano), nil
}

// A book is where ticks are noted.
type book struct{ due, late []string }

// route notes the ticks of u. The first of them takes a while.
func (b *book) route(u route.URI, took time.Duration) *route.Route {
	return route.From(u).ID("r").Process(func(_ context.Context, ex *route.Exchange) error {
		due, _ := cron.ScheduledFireTime.Get(ex)
		b.due = append(b.due, due.UTC().Format("15:04"))
		if fired, _ := cron.FireTime.Get(ex); fired.Sub(due) > time.Second {
			b.late = append(b.late, due.UTC().Format("15:04"))
		}
		if len(b.due) == 1 {
			time.Sleep(took)
		}
		return nil
	})
}

func (b *book) want(t *testing.T, due, late string) {
	t.Helper()
	if have := strings.Join(b.due, " "); have != due {
		t.Errorf("ticks of %s, want %s", have, due)
	}
	if have := strings.Join(b.late, " "); have != late {
		t.Errorf("late: %s, want %s", have, late)
	}
}

func config() route.Config {
	return route.Config{Components: route.Components{"cron": cron.New()}, Logger: quiet}
}

// The clock of a bubble begins at midnight UTC on 2000-01-01.
func TestTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b book
		routetest.Run(t, config(), b.route("cron:c?timeZone=UTC&schedule=0/20 * * * *", time.Minute))
		routetest.Advance(90 * time.Minute)
		b.want(t, "00:20 00:40 01:00 01:20", "")
	})
}

func TestIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b book
		e := routetest.Run(t, config(), b.route("cron:c?timeZone=UTC&schedule=0 0 1,2 1 1 ? 2000", 0))
		routetest.Advance(24 * time.Hour)
		b.want(t, "01:00 02:00", "")
		if s, _ := e.Status().Route("r"); s.State != route.Done {
			t.Errorf("the route is %s", s.State)
		}
	})
}

// Every day of a year in which the clocks change has its tick.
func TestAYearOfTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loc, days := load(t, "America/New_York"), map[string]int{}
		routetest.Run(t, config(), route.From("cron:c?timeZone=America/New_York&schedule=30 2 * * *").Process(func(_ context.Context, ex *route.Exchange) error {
			days[time.Now().In(loc).Format(time.DateOnly)]++
			return nil
		}))
		routetest.Advance(366 * 24 * time.Hour)
		if len(days) != 366 {
			t.Errorf("%d days, want 366", len(days))
		}
		for day, n := range days {
			if n != 1 {
				t.Errorf("%d ticks on %s", n, day)
			}
		}
	})
}

// The first takes 50 minutes, in which those of 00:30, 00:45 and 01:00 are missed.
func TestMissedByASlowRoute(t *testing.T) {
	for policy, want := range map[string][2]string{
		"":                   {"00:15 01:15", ""},
		"&misfire=skip":      {"00:15 01:15", ""},
		"&misfire=fire-once": {"00:15 01:00 01:15", "01:00"},
		"&misfire=fire-all":  {"00:15 00:30 00:45 01:00 01:15", "00:30 00:45 01:00"},
	} {
		t.Run(policy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b book
				routetest.Run(t, config(), b.route(route.URI("cron:c?timeZone=UTC&schedule=0/15 * * * *"+policy), 50*time.Minute))
				routetest.Advance(80 * time.Minute)
				b.want(t, want[0], want[1])
			})
		})
	}
}

// The route is stopped from 00:25 to 01:10, and the ticks of 00:30, 00:45 and 01:00 with it.
func TestMissedByAStop(t *testing.T) {
	for policy, want := range map[string][2]string{
		"":                   {"00:15 01:15", ""},
		"&misfire=skip":      {"00:15 01:15", ""},
		"&misfire=fire-once": {"00:15 01:00 01:15", "01:00"},
		"&misfire=fire-all":  {"00:15 00:30 00:45 01:00 01:15", "00:30 00:45 01:00"},
	} {
		t.Run(policy, func(t *testing.T) {
			folder := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				var b book
				life := func(d time.Duration) { // of the process
					cursors, err := file.OpenCursors(folder)
					if err != nil {
						t.Fatal(err)
					}
					defer cursors.Close()
					c := config()
					c.Cursors = cursors
					e, err := route.New(c, b.route(route.URI("cron:c?timeZone=UTC&schedule=0/15 * * * *"+policy), 0))
					if err != nil {
						t.Fatal(err)
					}
					ctx, cancel := context.WithTimeout(t.Context(), d)
					defer cancel()
					if err := e.Run(ctx); err != nil {
						t.Error(err)
					}
				}
				life(25 * time.Minute)
				time.Sleep(45 * time.Minute)
				life(10 * time.Minute)
				b.want(t, want[0], want[1])
			})
		})
	}
}

// What is cut off in the middle comes again.
func TestCutOff(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		for range 2 {
			cursors, err := file.OpenCursors(folder)
			if err != nil {
				t.Fatal(err)
			}
			c := config()
			c.Cursors, c.Drain = cursors, time.Second
			e, err := route.New(c, route.From("cron:c?timeZone=UTC&schedule=@hourly&misfire=fire-once").Process(func(ctx context.Context, _ *route.Exchange) error {
				n++
				select {
				case <-ctx.Done():
				case <-time.After(time.Hour):
				}
				return ctx.Err()
			}))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 61*time.Minute-time.Duration(n)*time.Hour)
			_ = e.Run(ctx) // tells that it was cut off
			cancel()
			if err := cursors.Close(); err != nil {
				t.Error(err)
			}
		}
		if n != 2 {
			t.Errorf("%d times, want 2", n)
		}
	})
}

func TestTwoWithOneName(t *testing.T) {
	cursors, err := file.OpenCursors(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer cursors.Close()
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.Cursors = cursors
		e := routetest.Run(t, c, route.From("cron:c?schedule=@daily&misfire=skip"), route.From("cron:c?schedule=@hourly&misfire=skip"))
		routetest.Advance(100 * time.Millisecond)
		restarting := 0
		for _, s := range e.Status().Routes {
			if s.State == route.Restarting {
				restarting++
			}
		}
		if restarting != 1 {
			t.Errorf("%d of both are told that the cursor is in use, want 1", restarting)
		}
	})
}

func TestQuartz(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b book
		c := config()
		c.Components["quartz"] = cron.New()
		u := cron.Quartz{Name: "reports/hourly", Cron: "0 30 3 * * ?", TimeZone: "Asia/Tokyo", Misfire: "fire-all"}.URI()
		if want := route.URI("quartz:reports/hourly?cron=0+30+3+%2A+%2A+%3F&misfire=fire-all&trigger.timeZone=Asia%2FTokyo"); u != want {
			t.Errorf("%s, want %s", u, want)
		}
		e := routetest.Run(t, c, b.route(u, 0))
		routetest.Advance(24 * time.Hour)
		b.want(t, "18:30", "")
		if s, _ := e.Status().Route("r"); s.From != string(u) {
			t.Errorf("from %s", s.From)
		}
		_, err := route.New(c, route.From("quartz:q?schedule=@daily"))
		if err == nil || !strings.Contains(err.Error(), `unknown option "schedule"`) {
			t.Errorf("%v", err)
		}
	})
}

func TestHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		c := config()
		c.Components["mock"] = mock
		routetest.Run(t, c, route.From("cron:c?timeZone=Asia/Tokyo&schedule=@hourly").To("mock:m"))
		begun := time.Now()
		routetest.Advance(2*time.Hour + time.Minute)
		mock.Check(t, "m", routetest.Count(2), routetest.Header("triggerName", "c"))
		for i, ex := range mock.Got("m") {
			due := begun.Add(time.Duration(i+1) * time.Hour)
			for key, want := range map[route.Key[time.Time]]time.Time{
				cron.FireTime: due, cron.ScheduledFireTime: due, cron.NextFireTime: due.Add(time.Hour), cron.PreviousFireTime: due.Add(-time.Hour),
			} {
				have, ok := key.Get(ex)
				if key == cron.PreviousFireTime && i == 0 {
					if ok {
						t.Errorf("before the first there was %v", have)
					}
				} else if !have.Equal(want) || have.Location().String() != "Asia/Tokyo" {
					t.Errorf("%s: %v, want %v", key.Name(), have, want)
				}
			}
			if ms, _ := cron.MessageTimestamp.Get(ex); ms != due.UnixMilli() {
				t.Errorf("timestamp %d", ms)
			}
		}
	})
}

func TestRefuses(t *testing.T) {
	for u, want := range map[route.URI]string{
		"cron:":                                `nothing after "cron:"`,
		"cron:c":                               `option "schedule"`,
		"cron:c?schedule=@daily&misfire=never": `option "misfire": want skip, fire-once or fire-all, have "never"`,
		"cron:c?schedule=61 * * * *":           `the schedule "61 * * * *": minute "61": want 0 to 59`,
		"cron:c?schedule=@daily&timeZone=Nowhere": `the time zone: want a name like Europe/Berlin`,
		"cron:c?schedul=@daily":                   `unknown option "schedul" (did you mean schedule?)`,
	} {
		_, err := route.New(config(), route.From(u))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v, want %q", u, err, want)
		}
	}
}

func ExampleParse() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := cron.Parse("30 2 * * SAT,SUN", berlin)
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 3, 28, 0, 0, 0, 0, berlin)
	for range 3 {
		at = s.Next(at)
		fmt.Println(at.Format(time.RFC1123Z))
	}
	// Output:
	// Sat, 28 Mar 2026 02:30:00 +0100
	// Sun, 29 Mar 2026 03:00:00 +0200
	// Sat, 04 Apr 2026 02:30:00 +0200
}
