package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
)

// CustomService starts and stops with the leadership, and says under which lock and
// token.
func TestCustomService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		logger, err := newLogger(&out, "")
		if err != nil {
			t.Fatal(err)
		}
		quiet := slog.New(slog.DiscardHandler)
		service, err := cluster.New(memory.New(), cluster.Options{Name: "replica", Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := service.Run(ctx, "lock2", CustomService{logger}.Run); err != nil {
			t.Fatal(err)
		}
		if err := service.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		var said []string
		for line := range strings.Lines(out.String()) {
			var l struct {
				Msg, Lock string
				Token     uint64
			}
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			if l.Lock != "lock2" || l.Token == 0 {
				t.Errorf("no lock or no token in %s", line)
			}
			said = append(said, l.Msg)
		}
		want := "CustomService has been started on the master pod\nCustomService has been stopped on the master pod"
		if got := strings.Join(said, "\n"); got != want {
			t.Errorf("it said %q, want %q", got, want)
		}
	})
}

// A replica is ready though it does not lead, not ready without its store, and alive
// all the same.
func TestProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			store cluster.Store
			ready int
		}{{memory.New(), 200}, {away{memory.New()}, 503}} {
			service, err := cluster.New(test.store, cluster.Options{Name: "replica", Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			service.Members() // joins; there is nothing to lead
			time.Sleep(time.Minute)
			for path, want := range map[string]int{"/readyz": test.ready, "/livez": 200, "/": 404} {
				answer := httptest.NewRecorder()
				probes(service).ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
				if answer.Code != want {
					t.Errorf("%s with %T: %d %s, want %d", path, test.store, answer.Code, answer.Body, want)
				}
			}
			closing, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := service.Close(closing); err != nil && test.ready == 200 {
				t.Error(err)
			}
			cancel()
		}
	})
}

// An away store is one that nobody can reach.
type away struct{ *memory.Store }

var errAway = errors.New("no route to host")

func (away) Get(context.Context, string, cluster.Version) (cluster.Record, error) {
	return cluster.Record{}, errAway
}
func (away) List(context.Context, string) ([]cluster.Record, error) { return nil, errAway }

// One part that ends takes the others along, and no error is lost.
func TestTogether(t *testing.T) {
	waits := errors.New("waits")
	fails := errors.New("fails")
	err := together(t.Context(),
		func(ctx context.Context) error { <-ctx.Done(); return waits },
		func(context.Context) error { return fails },
		func(ctx context.Context) error { return serve(ctx, "127.0.0.1:0", nil) })
	if !errors.Is(err, waits) || !errors.Is(err, fails) {
		t.Errorf("have %v, want both errors", err)
	}
}

func TestLogLevel(t *testing.T) {
	if _, err := newLogger(io.Discard, "loud"); err == nil || !strings.Contains(err.Error(), `LOG_LEVEL: want debug, info, warn or error, have "loud"`) {
		t.Errorf("have %v", err)
	}
	if l, err := newLogger(io.Discard, "debug"); err != nil || !l.Enabled(t.Context(), slog.LevelDebug) {
		t.Errorf("debug: %v", err)
	}
}
