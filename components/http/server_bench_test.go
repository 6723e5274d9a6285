package http_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/route"
)

const (
	benchRequest = "GET /hello HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n\r\n"
	benchReply   = "Hello World!"
)

// BenchmarkServer answers requests with a text, over connections that are kept.
//
//	bare   a handler of net/http
//	route  a route with one step
func BenchmarkServer(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		mux := nethttp.NewServeMux()
		mux.HandleFunc("/hello", func(w nethttp.ResponseWriter, r *nethttp.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = io.WriteString(w, benchReply)
		})
		load(b, bare(b, mux), benchRequest, len(benchReply))
	})
	b.Run("route", func(b *testing.B) {
		load(b, benchRoute(b, route.From("http-server:/hello").SetBody(benchReply)), benchRequest, len(benchReply))
	})
}

// bare serves a handler with the timeouts that our server has.
func bare(b *testing.B, h nethttp.Handler) string {
	l, err := net.Listen("tcp", local)
	if err != nil {
		b.Fatal(err)
	}
	s := &nethttp.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	go func() { _ = s.Serve(l) }()
	b.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

func benchRoute(b *testing.B, routes ...*route.Route) string {
	return benchRouteWith(b, http.ServerOptions{Address: local}, routes...)
}

func benchRouteWith(b *testing.B, o http.ServerOptions, routes ...*route.Route) string {
	server, client := http.NewServer(o), http.New(http.Options{})
	e, err := route.New(route.Config{
		Components: route.Components{"http-server": server, "http": client},
		Logger:     slog.New(slog.DiscardHandler),
	}, routes...)
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- e.Run(b.Context()) }()
	b.Cleanup(func() {
		if err := <-ended; err != nil {
			b.Error(err)
		}
		client.Close()
	})
	for server.Addr("") == nil {
		time.Sleep(time.Millisecond)
	}
	return server.Addr("").String()
}

// load sends one request after the other on 16 connections for each processor. It is as cheap
// as can be, so that the server is what is measured.
func load(b *testing.B, address, request string, length int) {
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		r := bufio.NewReader(c)
		for pb.Next() {
			if _, err := io.WriteString(c, request); err != nil {
				b.Error(err)
				return
			}
			for status := true; ; status = false {
				line, err := r.ReadSlice('\n')
				if err != nil || status && !strings.HasPrefix(string(line), "HTTP/1.1 200") {
					b.Errorf("%v: %s", err, line)
					return
				}
				if len(line) == 2 {
					break
				}
			}
			if _, err := r.Discard(length); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
