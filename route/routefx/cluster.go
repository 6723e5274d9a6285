package routefx

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"

	"go.uber.org/fx"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/components/master"
)

// Cluster gives an engine the component that consumes endpoints on one replica at a time:
// that of package master, under a scheme, which is "master" if there is one cluster. store
// is a [cluster.Store] or a constructor of one.
//
// The container gets a *[cluster.Service], which is closed after the engine has stopped,
// and its [cluster.Options], which fx.Decorate changes; both have the scheme as their name
// if it is not "master".
func Cluster(scheme string, store any, options ...cluster.Options) Contribution {
	caller := callerOf()
	to := func(engine string) fx.Option {
		o := &origin{kind: "component", name: scheme, engine: engine, place: caller.place, maker: caller.function}
		if len(options) > 1 {
			return fx.Error(fmt.Errorf("routefx: %s: want at most one cluster.Options, have %d", o, len(options)))
		}
		name, named := "", ""
		if scheme != "master" {
			name, named = scheme, fmt.Sprintf("name:%q", scheme)
		}
		return fx.Options(
			fx.Invoke(o.check),
			o.provide(store, []reflect.Type{reflect.TypeFor[cluster.Store]()}, `group:"mehari.stores"`),
			fx.Provide(
				fx.Annotated{Name: name, Target: func() cluster.Options { return append(options, cluster.Options{})[0] }},
				fx.Annotate(o.service, fx.ParamTags(`group:"mehari.stores"`, named, "", `optional:"true"`), fx.ResultTags(named)),
				fx.Annotate(func(s *cluster.Service) part { return part{o, master.New(s)} }, fx.ParamTags(named), fx.ResultTags(`group:"mehari.parts"`)),
			),
		)
	}
	return Contribution{to(""), to}
}

// service makes the member of a cluster, which leaves it when the application stops.
func (o *origin) service(stores []part, options cluster.Options, l fx.Lifecycle, logger *slog.Logger) (*cluster.Service, error) {
	var store cluster.Store
	for _, p := range stores {
		if p.origin == o {
			store, _ = p.value.(cluster.Store)
		}
	}
	if options.Logger == nil {
		options.Logger = logger
	}
	service, err := cluster.New(store, options)
	if err != nil {
		return nil, fmt.Errorf("routefx: %s: %w", o, err)
	}
	l.Append(fx.StopHook(func(ctx context.Context) error {
		ctx, cancel := share(ctx, 0.9) // others are to be closed after it
		defer cancel()
		return service.Close(ctx)
	}))
	return service, nil
}
