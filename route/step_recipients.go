package route

import (
	"cmp"
	"context"
	"fmt"
)

// RecipientOptions are the options of a [Route.RecipientList]. The zero value sends to one
// recipient after the other.
type RecipientOptions struct {
	FanOut

	// Delimiter stands between the URIs of a text; "" means ",". Where URIs have commas
	// themselves the value can also be a [URI], which is one recipient, or a []string.
	Delimiter string

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

// RecipientEndpoint is the property of each copy that a [Route.RecipientList] sends: the
// URI of its recipient, without secrets.
var RecipientEndpoint = NewProperty[string]("CamelRecipientListEndpoint")

// RecipientList sends a copy of the exchange to each of the endpoints that e gives: text
// with the URIs and commas between them, a [URI], a []string, a []URI, another sequence of
// strings of up to 10 000, or nil for none. Nothing is sent before there are endpoints for
// all of them. The copies have the properties [MulticastIndex], [MulticastComplete] and
// [RecipientEndpoint]. Where all recipients succeed the exchange goes on with the body and
// headers of the last copy, as after a [Route.Multicast]. The error of a recipient is handled for
// its copy alone: what is sent again goes to that recipient only.
//
// Placeholders are not replaced in the URIs: see [Route.ToD].
func (c *chain[Self]) RecipientList(e Expr, opts ...RecipientOptions) Self {
	return c.add(recipientsStep{e, opts})
}

type recipientsStep struct {
	e    Expr
	opts []RecipientOptions
}

func (recipientsStep) String() string { return "recipient list" }

func (s recipientsStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	errs := len(b.errs)
	r := &recipients{fan: o.FanOut.build(b, true), to: slipRouter{
		by:        b.textValue(s.e),
		delimiter: cmp.Or(o.Delimiter, ","),
		endpoints: b.endpoints(o.AllowedSchemes, o.CacheSize).handled(b),
		ignore:    o.IgnoreInvalidEndpoints,
		logger:    b.Logger,
	}}
	if r.to.by.key == nil && r.to.by.eval == nil && len(b.errs) == errs {
		r.to.check(b)
	}
	return r
}

type recipients struct {
	fan
	to slipRouter
}

func (r *recipients) Process(ctx context.Context, ex *Exchange) error {
	list, err := r.to.slip(ctx, ex)
	if err != nil {
		return err
	}
	var few [8]*target
	targets := few[:0]
	for uri := list.next(); uri != ""; uri = list.next() {
		if len(targets) == maxURIs {
			return fmt.Errorf("want up to %d recipients, have more", maxURIs)
		}
		t, err := r.to.endpoints.get(uri)
		if err == nil {
			targets = append(targets, t)
			continue
		}
		if r.to.ignore {
			err = ignored(ctx, r.to.logger, ex, err)
		}
		if err != nil {
			return err
		}
	}
	var p parts
	p.begin(ctx, ex, &r.fan)
	for i := 0; i < len(targets) && p.room(); i++ {
		part := p.next()
		MulticastIndex.Set(part, i)
		MulticastComplete.Set(part, i == len(targets)-1)
		RecipientEndpoint.Set(part, targets[i].shown)
		p.lead(part, r.prepared(targets[i].handled))
	}
	return p.end()
}
