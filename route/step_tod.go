package route

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/mehari-go/mehari/language/simple"
)

// DynamicOptions are for steps whose endpoint is known at run time only.
type DynamicOptions struct {
	// AllowedSchemes are the schemes that the URI may have; nil means any. Where a part
	// of the URI comes from messages, they keep who sends those from choosing what the
	// program talks to.
	AllowedSchemes []string

	// IgnoreInvalidEndpoint makes the exchange go on where there is no such endpoint.
	// That a scheme is not allowed is an error even so.
	IgnoreInvalidEndpoint bool

	// CacheSize is how many endpoints are kept for later exchanges, those used last; 0
	// means 1000, and less than that none.
	CacheSize int
}

// zero tells whether nothing is set.
func (o *DynamicOptions) zero() bool {
	return o.AllowedSchemes == nil && !o.IgnoreInvalidEndpoint && o.CacheSize == 0
}

// ToEndpoint is the property that tells which endpoint was sent to last, or polled: its
// URI, without secrets. Unlike those of Camel, [Route.To] and [Route.ToWith] do not set it:
// it would cost as much as they do.
var ToEndpoint = NewProperty[string]("CamelToEndpoint")

// ToD sends the exchange to the endpoint whose URI a text in the simple language gives,
// such as "direct:${header.kind}". Property [ToEndpoint] tells which.
//
// Placeholders are replaced in the text, when the route is built, but not in what comes
// from exchanges: a URI in which there still are some is refused, as is one with control
// characters. A value from an exchange may bring options of its own with it, such as
// "a?timeout=1", which the allowed schemes do not keep it from.
func (c *chain[Self]) ToD(uri string, opts ...DynamicOptions) Self { return c.add(toDStep{uri, opts}) }

type toDStep struct {
	uri  string
	opts []DynamicOptions
}

func (s toDStep) String() string { return fmt.Sprintf("toD %q", URI(s.uri)) }

func (s toDStep) Build(b *Builder) Processor {
	to := b.senderD(s.uri, only(b, s.opts))
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) error {
		t, err := to.target(ctx, ex)
		if t == nil {
			return err
		}
		return t.Process(ctx, ex)
	})
}

// A sender finds what a step sends to.
type sender struct {
	fixed *target // or, where it is nil:

	text      *simple.Template
	endpoints *endpoints
	ignore    bool
	logger    *slog.Logger
	buffers   sync.Pool
}

// sender is for the endpoint at u.
func (b *Builder) sender(u URI) *sender {
	return &sender{fixed: &target{endpoint: b.Producer(u), uri: string(u), shown: u.String()}}
}

// senderD is for endpoints whose URIs are what the text of a template gives.
func (b *Builder) senderD(text string, o DynamicOptions) *sender {
	s := &sender{
		endpoints: b.endpoints(o.AllowedSchemes, o.CacheSize),
		ignore:    o.IgnoreInvalidEndpoint,
		logger:    b.Logger,
		buffers:   sync.Pool{New: func() any { return new([]byte) }},
	}
	s.text = b.uriText(text, s.endpoints, o, func(uri string) error {
		_, err := s.endpoints.get(uri)
		return err
	})
	return s
}

// uriText returns the template of URIs of endpoints. It checks as much of the text as is
// known now; check is called with one that is known as a whole.
func (b *Builder) uriText(text string, e *endpoints, o DynamicOptions, check func(uri string) error) *simple.Template {
	errs := len(b.errs)
	t := b.template(text)
	if len(b.errs) > errs {
		return t
	}
	var err error
	if uri, ok := t.Constant(); ok {
		err = check(strings.TrimSpace(uri))
	} else if scheme, _, ok := strings.Cut(strings.TrimSpace(t.String()), ":"); ok && isScheme(scheme) {
		err = e.foreign.permits(scheme)
	}
	if err != nil && !(o.IgnoreInvalidEndpoint && ignorable(err)) {
		b.Errorf("%w", err)
	}
	return t
}

// target returns nil where there is no endpoint and that is to be ignored.
func (s *sender) target(ctx context.Context, ex *Exchange) (*target, error) {
	if s.fixed != nil {
		return s.fixed, nil
	}
	buf := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buf)
	var err error
	if *buf, err = s.text.Append(ctx, (*buf)[:0], (*scope)(ex)); err != nil {
		return nil, err
	}
	t, err := s.endpoints.find(bytes.TrimSpace(*buf))
	if err != nil && s.ignore {
		return nil, ignored(ctx, s.logger, ex, err)
	}
	return t, err
}

// ignored returns nil for an error of an endpoint that is to be ignored.
func ignored(ctx context.Context, logger *slog.Logger, ex *Exchange, err error) error {
	if !ignorable(err) {
		return err
	}
	logger.LogAttrs(ctx, slog.LevelDebug, "endpoint ignored", slog.String("exchange", ex.ID()), slog.Any("error", err))
	return nil
}
