package route_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// recoverable is a repository in memory that outlives engines. Its groups are copies, and
// it fails where it is told to.
type recoverable struct {
	mu       sync.Mutex
	open     map[string]*route.Group
	done     map[string]*route.Group
	conflict func(g *route.Group) bool // pretend that somebody else was faster
	fail     map[string]error          // by method
	calls    map[string]int
}

func newRecoverable() *recoverable {
	return &recoverable{open: map[string]*route.Group{}, done: map[string]*route.Group{}, fail: map[string]error{}, calls: map[string]int{}}
}

func (r *recoverable) enter(ctx context.Context, method string) (func(), error) {
	r.mu.Lock()
	r.calls[method]++
	return r.mu.Unlock, errors.Join(r.fail[method], ctx.Err())
}

func copyOf(g *route.Group) *route.Group {
	c := &route.Group{
		Key: g.Key, Size: g.Size, Version: g.Version, Timeout: g.Timeout, Deadline: g.Deadline,
		CompletedBy: g.CompletedBy, Redeliveries: g.Redeliveries, Body: g.Body,
	}
	c.SetFields(g.Headers(), g.Properties(), g.Variables())
	return c
}

func (r *recoverable) stale(g *route.Group) error {
	version := uint64(0)
	if old := r.open[g.Key]; old != nil {
		version = old.Version
	}
	if version != g.Version || r.conflict != nil && r.conflict(g) {
		return route.ErrConflict
	}
	return nil
}

func (r *recoverable) Get(ctx context.Context, key string) (*route.Group, error) {
	leave, err := r.enter(ctx, "Get")
	defer leave()
	if g := r.open[key]; g != nil && err == nil {
		return copyOf(g), nil
	}
	return nil, err
}

func (r *recoverable) Put(ctx context.Context, g *route.Group) error {
	leave, err := r.enter(ctx, "Put")
	defer leave()
	if err = errors.Join(err, r.stale(g)); err == nil {
		g.Version++
		r.open[g.Key] = copyOf(g)
	}
	return err
}

func (r *recoverable) Remove(ctx context.Context, g *route.Group) error {
	leave, err := r.enter(ctx, "Remove")
	defer leave()
	if err = errors.Join(err, r.stale(g)); err == nil {
		delete(r.open, g.Key)
	}
	return err
}

func (r *recoverable) Open(ctx context.Context) iter.Seq2[*route.Group, error] {
	return func(yield func(*route.Group, error) bool) {
		leave, err := r.enter(ctx, "Open")
		all := slices.Collect(maps.Values(r.open))
		leave()
		if err != nil {
			yield(nil, err)
			return
		}
		for _, g := range all {
			if !yield(copyOf(g), nil) {
				return
			}
		}
	}
}

func (r *recoverable) Complete(ctx context.Context, id string, g *route.Group) error {
	leave, err := r.enter(ctx, "Complete")
	defer leave()
	if err = errors.Join(err, r.stale(g)); err == nil {
		delete(r.open, g.Key)
		r.done[id] = copyOf(g)
	}
	return err
}

func (r *recoverable) Confirm(ctx context.Context, id string) error {
	leave, err := r.enter(ctx, "Confirm")
	defer leave()
	if err == nil {
		delete(r.done, id)
	}
	return err
}

func (r *recoverable) Unconfirmed(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		leave, err := r.enter(ctx, "Unconfirmed")
		ids := slices.Sorted(maps.Keys(r.done))
		leave()
		if err != nil {
			yield("", err)
			return
		}
		for _, id := range ids {
			if !yield(id, nil) {
				return
			}
		}
	}
}

func (r *recoverable) Recover(ctx context.Context, id string) (*route.Group, error) {
	leave, err := r.enter(ctx, "Recover")
	defer leave()
	if g := r.done[id]; g != nil && err == nil {
		g.Redeliveries++
		return copyOf(g), nil
	}
	return nil, err
}

func (r *recoverable) left() (open, done int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.open), len(r.done)
}

