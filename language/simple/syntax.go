package simple

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mehari-go/mehari/internal/nearest"
)

// A SyntaxError says what is wrong in a template and where.
type SyntaxError struct {
	Source string // the template
	Offset int    // where in Source, in bytes from its start
	Reason string // what was wanted there and what there is
}

// Error returns the reason, the line and column (counted in characters from 1) and,
// on lines of their own, the part of the template with a caret below the place.
func (e *SyntaxError) Error() string {
	before, after := e.Source[:e.Offset], e.Source[e.Offset:]
	line := 1 + strings.Count(before, "\n")
	before = before[strings.LastIndexByte(before, '\n')+1:]
	after, _, _ = strings.Cut(after, "\n")
	column := 1 + utf8.RuneCountInString(before)

	place := fmt.Sprintf("column %d", column)
	if strings.Contains(e.Source, "\n") {
		place = fmt.Sprintf("line %d, column %d", line, column)
	}
	left, right := []rune(before), []rune(after)
	if len(left) > 50 {
		left = append([]rune{'…'}, left[len(left)-49:]...)
	}
	if len(right) > 30 {
		right = append(right[:29:29], '…')
	}
	return fmt.Sprintf("simple: %s: %s\n\t%s\n\t%s^", place, e.Reason,
		printable(left)+printable(right), strings.Repeat(" ", len(left)))
}

// printable returns the text as one line of as many characters as it has.
func printable(text []rune) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, string(text))
}

func (p *parser) errorf(offset int, format string, args ...any) error {
	return &SyntaxError{Source: p.src, Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

// wanted says that something else is at the place than what must be there.
func (p *parser) wanted(format string, args ...any) error {
	what := fmt.Sprintf("want "+format, args...)
	if p.done() {
		return p.errorf(p.pos, "%s, the text ends", what)
	}
	there := p.rest()
	if end := strings.IndexAny(there, " \t\r\n}"); end > 0 {
		there = there[:end]
	} else if end == 0 {
		_, size := utf8.DecodeRuneInString(there)
		there = there[:size]
	}
	if runes := []rune(there); len(runes) > 20 {
		there = string(runes[:19]) + "…"
	}
	return p.errorf(p.pos, "%s, there is %q", what, there)
}

// hint returns the one of the known names that is most like name, or all of them.
func hint(name string, known []string) string {
	if best := nearest.Name(name, known); best != "" {
		return fmt.Sprintf(" (did you mean %q?)", best)
	}
	return ", known are " + strings.Join(known, ", ")
}
