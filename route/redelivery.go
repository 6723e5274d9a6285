package route

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// A Redelivery says how often and when a step that failed is run again, with the body
// and headers that it was given. The zero value runs nothing again. The fields and their
// defaults are those of Camel's redelivery policy, except that a longest delay holds for
// all of them.
type Redelivery struct {
	// Maximum is how often at most; -1 is for ever, which ends when the exchange is given
	// up.
	Maximum int

	// Delay is how long to wait before; 0 means 1s, a negative one not at all.
	Delay time.Duration

	// Exponential makes the delay grow by Multiplier each time.
	Exponential bool
	Multiplier  float64 // 0 means 2

	// MaxDelay is the longest delay; 0 means 1m.
	MaxDelay time.Duration

	// CollisionAvoidance makes each delay longer or shorter by a random part of it, up to
	// this: 0.15 is Camel's.
	CollisionAvoidance float64

	// DelayPattern gives the delays by the number of the redelivery, instead of the
	// fields above: "1:1000;5:5000" waits 1000 ms before the first four and 5s before all
	// others. A delay may also be written as 5s.
	DelayPattern string

	// AsyncDelay lets the consumer take other messages while the exchange waits, if it can:
	// see [Worker].
	AsyncDelay bool

	// NotWhileStopping makes an exchange fail rather than wait when its route is to stop.
	// Otherwise it is redelivered until the drain time is over.
	NotWhileStopping bool

	// AttemptLevel is that of the record for each failed attempt; nil means debug.
	AttemptLevel slog.Leveler
}

// A redelivery is a policy that was checked.
type redelivery struct {
	Redelivery
	pattern []patternDelay
}

// A patternDelay is the delay from the given redelivery on.
type patternDelay struct {
	from  int
	delay time.Duration
}

func (r Redelivery) build() (redelivery, error) {
	built := redelivery{Redelivery: r}
	var errs []error
	wrong := func(field string, format string, args ...any) {
		errs = append(errs, fmt.Errorf("route.Redelivery.%s: %w", field, fmt.Errorf(format, args...)))
	}
	if r.Maximum < -1 {
		wrong("Maximum", "want a number, or -1 for ever, have %d", r.Maximum)
	}
	if r.Multiplier != 0 && r.Multiplier < 1 {
		wrong("Multiplier", "want 1 or more, have %v", r.Multiplier)
	}
	if r.Multiplier != 0 && !r.Exponential {
		wrong("Multiplier", "is %v, but Exponential is not set", r.Multiplier)
	}
	if r.MaxDelay < 0 {
		wrong("MaxDelay", "want a duration that is not negative, have %v", r.MaxDelay)
	}
	if c := r.CollisionAvoidance; c < 0 || c > 1 {
		wrong("CollisionAvoidance", "want a part from 0 to 1, have %v", c)
	}
	if r.DelayPattern != "" {
		var err error
		if built.pattern, err = parsePattern(r.DelayPattern); err != nil {
			wrong("DelayPattern", "%w", err)
		}
	}
	built.Delay = cmp.Or(r.Delay, time.Second)
	built.Multiplier = cmp.Or(r.Multiplier, 2)
	built.MaxDelay = cmp.Or(r.MaxDelay, time.Minute)
	if built.AttemptLevel == nil {
		built.AttemptLevel = slog.LevelDebug
	}
	return built, errors.Join(errs...)
}

func parsePattern(text string) (pattern []patternDelay, err error) {
	for group := range strings.SplitSeq(strings.TrimSuffix(text, ";"), ";") {
		from, delay, ok := strings.Cut(group, ":")
		n, err := strconv.Atoi(strings.TrimSpace(from))
		if !ok || err != nil || n < 0 {
			return nil, fmt.Errorf("want groups such as 5:1000 with ; between them, have %q in %q", group, text)
		}
		d, err := asDuration(strings.TrimSpace(delay))
		if err != nil {
			return nil, fmt.Errorf("%w, in %q", err, text)
		}
		if len(pattern) > 0 && pattern[len(pattern)-1].from >= n {
			return nil, fmt.Errorf("want numbers that grow, have %d after %d in %q", n, pattern[len(pattern)-1].from, text)
		}
		pattern = append(pattern, patternDelay{n, d})
	}
	return pattern, nil
}

// delay is how long to wait before the n-th redelivery, from 1.
func (r *redelivery) delay(n int) time.Duration {
	if r.pattern != nil {
		d := time.Duration(0)
		for _, p := range r.pattern {
			if p.from <= n {
				d = p.delay
			}
		}
		return d
	}
	d := float64(max(r.Delay, 0))
	if r.Exponential {
		for range n - 1 {
			if d *= r.Multiplier; d > float64(r.MaxDelay) || d == 0 {
				break
			}
		}
	}
	if r.CollisionAvoidance > 0 {
		d *= 1 + (rand.Float64()*2-1)*r.CollisionAvoidance
	}
	return time.Duration(min(d, float64(r.MaxDelay)))
}
