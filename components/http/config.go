package http

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/mehari-go/mehari/route"
)

// Config is everything that an endpoint which sends requests can be told. Zero fields mean
// defaults.
type Config struct {
	// Address is the host, the port and the path: "shop.example:8443/api". The scheme of
	// the URI says whether it is https; "https://" may stand here too.
	Address string `uri:".,required"`

	// Query is the query of the requests, %-encoded: a=1&b=2. It counts as a secret,
	// because many servers want their keys there.
	Query string `uri:"query,secret"`

	// HTTPMethod is the method; "" means GET where there is no body and POST where there is.
	HTTPMethod string `uri:"httpMethod"`

	// ControlHeaders are those of "method", "path", "query" and "uri" that the headers
	// [Method], [Path], [Query] and [URI] of a message may set: the path is added to that of
	// Address, the query replaces Query, and the URI, a whole URL, replaces everything. None
	// means that no header steers a request.
	ControlHeaders []string `uri:"controlHeaders"`

	// AllowedHosts are the hosts other than that of Address that [URI] and redirects may
	// name: shop.example, shop.example:8443, *.shop.example, or * for any. Without a port
	// it is that of the scheme. None means [Options.AllowedHosts]; if that is empty too, [URI]
	// may name no other host, and redirects any.
	AllowedHosts []string `uri:"allowedHosts"`

	// AllowedSchemes are their schemes; none means https and that of Address.
	AllowedSchemes []string `uri:"allowedSchemes"`

	// AllowedNetworks are networks, such as 10.0.0.0/8, where those hosts may be although
	// they are private, local or reserved. The host of Address may be anywhere.
	AllowedNetworks []string `uri:"allowedNetworks"`

	// OkStatusCodeRange are the statuses that are a success; "" means 200-299. Several are
	// separated by commas: 200-299,404.
	OkStatusCodeRange string `uri:"okStatusCodeRange"`

	// ThrowExceptionOnFailure makes any other status a [*StatusError]; nil means true. If
	// false, the route goes on with the response as it is.
	ThrowExceptionOnFailure *bool `uri:"throwExceptionOnFailure"`

	// FollowRedirects follows redirects, up to 10 of them and never from https to http. By
	// default they are statuses like others.
	FollowRedirects bool `uri:"followRedirects"`

	// ConnectTimeout is how long a connection may take to be made, TLS included; 0 means
	// 10s.
	ConnectTimeout time.Duration `uri:"connectTimeout"`

	// ResponseTimeout is how long a request may take as a whole; with UseStreaming, how
	// long each part of the response may; 0 means 1m.
	ResponseTimeout time.Duration `uri:"responseTimeout"`

	// MaxResponseSize is how many bytes the body of a response may have, unpacked; 0 means
	// 64 MB, -1 as many as it likes.
	MaxResponseSize int64 `uri:"maxResponseSize"`

	// UseStreaming makes the body of the response a [route.Stream]. Whoever does not read
	// it to its end holds a connection for ResponseTimeout.
	UseStreaming bool `uri:"useStreaming"`

	// ConnectionsPerRoute is how many connections there are to one host at a time; 0 means
	// 20. Endpoints of one component share connections where they say the same about them.
	ConnectionsPerRoute int `uri:"connectionsPerRoute"`

	// MaxTotalConnections is how many connections to all hosts are kept for further
	// requests; 0 means 200.
	MaxTotalConnections int `uri:"maxTotalConnections"`

	// ConnectionClose closes each connection after its request.
	ConnectionClose bool `uri:"connectionClose"`

	// UserAgent is who the requests say they come from; "" means mehari, or the header
	// User-Agent of the message.
	UserAgent string `uri:"userAgent"`

	// CustomHostHeader is the Host header; "" means the host of the address.
	CustomHostHeader string `uri:"customHostHeader"`

	// SkipRequestHeaders sends no headers of the message but Content-Type and
	// Content-Encoding.
	SkipRequestHeaders bool `uri:"skipRequestHeaders"`

	// SkipResponseHeaders leaves the headers of the response out of the message, but
	// Content-Type and Content-Encoding.
	SkipResponseHeaders bool `uri:"skipResponseHeaders"`

	// IgnoreResponseBody leaves the message its body.
	IgnoreResponseBody bool `uri:"ignoreResponseBody"`

	// GetWithBody sends a body with GET too.
	GetWithBody bool `uri:"getWithBody"`

	// DeleteWithBody sends a body with DELETE too.
	DeleteWithBody bool `uri:"deleteWithBody"`

	// CompressRequest sends bodies packed with gzip.
	CompressRequest bool `uri:"compressRequest"`

	// ContentCompressionDisabled does not ask for responses packed with gzip. By default it
	// does, and unpacks them.
	ContentCompressionDisabled bool `uri:"contentCompressionDisabled"`

	// Cookies keeps the cookies of the responses, as long as the endpoint is there, and sends
	// them back.
	Cookies bool `uri:"cookies"`

	// MultipartUpload sends the body as the only part of a multipart/form-data form. A body
	// that is a []Part is always sent as such a form. Forms are made in memory.
	MultipartUpload bool `uri:"multipartUpload"`

	// MultipartUploadName is the name of that part; "" means data.
	MultipartUploadName string `uri:"multipartUploadName"`

	// Who the requests are from: a name with its password, a token, or a token that an OAuth
	// 2.0 server gives for client credentials (RFC 6749, section 4.4), which is asked for
	// once for as long as it holds. They go to the host of Address only.

	AuthUsername             string `uri:"authUsername"`              // the name, for basic authentication
	AuthPassword             string `uri:"authPassword,secret"`       // its password
	AuthBearerToken          string `uri:"authBearerToken,secret"`    // a token
	OAuth2ClientID           string `uri:"oauth2ClientId"`            // the client
	OAuth2ClientSecret       string `uri:"oauth2ClientSecret,secret"` // its secret
	OAuth2TokenEndpoint      string `uri:"oauth2TokenEndpoint"`       // the URL where tokens are given
	OAuth2Scope              string `uri:"oauth2Scope"`               // what the token is to be good for
	OAuth2BodyAuthentication bool   `uri:"oauth2BodyAuthentication"`  // the credentials are in the form and not in a header

	// How servers are reached.

	CertificateFile     string   `uri:"certificateFile"`          // a PEM file with the certificate that is shown to the server, read again when it has changed
	KeyFile             string   `uri:"keyFile"`                  // a PEM file with its key
	CAFile              string   `uri:"caFile"`                   // a PEM file with the authorities that servers must have theirs from; "" means those of the system
	ProxyHost           string   `uri:"proxyHost"`                // the host of an HTTP proxy
	ProxyPort           int      `uri:"proxyPort"`                // its port; 0 means 8080
	ProxyAuthUsername   string   `uri:"proxyAuthUsername"`        // the name at the proxy
	ProxyAuthPassword   string   `uri:"proxyAuthPassword,secret"` // its password
	NonProxyHosts       []string `uri:"nonProxyHosts"`            // hosts without the proxy, as in AllowedHosts
	UseSystemProperties bool     `uri:"useSystemProperties"`      // takes the proxy that the environment variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY say
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("http", c) }

