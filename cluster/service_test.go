package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/clustertest"
	"github.com/mehari-go/mehari/cluster/memory"
)

func containsCoordinator(table, name string) bool {
	return strings.Contains(table, `"coordinator": "`+name+`#`)
}

func TestOneLeader(t *testing.T) {
	onStage(t, 3, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(0, "lock1")
		leader := s.Leader("lock1")
		if leader == nil {
			t.Fatal("nobody leads")
		}
		s.Advance(20 * time.Minute)
		if s.Leader("lock1") != leader || len(s.over()) > 0 {
			t.Error("the leader changed without cause")
		}
		for _, m := range s.Members() {
			who, token, ok := m.Service.View("lock1").Leader()
			if who.Name != leader.Name || who.Local != (m == leader) || token == 0 || !ok {
				t.Errorf("%s sees the leader %+v with %d, %v, want %s", m.Name, who, token, ok, leader.Name)
			}
			if err := m.Service.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if n := m.Service.Stats().Requests; n > 20*45 {
				t.Errorf("%s sent %d requests in twenty minutes", m.Name, n)
			}
		}
	})
}

// A crash moves the lock once the last beat is x old; who crashes may be the
// assigner itself.
func TestCrash(t *testing.T) {
	for _, assigner := range []bool{true, false} {
		for wait := range 4 {
			onStage(t, 3, cluster.Options{}, func(t *testing.T, s *stage) {
				s.playAll(0, "a", "b", "c")
				victim := s.assigner(assigner)
				s.Advance(time.Duration(wait) * 700 * time.Millisecond)
				var lock string
				for _, l := range []string{"a", "b", "c"} {
					if s.Leader(l) == victim {
						lock = l
					}
				}
				victim.Crash()
				_, took := s.waitFor(lock, victim)
				if took < 12*time.Second || took > 16*time.Second {
					t.Errorf("assigner %v: took %v, want x-r to x+1 s", assigner, took)
				}
			})
		}
	}
}

// When the assigner and a leader crash together, one of the others sees to both.
func TestCrashTogether(t *testing.T) {
	onStage(t, 4, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(0, "a", "b", "c", "d")
		one, other := s.assigner(true), s.assigner(false)
		one.Crash()
		other.Crash()
		s.Advance(16 * time.Second) // x and a little: few members watch all slots
		for _, lock := range []string{"a", "b", "c", "d"} {
			if s.Leader(lock) == nil {
				t.Errorf("nobody leads %q", lock)
			}
		}
	})
}

// A leader that closes hands over within a few messages.
func TestHandOver(t *testing.T) {
	for _, assigner := range []bool{true, false} {
		onStage(t, 3, cluster.Options{}, func(t *testing.T, s *stage) {
			s.SetHop(5 * time.Millisecond)
			s.playAll(0, "a", "b", "c")
			leaver := s.assigner(assigner)
			var lock string
			for _, l := range []string{"a", "b", "c"} {
				if s.Leader(l) == leaver {
					lock = l
				}
			}
			done := make(chan error, 1)
			go func() { done <- leaver.Service.Close(context.Background()) }()
			_, took := s.waitFor(lock, leaver)
			if took > 100*time.Millisecond {
				t.Errorf("assigner %v: took %v", assigner, took)
			}
			t.Logf("assigner %v: %v", assigner, took)
			if err := <-done; err != nil {
				t.Error(err)
			}
			for _, p := range s.over() {
				if p.member == leaver.Name && !errors.Is(p.cause, cluster.ErrStopped) {
					t.Errorf("the cause is %v", p.cause)
				}
			}
			s.Advance(time.Second)
			if s.assigner(true) == leaver {
				t.Error("the role of the assigner was not handed over")
			}
		})
	}
}

