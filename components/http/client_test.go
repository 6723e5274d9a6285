package http_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestClientComponent(t *testing.T) {
	site := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) { _, _ = io.Copy(w, r.Body) }))
	defer site.Close()
	routetest.TestComponent(t, routetest.Harness{
		New:   func() route.Component { return http.New(http.Options{}) },
		Close: func(c route.Component) { c.(*http.Client).Close() },
		Configs: []routetest.Config{
			http.Config{
				Address: "a.example:8080/b?c%d", Query: "a=1&b=2", HTTPMethod: "PUT", ControlHeaders: []string{"method", "path", "query", "uri"},
				AllowedHosts: []string{"*.b.example"}, AllowedSchemes: []string{"https"}, AllowedNetworks: []string{"10.0.0.0/8"}, OkStatusCodeRange: "200-299,404",
				ThrowExceptionOnFailure: new(false), FollowRedirects: true, ConnectTimeout: time.Second, ResponseTimeout: time.Minute, MaxResponseSize: -1,
				UseStreaming: true, ConnectionsPerRoute: 1, MaxTotalConnections: 2, ConnectionClose: true, UserAgent: "a", CustomHostHeader: "c.example",
			},
			http.Config{
				Address: "https://a.example", SkipRequestHeaders: true, SkipResponseHeaders: true, IgnoreResponseBody: true, GetWithBody: true,
				DeleteWithBody: true, CompressRequest: true, ContentCompressionDisabled: true, Cookies: true, MultipartUpload: true, MultipartUploadName: "f",
				AuthUsername: "me", AuthPassword: "secret", CertificateFile: "/c.pem", KeyFile: "/k.pem", CAFile: "/ca.pem",
				ProxyHost: "proxy", ProxyPort: 3128, ProxyAuthUsername: "me", ProxyAuthPassword: "secret", NonProxyHosts: []string{"b.example"},
			},
			http.Config{Address: "a.example/", AuthBearerToken: "abc", UseSystemProperties: true},
			http.Config{
				Address: "[::1]:80", OAuth2ClientID: "id", OAuth2ClientSecret: "secret", OAuth2TokenEndpoint: "https://login.example/token",
				OAuth2Scope: "all", OAuth2BodyAuthentication: true,
			},
		},
		Producer: route.URI(site.URL),
	})
}

// A site is a server that tells what it was asked, and answers as it is told to.
type site struct {
	*httptest.Server
	asked  atomic.Pointer[nethttp.Request]
	body   atomic.Pointer[string]
	calls  atomic.Int64
	answer atomic.Pointer[nethttp.HandlerFunc]
}

func newSite(t *testing.T) *site {
	s := new(site)
	s.Server = httptest.NewUnstartedServer(nethttp.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func startSite(t *testing.T) *site { s := newSite(t); s.Start(); return s }

func (s *site) serve(w nethttp.ResponseWriter, r *nethttp.Request) {
	s.calls.Add(1)
	b, _ := io.ReadAll(r.Body)
	s.body.Store(new(string(b)))
	s.asked.Store(r)
	if f := s.answer.Load(); f != nil {
		(*f)(w, r)
	}
}

func (s *site) will(f nethttp.HandlerFunc) { s.answer.Store(&f) }

func (s *site) status(status int, location string) {
	s.will(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "body of the answer")
	})
}

// client runs an engine that has no more than a client.
func client(t *testing.T, o http.Options) *route.Engine {
	t.Helper()
	c := http.New(o)
	t.Cleanup(c.Close)
	return routetest.Run(t, route.Config{Components: route.Components{"http": c, "https": c}})
}

func (s *site) uri(rest string) route.URI { return route.URI(s.URL + rest) }

func must(t *testing.T) func(*route.Exchange, error) *route.Exchange {
	return func(ex *route.Exchange, err error) *route.Exchange {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return ex
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("have %v, want %s", err, want)
	}
}

