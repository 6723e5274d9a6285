package route

import (
	"cmp"
	linked "container/list"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Endpoints whose URIs are known only at run time, some of them from messages.

// The endpoints of a step are made when they are first sent to; the latest ones are kept.
// One that is dropped needs no farewell: what costs, its component holds.
type endpoints struct {
	resolve      func(URI) (Endpoint, error)
	foreign      *foreign // who resolves, in a step
	interceptors interceptors
	handling     *errorHandling // of each endpoint by itself; nil for none
	at           stage          // which is to blame for it

	mu    sync.Mutex
	size  int // how many are kept
	known map[string]*linked.Element
	order linked.List // of *target, the one used last first
}

// A target is an endpoint that is sent to.
type target struct {
	endpoint Processor
	uri      string
	shown    string    // uri without secrets
	handled  Processor // the target, behind the error handling if there is one
}

// Process sends ex. The error says where it comes from.
func (t *target) Process(ctx context.Context, ex *Exchange) error {
	ToEndpoint.Set(ex, t.shown)
	err := t.endpoint.Process(ctx, ex)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*StepError](err); ok {
		return err
	}
	return fmt.Errorf("%s: %w", t.shown, err)
}

const (
	// defaultCache is how many endpoints are kept, as in Camel's producer cache.
	defaultCache = 1000

	// maxCachedURI is the length of a URI from which on an endpoint is not kept.
	maxCachedURI = 4096
)

// endpoints returns the endpoints of the current step. allowed are the schemes that their
// URIs may have, nil for any. cacheSize is how many of them are kept, 0 for 1000, and less
// for none.
func (b *Builder) endpoints(allowed []string, cacheSize int) *endpoints {
	if allowed != nil && len(allowed) == 0 {
		b.Errorf("allowed schemes: want at least one, or nil for any")
	}
	f := &foreign{engine: b.engine}
	for _, scheme := range allowed {
		if err := f.permits(scheme); err != nil {
			b.Errorf("allowed schemes: %w", err)
		}
	}
	if len(allowed) > 0 {
		f.allowed = allowed
	}
	return &endpoints{resolve: f.resolve, foreign: f, interceptors: b.interceptors, size: cmp.Or(cacheSize, defaultCache)}
}

// handled makes errors of each endpoint be handled by themselves, for a step that sends to
// several.
func (e *endpoints) handled(b *Builder) *endpoints {
	e.handling = b.handling
	e.at = stage{route: b.route, node: b.tree, step: uint64(b.tree.index)}
	return e
}

// get returns the endpoint at uri, which can be sent to. It may be called from many
// goroutines at once. The error names the endpoint, without secrets.
func (e *endpoints) get(uri string) (*target, error) {
	e.mu.Lock()
	t := e.use(e.known[uri])
	e.mu.Unlock()
	if t != nil {
		return t, nil
	}
	return e.make(uri)
}

// find is get for a text in a buffer.
func (e *endpoints) find(uri []byte) (*target, error) {
	e.mu.Lock()
	t := e.use(e.known[string(uri)]) // which makes no string
	e.mu.Unlock()
	if t != nil {
		return t, nil
	}
	return e.make(string(uri))
}

// use tells that an element is used, and returns what it holds. e.mu is held.
func (e *endpoints) use(known *linked.Element) *target {
	if known == nil {
		return nil
	}
	e.order.MoveToFront(known)
	return known.Value.(*target)
}

func (e *endpoints) make(uri string) (*target, error) {
	ep, err := e.resolve(URI(uri))
	p, ok := ep.(Producer)
	if err == nil && !ok {
		err = fmt.Errorf("%s cannot be sent to", ep)
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", URI(uri), err)
	}
	t := &target{endpoint: e.interceptors.sentTo(URI(uri), p), uri: uri, shown: URI(uri).String()}
	if t.handled = t; e.handling != nil {
		at := e.at
		at.p, at.endpoint = t, t.shown
		t.handled = &handledPipeline{&at, e.handling}
	}
	e.keep(t)
	return t, nil
}

// consumer returns the endpoint at uri, which a route can start from. It is not kept.
func (e *endpoints) consumer(uri string) (Consumer, error) {
	ep, err := e.resolve(URI(uri))
	c, ok := ep.(Consumer)
	if err == nil && !ok {
		err = cannotStart(ep)
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", URI(uri), err)
	}
	return c, nil
}

func (e *endpoints) keep(t *target) {
	if e.size <= 0 || len(t.uri) > maxCachedURI {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.known == nil {
		e.known = map[string]*linked.Element{}
	}
	if e.known[t.uri] != nil {
		return // made by another at the same time
	}
	if len(e.known) >= e.size {
		oldest := e.order.Back()
		delete(e.known, e.order.Remove(oldest).(*target).uri)
	}
	e.known[t.uri] = e.order.PushFront(t)
}

// foreign resolves URIs that may come from messages, also where they stand in others. It
// replaces no placeholders, or a message could have {{env:PASSWORD}} sent to it.
type foreign struct {
	engine  *Engine
	allowed []string // nil for any
}

// A notAllowedError is the error of a URI whose scheme is not allowed.
type notAllowedError struct {
	scheme  string
	allowed []string
}

func (e *notAllowedError) Error() string {
	return fmt.Sprintf("the scheme %q is not allowed here (have %s)", e.scheme, strings.Join(e.allowed, ", "))
}

// ignorable tells whether an error of get is that of an invalid endpoint, which options
// can have ignored. That a scheme is not allowed never is: somebody may try something.
func ignorable(err error) bool {
	_, ok := errors.AsType[*notAllowedError](err)
	return !ok
}

func (f *foreign) resolve(u URI) (Endpoint, error) {
	if strings.Contains(string(u), "{{") {
		return nil, errors.New("placeholders are not replaced in a URI that is made at run time: a literal {{ is written %7B%7B")
	}
	if strings.ContainsFunc(string(u), func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("want a URI without line breaks and other control characters")
	}
	if scheme, _, ok := strings.Cut(string(u), ":"); ok && isScheme(scheme) {
		if err := f.permits(scheme); err != nil {
			return nil, err
		}
	}
	env := f.engine.env
	env.Resolve, env.Foreign = f.resolve, true
	return f.engine.endpoint(env, u)
}

// permits tells why there can be no endpoint with a scheme, if there cannot.
func (f *foreign) permits(scheme string) error {
	if f.allowed != nil && !slices.Contains(f.allowed, scheme) {
		return &notAllowedError{scheme, f.allowed}
	}
	_, err := f.engine.component(scheme)
	return err
}
