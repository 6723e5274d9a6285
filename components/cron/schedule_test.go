package cron_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/cron"
)

func parse(t testing.TB, text, zone string) cron.Schedule {
	t.Helper()
	s, err := cron.Parse(text, load(t, zone))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return s
}

func load(t testing.TB, zone string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Skip(err)
	}
	return loc
}

// ticks returns the first n ticks after a local time.
func ticks(s cron.Schedule, loc *time.Location, after string, n int) string {
	const layout = "2006-01-02T15:04:05"
	at, err := time.ParseInLocation(layout, after, loc)
	if err != nil {
		return err.Error()
	}
	var all []string
	for range n {
		if at = s.Next(at); at.IsZero() {
			all = append(all, "none")
			break
		}
		all = append(all, at.Format(layout+"Z07"))
	}
	return strings.Join(all, " ")
}

func TestCalendar(t *testing.T) {
	for _, tt := range []struct{ schedule, after, want string }{
		// five fields, as in crontab(5)
		{"* * * * *", "2026-11-22T20:00:00", "2026-11-22T20:01:00Z 2026-11-22T20:02:00Z"},
		{"*/25 * * * *", "2026-11-22T20:00:00", "2026-11-22T20:25:00Z 2026-11-22T20:50:00Z 2026-11-22T21:00:00Z"},
		{"5/25 9-17 * * MON-FRI", "2026-11-20T17:54:59", "2026-11-20T17:55:00Z 2026-11-23T09:05:00Z"},
		{"0 0 13 * 5", "2026-11-22T00:00:00", "2026-11-27T00:00:00Z 2026-12-04T00:00:00Z 2026-12-11T00:00:00Z 2026-12-13T00:00:00Z"}, // either
		{"0 0 */2 * 1", "2026-11-22T00:00:00", "2026-11-23T00:00:00Z 2026-12-07T00:00:00Z"},                                          // both
		{"0 0 * * 0", "2026-11-22T00:00:00", "2026-11-29T00:00:00Z"},
		{"0 0 * * 7", "2026-11-22T00:00:00", "2026-11-29T00:00:00Z"},
		{"0 0 * * 5-7", "2026-11-22T00:00:00", "2026-11-27T00:00:00Z 2026-11-28T00:00:00Z 2026-11-29T00:00:00Z 2026-12-04T00:00:00Z"},
		{"0 0 * * 1/2", "2026-11-22T00:00:00", "2026-11-23T00:00:00Z 2026-11-25T00:00:00Z 2026-11-27T00:00:00Z 2026-11-30T00:00:00Z"},
		{"0 0 ? * mon", "2026-11-22T00:00:00", "2026-11-23T00:00:00Z"},
		{"@daily", "2026-11-22T00:00:00", "2026-11-23T00:00:00Z"},
		{"@WEEKLY", "2026-11-22T00:00:00", "2026-11-29T00:00:00Z"},
		{" @yearly ", "2026-11-22T00:00:00", "2027-01-01T00:00:00Z"},
		{"0 22-2/2 * * *", "2026-11-22T20:00:00", "2026-11-22T22:00:00Z 2026-11-23T00:00:00Z 2026-11-23T02:00:00Z 2026-11-23T22:00:00Z"},
		{"0 0 1 nov-jan *", "2026-11-22T00:00:00", "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z 2027-11-01T00:00:00Z"},
		{"0 0 29 2 *", "2026-11-22T00:00:00", "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z"},
		{"0 0 29 2 *", "2096-03-01T00:00:00", "2104-02-29T00:00:00Z"},
		{"0 0 31 * *", "2026-11-22T00:00:00", "2026-12-31T00:00:00Z 2027-01-31T00:00:00Z 2027-03-31T00:00:00Z"},
		// six and seven, as in Quartz's tutorial
		{"0/1 * * * * ?", "2026-11-22T20:00:00", "2026-11-22T20:00:01Z 2026-11-22T20:00:02Z"},
		{"0 0 12 * * ?", "2026-11-22T20:00:00", "2026-11-23T12:00:00Z"},
		{"0 15 10 ? * *", "2026-11-22T20:00:00", "2026-11-23T10:15:00Z"},
		{"0 15 10 * * ? 2027", "2026-11-22T20:00:00", "2027-01-01T10:15:00Z"},
		{"0 15 10 * * ? 2025", "2026-11-22T20:00:00", "none"},
		{"0 0/5 14,18 * * ?", "2026-11-22T14:52:00", "2026-11-22T14:55:00Z 2026-11-22T18:00:00Z"},
		{"0 10,44 14 ? 3 WED", "2026-11-22T00:00:00", "2027-03-03T14:10:00Z 2027-03-03T14:44:00Z"},
		{"0 15 10 ? * 2-6", "2026-11-20T12:00:00", "2026-11-23T10:15:00Z"}, // MON-FRI
		{"0 15 10 ? * FRI-MON", "2026-11-23T12:00:00", "2026-11-27T10:15:00Z 2026-11-28T10:15:00Z 2026-11-29T10:15:00Z 2026-11-30T10:15:00Z"},
		{"0 15 10 ? * 1", "2026-11-22T12:00:00", "2026-11-29T10:15:00Z"}, // Sunday
		{"0 15 10 ? * L", "2026-11-22T12:00:00", "2026-11-28T10:15:00Z"}, // Saturday
		{"0 15 10 L * ?", "2026-01-31T12:00:00", "2026-02-28T10:15:00Z 2026-03-31T10:15:00Z"},
		{"0 15 10 L-2 * ?", "2026-01-31T12:00:00", "2026-02-26T10:15:00Z 2026-03-29T10:15:00Z"},
		{"0 15 10 ? * 6L", "2026-11-22T12:00:00", "2026-11-27T10:15:00Z 2026-12-25T10:15:00Z"},
		{"0 15 10 ? * FRIL 2027-2028", "2026-11-22T12:00:00", "2027-01-29T10:15:00Z"},
		{"0 15 10 ? * 6#3", "2026-11-22T12:00:00", "2026-12-18T10:15:00Z"},
		{"0 15 10 ? * FRI#5", "2026-11-22T12:00:00", "2027-01-29T10:15:00Z 2027-04-30T10:15:00Z"},
		{"0 0 0 15W * ?", "2026-07-16T00:00:00", "2026-08-14T00:00:00Z 2026-09-15T00:00:00Z"}, // Saturday
		{"0 0 0 15W 11 ?", "2026-07-16T00:00:00", "2026-11-16T00:00:00Z"},                     // Sunday
		{"0 0 0 1W 8 ?", "2026-07-16T00:00:00", "2026-08-03T00:00:00Z"},                       // not in July
		{"0 0 0 31W * ?", "2026-05-01T00:00:00", "2026-05-29T00:00:00Z 2026-07-31T00:00:00Z"}, // not in June
		{"0 0 0 LW * ?", "2026-05-01T00:00:00", "2026-05-29T00:00:00Z 2026-06-30T00:00:00Z"},
		{"0 0 0 L-1W * ?", "2026-05-01T00:00:00", "2026-05-29T00:00:00Z 2026-06-29T00:00:00Z"},
		{"0 0 0 1,L * ?", "2026-11-22T00:00:00", "2026-11-30T00:00:00Z 2026-12-01T00:00:00Z"},
		{"59 59 23 31 12 ? 2199", "2026-11-22T00:00:00", "2199-12-31T23:59:59Z none"},
		{"0 0 0 1 1 ? 2030/100", "2026-11-22T00:00:00", "2030-01-01T00:00:00Z 2130-01-01T00:00:00Z none"},
	} {
		s := parse(t, tt.schedule, "UTC")
		if have := ticks(s, time.UTC, tt.after, strings.Count(tt.want, " ")+1); have != tt.want {
			t.Errorf("%q after %s:\n\thave %s\n\twant %s", tt.schedule, tt.after, have, tt.want)
		}
	}
}

