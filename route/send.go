package route

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A SendOption adds to what [Engine.Send] and [Engine.Request] send.
type SendOption func(*Exchange)

// WithHeader adds a header.
func WithHeader(name string, value any) SendOption {
	return func(ex *Exchange) { ex.SetHeader(name, value) }
}

// WithProperty adds a property.
func WithProperty(name string, value any) SendOption {
	return func(ex *Exchange) { ex.SetProperty(name, value) }
}

// Send sends a message to an endpoint, for code that stands outside of the routes. It
// returns when the endpoint is done with the message, which for seda is when the
// message is in the queue. Where [Engine.Run] was not called yet, it waits for that, but
// not longer than 30s.
func (e *Engine) Send(ctx context.Context, u URI, body any, options ...SendOption) error {
	ex := NewExchange(body)
	defer ex.Release()
	return e.send(ctx, u, ex, options)
}

// Request is like [Engine.Send] and returns what the endpoint has made of the message:
// after a route, the reply that its last step has left. The exchange is the caller's,
// who need not release it.
func (e *Engine) Request(ctx context.Context, u URI, body any, options ...SendOption) (*Exchange, error) {
	ex := NewRequest(body)
	if err := e.send(ctx, u, ex, options); err != nil {
		ex.Release()
		return nil, err
	}
	return ex, nil
}

func (e *Engine) send(ctx context.Context, u URI, ex *Exchange, options []SendOption) error {
	e.await(ctx)
	e.mu.Lock()
	base := e.base
	up := e.phase == isRunning || e.phase == isStopping // code in a last exchange may still send
	e.mu.Unlock()
	if !up {
		return fmt.Errorf("send to %q: %w", u, ErrStopped)
	}
	to, err := e.producers.get(string(u))
	if err != nil {
		return fmt.Errorf("send to %w", err)
	}
	ex.quiet, ex.poison = true, e.config.Poison
	for _, o := range options {
		o(ex)
	}
	for name := range ex.Headers() {
		if err := checkName(inHeaders, name); err != nil {
			return fmt.Errorf("send to %q: %w", u, err)
		}
	}
	if originOf(ctx).engine != e { // not from within a route
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		defer endsWith(base, cancel)()
		ctx = context.WithValue(ctx, originKey{}, &origin{engine: e, work: ctx})
	}
	return guarded(ctx, to.endpoint, ex)
}

// await waits until the engine has begun to run: code beside Run need not know when it does.
func (e *Engine) await(ctx context.Context) {
	select {
	case <-e.begun: // nearly always
		return
	default:
	}
	timer := time.NewTimer(30 * time.Second)
	defer timer.Stop()
	select {
	case <-e.begun:
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Receive takes one message from an endpoint that can start a route and acknowledges
// it. The exchange is the caller's, who need not release it. It waits until there is a
// message, the consumer ends or fails, ctx is done or the engine stops. A consumer that
// takes several at once gets an error for all but the first. It waits for [Engine.Run] like
// [Engine.Send].
func (e *Engine) Receive(ctx context.Context, u URI) (*Exchange, error) {
	ex, err := e.receive(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("receive from %q: %w", u, err)
	}
	return ex, nil
}

func (e *Engine) receive(ctx context.Context, u URI) (*Exchange, error) {
	e.await(ctx)
	e.mu.Lock()
	engine, up := e.taking, e.phase == isRunning
	e.mu.Unlock()
	if !up {
		return nil, ErrStopped
	}
	ep, err := e.env.Resolve(u)
	if err != nil {
		return nil, err
	}
	c, ok := ep.(Consumer)
	if !ok {
		return nil, cannotStart(ep)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(engine, func() { cancel(ErrStopped) })()
	return receiveOne(ctx, c)
}

// receiveOne takes one message. It returns [ErrDone] where the consumer ends without one,
// and the cause of ctx if that is done before.
func receiveOne(ctx context.Context, c Consumer) (*Exchange, error) {
	taking, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	one := &receiver{stop: cancel}
	err := consume(taking, c, one)
	switch {
	case one.got != nil:
		return one.got, nil
	case taking.Err() != nil:
		return nil, context.Cause(taking)
	case err == nil:
		err = ErrDone
	}
	return nil, err
}

// A receiver takes the first exchange and refuses those after it.
type receiver struct {
	mu   sync.Mutex
	got  *Exchange
	stop context.CancelCauseFunc
}

func (r *receiver) Process(_ context.Context, ex *Exchange) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.got != nil {
		return errors.New("route: only one message was wanted")
	}
	r.got = ex.Clone()
	r.stop(nil)
	return nil
}
