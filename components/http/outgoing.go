package http

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/mehari-go/mehari/route"
)

// An outgoing request and the response to it.
type outgoing struct {
	e      *clientEndpoint
	ex     *route.Exchange
	method string
	url    *url.URL
	cancel context.CancelCauseFunc
	detach func() bool // from the context that was given
	timer  *time.Timer
	sent   reformed
	kept   atomic.Bool // the response is a stream, whose reader ends the request
}

// A reformed request is what resty cannot be told: it would read a stream into memory.
type reformed struct {
	body io.Reader
	pack bool // with gzip
	host string
}

type reformedKey struct{}

// prepare is a hook of resty, called with each request before it is sent.
func prepare(_ *resty.Client, r *http.Request) error {
	o := r.Context().Value(reformedKey{}).(*reformed)
	if o.host != "" {
		r.Host = o.host
	}
	if o.body != nil {
		r.Body, r.GetBody, r.ContentLength = io.NopCloser(o.body), nil, -1
		if c, ok := o.body.(io.ReadCloser); ok {
			r.Body = c
		}
		if o.pack {
			r.Body = pack(r.Body)
		}
	}
	return nil
}

// send sends the request.
func (o *outgoing) send(ctx context.Context) (*http.Response, error) {
	e, err := o.e, error(nil)
	if o.method, err = e.config.method(o.ex); err != nil {
		return nil, err
	}
	if o.url, err = e.url(o.ex); err != nil {
		return nil, err
	}
	r := e.client.R().SetDoNotParseResponse(true)
	if err := o.headers(r.Header); err != nil {
		return nil, err
	}
	if o.hasBody() {
		if err := o.body(ctx, r); err != nil {
			return nil, err
		}
	} else {
		delete(r.Header, "Content-Type")
		delete(r.Header, "Content-Encoding")
	}
	if e.to.isOwn(o.url) || e.to.foreign {
		o.sent.host = e.config.CustomHostHeader
		if err := o.identify(ctx, r); err != nil {
			return nil, err
		}
	}
	r.SetContext(context.WithValue(ctx, reformedKey{}, &o.sent))
	res, err := r.Execute(o.method, o.url.String())
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // its text has the whole URL, in which there may be secrets
		}
		return nil, err
	}
	return res.RawResponse, nil
}

// identify tells the server who asks.
func (o *outgoing) identify(ctx context.Context, r *resty.Request) error {
	c := &o.e.config
	switch {
	case c.AuthUsername != "":
		r.SetBasicAuth(c.AuthUsername, c.AuthPassword)
	case c.AuthBearerToken != "":
		r.SetAuthToken(c.AuthBearerToken)
	case o.e.tokens != nil:
		token, err := o.e.tokens.get(ctx)
		if err != nil {
			return err
		}
		r.SetAuthToken(token)
	}
	return nil
}

// notSent are headers that are not those of a request, or that net/http sets.
var notSent = map[string]bool{"Accept-Encoding": true, "User-Agent": true, "Content-Type": true, "Content-Encoding": true, "Cookie": true}

// headers are those of the exchange, but for those of a connection. Accept-Encoding is not
// among them: the route wants a body that it can read, whatever its client likes.
func (o *outgoing) headers(out http.Header) error {
	c, ex := &o.e.config, o.ex
	agent := c.UserAgent
	if agent == "" && !c.SkipRequestHeaders {
		agent, _, _ = texts(ex.Header("User-Agent"))
	}
	for name, value := range map[string]any{"User-Agent": cmp.Or(agent, "mehari"), "Content-Type": ex.Header("Content-Type"), "Content-Encoding": ex.Header("Content-Encoding")} {
		if err := put(out, name, value); err != nil {
			return err
		}
	}
	if c.SkipRequestHeaders {
		return nil
	}
	for name, value := range ex.Headers() {
		if own(name) {
			continue
		}
		canonical := http.CanonicalHeaderKey(name)
		if hop[canonical] || notSent[canonical] && (canonical != "Cookie" || c.Cookies) {
			continue
		}
		if err := put(out, name, value); err != nil {
			return err
		}
	}
	return nil
}

// hasBody tells whether the request has one.
func (o *outgoing) hasBody() bool {
	if o.ex.Body == nil {
		return false
	}
	switch o.method {
	case http.MethodGet:
		return o.e.config.GetWithBody
	case http.MethodDelete:
		return o.e.config.DeleteWithBody
	case http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return false
	}
	return true
}