func TestClientMethods(t *testing.T) {
	s, e := startSite(t), client(t, http.Options{})
	for _, tt := range []struct {
		options string
		body    any
		header  string
		want    string
	}{
		{"", nil, "", "GET  "},
		{"", "x", "", "POST x text/plain; charset=utf-8"},
		{"", []byte("x"), "", "POST x application/octet-stream"},
		{"", map[string]int{"a": 1}, "", `POST {"a":1} application/json`},
		{"", strings.NewReader("stream"), "", "POST stream application/octet-stream"},
		{"", "x", "DELETE", "POST x text/plain; charset=utf-8"},
		{"?httpMethod=PUT", "x", "", "PUT x text/plain; charset=utf-8"},
		{"?httpMethod=GET", "x", "", "GET  "},
		{"?httpMethod=GET&getWithBody=true", "x", "", "GET x text/plain; charset=utf-8"},
		{"?httpMethod=DELETE", "x", "", "DELETE  "},
		{"?httpMethod=DELETE&deleteWithBody=true", "x", "", "DELETE x text/plain; charset=utf-8"},
		{"?controlHeaders=method", "x", "patch", "PATCH x text/plain; charset=utf-8"},
		{"?httpMethod=PUT&controlHeaders=method", nil, "DELETE", "DELETE  "},
	} {
		ex := must(t)(e.Request(t.Context(), s.uri("/m"+tt.options), tt.body, route.WithHeader("CamelHttpMethod", tt.header)))
		r := s.asked.Load()
		if got := r.Method + " " + *s.body.Load() + " " + r.Header.Get("Content-Type"); got != tt.want {
			t.Errorf("%q %v %q: have %q, want %q", tt.options, tt.body, tt.header, got, tt.want)
		}
		if code, _ := http.ResponseCode.Get(ex); code != 200 {
			t.Errorf("status %v", code)
		}
	}
}

func TestClientHeaders(t *testing.T) {
	s, e := startSite(t), client(t, http.Options{})
	s.will(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header()["X-Two"] = []string{"1", "2"}
		w.Header().Set("CamelHttpUri", "http://evil")
		w.Header().Set("Content-Type", "text/x")
		_, _ = io.WriteString(w, "answer")
	})
	headers := func(ex *route.Exchange) {
		for name, value := range map[string]any{
			"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "X-N": 7, "X-List": []string{"a", "b"}, "X-T": time.Unix(0, 0), "X-Map": map[string]int{},
			"CamelSecret": "x", "Connection": "close", "Host": "evil", "Accept-Encoding": "br", "Authorization": "Bearer mine", "Content-Length": "999", "Transfer-Encoding": "chunked",
		} {
			ex.SetHeader(name, value)
		}
	}
	ex := must(t)(e.Request(t.Context(), s.uri("/h?userAgent=me"), "x", headers))
	r := s.asked.Load()
	for name, want := range map[string]string{
		"Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "X-N": "7", "X-List": "a", "X-T": "Thu, 01 Jan 1970 00:00:00 GMT", "X-Map": "",
		"Camelsecret": "", "Connection": "", "Accept-Encoding": "gzip", "Authorization": "Bearer mine", "Content-Length": "1", "User-Agent": "me",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: have %q, want %q", name, got, want)
		}
	}
	if "http://"+r.Host != s.URL || len(r.Header["X-List"]) != 2 {
		t.Errorf("host %q, list %v", r.Host, r.Header["X-List"])
	}
	if got := fmt.Sprint(ex.Header("X-Two"), ex.Header("Content-Type"), ex.Header("CamelHttpUri"), string(ex.Body.([]byte))); got != "[1 2]text/x<nil>answer" {
		t.Errorf("have %s", got)
	}
	for name, value := range map[string]string{"X-A": "a\r\nX-B: s3cret", "X A": "b", "X-A:": "c"} {
		_, err := e.Request(t.Context(), s.uri("/h"), "x", route.WithHeader(name, value))
		wantError(t, err, fmt.Sprintf("header %q", name))
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error tells the value: %v", err)
		}
	}
	must(t)(e.Request(t.Context(), s.uri("/h?skipRequestHeaders=true&skipResponseHeaders=true&customHostHeader=c.example"), "x", headers))
	if r := s.asked.Load(); r.Header.Get("X-N") != "" || r.Host != "c.example" {
		t.Errorf("headers %v of host %q", r.Header, r.Host)
	}
}

