package route

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// ThrottleOptions are the options of [Route.Throttle].
type ThrottleOptions struct {
	// Per is the time in which no more than so many exchanges pass; 0 means a second.
	Per time.Duration

	// Concurrent counts exchanges at a time instead: one that has passed counts until it is
	// done, as [Exchange.OnDone] has it, also where it comes by again. It excludes Per.
	Concurrent bool

	// By is a key; exchanges with different keys do not count together. It is a text that
	// is not empty, a []byte, a bool or an integer. By default all count together.
	By Expr

	// MaxKeys is how many keys are known at a time; 0 means 10,000. A key is forgotten where
	// there is no room when nothing that counts has it. Where there is none such an exchange
	// with another key fails.
	MaxKeys int

	// Reject makes an exchange that would have to wait fail with a [*ThrottledError].
	Reject bool

	// Async lets the worker of an exchange that waits take the next message, where the
	// consumer lets that happen: see [Route.Delay].
	Async bool
}

const maxThrottleKeys = 10_000

// Throttle lets no more than max exchanges pass in any second. Others wait until they
// may, first come, first served, or until their context is done. max may be an expression;
// what it is for an exchange counts for that one.
//
// The first ones pass at once, as many as max allows, and others when those are a second
// ago. There are never more; but those who pass within a two-hundredth of the time count as
// if they had passed together, with the last of them.
func (c *chain[Self]) Throttle(max Expr, options ...ThrottleOptions) Self {
	return c.add(throttleStep{max, options})
}

// A ThrottledError says that an exchange would have had to wait in a [Route.Throttle].
type ThrottledError struct {
	Max   int           // how many pass
	Per   time.Duration // 0 for at a time
	Key   string        // "" for none
	After time.Duration // how long until it could pass; 0 where nobody knows
}

func (e *ThrottledError) Error() string {
	text := fmt.Sprintf("throttled: no more than %d at a time", e.Max)
	if e.Per > 0 {
		text = fmt.Sprintf("throttled: no more than %d in %v", e.Max, e.Per)
	}
	if e.Key != "" {
		text += fmt.Sprintf(" with key %.60q", e.Key)
	}
	return text
}

type throttleStep struct {
	max     Expr
	options []ThrottleOptions
}

func (s throttleStep) String() string {
	text := "throttle"
	if n, ok := s.max.(int); ok {
		text = fmt.Sprintf("throttle %d", n)
	}
	if len(s.options) > 0 && s.options[0].Concurrent {
		return text + " at a time"
	}
	per := time.Second
	if len(s.options) > 0 {
		per = cmp.Or(s.options[0].Per, per)
	}
	return fmt.Sprintf("%s in %v", text, per)
}

func (s throttleStep) Build(b *Builder) Processor {
	o := only(b, s.options)
	switch {
	case o.Per < 0:
		b.Errorf("want a Per that is not negative, have %v", o.Per)
	case o.Per > 0 && o.Concurrent:
		b.Errorf("want a Per or Concurrent, have both")
	}
	if o.MaxKeys < 0 || o.MaxKeys > 0 && o.By == nil {
		b.Errorf("want a MaxKeys that is not negative, and only with By, have %d", o.MaxKeys)
	}
	if !o.Concurrent {
		o.Per = cmp.Or(o.Per, time.Second)
	}
	t := &throttle{ThrottleOptions: o, max: b.count(s.max, "a number of exchanges", 1)}
	if o.By != nil {
		t.by = b.correlation(o.By)
		t.lines = &lines{max: cmp.Or(o.MaxKeys, maxThrottleKeys), open: t.line}
	} else {
		t.one = newKeyedLine(nil, t.line(), "")
	}
	return t
}

type throttle struct {
	ThrottleOptions
	max   count
	one   *keyedLine // where there are no keys
	by    correlation
	lines *lines
}

func (t *throttle) line() *line {
	if t.Concurrent {
		return new(line)
	}
	return &line{window: &window{per: t.Per, base: time.Now()}}
}

func (t *throttle) Process(ctx context.Context, ex *Exchange) error {
	max, err := t.max.of(ctx, ex)
	if err != nil {
		return err
	}
	l := t.one
	if l == nil {
		key, err := t.by.text(ctx, ex)
		if err != nil {
			return err
		}
		if l, err = t.lines.get(key); err != nil {
			return err
		}
	}
	if t.Concurrent && l.hasPassed(ex) {
		l.put()
		return nil
	}
	if err := t.pass(ctx, l, ex, max); err != nil || !t.Concurrent {
		l.put()
		return err
	}
	l.count(ex)
	return nil
}

func (t *throttle) pass(ctx context.Context, l *keyedLine, ex *Exchange, max int) error {
	if !t.Reject {
		return l.wait(ctx, ex, max, t.Async)
	}
	if ok, after := l.enter(max); !ok {
		return &ThrottledError{max, t.Per, l.key, after}
	}
	return nil
}
