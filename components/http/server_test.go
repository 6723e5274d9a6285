package http_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	nethttp "net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestServerComponent(t *testing.T) {
	client := &nethttp.Client{Transport: &nethttp.Transport{DisableKeepAlives: true}}
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component { return http.NewServer(http.ServerOptions{Address: local}) },
		Configs: []routetest.Config{
			http.ServerConfig{Pattern: "0.0.0.0:8080/orders/{id}", HTTPMethodRestrict: []string{"GET", "POST"}, MaxBodySize: 10, MaxInFlight: 5, RequestTimeout: time.Second},
			http.ServerConfig{
				Pattern: "/files/{name...}", UseStreaming: true, CancelOnDisconnect: true, QueryHeaders: []string{"a"}, EchoHeaders: []string{"X-Id"},
				SkipRequestHeaders: true, SkipResponseHeaders: true,
			},
			http.ServerConfig{
				Pattern: ":8080", CORSAllowedOrigins: []string{"https://a.example"}, CORSAllowedHeaders: []string{"X-A"},
				CORSExposedHeaders: []string{"X-B"}, CORSAllowCredentials: true, CORSMaxAge: time.Minute,
			},
		},
		Consumer: "http-server:/in",
		Feed: func(ctx context.Context, c route.Component, body any) error {
			at := c.(*http.Server).Addr("")
			for at == nil && ctx.Err() == nil {
				time.Sleep(time.Millisecond)
				at = c.(*http.Server).Addr("")
			}
			if at == nil {
				return ctx.Err()
			}
			r, err := nethttp.NewRequestWithContext(ctx, "POST", "http://"+at.String()+"/in", strings.NewReader(fmt.Sprint(body)))
			if err != nil {
				return err
			}
			res, err := client.Do(r)
			if err == nil {
				err = res.Body.Close()
			}
			return err
		},
	})
}

func TestServerAnswers(t *testing.T) {
	w := serve(t, http.ServerOptions{}, http.Options{},
		route.From("http-server:/hello").SetBody("Hello World!"),
		route.From("platform-http:/orders/{id}?httpMethodRestrict=GET").Transform(route.Simple("order ${header.id} by ${header.CamelHttpMethod} at ${header.CamelHttpPath}?${header.CamelHttpQuery}")),
		route.From("http-server:/orders/{id}?httpMethodRestrict=PUT,DELETE").Transform(route.Simple("${header.CamelHttpMethod} ${header.id}: ${body}")).
			SetHeader("CamelHttpResponseCode", 202).SetHeader("X-Kept", "yes"),
		route.From("http-server:/files/{name...}?queryHeaders=v").Transform(route.Simple("${header.name} ${header.CamelHttpPath} ${header.v}")),
		route.From("http-server:/empty"),
		route.From("http-server:/echo").Process(discard),
		route.From("http-server:/map").SetBody(map[string]any{"a": 1}),
		route.From("http-server:/gone").SetHeader("CamelHttpResponseCode", "204").SetBody(nil),
	)
	w.get("/hello").check(t, 200, "Hello World!")
	w.get("/orders/a%2Fb?x=1").check(t, 200, "order a/b by GET at /orders/a%2Fb?x=1")
	put := w.do("PUT", "/orders/7", "body")
	put.check(t, 202, "PUT 7: body")
	if put.header.Get("X-Kept") != "yes" {
		t.Errorf("headers %v", put.header)
	}
	w.do("POST", "/orders/7", "").check(t, 405, "Method Not Allowed\n")
	w.get("/files/a/b%20c?v=1&w=2").check(t, 200, "a/b c /a/b%20c 1")
	w.get("/empty").check(t, 200, "")
	w.do("POST", "/echo", "x").check(t, 200, "x")
	w.get("/gone").check(t, 204, "")
	w.get("/nowhere").check(t, 404, "404 page not found\n")
	m := w.get("/map")
	m.check(t, 200, `{"a":1}`)
	if m.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", m.header)
	}
}