func TestHeadersSteerOnlyWhatIsAllowed(t *testing.T) {
	s, other := startSite(t), startSite(t)
	e := client(t, http.Options{})
	host := strings.TrimPrefix(other.URL, "http://")
	all := func(path, query, uri string) route.SendOption {
		return func(ex *route.Exchange) {
			http.Path.Set(ex, path)
			http.Query.Set(ex, query)
			http.URI.Set(ex, uri)
		}
	}
	for _, tt := range []struct {
		options, path, query, uri string
		want                      string // the URI asked for, or a part of the error
	}{
		{"?query=a%3D1", "/x", "b=2", other.URL, "/api?a=1"},
		{"?query=a%3D1&controlHeaders=path", "/x%2Fy", "b=2", other.URL, "/api/x%2Fy?a=1"},
		{"?query=a%3D1&controlHeaders=query", "/x", "b=2", other.URL, "/api?b=2"},
		{"?controlHeaders=path,query", "/x", "b=2", other.URL, "/api/x?b=2"},
		{"?controlHeaders=path", "/../x", "", "", `header "CamelHttpPath": want a path without ".."`},
		{"?controlHeaders=path", "/%2e%2e/x", "", "", `without ".."`},
		{"?controlHeaders=path", "/..;a/x", "", "", `without ".."`},
		{"?controlHeaders=path", "/a\\..\\x", "", "", `without ".."`},
		{"?controlHeaders=path", "/a?b", "", "", "? and # escaped"},
		{"?controlHeaders=query", "", "a b", "", `header "CamelHttpQuery"`},
		{"?controlHeaders=uri", "", "", s.URL + "/own", "/own"},
		{"?controlHeaders=uri", "", "", other.URL, "no host but"},
		{"?controlHeaders=uri&allowedHosts=a.example", "", "", other.URL, "is not allowed (have a.example)"},
		{"?controlHeaders=uri&allowedHosts=*", "", "", "gopher://" + host, `the scheme "gopher" is not allowed (have https, http)`},
		{"?controlHeaders=uri&allowedHosts=*", "", "", "http://me:pw@" + host, "without a password"},
		{"?controlHeaders=uri&allowedHosts=*", "", "", "http://", "want a URL"},
		{"?controlHeaders=uri&allowedHosts=*", "", "", other.URL, "a connection to 127.0.0.1 is not allowed"},
		{"?controlHeaders=uri&allowedHosts=*", "", "", strings.Replace(other.URL, "127.0.0.1", "localhost", 1), "is not allowed: the address is not public"},
		{"?controlHeaders=uri&allowedHosts=*", "", "", "http://169.254.169.254/latest/meta-data", "a connection to 169.254.169.254 is not allowed"},
		{"?controlHeaders=uri&allowedHosts=*", "", "", "http://[::ffff:10.0.0.1]/", "a connection to 10.0.0.1 is not allowed"},
		{"?controlHeaders=uri&allowedHosts=*&allowedSchemes=https", "", "", other.URL, `the scheme "http" is not allowed (have https)`},
		{"?authBearerToken=t&controlHeaders=uri&allowedNetworks=127.0.0.0/8&allowedHosts=" + url.QueryEscape(host), "", "", other.URL + "/other", "other: /other "},
		{"?authBearerToken=t", "", "", "", "/api Bearer t"},
	} {
		s.asked.Store(nil)
		other.asked.Store(nil)
		_, err := e.Request(t.Context(), s.uri("/api"+tt.options), nil, all(tt.path, tt.query, tt.uri))
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case other.asked.Load() != nil:
			got = "other: " + other.asked.Load().RequestURI + " " + other.asked.Load().Header.Get("Authorization")
		default:
			got = strings.TrimSpace(s.asked.Load().RequestURI + " " + s.asked.Load().Header.Get("Authorization"))
		}
		if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
			t.Errorf("%s: have %s, want %s", tt.options, got, tt.want)
		}
	}
}

