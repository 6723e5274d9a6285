package http_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/route"
)

func TestClientForms(t *testing.T) {
	s, e := startSite(t), client(t, http.Options{})
	must(t)(e.Request(t.Context(), s.uri("?multipartUpload=true"), "content", route.WithHeader("CamelFileName", "a b.txt"), route.WithHeader("Content-Type", "text/x")))
	parts := func() (all []string) {
		_, params, err := mime.ParseMediaType(s.asked.Load().Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		r := multipart.NewReader(strings.NewReader(*s.body.Load()), params["boundary"])
		for p, err := r.NextPart(); err == nil; p, err = r.NextPart() {
			b, _ := io.ReadAll(p)
			all = append(all, fmt.Sprintf("%s %q %s: %s", p.FormName(), p.FileName(), p.Header.Get("Content-Type"), b))
		}
		return all
	}
	if got := fmt.Sprint(parts()); got != `[data "a b.txt" text/x: content]` {
		t.Errorf("have %s", got)
	}
	must(t)(e.Request(t.Context(), s.uri(""), []http.Part{{Name: "a", Body: 7}, {Name: "f", FileName: "f.bin", Body: []byte("b")}, {Name: "s", Body: strings.NewReader("stream")}}))
	if got := fmt.Sprint(parts()); got != `[a "" : 7 f "f.bin" application/octet-stream: b s "" : stream]` {
		t.Errorf("have %s", got)
	}
	for _, bad := range [][]http.Part{{}, {{}}, {{Name: "a\r\nX: y"}}, {{Name: "a", FileName: "a\"b"}}, {{Name: "a", Body: make(chan int)}}} {
		_, err := e.Request(t.Context(), s.uri(""), bad)
		wantError(t, err, "body: ")
	}
}

func TestClientPacks(t *testing.T) {
	s, e := startSite(t), client(t, http.Options{})
	for _, body := range []any{"text", strings.NewReader("text")} {
		must(t)(e.Request(t.Context(), s.uri("?compressRequest=true"), body))
		z, err := gzip.NewReader(strings.NewReader(*s.body.Load()))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(z); string(b) != "text" || err != nil || s.asked.Load().Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%T: have %q, %v, %v", body, b, err, s.asked.Load().Header)
		}
	}
	must(t)(e.Request(t.Context(), s.uri("?contentCompressionDisabled=true"), nil))
	if got := s.asked.Load().Header.Get("Accept-Encoding"); got != "" {
		t.Errorf("have %q", got)
	}
}
