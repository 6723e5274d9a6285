package http

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/mehari-go/mehari/route"
)

// ServerConfig is everything that an endpoint which answers requests can be told. Zero
// fields mean defaults.
type ServerConfig struct {
	// Pattern is the address to listen at, which may be left out, and the path, a pattern
	// of [http.ServeMux] without a method: "0.0.0.0:8080/orders/{id}", "/files/{name...}".
	// What its wildcards stand for becomes headers of those names.
	Pattern string `uri:".,required"`

	// HTTPMethodRestrict are the methods that are answered; none means all. GET includes
	// HEAD. Others are answered with 405.
	HTTPMethodRestrict []string `uri:"httpMethodRestrict"`

	// MaxBodySize is how many bytes the body of a request may have; 0 means 10 MB, -1 as
	// many as it likes. More are answered with 413.
	MaxBodySize int64 `uri:"maxBodySize"`

	// UseStreaming makes the body a [route.Stream] that is read while the route works on
	// it. By default it is a []byte, or nil if it is empty, and there is no exchange
	// before it is there.
	UseStreaming bool `uri:"useStreaming"`

	// MaxInFlight is how many exchanges there may be at a time; 0 means 10000. Further
	// requests are answered with 503.
	MaxInFlight int `uri:"maxInFlight"`

	// RequestTimeout is how long the route may work on an exchange before its context ends
	// and the answer is 504; 0 means without end.
	RequestTimeout time.Duration `uri:"requestTimeout"`

	// CancelOnDisconnect ends the context of an exchange whose client has gone. By default
	// the route works on.
	CancelOnDisconnect bool `uri:"cancelOnDisconnect"`

	// QueryHeaders are the parameters of the query that become headers of their names.
	QueryHeaders []string `uri:"queryHeaders"`

	// EchoHeaders are headers of the request that go back with the response where they are
	// still as they came. All others that are do not.
	EchoHeaders []string `uri:"echoHeaders"`

	// SkipRequestHeaders leaves the headers of the request out of the exchange, but
	// Content-Type.
	SkipRequestHeaders bool `uri:"skipRequestHeaders"`

	// SkipResponseHeaders leaves the headers of the exchange out of the response, but
	// Content-Type.
	SkipResponseHeaders bool `uri:"skipResponseHeaders"`

	// CORSAllowedOrigins are the origins whose pages may send requests, such as
	// https://shop.example, or * for all. None means that this endpoint says nothing about
	// it, and browsers refuse.
	CORSAllowedOrigins []string `uri:"corsAllowedOrigins"`

	// CORSAllowedHeaders are the headers that such pages may send; none means those that
	// they ask for.
	CORSAllowedHeaders []string `uri:"corsAllowedHeaders"`

	// CORSExposedHeaders are the headers of responses that such pages may see.
	CORSExposedHeaders []string `uri:"corsExposedHeaders"`

	// CORSAllowCredentials lets them send cookies and passwords.
	CORSAllowCredentials bool `uri:"corsAllowCredentials"`

	// CORSMaxAge is how long browsers may remember all that; 0 means 1h.
	CORSMaxAge time.Duration `uri:"corsMaxAge"`
}

// URI returns the address of the endpoint that c describes.
func (c ServerConfig) URI() route.URI { return route.Encode("http-server", c) }

const (
	defaultMaxBody     = 10 << 20
	defaultMaxInFlight = 10000
)

// split returns the address and the pattern of the path.
func (c ServerConfig) split() (address, pattern string) {
	i := strings.IndexByte(c.Pattern, '/')
	if i < 0 {
		return c.Pattern, "/"
	}
	return c.Pattern[:i], c.Pattern[i:]
}

func (c ServerConfig) check() error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(c.MaxBodySize < -1, `option "maxBodySize": want 1 or more bytes, or -1 (no limit), have %d`, c.MaxBodySize)
	refuse(c.MaxInFlight < 0, `option "maxInFlight": want 1 or more, have %d`, c.MaxInFlight)
	refuse(c.RequestTimeout < 0, `option "requestTimeout": want 0 (none) or more, have %v`, c.RequestTimeout)
	refuse(c.CORSMaxAge < 0, `option "corsMaxAge": want 0 or more, have %v`, c.CORSMaxAge)
	for _, m := range c.HTTPMethodRestrict {
		refuse(!httpguts.ValidHeaderFieldName(m) || m != strings.ToUpper(m), `option "httpMethodRestrict": want methods such as GET,POST, have %q`, m)
	}
	for _, list := range []struct {
		option string
		names  []string
	}{{"queryHeaders", c.QueryHeaders}, {"echoHeaders", c.EchoHeaders}, {"corsAllowedHeaders", c.CORSAllowedHeaders}, {"corsExposedHeaders", c.CORSExposedHeaders}} {
		for _, n := range list.names {
			refuse(!httpguts.ValidHeaderFieldName(n) || own(n), `option %q: want names of headers that do not begin with Camel, have %q`, list.option, n)
		}
	}
	for _, o := range c.CORSAllowedOrigins {
		refuse(o != "*" && (!strings.Contains(o, "://") || strings.HasSuffix(o, "/")), `option "corsAllowedOrigins": want origins such as https://shop.example, or *, have %q`, o)
	}
	if len(c.CORSAllowedOrigins) == 0 {
		refuse(len(c.CORSAllowedHeaders) > 0 || len(c.CORSExposedHeaders) > 0 || c.CORSAllowCredentials || c.CORSMaxAge > 0,
			`the options "cors…" have a meaning with "corsAllowedOrigins" only`)
	}
	refuse(c.CORSAllowCredentials && slices.Contains(c.CORSAllowedOrigins, "*"),
		`option "corsAllowCredentials": name the origins that may send credentials, not *`)
	_, pattern := c.split()
	if err := register(http.NewServeMux(), pattern, nil); err != nil {
		errs = append(errs, err)
	}
	for _, p := range parameters(pattern) {
		refuse(own(p), "pattern %q: the name of a wildcard becomes a header, and those that begin with Camel are not for that: have %q", pattern, p)
	}
	return errors.Join(errs...)
}

// parameters returns the names of the wildcards in a pattern.
func parameters(pattern string) (names []string) {
	for segment := range strings.SplitSeq(pattern, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok && segment != "{$}" {
			names = append(names, strings.TrimSuffix(strings.TrimSuffix(name, "}"), "..."))
		}
	}
	return names
}

// register is [http.ServeMux.Handle] with an error in place of a panic. A nil handler stands
// for any.
func register(mux *http.ServeMux, pattern string, h http.Handler) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("pattern %q: want a path like /orders/{id}: %v", pattern, r)
		}
	}()
	if h == nil {
		h = http.NotFoundHandler()
	}
	mux.Handle(pattern, h)
	return nil
}
