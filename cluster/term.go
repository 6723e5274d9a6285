package cluster

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Why a term ended: context.Cause of its context, and [Term.Err], is one of them.
var (
	// ErrLost means that the member could not prove in time that it still leads.
	ErrLost = errors.New("cluster: leadership could not be confirmed in time")
	// ErrFenced means that the lock is no longer this member's: it was taken over
	// after a silence, or the records were changed by hand.
	ErrFenced = errors.New("cluster: leadership was taken away")
	// ErrStopped means that the context given to [Service.Run] ended, or that the
	// service was closed.
	ErrStopped = errors.New("cluster: leadership was given up to stop")
	// ErrResigned means that the lock goes to another member: by [Service.Resign],
	// because the function returned by itself, or to spread the locks.
	ErrResigned = errors.New("cluster: leadership was handed over")
)

// A Term is one uninterrupted time of leadership. It may be copied, and used by
// many goroutines at once. The zero Term is never valid.
type Term struct{ t *term }

type term struct {
	cursors
	lock     string
	token    Version
	held     context.Context // ends when the lock is no longer held for certain
	lose     context.CancelCauseFunc
	ctx      context.Context // of the function: ends when that should return, at held's end at the latest
	cancel   context.CancelCauseFunc
	deadline atomic.Pointer[time.Time] // nobody else can hold the lock before
}

// Lock returns the name of the lock.
func (t Term) Lock() string {
	if t.t == nil {
		return ""
	}
	return t.t.lock
}

// Token returns the fencing token: whoever else holds the lock later has a greater
// one. A member that leads again after an outage in which nobody else did keeps its own.
// A resource that remembers the greatest token it has seen, and refuses smaller
// ones, is safe from leaders that do not know yet that they are deposed.
func (t Term) Token() uint64 {
	if t.t == nil {
		return 0
	}
	return uint64(t.t.token)
}

// Deadline returns the time before which no other member can hold the lock. It
// moves on with each beat. The context ends earlier than that, by the stop budget,
// if there are no more beats.
func (t Term) Deadline() time.Time {
	if t.t == nil {
		return time.Time{}
	}
	return *t.t.deadline.Load()
}

// Valid reports whether the deadline is still to come. It costs a look at the
// clock and allocates nothing, so call it right before each effect on the outside
// world: unlike a context it sees at once that the process was paused.
func (t Term) Valid() bool {
	if t.t == nil {
		return false
	}
	now, deadline := time.Now(), t.t.deadline.Load()
	// By the monotonic clock, and by the wall clock too: the first stands still
	// while the machine sleeps.
	return now.Before(*deadline) && now.UnixNano() < deadline.UnixNano()
}

// Err returns nil until the context of the term ends, and then why it did.
func (t Term) Err() error {
	if t.t == nil {
		return ErrStopped
	}
	return context.Cause(t.t.ctx)
}

// Context returns a context that ends when the lock is no longer held for certain,
// with the cause ErrLost or ErrFenced. The context of the function ends then too, and
// also, with other causes, when the function is to stop in order: what it has begun by
// then it may finish under this one, for as long as the member keeps the lock. Both
// have the same values.
func (t Term) Context() context.Context {
	if t.t == nil {
		return ended
	}
	return t.t.held
}

var ended = func() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(ErrStopped)
	return ctx
}()

type termKey struct{}

// TermFrom returns the term under which ctx runs.
func TermFrom(ctx context.Context) (Term, bool) {
	t, ok := ctx.Value(termKey{}).(Term)
	return t, ok
}

// newTerm begins a term with the values of ctx, but not its end: that is a matter
// of the service.
func newTerm(ctx context.Context, lock string, token Version, deadline time.Time) *term {
	t := &term{lock: lock, token: token}
	t.deadline.Store(&deadline)
	t.held, t.lose = context.WithCancelCause(context.WithValue(context.WithoutCancel(ctx), termKey{}, Term{t}))
	t.ctx, t.cancel = context.WithCancelCause(t.held)
	return t
}
