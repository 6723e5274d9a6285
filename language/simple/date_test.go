package simple_test

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/language/simple"
)

// The wanted texts are what java.text.SimpleDateFormat makes with Locale.ENGLISH.
func TestDatePatterns(t *testing.T) {
	rome := time.FixedZone("CET", 3600)
	newfoundland := time.FixedZone("", -(3*3600 + 30*60))
	var (
		evening  = time.Date(2026, 11, 22, 15, 4, 5, 7_999_999, rome)
		midnight = time.Date(2009, 7, 1, 0, 30, 9, 123_000_000, time.UTC)
		noon     = time.Date(2024, 2, 29, 12, 0, 0, 0, newfoundland)
		ancient  = time.Date(-43, 3, 15, 11, 59, 59, 0, time.UTC) // 44 BC
	)
	tests := []struct {
		of      time.Time
		pattern string
		want    string
	}{
		{evening, "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-11-22T15:04:05.007+01:00"},
		{midnight, "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2009-07-01T00:30:09.123Z"},
		{evening, "yyyyMMdd", "20261122"},
		{evening, "EEE, d MMM yyyy HH:mm:ss Z", "Sun, 22 Nov 2026 15:04:05 +0100"},
		{evening, "EEEE, MMMM dd, yyyy G", "Sunday, November 22, 2026 AD"},
		{midnight, "hh 'o''clock' a, zzz", "12 o'clock AM, UTC"},
		{evening, "h:mm a", "3:04 PM"},
		{evening, "''yy''", "'26'"},
		{evening, "'yyyy'", "yyyy"},
		{evening, "''", "'"},
		{evening, "y yy yyy yyyy yyyyy", "2026 26 2026 2026 02026"},
		{midnight, "y yy", "2009 09"},
		{ancient, "y yyyy G", "44 0044 BC"},
		{evening, "M MM MMM MMMM MMMMM", "11 11 Nov November November"},
		{midnight, "M MM MMM MMMM L LL LLL LLLL", "7 07 Jul July 7 07 Jul July"},
		{midnight, "d dd ddd", "1 01 001"},
		{evening, "D DDD", "326 326"},
		{noon, "D DDD", "60 060"},
		{evening, "F", "4"},
		{midnight, "F", "1"},
		{evening, "E EE EEE EEEE", "Sun Sun Sun Sunday"},
		{evening, "u uu", "7 07"},
		{noon, "u EEEE", "4 Thursday"},
		{midnight, "a aa", "AM AM"},
		{noon, "a", "PM"},
		{evening, "H HH k kk K KK h hh", "15 15 15 15 3 03 3 03"},
		{midnight, "H HH k kk K KK h hh", "0 00 24 24 0 00 12 12"},
		{noon, "H k K h", "12 12 0 12"},
		{evening, "m mm s ss", "4 04 5 05"},
		{evening, "S SS SSS", "7 07 007"},
		{midnight, "S SS SSS", "123 123 123"},
		{evening, "z zz zzz Z ZZ X XX XXX", "CET CET CET +0100 +0100 +01 +0100 +01:00"},
		{noon, "z Z X XX XXX", "GMT-03:30 -0330 -03 -0330 -03:30"},
		{midnight, "z Z X XX XXX", "UTC +0000 Z Z Z"},
		{evening, "dd/MM/yyyy, #1 – [HH] é", "22/11/2026, #1 – [15] é"},
		{evening, `HH\}mm\nss`, "15}04\n05"},
		{evening, `'{"at":'HH'\}'`, `{"at":15}`},
	}
	for _, test := range tests {
		m := &message{headers: map[string]any{"t": test.of}}
		template := parse(t, "${date:header.t:"+test.pattern+"}")
		if got, err := template.Eval(t.Context(), m); err != nil || got != test.want {
			t.Errorf("%s of %s = %q, %v; want %q", test.pattern, test.of, got, err, test.want)
		}
		if got, err := template.Append(t.Context(), []byte("> "), m); err != nil || string(got) != "> "+test.want {
			t.Errorf("%s of %s appended = %q, %v; want %q", test.pattern, test.of, got, err, test.want)
		}
	}
}

