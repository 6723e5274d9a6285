package route

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A ClaimOperation is what a [Route.ClaimCheck] does.
type ClaimOperation string

// The operations of [Route.ClaimCheck]. A message that is stored is a copy of body and
// headers; the exchange itself goes on with both.
const (
	ClaimSet          ClaimOperation = "set"            // store the message under a key, in the place of one that is there
	ClaimGet          ClaimOperation = "get"            // merge back what is stored under a key
	ClaimGetAndRemove ClaimOperation = "get and remove" // the same, for the last time
	ClaimPush         ClaimOperation = "push"           // store the message on top of a stack
	ClaimPop          ClaimOperation = "pop"            // merge back what is on top of the stack, and take it away
)

// ClaimCheckOptions are those of [Route.ClaimCheck] where it merges. The zero value merges
// the body and all headers.
type ClaimCheckOptions struct {
	// Filter is what is merged back, rules with commas between them: "body", "headers" or
	// "header:pattern", where * in the pattern stands for any text. A rule with - before it
	// excludes what others include; with nothing but such rules all the rest is included.
	// One with -- removes headers from the message that is merged into, in the end:
	//
	//	body,header:order*
	//	-header:trace
	//	body,--headers
	Filter string

	// Strategy merges instead: it is called once, with the exchange as group and what was
	// stored as next. There can be a Filter or a Strategy.
	Strategy Strategy
}

// ClaimCheck stores the message, so that steps need not carry it, and merges it back later.
// key, which may be an expression, gives a text; [ClaimPush] and [ClaimPop] have none: nil.
//
// What is stored belongs to the exchange, wherever routes lead it within a call; a clone, such
// as a part of a split, has a copy of its own. Bodies are not copied: what changes a
// body in place changes the stored one too. An exchange can store 1000 messages.
//
// To ask for what is not there is an error; Camel goes on as if nothing was said.
func (c *chain[Self]) ClaimCheck(op ClaimOperation, key Expr, opts ...ClaimCheckOptions) Self {
	return c.add(claimStep{op, key, opts})
}

type claimStep struct {
	op   ClaimOperation
	key  Expr
	opts []ClaimCheckOptions
}

func (s claimStep) String() string { return "claim check: " + string(s.op) }

func (s claimStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	c := &claimCheck{op: s.op, strategy: o.Strategy}
	switch s.op {
	case ClaimSet, ClaimGet, ClaimGetAndRemove:
		c.key = b.value(s.key)
		if text, ok := c.key.constant.(string); c.key.eval == nil && (!ok || text == "") {
			b.Errorf("want a key that is a text, have %#v", s.key)
		}
	case ClaimPush, ClaimPop:
		if s.key != nil {
			b.Errorf("want no key: what is pushed has none")
		}
	default:
		b.Errorf("no such operation: want route.ClaimSet, ClaimGet, ClaimGetAndRemove, ClaimPush or ClaimPop")
	}
	stores := s.op == ClaimSet || s.op == ClaimPush
	switch {
	case stores && (o.Filter != "" || o.Strategy != nil):
		b.Errorf("options are for what merges: everything is stored")
	case o.Filter != "" && o.Strategy != nil:
		b.Errorf("want a filter or a strategy, have both")
	}
	var err error
	if c.filter, err = parseClaimFilter(o.Filter); err != nil {
		b.Errorf("filter %q: %w", o.Filter, err)
	}
	return c
}

// maxClaims is how many messages an exchange can store.
const maxClaims = 1000

// A claim is a message that an exchange has stored. It is not changed any more.
type claim struct {
	key     string // "" for one on the stack
	body    any
	headers fields
}

// claims are those of an exchange, the stack and the others in the order of their storing.
type claims []claim

// find returns the index of the claim with a key, or of the top of the stack, or -1.
func (c claims) find(key string) int {
	for n := len(c); n > 0; n-- {
		if c[n-1].key == key {
			return n - 1
		}
	}
	return -1
}