func (r *recoverable) setFail(method string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail[method] = err
}

// Open groups outlive the engine, with their headers and deadlines.
func TestAggregateInARepository(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecoverable()
		o := route.AggregateOptions{Size: 4, Timeout: 10 * time.Second, Repository: r}
		k, g := aggregating(t, join, o)
		k.of(t, "x 1", "x 2", "y 1")
		if err := k.stop(); err != nil {
			t.Error(err)
		}
		if log := k.logs.take(); len(log) != 0 {
			t.Error(log)
		}
		g.want(t)
		pass(4 * time.Second)
		k, g = aggregating(t, join, o)
		k.of(t, "x 3")
		pass(6 * time.Second)
		g.want(t, "y timeout 1: 1")
		k.of(t, "x 4")
		g.want(t, "x size 4: 1+2+3+4")
		if open, done := r.left(); open+done != 0 {
			t.Errorf("%d groups are open and %d unconfirmed", open, done)
		}
	})
}

// A group that fails is processed again, as often as wanted, and then given to the dead
// letter endpoint, until that takes it.
func TestAggregateRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecoverable()
		var tries, dead []string
		note := func(to *[]string, ex *route.Exchange) {
			line := ex.Body.(string)
			for _, name := range []string{"CamelRedelivered", "CamelRedeliveryCounter", "CamelRedeliveryMaxCounter", "CamelAggregatedCorrelationKey", "CamelAggregatedCompletedBy", "CamelAggregatedSize"} {
				if v := ex.Property(name); v != nil {
					line += " " + strings.TrimPrefix(name, "Camel") + "=" + fmt.Sprint(v)
				}
			}
			*to = append(*to, line)
		}
		refuse := 1
		k := &kit{to: map[string]route.ProcessorFunc{"dead": func(_ context.Context, ex *route.Exchange) error {
			note(&dead, ex)
			if refuse > 0 {
				refuse--
				return errors.New("no room")
			}
			return nil
		}}}
		k.start(t, route.Config{}, route.From("in:a").Aggregate(byKind, join,
			route.Do().Process(func(_ context.Context, ex *route.Exchange) error { note(&tries, ex); return errors.New("cannot ship") }),
			route.AggregateOptions{Size: 1, Repository: r, Recovery: route.Recovery{MaximumRedeliveries: 2, DeadLetter: "to:dead"}}))
		k.of(t, "x 1")
		tried := len(tries)
		if _, done := r.left(); done != 1 || tried != 1 {
			t.Errorf("%d unconfirmed after %d tries", done, tried)
		}
		pass(time.Minute)
		wantLines(t, "tries", tries, "1 AggregatedCorrelationKey=x AggregatedCompletedBy=size AggregatedSize=1",
			"1 Redelivered=true RedeliveryCounter=1 RedeliveryMaxCounter=2 AggregatedCorrelationKey=x AggregatedCompletedBy=size AggregatedSize=1",
			"1 Redelivered=true RedeliveryCounter=2 RedeliveryMaxCounter=2 AggregatedCorrelationKey=x AggregatedCompletedBy=size AggregatedSize=1")
		last := "1 Redelivered=true RedeliveryCounter=2 RedeliveryMaxCounter=2 AggregatedCorrelationKey=x AggregatedCompletedBy=size AggregatedSize=1"
		wantLines(t, "dead letters", dead, last, last)
		if _, done := r.left(); done != 0 {
			t.Errorf("%d unconfirmed", done)
		}
	})
}