func TestDateCommands(t *testing.T) {
	at := time.Date(2026, 11, 22, 15, 4, 5, 0, time.FixedZone("CET", 3600))
	m := &message{
		headers:    map[string]any{"t": at, "last-modified": at.UnixMilli(), "n": int(at.UnixMilli())},
		properties: map[string]any{"p.q": at},
	}
	tests := []struct {
		text string
		want any
	}{
		{"${date:header.t}", at},
		{"at ${date:header.t}", "at 2026-11-22T15:04:05+01:00"},
		{"${date:exchangeProperty.p.q:HH}", "15"},
		{"${date:header.t+1h:HH:mm}", "16:04"},
		{"${date:header.t-1h30m:HH:mm}", "13:34"},
		{"${date:header.t - 1d + 2h30m10s500ms : HH:mm:ss.SSS}", " 17:34:15.500"},
		{"${date:header.t+1d-2h-500:dd HH:mm:ss.SSS}", "23 13:04:04.500"},
		{"${date:header.t+0ms:ss}", "05"},
		{"${date-with-timezone:header.Last-Modified:UTC:HH:mm z}", "14:04 UTC"},
		{"${date-with-timezone:header.n:GMT:HH:mm z}", "14:04 GMT"},
		{"${date-with-timezone:header.t:GMT+02:00:HH:mm z}", "16:04 GMT+02:00"},
		{"${date-with-timezone:header.t:GMT-3:HH:mm z}", "11:04 GMT-03:00"},
		{"${date-with-timezone:header.t:+0530:HH:mm XXX}", "19:34 +05:30"},
		{"${date-with-timezone:header.t:-01:15:HH:mm Z}", "12:49 -0115"},
		{"${date-with-timezone:header.t:UTC+0:HH z}", "14 GMT"},
		{"${date-with-timezone:header.t+1d:UTC:dd}", "23"},
	}
	for _, test := range tests {
		got, err := parse(t, test.text).Eval(t.Context(), m)
		if err != nil || got != test.want {
			t.Errorf("%s = %v, %v; want %v", test.text, got, err, test.want)
		}
	}
}

func TestNamedTimeZone(t *testing.T) {
	if _, err := time.LoadLocation("Europe/Rome"); err != nil {
		t.Skip("this system has no time zone files:", err)
	}
	m := &message{headers: map[string]any{"t": time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}}
	got, err := parse(t, "${date-with-timezone:header.t:Europe/Rome:HH:mm z XXX}").Eval(t.Context(), m)
	if want := "14:00 CEST +02:00"; err != nil || got != want {
		t.Errorf("got %v, %v; want %q", got, err, want)
	}
}

func TestNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(90 * time.Second)
		for text, want := range map[string]any{
			"${date:now}":                     time.Now(),
			"${date:now-1m}":                  time.Now().Add(-time.Minute),
			"${date:millis}":                  time.Now().UnixMilli(),
			"${date:millis:'in' yyyy}":        time.Now().Format("in 2006"),
			"${date:now:yyyy-MM-dd HH:mm:ss}": time.Now().Format(time.DateTime),
			"now: ${date:now}":                "now: " + time.Now().Format(time.RFC3339Nano),
			"since ${date:millis}":            "since 946684890000",
			"${date-with-timezone:now:UTC:yyyy-MM-dd'T'HH:mm:ss.SSSX}": "2000-01-01T00:01:30.000Z",
		} {
			if got, err := parse(t, text).Eval(t.Context(), nil); err != nil || got != want {
				t.Errorf("%s = %v, %v; want %v", text, got, err, want)
			}
		}
	})
}

func TestDateOfSomethingElse(t *testing.T) {
	m := &message{headers: map[string]any{"s": "tomorrow"}}
	for text, want := range map[string]string{
		"at ${date:header.s:HH}":          `simple: date:header.s: want a time or milliseconds, header "s" is a string`,
		"${date:header.none}":             `simple: date:header.none: want a time or milliseconds, there is no header "none"`,
		"${date:exchangeProperty.x+1h:H}": `simple: date:exchangeProperty.x: want a time or milliseconds, there is no exchangeProperty "x"`,
	} {
		template := parse(t, text)
		if got, err := template.Eval(t.Context(), m); err == nil || err.Error() != want || got != nil {
			t.Errorf("Eval of %s = %v, %v; want the error %s", text, got, err, want)
		}
		if got, err := template.Append(t.Context(), []byte("before"), m); err == nil || err.Error() != want || string(got) != "before" {
			t.Errorf("Append of %s = %q, %v; want what was there and the error %s", text, got, err, want)
		}
	}
}

