package http_test

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/route"
)

// Clients that send their headers or bodies too slowly are cut off, those that send well are
// answered all the while, and a body that is announced but does not come takes no memory.
func TestSlowClients(t *testing.T) {
	w := serve(t, http.ServerOptions{ReadHeaderTimeout: 300 * time.Millisecond, ReadTimeout: 600 * time.Millisecond}, http.Options{},
		route.From("http-server:/x").SetBody("ok"))
	before := memory()
	const many = 200
	var slow []net.Conn
	for range many {
		headers, _ := w.dial("POST /x HTTP/1.1\r\nHost: a\r\nX-Slow")
		body, _ := w.dial("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\nx")
		slow = append(slow, headers, body)
	}
	for range 20 {
		w.get("/x").check(t, 200, "ok")
	}
	if grown := memory() - before; grown > 2*many*40<<10 {
		t.Errorf("%d slow clients take %d kB", 2*many, grown>>10)
	}
	timeouts := 0
	for i, c := range slow {
		b, err := io.ReadAll(c)                     // until the server closes it
		if errors.Is(err, os.ErrDeadlineExceeded) { // ours; a reset is as good as an end
			t.Fatalf("client %d was not cut off: %v", i, err)
		}
		if strings.HasPrefix(string(b), "HTTP/1.1 408 ") {
			timeouts++
		}
	}
	if timeouts < many/2 { // the others have seen a reset before they could read it
		t.Errorf("%d of %d with slow bodies were told 408", timeouts, many)
	}
	w.get("/x").check(t, 200, "ok")
}

// More connections than there may be wait, and are served when others are closed.
func TestConnectionsAreBounded(t *testing.T) {
	w := serve(t, http.ServerOptions{MaxConnections: 2, IdleTimeout: 50 * time.Millisecond}, http.Options{}, route.From("http-server:/x").SetBody("ok"))
	var all []io.Reader
	for range 10 {
		_, r := w.dial("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
		all = append(all, r)
	}
	for i, r := range all {
		b, err := io.ReadAll(r) // until it has been idle for long enough
		if err != nil || !strings.HasSuffix(string(b), "ok") {
			t.Errorf("%d: have %q, %v", i, b, err)
		}
	}
}

func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// A client that does not read a long reply is cut off.
func TestSlowReaders(t *testing.T) {
	w := serve(t, http.ServerOptions{WriteTimeout: 200 * time.Millisecond}, http.Options{},
		route.From("http-server:/long").SetBody(strings.Repeat("x", 64<<20)))
	c, _ := w.dial("GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, err := c.Read(make([]byte, 1)); err != nil { // it has begun to write
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	n, err := io.Copy(io.Discard, c)
	if n >= 64<<20 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("all of it came: %d, %v", n, err)
	}
}

// The route's own time does not count as that of the client.
func TestSlowRoutes(t *testing.T) {
	w := serve(t, http.ServerOptions{WriteTimeout: 50 * time.Millisecond}, http.Options{},
		route.From("http-server:/x").Delay(200*time.Millisecond).SetBody("late"))
	w.get("/x").check(t, 200, "late")
}

// The time for an answer counts from the headers of a request, like that for its body, and
// both are the same by default: the client is told nevertheless.
func TestSlowBodyIsToldSo(t *testing.T) {
	w := serve(t, http.ServerOptions{ReadTimeout: 300 * time.Millisecond, WriteTimeout: 100 * time.Millisecond}, http.Options{},
		route.From("http-server:/x").Process(discard))
	_, r := w.dial("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello")
	if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 408 ") {
		t.Errorf("have %q, %v, want 408", line, err)
	}
}
