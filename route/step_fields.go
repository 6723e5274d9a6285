package route

import (
	"context"
	"fmt"
	"strings"
)

// Fields are names and what is stored under them, in this order:
//
//	route.Fields{{"id", route.Simple("${body}")}, {"kind", "order"}}
type Fields []struct {
	Name  string
	Value Expr
}

// SetHeaders stores values in headers, one after the other: later ones see what earlier
// ones have set.
func (c *chain[Self]) SetHeaders(fields Fields) Self {
	return c.add(setFieldsStep{inHeaders, fields})
}

// SetProperties stores values in properties of the exchange, like [Route.SetHeaders].
func (c *chain[Self]) SetProperties(fields Fields) Self {
	return c.add(setFieldsStep{inProperties, fields})
}

// SetVariables stores values in variables, like [Route.SetHeaders].
func (c *chain[Self]) SetVariables(fields Fields) Self {
	return c.add(setFieldsStep{inVariables, fields})
}

// RemoveProperty takes a property away.
func (c *chain[Self]) RemoveProperty(name string) Self {
	return c.add(removeFieldStep{inProperties, name})
}

// RemoveProperties takes properties away by a pattern, like [Route.RemoveHeaders].
func (c *chain[Self]) RemoveProperties(pattern string, keep ...string) Self {
	return c.add(removeFieldsStep{inProperties, pattern, keep})
}

// RemoveVariable takes a variable away.
func (c *chain[Self]) RemoveVariable(name string) Self {
	return c.add(removeFieldStep{inVariables, name})
}

// RemoveVariables takes variables away by a pattern, like [Route.RemoveHeaders]: those of
// the exchange, or, where the pattern begins with "global:" or "route:", those that
// exchanges share.
func (c *chain[Self]) RemoveVariables(pattern string, keep ...string) Self {
	return c.add(removeFieldsStep{inVariables, pattern, keep})
}

type setFieldsStep struct {
	in     store
	fields Fields
}

func (s setFieldsStep) String() string {
	var names []string
	for _, f := range s.fields {
		names = append(names, fmt.Sprintf("%q", f.Name))
	}
	return fmt.Sprintf("set %s %s", s.in.plural(), strings.Join(names, ", "))
}

func (s setFieldsStep) Build(b *Builder) Processor {
	if len(s.fields) == 0 {
		return b.Errorf("want at least one field")
	}
	set := &setFields{in: s.in, isQuick: true}
	for _, f := range s.fields {
		p := setFieldStep{s.in, f.Name, f.Value}.Build(b)
		q, ok := p.(quick)
		set.isQuick = set.isQuick && ok && q.quick()
		set.names, set.all = append(set.names, f.Name), append(set.all, p)
	}
	return set
}

type setFields struct {
	in      store
	names   []string
	all     []Processor
	isQuick bool
}

func (s *setFields) quick() bool { return s.isQuick }

func (s *setFields) Process(ctx context.Context, ex *Exchange) error {
	for i, p := range s.all {
		if err := p.Process(ctx, ex); err != nil {
			return fmt.Errorf("%s %q: %w", s.in, s.names[i], err)
		}
	}
	return nil
}

type removeFieldStep struct {
	in   store
	name string
}

func (s removeFieldStep) String() string { return fmt.Sprintf("remove %s %q", s.in, s.name) }

func (s removeFieldStep) Build(b *Builder) Processor {
	if s.name == "" {
		return b.Errorf("want a name")
	}
	if s.in == inVariables && shared(s.name) {
		return removeShared{func(name string) bool { return strings.EqualFold(name, s.name) }}
	}
	return removeFields{s.in, func(name string) bool { return equalFold(name, s.name) }}
}

type removeFieldsStep struct {
	in      store
	pattern string
	keep    []string
}

func (s removeFieldsStep) String() string {
	return fmt.Sprintf("remove %s %q", s.in.plural(), s.pattern)
}

func (s removeFieldsStep) Build(b *Builder) Processor {
	if s.pattern == "" {
		return b.Errorf("want a pattern; * stands for any text")
	}
	match := func(name string) bool {
		for _, keep := range s.keep {
			if matches(keep, name) {
				return false
			}
		}
		return matches(s.pattern, name)
	}
	if s.in == inVariables && shared(s.pattern) {
		return removeShared{match}
	}
	return removeFields{s.in, match}
}

type removeFields struct {
	in    store
	match func(name string) bool
}

func (removeFields) quick() bool { return true }

func (r removeFields) Process(_ context.Context, ex *Exchange) error {
	if r.in != inVariables || ex.variables != nil {
		ex.fields(r.in).remove(r.match)
	}
	return nil
}

// removeShared is removeFields for variables that exchanges share.
type removeShared struct{ match func(name string) bool }

func (removeShared) quick() bool { return true }

func (r removeShared) Process(_ context.Context, ex *Exchange) error {
	if ex.at != nil {
		ex.at.engine.variables.removeAll(r.match)
	}
	return nil
}

// matches tells whether name matches pattern, without case, where * stands for any text.
func matches(pattern, name string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if len(name) < len(first) || !equalFold(name[:len(first)], first) {
		return false
	}
	name = name[len(first):]
	if !star {
		return name == ""
	}
	for i := range len(name) + 1 {
		if matches(rest, name[i:]) {
			return true
		}
	}
	return false
}

// checkName refuses names that could not leave the process: a line break in the name of a
// header would forge others.
func checkName(in store, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("want a name")
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("want the name of a %s without line breaks or other control characters, have %q", in, name)
	}
	return nil
}