type claimCheck struct {
	op       ClaimOperation
	key      value
	filter   claimFilter
	strategy Strategy
}

func (c *claimCheck) Process(ctx context.Context, ex *Exchange) error {
	key := ""
	if c.op != ClaimPush && c.op != ClaimPop {
		v, err := c.key.get(ctx, ex)
		if err != nil {
			return err
		}
		var ok bool
		if key, ok = v.(string); !ok || key == "" {
			return fmt.Errorf("want a key that is a text, have %#v", v)
		}
	}
	at := ex.claims.find(key)
	switch {
	case c.op == ClaimSet || c.op == ClaimPush:
		if c.op == ClaimPush || at < 0 {
			if at = len(ex.claims); at == maxClaims {
				return fmt.Errorf("%d messages are stored already", maxClaims)
			}
			ex.claims = slices.Grow(ex.claims, 1)[:at+1]
		}
		kept := &ex.claims[at]
		kept.key, kept.body = key, ex.Body
		kept.headers.reset()
		kept.headers.copyFrom(&ex.headers)
		return nil
	case at < 0 && key == "":
		return fmt.Errorf("nothing was pushed")
	case at < 0:
		return fmt.Errorf("nothing is stored under %q", key)
	}
	err := c.merge(ctx, ex, &ex.claims[at])
	if c.op != ClaimGet && err == nil {
		ex.claims = slices.Delete(ex.claims, at, at+1)
	}
	return err
}

func (c *claimCheck) merge(ctx context.Context, ex *Exchange, from *claim) error {
	if c.strategy != nil {
		stored := ex.Clone()
		defer stored.Release()
		stored.Body = from.body
		stored.headers.reset()
		stored.headers.copyFrom(&from.headers)
		return c.strategy(ctx, ex, stored)
	}
	c.filter.merge(ex, from)
	return nil
}

// A claimFilter says what of a stored message is merged.
type claimFilter struct {
	body    bool
	include []string // patterns of headers
	exclude []string
	remove  []string
}

func parseClaimFilter(text string) (f claimFilter, err error) {
	named := false // whether a rule includes something
	noBody := false
	for rule := range strings.SplitSeq(text, ",") {
		rule = strings.TrimSpace(rule)
		if rule == "" {
			if text == "" {
				break
			}
			return f, fmt.Errorf("a rule is empty")
		}
		what, remove := strings.CutPrefix(rule, "--")
		exclude, include := false, false
		if !remove {
			if what, exclude = strings.CutPrefix(rule, "-"); !exclude {
				what, include = strings.TrimPrefix(rule, "+"), true
			}
		}
		kind, pattern, isPattern := strings.Cut(what, ":")
		switch {
		case kind == "headers" && !isPattern:
			pattern = "*"
		case (kind == "header" || kind == "headers") && pattern != "":
		case what == "body" && !remove:
			f.body, noBody, named = f.body || include, noBody || exclude, named || include
			continue
		default:
			return f, fmt.Errorf("the rule %q is not known: want body, headers or header:pattern, with + or - before it, or headers or header:pattern with --", rule)
		}
		switch {
		case remove:
			f.remove = append(f.remove, pattern)
		case exclude:
			f.exclude = append(f.exclude, pattern)
		default:
			f.include, named = append(f.include, pattern), true
		}
	}
	if !named {
		f.body, f.include = true, []string{"*"}
	}
	f.body = f.body && !noBody
	return f, nil
}

func (f *claimFilter) merge(ex *Exchange, from *claim) {
	if f.body {
		ex.Body = from.body
	}
	for h := range from.headers.each() {
		switch {
		case !matchesAny(f.include, h.name) || matchesAny(f.exclude, h.name):
		case h.isText:
			ex.headers.setText(&name{h.name, h.hash}, h.text)
		default:
			ex.headers.set(&name{h.name, h.hash}, h.value)
		}
	}
	if len(f.remove) > 0 {
		ex.headers.remove(func(name string) bool { return matchesAny(f.remove, name) })
	}
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) })
}
