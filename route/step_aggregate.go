package route

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"time"

	"github.com/mehari-go/mehari/internal/convert"
)

// AggregateOptions tell when the groups of a [Route.Aggregate] are completed, at least one of
// Size, Timeout, Interval, When and FromBatch, and what becomes of them then. The zero value
// of each field is Camel's default.
type AggregateOptions struct {
	// Size completes a group that has so many exchanges. An expression is evaluated for the
	// group, after each of them; nil and 0 mean no limit.
	Size Expr

	// Timeout completes a group that gets no exchange for so long: a [time.Duration] or a
	// number of milliseconds. An expression is evaluated for each exchange; nil and 0 mean
	// that this one does not change how long the group waits.
	Timeout Expr

	// Interval completes all groups, each time it is over. It excludes Timeout.
	Interval time.Duration

	// When completes a group for which it holds, after each exchange.
	When Cond

	// FromBatch completes all groups that got exchanges of a batch when that has ended, as
	// [BatchSize] and [BatchComplete] tell.
	FromBatch bool

	// OnNewGroup completes all other groups when a new one begins, so that one is open at a
	// time.
	OnNewGroup bool

	// EagerCheck evaluates Size and When for the exchange that comes, instead of the group
	// that it is in afterwards. It then has the properties [AggregatedSize], where it is
	// counted, and [AggregatedKey].
	EagerCheck bool

	// ForceCompletionOnStop completes all groups when the route stops.
	ForceCompletionOnStop bool

	// CompleteAllOnStop makes the route wait, when it stops, for those groups that Timeout
	// and Interval will complete, but not longer than [Config.Drain].
	CompleteAllOnStop bool

	// CloseKeys is how many keys of completed groups are remembered, the last ones: an
	// exchange with such a key is refused with [ErrKeyClosed]. 0 means none.
	CloseKeys int

	// IgnoreInvalidKeys lets exchanges without a key pass by; otherwise they fail.
	IgnoreInvalidKeys bool

	// DiscardOnTimeout drops groups instead of completing them by Timeout.
	DiscardOnTimeout bool

	// DiscardOnFailure drops a group, with the exchange, when the strategy fails; the
	// exchange does not fail then.
	DiscardOnFailure bool

	// Parallel is how many completed groups may be processed at the same time, in goroutines
	// of their own; when as many are, who completes one more waits. 0 means that whoever
	// completes a group processes it: the one who has brought its last exchange, or the
	// goroutine of the aggregate that looks after time, one group after the other.
	Parallel int

	// MaxGroups is how many groups may be open; an exchange that would begin one more fails.
	// 0 means 1,000,000.
	MaxGroups int

	// Repository keeps the groups; nil means that they are kept in memory. Each aggregate
	// needs one of its own. With a [RecoverableRepository] each completed group is processed
	// at least once.
	Repository GroupRepository

	// Recovery tells how a [RecoverableRepository] is used.
	Recovery Recovery

	// OptimisticLocking lets the strategy work on one group at several places at once: by the
	// version of the group the Repository finds out who comes late, and that one tries anew,
	// as Retry tells. It is needed where several processes share a repository.
	OptimisticLocking bool
	Retry             OptimisticRetry
}

// Recovery tells how completed groups are recovered that were not processed to the end.
type Recovery struct {
	Off                 bool          // they are only kept
	Interval            time.Duration // between looks for them, the first one at the start; 0 means 5s
	MaximumRedeliveries int           // after which a group goes to DeadLetter; 0 means that it never does
	DeadLetter          URI
}

// OptimisticRetry tells how often, and when, one who has come late tries again.
type OptimisticRetry struct {
	MaximumRetries int           // 0 means 100
	Delay          time.Duration // 0 means 50ms
	MaximumDelay   time.Duration // 0 means 1s
	NoBackOff      bool          // do not double Delay each time
	RandomBackOff  bool          // a random delay of up to that
}

// ErrKeyClosed is the error of an exchange whose group was completed before: see
// [AggregateOptions.CloseKeys].
var ErrKeyClosed = errors.New("route: the group with this key was completed before")

// Aggregate gathers the exchanges for which by gives the same key in a group, by means of
// merge, until the group is complete, and runs body once for each complete group. That has
// the properties [AggregatedSize], [AggregatedCompletedBy], [AggregatedKey] and, where it
// waited for more, [AggregatedTimeout].
//
// The exchange itself goes on behind the step, as it was, as soon as it is in its group;
// in Camel, only the group does. What it returns acknowledges that it is in a group, not
// what becomes of that: a group that fails does not fail the exchange that has completed
// it, nor is it in its transaction. It is told like the failure of any exchange that nobody waits for; with a
// [RecoverableRepository] it is processed again. An error of merge, of by, and of the options'
// expressions fails the exchange and leaves the group as it was.
//
// A group that is completed by time lives, like its last exchange, under the term of a
// leader, if there was one, and is given up when that has ended. Groups in memory that are
// open when the route stops wait there until it starts again, and are lost with the
// process, which is logged.
func (c *chain[Self]) Aggregate(by Expr, merge Strategy, body *Block, opts ...AggregateOptions) Self {
	return c.add(aggregateStep{by, merge, body, opts})
}