// What the engine has not finished is processed by the next one, at once.
func TestAggregateRecoversAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecoverable()
		g := new(groups)
		run := func(block *route.Block, o route.AggregateOptions) *kit {
			o.Size, o.Repository = 2, r
			return start(t, route.Config{Drain: time.Second}, route.From("in:a").Aggregate(byKind, join, block, o))
		}
		k := run(route.Do().Delay(time.Hour), route.AggregateOptions{Parallel: 3})
		k.of(t, "x 1", "x 2", "y 1", "y 2", "z 1")
		if err := k.stop(); err == nil {
			t.Error("nothing was in flight")
		}
		if open, done := r.left(); open != 1 || done != 2 {
			t.Errorf("%d open, %d unconfirmed", open, done)
		}
		_ = run(g.block(), route.AggregateOptions{Recovery: route.Recovery{Off: true}}).stop()
		g.want(t)
		_ = run(g.block(), route.AggregateOptions{})
		synctest.Wait()
		g.want(t, "x size 2: 1+2", "y size 2: 1+2")
		if open, done := r.left(); open != 1 || done != 0 {
			t.Errorf("%d open, %d unconfirmed", open, done)
		}
	})
}

// Who completes all groups completes those from before the start too, however early he comes.
func TestAggregateCompletesAllFromBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecoverable()
		g := new(groups)
		run := func() *kit {
			return start(t, route.Config{Poison: true}, route.From("in:a").Aggregate(byKind, join, g.block(), route.AggregateOptions{Size: 2, Repository: r}))
		}
		k := run()
		k.of(t, "x 1", "y 1")
		_ = k.stop()

		r.setFail("Open", errors.New("away"))
		k = run()
		synctest.Wait()
		all := func(ex *route.Exchange) { route.CompleteAllGroups.Set(ex, true) }
		if err := k.offer("x 2", all); err == nil || !strings.Contains(err.Error(), "away") {
			t.Errorf("have %v, want the error of the repository", err)
		}
		r.setFail("Open", nil)
		if err := k.offer("x 2", all); err != nil {
			t.Error(err)
		}
		g.want(t, "x force 1: 1", "y force 1: 1")
		if open, done := r.left(); open != 0 || done != 0 {
			t.Errorf("%d open, %d unconfirmed", open, done)
		}
	})
}

// A group that is being processed is not recovered, and one whose confirmation failed is
// only confirmed.
func TestAggregateRecoversNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecoverable()
		g := new(groups)
		k := start(t, route.Config{}, route.From("in:a").Aggregate(byKind, join, route.Do().Process(g.add).Delay(time.Minute),
			route.AggregateOptions{Size: 1, Repository: r, Parallel: 2, Recovery: route.Recovery{Interval: 2 * time.Second}}))
		k.of(t, "x 1")
		r.setFail("Confirm", errors.New("disk full"))
		pass(2 * time.Minute)
		r.setFail("Confirm", nil)
		pass(time.Minute)
		g.want(t, "x size 1: 1")
		if _, done := r.left(); done != 0 {
			t.Errorf("%d unconfirmed", done)
		}
		if log := k.logs.take(); len(log) < 2 || !strings.HasPrefix(log[0], "ERROR group not confirmed, though it was processed: it will be tried again route=route1 error=disk full id=") {
			t.Errorf("%q", log)
		}
	})
}

// What the repository cannot do fails the exchange, or is tried again.
func TestAggregateRepositoryFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecoverable()
		broken := errors.New("disk full")
		for _, method := range []string{"Open", "Unconfirmed"} {
			r.fail[method] = broken
		}
		k, g := aggregating(t, join, route.AggregateOptions{Size: 3, Timeout: 10 * time.Second, Repository: r})
		wantLines(t, "log", k.logs.take(),
			"ERROR open groups not read: it will be tried again route=route1 error=disk full",
			"ERROR completed groups not read: it will be tried again route=route1 error=disk full")
		k.of(t, "x 1", "x 2")
		for _, method := range []string{"Get", "Put", "Complete"} {
			r.setFail(method, broken)
			message := "x 3"
			if method == "Put" {
				message = "y 1"
			}
			if err := k.offer(message); !errors.Is(err, broken) {
				t.Errorf("%s: %v", method, err)
			}
			if method != "Complete" {
				r.setFail(method, nil)
			}
		}
		pass(15 * time.Second)
		g.want(t)
		r.setFail("Complete", nil)
		pass(2 * time.Second)
		g.want(t, "x timeout 2: 1+2")
	})
}

