// Package cron starts a route by the calendar: "cron:nightly?schedule=30 2 * * *". The
// exchanges have no body.
package cron

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/mehari-go/mehari/internal/cadence"
	"github.com/mehari-go/mehari/route"
)

// Config is everything a cron endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Name tells schedules apart: for people, and in the cursor that Misfire keeps.
	Name string `uri:".,required"`

	// Schedule is a cron expression: of five fields, minute, hour, day of month, month
	// and day of week (0 to 7 or SUN to SAT, 0 and 7 being Sunday), as in crontab(5); or
	// of six or seven, with a second before and a year behind and 1 to 7 for the days of
	// the week, 1 being Sunday, as in Quartz. In both may stand *, lists, ranges, steps,
	// ?, L, L-3, LW, 15W, 5L and 5#3; or @yearly, @monthly, @weekly, @daily or @hourly
	// for all.
	Schedule string `uri:"schedule,required"`

	// TimeZone is that of the schedule, such as Europe/Berlin; "" means the zone of the
	// process.
	TimeZone string `uri:"timeZone"`

	// Misfire says what becomes of ticks whose time came while nobody waited for them:
	// because the one before was still being processed, the clock was set forward, or the
	// route did not run. "skip" leaves them out, "fire-once" makes up for the last of them,
	// "fire-all" for each, in order. The last tick is kept in a cursor then, where there are
	// cursors (see [route.Cursors]), so that what another replica or an earlier process has
	// missed counts, and what it has done is not done again. "" is like skip without a
	// cursor.
	Misfire string `uri:"misfire"`
}

// URI returns the address of the schedule that c describes.
func (c Config) URI() route.URI { return route.Encode("cron", c) }

// The headers of the exchanges, as in Camel's quartz component. A tick that is made up for
// has a ScheduledFireTime that is over; with the name it identifies the tick.
var (
	FireTime          = route.NewKey[time.Time]("fireTime")          // when it was fired
	ScheduledFireTime = route.NewKey[time.Time]("scheduledFireTime") // when it was due
	PreviousFireTime  = route.NewKey[time.Time]("previousFireTime")  // when the last one was due, if there was one
	NextFireTime      = route.NewKey[time.Time]("nextFireTime")      // when the next one is due, if there is one
	TriggerName       = route.NewKey[string]("triggerName")          // Config.Name
	MessageTimestamp  = route.NewKey[int64]("CamelMessageTimestamp") // of FireTime, in milliseconds since 1970
)

// New returns the component.
func New() route.Component { return component{} }

type component struct{}

// Endpoint implements [route.Component].
func (component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	c, err := decode(a)
	if err != nil {
		return nil, err
	}
	e := endpoint{config: c, scheme: a.Scheme, logger: env.Logger, zone: time.Local}
	var errs []error
	if c.TimeZone != "" {
		if e.zone, err = time.LoadLocation(c.TimeZone); err != nil {
			errs = append(errs, fmt.Errorf(`the time zone: want a name like Europe/Berlin: %w (where the system has no time zones, import time/tzdata)`, err))
		}
	}
	if e.schedule, err = Parse(c.Schedule, e.zone); err != nil {
		errs = append(errs, fmt.Errorf(`the schedule %q: %w`, c.Schedule, err))
	}
	return e, errors.Join(append(errs, cadence.Policy(c.Misfire).Check())...)
}

type endpoint struct {
	config   Config
	scheme   string
	logger   *slog.Logger
	zone     *time.Location
	schedule Schedule
}

var _ route.Consumer = endpoint{}

func (e endpoint) String() string {
	if e.scheme == quartz {
		return route.Redact(e.scheme, Quartz{e.config.Name, e.config.Schedule, e.config.TimeZone, e.config.Misfire})
	}
	return route.Redact(e.scheme, e.config)
}

// Consume implements [route.Consumer].
func (e endpoint) Consume(ctx context.Context, next route.Processor) error {
	c := cadence.Cadence{Next: e.schedule.Next, Policy: cadence.Policy(e.config.Misfire), Logger: e.logger.With("endpoint", e.String())}
	if cursors, ok := route.CursorsFrom(ctx); ok && c.Policy != "" {
		cursor, err := cursors.Open("cron:" + e.config.Name)
		if err != nil {
			return err
		}
		defer cursor.Close()
		c.Cursor = cursor
	}
	if err := c.Start(ctx, time.Now()); err != nil {
		return err
	}
	ex := route.NewExchange(nil)
	defer func() { ex.Release() }()
	var previous time.Time
	err := c.Run(ctx, route.Work(ctx), func(due time.Time) (bool, error) {
		ex = ex.Renew(nil)
		e.describe(ex, due, previous)
		previous = due
		return true, next.Process(ctx, ex) // the engine tells; a schedule goes on
	})
	if errors.Is(err, cadence.ErrOver) {
		return route.ErrDone
	}
	return err
}

func (e endpoint) describe(ex *route.Exchange, due, previous time.Time) {
	now := time.Now().In(e.zone)
	FireTime.Set(ex, now)
	ScheduledFireTime.Set(ex, due)
	if !previous.IsZero() {
		PreviousFireTime.Set(ex, previous)
	}
	if next := e.schedule.Next(due); !next.IsZero() {
		NextFireTime.Set(ex, next)
	}
	TriggerName.Set(ex, e.config.Name)
	MessageTimestamp.Set(ex, now.UnixMilli())
}