const (
	defaultMaxResponse     = 64 << 20
	defaultConnectTimeout  = 10 * time.Second
	defaultResponseTimeout = time.Minute
	maxRedirects           = 10
	maxStatusBody          = 16 << 10
)

// base returns the URL of the requests.
func (c Config) base(scheme string) (*url.URL, error) {
	text := c.Address
	if !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") {
		if scheme != "http" && scheme != "https" {
			return nil, fmt.Errorf("address: under the scheme %q want it to begin with http:// or https://", scheme)
		}
		text = scheme + "://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("address: want host:port/path, with % in the path written %25")
	case u.User != nil:
		return nil, errors.New("address: want no name and password in it: options authUsername and authPassword are for that")
	case u.Hostname() == "" || u.Fragment != "":
		return nil, errors.New("address: want host:port/path")
	}
	u.RawQuery = c.Query
	return u, nil
}

func (c Config) check(foreign bool) error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	_, err := parseRanges(cmp.Or(c.OkStatusCodeRange, "200-299"))
	refuse(err != nil, `option "okStatusCodeRange": %w`, err)
	refuse(c.HTTPMethod != "" && !httpguts.ValidHeaderFieldName(c.HTTPMethod), `option "httpMethod": want a method such as POST, have %q`, c.HTTPMethod)
	refuse(strings.ContainsFunc(c.Query, func(r rune) bool { return r <= ' ' || r == '#' || r == 0x7f }), `option "query": want it %%-encoded, like a=1&b=2`)
	for _, h := range c.ControlHeaders {
		refuse(!slices.Contains([]string{"method", "path", "query", "uri"}, h), `option "controlHeaders": want some of method, path, query and uri, have %q`, h)
	}
	for _, s := range c.AllowedSchemes {
		refuse(s != "http" && s != "https", `option "allowedSchemes": want http or https, have %q`, s)
	}
	for _, n := range c.AllowedNetworks {
		_, err := netip.ParsePrefix(n)
		refuse(err != nil, `option "allowedNetworks": want networks such as 10.0.0.0/8, have %q`, n)
	}
	refuse(c.ConnectTimeout < 0, `option "connectTimeout": want more than 0, have %v`, c.ConnectTimeout)
	refuse(c.ResponseTimeout < 0, `option "responseTimeout": want more than 0, have %v`, c.ResponseTimeout)
	refuse(c.MaxResponseSize < -1, `option "maxResponseSize": want 1 or more bytes, or -1 (no limit), have %d`, c.MaxResponseSize)
	refuse(c.ConnectionsPerRoute < 0, `option "connectionsPerRoute": want 1 or more, have %d`, c.ConnectionsPerRoute)
	refuse(c.MaxTotalConnections < 0, `option "maxTotalConnections": want 1 or more, have %d`, c.MaxTotalConnections)
	refuse(!httpguts.ValidHeaderFieldValue(c.UserAgent), `option "userAgent": want no line breaks`)
	refuse(!httpguts.ValidHostHeader(c.CustomHostHeader), `option "customHostHeader": want host:port, have %q`, c.CustomHostHeader)
	refuse(c.MultipartUploadName != "" && !c.MultipartUpload, `option "multipartUploadName" has a meaning with multipartUpload=true only`)
	refuse(checkPart(c.MultipartUploadName) != nil, `option "multipartUploadName": want no quotes and control characters, have %q`, c.MultipartUploadName)
	errs = append(errs, c.checkWho()...)
	if foreign {
		for _, o := range c.dangerous() {
			errs = append(errs, fmt.Errorf("option %q: not in a URI that is made at run time, some of which may come from a message: see http.Options", o))
		}
	}
	return errors.Join(errs...)
}

