// Package bean calls functions of Go by name, for routes whose addresses are data:
// "bean:price". Where the route is Go as well, [route.Route.Process] and [route.Map] need
// no name.
package bean

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/mehari-go/mehari/internal/nearest"
	"github.com/mehari-go/mehari/route"
)

// Config is everything a bean endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Name is that of the function in the registry.
	Name string `uri:".,required"`

	// Method chooses one of several functions that belong together: with it the function
	// is the one that the registry has as "name.method".
	Method string `uri:"method"`
}

// URI returns the address of the function that c describes.
func (c Config) URI() route.URI { return route.Encode("bean", c) }

// A Registry has functions by name. Each is a [route.Processor], such as [Func] and [Do]
// make of one that knows no exchange, and may be called by many goroutines at once.
type Registry map[string]route.Processor

// Func calls f with the body, as an In by the rules of [route.As], and sets the body to
// what it returns. Headers and properties stay.
func Func[In, Out any](f func(ctx context.Context, body In) (Out, error)) route.Processor {
	if f == nil {
		return nil
	}
	return route.ProcessorFunc(func(ctx context.Context, ex *route.Exchange) error {
		in, err := body[In](ctx, ex)
		if err != nil {
			return err
		}
		out, err := f(ctx, in)
		if err == nil {
			ex.Body = out
		}
		return err
	})
}

// Do calls f with the body, as an In by the rules of [route.As], and leaves the exchange as
// it is.
func Do[In any](f func(ctx context.Context, body In) error) route.Processor {
	if f == nil {
		return nil
	}
	return route.ProcessorFunc(func(ctx context.Context, ex *route.Exchange) error {
		in, err := body[In](ctx, ex)
		if err != nil {
			return err
		}
		return f(ctx, in)
	})
}

func body[In any](ctx context.Context, ex *route.Exchange) (In, error) {
	in, err := route.As[In](ctx, ex, ex.Body)
	if err != nil {
		err = fmt.Errorf("body: %w", err)
	}
	return in, err
}

// New returns the component. It keeps a copy of the registry.
func New(r Registry) route.Component { return component{maps.Clone(r)} }

type component struct{ registry Registry }

// Endpoint implements [route.Component].
func (c component) Endpoint(_ route.Env, a route.Address) (route.Endpoint, error) {
	var cfg Config
	if err := a.Decode(&cfg); err != nil {
		return nil, err
	}
	name := cfg.Name
	if cfg.Method != "" {
		name += "." + cfg.Method
	}
	f, ok := c.registry[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("no function %q %s", name, nearest.Hint(name, slices.Sorted(maps.Keys(c.registry))))
	case f == nil:
		return nil, fmt.Errorf("the function %q is nil", name)
	}
	return endpoint{cfg, a.Scheme, f}, nil
}

type endpoint struct {
	config Config
	scheme string
	route.Processor
}

var _ route.Producer = endpoint{}

func (e endpoint) String() string { return route.Redact(e.scheme, e.config) }
