package simple

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mehari-go/mehari/language"
)

// A moment is a date function: a time, moved and shown as it says.
type moment struct {
	source string // the command, for errors
	of     *value // where the time comes from; nil is now
	offset time.Duration
	zone   *time.Location // nil is the zone of the time
	millis bool           // the value is milliseconds since 1970
	format pattern        // nil is the time itself
}

// date reads ":command" or ":command:pattern".
func date(p *parser, name string) (node, error) {
	m, err := p.moment(name)
	if err != nil || !p.take(':') {
		return m, err
	}
	m.format, err = p.pattern()
	return m, err
}

// dateWithTimezone reads ":command:zone:pattern".
func dateWithTimezone(p *parser, name string) (node, error) {
	m, err := p.moment(name)
	if err != nil {
		return nil, err
	}
	if !p.take(':') {
		return nil, p.wanted(`":zone:pattern" after the date command`)
	}
	if m.zone, err = p.zone(); err != nil {
		return nil, err
	}
	if !p.take(':') {
		return nil, p.wanted(`":pattern" after the time zone`)
	}
	m.format, err = p.pattern()
	return m, err
}

// moment reads the command of the date function of a name.
func (p *parser) moment(function string) (*moment, error) {
	if !p.take(':') {
		return nil, p.wanted(`":command" after %q`, function)
	}
	start := p.pos
	var command []byte
	for !p.done() && !p.at(":}") && !p.atOffset() {
		command = append(command, p.char())
	}
	m := &moment{source: strings.TrimSpace(string(command))}
	key, isHeader := strings.CutPrefix(m.source, "header.")
	property, isProperty := strings.CutPrefix(m.source, "exchangeProperty.")
	variable, isVariable := strings.CutPrefix(m.source, "variable.")
	switch {
	case m.source == "now":
	case m.source == "millis":
		m.millis = true
	case isHeader && key != "":
		m.of = &value{language.Header, key}
	case isProperty && property != "":
		m.of = &value{language.Property, property}
	case isVariable && variable != "":
		m.of = &value{language.Variable, variable}
	default:
		return nil, p.errorf(start, "want a date command (now, millis, header.name, variable.name or exchangeProperty.name), there is %q", m.source)
	}
	for p.atOffset() {
		at := p.pos
		d, err := p.offset()
		if err != nil {
			return nil, err
		}
		if m.offset += d; m.offset.Abs() > farthest {
			return nil, p.tooFar(at)
		}
	}
	return m, nil
}

// atOffset reports whether a sign and a digit come next; a minus before a letter
// belongs to a name.
func (p *parser) atOffset() bool {
	if !p.at("+-") {
		return false
	}
	digits := strings.TrimLeft(p.src[p.pos+1:], " ")
	return digits != "" && digits[0] >= '0' && digits[0] <= '9'
}

// farthest bounds the sum of all offsets, so that no sum overflows.
const farthest = 100 * 365 * 24 * time.Hour

func (p *parser) tooFar(at int) error {
	return p.errorf(at, "want an offset of at most %d days", farthest/(24*time.Hour))
}

// units are the units of an offset in the order in which they are written.
var units = []struct {
	name string
	size time.Duration
}{
	{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond},
}

// offset reads a sign and the numbers and units after it.
func (p *parser) offset() (time.Duration, error) {
	start := p.pos
	negative := p.at("-")
	p.pos++
	p.spaces()
	var sum time.Duration
	next, from := 0, p.pos
	for p.at("0123456789") {
		digits := p.run('0', '9')
		name := p.run('a', 'z')
		if name == "" && next == 0 {
			name = "ms"
		}
		for next < len(units) && units[next].name != name {
			next++
		}
		if next == len(units) {
			return 0, p.errorf(from, "want an offset such as 1d, 2h30m, 10s or 500ms, there is %q", p.src[from:p.pos])
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > int64(farthest/units[next].size) {
			return 0, p.tooFar(start)
		}
		if sum += time.Duration(n) * units[next].size; sum > farthest {
			return 0, p.tooFar(start)
		}
		next++
	}
	p.spaces()
	if !p.done() && !p.at(":}") && !p.atOffset() {
		return 0, p.wanted(`":", "}" or another offset after %q`, strings.TrimSpace(p.src[start:p.pos]))
	}
	if negative {
		sum = -sum
	}
	return sum, nil
}

// run reads characters from low to high.
func (p *parser) run(low, high byte) string {
	start := p.pos
	for !p.done() && p.src[p.pos] >= low && p.src[p.pos] <= high {
		p.pos++
	}
	return p.src[start:p.pos]
}

func (m *moment) append(_ ctx, dst []byte, s scope) ([]byte, error) {
	t, err := m.time(s)
	switch {
	case err != nil:
		return nil, err
	case m.format != nil:
		return m.format.append(dst, t), nil
	case m.millis:
		return strconv.AppendInt(dst, t.UnixMilli(), 10), nil
	}
	return t.AppendFormat(dst, time.RFC3339Nano), nil
}

func (m *moment) eval(_ ctx, s scope) (any, error) {
	t, err := m.time(s)
	switch {
	case err != nil:
		return nil, err
	case m.format != nil:
		return string(m.format.append(nil, t)), nil
	case m.millis:
		return t.UnixMilli(), nil
	}
	return t, nil
}

// time returns the moment for s.
func (m *moment) time(s scope) (time.Time, error) {
	var t time.Time
	if m.of == nil {
		t = time.Now()
	} else {
		switch v := s.Value(m.of.kind, m.of.name).(type) {
		case time.Time:
			t = v
		case int64:
			t = time.UnixMilli(v)
		case int:
			t = time.UnixMilli(int64(v))
		case nil:
			return t, fmt.Errorf("date:%s: want a time or milliseconds, there is no %s %q", m.source, m.of.kind, m.of.name)
		default:
			return t, fmt.Errorf("date:%s: want a time or milliseconds, %s %q is a %T", m.source, m.of.kind, m.of.name, v)
		}
	}
	if m.offset != 0 {
		t = t.Add(m.offset)
	}
	if m.zone != nil {
		t = t.In(m.zone)
	}
	return t, nil
}
