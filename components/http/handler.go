package http

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/mehari-go/mehari/route"
)

// A handler answers the requests of one route, from one start to its stop.
type handler struct {
	endpoint *serverEndpoint
	ctx      context.Context // that Consume was given
	next     route.Processor
	route    string
	place    route.Position
	gate     gate
	maxBody  int64
	slashes  int // in the pattern, before what [Path] tells; 0 where that is the whole path
	wild     []wildcard
	query    []string // of ServerConfig.QueryHeaders
	echo     []string // of ServerConfig.EchoHeaders, as net/http spells them
}

// A wildcard of the pattern and the header that it becomes.
type wildcard struct {
	name   string
	header route.Key[string]
}

func newHandler(ctx context.Context, e *serverEndpoint, next route.Processor) *handler {
	c := e.config
	h := &handler{endpoint: e, ctx: ctx, next: next, maxBody: cmp.Or(c.MaxBodySize, defaultMaxBody), query: c.QueryHeaders}
	h.gate.most = cmp.Or(c.MaxInFlight, defaultMaxInFlight)
	h.route, h.place = route.RouteOf(ctx)
	for _, name := range parameters(e.pattern) {
		h.wild = append(h.wild, wildcard{name, route.NewKey[string](name)})
	}
	for _, name := range c.EchoHeaders {
		h.echo = append(h.echo, http.CanonicalHeaderKey(name))
	}
	if strings.HasSuffix(e.pattern, "...}") || strings.HasSuffix(e.pattern, "/") {
		h.slashes = strings.Count(e.pattern, "/")
	}
	return h
}

// ServeHTTP implements [http.Handler].
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.crossOrigin(w, r) {
		return
	}
	if r.ContentLength != 0 && h.gate.isShut() { // before its body is read
		refuse(w, http.StatusServiceUnavailable)
		return
	}
	begun := time.Now()
	in := incoming{h: h, w: w, r: r}
	defer in.free()
	body, err := in.body()
	if err != nil {
		in.refuse(err)
		return
	}
	if !h.gate.enter() { // the body may have taken its time
		renew(w, h.endpoint.site.options.WriteTimeout)
		refuse(w, http.StatusServiceUnavailable)
		return
	}
	defer h.gate.leave()
	ex := route.NewRequest(body)
	defer ex.Release()
	h.describe(ex, r)
	ctx, cancel := h.context(r)
	defer cancel()
	if err := h.next.Process(ctx, ex); err != nil {
		h.fail(ctx, w, err)
		return
	}
	h.reply(ctx, w, r, ex, begun)
}

// context returns the context for one exchange: most need none of their own.
func (h *handler) context(r *http.Request) (context.Context, func()) {
	c := h.endpoint.config
	if c.RequestTimeout == 0 && !c.CancelOnDisconnect {
		return h.ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(route.Work(h.ctx))
	stop, end := func() bool { return true }, func() {}
	if c.CancelOnDisconnect {
		stop = context.AfterFunc(r.Context(), func() { cancel(errGone) })
	}
	if c.RequestTimeout > 0 {
		ctx, end = context.WithTimeoutCause(ctx, c.RequestTimeout, errLate)
	}
	return ctx, func() { stop(); end(); cancel(nil) }
}

// describe tells the exchange about the request.
func (h *handler) describe(ex *route.Exchange, r *http.Request) {
	if !h.endpoint.config.SkipRequestHeaders {
		h.takeHeaders(ex, r.Header)
	} else if t := r.Header["Content-Type"]; len(t) > 0 {
		ContentType.Set(ex, t[0])
	}
	if len(h.query) > 0 && r.URL.RawQuery != "" {
		values := r.URL.Query()
		for _, name := range h.query {
			if v := values[name]; len(v) == 1 {
				ex.SetHeader(name, v[0])
			} else if len(v) > 1 {
				ex.SetHeader(name, v)
			}
		}
	}
	for i := range h.wild {
		h.wild[i].header.Set(ex, r.PathValue(h.wild[i].name))
	}
	Method.Set(ex, r.Method)
	path := r.URL.EscapedPath()
	URI.Set(ex, path)
	Path.Set(ex, h.rest(path))
	if r.URL.RawQuery != "" {
		Query.Set(ex, r.URL.RawQuery)
	}
	Host.Set(ex, r.Host)
	RemoteAddress.Set(ex, r.RemoteAddr)
}

// rest returns the part of a path for which the end of the pattern stands, or all of it.
func (h *handler) rest(path string) string {
	at := 0
	for range h.slashes {
		i := strings.IndexByte(path[at:], '/')
		if i < 0 {
			return path
		}
		at += i + 1
	}
	return path[max(0, at-1):]
}

// takeHeaders makes the headers of a request those of the exchange, but for those of the
// connection, those that only this process may set, and secrets, which become properties.
func (h *handler) takeHeaders(ex *route.Exchange, from http.Header) {
	connection := connectionNames(from)
	for name, values := range from {
		switch {
		case len(values) == 0 || hop[name] || connection[name] || own(name):
		case name == "Authorization":
			Authorization.Set(ex, values[0])
		case name == "Cookie":
			Cookie.Set(ex, strings.Join(values, "; "))
		case name == "Content-Type":
			ContentType.Set(ex, values[0])
		case len(values) == 1:
			ex.SetHeader(name, values[0])
		default:
			ex.SetHeader(name, values)
		}
	}
}

// isAsItCame tells whether a header of the exchange is still that of the request: not one
// that says the same, which the route may have set, but the same text in memory.
func (h *handler) isAsItCame(name string, value any, r *http.Request) bool {
	for i := range h.wild {
		if strings.EqualFold(h.wild[i].name, name) {
			return true
		}
	}
	if slices.ContainsFunc(h.query, func(q string) bool { return strings.EqualFold(q, name) }) {
		return true
	}
	came := r.Header[name]
	if came == nil {
		came = r.Header[http.CanonicalHeaderKey(name)]
	}
	if len(came) == 0 || slices.Contains(h.echo, http.CanonicalHeaderKey(name)) {
		return false
	}
	switch v := value.(type) {
	case string:
		return len(v) == len(came[0]) && unsafe.StringData(v) == unsafe.StringData(came[0])
	case []string:
		return len(v) == len(came) && unsafe.SliceData(v) == unsafe.SliceData(came)
	}
	return false
}

// tell logs what the client is not told.
func (h *handler) tell(ctx context.Context, what string, err error) {
	h.endpoint.logger.LogAttrs(ctx, slog.LevelWarn, what,
		slog.String("endpoint", h.endpoint.String()), slog.String("route", h.route), slog.Any("error", err))
}
