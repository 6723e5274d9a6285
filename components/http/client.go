package http

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"
	"golang.org/x/net/publicsuffix"

	"github.com/mehari-go/mehari/internal/shared"
	"github.com/mehari-go/mehari/route"
)

// Options are what all endpoints of a [Client] have in common. They hold for URIs too that are
// made at run time, some of which may come from messages, and which cannot say such things
// themselves. Zero fields mean defaults.
type Options struct {
	// AllowedHosts are the hosts that URIs made at run time, [URI] and redirects may name,
	// as in [Config.AllowedHosts]. None means any for the first and the last, and no other
	// than that of the endpoint for [URI].
	AllowedHosts []string

	// AllowedSchemes are their schemes; none means https and that of the endpoint.
	AllowedSchemes []string

	// AllowedNetworks are networks where they may be although they are private, local or
	// reserved. A host that the program itself names in a URI may be anywhere.
	AllowedNetworks []netip.Prefix

	// TLS is how TLS is spoken; nil means as crypto/tls has it.
	TLS *tls.Config
}

func (o Options) check() error {
	for _, s := range o.AllowedSchemes {
		if s != "http" && s != "https" {
			return fmt.Errorf("Options.AllowedSchemes: want http or https, have %q", s)
		}
	}
	return nil
}

// A Client is the component of endpoints that send requests.
type Client struct {
	options Options
	wrong   error // with the options
	pools   shared.Map[pool]
	tokens  shared.Map[tokens]
}

var _ route.Lifecycle = (*Client)(nil)

// New returns the component.
func New(options Options) *Client {
	return &Client{options: options, wrong: options.check()}
}

// EngineStarted implements [route.Lifecycle].
func (c *Client) EngineStarted() {}

// EngineStopped implements [route.Lifecycle].
func (c *Client) EngineStopped(context.Context) error {
	c.Close()
	return nil
}

// Close closes the connections that no request is on, as the end of an engine does. Others
// are closed when they were not used for 90s.
func (c *Client) Close() {
	for _, p := range c.pools.All() {
		p.close()
	}
}

// Endpoint implements [route.Component].
func (c *Client) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	var cfg Config
	if err := errors.Join(c.wrong, a.Decode(&cfg)); err != nil {
		return nil, err
	}
	base, err := cfg.base(a.Scheme)
	if err := errors.Join(err, cfg.check(env.Foreign)); err != nil {
		return nil, err
	}
	e := &clientEndpoint{config: cfg, scheme: a.Scheme, timeout: cmp.Or(cfg.ResponseTimeout, defaultResponseTimeout)}
	e.throws = cfg.ThrowExceptionOnFailure == nil || *cfg.ThrowExceptionOnFailure
	e.ok, _ = parseRanges(cmp.Or(cfg.OkStatusCodeRange, "200-299")) // it was checked
	e.most = cmp.Or(cfg.MaxResponseSize, defaultMaxResponse)
	e.to = &destination{base: base, foreign: env.Foreign, hosts: cfg.AllowedHosts, schemes: cfg.AllowedSchemes, pool: c.pool(cfg)}
	if e.to.hosts == nil {
		e.to.hosts = c.options.AllowedHosts
	}
	if e.to.schemes == nil {
		e.to.schemes = c.options.AllowedSchemes
	}
	if e.to.schemes == nil {
		e.to.schemes = slices.Compact([]string{"https", base.Scheme})
	}
	if env.Foreign {
		if err := e.to.permits(base); err != nil {
			return nil, err
		}
	}
	if cfg.OAuth2ClientID != "" {
		e.tokens = c.tokens.Get(cfg.tokenKey(), func() *tokens { return newTokens(cfg, e.to.pool) })
	}
	e.client = e.to.client(cfg)
	return e, nil
}

// pool returns the connections for a config.
func (c *Client) pool(cfg Config) *pool {
	return c.pools.Get(cfg.poolKey(), func() *pool {
		g := guard{slices.Clone(c.options.AllowedNetworks)}
		for _, n := range cfg.AllowedNetworks {
			g.allowed = append(g.allowed, netip.MustParsePrefix(n)) // it was checked
		}
		return newPool(cfg, &c.options, g)
	})
}

// client returns the resty client of an endpoint, which is not changed any more: it has no
// cookies, unless it is told to, retries nothing and logs nothing.
func (d *destination) client(c Config) *resty.Client {
	hc := &http.Client{Transport: d, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if c.FollowRedirects {
		hc.CheckRedirect = redirect
	}
	if c.Cookies {
		hc.Jar, _ = cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List}) // which never fails
	}
	rc := resty.NewWithClient(hc).SetLogger(silent{}).SetDisableWarn(true)
	rc.SetAllowGetMethodPayload(c.GetWithBody)
	rc.SetPreRequestHook(prepare)
	return rc
}

// silent is a logger of resty. What goes wrong is in the errors.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

// A clientEndpoint is a server that requests are sent to.
type clientEndpoint struct {
	config  Config
	scheme  string
	to      *destination
	client  *resty.Client
	tokens  *tokens // nil without OAuth 2.0
	ok      statusRanges
	throws  bool
	most    int64
	timeout time.Duration
}

var _ route.Producer = (*clientEndpoint)(nil)

func (e *clientEndpoint) String() string {
	text := route.Redact(e.scheme, e.config)
	if strings.Contains(e.config.Address, "://") {
		return text
	}
	return strings.Replace(text, ":", "://", 1)
}

// Process implements [route.Producer]. It sends one request, and never a second time but
// where net/http finds that a kept connection was closed before anything was sent on it.
func (e *clientEndpoint) Process(ctx context.Context, ex *route.Exchange) error {
	o := &outgoing{e: e, ex: ex}
	given := ctx
	ctx, o.cancel = context.WithCancelCause(context.WithoutCancel(given))
	o.detach = context.AfterFunc(given, func() {
		// A stream outlives the call in which it came, but not the giving up of its exchange,
		// which has a cause.
		if cause := context.Cause(given); !o.kept.Load() || cause != context.Canceled {
			o.cancel(cause)
		}
	})
	defer func() {
		if !o.kept.Load() {
			o.detach()
			o.cancel(nil)
		}
	}()
	o.timer = time.AfterFunc(e.timeout, func() { o.cancel(errNoResponse) })
	res, err := o.send(ctx)
	if err == nil {
		err = o.receive(res)
	}
	if !o.kept.Load() {
		o.timer.Stop()
	}
	if err != nil && context.Cause(ctx) == errNoResponse {
		return fmt.Errorf("no response within %v: %w", e.timeout, context.DeadlineExceeded)
	}
	return err
}

var errNoResponse = errors.New("no response in time")
