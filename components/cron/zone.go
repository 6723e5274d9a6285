package cron

import "time"

// A Schedule is a cron expression in a time zone. The zero Schedule has no tick. It may
// be used by many goroutines at once.
type Schedule struct {
	expression *expression
	zone       *time.Location
}

// Parse reads a schedule as in [Config.Schedule]; nil means time.Local. The error names
// all that is wrong.
func Parse(text string, zone *time.Location) (Schedule, error) {
	x, err := parse(text)
	if err != nil {
		return Schedule{}, err
	}
	if zone == nil {
		zone = time.Local
	}
	return Schedule{x, zone}, nil
}

// Next returns the first tick after a time, the zero time where there is none.
//
// Where the clocks are set forward, all that would have been in the hour that is left out
// is one tick at its end. Where they are set back, what is in the hour that comes twice
// ticks the first time only, unless the expression means every hour of the day: then it
// ticks both times, because otherwise there would be a hole.
func (s Schedule) Next(after time.Time) time.Time {
	if s.expression == nil {
		return time.Time{}
	}
	after = after.In(s.zone)
	begin, end := after.ZoneBounds()
	offset := offsetOf(after)
	wall := onWall(after, offset)
	if before := offsetOf(begin.Add(-1)); !begin.IsZero() && before > offset && !s.everyHour() {
		if seen := onWall(begin, before).Add(-1); seen.After(wall) {
			wall = seen // the rest of the hour that comes twice
		}
	}
	for {
		t := s.expression.next(wall)
		if t.IsZero() {
			return t
		}
		if tick := t.Add(-offset); end.IsZero() || tick.Before(end) {
			return tick.In(s.zone)
		}
		change := end
		_, end = change.ZoneBounds()
		was := offset
		offset = offsetOf(change)
		switch {
		case offset > was && !t.After(onWall(change, offset)):
			return change.In(s.zone)
		case offset < was && s.everyHour():
			wall = onWall(change, offset).Add(-1)
		}
	}
}

// everyHour tells whether the expression means each hour of a day.
func (s Schedule) everyHour() bool { return s.expression.hours[0] == 1<<24-1 }

func offsetOf(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// onWall returns what the clock on the wall shows at a time, in UTC.
func onWall(t time.Time, offset time.Duration) time.Time { return t.UTC().Add(offset) }
