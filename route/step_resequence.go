package route

import (
	"cmp"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/mehari-go/mehari/internal/convert"
)

// ResequenceOptions tell how [Route.Resequence] gathers batches. The zero value of each field
// is Camel's default.
type ResequenceOptions struct {
	BatchSize    int           // sends a batch that has so many exchanges; 0 means 100
	BatchTimeout time.Duration // sends a batch so long after its first exchange came; 0 means 1s

	// AllowDuplicates keeps exchanges with the same value, in the order in which they came.
	// Otherwise the first one in a batch is kept, and the others are dropped, which is logged.
	AllowDuplicates bool

	Reverse       bool // the greatest value first
	IgnoreInvalid bool // exchanges without a value that can be compared are passed over; otherwise they fail
}

// StreamOptions tell how [Route.ResequenceStream] orders exchanges. The zero value of each
// field is Camel's default.
type StreamOptions struct {
	Capacity      int           // how many exchanges may wait; one more waits until there is room; 0 means 1000
	Timeout       time.Duration // how long an exchange waits for those that are missing before it; 0 means 1s
	RejectOld     bool          // fail exchanges that belong before the one that was sent last
	IgnoreInvalid bool          // exchanges without a value that fits are passed over; otherwise they fail

	// Distance returns how far value b is behind a: 1 where it follows directly, 0 where both
	// are the same, less where it is before. Nil means b-a, for values that are whole
	// numbers, or text of one.
	Distance func(a, b any) (int64, error)
}

// Resequence gathers exchanges in batches, sorts each batch by the values that by gives, which
// are numbers, texts or times, and leads the exchanges through body in that order, one
// after the other, in a goroutine of the route.
//
// As with [Route.Aggregate], the exchange itself goes on behind the step as soon as a copy of
// it is in a batch; one more than a batch holds waits until that is sent. What becomes of
// the copy is told like the outcome of an exchange that nobody waits for; the term of a
// leader is kept. When the route stops, the exchanges that are left are sent.
func (c *chain[Self]) Resequence(by Expr, body *Block, opts ...ResequenceOptions) Self {
	return c.add(resequenceStep{by, body, opts})
}

// ResequenceStream is like [Route.Resequence], for values that follow each other, such as 1,
// 2, 3: each exchange is sent as soon as the one before it was. An exchange before which
// others are missing waits for them, but not longer than the timeout, so does the first of
// all. Of exchanges with the same value that wait, the first one is kept.
func (c *chain[Self]) ResequenceStream(by Expr, body *Block, opts ...StreamOptions) Self {
	return c.add(resequenceStreamStep{by, body, opts})
}

type resequenceStep struct {
	by   Expr
	body *Block
	opts []ResequenceOptions
}

func (resequenceStep) String() string { return "resequence" }

func (s resequenceStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	r := &resequencer{
		places: cmp.Or(o.BatchSize, 100), timeout: cmp.Or(o.BatchTimeout, time.Second), batch: true,
		duplicates: o.AllowDuplicates, ignoreInvalid: o.IgnoreInvalid, valid: sortable, distance: compare,
	}
	if o.BatchSize < 0 || o.BatchTimeout < 0 {
		b.Errorf("want no negative BatchSize or BatchTimeout, have %d and %v", o.BatchSize, o.BatchTimeout)
	}
	if o.Reverse {
		r.distance = func(x, y any) (int64, error) { return compare(y, x) }
	}
	return r.build(b, s.by, s.body)
}

type resequenceStreamStep struct {
	by   Expr
	body *Block
	opts []StreamOptions
}

func (resequenceStreamStep) String() string { return "resequence stream" }

func (s resequenceStreamStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	r := &resequencer{
		places: cmp.Or(o.Capacity, 1000), timeout: cmp.Or(o.Timeout, time.Second),
		rejectOld: o.RejectOld, ignoreInvalid: o.IgnoreInvalid, valid: wholeNumber, distance: difference,
	}
	if o.Capacity < 0 || o.Timeout < 0 {
		b.Errorf("want no negative Capacity or Timeout, have %d and %v", o.Capacity, o.Timeout)
	}
	if o.Distance != nil {
		r.valid, r.distance = anyValue, o.Distance
	}
	return r.build(b, s.by, s.body)
}

func (r *resequencer) build(b *Builder, by Expr, body *Block) Processor {
	r.run, r.by = b.route, b.value(by)
	if r.by.eval == nil {
		b.Errorf("want an expression, have the constant %v", r.by.constant)
	}
	r.wake = make(chan struct{}, 1)
	b.Background(r.keepOrder) // before that of the body, which stops later therefore
	r.body = b.filled(body)
	return r
}

// sortable returns v as a value that compare knows.
func sortable(v any) (any, error) {
	switch v := v.(type) {
	case nil, io.Reader, bool:
		return nil, fmt.Errorf("want a number, a text or a time to sort by, have %T", v)
	case string, int64, float64, time.Time:
		return v, nil
	case []byte:
		return string(v), nil
	case int:
		return int64(v), nil
	}
	switch k := reflect.TypeOf(v).Kind(); {
	case reflect.Int <= k && k <= reflect.Uintptr:
		return convert.As[int64](v)
	case k == reflect.Float32 || k == reflect.Float64:
		return convert.As[float64](v)
	case k == reflect.String:
		return reflect.ValueOf(v).String(), nil
	}
	return nil, fmt.Errorf("want a number, a text or a time to sort by, have %T", v)
}

// compare returns how far b is behind a, as far as that can be told: 1, 0 or -1.
func compare(a, b any) (int64, error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return int64(cmp.Compare(y, x)), nil
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return int64(y.Compare(x)), nil
		}
	case int64:
		switch y := b.(type) {
		case int64:
			return int64(cmp.Compare(y, x)), nil
		case float64:
			return int64(cmp.Compare(y, float64(x))), nil
		}
	case float64:
		switch y := b.(type) {
		case int64:
			return int64(cmp.Compare(float64(y), x)), nil
		case float64:
			return int64(cmp.Compare(y, x)), nil
		}
	}
	return 0, fmt.Errorf("a %T cannot be sorted with a %T", b, a)
}

func wholeNumber(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, fmt.Errorf("want a whole number to order by, have nil")
	case int:
		return int64(v), nil
	case int64:
		return v, nil
	}
	return convert.As[int64](v)
}

func anyValue(v any) (any, error) { return v, nil }

// difference is b-a, or as near to that as an int64 comes.
func difference(a, b any) (int64, error) {
	x, y := a.(int64), b.(int64)
	d := y - x
	if (d < 0) != (y < x) { // it does not fit
		return int64(cmp.Compare(y, x)) * (1<<63 - 1), nil
	}
	return d, nil
}
