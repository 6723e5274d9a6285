package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/route"
)

// probes answer the kubelet. A pod is ready when it leads or stands by as it should, and
// gets what the broker has for it. It is alive unless it is stuck: that the network or the
// broker is away is no reason to restart it.
func probes(service *cluster.Service) []*route.Route {
	probe := func(path string, check func(context.Context) error) *route.Route {
		return route.From(route.URI("http-server:/" + path + "?httpMethodRestrict=GET")).ID(path).Process(func(ctx context.Context, ex *route.Exchange) error {
			if err := check(ctx); err != nil {
				return &http.ReplyError{Status: 503, Message: err.Error()}
			}
			ex.Body = "ok\n"
			return nil
		})
	}
	return []*route.Route{
		probe("readyz", func(ctx context.Context) error { return errors.Join(service.Check(ctx), subscribed(ctx)) }),
		probe("livez", func(context.Context) error {
			const stuck = time.Minute
			if moved := service.Stats().Stepped; !moved.IsZero() && time.Since(moved) > stuck {
				return fmt.Errorf("the member of the cluster has not moved since %s", moved.Format(time.RFC3339))
			}
			return nil
		}),
	}
}

// subscribed returns an error that names the routes which do not get what is sent to them.
func subscribed(ctx context.Context) error {
	engine, ok := route.EngineFrom(ctx)
	if !ok {
		return errors.New("there is no engine")
	}
	var errs []error
	for _, r := range engine.Status().Routes {
		if r.Subscribed != nil && !*r.Subscribed {
			errs = append(errs, fmt.Errorf("route %q is not subscribed", r.ID))
		}
	}
	return errors.Join(errs...)
}
