package http

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"github.com/mehari-go/mehari/route"
)

// A destination decides where the requests of an endpoint may go. It is the transport of its
// client, so that redirects come by too.
type destination struct {
	base    *url.URL
	foreign bool     // base may come from a message
	hosts   []string // that others than base may name; nil for none said
	schemes []string
	pool    *pool
}

// RoundTrip implements [http.RoundTripper].
func (d *destination) RoundTrip(r *http.Request) (*http.Response, error) {
	err := d.pool.load()
	own := d.isOwn(r.URL)
	if err == nil && !own {
		err = d.permits(r.URL)
	}
	switch {
	case err != nil:
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	case own:
		return d.pool.trusted.RoundTrip(r)
	}
	return d.pool.guarded.RoundTrip(r)
}

// isOwn tells whether u is at the server that the program names.
func (d *destination) isOwn(u *url.URL) bool {
	return !d.foreign && u.Scheme == d.base.Scheme && u.Host == d.base.Host
}

// permits returns an error where a message or another server must not lead a request.
func (d *destination) permits(u *url.URL) error {
	if !slices.Contains(d.schemes, u.Scheme) {
		return fmt.Errorf("a request to %s: the scheme %q is not allowed (have %s)", u.Host, u.Scheme, strings.Join(d.schemes, ", "))
	}
	if d.hosts != nil && !hostIn(d.hosts, u) {
		return fmt.Errorf("a request to %q is not allowed (have %s)", u.Host, strings.Join(d.hosts, ", "))
	}
	if d.pool.proxied(u) { // which makes the connection
		return d.pool.guard.permitsName(u.Hostname())
	}
	return nil
}

// hostIn tells whether a list of hosts has that of u.
func hostIn(hosts []string, u *url.URL) bool {
	name, port := strings.ToLower(u.Hostname()), u.Port()
	standard := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	for _, h := range hosts {
		if h == "*" {
			return true
		}
		wantName, wantPort, err := net.SplitHostPort(h)
		if err != nil {
			wantName, wantPort = strings.Trim(h, "[]"), standard
		}
		wantName = strings.ToLower(wantName)
		suffix, any := strings.CutPrefix(wantName, "*")
		if (wantName == name || any && strings.HasSuffix(name, suffix) && len(name) > len(suffix)) && wantPort == cmp.Or(port, standard) {
			return true
		}
	}
	return false
}

// url returns where the request of an exchange goes.
func (e *clientEndpoint) url(ex *route.Exchange) (*url.URL, error) {
	c, u := e.config, e.to.base
	if len(c.ControlHeaders) == 0 {
		return u, nil
	}
	if v, ok := URI.Get(ex); ok && v != "" && slices.Contains(c.ControlHeaders, "uri") {
		return e.other(v)
	}
	if v, ok := Path.Get(ex); ok && v != "" && slices.Contains(c.ControlHeaders, "path") {
		plain, err := url.PathUnescape(v)
		if err != nil || strings.ContainsAny(v, "?#") {
			return nil, fmt.Errorf("header %q: want a path with %%, ? and # escaped", Path.Name())
		}
		for segment := range strings.FieldsFuncSeq(plain, func(r rune) bool { return r == '/' || r == '\\' }) {
			if name, _, _ := strings.Cut(segment, ";"); name == ".." || name == "." {
				return nil, fmt.Errorf("header %q: want a path without %q", Path.Name(), name)
			}
		}
		u = u.JoinPath(v)
	}
	if v, ok := Query.Get(ex); ok && slices.Contains(c.ControlHeaders, "query") {
		if strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r == '#' || r == 0x7f }) {
			return nil, fmt.Errorf("header %q: want it %%-encoded", Query.Name())
		}
		with := *u
		with.RawQuery = v
		u = &with
	}
	return u, nil
}

// other returns the URL that a message names.
func (e *clientEndpoint) other(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("header %q: want a URL like https://host/path, without a password", URI.Name())
	}
	if e.to.isOwn(u) {
		return u, nil
	}
	if e.to.hosts == nil {
		return nil, fmt.Errorf("header %q: a request to %q is not allowed: no host but %q is, without allowedHosts", URI.Name(), u.Host, e.to.base.Host)
	}
	return u, e.to.permits(u)
}

// A guard keeps connections away from addresses that are not public.
type guard struct{ allowed []netip.Prefix }

// control is [net.Dialer.Control]: it sees the address that a connection is made to, after
// names were looked up.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("a connection to %q: not an address", address)
	}
	return g.permits(at.Addr())
}

func (g guard) permits(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	if isPublic(a) || slices.ContainsFunc(g.allowed, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return nil
	}
	return &PrivateAddressError{a}
}

// permitsName is for a host that a proxy looks up.
func (g guard) permitsName(host string) error {
	if a, err := netip.ParseAddr(host); err == nil {
		return g.permits(a)
	}
	if host = strings.ToLower(strings.TrimSuffix(host, ".")); host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return g.permits(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	}
	return nil
}

// A PrivateAddressError is the error of a request that a message, or another server's
// redirect, would have led to an address that is not public.
type PrivateAddressError struct{ Addr netip.Addr }

func (e *PrivateAddressError) Error() string {
	return fmt.Sprintf("a connection to %v is not allowed: the address is not public, and not in allowedNetworks", e.Addr)
}

// special are the networks that are not public besides those that netip knows, by the
// registries of IANA for special-purpose addresses.
var special = func() (all []netip.Prefix) {
	for _, p := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}()

func isPublic(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}

// redirect is [http.Client.CheckRedirect].
func redirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if r.URL.Scheme == "http" && via[len(via)-1].URL.Scheme == "https" {
		return errors.New("a redirect from https to http is not followed")
	}
	if first := via[0].URL; r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
		// Package net/http takes other ports and subdomains for the same server, and tells
		// every server the URL, whose query may be a secret.
		for _, name := range []string{"Authorization", "Cookie", "Referer"} {
			r.Header.Del(name)
		}
	}
	return nil
}
