package simple

import (
	"fmt"
	"strings"
	"time"
)

// zone reads a time zone up to the colon that ends it: a name of the tz database or
// an offset, which may have a colon in it.
func (p *parser) zone() (*time.Location, error) {
	start := p.pos
	name := p.until(":")
	if rest := p.rest(); len(rest) > 3 && rest[3] == ':' {
		if zone := fixedZone(name + rest[:3]); zone != nil {
			p.pos += 3
			return zone, nil
		}
	}
	if zone := fixedZone(name); zone != nil {
		return zone, nil
	}
	if name == "" {
		return nil, p.wanted("a time zone")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, p.errorf(start, "unknown time zone %q (a system without time zone files needs a program that imports time/tzdata)", name)
	}
	return zone, nil
}

// fixedZone returns the zone of GMT, UTC, or an offset from them such as GMT+2,
// UTC-0330 or +02:00, named as Java names it; and nil for any other text. See "Custom
// IDs" of java.util.TimeZone.
func fixedZone(text string) *time.Location {
	if text == "GMT" || text == "UTC" {
		return time.FixedZone(text, 0)
	}
	if rest, ok := strings.CutPrefix(text, "GMT"); ok {
		text = rest
	} else {
		text = strings.TrimPrefix(text, "UTC")
	}
	if len(text) < 2 || (text[0] != '+' && text[0] != '-') {
		return nil
	}
	hours, minutes, colon := strings.Cut(text[1:], ":")
	if !colon && len(hours) > 2 {
		hours, minutes = hours[:len(hours)-2], hours[len(hours)-2:]
		colon = true
	}
	h, okHours := number(hours, 23)
	m, okMinutes := number(minutes, 59)
	if !okHours || colon != (len(minutes) == 2) || colon && !okMinutes {
		return nil
	}
	seconds := h*3600 + m*60
	if text[0] == '-' {
		seconds = -seconds
	}
	return time.FixedZone(gmt(seconds), seconds)
}

// number returns the value of one or two digits that is at most limit.
func number(digits string, limit int) (int, bool) {
	n := 0
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(digits) >= 1 && len(digits) <= 2 && n <= limit
}

// gmt returns the name of the zone that is that many seconds east of Greenwich.
func gmt(seconds int) string {
	if seconds == 0 {
		return "GMT"
	}
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	return fmt.Sprintf("GMT%c%02d:%02d", sign, seconds/3600, seconds/60%60)
}