func TestClocksThatChange(t *testing.T) {
	for _, tt := range []struct{ zone, schedule, after, want string }{
		// In Berlin 02:00 is 03:00 on 2026-03-29.
		{"Europe/Berlin", "30 2 * * *", "2026-03-28T12:00:00", "2026-03-29T03:00:00+02 2026-03-30T02:30:00+02"},
		{"Europe/Berlin", "0,15,30 2 * * *", "2026-03-28T12:00:00", "2026-03-29T03:00:00+02 2026-03-30T02:00:00+02"}, // one for all
		{"Europe/Berlin", "0 3 * * *", "2026-03-28T12:00:00", "2026-03-29T03:00:00+02 2026-03-30T03:00:00+02"},
		{"Europe/Berlin", "30 2,3 * * *", "2026-03-28T12:00:00", "2026-03-29T03:00:00+02 2026-03-29T03:30:00+02 2026-03-30T02:30:00+02"},
		{"Europe/Berlin", "*/20 * * * *", "2026-03-29T01:30:00", "2026-03-29T01:40:00+01 2026-03-29T03:00:00+02 2026-03-29T03:20:00+02"},
		{"Europe/Berlin", "30 * * * *", "2026-03-29T01:00:00", "2026-03-29T01:30:00+01 2026-03-29T03:00:00+02 2026-03-29T03:30:00+02"},
		// 03:00 is 02:00 on 2026-10-25.
		{"Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00", "2026-10-25T02:30:00+02 2026-10-26T02:30:00+01"},
		{"Europe/Berlin", "*/30 2 * * *", "2026-10-24T12:00:00", "2026-10-25T02:00:00+02 2026-10-25T02:30:00+02 2026-10-26T02:00:00+01"},
		{"Europe/Berlin", "0 3 * * *", "2026-10-24T12:00:00", "2026-10-25T03:00:00+01 2026-10-26T03:00:00+01"},
		{"Europe/Berlin", "30 * * * *", "2026-10-25T01:00:00", "2026-10-25T01:30:00+02 2026-10-25T02:30:00+02 2026-10-25T02:30:00+01 2026-10-25T03:30:00+01"},
		{"Europe/Berlin", "0 * * * *", "2026-10-25T01:30:00", "2026-10-25T02:00:00+02 2026-10-25T02:00:00+01 2026-10-25T03:00:00+01"},
		{"Europe/Berlin", "0 0 0 ? * L", "2026-10-20T00:00:00", "2026-10-24T00:00:00+02 2026-10-31T00:00:00+01"},
		// no midnight on 2018-11-04
		{"America/Sao_Paulo", "0 0 * * *", "2018-11-03T12:00:00", "2018-11-04T01:00:00-02 2018-11-05T00:00:00-02"},
		// half an hour, at 02:00 on 2026-10-04 and on 2026-04-05
		{"Australia/Lord_Howe", "15 2 * * *", "2026-10-03T12:00:00", "2026-10-04T02:30:00+11 2026-10-05T02:15:00+11"},
		{"Australia/Lord_Howe", "45 1 * * *", "2026-04-04T12:00:00", "2026-04-05T01:45:00+11 2026-04-06T01:45:00+10"},
		// no 2011-12-30
		{"Pacific/Apia", "0 12 * * *", "2011-12-29T10:00:00", "2011-12-29T12:00:00-10 2011-12-31T00:00:00+14 2011-12-31T12:00:00+14"},
		// offsets that are no whole hours (only those are shown)
		{"Asia/Kathmandu", "0 6 * * *", "2026-03-28T12:00:00", "2026-03-29T06:00:00+05"},
	} {
		loc := load(t, tt.zone)
		have := ticks(parse(t, tt.schedule, tt.zone), loc, tt.after, strings.Count(tt.want, " ")+1)
		if have != tt.want {
			t.Errorf("%s %q after %s:\n\thave %s\n\twant %s", tt.zone, tt.schedule, tt.after, have, tt.want)
		}
	}
}

