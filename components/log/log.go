// Package log writes what passes through a route into the engine's log: "log:orders".
// A line looks like
//
//	Exchange[BodyType: string, Body: hello]
//
// or, with groupSize or groupInterval, tells how fast exchanges come.
package log

import (
	"context"
	"log/slog"
	"sync"

	"github.com/mehari-go/mehari/route"
)

// New returns the component.
func New() route.Component { return component{} }

type component struct{}

// Endpoint implements [route.Component].
func (component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	var c Config
	if err := a.Decode(&c); err != nil {
		return nil, err
	}
	if err := c.check(a); err != nil {
		return nil, err
	}
	e := &endpoint{config: c, scheme: a.Scheme, logger: env.Logger, level: c.Level.slog()}
	e.attrs = []slog.Attr{slog.String("logger", c.Name)}
	if c.Marker != "" {
		e.attrs = append(e.attrs, slog.String("marker", c.Marker))
	}
	if c.throughput() {
		e.meter = &meter{config: c, report: e.write}
		return e, nil
	}
	e.format = newFormat(c)
	return e, nil
}

type endpoint struct {
	config Config
	scheme string
	logger *slog.Logger
	level  slog.Level
	attrs  []slog.Attr
	format format
	meter  *meter // nil where exchanges are shown
}

var _ route.Producer = (*endpoint)(nil)

func (e *endpoint) String() string { return route.Redact(e.scheme, e.config) }

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxKept is how large a buffer may be to be used again.
const maxKept = 64 << 10

// Process implements [route.Producer].
func (e *endpoint) Process(ctx context.Context, ex *route.Exchange) error {
	if e.config.Level == Off || !e.logger.Enabled(ctx, e.level) {
		return nil
	}
	if e.meter != nil {
		e.meter.count(ctx)
		return nil
	}
	buf := buffers.Get().(*[]byte)
	*buf = e.format.append((*buf)[:0], ex)
	e.write(ctx, string(*buf))
	if cap(*buf) <= maxKept {
		buffers.Put(buf)
	}
	return nil
}

func (e *endpoint) write(ctx context.Context, text string) {
	e.logger.LogAttrs(ctx, e.level, text, e.attrs...)
}