func TestURIsMadeAtRunTime(t *testing.T) {
	s := startSite(t)
	run := func(o http.Options) func(uri string) error {
		c := http.New(o)
		t.Cleanup(c.Close)
		mock := new(routetest.Mock)
		routetest.Run(t, route.Config{Components: route.Components{"http": c, "mock": mock}},
			route.From("mock:in").ToD("${header.to}").To("mock:out"))
		return func(uri string) error { return mock.Send("in", nil, route.WithHeader("to", uri)) }
	}
	send := run(http.Options{})
	wantError(t, send(s.URL), "a connection to 127.0.0.1 is not allowed")
	wantError(t, send(s.URL+"?allowedNetworks=127.0.0.0/8"), `option "allowedNetworks": not in a URI that is made at run time`)
	wantError(t, send(s.URL+"?proxyHost=a"), `option "proxyHost": not in a URI`)
	wantError(t, send(s.URL+"?certificateFile=/a&keyFile=/b"), `option "certificateFile": not in a URI`)
	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if err := run(http.Options{AllowedNetworks: here})(s.URL + "/x"); err != nil || s.asked.Load().RequestURI != "/x" {
		t.Errorf("have %v", err)
	}
	wantError(t, run(http.Options{AllowedNetworks: here, AllowedHosts: []string{"127.0.0.1"}})(s.URL), "is not allowed (have 127.0.0.1)") // at port 80
	if err := run(http.Options{AllowedNetworks: here, AllowedHosts: []string{strings.TrimPrefix(s.URL, "http://")}})(s.URL); err != nil {
		t.Error(err)
	}
}

func TestClientRedirects(t *testing.T) {
	s, other := startSite(t), startSite(t)
	e := client(t, http.Options{})
	s.status(302, other.URL)
	_, err := e.Request(t.Context(), s.uri(""), nil)
	status, ok := errors.AsType[*http.StatusError](err)
	if !ok || status.Status != 302 || status.Header.Get("Location") != other.URL {
		t.Errorf("by default: have %v", err)
	}
	_, err = e.Request(t.Context(), s.uri("?followRedirects=true"), nil)
	wantError(t, err, "a connection to 127.0.0.1 is not allowed")
	if _, ok := errors.AsType[*http.PrivateAddressError](err); !ok || other.calls.Load() != 0 {
		t.Errorf("have %T, %d calls", err, other.calls.Load())
	}
	ex := must(t)(e.Request(t.Context(), s.uri("?followRedirects=true&authBearerToken=t&allowedNetworks=127.0.0.1/32"), nil))
	if other.asked.Load() == nil || ex.Body != nil {
		t.Errorf("body %v", ex.Body)
	}
	s.status(302, s.URL)
	_, err = e.Request(t.Context(), s.uri("?followRedirects=true"), nil)
	wantError(t, err, "more than 10 redirects")
	tls := newSite(t)
	tls.StartTLS()
	tls.status(302, other.URL)
	o := http.Options{TLS: tls.Client().Transport.(*nethttp.Transport).TLSClientConfig}
	_, err = client(t, o).Request(t.Context(), tls.uri("?followRedirects=true&allowedNetworks=127.0.0.1/32"), nil)
	wantError(t, err, "a redirect from https to http is not followed")
}

// What an endpoint, or a message, tells the server that it asks is not for the one that a
// redirect leads to, also where that is another port of the same host.
func TestClientRedirectTellsNoSecrets(t *testing.T) {
	s, other, e := startSite(t), startSite(t), client(t, http.Options{})
	for _, secret := range []string{"authBearerToken=s3cret", "authUsername=me&authPassword=s3cret", "query=RAW(key=s3cret)"} {
		s.status(302, other.URL+"/there")
		must(t)(e.Request(t.Context(), s.uri("?followRedirects=true&allowedNetworks=127.0.0.1/32&"+secret), nil, route.WithHeader("Cookie", "session=s3cret")))
		for _, name := range []string{"Authorization", "Cookie", "Referer"} {
			if got := other.asked.Load().Header[name]; got != nil {
				t.Errorf("%s: the other server gets %s: %q", secret, name, got)
			}
		}
	}
	s.will(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.URL.Path != "/there" {
			nethttp.Redirect(w, r, "/there", nethttp.StatusFound)
		}
	})
	must(t)(e.Request(t.Context(), s.uri("?followRedirects=true&authBearerToken=mine"), nil))
	if got := s.asked.Load().Header.Get("Authorization"); got != "Bearer mine" {
		t.Errorf("the same server gets %q", got)
	}
}

func TestClientQueryIsSecret(t *testing.T) {
	s := startSite(t)
	s.status(500, "")
	c := http.New(http.Options{})
	e := routetest.Run(t, route.Config{Components: route.Components{"http": c, "direct": direct.New()}},
		route.From("direct:ask").ID("ask").To(s.uri("/there?query=RAW(key=hunter2)")))
	_, err := e.Request(t.Context(), "direct:ask", nil)
	wantError(t, err, "500")
	status, _ := e.Status().Route("ask")
	_, wrong := route.New(route.Config{Components: route.Components{"http": c, "direct": direct.New()}},
		route.From("direct:ask").To(s.uri("/there?query=RAW(key=hunter2)&quary=1")))
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", status), fmt.Sprint(wrong)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("it shows the secret: %s", text)
		}
	}
}

