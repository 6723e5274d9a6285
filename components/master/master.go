// Package master consumes an endpoint on one replica of a program at a time:
//
//	master:lock1:timer:clock?period=5s
//
// is "timer:clock?period=5s" on the replica that holds the lock "lock1". The route is
// started on every replica; on those that do not lead it stands by, and the status of
// the engine says so.
//
// What the consumer takes is processed under a context that carries the term (see
// [cluster.TermFrom]) and ends before another replica can take over. Its Err looks at
// the clock, so that the engine, which asks before each step that reaches out, begins
// none after the time of this replica is over, even where the process was paused. The
// exchanges carry the properties [Lock] and [Token]; a resource that refuses lower
// tokens closes what gap remains.
//
// A consumer that keeps a [route.Cursor] finds in it what the last term has left, on
// whichever replica that was: it is a [cluster.Cursor] of the lock.
package master

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/route"
)

// The properties of the exchanges that a master endpoint starts.
var (
	Lock  = route.NewProperty[string]("ClusterLock")  // the name of the lock
	Token = route.NewProperty[uint64]("ClusterToken") // the fencing token of the term
)

// New returns the component. Endpoints with the same lock share it: they lead together.
// The service is not closed by the component; close it when the engine has stopped.
func New(svc *cluster.Service, options ...Option) route.Component {
	c := &component{svc: svc}
	for _, o := range options {
		o(c)
	}
	return c
}

// An Option adds to what [New] makes.
type Option func(*component)

// WithRetry tells how long to wait before a consumer that ended or could not start is
// started again, while this replica leads. It never gives up. The default is 1s, doubled
// up to 30s.
func WithRetry(b route.Backoff) Option { return func(c *component) { c.retry = b } }

type component struct {
	svc    *cluster.Service
	retry  route.Backoff
	ledger ledger
}

// Endpoint implements [route.Component].
func (c *component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	e := &endpoint{component: c, env: env}
	lock, delegate, ok := strings.Cut(strings.TrimPrefix(a.Raw, "//"), ":")
	var errs []error
	if c.svc == nil {
		errs = append(errs, errors.New("there is no cluster service: give one to master.New"))
	}
	switch {
	case lock == "":
		errs = append(errs, errors.New("the lock has no name: want master:lock:uri"))
	case !ok || delegate == "":
		errs = append(errs, errors.New("the endpoint to consume is missing: want master:lock:uri"))
	case strings.ContainsAny(lock, "?&"):
		errs = append(errs, fmt.Errorf("%q cannot name a lock: want master:lock:uri", lock))
	default:
		e.lock, e.delegate = lock, route.URI(delegate)
		_, err := e.consumer()
		errs = append(errs, err)
	}
	return e, errors.Join(errs...)
}

type endpoint struct {
	*component
	env      route.Env
	lock     string
	delegate route.URI
}

var _ route.Consumer = (*endpoint)(nil)

func (e *endpoint) String() string { return "master:" + e.lock + ":" + e.delegate.String() }

// consumer makes the delegate.
func (e *endpoint) consumer() (route.Consumer, error) {
	ep, err := e.env.Resolve(e.delegate)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", e.delegate, err)
	}
	switch c := ep.(type) {
	case *endpoint:
		return nil, fmt.Errorf("%q: a master endpoint cannot stand in another", e.delegate)
	case route.Consumer:
		return c, nil
	}
	return nil, fmt.Errorf("%s cannot start a route", ep)
}

// Consume consumes the delegate while this replica leads.
func (e *endpoint) Consume(ctx context.Context, next route.Processor) error {
	// A leader that is to stop finishes what is in flight before it leaves, and who
	// stands by has nothing to finish.
	member, leave := context.WithCancel(route.Work(ctx))
	defer leave()
	c := &campaign{endpoint: e, intake: ctx, next: next, leave: leave}
	defer context.AfterFunc(ctx, c.stop)()
	c.report(route.Leadership{})
	return e.svc.Run(member, e.lock, c.lead)
}

func (e *endpoint) logger() *slog.Logger {
	return e.env.Logger.With("lock", e.lock, "endpoint", e.delegate.String())
}