func TestServerFiltersHeaders(t *testing.T) {
	var came []string
	var secrets [2]string
	w := serve(t, http.ServerOptions{}, http.Options{},
		route.From("http-server:/x?echoHeaders=X-Request-Id").Process(func(_ context.Context, ex *route.Exchange) error {
			for name := range ex.Headers() {
				came = append(came, name)
			}
			secrets[0], _ = http.Authorization.Get(ex)
			secrets[1], _ = http.Cookie.Get(ex)
			ex.SetHeader("X-Mine", "1")
			ex.SetHeader("CamelSecret", "internal")
			ex.SetHeader("X-Map", map[string]int{"a": 1})
			ex.SetHeader("Cache-Control", "no-"+strings.Clone("cache")) // as it came, but ours
			ex.SetProperty("X-Property", "p")
			return nil
		}))
	r := w.get("/x", "CamelHttpUri: http://evil", "camelFileName: /etc/passwd", "Authorization: Basic c2VjcmV0", "Cookie: a=b",
		"Connection: X-Drop", "X-Drop: 1", "X-Custom: 2", "X-Request-Id: 3", "Cache-Control: no-cache")
	slices.Sort(came)
	want := []string{"Accept-Encoding", "Cache-Control", "CamelHttpMethod", "CamelHttpPath", "CamelHttpUri", "User-Agent", "X-Custom", "X-Request-Id"}
	if !slices.Equal(came, want) {
		t.Errorf("came %v, want %v", came, want)
	}
	if secrets != [2]string{"Basic c2VjcmV0", "a=b"} {
		t.Errorf("properties %q", secrets)
	}
	for _, name := range []string{"Date", "Content-Length"} {
		r.header.Del(name)
	}
	back := fmt.Sprint(r.header)
	if back != "map[Cache-Control:[no-cache] X-Mine:[1] X-Request-Id:[3]]" {
		t.Errorf("went back: %s", back)
	}
}

func TestServerTellsNothingOfErrors(t *testing.T) {
	fail := func(err error) func(context.Context, *route.Exchange) error {
		return func(context.Context, *route.Exchange) error { return err }
	}
	w := serve(t, http.ServerOptions{}, http.Options{},
		route.From("http-server:/500").SetHeader("X-Inner", "s3cret").Process(fail(errors.New("password s3cret at 10.0.0.7"))),
		route.From("http-server:/panic").Process(func(context.Context, *route.Exchange) error { panic("s3cret") }),
		route.From("http-server:/400").Validate(route.Simple("${header.a} == 's3cret'")),
		route.From("http-server:/404").Process(fail(&http.ReplyError{Status: 404, Message: "no such order", Err: errors.New("s3cret")})),
		route.From("http-server:/wrong").Process(fail(&http.ReplyError{Status: 200, Message: "s3cret"})),
		route.From("http-server:/502").Process(fail(&http.StatusError{Status: 404, Body: []byte("s3cret")})),
		route.From("http-server:/504").Process(fail(fmt.Errorf("s3cret: %w", context.DeadlineExceeded))),
		route.From("http-server:/late?requestTimeout=20ms").Process(func(ctx context.Context, _ *route.Exchange) error { <-ctx.Done(); return ctx.Err() }),
		route.From("http-server:/status").SetHeader("CamelHttpResponseCode", 42),
		route.From("http-server:/injected").SetHeader("X-A", "a\r\nSet-Cookie: s3cret=1"),
		route.From("http-server:/body").SetBody(make(chan int)),
	)
	for path, want := range map[string]reply{
		"/500": {500, nil, "Internal Server Error\n"}, "/panic": {500, nil, "Internal Server Error\n"}, "/400": {400, nil, "Bad Request\n"},
		"/404": {404, nil, "no such order\n"}, "/wrong": {500, nil, "Internal Server Error\n"}, "/502": {502, nil, "Bad Gateway\n"},
		"/504": {504, nil, "Gateway Timeout\n"}, "/late": {504, nil, "Gateway Timeout\n"}, "/status": {500, nil, "Internal Server Error\n"},
		"/injected": {500, nil, "Internal Server Error\n"}, "/body": {500, nil, "Internal Server Error\n"},
	} {
		got := w.get(path)
		t.Run(path, func(t *testing.T) {
			got.check(t, want.status, want.body)
			if strings.Contains(fmt.Sprint(got.header), "s3cret") {
				t.Errorf("headers %v", got.header)
			}
		})
	}
}