// In the middle of the hour that comes twice, the second time.
func TestFromWithinTheSecondTime(t *testing.T) {
	berlin := load(t, "Europe/Berlin")
	second := time.Date(2026, 10, 25, 1, 10, 0, 0, time.UTC) // 02:10+01
	for schedule, want := range map[string]string{
		"30 2 * * *": "2026-10-26T02:30:00+01:00",
		"30 * * * *": "2026-10-25T02:30:00+01:00",
		"0 3 * * *":  "2026-10-25T03:00:00+01:00",
	} {
		if have := parse(t, schedule, "Europe/Berlin").Next(second.In(berlin)).Format(time.RFC3339); have != want {
			t.Errorf("%q: %s, want %s", schedule, have, want)
		}
	}
}

// The calendar is right for years, minute by minute.
func TestYears(t *testing.T) {
	for text, means := range map[string]func(time.Time) bool{
		"0 */7 * * *": func(t time.Time) bool { return t.Minute() == 0 && t.Hour()%7 == 0 },
		"30 6 1,15 * 1": func(t time.Time) bool {
			return t.Hour() == 6 && t.Minute() == 30 && (t.Day() == 1 || t.Day() == 15 || t.Weekday() == 1)
		},
		"0 0 0 L-3 */2 ?": func(t time.Time) bool {
			return t.Hour()+t.Minute() == 0 && t.Month()%2 == 1 && t.AddDate(0, 0, 4).Day() == 1
		},
		"0 5 4 ? * 3#2": func(t time.Time) bool {
			return t.Hour() == 4 && t.Minute() == 5 && t.Weekday() == 2 && t.Day() > 7 && t.Day() <= 14
		},
		"0 0 12 ? 2-4 SUNL": func(t time.Time) bool {
			return t.Hour() == 12 && t.Minute() == 0 && t.Month() > 1 && t.Month() < 5 && t.Weekday() == 0 && t.AddDate(0, 0, 7).Month() != t.Month()
		},
	} {
		s := parse(t, text, "UTC")
		from, to := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2030, 3, 1, 0, 0, 0, 0, time.UTC)
		next, n := s.Next(from.Add(-1)), 0
		for at := from; at.Before(to); at = at.Add(time.Minute) {
			if !means(at) {
				continue
			}
			if n++; !next.Equal(at) {
				t.Fatalf("%q: tick at %v, want %v", text, next, at)
			}
			next = s.Next(at)
		}
		if n < 5 {
			t.Errorf("%q: %d ticks: the test shows nothing", text, n)
		}
	}
}

