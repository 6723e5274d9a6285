package route

import (
	"context"
	"fmt"
	"time"
)

// Delay waits. The value is a [time.Duration], or a number of milliseconds. An exchange
// is not acknowledged before it has waited.
//
// Where the consumer has a limited number of workers and lets exchanges leave them, as
// seda does, the worker of the exchange takes the next message meanwhile. Then messages
// can overtake each other, even where all wait equally long, and more of them are on
// their way than the consumer has workers, up to a bound that the consumer sets; see
// [DelayOptions.Blocking]. Consumers whose messages have an order, such as timers,
// have no such workers, and so keep it. Nor have the parts of a [Route.Split] and other
// exchanges that steps make.
func (c *chain[Self]) Delay(e Expr, options ...DelayOptions) Self {
	return c.add(delayStep{e, options})
}

// DelayOptions are the options of [Route.Delay].
type DelayOptions struct {
	// Blocking keeps the worker of the exchange, so that the order of messages stays. It is
	// the contrary of Camel's asyncDelayed, which is the default there too.
	Blocking bool
}

type delayStep struct {
	e       Expr
	options []DelayOptions
}

func (s delayStep) String() string {
	switch s.e.(type) {
	case time.Duration, int:
		return fmt.Sprintf("delay %v", s.e)
	}
	return "delay"
}

func (s delayStep) Build(b *Builder) Processor {
	v := b.value(s.e)
	if v.eval == nil {
		if _, err := asDuration(v.constant); err != nil {
			return b.Errorf("%w", err)
		}
	}
	async := !only(b, s.options).Blocking
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) error {
		x, err := v.get(ctx, ex)
		if err != nil {
			return err
		}
		d, err := asDuration(x)
		if err != nil || d == 0 {
			return err
		}
		return ex.pause(ctx, d, async)
	})
}

// asDuration takes numbers as milliseconds, as Camel does.
func asDuration(v any) (d time.Duration, err error) {
	switch v := v.(type) {
	case time.Duration:
		d = v
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		d, err = parseDuration(fmt.Sprint(v))
	case string:
		d, err = parseDuration(v)
	default:
		return 0, fmt.Errorf("want a time.Duration or a whole number of milliseconds, have %T", v)
	}
	if err != nil || d < 0 {
		return 0, fmt.Errorf("want a duration that is not negative, have %q", fmt.Sprint(v))
	}
	return d, nil
}
