package http_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/route"
)

func TestClientCredentials(t *testing.T) {
	s, e := startSite(t), client(t, http.Options{})
	for options, want := range map[string]string{
		"?authUsername=me&authPassword=pw": "Basic bWU6cHc=",
		"?authBearerToken=abc":             "Bearer abc",
		"":                                 "",
	} {
		must(t)(e.Request(t.Context(), s.uri(options), nil))
		if got := s.asked.Load().Header.Get("Authorization"); got != want {
			t.Errorf("%q: have %q, want %q", options, got, want)
		}
	}
}

func TestClientTokens(t *testing.T) {
	s, e := startSite(t), client(t, http.Options{})
	var given atomic.Int64
	var form atomic.Pointer[string]
	answer := atomic.Pointer[string]{}
	login := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		user, password, _ := r.BasicAuth()
		form.Store(new(fmt.Sprint(user, " ", password, " ", r.PostFormValue("grant_type"), " ", r.PostFormValue("scope"), " ", r.PostFormValue("client_id"), " ", r.PostFormValue("client_secret"))))
		if a := answer.Load(); a != nil {
			w.WriteHeader(400)
			_, _ = io.WriteString(w, *a)
			return
		}
		_, _ = fmt.Fprintf(w, `{"access_token":"t%d","token_type":"Bearer","expires_in":3600}`, given.Add(1))
	}))
	defer login.Close()
	options := "?oauth2ClientId=id&oauth2ClientSecret=s3cret&oauth2Scope=all&oauth2TokenEndpoint=" + url.QueryEscape(login.URL+"/token")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := e.Request(t.Context(), s.uri(options), nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := s.asked.Load().Header.Get("Authorization"); got != "Bearer t1" || given.Load() != 1 || *form.Load() != "id s3cret client_credentials all  " {
		t.Errorf("have %q, %d tokens, form %q", got, given.Load(), *form.Load())
	}
	s.status(401, "") // the server does not take it any more
	if _, err := e.Request(t.Context(), s.uri(options), nil); err == nil {
		t.Error("no error")
	}
	s.status(200, "")
	must(t)(e.Request(t.Context(), s.uri(options), nil))
	if got := s.asked.Load().Header.Get("Authorization"); got != "Bearer t2" {
		t.Errorf("have %q", got)
	}
	must(t)(e.Request(t.Context(), s.uri(options+"&oauth2BodyAuthentication=true"), nil))
	if *form.Load() != "  client_credentials all id s3cret" {
		t.Errorf("form %q", *form.Load())
	}
	for text, want := range map[string]string{`{"error":"invalid_client"}`: `status 400: "invalid_client"`, `<html>`: "status 400"} {
		answer.Store(&text)
		_, err := e.Request(t.Context(), s.uri(strings.Replace(options, "all", text[2:4], 1)), nil)
		wantError(t, err, want)
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

func TestClientProxy(t *testing.T) {
	var asked, auth atomic.Pointer[string]
	proxy := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		asked.Store(new(r.RequestURI))
		auth.Store(new(r.Header.Get("Proxy-Authorization")))
		_, _ = io.WriteString(w, "by the proxy")
	}))
	defer proxy.Close()
	host, port, _ := net.SplitHostPort(strings.TrimPrefix(proxy.URL, "http://"))
	s, e := startSite(t), client(t, http.Options{})
	options := "?proxyHost=" + host + "&proxyPort=" + port + "&proxyAuthUsername=me&proxyAuthPassword=pw"
	ex := must(t)(e.Request(t.Context(), route.URI("http://a.example/x"+options), nil))
	if string(ex.Body.([]byte)) != "by the proxy" || *asked.Load() != "http://a.example/x" || *auth.Load() != "Basic bWU6cHc=" {
		t.Errorf("have %s, asked for %s by %s", ex.Body, *asked.Load(), *auth.Load())
	}
	must(t)(e.Request(t.Context(), s.uri(options+"&nonProxyHosts="+strings.TrimPrefix(s.URL, "http://")), nil))
	if s.calls.Load() != 1 {
		t.Error("the proxy was asked for a host that is not for it")
	}
	for _, inner := range []string{"http://10.1.2.3/", "http://localhost:80/", "http://[::1]/"} {
		asked.Store(nil)
		_, err := e.Request(t.Context(), route.URI("http://a.example/x"+options+"&controlHeaders=uri&allowedHosts=*"), nil, route.WithHeader("CamelHttpUri", inner))
		wantError(t, err, "is not allowed: the address is not public")
		if asked.Load() != nil {
			t.Errorf("the proxy was asked for %s", *asked.Load())
		}
	}
}

// files writes a certificate for 127.0.0.1, signed by itself, and its key.
func files(t *testing.T, dir, name string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

// A server and a client that show each other their certificates, over HTTP/2.
func TestTLSBothWays(t *testing.T) {
	serverDir, clientDir := t.TempDir(), t.TempDir()
	serverCert, serverKey := files(t, serverDir, "server")
	clientCert, clientKey := files(t, clientDir, "client")
	w := serve(t, http.ServerOptions{CertificateFile: serverCert, KeyFile: serverKey, ClientCAFile: clientCert}, http.Options{},
		route.From("http-server:/x").SetBody("secured"))
	at := "https://" + w.server.Addr("").String() + "/x"
	with := "?caFile=" + serverCert + "&certificateFile=" + clientCert + "&keyFile=" + clientKey
	ex := must(t)(w.engine.Request(t.Context(), route.URI(at+with), nil))
	if string(ex.Body.([]byte)) != "secured" {
		t.Errorf("have %s", ex.Body)
	}
	_, err := w.engine.Request(t.Context(), route.URI(at+"?caFile="+serverCert), nil)
	if err == nil { // in the words of TLS or, if that comes later, of HTTP/2
		t.Error("a client without a certificate is served")
	}
	_, err = w.engine.Request(t.Context(), route.URI(at), nil)
	wantError(t, err, "certificate signed by unknown authority")
	pair, err := tls.LoadX509KeyPair(clientCert, clientKey)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}} //nolint:gosec // to look at what the server shows
	shown := func() string {
		c, err := tls.Dial("tcp", w.server.Addr("").String(), config)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().NegotiatedProtocol + " " + c.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := shown(); got != "h2 server" {
		t.Errorf("have %s", got)
	}
	files(t, serverDir, "renewed") // in the same files, which are looked at once in a second
	for begun := time.Now(); shown() != "h2 renewed"; time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > 10*time.Second {
			t.Fatal("the new certificate is not shown")
		}
	}
}

func TestUnencryptedHTTP2(t *testing.T) {
	w := serve(t, http.ServerOptions{UnencryptedHTTP2: true}, http.Options{}, route.From("http-server:/x").SetBody("two"))
	transport := &nethttp.Transport{Protocols: new(nethttp.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	res, err := (&nethttp.Client{Transport: transport}).Get(w.url("/x"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "two" || res.ProtoMajor != 2 {
		t.Errorf("have %q by %s, %v", b, res.Proto, err)
	}
}
