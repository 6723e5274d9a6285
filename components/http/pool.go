package http

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A pool holds the connections of all endpoints that say the same about them: those to the
// servers that the program names, and those to others.
type pool struct {
	trusted, guarded *http.Transport
	guard            guard
	proxy            func(*url.URL) (*url.URL, error) // nil for none
	caFile           string
	files            keyPair

	mu     sync.Mutex
	loaded atomic.Bool // the files were read
}

// poolKey names the pool of an endpoint. It has what the pool is made of.
func (c Config) poolKey() string {
	only := Config{
		AllowedNetworks: c.AllowedNetworks, ConnectTimeout: c.ConnectTimeout,
		ConnectionsPerRoute: c.ConnectionsPerRoute, MaxTotalConnections: c.MaxTotalConnections, ConnectionClose: c.ConnectionClose,
		ContentCompressionDisabled: c.ContentCompressionDisabled, CertificateFile: c.CertificateFile, KeyFile: c.KeyFile, CAFile: c.CAFile,
		ProxyHost: c.ProxyHost, ProxyPort: c.ProxyPort, ProxyAuthUsername: c.ProxyAuthUsername, ProxyAuthPassword: c.ProxyAuthPassword,
		NonProxyHosts: c.NonProxyHosts, UseSystemProperties: c.UseSystemProperties,
	}
	return string(only.URI())
}

func newPool(c Config, o *Options, g guard) *pool {
	p := &pool{guard: g, proxy: c.proxy(), caFile: c.CAFile, files: keyPair{certificate: c.CertificateFile, key: c.KeyFile}}
	connect := cmp.Or(c.ConnectTimeout, defaultConnectTimeout)
	dialer := &net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}
	perHost := cmp.Or(c.ConnectionsPerRoute, 20)
	p.trusted = &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: connect,
		MaxConnsPerHost: perHost, MaxIdleConnsPerHost: perHost, MaxIdleConns: cmp.Or(c.MaxTotalConnections, 200), IdleConnTimeout: 90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10, DisableKeepAlives: c.ConnectionClose, DisableCompression: c.ContentCompressionDisabled,
		ForceAttemptHTTP2: true, TLSClientConfig: o.TLS.Clone(),
	}
	if p.proxy != nil {
		p.trusted.Proxy = func(r *http.Request) (*url.URL, error) { return p.proxy(r.URL) }
	}
	p.guarded = p.trusted.Clone()
	checked := *dialer
	checked.Control = g.control
	p.guarded.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if p.isProxy(address) {
			return dialer.DialContext(ctx, network, address)
		}
		return checked.DialContext(ctx, network, address)
	}
	return p
}

// proxy returns what says which proxy is for a URL, nil if there is none for any.
func (c Config) proxy() func(*url.URL) (*url.URL, error) {
	if c.UseSystemProperties {
		return func(u *url.URL) (*url.URL, error) { return http.ProxyFromEnvironment(&http.Request{URL: u}) }
	}
	if c.ProxyHost == "" {
		return nil
	}
	at := &url.URL{Scheme: "http", Host: net.JoinHostPort(c.ProxyHost, strconv.Itoa(cmp.Or(c.ProxyPort, 8080)))}
	if c.ProxyAuthUsername != "" {
		at.User = url.UserPassword(c.ProxyAuthUsername, c.ProxyAuthPassword)
	}
	return func(u *url.URL) (*url.URL, error) {
		if hostIn(c.NonProxyHosts, u) {
			return nil, nil
		}
		return at, nil
	}
}

// proxied tells whether requests to u go to a proxy.
func (p *pool) proxied(u *url.URL) bool {
	if p.proxy == nil {
		return false
	}
	at, err := p.proxy(u)
	return err == nil && at != nil
}

// isProxy tells whether address is that of the proxy.
func (p *pool) isProxy(address string) bool {
	if p.proxy == nil {
		return false
	}
	for _, scheme := range []string{"http", "https"} {
		at, err := p.proxy(&url.URL{Scheme: scheme, Host: "proxy.invalid"})
		if err == nil && at != nil && net.JoinHostPort(at.Hostname(), cmp.Or(at.Port(), map[string]string{"http": "80", "https": "443"}[at.Scheme])) == address {
			return true
		}
	}
	return false
}

// load reads the files, the first time that a request is sent. Where that fails, the next
// request tries again. The certificate is for the servers that the program names only.
func (p *pool) load() error {
	if p.loaded.Load() {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.loaded.Load() {
		return nil
	}
	for _, t := range []*http.Transport{p.trusted, p.guarded} {
		if t.TLSClientConfig == nil {
			t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		if p.caFile != "" {
			roots, err := authorities(p.caFile)
			if err != nil {
				return err
			}
			t.TLSClientConfig.RootCAs = roots
		}
	}
	if p.files.certificate != "" {
		if _, err := p.files.get(); err != nil {
			return err
		}
		p.trusted.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return p.files.get() }
	}
	p.loaded.Store(true)
	return nil
}

func (p *pool) close() {
	p.trusted.CloseIdleConnections()
	p.guarded.CloseIdleConnections()
}
