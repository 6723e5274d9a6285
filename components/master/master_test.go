package master_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
)

// A probe is a component whose consumer counts what happens to it.
type probe struct {
	created, started, stopped, running atomic.Int64
	start                              func(ctx context.Context) error // nil starts at once
	period                             time.Duration
}

func (p *probe) Endpoint(_ route.Env, a route.Address) (route.Endpoint, error) {
	p.created.Add(1)
	if a.Path == "broken" {
		return nil, errors.New("broken on purpose")
	}
	return probeEndpoint{p, a}, nil
}

type probeEndpoint struct {
	*probe
	a route.Address
}

func (p probeEndpoint) String() string { return "probe:" + p.a.Path }

func (p probeEndpoint) Consume(ctx context.Context, next route.Processor) error {
	if p.start != nil {
		if err := p.start(ctx); err != nil {
			return err
		}
	}
	if p.running.Add(1) > 1 {
		panic("two consumers at once")
	}
	defer p.running.Add(-1)
	p.started.Add(1)
	defer p.stopped.Add(1)
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(p.period, time.Second)):
			ex := route.NewExchange(n)
			_ = next.Process(ctx, ex)
			ex.Release()
		}
	}
}

// A cut is a store that can be cut off.
type cut struct {
	*memory.Store
	off atomic.Bool
}

var errCut = errors.New("cut off")

func (c *cut) Get(ctx context.Context, key string, known cluster.Version) (cluster.Record, error) {
	if c.off.Load() {
		return cluster.Record{}, errCut
	}
	return c.Store.Get(ctx, key, known)
}

func (c *cut) Set(ctx context.Context, key string, v []byte, prev cluster.Version) (cluster.Version, error) {
	if c.off.Load() {
		return 0, errCut
	}
	return c.Store.Set(ctx, key, v, prev)
}

// A replica is an engine and its membership.
type replica struct {
	t      *testing.T
	svc    *cluster.Service
	engine *route.Engine
	store  *cut
	stop   func()
}

var quiet = slog.New(slog.DiscardHandler)

func newReplica(t *testing.T, name string, records *memory.Store, components route.Components, routes ...*route.Route) *replica {
	t.Helper()
	store := &cut{Store: records}
	svc, err := cluster.New(store, cluster.Options{Name: name, Logger: quiet, Overrun: func(lock string) { t.Errorf("%s: overrun of %q", name, lock) }})
	if err != nil {
		t.Fatal(err)
	}
	components["master"] = master.New(svc)
	engine, err := route.New(route.Config{Components: components, Logger: quiet, Poison: true}, routes...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx) }()
	r := &replica{t: t, svc: svc, engine: engine, store: store}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		store.off.Store(false)
		if err := svc.Close(context.Background()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func (r *replica) leadership() route.Leadership {
	s := r.engine.Status().Routes[0]
	if s.Leadership == nil {
		r.t.Fatalf("no leadership in the status: %+v", s)
	}
	if s.State != route.Started {
		r.t.Errorf("state %s, want started", s.State)
	}
	return *s.Leadership
}

func want(t *testing.T, what string, have *atomic.Int64, n int64) {
	t.Helper()
	if have.Load() != n {
		t.Errorf("%s %d times, want %d", what, have.Load(), n)
	}
}

// The tests named after Camel's are those of its MasterConsumerLeadershipTest, as far
// as they can be told apart where a term is a function.

func TestOneLeadsAndTheOtherStandsBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records := memory.New()
		a, b := &probe{}, &probe{}
		r1 := newReplica(t, "a", records, route.Components{"probe": a}, route.From("master:lock1:probe:x"))
		time.Sleep(time.Second)
		r2 := newReplica(t, "b", records, route.Components{"probe": b}, route.From("master:lock1:probe:x"))
		time.Sleep(time.Minute)
		want(t, "a started", &a.started, 1)
		want(t, "b started", &b.started, 0)
		if l := r1.leadership(); !l.Leading || l.Token == 0 || l.Lock != "lock1" || l.String() != "leading" {
			t.Errorf("leader: %+v", l)
		}
		if l := r2.leadership(); l.Leading || l.Token != 0 || l.Lock != "lock1" || l.String() != "standby" {
			t.Errorf("follower: %+v", l)
		}
		token := r1.leadership().Token
		r1.stop()
		time.Sleep(100 * time.Millisecond)
		want(t, "a stopped", &a.stopped, 1)
		want(t, "b started", &b.started, 1)
		if l := r2.leadership(); l.Token <= token {
			t.Errorf("the later term has token %d, the earlier %d", l.Token, token)
		}
	})
}

