package simple

import (
	"strconv"
	"time"
)

// A pattern is a pattern of java.text.SimpleDateFormat, compiled.
type pattern []field

// A field is a run of one letter, or text, in which case letter is 0.
type field struct {
	letter byte
	width  int
	text   string
}

// pattern reads a pattern, which goes on to the end of the function.
func (p *parser) pattern() (pattern, error) {
	if p.done() || p.at("}") {
		return nil, p.wanted("a date pattern such as yyyy-MM-dd")
	}
	var (
		fields pattern
		lit    []byte
		quote  = -1 // where the quote that is open is
	)
	for !p.done() && !p.at("}") {
		c := p.src[p.pos]
		switch {
		case c == '\'':
			p.pos++
			if p.take('\'') {
				lit = append(lit, '\'')
			} else if quote < 0 {
				quote = p.pos - 1
			} else {
				quote = -1
			}
		case quote < 0 && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'):
			if len(lit) > 0 {
				fields = append(fields, field{text: string(lit)})
				lit = nil
			}
			f := field{letter: c}
			start := p.pos
			f.width = len(p.run(c, c))
			if err := p.check(f, start); err != nil {
				return nil, err
			}
			fields = append(fields, f)
		default:
			lit = append(lit, p.char())
		}
	}
	if quote >= 0 {
		return nil, p.errorf(quote, "want a second ' to end the text in the date pattern")
	}
	if len(lit) > 0 {
		fields = append(fields, field{text: string(lit)})
	}
	return fields, nil
}

// check returns an error for a letter without a meaning, or too many of one.
func (p *parser) check(f field, at int) error {
	widest := 9
	switch f.letter {
	case 'G', 'y', 'M', 'L', 'D', 'd', 'F', 'E', 'u', 'a', 'H', 'k', 'K', 'h', 'm', 's', 'Z':
	case 'S', 'z', 'X':
		widest = 3
	case 'Y':
		return p.errorf(at, `date letter "Y", the year of the week, is not supported (did you mean "y"?)`)
	case 'w', 'W':
		return p.errorf(at, "date letter %q, a number of the week, is not supported", string(f.letter))
	default:
		return p.errorf(at, "unknown date letter %q (text stands in quotes: '%c')", string(f.letter), f.letter)
	}
	if f.width > widest {
		return p.errorf(at, "want at most %d date letters %q in a row, there are %d", widest, string(f.letter), f.width)
	}
	return nil
}

// append appends t in the form of the pattern.
func (f pattern) append(dst []byte, t time.Time) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	for _, f := range f {
		switch f.letter {
		case 0:
			dst = append(dst, f.text...)
		case 'G':
			if year > 0 {
				dst = append(dst, "AD"...)
			} else {
				dst = append(dst, "BC"...)
			}
		case 'y':
			y := year
			if y <= 0 {
				y = 1 - y // the year before 1 AD is 1 BC
			}
			if f.width == 2 {
				y %= 100
			}
			dst = appendNumber(dst, y, f.width)
		case 'M', 'L':
			switch {
			case f.width < 3:
				dst = appendNumber(dst, int(month), f.width)
			case f.width == 3:
				dst = append(dst, month.String()[:3]...)
			default:
				dst = append(dst, month.String()...)
			}
		case 'D':
			dst = appendNumber(dst, t.YearDay(), f.width)
		case 'd':
			dst = appendNumber(dst, day, f.width)
		case 'F':
			dst = appendNumber(dst, (day-1)/7+1, f.width)
		case 'E':
			if name := t.Weekday().String(); f.width < 4 {
				dst = append(dst, name[:3]...)
			} else {
				dst = append(dst, name...)
			}
		case 'u':
			dst = appendNumber(dst, (int(t.Weekday())+6)%7+1, f.width)
		case 'a':
			if hour < 12 {
				dst = append(dst, "AM"...)
			} else {
				dst = append(dst, "PM"...)
			}
		case 'H':
			dst = appendNumber(dst, hour, f.width)
		case 'k':
			dst = appendNumber(dst, (hour+23)%24+1, f.width)
		case 'K':
			dst = appendNumber(dst, hour%12, f.width)
		case 'h':
			dst = appendNumber(dst, (hour+11)%12+1, f.width)
		case 'm':
			dst = appendNumber(dst, minute, f.width)
		case 's':
			dst = appendNumber(dst, second, f.width)
		case 'S':
			dst = appendNumber(dst, t.Nanosecond()/int(time.Millisecond), f.width)
		case 'z', 'Z', 'X':
			dst = appendZone(dst, t, f)
		}
	}
	return dst
}

// appendZone appends the zone of t.
func appendZone(dst []byte, t time.Time, f field) []byte {
	name, seconds := t.Zone()
	if f.letter == 'z' {
		if name == "" || name[0] == '+' || name[0] == '-' {
			name = gmt(seconds)
		}
		return append(dst, name...)
	}
	if f.letter == 'X' && seconds == 0 {
		return append(dst, 'Z')
	}
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	dst = appendNumber(append(dst, sign), seconds/3600, 2)
	if f.letter == 'X' && f.width == 1 {
		return dst
	}
	if f.letter == 'X' && f.width == 3 {
		dst = append(dst, ':')
	}
	return appendNumber(dst, seconds/60%60, 2)
}

// appendNumber appends n, which is not negative, with zeros before it to fill width.
func appendNumber(dst []byte, n, width int) []byte {
	for limit := 10; width > 1; width-- {
		if n < limit {
			dst = append(dst, '0')
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, int64(n), 10)
}
