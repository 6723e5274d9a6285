package route

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// SlipOptions are for [Route.RoutingSlip] and [Route.DynamicRouter].
type SlipOptions struct {
	// Delimiter stands between the URIs of a text; "" means ",".
	Delimiter string

	// MaxHops is how many endpoints one exchange is led to; 0 means 1000. More are an
	// error, which tells the last ones.
	MaxHops int

	// AllowedSchemes are the schemes that the URIs may have; nil means any. Where the
	// URIs come from messages, they keep who sends those from choosing what the program
	// talks to.
	AllowedSchemes []string

	// IgnoreInvalidEndpoints leaves out endpoints that there are not. That a scheme is
	// not allowed is an error even so.
	IgnoreInvalidEndpoints bool

	// CacheSize is how many endpoints are kept for later exchanges, those used last; 0
	// means 1000, and less than that none.
	CacheSize int
}

// SlipEndpoint is the property that tells which endpoint a [Route.RoutingSlip] or a
// [Route.DynamicRouter] has sent to last: its URI, without secrets.
var SlipEndpoint = NewProperty[string]("CamelSlipEndpoint")

// RoutingSlip sends the exchange to one endpoint after the other. Which, e tells once,
// before the first: text with the URIs and commas between them, a []string, a []any of
// strings, a []URI, or nil for none. The properties [SlipEndpoint] and [ToEndpoint] tell
// where it is. An error and a [Route.Stop] end the slip. What an error handler sends again
// goes to the endpoint that has failed, not to those before.
//
// Placeholders are not replaced in the URIs: see [Route.ToD].
func (c *chain[Self]) RoutingSlip(e Expr, opts ...SlipOptions) Self {
	return c.add(slipStep{e, false, opts})
}

// DynamicRouter sends the exchange to the endpoints that e gives, as [Route.RoutingSlip]
// does, and then asks e again, until that gives nil or the empty text. e sees where the
// exchange was last in the property [SlipEndpoint], which is not there at first. So as not
// to go round for ever, there is [SlipOptions.MaxHops].
func (c *chain[Self]) DynamicRouter(e Expr, opts ...SlipOptions) Self {
	return c.add(slipStep{e, true, opts})
}

type slipStep struct {
	e     Expr
	again bool
	opts  []SlipOptions
}

func (s slipStep) String() string {
	if s.again {
		return "dynamic router"
	}
	return "routing slip"
}

func (s slipStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	if o.MaxHops < 0 {
		b.Errorf("MaxHops: want more than 0, or 0 for 1000, have %d", o.MaxHops)
	}
	errs := len(b.errs)
	r := &slipRouter{
		by:        b.textValue(s.e),
		delimiter: cmp.Or(o.Delimiter, ","),
		again:     s.again,
		max:       cmp.Or(o.MaxHops, 1000),
		endpoints: b.endpoints(o.AllowedSchemes, o.CacheSize).handled(b),
		ignore:    o.IgnoreInvalidEndpoints,
		logger:    b.Logger,
	}
	switch {
	case r.by.key != nil || r.by.eval != nil || len(b.errs) > errs:
	case s.again:
		b.Errorf("want an expression: a constant never ends")
	default:
		r.check(b)
	}
	return r
}

// check resolves the endpoints of a constant slip.
func (r *slipRouter) check(b *Builder) {
	list, err := newSlip(r.by.constant, r.delimiter)
	if err != nil {
		b.Errorf("%w", err)
		return
	}
	uri := list.next()
	if uri == "" {
		b.Errorf("want at least one URI")
	}
	for ; uri != ""; uri = list.next() {
		if _, err := r.endpoints.get(uri); err != nil && !(r.ignore && ignorable(err)) {
			b.Errorf("%w", err)
		}
	}
}

type slipRouter struct {
	by        textValue
	delimiter string
	again     bool // by is asked again after its URIs
	max       int
	endpoints *endpoints
	ignore    bool
	logger    *slog.Logger
}

func (r *slipRouter) Process(ctx context.Context, ex *Exchange) error {
	if _, ok := SlipEndpoint.Get(ex); ok {
		ex.RemoveProperty(SlipEndpoint.Name()) // of another router
	}
	var h hops
	for {
		list, err := r.slip(ctx, ex)
		if err != nil {
			return err
		}
		uri := list.next()
		if uri == "" {
			return nil
		}
		for ; uri != ""; uri = list.next() {
			if err := r.hop(ctx, ex, uri, &h); err != nil || ex.stopped {
				return err
			}
		}
		if !r.again {
			return nil
		}
	}
}

// slip returns the URIs that are next.
func (r *slipRouter) slip(ctx context.Context, ex *Exchange) (slip, error) {
	text, other, err := r.by.get(ctx, ex)
	if err != nil || other == nil {
		return slip{text: text, delimiter: r.delimiter}, err
	}
	return newSlip(other, r.delimiter)
}

func (r *slipRouter) hop(ctx context.Context, ex *Exchange, uri string, h *hops) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if h.n == r.max {
		return fmt.Errorf("led to more than %d endpoints, the last ones %s: is there no end?", r.max, h.String())
	}
	t, err := r.endpoints.get(uri)
	switch {
	case err != nil && r.ignore:
		h.add(URI(uri).String())
		return ignored(ctx, r.logger, ex, err)
	case err != nil:
		return err
	}
	h.add(t.shown)
	SlipEndpoint.Set(ex, t.shown)
	err = t.handled.Process(ctx, ex)
	if r.again {
		SlipEndpoint.Set(ex, t.shown) // where a router of the endpoint has set it too
	}
	return err
}

// hops are the endpoints that an exchange was led to.
type hops struct {
	n    int
	last [4]string
}

func (h *hops) add(shown string) {
	h.last[h.n%len(h.last)] = shown
	h.n++
}

func (h *hops) String() string {
	var last []string
	for i := max(0, h.n-len(h.last)); i < h.n; i++ {
		last = append(last, h.last[i%len(h.last)])
	}
	return strings.Join(last, ", ")
}