// Camel: LeadershipTakenStartsConsumerAndLostStopsIt, ConsumerIsRestartedWhenLeadershipFlaps.
func TestLostLeadershipStopsTheConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{}
		r := newReplica(t, "a", memory.New(), route.Components{"probe": p}, route.From("master:lock1:probe:x"))
		time.Sleep(5 * time.Second)
		want(t, "started", &p.started, 1)
		first := r.leadership().Token
		r.store.off.Store(true)
		time.Sleep(15 * time.Second)
		want(t, "stopped", &p.stopped, 1)
		if l := r.leadership(); l.Leading {
			t.Errorf("%+v, want standby", l)
		}
		r.store.off.Store(false)
		time.Sleep(time.Minute)
		want(t, "started", &p.started, 2)
		want(t, "stopped", &p.stopped, 1)
		want(t, "created", &p.created, 3) // when it was built, and once for each term
		if l := r.leadership(); !l.Leading || l.Token < first {
			t.Errorf("%+v after %d", l, first)
		}
	})
}

// Camel: LeadershipLostWhilePendingStart, LeadershipLostWhileStartIsInProgress.
func TestLostLeadershipCancelsAPendingStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cancelled atomic.Int64
		p := &probe{start: func(ctx context.Context) error {
			<-ctx.Done() // a connect that takes for ever
			cancelled.Add(1)
			return ctx.Err()
		}}
		r := newReplica(t, "a", memory.New(), route.Components{"probe": p}, route.From("master:lock1:probe:x"))
		time.Sleep(5 * time.Second)
		r.store.off.Store(true)
		time.Sleep(15 * time.Second)
		want(t, "cancelled", &cancelled, 1)
		want(t, "started", &p.started, 0)
	})
}

// Camel: RepeatedLeadershipTaken: two routes with one lock, and each its one consumer.
func TestRoutesShareALock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, q := &probe{}, &probe{}
		r := newReplica(t, "a", memory.New(), route.Components{"p": p, "q": q}, route.From("master:lock1:p:x"), route.From("master:lock1:q:x"))
		time.Sleep(5 * time.Second)
		want(t, "p started", &p.started, 1)
		want(t, "q started", &q.started, 1)
		s := r.engine.Status()
		if s.Routes[0].Leadership.Token != s.Routes[1].Leadership.Token {
			t.Errorf("two terms: %v %v", s.Routes[0].Leadership, s.Routes[1].Leadership)
		}
	})
}

// Camel: StoppingTheConsumerCancelsAPendingStart.
func TestStoppingCancelsAPendingStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{start: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		r := newReplica(t, "a", memory.New(), route.Components{"probe": p}, route.From("master:lock1:probe:x"))
		time.Sleep(5 * time.Second)
		begun := time.Now()
		if err := r.engine.Stop(t.Context(), "route1"); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took != 0 {
			t.Errorf("stopping took %v", took)
		}
		want(t, "started", &p.started, 0)
	})
}

// Camel: AllConfiguredStartAttemptsAreMade, ConsumerStartsAfterLeadershipIsTakenAgain…: it
// never gives up while it leads.
func TestAFailingStartIsRetriedWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts, healthy atomic.Int64
		p := &probe{start: func(context.Context) error {
			if attempts.Add(1); healthy.Load() == 0 {
				return errors.New("no broker")
			}
			return nil
		}}
		r := newReplica(t, "a", memory.New(), route.Components{"probe": p}, route.From("master:lock1:probe:x"))
		time.Sleep(time.Hour)
		if n := attempts.Load(); n < 105 || n > 145 { // every 30s, plus or minus a tenth
			t.Errorf("%d attempts in an hour", n)
		}
		if l := r.leadership(); !l.Leading || l.Err == nil || l.Err.Error() != "no broker" {
			t.Errorf("%+v, want leading with an error", l)
		}
		want(t, "created", &p.created, 2)
		healthy.Store(1)
		time.Sleep(time.Minute)
		want(t, "started", &p.started, 1)
		if l := r.leadership(); !l.Leading || l.Err != nil {
			t.Errorf("%+v, want leading without an error", l)
		}
	})
}

func TestAPanicIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts atomic.Int64
		p := &probe{start: func(context.Context) error {
			if attempts.Add(1) < 3 {
				panic("boom")
			}
			return nil
		}}
		newReplica(t, "a", memory.New(), route.Components{"probe": p}, route.From("master:lock1:probe:x"))
		time.Sleep(time.Minute)
		want(t, "started", &p.started, 1)
	})
}

func TestExchangesCarryTheTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen atomic.Int64
		r := newReplica(t, "a", memory.New(), route.Components{"probe": &probe{}}, route.From("master:lock1:probe:x").
			Process(func(ctx context.Context, ex *route.Exchange) error {
				seen.Add(1)
				term, ok := cluster.TermFrom(ctx)
				lock, _ := master.Lock.Get(ex)
				token, _ := master.Token.Get(ex)
				if !ok || !term.Valid() || term.Lock() != "lock1" || lock != "lock1" || token != term.Token() || token == 0 {
					t.Errorf("term %v %d, exchange %q %d", ok, term.Token(), lock, token)
				}
				return nil
			}))
		time.Sleep(10 * time.Second)
		if seen.Load() == 0 {
			t.Error("nothing came")
		}
		if err := r.leadership().Err; err != nil {
			t.Error(err)
		}
	})
}

// An exchange in flight when the route stops is finished, and the lock is given back
// after that; one in flight when leadership is lost is cancelled at once.
func TestInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records := memory.New()
		var causes []error
		b := &probe{}
		slow := func() *route.Route {
			return route.From("master:lock1:probe:x").Process(func(ctx context.Context, _ *route.Exchange) error {
				select {
				case <-ctx.Done():
					causes = append(causes, context.Cause(ctx))
				case <-time.After(8 * time.Second):
					causes = append(causes, nil)
				}
				return nil
			})
		}
		r1 := newReplica(t, "a", records, route.Components{"probe": &probe{}}, slow())
		time.Sleep(1500 * time.Millisecond) // in flight since 1s
		newReplica(t, "b", records, route.Components{"probe": b}, route.From("master:lock1:probe:x"))
		begun := time.Now()
		r1.stop()
		if took := time.Since(begun); took < 7*time.Second || took > 8*time.Second {
			t.Errorf("stopping took %v, want what is left of 8s", took)
		}
		synctest.Wait()
		if len(causes) != 1 || causes[0] != nil {
			t.Errorf("the exchange in flight saw %v", causes)
		}
		if b.started.Load() > 0 && b.stopped.Load() > 0 {
			t.Error("the other one has led and stopped")
		}
		time.Sleep(time.Second)
		want(t, "b started", &b.started, 1)
	})
	synctest.Test(t, func(t *testing.T) {
		var cause error
		r := newReplica(t, "a", memory.New(), route.Components{"probe": &probe{}}, route.From("master:lock1:probe:x").
			Process(func(ctx context.Context, _ *route.Exchange) error {
				<-ctx.Done()
				cause = context.Cause(ctx)
				return ctx.Err()
			}))
		time.Sleep(5 * time.Second)
		r.store.off.Store(true)
		time.Sleep(12 * time.Second)
		synctest.Wait()
		if !errors.Is(cause, cluster.ErrLost) {
			t.Errorf("cause %v, want ErrLost", cause)
		}
	})
}

func TestSuspendHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records := memory.New()
		a, b := &probe{}, &probe{}
		r1 := newReplica(t, "a", records, route.Components{"probe": a}, route.From("master:lock1:probe:x"))
		time.Sleep(time.Second)
		newReplica(t, "b", records, route.Components{"probe": b}, route.From("master:lock1:probe:x"))
		time.Sleep(5 * time.Second)
		if err := r1.engine.Suspend(t.Context(), "route1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		want(t, "a stopped", &a.stopped, 1)
		want(t, "b started", &b.started, 1)
		if err := r1.engine.Resume("route1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if l := r1.leadership(); l.Leading {
			t.Errorf("%+v, want standby", l)
		}
	})
}

