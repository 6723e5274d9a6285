package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/mehari-go/mehari/cluster"
)

// probes answers the kubelet. A pod is ready when it leads or stands by as it should:
// who leads makes no difference. It is alive unless it is stuck; the network or the
// API server being away is no reason to restart it.
func probes(service *cluster.Service) http.Handler {
	const stuck = time.Minute
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		answer(w, service.Check(r.Context()))
	})
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		var err error
		if moved := service.Stats().Stepped; !moved.IsZero() && time.Since(moved) > stuck {
			err = errors.New("the member of the cluster has not moved since " + moved.Format(time.RFC3339))
		}
		answer(w, err)
	})
	return mux
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n")) // who asked may be gone
}

// serve serves h until ctx ends.
func serve(ctx context.Context, addr string, h http.Handler) error {
	server := &http.Server{Addr: addr, Handler: h, ReadHeaderTimeout: 5 * time.Second}
	closed := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer closed()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