func TestResign(t *testing.T) {
	onStage(t, 3, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(2*time.Second, "lock1")
		for range 6 {
			old := s.Leader("lock1")
			if err := old.Service.Resign("lock1"); err != nil {
				t.Fatal(err)
			}
			if _, took := s.waitFor("lock1", old); took < 2*time.Second || took > 2100*time.Millisecond {
				t.Errorf("took %v, want the 2 s that the function needs to stop", took)
			}
			if p := s.over()[0]; !errors.Is(p.cause, cluster.ErrResigned) {
				t.Errorf("the cause is %v", p.cause)
			}
		}
		if err := s.Member(0).Service.Resign(""); err == nil {
			t.Error("resigned from nothing")
		}
	})
	onStage(t, 1, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(0, "lock1")
		_ = s.Member(0).Service.Resign("lock1")
		s.Advance(time.Second)
		if s.Leader("lock1") == nil || len(s.over()) != 1 {
			t.Error("who is alone gets the lock again")
		}
	})
}

// Cut off, a leader stops y after it last asked, and has its stop budget before
// another starts.
func TestPartition(t *testing.T) {
	onStage(t, 3, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(3500*time.Millisecond, "lock1")
		old := s.Leader("lock1")
		old.Partition()
		cut := time.Since(epoch)
		leader, took := s.waitFor("lock1", old)
		if took < 12*time.Second || took > 16*time.Second {
			t.Errorf("took %v", took)
		}
		p := s.over()[0]
		if told := p.told - cut; told < 7*time.Second || told > 10*time.Second || !errors.Is(p.cause, cluster.ErrLost) {
			t.Errorf("told after %v: %v", told, p.cause)
		}
		if err := old.Service.Check(t.Context()); err == nil {
			t.Error("who has lost touch is not well")
		}
		if _, _, ok := old.Service.View("lock1").Leader(); ok {
			t.Error("who has lost touch cannot tell who leads")
		}
		old.Heal()
		s.Advance(10 * time.Second)
		if err := old.Service.Check(t.Context()); err != nil || s.Leader("lock1") != leader {
			t.Errorf("healed, it stands by: %v", err)
		}
	})
}

// Where all are cut off for less than a fence takes, each resumes what it had.
func TestOutage(t *testing.T) {
	onStage(t, 3, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(0, "a", "b", "c")
		before := map[string]*clustertest.Member{}
		for _, lock := range []string{"a", "b", "c"} {
			before[lock] = s.Leader(lock)
		}
		for _, m := range s.Members() {
			m.Partition()
		}
		s.Advance(10 * time.Minute)
		if n := len(s.over()); n != 3 {
			t.Errorf("%d of 3 stopped", n)
		}
		s.Heal()
		s.Advance(4 * time.Second)
		for lock, m := range before {
			if s.Leader(lock) != m {
				t.Errorf("%q was reassigned", lock)
			}
		}
	})
}

func TestLostAnswers(t *testing.T) {
	onStage(t, 2, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(0, "lock1")
		old := s.Leader("lock1")
		old.Lose(true)
		s.Advance(11 * time.Second)
		if p := s.over(); len(p) != 1 || !errors.Is(p[0].cause, cluster.ErrLost) {
			t.Errorf("a beat without an answer proves nothing: %+v", p)
		}
		old.Lose(false)
		s.Advance(5 * time.Second)
		if s.Leader("lock1") != old {
			t.Error("it was never fenced")
		}
	})
}

