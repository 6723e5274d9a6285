package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"time"
)

// An aggregator is a built [Route.Aggregate].
type aggregator struct {
	AggregateOptions
	by            value
	keyText       *key // by, where it is that
	merge         Strategy
	size, timeout value
	when          Predicate
	body          Processor
	deadLetter    Processor
	run           *running
	groups        GroupRepository
	recoverable   RecoverableRepository // groups, if they are
	inMemory      bool
	seed          maphash.Seed
	stripes       [64]chan struct{} // who has one works alone on the groups whose keys fall on it
	places        chan struct{}     // of groups that are processed at the same time
	wake          chan struct{}     // for keepTime

	restoring sync.Mutex
	restored  bool // the open groups of the repository are in open

	mu         sync.Mutex
	open       map[string]*openGroup
	due        deadlines
	closed     closedKeys
	batch      map[string]struct{} // the keys of the batch that comes in
	batchCount int
	term       context.Context // of the last exchange that had one
	processed  map[string]bool // completed groups by id that are being processed; true: that only need be confirmed
}

// An openGroup is what the aggregator itself has to know of a group.
type openGroup struct {
	key      string
	term     context.Context // of the last exchange; nil for none
	deadline time.Duration   // of the engine's clock; 0 for none
	at       time.Duration   // the deadline by which it is sorted in due, which is not after it
	index    int             // in due, from 1; 0 for nowhere
	stored   bool            // the group is in the repository
}

// A completed group is about to be processed.
type completed struct {
	ex *Exchange
	id string // in a recoverable repository
}

func (a *aggregator) Process(ctx context.Context, ex *Exchange) error {
	if flag(ex, CompleteAllGroups) {
		return a.completeAll(ctx, ex, "", CompletedByForce)
	}
	inclusive := flag(ex, CompleteAllGroupsInclusive)
	flag(ex, CompleteCurrentGroup) // which is for groups
	key, err := a.keyOf(ctx, ex)
	if err != nil {
		return err
	}
	if key == "" {
		if a.IgnoreInvalidKeys {
			return nil
		}
		return errors.New("the key is empty")
	}
	batch := a.endOfBatch(key, ex)
	added, err := a.addRetrying(ctx, key, ex, batch != nil)
	if err == nil && a.OnNewGroup && added.isNew {
		err = a.completeAll(ctx, ex, key, CompletedByForce)
	}
	if added.group.ex != nil {
		a.process(ctx, ex, added.group)
	}
	for _, other := range batch {
		if other != key {
			err = errors.Join(err, a.complete(ctx, ex, other, CompletedByConsumer))
		}
	}
	if inclusive || added.all {
		err = errors.Join(err, a.completeAll(ctx, ex, "", CompletedByForce))
	}
	return err
}

// flag takes a property away and tells whether it was true.
func flag(ex *Exchange, k Key[bool]) bool {
	if ex.properties.find(&k.key.name) == nil {
		return false
	}
	on, _ := k.Get(ex)
	ex.properties.drop(&k.key.name)
	return on
}

// endOfBatch returns the keys of the batch that ends with ex, nil where it does not.
func (a *aggregator) endOfBatch(key string, ex *Exchange) (keys []string) {
	if !a.FromBatch {
		return nil
	}
	size, _ := BatchSize.Get(ex)
	last, _ := BatchComplete.Get(ex)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.batch[key] = struct{}{}
	if a.batchCount++; !last && (size <= 0 || a.batchCount < size) {
		return nil
	}
	for key := range a.batch {
		keys = append(keys, key)
	}
	clear(a.batch)
	a.batchCount = 0
	slices.Sort(keys)
	return keys
}

// An addition is what came of an exchange.
type addition struct {
	group completed // whose ex is nil while it is open
	isNew bool
	all   bool // groups are to be completed
}

// addRetrying adds ex to the group with a key.
func (a *aggregator) addRetrying(ctx context.Context, key string, ex *Exchange, last bool) (addition, error) {
	for attempt := 1; ; attempt++ {
		added, err := a.add(ctx, key, ex, last)
		if !a.OptimisticLocking || !errors.Is(err, ErrConflict) {
			return added, err
		}
		if attempt > cmp.Or(a.Retry.MaximumRetries, 100) {
			return added, fmt.Errorf("tried %d times: %w", attempt, err)
		}
		if err := ex.pause(ctx, a.Retry.after(attempt), false); err != nil {
			return added, err
		}
	}
}

