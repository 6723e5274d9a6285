package sql

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mehari-go/mehari/language/simple"
)

// A statement is SQL with parameters. What a message brings becomes the value of one, never
// a part of the text.
type statement struct {
	dialect Dialect
	parts   []string // the text between the parameters: one more than those
	params  []parameter
	fixed   string // the whole text, where no parameter is a list
	returns bool   // rows
	ordered int    // how many of the parameters are told by their place only
}

// A parameter is :#name, :#in:name, :#${expression}, :#in:${expression} or, with neither a name
// nor an expression, #.
type parameter struct {
	name string
	expr *simple.Template
	list bool
	at   int // among those that are told by their place
}

func (p parameter) String() string {
	in := ""
	if p.list {
		in = "in:"
	}
	switch {
	case p.expr != nil:
		return ":#" + in + p.expr.String()
	case p.name != "":
		return ":#" + in + p.name
	}
	return fmt.Sprintf("placeholder %d", p.at+1)
}

// parse reads a statement, in which mark is a parameter that is told by its place.
func parse(text string, d Dialect, mark string) (*statement, error) {
	s := &statement{dialect: d}
	words := words{}
	begin := 0
	for i := 0; i < len(text); {
		n := d.quoted(text, i)
		if n < 0 {
			return nil, fmt.Errorf("what begins with %.20q has no end", text[i:])
		}
		if n > 0 {
			i += n
			continue
		}
		p, n, err := s.parameter(text, i, mark)
		switch {
		case err != nil:
			return nil, err
		case n > 0:
			s.parts, s.params = append(s.parts, text[begin:i]), append(s.params, p)
			i += n
			begin = i
		case isWord(text[i]):
			n := 1
			for i+n < len(text) && (isWord(text[i+n]) || text[i+n] == '$') {
				n++
			}
			words.add(strings.ToLower(text[i : i+n]))
			i += n
		default:
			if err := s.foreign(text, i); err != nil {
				return nil, err
			}
			words.nest(text[i])
			i++
		}
	}
	s.parts = append(s.parts, text[begin:])
	if words.first == "" {
		return nil, errors.New("there is no statement")
	}
	s.returns = words.returns(d)
	s.fix()
	return s, nil
}

// parameter reads the one at i, and returns its length, 0 if there is none.
func (s *statement) parameter(text string, i int, mark string) (p parameter, n int, err error) {
	rest, named := strings.CutPrefix(text[i:], ":#")
	if !named {
		if !isMark(text, i, mark) {
			return p, 0, nil
		}
		s.ordered++
		return parameter{at: s.ordered - 1}, len(mark), nil
	}
	rest, p.list = strings.CutPrefix(rest, "in:")
	if strings.HasPrefix(rest, "${") {
		n = closing(rest)
		if n < 0 {
			return p, 0, fmt.Errorf("%.20q has no closing }", text[i:])
		}
		p.expr, err = simple.Parse(rest[:n])
		if err != nil {
			return p, 0, fmt.Errorf("%q: %w", rest[:n], err)
		}
	} else {
		for n < len(rest) && isWord(rest[n]) {
			n++
		}
		p.name = rest[:n]
		if n == 0 {
			return p, 0, fmt.Errorf("%.20q: want :#name, :#in:name or :#${expression}", text[i:])
		}
	}
	return p, len(text[i:]) - len(rest[n:]), nil
}

// isMark tells whether mark is at i. Where it is #, operators such as #>> are not.
func isMark(text string, i int, mark string) bool {
	if !strings.HasPrefix(text[i:], mark) {
		return false
	}
	const operators = "#>-="
	after := i + len(mark)
	return mark != "#" || (after == len(text) || !strings.Contains(operators, text[after:after+1])) &&
		(i == 0 || !strings.Contains(operators[:2], text[i-1:i]))
}

// closing returns where the } is that closes the ${ at the start of text, or -1.
func closing(text string) int {
	open := 0
	for i := range len(text) {
		switch text[i] {
		case '{':
			open++
		case '}':
			if open--; open == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// foreign refuses a parameter as the driver writes it, which would take the value of another.
func (s *statement) foreign(text string, i int) error {
	switch rest := text[i:]; {
	case rest[0] == '?' && (s.dialect == SQLite || s.dialect == MySQL),
		rest[0] == '$' && s.dialect == PostgreSQL && len(rest) > 1 && isDigit(rest[1]):
		return fmt.Errorf("%.2q at byte %d: want :#name for a parameter, or # for one that is told by its place", rest, i)
	}
	return nil
}

// fix writes the text once, if it is always the same.
func (s *statement) fix() {
	lengths := make([]int, len(s.params))
	for i, p := range s.params {
		if lengths[i] = 1; p.list {
			return
		}
	}
	s.fixed = s.text(lengths)
}

// text writes the statement for parameters that have so many values each.
func (s *statement) text(lengths []int) string {
	var b []byte
	n := 0
	for i, length := range lengths {
		b = append(b, s.parts[i]...)
		for k := range length {
			if k > 0 {
				b = append(b, ", "...)
			}
			n++
			b = s.dialect.appendPlaceholder(b, n)
		}
	}
	return string(append(b, s.parts[len(s.parts)-1]...))
}

// words are those of a statement that say whether it returns rows.
type words struct {
	depth     int    // of parentheses
	first     string // word
	verb      string // the first one outside of parentheses that says what is done
	returning bool
	output    bool
}

func (w *words) nest(c byte) {
	switch c {
	case '(':
		w.depth++
	case ')':
		w.depth--
	}
}

func (w *words) add(word string) {
	if w.first == "" {
		w.first = word
	}
	if w.depth > 0 {
		return
	}
	switch word {
	case "select", "insert", "update", "delete", "merge", "replace", "values":
		if w.verb == "" {
			w.verb = word
		}
	case "returning":
		w.returning = true
	case "output":
		w.output = true
	}
}

func (w *words) returns(d Dialect) bool {
	switch w.first {
	case "select", "values", "table", "show", "explain", "describe", "desc", "pragma":
		return true
	case "with":
		return w.verb == "select" || w.verb == "values" || w.returning
	}
	return w.returning && d != Oracle || w.output && d == SQLServer
}
