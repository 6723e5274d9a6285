package route

import (
	"context"
	"fmt"
)

// EnrichOptions are for [Route.Enrich] and [Route.EnrichD].
type EnrichOptions struct {
	// Merge makes one of the exchange, its group, and of the reply, its next. nil means
	// that the exchange gets the body and headers of the reply.
	Merge Strategy

	// AggregateOnException calls Merge also where the request has failed: next is then the
	// request, with the error in the property [Caught]. Otherwise the exchange fails.
	AggregateOnException bool

	// VariableReceive is the variable that gets the body of the reply, as in
	// [Exchange.Variable]. The exchange stays as it was otherwise. It excludes Merge.
	VariableReceive string

	// Dynamic is for EnrichD alone.
	Dynamic DynamicOptions
}

// Enrich sends a copy of the exchange to an endpoint as a request, waits for the reply, and
// merges that into the exchange. A Stop on the way of the request ends that alone.
func (c *chain[Self]) Enrich(u URI, opts ...EnrichOptions) Self {
	return c.add(enrichStep{u, false, opts})
}

// EnrichD is [Route.Enrich] from the endpoint whose URI a text in the simple language
// gives, as in [Route.ToD].
func (c *chain[Self]) EnrichD(uri string, opts ...EnrichOptions) Self {
	return c.add(enrichStep{URI(uri), true, opts})
}

type enrichStep struct {
	uri     URI
	dynamic bool
	opts    []EnrichOptions
}

func (s enrichStep) String() string { return fmt.Sprintf("enrich %q", s.uri) }

func (s enrichStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	e := &enrich{
		sender: b.senderOf(s.uri, s.dynamic, o.Dynamic),
		merger: b.merger(o.Merge, o.AggregateOnException, o.VariableReceive),
	}
	return e
}

type enrich struct {
	sender *sender
	merger
}

func (e *enrich) Process(ctx context.Context, ex *Exchange) error {
	to, err := e.sender.target(ctx, ex)
	if to == nil {
		return err
	}
	request := ex.aside()
	defer request.Release()
	request.reply = true
	err = guarded(ctx, to, request)
	ToEndpoint.Set(ex, to.shown)
	return e.merge(ctx, ex, request, err, UseLatest)
}

// A merger makes one of an exchange and of what it is enriched with.
type merger struct {
	strategy Strategy
	onError  bool
	receive  *key // nil for none
}

func (b *Builder) merger(s Strategy, onError bool, receive string) merger {
	if s != nil && receive != "" {
		b.Errorf("want Merge or VariableReceive, have both")
	}
	if s == nil && onError {
		b.Errorf("AggregateOnException: want Merge too, which deals with the error")
	}
	return merger{s, onError, variable(receive)}
}

// merge merges next into ex; err is that of getting it, otherwise what is done where
// nothing else was asked for.
func (m *merger) merge(ctx context.Context, ex, next *Exchange, err error, otherwise Strategy) error {
	if err != nil {
		if !m.onError || ctx.Err() != nil {
			return err
		}
		Caught.Set(next, err)
	}
	switch {
	case m.receive != nil:
		m.receive.set(ex, next.Body)
		return nil
	case m.strategy == nil:
		return otherwise(ctx, ex, next)
	}
	outer, nested := AggregatedSize.Get(ex)
	AggregatedSize.Set(ex, 1)
	err = m.strategy(ctx, ex, next)
	if nested { // it is a group itself
		AggregatedSize.Set(ex, outer)
	} else {
		ex.RemoveProperty(AggregatedSize.Name())
	}
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	return nil
}