func TestServerLimitsBodies(t *testing.T) {
	w := serve(t, http.ServerOptions{MaxBodyMemory: 100 << 10}, http.Options{},
		route.From("http-server:/small?maxBodySize=10").SetBody("ok"),
		route.From("http-server:/big?maxBodySize=-1").Transform(func(ex *route.Exchange) any { return fmt.Sprint(len(ex.Body.([]byte))) }),
		route.From("http-server:/stream?maxBodySize=10&useStreaming=true").Process(func(_ context.Context, ex *route.Exchange) error {
			_, err := io.ReadAll(ex.Body.(*route.Stream))
			return err
		}))
	w.do("POST", "/small", "0123456789").check(t, 200, "ok")
	w.do("POST", "/small", "0123456789a").check(t, 413, "Request Entity Too Large\n")
	w.do("POST", "/stream", "0123456789a").check(t, 413, "Request Entity Too Large\n")
	w.do("POST", "/big", strings.Repeat("x", 90<<10)).check(t, 200, "92160")
	w.do("POST", "/big", strings.Repeat("x", 200<<10)).check(t, 503, "Service Unavailable\n")
	w.do("POST", "/big", strings.Repeat("x", 90<<10)).check(t, 200, "92160") // all memory was given back
	for _, chunked := range []string{"ffffff\r\n0123456789abc", "zz\r\n"} {
		c, r := w.dial("POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%s", chunked)
		_ = c.(*net.TCPConn).CloseWrite() // half closed
		line, _ := r.ReadString('\n')
		if !strings.Contains(line, " 413 ") && !strings.Contains(line, " 400 ") {
			t.Errorf("%q: have %q", chunked, line)
		}
	}
	_, r := w.dial("GET /small HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", strings.Repeat("x", 100<<10))
	if line, _ := r.ReadString('\n'); !strings.Contains(line, " 431 ") {
		t.Errorf("long headers: have %q", line)
	}
}

