package cron

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// An expression is a schedule on a calendar without a time zone.
type expression struct {
	seconds, minutes, hours, months, years bitset

	days         bitset
	lastDays     bitset // L-n: bit n
	nearest      bitset // nW
	lastNearest  bitset // L-nW: bit n
	weekdays     bitset // Sunday is 0
	lastWeekdays bitset // nL
	nth          [5]bitset
	either       bool // a day of days or of weekdays will do
}

// A bitset has small numbers.
type bitset [4]uint64

func (b *bitset) add(n int)      { b[n/64] |= 1 << (n % 64) }
func (b *bitset) has(n int) bool { return b[n/64]>>(n%64)&1 == 1 }

// from returns the first number that is n or greater, -1 where there is none.
func (b *bitset) from(n int) int {
	for i := n / 64; i < len(b); i++ {
		word := b[i]
		if i == n/64 {
			word &= ^uint64(0) << (n % 64)
		}
		if word != 0 {
			return i*64 + bits.TrailingZeros64(word)
		}
	}
	return -1
}

const (
	firstYear = 1970
	lastYear  = 2199
)

// A field is one of the parts of an expression.
type field struct {
	name     string
	min, max int
	names    []string // of min and what follows
}

var (
	monthNames   = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	weekdayNames = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

	secondField     = field{"second", 0, 59, nil}
	minuteField     = field{"minute", 0, 59, nil}
	hourField       = field{"hour", 0, 23, nil}
	dayField        = field{"day of month", 1, 31, nil}
	monthField      = field{"month", 1, 12, monthNames}
	weekdayField    = field{"day of week", 0, 7, weekdayNames}
	weekdayOfQuartz = field{"day of week", 1, 7, weekdayNames}
	yearField       = field{"year", firstYear, lastYear, nil}
	errNoSchedule   = errors.New("want five fields (minute hour day month weekday), or six or seven (second minute hour day month weekday year)")
	shorthands      = map[string]string{
		"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
		"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
	}
)