func TestAggregateOptimisticLocking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecoverable()
		conflicts := 3
		r.conflict = func(*route.Group) bool { conflicts--; return conflicts >= 0 }
		k, g := aggregating(t, join, route.AggregateOptions{Size: 2, Repository: r, OptimisticLocking: true})
		begun := time.Now()
		k.of(t, "x 1")
		if d := time.Since(begun); d != (50+100+200)*time.Millisecond {
			t.Errorf("after %v", d)
		}
		conflicts, begun = 1, time.Now()
		k.of(t, "x 2")
		if d := time.Since(begun); d != 50*time.Millisecond {
			t.Errorf("after %v", d)
		}
		g.want(t, "x size 2: 1+2")

		// with a policy
		k, _ = aggregating(t, join, route.AggregateOptions{
			Size: 2, Repository: r, OptimisticLocking: true,
			Retry: route.OptimisticRetry{MaximumRetries: 4, Delay: time.Second, MaximumDelay: 3 * time.Second},
		})
		conflicts, begun = 100, time.Now()
		err := k.offer("x 1")
		if d := time.Since(begun); d != (1+2+3+3)*time.Second || !errors.Is(err, route.ErrConflict) || !strings.Contains(err.Error(), "tried 5 times: ") {
			t.Errorf("after %v: %v", d, err)
		}
		k, _ = aggregating(t, join, route.AggregateOptions{
			Size: 2, Repository: r, OptimisticLocking: true,
			Retry: route.OptimisticRetry{MaximumRetries: 4, Delay: time.Second, NoBackOff: true, RandomBackOff: true},
		})
		conflicts, begun = 100, time.Now()
		_ = k.offer("x 1")
		if d := time.Since(begun); d <= 0 || d > 4*time.Second {
			t.Errorf("after %v", d)
		}

		// without, it is an error at once
		k, _ = aggregating(t, join, route.AggregateOptions{Size: 2, Repository: r})
		conflicts, begun = 1, time.Now()
		if err := k.offer("x 1"); !errors.Is(err, route.ErrConflict) || time.Since(begun) != 0 {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
	})
}

// Several engines share a repository, and none of them loses an exchange.
func TestAggregateSharesARepository(t *testing.T) {
	for name, shared := range map[string]route.GroupRepository{"shared": newRecoverable(), "memory": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				total, largest := 0, 0
				sum := route.Fold(func(_ context.Context, sum, n int) (int, error) {
					time.Sleep(time.Millisecond) // so that others come in between
					return sum + n, nil
				})
				count := func(_ context.Context, ex *route.Exchange) error {
					mu.Lock()
					defer mu.Unlock()
					size, _ := route.AggregatedSize.Get(ex)
					total, largest = total+ex.Body.(int), max(largest, size)
					return nil
				}
				o := route.AggregateOptions{
					Size: 10, Timeout: time.Minute, Repository: shared, OptimisticLocking: true,
					Retry: route.OptimisticRetry{RandomBackOff: true, Delay: 20 * time.Millisecond, NoBackOff: true},
				}
				engines := []*kit{start(t, route.Config{}, route.From("in:a").Aggregate(byKind, sum, route.Do().Process(count), o))}
				if shared != nil {
					engines = append(engines, start(t, route.Config{}, route.From("in:a").Aggregate(byKind, sum, route.Do().Process(count), o)))
				}
				var wg sync.WaitGroup
				want := 0
				for i := range 87 {
					want += i
					wg.Go(func() {
						ex := route.NewExchange(i)
						defer ex.Release()
						byKind.Set(ex, string(rune('a'+i%3)))
						if err := engines[i%len(engines)].give("a", ex); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				pass(3 * time.Minute)
				mu.Lock()
				defer mu.Unlock()
				if total != want || largest != 10 {
					t.Errorf("sum %d, want %d; largest group %d", total, want, largest)
				}
			})
		})
	}
}