func TestClientStatus(t *testing.T) {
	s, e := startSite(t), client(t, http.Options{})
	s.status(404, "")
	_, err := e.Request(t.Context(), s.uri("/x?query=key%3Ds3cret"), "x")
	status, ok := errors.AsType[*http.StatusError](err)
	if !ok || status.Status != 404 || string(status.Body) != "body of the answer" || status.Method != "POST" {
		t.Fatalf("have %+v", err)
	}
	if text := err.Error(); strings.Contains(text, "s3cret") || strings.Contains(text, "body of") || !strings.Contains(text, "POST "+s.URL+"/x: status 404 Not Found") {
		t.Errorf("have %s", text)
	}
	for _, options := range []string{"?okStatusCodeRange=200-299,404", "?throwExceptionOnFailure=false"} {
		ex := must(t)(e.Request(t.Context(), s.uri(options), "x"))
		if ex.Header("CamelHttpResponseCode") != 404 || ex.Header("CamelHttpResponseText") != "Not Found" || string(ex.Body.([]byte)) != "body of the answer" {
			t.Errorf("have %v %v", ex.Header("CamelHttpResponseCode"), ex.Body)
		}
	}
	ex := must(t)(e.Request(t.Context(), s.uri("?throwExceptionOnFailure=false&ignoreResponseBody=true"), "x"))
	if ex.Body != "x" {
		t.Errorf("body %v", ex.Body)
	}
	s.will(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.WriteHeader(500)
		_, _ = w.Write(make([]byte, 1<<20))
	})
	_, err = e.Request(t.Context(), s.uri(""), nil)
	if status, ok := errors.AsType[*http.StatusError](err); !ok || len(status.Body) != 16<<10 {
		t.Errorf("body of %d", len(status.Body))
	}
	if n := s.calls.Load(); n != 5 {
		t.Errorf("%d requests, want 5: none is sent twice", n)
	}
}

func TestClientBoundsResponses(t *testing.T) {
	s, e := startSite(t), client(t, http.Options{})
	for name, answer := range map[string]nethttp.HandlerFunc{
		"length": func(w nethttp.ResponseWriter, _ *nethttp.Request) { _, _ = w.Write(make([]byte, 1001)) },
		"chunks": func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			w.(nethttp.Flusher).Flush()
			_, _ = w.Write(make([]byte, 1001))
		},
		"packed": func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 1<<20))
			_ = z.Close()
		},
	} {
		s.will(answer)
		_, err := e.Request(t.Context(), s.uri("?maxResponseSize=1000"), nil)
		wantError(t, err, "the response has more than the 1000 bytes that maxResponseSize allows")
		ex := must(t)(e.Request(t.Context(), s.uri("?maxResponseSize=1000&useStreaming=true"), nil))
		b, err := io.ReadAll(ex.Body.(io.Reader))
		wantError(t, err, "1000 bytes")
		if len(b) != 1000 {
			t.Errorf("%s: %d bytes", name, len(b))
		}
		must(t)(e.Request(t.Context(), s.uri(""), nil))
	}
	s.will(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	})
	_, err := e.Request(t.Context(), s.uri(""), nil)
	wantError(t, err, "the response was cut off")
	hang := make(chan struct{})
	defer close(hang)
	s.will(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		_, _ = io.WriteString(w, "begin")
		w.(nethttp.Flusher).Flush()
		<-hang
	})
	_, err = e.Request(t.Context(), s.uri("?responseTimeout=30ms"), nil)
	wantError(t, err, "no response within 30ms")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("have %v", err)
	}
	ex := must(t)(e.Request(t.Context(), s.uri("?responseTimeout=30ms&useStreaming=true"), nil))
	if b, err := io.ReadAll(ex.Body.(io.Reader)); err == nil || string(b) != "begin" {
		t.Errorf("have %q, %v", b, err)
	}
	unread := must(t)(e.Request(t.Context(), s.uri("?responseTimeout=10ms&useStreaming=true&connectionsPerRoute=1"), nil))
	s.status(200, "")
	must(t)(e.Request(t.Context(), s.uri("?connectionsPerRoute=1"), nil)) // waits until the one is given up
	_ = unread
}

