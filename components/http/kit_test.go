package http_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

const local = "127.0.0.1:0"

// A web is an engine with a server and clients.
type web struct {
	*testing.T
	engine *route.Engine
	server *http.Server
	mock   *routetest.Mock
	log    *strings.Builder
}

// serve runs routes whose servers listen at a free port.
func serve(t *testing.T, o http.ServerOptions, client http.Options, routes ...*route.Route) *web {
	t.Helper()
	w := &web{T: t, mock: new(routetest.Mock), log: new(strings.Builder)}
	if o.Address == "" {
		o.Address = local
	}
	w.server = http.NewServer(o)
	c := http.New(client)
	w.engine = routetest.Run(t, route.Config{
		Components: route.Components{"http-server": w.server, "platform-http": w.server, "http": c, "https": c, "mock": w.mock},
		Logger:     slog.New(slog.NewTextHandler(t.Output(), nil)),
		Drain:      5 * time.Second,
	}, routes...)
	w.listening()
	return w
}

// listening waits until all routes listen, which they do soon after they start.
func (w *web) listening() {
	w.Helper()
	for range 5000 {
		all := true
		for _, r := range w.engine.Status().Routes {
			all = all && r.Subscribed != nil && *r.Subscribed
		}
		if all {
			return
		}
		time.Sleep(time.Millisecond)
	}
	w.Fatal("the server does not listen")
}

func (w *web) url(path string) string { return "http://" + w.server.Addr("").String() + path }

// A reply is a response that was read.
type reply struct {
	status int
	header nethttp.Header
	body   string
}

// do sends a request with "name: value" headers.
func (w *web) do(method, path, body string, headers ...string) reply {
	w.Helper()
	r, err := nethttp.NewRequestWithContext(w.Context(), method, w.url(path), strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	res, err := nethttp.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(b)}
}

func (w *web) get(path string, headers ...string) reply {
	w.Helper()
	return w.do("GET", path, "", headers...)
}

func (r reply) check(t *testing.T, status int, body string) {
	t.Helper()
	if r.status != status || r.body != body {
		t.Errorf("have %d %q, want %d %q", r.status, r.body, status, body)
	}
}

// dial opens a connection to speak HTTP by hand.
func (w *web) dial(text string, args ...any) (net.Conn, *bufio.Reader) {
	w.Helper()
	c, err := net.Dial("tcp", w.server.Addr("").String())
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := fmt.Fprintf(c, text, args...); err != nil {
		w.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

func discard(context.Context, *route.Exchange) error { return nil }
