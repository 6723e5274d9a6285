// Package timer starts a route at a steady pace: "timer:tick?period=1s". The exchanges
// have no body.
package timer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/mehari-go/mehari/internal/cadence"
	"github.com/mehari-go/mehari/route"
)

// Config is everything a timer can be told. Zero fields mean defaults.
type Config struct {
	// Name tells timers apart for people, and in the metadata.
	Name string `uri:".,required"`

	// Period is the time from one tick to the next; nil means 1s, 0 that there is one
	// tick only.
	Period *time.Duration `uri:"period"`

	// Delay is the time before the first tick; nil means 1s. -1ms, in a URI delay=-1,
	// means that there is no pause at all between ticks; Period has no meaning then.
	Delay *time.Duration `uri:"delay"`

	// Time is when the first tick happens, in place of Delay: at once if it is over.
	// In a URI it is written as in RFC 3339, with + as %2B.
	Time time.Time `uri:"time"`

	// FixedRate makes up for ticks that came too late or not at all, because a route
	// took longer than Period or the process was suspended: at most 10 of them follow
	// each other without a pause. By default such ticks are left out.
	FixedRate bool `uri:"fixedRate"`

	// RepeatCount is how many ticks there are; 0 means without end.
	RepeatCount int64 `uri:"repeatCount"`

	// Misfire says what becomes of ticks whose time came while nobody waited for them:
	// because the one before was still being processed, the clock was set forward, or the
	// route did not run. "skip" leaves them out, "fire-once" makes up for the last of them,
	// "fire-all" for each, in order. All ticks are whole periods apart then, by the clock on
	// the wall. The last one is kept in a cursor where there are cursors (see
	// [route.Cursors]), so that the next start, on whichever replica, goes on there; Delay
	// and Time, which is in 1970 or later then, are those of the very first one. "" keeps
	// none.
	Misfire string `uri:"misfire"`

	// IncludeMetadata tells the exchanges about their tick: see [Counter].
	IncludeMetadata bool `uri:"includeMetadata"`
}

// URI returns the address of the timer that c describes.
func (c Config) URI() route.URI { return route.Encode("timer", c) }

// What exchanges are told with [Config.IncludeMetadata]. Facts about the tick are
// properties, which stay in the process; the time travels in headers too, as in Camel.
var (
	Name      = route.NewProperty[string]("CamelTimerName")
	Counter   = route.NewProperty[int64]("CamelTimerCounter") // from 1, anew with each start of the route
	Period    = route.NewProperty[time.Duration]("CamelTimerPeriod")
	FirstTime = route.NewProperty[time.Time]("CamelTimerTime") // of Config.Time, if there is one
	FiredTime = route.NewProperty[time.Time]("CamelTimerFiredTime")
	DueTime   = route.NewProperty[time.Time]("CamelTimerDueTime") // with Config.Misfire

	FiredTimeHeader  = route.NewKey[time.Time]("CamelTimerFiredTime")
	MessageTimestamp = route.NewKey[int64]("CamelMessageTimestamp") // in milliseconds since 1970
)

const (
	shortest = time.Millisecond
	longest  = 100 * 365 * 24 * time.Hour
	noPause  = -time.Millisecond
)

func (c Config) check() error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	if c.Period != nil {
		p := *c.Period
		refuse(p != 0 && (p < shortest || p > longest), `option "period": want 0 (one tick) or %v to %v, have %v`, shortest, longest, p)
	}
	if c.Delay != nil {
		d := *c.Delay
		refuse(d != noPause && (d < 0 || d > longest), `option "delay": want 0 to %v, or -1 (no pause between ticks), have %v`, longest, d)
		refuse(d == noPause && c.Period != nil, `option "period" has no meaning with delay=-1`)
		refuse(d == noPause && c.FixedRate, `option "fixedRate" has no meaning with delay=-1`)
		refuse(!c.Time.IsZero(), `options "delay" and "time" exclude each other`)
	}
	refuse(c.Period != nil && *c.Period == 0 && c.FixedRate, `option "fixedRate" has no meaning with period=0`)
	refuse(c.Period != nil && *c.Period == 0 && c.RepeatCount > 1, `option "repeatCount": period=0 means one tick, have %d`, c.RepeatCount)
	misfire := func(wrong bool, option string) {
		refuse(c.Misfire != "" && wrong, `option "misfire" has no meaning with %s`, option)
	}
	misfire(c.Period != nil && *c.Period == 0, "period=0")
	misfire(c.Delay != nil && *c.Delay == noPause, "delay=-1")
	misfire(c.FixedRate, "fixedRate, which it is in place of")
	// The arithmetic of ticks is that of time.Duration, which ends after 292 years.
	refuse(c.Misfire != "" && !c.Time.IsZero() && c.Time.Unix() < 0, `option "time": want a time from 1970 on with misfire, have %v`, c.Time)
	errs = append(errs, cadence.Policy(c.Misfire).Check())
	refuse(c.RepeatCount < 0, `option "repeatCount": want 0 (without end) or more, have %d`, c.RepeatCount)
	return errors.Join(errs...)
}

// New returns the component.
func New() route.Component { return component{} }

type component struct{}

// Endpoint implements [route.Component].
func (component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	var c Config
	if err := a.Decode(&c); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	e := endpoint{config: c, scheme: a.Scheme, logger: env.Logger, period: time.Second, delay: time.Second}
	if c.Period != nil {
		e.period = *c.Period
	}
	if c.Delay != nil {
		e.delay = *c.Delay
	}
	return e, nil
}

type endpoint struct {
	config        Config
	scheme        string
	logger        *slog.Logger
	period, delay time.Duration
}

var _ route.Consumer = endpoint{}

func (e endpoint) String() string { return route.Redact(e.scheme, e.config) }

// Consume implements [route.Consumer].
func (e endpoint) Consume(ctx context.Context, next route.Processor) error {
	if e.config.Misfire != "" {
		return e.keepPace(ctx, next)
	}
	s := schedule{period: e.period, fixedRate: e.config.FixedRate, due: time.Now().Add(e.delay)}
	if !e.config.Time.IsZero() {
		d := time.Until(e.config.Time)
		if d < 0 && e.config.FixedRate {
			d %= e.period // what was before the start has not been missed
		}
		s.due = time.Now().Add(d) // on the clock that is never set
	}
	ex := route.NewExchange(nil)
	defer func() { ex.Release() }()
	for n := int64(1); ; n++ {
		if e.delay != noPause && !s.wait(ctx) || ctx.Err() != nil {
			return nil
		}
		ex = ex.Renew(nil)
		if e.config.IncludeMetadata {
			e.describe(ex, n, time.Time{})
		}
		_ = next.Process(ctx, ex) // the engine tells; a timer goes on
		if n == e.config.RepeatCount || e.period == 0 {
			return route.ErrDone
		}
		if missed := s.advance(time.Now()); missed > 0 {
			e.logger.LogAttrs(ctx, slog.LevelWarn, "ticks left out: too many were missed",
				slog.String("endpoint", e.String()), slog.Int64("ticks", missed))
		}
	}
}

func (e endpoint) describe(ex *route.Exchange, n int64, due time.Time) {
	now := time.Now()
	Name.Set(ex, e.config.Name)
	Counter.Set(ex, n)
	Period.Set(ex, e.period)
	if !e.config.Time.IsZero() {
		FirstTime.Set(ex, e.config.Time)
	}
	if !due.IsZero() {
		DueTime.Set(ex, due)
	}
	FiredTime.Set(ex, now)
	FiredTimeHeader.Set(ex, now)
	MessageTimestamp.Set(ex, now.UnixMilli())
}
