package watermill

import (
	"context"

	"github.com/mehari-go/mehari/route"
)

type producer struct{ wire *Wire }

var _ route.Producer = producer{}

func (p producer) String() string { return p.wire.Address }

// Process implements [route.Processor]: it sends the exchange as a message, and returns when
// the publisher has taken it. A publisher that is at work cannot be called off: how long it
// may take is told by its own timeouts.
func (p producer) Process(ctx context.Context, ex *route.Exchange) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	m, err := p.wire.leave(ctx, ex)
	if err != nil {
		return err
	}
	return p.wire.Publisher.publish(ctx, p.wire.Topic, m)
}
