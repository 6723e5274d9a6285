package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/file"
	"github.com/mehari-go/mehari/cluster/kubernetes"
	"github.com/mehari-go/mehari/route"
)

// join makes this process one of the replicas that agree in a folder, or in Kubernetes.
func join(leaders, name string) (*cluster.Service, error) {
	if leaders == "kubernetes" {
		store, err := kubernetes.New(kubernetes.Config{Selector: os.Getenv("MEMBERS")})
		if err != nil {
			return nil, err
		}
		return cluster.New(store, cluster.Options{Name: name})
	}
	store, err := file.New(leaders)
	if err != nil {
		return nil, err
	}
	// On one machine somebody watches: others take over after 4 s and not after 15 s.
	return cluster.New(store, cluster.Options{
		Name: name,
		Wait: 4 * time.Second, Limit: 2 * time.Second, Beat: 500 * time.Millisecond,
	})
}

// probing are the routes that answer Kubernetes. A replica is ready when it leads or stands
// by as it should, and gets what the broker has for it.
func probing(address string, service *cluster.Service) []*route.Route {
	return []*route.Route{
		route.From(route.URI("http-server:" + address + "/livez")).SetBody("ok\n"),
		route.From(route.URI("http-server:" + address + "/readyz")).
			Process(func(ctx context.Context, _ *route.Exchange) error {
				engine, _ := route.EngineFrom(ctx)
				return errors.Join(service.Check(ctx), engine.Ready())
			}).
			SetBody("ok\n"),
	}
}

// hostname is also the name of the pod.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "replica"
	}
	return name
}
