package jsonpath

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// The names of sections are those of RFC 9535.

const (
	maxResults   = 1_000_000
	stepsPerLook = 1024
)

// An evaluation is one look at one document.
type evaluation struct {
	ctx   context.Context
	root  any
	steps int
	err   error // why nothing more is looked for
}

// step counts, and tells whether to go on.
func (e *evaluation) step() bool {
	if e.err != nil {
		return false
	}
	if e.steps++; e.steps%stepsPerLook == 0 && e.ctx.Err() != nil {
		e.err = context.Cause(e.ctx)
	}
	return e.err == nil
}

// A query is "$" or "@" and its segments (2.1, 2.3.5).
type query struct {
	relative bool
	singular bool // it can lead to one place only (2.3.5.1)
	segments []segment
}

// A segment is a list of selectors, of the descendants too after ".." (2.5).
type segment struct {
	descendant bool
	selectors  []selector
}

// A selector appends to found what it selects of a value (2.3).
type selector interface {
	find(e *evaluation, v any, found []any) []any
}

func (s segment) singular() bool {
	if s.descendant || len(s.selectors) != 1 {
		return false
	}
	switch s.selectors[0].(type) {
	case name, index:
		return true
	}
	return false
}

// one returns what a singular query selects, of current where it is relative, or
// nothing.
func (q *query) one(e *evaluation, current any) any {
	if !q.relative {
		current = e.root
	}
	for _, s := range q.segments {
		ok := false
		switch sel := s.selectors[0].(type) {
		case name:
			current, ok = sel.of(current)
		case index:
			current, ok = sel.of(current)
		}
		if !ok {
			return nothing{}
		}
	}
	return current
}

// nodes returns what the query selects, of current where it is relative.
func (q *query) nodes(e *evaluation, current any) []any {
	if !q.relative {
		current = e.root
	}
	nodes := []any{current}
	for _, s := range q.segments {
		var found []any
		for _, v := range nodes {
			found = s.find(e, v, found)
		}
		nodes = found
		if e.err == nil && len(nodes) > maxResults {
			e.err = fmt.Errorf("more than %d results", maxResults)
		}
		if len(nodes) == 0 || e.err != nil {
			return nil
		}
	}
	return nodes
}

func (s segment) find(e *evaluation, v any, found []any) []any {
	if !e.step() || len(found) > maxResults {
		return found
	}
	for _, sel := range s.selectors {
		found = sel.find(e, v, found)
	}
	if s.descendant {
		for child := range children(v) {
			found = s.find(e, child, found)
		}
	}
	return found
}

// children yields the elements of a list, or the values of an object in the order of
// their names.
func children(v any) func(yield func(any) bool) {
	return func(yield func(any) bool) {
		switch v := v.(type) {
		case []any:
			for _, child := range v {
				if !yield(child) {
					return
				}
			}
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				if !yield(v[k]) {
					return
				}
			}
		}
	}
}

// A name is a name selector (2.3.1).
type name string

func (n name) of(v any) (any, bool) {
	object, _ := v.(map[string]any)
	child, ok := object[string(n)]
	return child, ok
}

func (n name) find(_ *evaluation, v any, found []any) []any {
	if child, ok := n.of(v); ok {
		return append(found, child)
	}
	return found
}

// A wildcard is "*" (2.3.2).
type wildcard struct{}

func (wildcard) find(e *evaluation, v any, found []any) []any {
	for child := range children(v) {
		if !e.step() {
			break
		}
		found = append(found, child)
	}
	return found
}

// An index counts from the end where it is negative (2.3.3).
type index int

func (i index) of(v any) (any, bool) {
	list, _ := v.([]any)
	n := int(i)
	if n < 0 {
		n += len(list)
	}
	if n < 0 || n >= len(list) {
		return nil, false
	}
	return list[n], true
}

func (i index) find(_ *evaluation, v any, found []any) []any {
	if child, ok := i.of(v); ok {
		return append(found, child)
	}
	return found
}

// A span is an array slice selector (2.3.4).
type span struct {
	start, end *int
	step       int
}

func (s span) find(e *evaluation, v any, found []any) []any {
	list, _ := v.([]any)
	if s.step == 0 {
		return found
	}
	normal := func(at *int, missing, low, high int) int {
		if at == nil {
			return missing
		}
		n := *at
		if n < 0 {
			n += len(list)
		}
		return min(max(n, low), high)
	}
	if s.step > 0 {
		for i, end := normal(s.start, 0, 0, len(list)), normal(s.end, len(list), 0, len(list)); i < end && e.step(); i += s.step {
			found = append(found, list[i])
		}
		return found
	}
	last := len(list) - 1
	for i, end := normal(s.start, last, -1, last), normal(s.end, -1, -1, last); i > end && e.step(); i += s.step {
		found = append(found, list[i])
	}
	return found
}

// A filter is "?" and a condition (2.3.5).
type filter struct{ keep condition }

func (f filter) find(e *evaluation, v any, found []any) []any {
	for child := range children(v) {
		if !e.step() {
			break
		}
		if f.keep.holds(e, child) {
			found = append(found, child)
		}
	}
	return found
}