// A member paused past x finds itself deposed; what it does late is not valid.
func TestPause(t *testing.T) {
	onStage(t, 3, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(0, "lock1")
		old := s.Leader("lock1")
		old.Pause()
		leader, took := s.waitFor("lock1", old)
		if took < 12*time.Second || took > 16*time.Second {
			t.Errorf("took %v", took)
		}
		s.Advance(time.Minute)
		if len(s.over()) > 0 {
			t.Error("a paused member was told")
		}
		old.Resume()
		s.Advance(5 * time.Second)
		if p := s.over(); len(p) != 1 || s.Leader("lock1") != leader {
			t.Errorf("resumed: %+v", p)
		}
		if err := old.Service.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A machine that slept, or whose clock was set, trusts no interval.
func TestClockJump(t *testing.T) {
	onStage(t, 2, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(0, "lock1")
		old := s.Leader("lock1")
		old.Sleep(time.Hour)
		s.Advance(10 * time.Second)
		if p := s.over(); len(p) != 1 || !errors.Is(p[0].cause, cluster.ErrLost) {
			t.Errorf("have %+v", p)
		}
		if s.Leader("lock1") == nil {
			t.Error("nobody leads")
		}
	})
}

// A function that returns by itself hands over, whatever the way it returns.
func TestEarlyReturn(t *testing.T) {
	for name, end := range map[string]func() error{
		"nil":    func() error { return nil },
		"error":  func() error { return errors.New("no database") },
		"panic":  func() error { panic("no database") },
		"goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			var log journal
			o := cluster.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
			onStage(t, 2, o, func(t *testing.T, s *stage) {
				s.playAll(0, "lock1")
				sick := s.AddWith(cluster.Options{Name: "sick"})
				var calls atomic.Int32
				go func() {
					_ = sick.Service.Run(sick.Context(), "lock1", func(context.Context, cluster.Term) error {
						calls.Add(1)
						return end()
					})
				}()
				s.Advance(time.Second)
				_ = s.Member(0).Service.Resign("lock1")
				_ = s.Member(1).Service.Resign("lock1")
				s.Member(0).Crash()
				s.Member(1).Crash()
				s.Advance(40 * time.Second)
				first := calls.Load()
				s.Advance(2 * time.Minute)
				more := calls.Load() - first
				if name == "goexit" {
					if first != 1 || more != 0 {
						t.Errorf("called %d times, then %d", first, more)
					}
				} else if first < 1 || more < 2 || more > 12 {
					t.Errorf("called %d times, then %d in two minutes; want it to be tried again, and not too often", first, more)
				}
				healthy := s.Add()
				s.play(healthy, "lock1", 0)
				s.Advance(time.Minute)
				if s.Leader("lock1") != healthy {
					t.Error("the healthy member does not lead")
				}
			})
			if want := map[string]string{"error": "no database", "panic": "service_test.go"}[name]; !strings.Contains(log.String(), want) {
				t.Errorf("want %q in the log:\n%s", want, log.String())
			}
		})
	}
}

// Several functions may share a lock: it is given back when the last returns.
func TestSharedLock(t *testing.T) {
	onStage(t, 2, cluster.Options{}, func(t *testing.T, s *stage) {
		m := s.Member(0)
		short, cancel := context.WithCancel(m.Context())
		s.playUntil(short, m, "lock1", time.Second)
		s.Advance(20 * time.Second)
		s.playUntil(m.Context(), m, "lock1", 3*time.Second) // joins the term
		s.Advance(time.Second)
		s.play(s.Member(1), "lock1", 0)
		s.Advance(time.Second)
		cancel()
		s.Advance(2 * time.Second)
		if p := s.over(); len(p) != 1 || !errors.Is(p[0].cause, cluster.ErrStopped) || s.Leader("lock1") != m {
			t.Errorf("one of two ends and the other goes on: %+v", p)
		}
		s.playUntil(m.Context(), m, "lock1", time.Second)
		s.Advance(time.Second)
		_ = m.Service.Resign("lock1")
		if _, took := s.waitFor("lock1", m); took < 3*time.Second {
			t.Errorf("given back after %v, while one still ran", took)
		}
		if p := s.over(); len(p) != 2 || p[0].token != p[1].token {
			t.Errorf("have %+v", p)
		}
	})
}