// body makes the body of the exchange that of the request.
func (o *outgoing) body(ctx context.Context, r *resty.Request) error {
	c, ex := &o.e.config, o.ex
	if parts, ok := ex.Body.([]Part); ok {
		return setParts(ctx, ex, r, parts)
	}
	if c.MultipartUpload {
		name, _ := ex.Header("CamelFileName").(string)
		kind, _ := ex.Header("Content-Type").(string)
		return setParts(ctx, ex, r, []Part{{Name: cmp.Or(c.MultipartUploadName, "data"), FileName: name, ContentType: kind, Body: ex.Body}})
	}
	stream, isStream := ex.Body.(io.Reader)
	var b []byte
	var err error
	kind := "application/octet-stream"
	if isStream {
		s := route.NewStream(stream)
		ex.Body = s // which says that it was read, if the response does not take its place
		if stream, err = s.Open(); err != nil {
			return err
		}
	} else if b, kind, err = content(ctx, ex); err != nil {
		return err
	}
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", kind)
	}
	switch {
	case c.CompressRequest && r.Header.Get("Content-Encoding") == "":
		r.Header.Set("Content-Encoding", "gzip")
		if isStream {
			o.sent.body, o.sent.pack = stream, true
			return nil
		}
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = w.Write(b) // to memory: it cannot fail
		_ = w.Close()
		r.SetBody(bytes.NewReader(packed.Bytes()))
	case isStream:
		o.sent.body = stream
	default:
		r.SetBody(bytes.NewReader(b)) // not the bytes: resty would copy them, twice
	}
	return nil
}

// pack returns the stream packed with gzip. Its goroutine ends when the reader is read to
// its end or closed, which net/http does with every body.
func pack(stream io.ReadCloser) io.ReadCloser {
	out, in := io.Pipe()
	go func() {
		w := gzip.NewWriter(in)
		_, err := io.Copy(w, stream)
		_ = stream.Close()
		if err == nil {
			err = w.Close()
		}
		_ = in.CloseWithError(err)
	}()
	return out
}

// receive makes the exchange the response.
func (o *outgoing) receive(res *http.Response) error {
	e := o.e
	if res.StatusCode == http.StatusUnauthorized && e.tokens != nil {
		e.tokens.forget()
	}
	if e.throws && !e.ok.has(res.StatusCode) {
		defer res.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(res.Body, maxStatusBody)) // as much of it as there is
		return &StatusError{o.method, strings.TrimSuffix(shown(res.Request.URL), "?"), res.StatusCode, res.Header, body}
	}
	var body any
	switch {
	case e.config.IgnoreResponseBody:
		_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection can be used again
		_ = res.Body.Close()
	case e.config.UseStreaming && res.Body != http.NoBody:
		body = route.NewStream(&download{body: res.Body, left: e.most, most: e.most, o: o})
		o.kept.Store(true)
	default:
		b, err := o.readAll(res)
		if err != nil {
			return err
		}
		if len(b) > 0 {
			body = b
		}
	}
	o.describe(res)
	if !e.config.IgnoreResponseBody {
		o.ex.Body = body
	}
	return nil
}

// shown returns a URL without what may be secret.
func shown(u *url.URL) string {
	without := *u
	without.RawQuery, without.User, without.Fragment = "", nil, ""
	return without.String()
}

// describe tells the exchange about the response.
func (o *outgoing) describe(res *http.Response) {
	ex, c := o.ex, &o.e.config
	ResponseCode.Set(ex, res.StatusCode)
	_, text, _ := strings.Cut(res.Status, " ")
	ResponseText.Set(ex, text)
	if !c.IgnoreResponseBody {
		ex.RemoveHeader("Content-Type") // those of the request
		ex.RemoveHeader("Content-Encoding")
	}
	connection := connectionNames(res.Header)
	for name, values := range res.Header {
		body := name == "Content-Type" || name == "Content-Encoding"
		switch {
		case len(values) == 0 || hop[name] || connection[name] || own(name):
		case c.SkipResponseHeaders && !body, c.IgnoreResponseBody && body, c.Cookies && name == "Set-Cookie":
		case name == "Content-Type":
			ContentType.Set(ex, values[0])
		case len(values) == 1:
			ex.SetHeader(name, values[0])
		default:
			ex.SetHeader(name, values)
		}
	}
}
