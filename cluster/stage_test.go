package cluster_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/clustertest"
)

// A stage is a cluster whose members run functions that note what they do and
// fail the test where two act at once.
type stage struct {
	*clustertest.Cluster
	t      *testing.T
	mu     sync.Mutex
	acting map[string]string
	terms  []performance
}

// A performance is one term of one member.
type performance struct {
	member, lock string
	token        uint64
	began, ended time.Duration // ended is when the function returned
	told         time.Duration // that its context has ended
	cause        error
}

var epoch time.Time

// onStage runs a test with n members in fake time.
func onStage(t *testing.T, n int, o cluster.Options, test func(*testing.T, *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		epoch = time.Now()
		test(t, &stage{Cluster: clustertest.New(t, n, o), t: t, acting: map[string]string{}})
	})
}

// play has a member run a function for a lock that acts every 10 ms, while its
// term is valid, and takes a while to stop.
func (s *stage) play(m *clustertest.Member, lock string, toStop time.Duration) {
	s.playUntil(m.Context(), m, lock, toStop)
}

func (s *stage) playUntil(ctx context.Context, m *clustertest.Member, lock string, toStop time.Duration) {
	go func() {
		_ = m.Service.Run(ctx, lock, func(ctx context.Context, term cluster.Term) error {
			p := performance{member: m.Name, lock: lock, token: term.Token(), began: time.Since(epoch)}
			s.enter(m.Name, lock)
			for ctx.Err() == nil {
				s.act(m, lock, term)
				select {
				case <-time.After(10 * time.Millisecond):
				case <-ctx.Done():
				}
			}
			p.told, p.cause = time.Since(epoch), context.Cause(ctx)
			for end := time.Now().Add(toStop); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				s.act(m, lock, term)
			}
			p.ended = time.Since(epoch)
			s.leave(m.Name, p)
			return nil
		})
	}()
}

func (s *stage) enter(name, lock string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acting[lock] = name
}

// act fails the test if the lock is someone else's by now.
func (s *stage) act(m *clustertest.Member, lock string, term cluster.Term) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if term.Valid() && s.acting[lock] != m.Name {
		s.t.Errorf("at %v %s acts on %q, which is with %s", time.Since(epoch), m.Name, lock, s.acting[lock])
	}
}

func (s *stage) leave(_ string, p performance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.terms = append(s.terms, p)
}

// over returns the terms that ended, and forgets them.
func (s *stage) over() []performance {
	s.mu.Lock()
	defer s.mu.Unlock()
	terms := slices.Clone(s.terms)
	s.terms = nil
	return terms
}

// playAll has all members play the locks, and waits for the leaders.
func (s *stage) playAll(toStop time.Duration, locks ...string) {
	for _, m := range s.Members() {
		for _, lock := range locks {
			s.play(m, lock, toStop)
		}
	}
	s.Advance(20 * time.Second)
}

// waitFor lets time pass until the lock has another leader, and returns it and how long
// it took.
func (s *stage) waitFor(lock string, old *clustertest.Member) (*clustertest.Member, time.Duration) {
	s.t.Helper()
	began := time.Now()
	for time.Since(began) < time.Minute {
		if m := s.Leader(lock); m != nil && m != old {
			return m, time.Since(began)
		}
		s.Advance(time.Millisecond)
	}
	s.t.Fatalf("nobody leads %q", lock)
	return nil, 0
}

// assigner returns the member that has the role, or another one.
func (s *stage) assigner(is bool) *clustertest.Member {
	s.t.Helper()
	table := string(s.Value(cluster.TableKey))
	for _, m := range s.Members() {
		if found := containsCoordinator(table, m.Name); found == is {
			return m
		}
	}
	s.t.Fatalf("no such member: %s", table)
	return nil
}
