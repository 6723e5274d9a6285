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
// that of package master, under a scheme, which is nearly always "master". store is a
// [cluster.Store] or a constructor of one. The replica is as the [cluster.Options] in the
// container say, if there are any: fx.Supply them. It leaves the cluster when the engine has
// stopped.
func Cluster(scheme string, store any) Contribution {
	caller := callerOf()
	to := func(engine string) fx.Option {
		o := &origin{kind: "component", name: scheme, engine: engine, place: caller.place, maker: caller.function}
		return fx.Options(
			fx.Invoke(o.check),
			o.provide(store, []reflect.Type{reflect.TypeFor[cluster.Store]()}, `group:"mehari.stores"`),
			fx.Provide(
				fx.Annotate(o.join, fx.ParamTags(`group:"mehari.stores"`, `optional:"true"`, "", `optional:"true"`), fx.ResultTags(`group:"mehari.members"`)),
				fx.Annotate(o.master, fx.ParamTags(`group:"mehari.members"`), fx.ResultTags(`group:"mehari.parts"`)),
			),
		)
	}
	return Contribution{to(""), to}
}

// A member is what [Cluster] has made. They are collected in a value group.
type member struct {
	*origin
	service *cluster.Service
}

// join makes the member of a cluster, which leaves it when the application stops.
func (o *origin) join(stores []part, options cluster.Options, l fx.Lifecycle, logger *slog.Logger) (member, error) {
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
		return member{}, fmt.Errorf("routefx: %s: %w", o, err)
	}
	l.Append(fx.StopHook(func(ctx context.Context) error {
		ctx, cancel := share(ctx, 0.9) // others are to be closed after it
		defer cancel()
		return service.Close(ctx)
	}))
	return member{o, service}, nil
}

// master makes the component of the member.
func (o *origin) master(members []member) part {
	for _, m := range members {
		if m.origin == o {
			return part{o, master.New(m.service)}
		}
	}
	return part{o, nil} // it is one of them
}

// allMembers are those of all clusters.
type allMembers struct {
	fx.In
	Members []member `group:"mehari.members"`
}

// ClusterService provides the *[cluster.Service] behind a scheme of [Cluster] to the module in
// which it stands and to those in that, for what is led without a route.
func ClusterService(scheme string) fx.Option {
	caller := callerOf()
	return fx.Provide(fx.Private, func(in allMembers) (*cluster.Service, error) {
		var found []member
		for _, m := range in.Members {
			if m.name == scheme {
				found = append(found, m)
			}
		}
		switch len(found) {
		case 0:
			return nil, fmt.Errorf("routefx: %s: cluster service %q: there is none: add routefx.Cluster", caller.place, scheme)
		case 1:
			return found[0].service, nil
		}
		return nil, fmt.Errorf("routefx: %s: cluster service %q: there are two, from %s and from %s", caller.place, scheme, found[0].where(), found[1].where())
	})
}