func TestClientStreamsBothWays(t *testing.T) {
	e := client(t, http.Options{})
	first := make(chan string)
	s := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		_ = nethttp.NewResponseController(w).EnableFullDuplex()
		buf := make([]byte, 5)
		_, _ = io.ReadFull(r.Body, buf)
		first <- string(buf)
		_, _ = w.Write(buf)
		_, _ = io.Copy(w, r.Body)
	}))
	defer s.Close()
	out, in := io.Pipe()
	go func() {
		_, _ = io.WriteString(in, "first")
		if got := <-first; got != "first" { // it is there before there is more
			_ = in.CloseWithError(errors.New(got))
		}
		_, _ = io.WriteString(in, " second")
		_ = in.Close()
	}()
	ex := must(t)(e.Request(t.Context(), route.URI(s.URL+"?useStreaming=true"), out))
	b, err := io.ReadAll(ex.Body.(io.Reader))
	if string(b) != "first second" || err != nil {
		t.Errorf("have %q, %v", b, err)
	}
}

func TestClientCookies(t *testing.T) {
	s, e := startSite(t), client(t, http.Options{})
	s.will(func(w nethttp.ResponseWriter, r *nethttp.Request) { w.Header().Set("Set-Cookie", "a=1") })
	for _, tt := range []struct{ options, want string }{{"", ""}, {"?cookies=true", "a=1"}} {
		for range 2 {
			must(t)(e.Request(t.Context(), s.uri(tt.options), nil))
		}
		if got := s.asked.Load().Header.Get("Cookie"); got != tt.want {
			t.Errorf("%q: have %q, want %q", tt.options, got, tt.want)
		}
	}
}

func TestClientBadInput(t *testing.T) {
	for _, tt := range []struct{ uri, want string }{
		{"http:", `nothing after "http:"`},
		{"http://me:pw@a.example", "want no name and password in it"},
		{"http:///x", "address: want host:port/path"},
		{"http://a.example?okStatusCodeRange=2xx", `option "okStatusCodeRange": want statuses like 200-299 or 200-299,404, have "2xx"`},
		{"http://a.example?q=1", `unknown option "q"`},
		{"http://a.example?httpMethod=GE%20T", `option "httpMethod"`},
		{"http://a.example?query=RAW(a b)", `option "query": want it %-encoded`},
		{"http://a.example?controlHeaders=host", `have "host"`},
		{"http://a.example?allowedSchemes=ftp", `option "allowedSchemes"`},
		{"http://a.example?allowedNetworks=10", `option "allowedNetworks": want networks such as 10.0.0.0/8, have "10"`},
		{"http://a.example?authUsername=a&authBearerToken=b", "exclude each other"},
		{"http://a.example?authPassword=a", `option "authPassword" has a meaning`},
		{"http://a.example?oauth2ClientId=a", "belong together"},
		{"http://a.example?oauth2Scope=a", `"oauth2…"`},
		{"http://a.example?oauth2ClientId=a&oauth2TokenEndpoint=b", "want a URL like"},
		{"http://a.example?certificateFile=a", "belong together"},
		{"http://a.example?proxyPort=1", `with "proxyHost" only`},
		{"http://a.example?proxyHost=http://a", "want a host"},
		{"http://a.example?multipartUploadName=a", "multipartUpload=true only"},
		{"http://a.example?customHostHeader=a%20b", "want host:port"},
		{"http://a.example?responseTimeout=-1s", `option "responseTimeout"`},
		{"shop:a.example", `under the scheme "shop" want it to begin with`},
	} {
		c := http.New(http.Options{})
		_, err := route.New(route.Config{Components: route.Components{"http": c, "shop": c, "mock": new(routetest.Mock)}}, route.From("mock:in").To(route.URI(tt.uri)))
		wantError(t, err, tt.want)
	}
	e := client(t, http.Options{})
	s := startSite(t)
	s.Close()
	_, err := e.Request(t.Context(), s.uri("/x?query=key%3Ds3cret"), nil)
	wantError(t, err, "connection refused")
	if err != nil && strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error tells the query: %v", err)
	}
	_, err = e.Request(t.Context(), s.uri("?caFile=/no/such/file"), nil)
	wantError(t, err, "/no/such/file")
}
