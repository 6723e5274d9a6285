package http_test

import (
	"io"
	nethttp "net/http"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/route"
)

// A gateway hands on what it is told to, and nothing else.
func TestGateway(t *testing.T) {
	s := startSite(t)
	s.will(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		w.Header().Set("Content-Type", "text/x")
		w.Header().Set("Cache-Control", "no-cache") // as in the request, but the server's
		w.WriteHeader(nethttp.StatusTeapot)
		_, _ = io.WriteString(w, strings.Repeat("answer ", 100000))
	})
	const controls = "?controlHeaders=method,path,query&throwExceptionOnFailure=false"
	w := serve(t, http.ServerOptions{}, http.Options{},
		route.From("http-server:/shop/{rest...}").To(s.uri("/api"+controls)),
		route.From("http-server:/stream/{rest...}?useStreaming=true").To(s.uri("/api"+controls+"&useStreaming=true")),
		route.From("http-server:/plain/{rest...}").To(s.uri("/api")))
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, from := range []string{"/shop", "/stream"} {
		got := w.do("PUT", from+"/a%2Fb/c?x=1", "body", "traceparent: "+parent, "Authorization: Bearer s3cret", "Cache-Control: no-cache", "CamelHttpUri: http://evil")
		got.check(t, nethttp.StatusTeapot, strings.Repeat("answer ", 100000))
		if got.header.Get("Content-Type") != "text/x" || got.header.Get("Cache-Control") != "no-cache" || got.header.Get("Traceparent") != "" {
			t.Errorf("%s: went back: %v", from, got.header)
		}
		r := s.asked.Load()
		if r.Method+" "+r.RequestURI+" "+*s.body.Load() != "PUT /api/a%2Fb/c?x=1 body" || r.Header.Get("Traceparent") != parent || r.Header.Get("Authorization") != "" {
			t.Errorf("%s: asked %s %s with %v", from, r.Method, r.RequestURI, r.Header)
		}
	}
	w.do("PUT", "/plain/a?x=1", "body").check(t, nethttp.StatusBadGateway, "Bad Gateway\n")
	if r := s.asked.Load(); r.Method+" "+r.RequestURI != "POST /api" {
		t.Errorf("asked %s %s", r.Method, r.RequestURI)
	}
}
