package http

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"
)

// A site is an address and those who listen there together.
type site struct {
	address string
	options *ServerOptions
	memory  atomic.Int64 // that bodies take

	mu       sync.Mutex
	handlers []*handler // those that have left too, as long as others are there
	now      *listening // nil while nobody is there
}

// listening is one time that a site listens, from its first handler to its last.
type listening struct {
	listener net.Listener
	server   *http.Server
	mux      atomic.Pointer[http.ServeMux]
	users    int           // handlers that have not left; under the site's mu
	ended    chan struct{} // closed when the server does not accept any more
	err      error         // why; to be read after ended
}

// ServeHTTP leads a request to the handler whose pattern fits.
func (l *listening) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mux.Load().ServeHTTP(w, r)
}

func (s *site) addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil {
		return nil
	}
	return s.now.listener.Addr()
}

// join makes h answer requests, and the site listen if it does not yet.
func (s *site) join(ctx context.Context, h *handler) (*listening, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mux, handlers, err := s.with(h)
	if err != nil {
		return nil, err
	}
	if s.now == nil {
		if s.now, err = s.listen(ctx, h.endpoint.logger, mux); err != nil {
			return nil, err
		}
	}
	s.handlers = handlers
	s.now.mux.Store(mux)
	s.now.users++
	return s.now, nil
}

// with returns the mux of all handlers with h among them. Those that have left make room.
func (s *site) with(h *handler) (*http.ServeMux, []*handler, error) {
	handlers := []*handler{h}
	for _, other := range s.handlers {
		if err := together(other, h); err == nil {
			handlers = append(handlers, other)
		} else if !other.gate.isShut() {
			return nil, nil, err
		}
	}
	mux := http.NewServeMux()
	for _, h := range handlers {
		for _, p := range h.endpoint.patterns() {
			if err := register(mux, p, h); err != nil {
				return nil, nil, err
			}
		}
	}
	for path, asked := range preflights(handlers) {
		if err := register(mux, "OPTIONS "+path, asked); err != nil {
			return nil, nil, err
		}
	}
	return mux, handlers, nil
}

// together returns an error if two handlers cannot be at one address.
func together(there, h *handler) error {
	for _, p := range h.endpoint.patterns() {
		for _, q := range there.endpoint.patterns() {
			mux := http.NewServeMux()
			if register(mux, q, nil) == nil && register(mux, p, nil) == nil {
				continue
			}
			if p == q {
				return fmt.Errorf("%q is answered by route %q (%v) already", p, there.route, there.place)
			}
			return fmt.Errorf("there are requests that fit both %q and %q, which route %q (%v) answers, and neither is the more special one", p, q, there.route, there.place)
		}
	}
	return nil
}

// listen begins to listen. The goroutine of the server is waited for in leave.
func (s *site) listen(ctx context.Context, logger *slog.Logger, mux *http.ServeMux) (*listening, error) {
	o := s.options
	config, err := serverTLS(o)
	if err != nil {
		return nil, err
	}
	listener, err := o.Listen(ctx, s.address)
	if err != nil {
		return nil, err
	}
	l := &listening{listener: listener, ended: make(chan struct{})}
	l.mux.Store(mux)
	l.server = &http.Server{
		Handler: l, TLSConfig: config, MaxHeaderBytes: o.MaxHeaderBytes, Protocols: new(http.Protocols),
		ReadHeaderTimeout: o.ReadHeaderTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout, IdleTimeout: o.IdleTimeout,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug), // what clients do wrong
	}
	l.server.Protocols.SetHTTP1(true)
	l.server.Protocols.SetHTTP2(config != nil)
	l.server.Protocols.SetUnencryptedHTTP2(o.UnencryptedHTTP2)
	bounded := netutil.LimitListener(listener, o.MaxConnections)
	go func() {
		if config != nil {
			l.err = l.server.ServeTLS(bounded, "", "")
		} else {
			l.err = l.server.Serve(bounded)
		}
		close(l.ended)
	}()
	return l, nil
}

// flushing is how long replies that are written may take to leave when a server stops.
const flushing = 500 * time.Millisecond

// leave makes h answer with 503 and waits for its exchanges in flight. The last one ends the
// listening, before it waits. The error is why the server has ended by itself, if it has.
func (s *site) leave(h *handler, l *listening) error {
	empty := h.gate.shut()
	s.mu.Lock()
	l.users--
	last := l.users == 0
	select {
	case <-l.ended:
		last = last || s.now == l // nobody joins it any more
	default:
	}
	if last && s.now == l {
		s.now, s.handlers = nil, nil
	}
	s.mu.Unlock()
	if !last {
		<-empty
		return l.failure()
	}
	l.server.SetKeepAlivesEnabled(false)
	_ = l.listener.Close()
	<-empty
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.ctx), flushing)
	defer cancel()
	if err := l.server.Shutdown(ctx); err != nil {
		_ = l.server.Close() // those who have not sent a request yet, or read their reply too slowly
	}
	<-l.ended
	return l.failure()
}

// failure returns why the server has ended by itself, nil if it has not.
func (l *listening) failure() error {
	select {
	case <-l.ended:
	default:
		return nil
	}
	if l.err == nil || errors.Is(l.err, http.ErrServerClosed) || errors.Is(l.err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("listen at %s: %w", l.listener.Addr(), l.err)
}

// preflights returns who answers the preflight requests of browsers, by path, for handlers
// that do not get them themselves.
func preflights(handlers []*handler) map[string]preflight {
	all := map[string]preflight{}
	for _, h := range handlers {
		c := h.endpoint.config
		if len(c.CORSAllowedOrigins) > 0 && len(c.HTTPMethodRestrict) > 0 && !slices.Contains(c.HTTPMethodRestrict, http.MethodOptions) {
			all[h.endpoint.pattern] = append(all[h.endpoint.pattern], h)
		}
	}
	for _, h := range handlers {
		if slices.Contains(h.endpoint.config.HTTPMethodRestrict, http.MethodOptions) {
			delete(all, h.endpoint.pattern)
		}
	}
	return all
}
