package route

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/mehari-go/mehari/language/simple"
)

// PollOptions are for [Route.Poll].
type PollOptions struct {
	// Timeout is how long to wait for a message; 0 means 20s, and less than that as long
	// as it takes. A consumer needs a moment to look for one: as little as nothing at all,
	// which Camel has, there is not.
	Timeout time.Duration

	// VariableReceive is the variable that gets the body of the message, as in
	// [Exchange.Variable]. The exchange stays as it was otherwise.
	VariableReceive string
}

// PollEnrichOptions are for [Route.PollEnrich] and [Route.PollEnrichD].
type PollEnrichOptions struct {
	// Timeout is how long to wait for a message; 0 means as long as it takes.
	Timeout time.Duration

	// Merge makes one of the exchange, its group, and of the message, its next. Where
	// there was no message in time, next has no body. nil means what [Route.Poll] does.
	Merge Strategy

	// AggregateOnException calls Merge also where the consumer has failed: next then has
	// the error in the property [Caught]. Otherwise the exchange fails.
	AggregateOnException bool

	// VariableReceive is the variable that gets the body of the message, as in
	// [Exchange.Variable]. The exchange stays as it was otherwise. It excludes Merge.
	VariableReceive string

	// Dynamic is for PollEnrichD alone. Nothing is kept for later exchanges, whatever its
	// CacheSize.
	Dynamic DynamicOptions
}

// Poll takes one message from an endpoint that routes can start from. The exchange gets
// its body, nil if there was none in time, and its headers besides its own, which in Camel
// are lost.
//
// The message is acknowledged when it is taken: if the exchange fails afterwards it is not
// given again. Each exchange takes with a consumer of its own. What else that has fetched
// at once is refused, and is for the next one to take.
func (c *chain[Self]) Poll(u URI, opts ...PollOptions) Self { return c.add(pollStep{u, opts}) }

// PollEnrich is [Route.Poll] with a merge of the exchange and the message.
func (c *chain[Self]) PollEnrich(u URI, opts ...PollEnrichOptions) Self {
	return c.add(pollEnrichStep{u, false, opts})
}

// PollEnrichD is [Route.PollEnrich] from the endpoint whose URI a text in the simple
// language gives, as in [Route.ToD].
func (c *chain[Self]) PollEnrichD(uri string, opts ...PollEnrichOptions) Self {
	return c.add(pollEnrichStep{URI(uri), true, opts})
}

type pollStep struct {
	uri  URI
	opts []PollOptions
}

func (s pollStep) String() string { return fmt.Sprintf("poll %q", s.uri) }

func (s pollStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	p := b.poll(s.uri, max(cmp.Or(o.Timeout, 20*time.Second), 0))
	p.merger = b.merger(nil, false, o.VariableReceive)
	return p
}

type pollEnrichStep struct {
	uri     URI
	dynamic bool
	opts    []PollEnrichOptions
}

func (s pollEnrichStep) String() string { return fmt.Sprintf("poll enrich %q", s.uri) }

func (s pollEnrichStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	if o.Timeout < 0 {
		b.Errorf("Timeout: want more than 0, or 0 for as long as it takes, have %v", o.Timeout)
	}
	var p *poll
	switch {
	case s.dynamic:
		p = b.pollD(string(s.uri), o.Timeout, o.Dynamic)
	case !o.Dynamic.zero():
		b.Errorf("Dynamic has no meaning for an endpoint that is known when the route is built")
		fallthrough
	default:
		p = b.poll(s.uri, o.Timeout)
	}
	p.merger = b.merger(o.Merge, o.AggregateOnException, o.VariableReceive)
	return p
}

// poll is for the endpoint at u.
func (b *Builder) poll(u URI, timeout time.Duration) *poll {
	e := &endpoints{resolve: b.Resolve}
	if _, err := e.consumer(string(u)); err != nil {
		b.Errorf("%w", err)
	}
	return &poll{uri: string(u), endpoints: e, timeout: timeout}
}

// pollD is for endpoints whose URIs are what the text of a template gives.
func (b *Builder) pollD(text string, timeout time.Duration, o DynamicOptions) *poll {
	p := &poll{endpoints: b.endpoints(o.AllowedSchemes, o.CacheSize), timeout: timeout, ignore: o.IgnoreInvalidEndpoint, logger: b.Logger}
	p.text = b.uriText(text, p.endpoints, o, func(uri string) error {
		_, err := p.endpoints.consumer(uri)
		return err
	})
	return p
}

type poll struct {
	merger
	uri       string
	text      *simple.Template // nil where uri is known
	endpoints *endpoints
	timeout   time.Duration // 0 for none
	ignore    bool
	logger    *slog.Logger
}

func (p *poll) Process(ctx context.Context, ex *Exchange) error {
	uri := p.uri
	if p.text != nil {
		text, err := p.text.Append(ctx, nil, (*scope)(ex))
		if err != nil {
			return err
		}
		uri = string(bytes.TrimSpace(text))
	}
	c, err := p.endpoints.consumer(uri)
	if err != nil {
		if p.ignore {
			return ignored(ctx, p.logger, ex, err)
		}
		return err
	}
	ToEndpoint.Set(ex, URI(uri).String())
	next, err := p.take(ctx, c)
	if next == nil {
		next = NewExchange(nil)
	}
	defer next.Release()
	next.at, next.from, next.poison = ex.at, ex.from, ex.poison
	return p.merge(ctx, ex, next, err, addMessage)
}

var errNoMessage = errors.New("there was no message in time")

// take returns nil where there is no message in time, or no more at all.
func (p *poll) take(ctx context.Context, c Consumer) (*Exchange, error) {
	if p.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, p.timeout, errNoMessage)
		defer cancel()
	}
	next, err := receiveOne(ctx, c)
	if err == errNoMessage || errors.Is(err, ErrDone) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c, err)
	}
	return next, nil
}

// addMessage gives an exchange the body of a message, and its headers besides its own.
func addMessage(_ context.Context, ex, next *Exchange) error {
	ex.Body = next.Body
	for name, value := range next.Headers() {
		ex.SetHeader(name, value)
	}
	return nil
}
