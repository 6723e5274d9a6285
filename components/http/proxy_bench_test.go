package http_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	nethttp "net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/route"
)

// BenchmarkProxy asks another server for a kilobyte for each request.
//
//	resty  a handler of net/http that asks with resty, by hand, with a pool of the same size
//	       and the same bounds of time and size, and sends the headers on both ways
//	route  a route from http-server: to http:
func BenchmarkProxy(b *testing.B) {
	page := strings.Repeat("x", 1024)
	backend := "http://" + bare(b, nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, page)
	}))
	b.Run("resty", func(b *testing.B) {
		transport := nethttp.DefaultTransport.(*nethttp.Transport).Clone()
		transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost = 20, 20
		defer transport.CloseIdleConnections()
		client := resty.NewWithClient(&nethttp.Client{Transport: transport, Timeout: time.Minute}).SetResponseBodyLimit(64 << 20)
		load(b, bare(b, nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
			out := client.R().SetContext(r.Context())
			maps.Copy(out.Header, r.Header)
			res, err := out.Get(backend + "/page")
			if err != nil {
				nethttp.Error(w, "Bad Gateway", nethttp.StatusBadGateway)
				return
			}
			maps.Copy(w.Header(), res.Header())
			w.WriteHeader(res.StatusCode())
			_, _ = w.Write(res.Body())
		})), benchRequest, len(page))
	})
	b.Run("route", func(b *testing.B) {
		load(b, benchRoute(b, route.From("http-server:/hello").To(route.URI(backend+"/page"))), benchRequest, len(page))
	})
}

// BenchmarkSlowClients holds 10,000 connections from another process that have sent a part of a
// request, half of them of the headers and half of a body that is said to be large, and counts
// the requests of others that are answered meanwhile. It tells the memory of the server's
// process with them and without.
func BenchmarkSlowClients(b *testing.B) {
	address := benchRouteWith(b, http.ServerOptions{Address: local, ReadHeaderTimeout: time.Hour, ReadTimeout: time.Hour}, route.From("http-server:/hello").SetBody(benchReply))
	before := resident(b)
	clients := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestSlowClientsOfBenchmark$", "-test.v")
	clients.Env = append(os.Environ(), slowVariable+"="+address)
	stop, err := clients.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := clients.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := clients.Start(); err != nil {
		b.Fatal(err)
	}
	told := bufio.NewScanner(out)
	for told.Scan() && told.Text() != "connected" {
	}
	load(b, address, benchRequest, len(benchReply))
	b.ReportMetric(float64(before)/1024, "MB-before")
	b.ReportMetric(float64(resident(b))/1024, "MB-with-10000")
	_ = stop.Close()
	_, _ = io.Copy(io.Discard, out)
	if err := clients.Wait(); err != nil {
		b.Errorf("slow clients were lost: %v", err)
	}
}

// slowVariable tells TestSlowClientsOfBenchmark that it is the other process.
const slowVariable = "MEHARI_SLOW_CLIENTS"

func TestSlowClientsOfBenchmark(t *testing.T) {
	address := os.Getenv(slowVariable)
	if address == "" {
		t.Skip("it is the other process of BenchmarkSlowClients")
	}
	var slow []net.Conn
	for n := range 10000 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		slow = append(slow, c)
		text := "POST /hello HTTP/1.1\r\nHost: a\r\nX: "
		if n%2 == 0 {
			text = "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n"
		}
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Println("connected")
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, c := range slow {
		if _, err := io.WriteString(c, "x"); err != nil {
			t.Fatal(err)
		}
	}
}

// resident returns the kilobytes of memory that the process has.
func resident(b *testing.B) (kilobytes int) {
	debug.FreeOSMemory() // what earlier rounds have left
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("only where /proc tells the memory of a process")
	}
	_, text, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(text, &kilobytes); err != nil {
		b.Fatal(err)
	}
	return kilobytes
}