// after returns how long to wait after so many attempts.
func (r OptimisticRetry) after(attempts int) time.Duration {
	d, most := cmp.Or(r.Delay, 50*time.Millisecond), cmp.Or(r.MaximumDelay, time.Second)
	if !r.NoBackOff {
		for i := 1; i < attempts && d < most; i++ {
			d *= 2
		}
	}
	d = min(d, most)
	if r.RandomBackOff {
		d = time.Duration(mathrand.Int64N(int64(d) + 1))
	}
	return d
}

// lock keeps others from the group with a key until it is unlocked.
func (a *aggregator) lock(ctx context.Context, key string) (chan struct{}, error) {
	if a.OptimisticLocking {
		return nil, nil
	}
	stripe := a.stripes[maphash.String(a.seed, key)%uint64(len(a.stripes))]
	select {
	case stripe <- struct{}{}:
		return stripe, nil
	default:
	}
	select {
	case stripe <- struct{}{}:
		return stripe, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func unlock(stripe chan struct{}) {
	if stripe != nil {
		<-stripe
	}
}

func (a *aggregator) add(ctx context.Context, key string, ex *Exchange, last bool) (added addition, err error) {
	stripe, err := a.lock(ctx, key)
	if err != nil {
		return added, err
	}
	defer unlock(stripe)
	entry, isNew, err := a.entry(key)
	if err != nil {
		return added, err
	}
	if isNew {
		defer a.forget(entry)
	}
	old, err := a.groups.Get(ctx, key)
	if err != nil {
		return added, err
	}
	var group *Exchange
	size := 1
	if old != nil {
		if a.OptimisticLocking && a.inMemory {
			old = old.clone()
		}
		group, size = old.exchange(a.run), old.Size+1
	}
	added.isNew = old == nil
	by := ""
	if a.EagerCheck {
		if by, err = a.eager(ctx, key, ex, size); err != nil {
			release(group)
			return added, err
		}
	}
	if group, err = a.merge.fold(ctx, group, ex); err != nil {
		release(group)
		if a.DiscardOnFailure {
			return added, a.discardFailed(ctx, key, old, err)
		}
		return added, err
	}
	if !a.EagerCheck {
		by, err = a.completedBy(ctx, group, size)
	}
	if last {
		by = CompletedByConsumer
	}
	timeout := time.Duration(0)
	if err == nil && by == "" {
		timeout, err = a.timeoutOf(ctx, ex)
	}
	if err != nil {
		release(group)
		return added, err
	}
	added.all = flag(group, CompleteAllGroups)
	g := old
	if g == nil {
		g = &Group{Key: key}
	}
	if by != "" {
		added.group, err = a.close(ctx, g, group, size, by)
		return added, err
	}
	defer group.Release()
	g.take(group, size)
	if timeout > 0 {
		g.Timeout, g.Deadline = timeout, time.Now().Add(timeout)
	}
	if err := a.groups.Put(ctx, g); err != nil {
		return added, err
	}
	a.track(termOf(ctx, a.run.engine), entry, timeout)
	return added, nil
}

func release(ex *Exchange) {
	if ex != nil {
		ex.Release()
	}
}

// entry returns the openGroup with a key, made if there is none.
func (a *aggregator) entry(key string) (e *openGroup, isNew bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e := a.open[key]; e != nil {
		return e, false, nil
	}
	if a.closed.has(key) {
		return nil, false, fmt.Errorf("%w: %q", ErrKeyClosed, key)
	}
	if most := cmp.Or(a.MaxGroups, 1_000_000); len(a.open) >= most {
		return nil, false, fmt.Errorf("%d groups are open, as many as there may be: see MaxGroups", most)
	}
	e = &openGroup{key: key}
	a.open[key] = e
	return e, true, nil
}

// forget ends what entry began, unless a group has come of it.
func (a *aggregator) forget(e *openGroup) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[e.key] == e && !e.stored {
		delete(a.open, e.key)
	}
}

// eager tells what completes the group that ex is about to be added to.
func (a *aggregator) eager(ctx context.Context, key string, ex *Exchange, size int) (string, error) {
	probe := ex.Clone()
	defer probe.Release()
	AggregatedSize.Set(probe, size)
	AggregatedKey.Set(probe, key)
	return a.completedBy(ctx, probe, size)
}