type aggregateStep struct {
	by    Expr
	merge Strategy
	body  *Block
	opts  []AggregateOptions
}

func (aggregateStep) String() string { return "aggregate" }

func (s aggregateStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	a := &aggregator{
		AggregateOptions: o,
		merge:            s.merge,
		run:              b.route,
		seed:             maphash.MakeSeed(),
		open:             map[string]*openGroup{},
		batch:            map[string]struct{}{},
		processed:        map[string]bool{},
		wake:             make(chan struct{}, 1),
	}
	a.keyText, a.by = ownKey(s.by), b.value(s.by)
	if s.merge == nil {
		b.Errorf("nil strategy")
	}
	b.Background(a.keepTime) // before that of the body, which stops later therefore
	a.body = b.filled(s.body)
	a.buildCompletion(b)
	a.buildRepository(b)
	for i := range a.stripes {
		a.stripes[i] = make(chan struct{}, 1)
	}
	if a.Parallel > 0 {
		a.places = make(chan struct{}, a.Parallel)
	}
	return a
}

func (a *aggregator) buildCompletion(b *Builder) {
	if a.Size == nil && a.Timeout == nil && a.Interval == 0 && a.When == nil && !a.FromBatch {
		b.Errorf("groups would never be completed: want at least one of Size, Timeout, Interval, When and FromBatch")
	}
	if a.Interval != 0 && a.Timeout != nil {
		b.Errorf("Interval and Timeout exclude each other")
	}
	a.size, a.timeout = b.value(a.Size), b.value(a.Timeout)
	if a.size.eval == nil && a.Size != nil {
		n, err := convert.As[int](a.size.constant)
		if err != nil || n < 1 {
			b.Errorf("Size: want a whole number from 1, have %v", a.size.constant)
		}
		a.size.constant = n
	}
	if a.timeout.eval == nil && a.Timeout != nil {
		d, err := asDuration(a.timeout.constant)
		if err == nil && d == 0 {
			err = errors.New("want a duration greater than 0")
		}
		if err != nil {
			b.Errorf("Timeout: %w", err)
		}
		a.timeout.constant = d
	}
	if a.When != nil {
		a.when = b.Predicate(a.When)
	}
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"Interval", int64(a.Interval)},
		{"CloseKeys", int64(a.CloseKeys)},
		{"Parallel", int64(a.Parallel)},
		{"MaxGroups", int64(a.MaxGroups)},
		{"Recovery.Interval", int64(a.Recovery.Interval)},
		{"Recovery.MaximumRedeliveries", int64(a.Recovery.MaximumRedeliveries)},
		{"Retry.MaximumRetries", int64(a.Retry.MaximumRetries)},
		{"Retry.Delay", int64(a.Retry.Delay)},
		{"Retry.MaximumDelay", int64(a.Retry.MaximumDelay)},
	} {
		if n.value < 0 {
			b.Errorf("%s: want no negative value, have %d", n.name, n.value)
		}
	}
	a.closed.limit = a.CloseKeys
}

func (a *aggregator) buildRepository(b *Builder) {
	a.groups = a.Repository
	if a.groups == nil {
		a.groups, a.inMemory = &memoryGroups{groups: map[string]*Group{}}, true
	}
	if a.Retry != (OptimisticRetry{}) && !a.OptimisticLocking {
		b.Errorf("Retry needs OptimisticLocking")
	}
	a.recoverable, _ = a.groups.(RecoverableRepository)
	r := a.Recovery
	switch {
	case r == Recovery{}:
	case a.recoverable == nil:
		b.Errorf("Recovery needs a Repository that is a route.RecoverableRepository, have %T", a.Repository)
	case r.Off && r != Recovery{Off: true}:
		b.Errorf("Recovery: want nothing else where it is Off")
	case (r.MaximumRedeliveries > 0) != (r.DeadLetter != ""):
		b.Errorf("Recovery: want both MaximumRedeliveries and DeadLetter, or neither")
	}
	if r.DeadLetter != "" {
		a.deadLetter = b.Producer(r.DeadLetter)
	}
}

// keyOf returns the key of the group for ex, "" where it has none.
func (a *aggregator) keyOf(ctx context.Context, ex *Exchange) (string, error) {
	if a.keyText != nil {
		if text, ok := a.keyText.find(ex); ok {
			return text, nil
		}
	}
	v, err := a.by.get(ctx, ex)
	if err != nil {
		return "", err
	}
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case io.Reader:
		return "", fmt.Errorf("a stream cannot be a key, have %T", v)
	}
	text, err := convert.As[string](v)
	if err != nil {
		return "", fmt.Errorf("key: %w", err)
	}
	return text, nil
}
