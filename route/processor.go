package route

import "context"

// A Processor does one thing with an exchange. It may change the exchange; an error
// ends the exchange's way and goes back to the consumer as its acknowledgement.
//
// Process may be called from many goroutines at once, each with an exchange of its
// own. It returns soon after ctx is done. It does not keep the exchange: what is
// needed later is a [Exchange.Clone].
type Processor interface {
	Process(ctx context.Context, ex *Exchange) error
}

// ProcessorFunc makes a [Processor] of a function.
type ProcessorFunc func(ctx context.Context, ex *Exchange) error

// Process calls f.
func (f ProcessorFunc) Process(ctx context.Context, ex *Exchange) error { return f(ctx, ex) }

// Map makes a processor of a typed function: the body goes in, the result becomes the
// body. A body of another type is an error that names both.
func Map[In, Out any](f func(context.Context, In) (Out, error)) ProcessorFunc {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, ex *Exchange) error {
		in, err := BodyAs[In](ex)
		if err != nil {
			return err
		}
		out, err := f(ctx, in)
		if err != nil {
			return err
		}
		ex.Body = out
		return nil
	}
}