func TestDateSyntaxErrors(t *testing.T) {
	tests := []struct {
		text   string
		column int
		reason string
	}{
		{"${date}", 7, `want ":command" after "date", there is "}"`},
		{"${date:}", 8, `want a date command (now, millis, header.name, variable.name or exchangeProperty.name), there is ""`},
		{"${date:noww}", 8, `want a date command (now, millis, header.name, variable.name or exchangeProperty.name), there is "noww"`},
		{"${date:header.}", 8, `want a date command (now, millis, header.name, variable.name or exchangeProperty.name), there is "header."`},
		{"${date:now", 11, `want "}" to close "${", the text ends`},
		{"${date:now:}", 12, `want a date pattern such as yyyy-MM-dd, there is "}"`},
		{"${date:now:yyyy", 16, `want "}" to close "${", the text ends`},
		{"${date:now:yyyy-MM-ddTHH:mm}", 22, `unknown date letter "T" (text stands in quotes: 'T')`},
		{"${date:now:bb}", 12, `unknown date letter "b" (text stands in quotes: 'b')`},
		{"${date:now:HH 'o}", 15, `want a second ' to end the text in the date pattern`},
		{"${date:now:YYYY-MM}", 12, `date letter "Y", the year of the week, is not supported (did you mean "y"?)`},
		{"${date:now:yyyy-ww}", 17, `date letter "w", a number of the week, is not supported`},
		{"${date:now:W}", 12, `date letter "W", a number of the week, is not supported`},
		{"${date:now:ss.SSSSSS}", 15, `want at most 3 date letters "S" in a row, there are 6`},
		{"${date:now:XXXX}", 12, `want at most 3 date letters "X" in a row, there are 4`},
		{"${date:now:zzzz}", 12, `want at most 3 date letters "z" in a row, there are 4`},
		{"${date:now:" + strings.Repeat("d", 10) + "}", 12, `want at most 9 date letters "d" in a row, there are 10`},
		{"${date:now+1y}", 12, `want an offset such as 1d, 2h30m, 10s or 500ms, there is "1y"`},
		{"${date:now+1m2h}", 12, `want an offset such as 1d, 2h30m, 10s or 500ms, there is "1m2h"`},
		{"${date:now+1h2}", 12, `want an offset such as 1d, 2h30m, 10s or 500ms, there is "1h2"`},
		{"${date:now+1h x:HH}", 15, `want ":", "}" or another offset after "+1h", there is "x:HH"`},
		{"${date:now+36501d}", 11, `want an offset of at most 36500 days`},
		{"${date:now+99999999999999999999h}", 11, `want an offset of at most 36500 days`},
		{"${date:now-36500d-1ms}", 18, `want an offset of at most 36500 days`},
		{"${date:now-36500d1ms}", 11, `want an offset of at most 36500 days`},
		{"${date-with-timezone}", 21, `want ":command" after "date-with-timezone", there is "}"`},
		{"${date-with-timezone:now}", 25, `want ":zone:pattern" after the date command, there is "}"`},
		{"${date-with-timezone:now:}", 26, `want a time zone, there is "}"`},
		{"${date-with-timezone:now:UTC}", 29, `want ":pattern" after the time zone, there is "}"`},
		{"${date-with-timezone:now:UTC:}", 30, `want a date pattern such as yyyy-MM-dd, there is "}"`},
		{"${date-with-timezone:now:Mars/Base:HH}", 26, `unknown time zone "Mars/Base" (a system without time zone files needs a program that imports time/tzdata)`},
		{"${date-with-timezone:now:GMT+24:HH}", 26, `unknown time zone "GMT+24" (a system without time zone files needs a program that imports time/tzdata)`},
		{"${date-with-timezone:now:../etc/passwd:HH}", 26, `unknown time zone "../etc/passwd" (a system without time zone files needs a program that imports time/tzdata)`},
	}
	for _, test := range tests {
		_, err := simple.Parse(test.text)
		if err == nil {
			t.Errorf("Parse(%q) took it", test.text)
			continue
		}
		want := "simple: column " + strconv.Itoa(test.column) + ": " + test.reason + "\n"
		if !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Parse(%q):\n%v\nwant\n%s", test.text, err, want)
		}
	}
}
