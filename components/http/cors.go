package http

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Cross-origin requests, as in https://fetch.spec.whatwg.org/#http-cors-protocol.

// crossOrigin tells browsers who may send requests. It returns true if that was all they
// wanted to know.
func (h *handler) crossOrigin(w http.ResponseWriter, r *http.Request) bool {
	if len(h.endpoint.config.CORSAllowedOrigins) == 0 {
		return false
	}
	h.allowOrigin(w, r.Header.Get("Origin"))
	if r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	preflight{h}.ServeHTTP(w, r)
	return true
}

// allowOrigin sets the headers that let a page of an origin see the response.
func (h *handler) allowOrigin(w http.ResponseWriter, origin string) {
	c := &h.endpoint.config
	if len(c.CORSAllowedOrigins) == 0 {
		return
	}
	out := w.Header()
	any := slices.Contains(c.CORSAllowedOrigins, "*")
	switch {
	case any:
		out.Set("Access-Control-Allow-Origin", "*")
	default:
		out.Add("Vary", "Origin")
		if origin == "" || !slices.Contains(c.CORSAllowedOrigins, origin) {
			return
		}
		out.Set("Access-Control-Allow-Origin", origin)
	}
	if c.CORSAllowCredentials {
		out.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.CORSExposedHeaders) > 0 {
		out.Set("Access-Control-Expose-Headers", strings.Join(c.CORSExposedHeaders, ", "))
	}
}

// A preflight answers browsers that ask what they may send, for the handlers of one path.
type preflight []*handler

func (p preflight) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Header.Get("Access-Control-Request-Method")
	for _, h := range p {
		c := &h.endpoint.config
		methods := c.HTTPMethodRestrict
		if len(methods) > 0 && !slices.Contains(methods, method) && (method != http.MethodHead || !slices.Contains(methods, http.MethodGet)) {
			continue
		}
		if h.gate.isShut() {
			refuse(w, http.StatusServiceUnavailable)
			return
		}
		w.Header().Del("Vary")
		h.allowOrigin(w, r.Header.Get("Origin"))
		out := w.Header()
		if out.Get("Access-Control-Allow-Origin") != "" {
			out.Set("Access-Control-Allow-Methods", cmp.Or(strings.Join(methods, ", "), method))
			asked := strings.Join(c.CORSAllowedHeaders, ", ")
			if asked == "" {
				asked = r.Header.Get("Access-Control-Request-Headers")
			}
			if asked != "" {
				out.Set("Access-Control-Allow-Headers", asked)
			}
			out.Set("Access-Control-Max-Age", strconv.Itoa(int(cmp.Or(c.CORSMaxAge, time.Hour).Seconds())))
		}
		break
	}
	w.WriteHeader(http.StatusNoContent)
}
