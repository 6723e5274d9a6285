package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
)

// Changes tells first how it is, and then what changes, in order.
func TestChanges(t *testing.T) {
	onStage(t, 3, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(time.Second, "lock1")
		leader := s.Leader("lock1")
		watcher := s.Member(0)
		if watcher == leader {
			watcher = s.Member(1)
		}
		var seen []cluster.Change
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			for c := range watcher.Service.View("lock1").Changes(ctx) {
				seen = append(seen, c)
			}
		})
		s.Advance(time.Second)
		if len(seen) != 1 || seen[0].Leader.Name != leader.Name || seen[0].Leading || len(seen[0].Members) != 3 {
			t.Fatalf("first: %+v", seen)
		}
		_ = leader.Service.Resign("lock1")
		s.Advance(5 * time.Second)
		last := seen[len(seen)-1]
		if last.Leader.Name == leader.Name || last.Token <= seen[0].Token {
			t.Errorf("then: %+v", seen)
		}
		_ = leader.Service.Close(t.Context())
		s.Advance(time.Second)
		if last = seen[len(seen)-1]; len(last.Members) != 2 {
			t.Errorf("after one left: %+v", last)
		}
		for i := 1; i < len(seen); i++ {
			if seen[i].Token < seen[i-1].Token && seen[i].Token != 0 {
				t.Errorf("out of order: %+v", seen)
			}
		}
		cancel()
		wg.Wait()
		if m := watcher.Service.Members(); len(m) != 2 || m[0].Slot == m[1].Slot || m[0].Local == m[1].Local {
			t.Errorf("members %+v", m)
		}
	})
}

// Locks that start together go to different members at once, and nothing moves
// after that.
func TestSpread(t *testing.T) {
	onStage(t, 3, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(0, "lock1", "lock2")
		if one, two := s.Leader("lock1"), s.Leader("lock2"); one == nil || one == two {
			t.Errorf("led by %v and %v", one, two)
		}
		s.Advance(10 * time.Minute)
		if p := s.over(); len(p) > 0 {
			t.Errorf("moved: %+v", p)
		}
	})
}

// A newcomer gets its share, one lock in ten at a time, and no lock goes back.
func TestRebalance(t *testing.T) {
	locks := make([]string, 30)
	for i := range locks {
		locks[i] = string(rune('A' + i))
	}
	for _, fixed := range []bool{false, true} {
		onStage(t, 2, cluster.Options{Fixed: fixed}, func(t *testing.T, s *stage) {
			s.playAll(0, locks...)
			third := s.Add()
			for _, lock := range locks {
				s.play(third, lock, 0)
			}
			s.Advance(10 * time.Second)
			if len(s.over()) > 0 {
				t.Error("locks move while members come")
			}
			s.Advance(time.Minute)
			load := map[string]int{}
			for _, lock := range locks {
				load[s.Leader(lock).Name]++
			}
			moved := len(s.over())
			if want := map[bool]int{false: 10, true: 0}[fixed]; load[third.Name] != want || moved != want {
				t.Errorf("fixed %v: loads %v, %d moved", fixed, load, moved)
			}
		})
	}
}

// A member holds only what it offers.
func TestOffers(t *testing.T) {
	onStage(t, 2, cluster.Options{}, func(t *testing.T, s *stage) {
		s.play(s.Member(0), "a", 0)
		s.play(s.Member(1), "b", 0)
		s.Advance(20 * time.Second)
		if s.Leader("a") != s.Member(0) || s.Leader("b") != s.Member(1) {
			t.Error("each leads what it offers")
		}
		s.Member(0).Crash()
		s.Advance(time.Minute)
		if s.Leader("a") != nil {
			t.Error("who does not offer a lock leads it")
		}
		if _, _, ok := s.Member(1).Service.View("a").Leader(); ok {
			t.Error("a lock that nobody offers has a leader")
		}
	})
}

// A term told to stop that outlives its session is not revived by the next one.
func TestOldTermStaysOver(t *testing.T) {
	onStage(t, 2, cluster.Options{Overrun: func(string) {}}, func(t *testing.T, s *stage) {
		var old cluster.Term
		ctx, cancel := context.WithCancel(t.Context())
		m := s.Member(0)
		go func() {
			_ = m.Service.Run(ctx, "lock1", func(ctx context.Context, term cluster.Term) error {
				old = term
				<-ctx.Done()
				time.Sleep(5 * time.Minute)
				return nil
			})
		}()
		s.Advance(20 * time.Second)
		cancel()
		s.Advance(time.Minute)
		if !old.Valid() || old.Err() == nil || old.Context().Err() != nil {
			t.Error("who needs long to stop stays valid, while its session lives")
		}
		m.Pause()
		s.Advance(time.Minute)
		m.Resume()
		s.Advance(time.Minute)
		if old.Valid() || !errors.Is(context.Cause(old.Context()), cluster.ErrLost) {
			t.Errorf("revived, or %v", context.Cause(old.Context()))
		}
		s.Advance(3 * time.Minute) // until it has stopped
		if err := m.Service.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A sick store lacks something, and knows the replicas.
type sickStore struct {
	cluster.Store
	mu   sync.Mutex
	lack error
}

func (s *sickStore) Check(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lack
}

func (s *sickStore) Members(ctx context.Context) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		if yield([]string{"pod-1", "pod-2"}, nil) {
			<-ctx.Done()
		}
	}
}

func TestCheckerAndRoster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log journal
		store := &sickStore{Store: memory.New(), lack: errors.New("pods: list is forbidden")}
		svc, err := cluster.New(store, cluster.Options{Name: "pod-1", Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		defer svc.Close(context.Background())
		if err := svc.Check(t.Context()); err != nil {
			t.Errorf("not used yet: %v", err)
		}
		view := svc.View("lock1")
		time.Sleep(20 * time.Second)
		if err := svc.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "pods: list is forbidden") {
			t.Errorf("have %v", err)
		}
		if n := strings.Count(log.String(), "pods: list is forbidden"); n != 2 {
			t.Errorf("told %d times", n)
		}
		store.mu.Lock()
		store.lack = nil
		store.mu.Unlock()
		time.Sleep(20 * time.Second)
		if err := svc.Check(t.Context()); err != nil {
			t.Error(err)
		}
		members := view.Members()
		if len(members) != 2 || !members[0].Local || members[1] != (cluster.Member{Name: "pod-2", Slot: -1}) {
			t.Errorf("members %+v", members)
		}
	})
}

// A journal is a log that can be read while it is written.
type journal struct {
	mu  sync.Mutex
	log bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.log.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.log.String()
}

// The inline guard costs a look at the clock.
func BenchmarkValid(b *testing.B) {
	svc, term := oneTerm(b)
	defer svc.Close(context.Background())
	b.ReportAllocs()
	for b.Loop() {
		if !term.Valid() {
			b.Fatal("not valid")
		}
	}
}

func TestValidAllocatesNothing(t *testing.T) {
	svc, term := oneTerm(t)
	defer svc.Close(context.Background())
	if n := testing.AllocsPerRun(100, func() { term.Valid() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// oneTerm returns a term on the real clock.
func oneTerm(t testing.TB) (*cluster.Service, cluster.Term) {
	svc, err := cluster.New(memory.New(), cluster.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	terms := make(chan cluster.Term, 1)
	go func() {
		_ = svc.Run(t.Context(), "lock1", func(ctx context.Context, term cluster.Term) error {
			terms <- term
			<-ctx.Done()
			return nil
		})
	}()
	return svc, <-terms
}