// checkWho checks what belongs together of credentials, certificates and proxies.
func (c Config) checkWho() (errs []error) {
	refuse := func(wrong bool, text string) {
		if wrong {
			errs = append(errs, errors.New(text))
		}
	}
	ways := 0
	for _, way := range []bool{c.AuthUsername != "", c.AuthBearerToken != "", c.OAuth2ClientID != ""} {
		if way {
			ways++
		}
	}
	refuse(ways > 1, `options "authUsername", "authBearerToken" and "oauth2ClientId" exclude each other`)
	refuse(c.AuthUsername == "" && c.AuthPassword != "", `option "authPassword" has a meaning with "authUsername" only`)
	refuse(!httpguts.ValidHeaderFieldValue(c.AuthBearerToken), `option "authBearerToken": want no line breaks`)
	refuse((c.OAuth2ClientID == "") != (c.OAuth2TokenEndpoint == ""), `options "oauth2ClientId" and "oauth2TokenEndpoint" belong together`)
	refuse(c.OAuth2ClientID == "" && (c.OAuth2ClientSecret != "" || c.OAuth2Scope != "" || c.OAuth2BodyAuthentication),
		`the options "oauth2…" have a meaning with "oauth2ClientId" only`)
	if c.OAuth2TokenEndpoint != "" {
		u, err := url.Parse(c.OAuth2TokenEndpoint)
		refuse(err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "", `option "oauth2TokenEndpoint": want a URL like https://login.example/token`)
	}
	refuse((c.CertificateFile == "") != (c.KeyFile == ""), `options "certificateFile" and "keyFile" belong together`)
	refuse(c.ProxyPort < 0 || c.ProxyPort > 65535, `option "proxyPort": want 1 to 65535`)
	refuse(c.ProxyHost == "" && (c.ProxyPort != 0 || c.ProxyAuthUsername != "" || c.ProxyAuthPassword != "" || len(c.NonProxyHosts) > 0),
		`the options "proxy…" and "nonProxyHosts" have a meaning with "proxyHost" only`)
	refuse(c.ProxyHost != "" && c.UseSystemProperties, `options "proxyHost" and "useSystemProperties" exclude each other`)
	refuse(strings.ContainsAny(c.ProxyHost, "/@? "), `option "proxyHost": want a host, and its port in "proxyPort"`)
	return errs
}

// dangerous returns the options that are set and that a message must not set.
func (c Config) dangerous() (names []string) {
	for _, o := range []struct {
		name string
		set  bool
	}{
		{"allowedHosts", len(c.AllowedHosts) > 0},
		{"allowedSchemes", len(c.AllowedSchemes) > 0},
		{"allowedNetworks", len(c.AllowedNetworks) > 0},
		{"controlHeaders", len(c.ControlHeaders) > 0},
		{"certificateFile", c.CertificateFile != ""},
		{"caFile", c.CAFile != ""},
		{"proxyHost", c.ProxyHost != ""},
		{"oauth2TokenEndpoint", c.OAuth2TokenEndpoint != ""},
	} {
		if o.set {
			names = append(names, o.name)
		}
	}
	return names
}

// statusRanges are the statuses that are a success.
type statusRanges [][2]int

func parseRanges(text string) (statusRanges, error) {
	var all statusRanges
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || from < 100 || to > 999 || from > to {
			return nil, fmt.Errorf("want statuses like 200-299 or 200-299,404, have %q", text)
		}
		all = append(all, [2]int{from, to})
	}
	return all, nil
}

func (s statusRanges) has(status int) bool {
	return slices.ContainsFunc(s, func(r [2]int) bool { return r[0] <= status && status <= r[1] })
}

// method returns the method of a request.
func (c *Config) method(ex *route.Exchange) (string, error) {
	if slices.Contains(c.ControlHeaders, "method") {
		if m, ok := Method.Get(ex); ok && m != "" {
			if !httpguts.ValidHeaderFieldName(m) {
				return "", fmt.Errorf("header %q: want a method, have %q", Method.Name(), m)
			}
			return strings.ToUpper(m), nil
		}
	}
	if c.HTTPMethod != "" {
		return strings.ToUpper(c.HTTPMethod), nil
	}
	if ex.Body == nil {
		return http.MethodGet, nil
	}
	return http.MethodPost, nil
}
