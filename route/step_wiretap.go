package route

import (
	"cmp"
	"context"
	"fmt"
)

// TapOptions are for [Route.WireTap] and [Route.WireTapD].
type TapOptions struct {
	// Body is the body that is sent, a value for the exchange itself; nil means its body.
	Body Expr

	// NoCopy sends a message without the headers, properties and variables of the
	// exchange, and, where there is no Body, without a body: Camel's copy=false.
	NoCopy bool

	// Prepare is called with what is sent, before the exchange goes on: Camel's onPrepare.
	// It sets headers, or copies a body that is changed in place later.
	Prepare ProcessorFunc

	// MaxInFlight is how many messages of the step may be on their way at once; 0 means
	// 1000. When there are as many, an exchange waits until one of them is done.
	MaxInFlight int

	// Dynamic is for WireTapD alone.
	Dynamic DynamicOptions
}

// WireTap sends a copy of the exchange to an endpoint, beside the route: the exchange goes
// on without waiting for it, as it was. The copy shares the body. What fails on its way is
// told in the log and is nothing to the exchange. A route that stops waits for what it has
// tapped.
func (c *chain[Self]) WireTap(u URI, opts ...TapOptions) Self {
	return c.add(tapStep{u, false, opts})
}

// WireTapD is [Route.WireTap] to the endpoint whose URI a text in the simple language
// gives, as in [Route.ToD].
func (c *chain[Self]) WireTapD(uri string, opts ...TapOptions) Self {
	return c.add(tapStep{URI(uri), true, opts})
}

type tapStep struct {
	uri     URI
	dynamic bool
	opts    []TapOptions
}

func (s tapStep) String() string { return fmt.Sprintf("wire tap %q", s.uri) }

func (s tapStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	if o.MaxInFlight < 0 || o.MaxInFlight > maxInFlight {
		b.Errorf("MaxInFlight: want from 0, which means 1000, to %d, have %d", maxInFlight, o.MaxInFlight)
		o.MaxInFlight = 0
	}
	t := &tap{
		at:      &stage{route: b.route, node: b.tree},
		sender:  b.senderOf(s.uri, s.dynamic, o.Dynamic),
		bare:    o.NoCopy,
		prepare: o.Prepare,
		room:    make(chan struct{}, cmp.Or(o.MaxInFlight, 1000)),
	}
	t.leave = func(*Exchange, error) { <-t.room }
	if t.hasBody = o.Body != nil; t.hasBody {
		t.body = b.value(o.Body)
	}
	return t
}

const maxInFlight = 1_000_000

// senderOf is for a step that has a variant for endpoints known at run time only.
func (b *Builder) senderOf(u URI, dynamic bool, o DynamicOptions) *sender {
	if dynamic {
		return b.senderD(string(u), o)
	}
	if !o.zero() {
		b.Errorf("Dynamic has no meaning for an endpoint that is known when the route is built")
	}
	return b.sender(u)
}

type tap struct {
	at      *stage // which is to blame
	sender  *sender
	bare    bool
	hasBody bool
	body    value
	prepare ProcessorFunc
	room    chan struct{}
	leave   func(*Exchange, error)
}

func (t *tap) Process(ctx context.Context, ex *Exchange) error {
	select {
	case t.room <- struct{}{}:
	default:
		select {
		case t.room <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	copied := ex.Handover(false)
	to, err := t.fill(ctx, ex, copied)
	if to == nil && err == nil { // to be ignored
		copied.Release()
		<-t.room
		return nil
	}
	copied.spawn(ctx, ProcessorFunc(func(ctx context.Context, copied *Exchange) error {
		copied.flight.at(uint64(t.at.node.index))
		if err == nil {
			err = to.Process(ctx, copied)
		}
		if err != nil {
			return t.at.blame(copied, err)
		}
		return nil
	}), t.leave)
	return nil
}

// fill makes the copy what is to be sent, and tells to where. All that belongs to the tap
// is to its own harm.
func (t *tap) fill(ctx context.Context, ex, copied *Exchange) (to *target, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = newPanicError(p)
		}
	}()
	if to, err = t.sender.target(ctx, ex); to == nil {
		return nil, err
	}
	if t.bare {
		copied.Body = nil
		copied.headers.reset()
		copied.properties.reset()
		copied.variables = nil
	}
	if t.hasBody {
		if copied.Body, err = t.body.get(ctx, ex); err != nil {
			return to, err
		}
	}
	if t.prepare != nil {
		err = t.prepare(ctx, copied)
	}
	return to, err
}