func TestOverrun(t *testing.T) {
	var overrun chan string
	onStage(t, 2, cluster.Options{Overrun: func(lock string) { overrun <- lock }}, func(t *testing.T, s *stage) {
		overrun = make(chan string, 9)
		s.playAll(20*time.Second, "lock1") // much more than the budget
		old := s.Leader("lock1")
		_ = old.Service.Resign("lock1")
		s.waitFor("lock1", old)
		select {
		case <-overrun:
			t.Error("who hands over may take as long as it needs")
		default:
		}
		old = s.Leader("lock1")
		s.over()
		old.Partition()
		var lock string
		began := time.Now()
		select {
		case lock = <-overrun:
		case <-time.After(time.Minute):
		}
		if took := time.Since(began); lock != "lock1" || took < 10*time.Second || took > 15*time.Second {
			t.Errorf("overrun of %q after %v", lock, took)
		}
		s.Advance(time.Minute)
		if len(overrun) > 0 {
			t.Error("told twice")
		}
	})
}

func TestClose(t *testing.T) {
	svc, err := cluster.New(memory.New(), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := svc.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := svc.Run(t.Context(), "lock1", func(context.Context, cluster.Term) error { return nil }); !errors.Is(err, cluster.ErrClosed) {
		t.Errorf("run after close: %v", err)
	}
	if err := svc.Resign("lock1"); !errors.Is(err, cluster.ErrClosed) {
		t.Errorf("resign after close: %v", err)
	}

	onStage(t, 2, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(10*time.Second, "lock1")
		old := s.Leader("lock1")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := old.Service.Close(ctx); err == nil || !strings.Contains(err.Error(), "still running: lock1") {
			t.Errorf("have %v", err)
		}
		if err := old.Service.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if p := s.over(); len(p) != 1 || p[0].ended-p[0].told < 10*time.Second {
			t.Errorf("closed before the function returned: %+v", p)
		}
		rest := s.Leader("lock1")
		if rest == nil || rest == old {
			s.waitFor("lock1", old)
			rest = s.Leader("lock1")
		}
		rest.Partition()
		ctx, cancel = context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		if err := rest.Service.Close(ctx); err == nil || !strings.Contains(err.Error(), "could not be told") {
			t.Errorf("have %v", err)
		}
	})
}

func TestRunEnds(t *testing.T) {
	onStage(t, 1, cluster.Options{}, func(t *testing.T, s *stage) {
		m := s.Member(0)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		type key struct{}
		ctx = context.WithValue(ctx, key{}, "v")
		began := time.Now()
		var term cluster.Term
		err := m.Service.Run(ctx, "lock1", func(ctx context.Context, given cluster.Term) error {
			term = given
			inside, ok := cluster.TermFrom(ctx)
			if !ok || inside != given || given.Lock() != "lock1" || given.Token() == 0 || !given.Valid() || given.Err() != nil {
				t.Errorf("term %+v", given)
			}
			if left := time.Until(given.Deadline()); left < 5*time.Second || left > 15*time.Second {
				t.Errorf("the deadline is in %v", left)
			}
			if ctx.Value(key{}) != "v" {
				t.Error("the values of the context are lost")
			}
			<-ctx.Done()
			time.Sleep(2 * time.Second)
			if !given.Valid() {
				t.Error("who stops in time stays valid until it has stopped")
			}
			return ctx.Err()
		})
		if took := time.Since(began); err != nil || took != 32*time.Second {
			t.Errorf("returned %v after %v", err, took)
		}
		s.Advance(time.Second)
		if term.Valid() || !errors.Is(term.Err(), cluster.ErrStopped) {
			t.Errorf("after the term: %v, %v", term.Valid(), term.Err())
		}
		if err := m.Service.Run(ctx, "lock1", nil); err == nil {
			t.Error("ran no function")
		}
	})
	var zero cluster.Term
	if _, ok := cluster.TermFrom(t.Context()); ok || zero.Valid() || zero.Lock() != "" || zero.Token() != 0 || zero.Err() == nil || !zero.Deadline().IsZero() {
		t.Error("the zero term is not one")
	}
}