func TestRefusesSchedules(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "want five fields",
		"* * * *":               "have 4",
		"* * * * * * * *":       "have 8",
		"@often":                `unknown shorthand "@often"`,
		"@every 5s":             `unknown shorthand`,
		"60 * * * *":            `minute "60": want 0 to 59, have "60"`,
		"-1 * * * *":            `minute "-1": want 0 to 59, have ""`,
		"+5 * * * *":            `minute "+5": want 0 to 59, have "+5"`,
		"* 24 * * *":            `hour "24": want 0 to 23`,
		"* * 0 * *":             `day of month "0": want 1 to 31`,
		"* * * 13 *":            `month "13": want 1 to 12 or JAN to DEC, have "13"`,
		"* * * FOO *":           `have "FOO"`,
		"* * * * 8":             `day of week "8": want 0 to 7 or SUN to SAT`,
		"* * * * * 0":           `day of week "0": want 1 to 7`,
		"*/0 * * * *":           `want a step of 1 to 59 after /, have "0"`,
		"*/60 * * * *":          `want a step of 1 to 59`,
		"*/ * * * *":            `want a step`,
		"1,,2 * * * *":          `minute ""`,
		"? * * * *":             `? is for days only`,
		"1-2-3 * * * *":         `have "2-3"`,
		"0 0 0 ? * ?":           "want ? in one of them at most",
		"0 0 0 1 * MON":         `day of month "1" and day of week "MON": want ? in one of them`,
		"0 0 0 L-31 * ?":        "want L, L-1 to L-30",
		"0 0 0 LX * ?":          "want L, L-1 to L-30",
		"0 0 0 W * ?":           "want 1W to 31W",
		"0 0 0 32W * ?":         "want 1W to 31W",
		"0 0 0 ? * 6#6":         "want 1 to 5 after #",
		"0 0 0 ? * X#1":         `have "X"`,
		"0 0 0 ? * 8L":          `have "8"`,
		"0 0 0 1 1 ? 1969":      `year "1969": want 1970 to 2199`,
		"0 0 0 1 1 ? 2030-2020": "2030 is after 2020",
		"0 0 30 2 *":            "there is no such day in any year",
		"0 0 0 29 2 ? 2100":     "there is no such day in any year",
		"99 99 * * *":           "minute \"99\": want 0 to 59, have \"99\"\nhour \"99\"",
	} {
		if _, err := cron.Parse(text, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if !(cron.Schedule{}).Next(time.Now()).IsZero() {
		t.Error("the zero Schedule has a tick")
	}
}

// Whatever is accepted ticks, later each time, on whole seconds, and does not take long.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"* * * * *", "*/5 1-3,7 L-3 jan-mar/2 5#3", "0 0 0 15W * ? 2026/3", "@daily", "0 0 0 ? * 6L", "30 2 * * *", "0 22-2 LW 12 ?"} {
		f.Add(s, int64(1_774_000_000))
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Skip(err)
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		s, err := cron.Parse(text, berlin)
		if err != nil {
			return
		}
		at := time.Unix(unix%(1<<33), 0)
		for range 5 {
			next := s.Next(at)
			if next.IsZero() {
				return
			}
			if !next.After(at) || next.Nanosecond() != 0 {
				t.Fatalf("%q: %v after %v", text, next, at)
			}
			if between := s.Next(next.Add(-time.Nanosecond)); !between.Equal(next) {
				t.Fatalf("%q: %v, but %v just before it", text, next, between)
			}
			at = next
		}
	})
}

func BenchmarkNext(b *testing.B) {
	s := parse(b, "0 15 10 ? * MON-FRI", "Europe/Berlin")
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		at = s.Next(at)
		if at.Year() > 2100 {
			at = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		}
	}
}