func TestTheTimerOfTheArticle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records := memory.New()
		var log strings.Builder
		for _, name := range []string{"a", "b", "c"} {
			svc, err := cluster.New(records, cluster.Options{Name: name, Logger: quiet})
			if err != nil {
				t.Fatal(err)
			}
			engine, err := route.New(route.Config{
				Components: route.Components{"master": master.New(svc), "timer": timer.New()},
				Logger:     slog.New(slog.NewTextHandler(&log, nil)).With("replica", name),
			}, route.From("master:lock1:timer:clock").Log("Hello World!"))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- engine.Run(ctx) }()
			t.Cleanup(func() {
				cancel()
				<-done
				_ = svc.Close(context.Background())
			})
		}
		time.Sleep(10*time.Second + 500*time.Millisecond)
		synctest.Wait()
		printed := 0
		for _, name := range []string{"a", "b", "c"} {
			n := strings.Count(log.String(), `msg="Hello World!" replica=`+name)
			if n > 0 {
				printed++
			}
			if n != 0 && (n < 9 || n > 10) {
				t.Errorf("%s printed %d times in 10s", name, n)
			}
		}
		if printed != 1 {
			t.Errorf("%d replicas printed, want 1:\n%s", printed, &log)
		}
	})
}

// Camel: EndpointUriEncodingTest.
func TestTheRestIsRaw(t *testing.T) {
	var got route.Address
	dummy := route.ComponentFunc(func(_ route.Env, a route.Address) (route.Endpoint, error) {
		got = a
		return probeEndpoint{&probe{}, a}, nil
	})
	_, err := route.New(route.Config{Components: route.Components{"dummy": dummy, "master": master.New(service(t))}},
		route.From("master:test:dummy://path?foo=hello}+world&bar=RAW(hello}+world)"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Path != "path" || got.Options.Get("foo") != "hello} world" || got.Options.Get("bar") != "hello}+world" {
		t.Errorf("the delegate got %+v", got)
	}
}

func service(t *testing.T) *cluster.Service {
	svc, err := cluster.New(memory.New(), cluster.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

func TestMistakes(t *testing.T) {
	sink := route.ComponentFunc(func(route.Env, route.Address) (route.Endpoint, error) { return producer{}, nil })
	for _, tt := range []struct {
		uri  route.URI
		svc  *cluster.Service
		want string
	}{
		{"master:lock1", service(t), "the endpoint to consume is missing: want master:lock:uri"},
		{"master:lock1:", service(t), "the endpoint to consume is missing"},
		{"master:", service(t), "the lock has no name"},
		{"master::timer:clock", service(t), "the lock has no name"},
		{"master:lock1?x=1:timer:clock", service(t), `"lock1?x=1" cannot name a lock`},
		{"master:lock1:master:lock2:timer:clock", service(t), "a master endpoint cannot stand in another"},
		{"master:lock1:tmer:clock", service(t), `no component "tmer" (did you mean timer?)`},
		{"master:lock1:timer:clock?perod=1s", service(t), `unknown option "perod" (did you mean period?)`},
		{"master:lock1:sink:x", service(t), "sink:x cannot start a route"},
		{"master:lock1:clock", service(t), "want a URI like scheme:path"},
		{"master:lock1:timer:clock", nil, "there is no cluster service: give one to master.New"},
	} {
		_, err := route.New(route.Config{Components: route.Components{"master": master.New(tt.svc), "timer": timer.New(), "sink": sink}}, route.From(tt.uri))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.uri, err, tt.want)
		}
	}
	_, err := route.New(route.Config{Components: route.Components{"master": master.New(service(t))}}, route.From("timer:x").To("master:lock1:timer:clock"))
	if err == nil {
		t.Error("master was sent to")
	}
}

type producer struct{}

func (producer) String() string                                 { return "sink:x" }
func (producer) Process(context.Context, *route.Exchange) error { return nil }

func TestStringHasNoSecrets(t *testing.T) {
	c := master.New(service(t))
	ep, err := c.Endpoint(route.Env{Resolve: func(route.URI) (route.Endpoint, error) { return probeEndpoint{&probe{}, route.Address{}}, nil }, Logger: quiet},
		route.Address{Scheme: "master", Raw: "lock1:telegram:bots?authorizationToken=very"})
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprint(ep); s != "master:lock1:telegram:bots?authorizationToken=xxxxx" {
		t.Error(s)
	}
}