// parse reads an expression. Its error names all that is wrong.
func parse(text string) (*expression, error) {
	if long, ok := shorthands[strings.ToLower(strings.TrimSpace(text))]; ok {
		text = long
	}
	parts := strings.Fields(text)
	quartz := len(parts) > 5
	switch {
	case strings.HasPrefix(text, "@"):
		return nil, fmt.Errorf("unknown shorthand %q: want @yearly, @monthly, @weekly, @daily or @hourly", text)
	case len(parts) < 5 || len(parts) > 7:
		return nil, fmt.Errorf("%w, have %d", errNoSchedule, len(parts))
	case !quartz:
		parts = append([]string{"0"}, parts...)
	}
	if len(parts) == 6 {
		parts = append(parts, "*")
	}
	x, weekday := &expression{}, weekdayField
	if quartz {
		weekday = weekdayOfQuartz
	}
	errs := []error{
		secondField.parse(parts[0], &x.seconds, nil),
		minuteField.parse(parts[1], &x.minutes, nil),
		hourField.parse(parts[2], &x.hours, nil),
		dayField.parse(parts[3], &x.days, x.specialDay),
		monthField.parse(parts[4], &x.months, nil),
		weekday.parse(parts[5], &x.weekdays, func(s string) (bool, error) { return x.specialWeekday(weekday, s) }),
		yearField.parse(parts[6], &x.years, nil),
		x.combine(quartz, parts[3], parts[5]),
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if x.next(time.Time{}).IsZero() {
		return nil, errors.New("there is no such day in any year")
	}
	return x, nil
}

// combine tells how both fields for days work together.
func (x *expression) combine(quartz bool, day, weekday string) error {
	free := func(s string) bool { return s == "?" || s == "*" }
	switch {
	case day == "?" && weekday == "?":
		return errors.New("day of month and day of week: want ? in one of them at most")
	case quartz && !free(day) && !free(weekday):
		return fmt.Errorf("day of month %q and day of week %q: want ? in one of them", day, weekday)
	}
	// As in crontab(5): a field with an asterisk restricts what the other allows.
	x.either = !quartz && !free(day) && !free(weekday) && !strings.Contains(day+weekday, "*")
	return nil
}

// parse reads one part. Items that special knows are left to it.
func (f field) parse(part string, set *bitset, special func(string) (bool, error)) error {
	var errs []error
	for item := range strings.SplitSeq(part, ",") {
		item = strings.ToUpper(item)
		known := false
		var err error
		if special != nil {
			known, err = special(item)
		}
		if !known && err == nil {
			err = f.item(item, set)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %q: %w", f.name, item, err))
		}
	}
	return errors.Join(errs...)
}

// item adds what one item without commas means: *, ?, 5, 1-5, */2, 1/2, 1-5/2.
func (f field) item(item string, set *bitset) error {
	body, stepText, stepped := strings.Cut(item, "/")
	step := 1
	if stepped {
		n, err := strconv.Atoi(stepText)
		if err != nil || n < 1 || n > f.max || !digits(stepText) {
			return fmt.Errorf("want a step of 1 to %d after /, have %q", f.max, stepText)
		}
		step = n
	}
	if body == "*" || body == "?" {
		if body == "?" && (f.name != dayField.name && f.name != weekdayField.name || stepped) {
			return errors.New("? is for days only")
		}
		f.add(set, f.min, f.last(), step)
		return nil
	}
	first, last, ranged := strings.Cut(body, "-")
	a, err := f.number(first)
	b := a
	if ranged && err == nil {
		b, err = f.number(last)
	} else if stepped {
		b = max(a, f.last())
	}
	if err != nil {
		return err
	}
	if a > b {
		if f.name == yearField.name {
			return fmt.Errorf("%d is after %d", a, b)
		}
		b += f.size() // over the end: 22-2, FRI-MON
	}
	f.add(set, a, b, step)
	return nil
}

// add adds the numbers from a to b, which may go round.
func (f field) add(set *bitset, a, b, step int) {
	for n := a; n <= b; n += step {
		set.add(f.place((n-f.min)%f.size() + f.min))
	}
}

// size is how many different numbers there are: Sunday has two in the crontab.
func (f field) size() int {
	if f.names != nil {
		return len(f.names)
	}
	return f.max - f.min + 1
}

// last is the last of them.
func (f field) last() int { return f.min + f.size() - 1 }

// place is the number in the set: weekdays begin with 0, years with the first.
func (f field) place(n int) int {
	switch f.name {
	case weekdayField.name:
		return (n - f.min) % 7
	case yearField.name:
		return n - firstYear
	}
	return n
}

func (f field) number(s string) (int, error) {
	for i, name := range f.names {
		if s == name {
			return f.min + i, nil
		}
	}
	n, err := strconv.Atoi(s)
	if err == nil && digits(s) && n >= f.min && n <= f.max {
		return n, nil
	}
	names := ""
	if f.names != nil {
		names = fmt.Sprintf(" or %s to %s", f.names[0], f.names[len(f.names)-1])
	}
	return 0, fmt.Errorf("want %d to %d%s, have %q", f.min, f.max, names, s)
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// specialDay knows L, L-3, LW, L-3W and 15W.
func (x *expression) specialDay(s string) (bool, error) {
	body, work := strings.CutSuffix(s, "W")
	if rest, ok := strings.CutPrefix(body, "L"); ok {
		n := 0
		if rest != "" {
			var err error
			if n, err = strconv.Atoi(rest[1:]); rest[0] != '-' || err != nil || !digits(rest[1:]) || n < 1 || n > 30 {
				return true, errors.New("want L, L-1 to L-30, or either with a W")
			}
		}
		if work {
			x.lastNearest.add(n)
		} else {
			x.lastDays.add(n)
		}
		return true, nil
	}
	if !work {
		return false, nil
	}
	n, err := dayField.number(body)
	if err != nil {
		return true, errors.New("want 1W to 31W")
	}
	x.nearest.add(n)
	return true, nil
}

// specialWeekday knows L, 6L, FRIL, 6#3 and FRI#3.
func (x *expression) specialWeekday(f field, s string) (bool, error) {
	if s == "L" { // the last day of a week
		x.weekdays.add(int(time.Saturday))
		return true, nil
	}
	if day, nth, ok := strings.Cut(s, "#"); ok {
		n, err := strconv.Atoi(nth)
		if err != nil || !digits(nth) || n < 1 || n > 5 {
			return true, fmt.Errorf("want 1 to 5 after #, have %q", nth)
		}
		d, err := f.number(day)
		if err == nil {
			x.nth[n-1].add(f.place(d))
		}
		return true, err
	}
	if day, ok := strings.CutSuffix(s, "L"); ok {
		d, err := f.number(day)
		if err == nil {
			x.lastWeekdays.add(f.place(d))
		}
		return true, err
	}
	return false, nil
}
