package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// What a response holds: the whole object, or its metadata only, which is small
// also where the object is not.
const (
	whole    = "application/json"
	metadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
	listing  = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
)

// maxAnswer bounds what is read of one answer. An object has at most 1.5 MiB, and
// a list of the slots of a thousand replicas about 1 MiB.
const maxAnswer = 64 << 20

// A client sends requests to an API server. Client-go's typed clients are not
// used: they register every kind of Kubernetes, which costs 16 MB of program and
// 9 MB of memory.
type client struct {
	http    *http.Client
	base    *url.URL
	timeout time.Duration

	// Until a first request was answered, requests go one after the other, so that
	// they share one connection: with as many TLS handshakes as requests, starting
	// would cost twice the time of the processor.
	first     chan struct{} // holds one token: whose turn it is
	connected atomic.Bool
}

func newClient(conf *rest.Config, timeout time.Duration) (*client, error) {
	if conf.UserAgent == "" {
		conf.UserAgent = "mehari-cluster " + rest.DefaultKubernetesUserAgent()
	}
	conf.GroupVersion = nil
	base, _, err := rest.DefaultServerUrlFor(conf)
	if err != nil {
		return nil, err
	}
	transport := conf.Transport
	if transport == nil {
		tls, err := rest.TLSConfigFor(conf)
		if err != nil {
			return nil, err
		}
		dial := conf.Dial
		if dial == nil {
			dial = (&net.Dialer{Timeout: timeout}).DialContext
		}
		proxy := conf.Proxy
		if proxy == nil {
			proxy = http.ProxyFromEnvironment
		}
		transport = &http.Transport{
			TLSClientConfig:     tls,
			DialContext:         dial,
			Proxy:               proxy,
			TLSHandshakeTimeout: timeout,
			IdleConnTimeout:     time.Minute,
			ForceAttemptHTTP2:   true,
			HTTP2:               &http.HTTP2Config{SendPingTimeout: timeout, PingTimeout: timeout},
		}
	}
	transport, err = rest.HTTPWrappersForConfig(conf, transport)
	if err != nil {
		return nil, err
	}
	return &client{
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		base:    base,
		timeout: timeout,
		first:   make(chan struct{}, 1),
	}, nil
}

// A request is one call of the API.
type request struct {
	method string
	path   string
	query  url.Values
	accept string
	body   any // nil: none
}

// do sends r and decodes the answer into out.
func (c *client) do(ctx context.Context, r request, out any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errSlow(c.timeout))
	defer cancel()
	answer, err := c.open(ctx, r)
	if err != nil {
		return err
	}
	defer hangUp(answer)
	b, err := io.ReadAll(io.LimitReader(answer, maxAnswer+1))
	if err != nil {
		return because(ctx, err)
	}
	if len(b) > maxAnswer {
		return fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("the answer is not as expected: %w", err)
	}
	return nil
}

// open sends r and returns the body of a successful answer.
func (c *client) open(ctx context.Context, r request) (io.ReadCloser, error) {
	var body io.Reader
	if r.body != nil {
		b, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	u := c.base.JoinPath(r.path)
	u.RawQuery = r.query.Encode()
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", r.accept)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.send(req)
	if err != nil {
		return nil, because(ctx, err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp.Body, nil
	}
	defer hangUp(resp.Body)
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return nil, because(ctx, err)
	}
	s := metav1.Status{}
	if json.Unmarshal(b, &s) != nil || s.Kind != "Status" {
		return nil, fmt.Errorf("%s answered %s", u.Host, resp.Status)
	}
	return nil, &refusal{s}
}

// send sends r as soon as it is its turn.
func (c *client) send(r *http.Request) (*http.Response, error) {
	if !c.connected.Load() {
		select {
		case c.first <- struct{}{}:
			defer func() { <-c.first }()
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	resp, err := c.http.Do(r)
	if err == nil {
		c.connected.Store(true)
	}
	return resp, err
}

// hangUp ends an answer, read to its end or not. That cannot go wrong in a way that
// matters to anybody.
func hangUp(answer io.Closer) { _ = answer.Close() }

// because tells what ended a request: the reason why ctx is done, or what the
// transport says without the method and the address, which the caller names.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// errSlow is how a request ends that takes longer than its timeout.
type errSlow time.Duration

func (d errSlow) Error() string { return fmt.Sprintf("no answer within %v", time.Duration(d)) }
func (d errSlow) Unwrap() error { return context.DeadlineExceeded }

// A refusal is what the API server answered instead of doing what was asked.
type refusal struct{ metav1.Status }

func (r *refusal) Error() string {
	if r.Message != "" {
		return r.Message
	}
	return fmt.Sprintf("%s (%d)", r.Reason, r.Code)
}

// refused tells whether err is the API server's refusal for that reason.
func refused(err error, reason metav1.StatusReason) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && r.Reason == reason
}

// missing tells whether err says that there is no object of that name. Other
// things can be missing too, such as the namespace.
func missing(err error, name string) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && r.Reason == metav1.StatusReasonNotFound && r.Details != nil && r.Details.Name == name
}
