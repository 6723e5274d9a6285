package cron

import "time"

// next returns the first time after a time that the expression means, zero where there
// is none. Both are what a clock on the wall shows, in UTC.
func (x *expression) next(after time.Time) time.Time {
	t := after.Truncate(time.Second).Add(time.Second)
	if t.Year() < firstYear {
		t = time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	for ; year <= lastYear; year, month, day, hour, minute, second = year+1, 1, 1, 0, 0, 0 {
		if !x.years.has(year - firstYear) {
			continue
		}
		for ; month <= 12; month, day, hour, minute, second = month+1, 1, 0, 0, 0 {
			if !x.months.has(int(month)) {
				continue
			}
			days := x.daysOf(year, month)
			for d := days.from(day); d > 0; d = days.from(d + 1) {
				if d > day {
					hour, minute, second = 0, 0, 0
				}
				if h, m, s, ok := x.clock(hour, minute, second); ok {
					return time.Date(year, month, d, h, m, s, 0, time.UTC)
				}
			}
		}
	}
	return time.Time{}
}

// clock returns the first time of a day that is not before another.
func (x *expression) clock(hour, minute, second int) (h, m, s int, ok bool) {
	for h = x.hours.from(hour); h >= 0; h = x.hours.from(h + 1) {
		if h > hour {
			minute, second = 0, 0
		}
		for m = x.minutes.from(minute); m >= 0; m = x.minutes.from(m + 1) {
			if m > minute {
				second = 0
			}
			if s = x.seconds.from(second); s >= 0 {
				return h, m, s, true
			}
		}
	}
	return 0, 0, 0, false
}

// daysOf returns the days of a month that the expression means.
func (x *expression) daysOf(year int, month time.Month) (days bitset) {
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Weekday()
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	var near bitset
	for d := 1; d <= last; d++ {
		if x.nearest.has(d) {
			near.add(workday(d, last, first))
		}
		if x.lastNearest.has(last - d) {
			near.add(workday(d, last, first))
		}
	}
	for d := 1; d <= last; d++ {
		w := weekday(d, first)
		byDay := x.days.has(d) || x.lastDays.has(last-d) || near.has(d)
		byWeekday := x.weekdays.has(w) || x.nth[(d-1)/7].has(w) || d > last-7 && x.lastWeekdays.has(w)
		if byDay && byWeekday || x.either && (byDay || byWeekday) {
			days.add(d)
		}
	}
	return days
}

// weekday returns that of day d of a month by that of its first.
func weekday(d int, first time.Weekday) int { return (int(first) + d - 1) % 7 }

// workday returns the day from Monday to Friday nearest to d in the same month.
func workday(d, last int, first time.Weekday) int {
	switch time.Weekday(weekday(d, first)) {
	case time.Saturday:
		if d == 1 {
			return 3
		}
		return d - 1
	case time.Sunday:
		if d == last {
			return d - 2
		}
		return d + 1
	}
	return d
}
