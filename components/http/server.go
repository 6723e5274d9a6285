package http

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/mehari-go/mehari/internal/shared"
	"github.com/mehari-go/mehari/route"
)

// ServerOptions are what all endpoints of a [Server] have in common. Zero fields mean
// defaults.
type ServerOptions struct {
	// Address is where endpoints listen whose URI names no address; "" means ":8080".
	Address string

	// TLS makes the server speak TLS, and HTTP/2. It needs a certificate, or
	// CertificateFile. For clients that have to show a certificate set ClientAuth and
	// ClientCAs in it, or ClientCAFile. Nil means TLS only with CertificateFile.
	TLS *tls.Config

	// CertificateFile and KeyFile are PEM files with the certificate and its key. They are
	// read again when they have changed.
	CertificateFile, KeyFile string

	// ClientCAFile is a PEM file with the authorities whose certificates clients have to
	// show; "" means that they need none. It is read when the server begins to listen.
	ClientCAFile string

	// UnencryptedHTTP2 understands HTTP/2 without TLS too.
	UnencryptedHTTP2 bool

	// MaxConnections is how many connections an address has at a time; 0 means 16384.
	// Others wait until one is closed.
	MaxConnections int

	// MaxHeaderBytes is how long the headers of a request may be; 0 means 64 kB. Longer
	// ones are answered with 431.
	MaxHeaderBytes int

	// MaxBodyMemory is how many bytes the bodies of all requests of an address may take at
	// a time, from their first byte until their exchange is done; 0 means 256 MB. Those for
	// which there is no room are answered with 503. Streams do not count.
	MaxBodyMemory int64

	// ReadHeaderTimeout is how long the headers of a request may take, 0 means 10s;
	// ReadTimeout how long the whole request, or of a stream each part that is read, 0
	// means 1m; WriteTimeout how long the client may take for the response, or for each
	// part of a stream, 0 means 1m; IdleTimeout how long a connection is kept for the next
	// request, 0 means 2m. What the route takes for its work does not count.
	ReadHeaderTimeout, ReadTimeout, WriteTimeout, IdleTimeout time.Duration

	// Listen opens the listener for an address; nil means one for TCP.
	Listen func(ctx context.Context, address string) (net.Listener, error)
}

// withDefaults returns o with a value in each field that has a default.
func (o ServerOptions) withDefaults() ServerOptions {
	o.Address = cmp.Or(o.Address, ":8080")
	o.MaxConnections = cmp.Or(o.MaxConnections, 16384)
	o.MaxHeaderBytes = cmp.Or(o.MaxHeaderBytes, 64<<10)
	o.MaxBodyMemory = cmp.Or(o.MaxBodyMemory, 256<<20)
	o.ReadHeaderTimeout = cmp.Or(o.ReadHeaderTimeout, 10*time.Second)
	o.ReadTimeout = cmp.Or(o.ReadTimeout, time.Minute)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, time.Minute)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 2*time.Minute)
	if o.Listen == nil {
		o.Listen = func(ctx context.Context, address string) (net.Listener, error) {
			return new(net.ListenConfig).Listen(ctx, "tcp", address)
		}
	}
	return o
}

func (o ServerOptions) check() error {
	var errs []error
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"MaxConnections", int64(o.MaxConnections)},
		{"MaxHeaderBytes", int64(o.MaxHeaderBytes)},
		{"MaxBodyMemory", o.MaxBodyMemory},
		{"ReadHeaderTimeout", int64(o.ReadHeaderTimeout)},
		{"ReadTimeout", int64(o.ReadTimeout)},
		{"WriteTimeout", int64(o.WriteTimeout)},
		{"IdleTimeout", int64(o.IdleTimeout)},
	} {
		if f.value < 0 {
			errs = append(errs, fmt.Errorf("ServerOptions.%s: want 0 (the default) or more, have %d", f.name, f.value))
		}
	}
	if (o.CertificateFile == "") != (o.KeyFile == "") {
		errs = append(errs, errors.New("ServerOptions: CertificateFile and KeyFile belong together"))
	}
	if o.ClientCAFile != "" && o.TLS == nil && o.CertificateFile == "" {
		errs = append(errs, errors.New("ServerOptions.ClientCAFile has a meaning with TLS or CertificateFile only"))
	}
	return errors.Join(errs...)
}

// A Server is the component of endpoints that answer requests. Those with one address share
// one listener.
type Server struct {
	options ServerOptions
	wrong   error // with the options
	sites   shared.Map[site]
}

var _ route.Component = (*Server)(nil)

// NewServer returns the component.
func NewServer(options ServerOptions) *Server {
	return &Server{options: options.withDefaults(), wrong: options.check()}
}

// Addr returns where an address is listened at, such as the port that stands for the 0 in
// it; nil while it is not. "" is [ServerOptions.Address].
func (s *Server) Addr(address string) net.Addr { return s.site(address).addr() }

func (s *Server) site(address string) *site {
	address = cmp.Or(address, s.options.Address)
	return s.sites.Get(address, func() *site { return &site{address: address, options: &s.options} })
}

// Endpoint implements [route.Component].
func (s *Server) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	var c ServerConfig
	if err := errors.Join(s.wrong, a.Decode(&c)); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	address, pattern := c.split()
	address = cmp.Or(address, s.options.Address)
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, fmt.Errorf("address: want host:port or :port before the path, have %q", address)
	}
	return &serverEndpoint{config: c, scheme: a.Scheme, logger: env.Logger, site: s.site(address), pattern: pattern}, nil
}

// A serverEndpoint is a pattern at an address.
type serverEndpoint struct {
	config  ServerConfig
	scheme  string
	logger  *slog.Logger
	site    *site
	pattern string
}

var _ route.Consumer = (*serverEndpoint)(nil)

func (e *serverEndpoint) String() string { return route.Redact(e.scheme, e.config) }

// patterns returns what the endpoint is registered under.
func (e *serverEndpoint) patterns() (all []string) {
	if len(e.config.HTTPMethodRestrict) == 0 {
		return []string{e.pattern}
	}
	for _, m := range e.config.HTTPMethodRestrict {
		all = append(all, m+" "+e.pattern)
	}
	return all
}

// Consume implements [route.Consumer]. It listens while it consumes, with the other
// endpoints of its address. When ctx is done it answers with 503, as long as others still
// listen there.
func (e *serverEndpoint) Consume(ctx context.Context, next route.Processor) error {
	if ctx.Err() != nil {
		return nil
	}
	h := newHandler(ctx, e, next)
	listening, err := e.site.join(ctx, h)
	if err != nil {
		return err
	}
	route.ReportSubscribed(ctx, true)
	select {
	case <-ctx.Done():
	case <-listening.ended:
	}
	route.ReportSubscribed(ctx, false)
	return e.site.leave(h, listening)
}