func TestServerStreams(t *testing.T) {
	w := serve(t, http.ServerOptions{}, http.Options{},
		route.From("http-server:/upper?useStreaming=true").Process(func(_ context.Context, ex *route.Exchange) error {
			in, err := ex.Body.(*route.Stream).Open()
			out, to := io.Pipe()
			go func() {
				buf := make([]byte, 100)
				for {
					n, err := in.Read(buf)
					_, _ = to.Write([]byte(strings.ToUpper(string(buf[:n]))))
					if err != nil {
						_ = to.Close()
						return
					}
				}
			}()
			ex.Body = out
			return err
		}),
		route.From("http-server:/cut").Process(func(_ context.Context, ex *route.Exchange) error {
			ex.Body = io.MultiReader(strings.NewReader("begin"), errReader{})
			return nil
		}))
	w.do("POST", "/upper", strings.Repeat("abc", 100000)).check(t, 200, strings.Repeat("ABC", 100000))
	res, err := nethttp.Get(w.url("/cut"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("a stream that failed ends well: %q", b)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestServerSaysThatAPatternIsTaken(t *testing.T) {
	w := serve(t, http.ServerOptions{}, http.Options{}, route.From("http-server:/x/{id}").ID("first").SetBody("1"))
	for _, again := range []struct{ uri, want string }{
		{"http-server:/x/{id}", `"/x/{id}" is answered by route "first" (`},
		{"http-server:/{a}/y", `there are requests that fit both "/{a}/y" and "/x/{id}"`},
	} {
		if err := w.engine.Add(route.From(route.URI(again.uri)).ID("second").SetBody("2")); err != nil {
			t.Fatal(err)
		}
		var s route.RouteStatus
		for range 1000 {
			if s, _ = w.engine.Status().Route("second"); s.LastFailure != nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if s.LastFailure == nil || !strings.Contains(s.LastFailure.Err.Error(), again.want) {
			t.Errorf("have %+v, want %s", s.LastFailure, again.want)
		}
		if err := w.engine.Remove(t.Context(), "second"); err != nil {
			t.Fatal(err)
		}
	}
	w.get("/x/1").check(t, 200, "1")
}

func TestServerAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", local)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	server := http.NewServer(http.ServerOptions{Address: l.Addr().String()})
	e := routetest.Run(t, route.Config{Components: route.Components{"http-server": server}, Restart: route.Backoff{Delay: 5 * time.Millisecond}},
		route.From("http-server:/x").ID("x").SetBody("up"))
	var s route.RouteStatus
	for range 1000 {
		if s, _ = e.Status().Route("x"); s.LastFailure != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if s.LastFailure == nil || !strings.Contains(s.LastFailure.Err.Error(), l.Addr().String()+": bind: address already in use") {
		t.Fatalf("have %+v", s.LastFailure)
	}
	_ = l.Close()
	for range 2000 {
		if server.Addr("") != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("it does not listen, though the address is free now")
}

func TestServerDrains(t *testing.T) {
	taken, gate := make(chan struct{}), make(chan struct{})
	w := serve(t, http.ServerOptions{}, http.Options{},
		route.From("http-server:/slow").ID("slow").Process(func(context.Context, *route.Exchange) error { close(taken); <-gate; return nil }).SetBody("done"),
		route.From("http-server:/other").ID("other").SetBody("other"))
	var got reply
	var all sync.WaitGroup
	all.Go(func() { got = w.get("/slow") })
	<-taken
	stopped := make(chan error, 1)
	go func() { stopped <- w.engine.Stop(context.Background(), "slow") }()
	for w.get("/slow?again").status != 503 {
		time.Sleep(time.Millisecond)
	}
	w.get("/other").check(t, 200, "other")
	close(gate)
	all.Wait()
	got.check(t, 200, "done")
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if again := w.get("/slow"); again.status != 503 || again.header.Get("Retry-After") == "" {
		t.Errorf("a stopped route: have %+v", again)
	}
	address := w.server.Addr("").String()
	if err := w.engine.Stop(t.Context(), "other"); err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		_ = c.Close()
		t.Error("it listens after the last route has stopped")
	}
}

func TestServerLastRouteDrains(t *testing.T) {
	taken, gate := make(chan struct{}), make(chan struct{})
	w := serve(t, http.ServerOptions{}, http.Options{},
		route.From("http-server:/slow").ID("slow").Process(func(context.Context, *route.Exchange) error { close(taken); <-gate; return nil }).SetBody(strings.Repeat("done", 100000)))
	idle, _ := w.dial("GET /slow HTTP/1.1\r\nHo") // never sends the rest
	defer idle.Close()
	var got reply
	var all sync.WaitGroup
	all.Go(func() { got = w.get("/slow") })
	<-taken
	begun := time.Now()
	stopped := make(chan error, 1)
	go func() { stopped <- w.engine.Stop(context.Background(), "slow") }()
	time.Sleep(20 * time.Millisecond)
	close(gate)
	all.Wait()
	got.check(t, 200, strings.Repeat("done", 100000))
	if err := <-stopped; err != nil || time.Since(begun) > 3*time.Second {
		t.Errorf("have %v after %v", err, time.Since(begun))
	}
}

func TestServerBoundsExchanges(t *testing.T) {
	gate := make(chan struct{})
	taken := make(chan struct{}, 1)
	w := serve(t, http.ServerOptions{}, http.Options{},
		route.From("http-server:/x?maxInFlight=1").Process(func(context.Context, *route.Exchange) error { taken <- struct{}{}; <-gate; return nil }).SetBody("ok"))
	var all sync.WaitGroup
	all.Go(func() { w.get("/x").check(t, 200, "ok") })
	<-taken
	w.get("/x").check(t, 503, "Service Unavailable\n")
	close(gate)
	all.Wait()
	w.get("/x").check(t, 200, "ok")
}

func TestServerCancelsOnDisconnect(t *testing.T) {
	taken, ended := make(chan struct{}), make(chan error, 1)
	w := serve(t, http.ServerOptions{}, http.Options{},
		route.From("http-server:/x?cancelOnDisconnect=true").Process(func(ctx context.Context, _ *route.Exchange) error {
			close(taken)
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return nil
		}))
	c, _ := w.dial("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
	<-taken
	_ = c.Close()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "the client has gone") {
		t.Errorf("have %v", err)
	}
}

func TestServerCrossOrigin(t *testing.T) {
	w := serve(t, http.ServerOptions{}, http.Options{},
		route.From("http-server:/x?httpMethodRestrict=GET&corsAllowedOrigins=https://a.example&corsAllowCredentials=true&corsExposedHeaders=X-B&corsMaxAge=10s").SetBody("got"),
		route.From("http-server:/x?httpMethodRestrict=POST&corsAllowedOrigins=*&corsAllowedHeaders=X-A").Process(func(context.Context, *route.Exchange) error { return errors.New("fails") }),
		route.From("http-server:/plain").SetBody("plain"))
	ask := func(method, origin string) nethttp.Header {
		r := w.do("OPTIONS", "/x", "", "Origin: "+origin, "Access-Control-Request-Method: "+method, "Access-Control-Request-Headers: X-Z")
		r.check(t, 204, "")
		return r.header
	}
	has := func(h nethttp.Header, want ...string) {
		t.Helper()
		for _, pair := range want {
			name, value, _ := strings.Cut(pair, "=")
			if got := h.Get("Access-Control-" + name); got != value {
				t.Errorf("%s: have %q, want %q", name, got, value)
			}
		}
	}
	has(ask("GET", "https://a.example"), "Allow-Origin=https://a.example", "Allow-Methods=GET", "Allow-Headers=X-Z", "Allow-Credentials=true", "Max-Age=10")
	has(ask("GET", "https://b.example"), "Allow-Origin=", "Allow-Methods=")
	has(ask("POST", "https://b.example"), "Allow-Origin=*", "Allow-Methods=POST", "Allow-Headers=X-A", "Allow-Credentials=", "Max-Age=3600")
	has(ask("PUT", "https://a.example"), "Allow-Origin=")
	got := w.get("/x", "Origin: https://a.example")
	got.check(t, 200, "got")
	has(got.header, "Allow-Origin=https://a.example", "Expose-Headers=X-B")
	failed := w.do("POST", "/x", "", "Origin: https://c.example")
	failed.check(t, 500, "Internal Server Error\n")
	has(failed.header, "Allow-Origin=*")
	has(w.get("/plain", "Origin: https://a.example").header, "Allow-Origin=")
}

func TestServerBadInput(t *testing.T) {
	for _, tt := range []struct {
		uri, want string
	}{
		{"http-server:/x?maxBodySize=-2", `option "maxBodySize": want 1 or more bytes`},
		{"http-server:/x?maxInFlight=-1", `option "maxInFlight"`},
		{"http-server:/x?httpMethodRestrict=get", `option "httpMethodRestrict": want methods such as GET,POST, have "get"`},
		{"http-server:/x?queryHeaders=CamelHttpUri", `option "queryHeaders": want names of headers that do not begin with Camel, have "CamelHttpUri"`},
		{"http-server:/x?corsAllowedOrigins=a.example", `option "corsAllowedOrigins": want origins such as`},
		{"http-server:/x?corsMaxAge=1s", `have a meaning with "corsAllowedOrigins" only`},
		{"http-server:/x?corsAllowedOrigins=*&corsAllowCredentials=true", `name the origins`},
		{"http-server:/x/{", `pattern "/x/{": want a path like /orders/{id}`},
		{"http-server:/x/{camelFileName}", `begin with Camel`},
		{"http-server:nowhere/x", `want host:port or :port before the path, have "nowhere"`},
		{"http-server:/x?requestTimeout=-1s", `option "requestTimeout"`},
	} {
		_, err := route.New(route.Config{Components: route.Components{"http-server": http.NewServer(http.ServerOptions{})}}, route.From(route.URI(tt.uri)).SetBody(1))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: have %v, want %s", tt.uri, err, tt.want)
		}
	}
	for _, o := range []http.ServerOptions{{MaxConnections: -1}, {CertificateFile: "a"}, {ClientCAFile: "a"}} {
		_, err := route.New(route.Config{Components: route.Components{"http-server": http.NewServer(o)}}, route.From("http-server:/x").SetBody(1))
		if err == nil || !strings.Contains(err.Error(), "ServerOptions") {
			t.Errorf("%+v: have %v", o, err)
		}
	}
}

// A reply that never ends, to a client that reads all of it, does not hold up a stop for
// longer than exchanges may take.
func TestServerGivesEndlessRepliesUp(t *testing.T) {
	server := http.NewServer(http.ServerOptions{Address: local})
	e, err := route.New(route.Config{Components: route.Components{"http-server": server}, Drain: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)},
		route.From("http-server:/x").Process(func(_ context.Context, ex *route.Exchange) error {
			ex.Body = endless{}
			return nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	for server.Addr("") == nil {
		time.Sleep(time.Millisecond)
	}
	res, err := nethttp.Get("http://" + server.Addr("").String() + "/x")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	cut := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, res.Body); cut <- err }()
	cancel()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the engine does not stop")
	}
	if err := <-cut; err == nil {
		t.Error("a reply that was given up ends well")
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
