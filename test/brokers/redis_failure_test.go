package brokers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	redisclient "github.com/redis/go-redis/v9"

	"github.com/mehari-go/mehari/components/redis"
	"github.com/mehari-go/mehari/route"
)

// consumersOf are the names of a group's consumers.
func consumersOf(t testing.TB, c *redisclient.Client, stream, group string) []redisclient.XInfoConsumer {
	t.Helper()
	all, err := c.XInfoConsumers(t.Context(), stream, group).Result()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// What is worked on for longer than others wait does not come twice.
func TestRedisSlow(t *testing.T) {
	t.Parallel() // it waits more than it works
	address, c := newRedis(t)
	var n atomic.Int64
	slow := func(context.Context, *route.Exchange) error {
		n.Add(1)
		time.Sleep(1500 * time.Millisecond)
		return nil
	}
	const from = "redis:s?consumerGroup=g&maxIdle=500ms&claimInterval=50ms&blockTime=50ms"
	e := engine(t, route.Components{"redis": redisAt(address)}, route.From(from).ID("a").Process(slow), route.From(from).ID("b").Process(slow))
	for i := range 4 {
		if err := e.Send(t.Context(), "redis:s", i); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() error {
		if p, err := c.XPending(t.Context(), "s", "g").Result(); err != nil || p.Count > 0 || n.Load() < 4 {
			return fmt.Errorf("%d came, pending %v, %w", n.Load(), p, err)
		}
		return nil
	})
	if n.Load() != 4 {
		t.Errorf("%d came, want 4", n.Load())
	}
}

// What was taken in advance is given back when a route stops, and no name stays in the
// group.
func TestRedisGivesBack(t *testing.T) {
	address, c := newRedis(t)
	var n, twice atomic.Int64
	const from = "redis:back?consumerGroup=g&maxIdle=10m&claimInterval=50ms&blockTime=50ms"
	first := route.From(from + "&concurrentConsumers=3").ID("first").Process(func(context.Context, *route.Exchange) error {
		if n.Add(1) > 5 {
			time.Sleep(50 * time.Millisecond)
		}
		return nil
	})
	e := engine(t, route.Components{"redis": redisAt(address)}, first, route.From(from).ID("second").AutoStart(false).
		Process(func(_ context.Context, ex *route.Exchange) error {
			if d, _ := redis.Delivered.Get(ex); d > 1 {
				twice.Add(1)
			}
			n.Add(1)
			return nil
		}))
	for i := range 300 {
		if err := e.Send(t.Context(), "redis:back", i); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Stop(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	for _, consumer := range consumersOf(t, c, "back", "g") {
		if consumer.Name != "mehari-returned" {
			t.Errorf("consumer %q stays", consumer.Name)
		}
	}
	if err := e.Start("second"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if n.Load() != 300 {
			return fmt.Errorf("%d of 300 came", n.Load())
		}
		return nil
	})
	if twice.Load() == 0 {
		t.Error("nothing was given back")
	}
}

// A message that fails comes again, to any of the group, and the others go on meanwhile.
func TestRedisNack(t *testing.T) {
	address, _ := newRedis(t)
	var good atomic.Int64
	delivered := make(chan int64, 100)
	e := engine(t, route.Components{"redis": redisAt(address)},
		route.From("redis:s?consumerGroup=g&claimInterval=50ms&blockTime=50ms&redeliveryDelay=-1ms").Process(func(_ context.Context, ex *route.Exchange) error {
			if string(ex.Body.([]byte)) != "poison" {
				good.Add(1)
				return nil
			}
			d, _ := redis.Delivered.Get(ex)
			if d < 5 {
				return errors.New("no")
			}
			delivered <- d
			return nil
		}))
	for _, body := range []any{"poison", 1, 2, 3} {
		if err := e.Send(t.Context(), "redis:s", body); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case d := <-delivered:
		if d != 5 || good.Load() != 3 {
			t.Errorf("given %d times, %d others", d, good.Load())
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not come again")
	}
}

// The server is killed while messages flow, and comes back.
func TestRedisServerRestarts(t *testing.T) {
	t.Parallel() // it waits more than it works
	dir, address := t.TempDir(), fmt.Sprint("127.0.0.1:", anyPort(t))
	stop := redisServer(t, dir, address)
	var seen [2000]atomic.Bool
	e := engine(t, route.Components{"redis": redisAt(address)},
		route.From("redis:r?consumerGroup=g&maxIdle=1s&claimInterval=100ms&concurrentConsumers=2").ID("r").Process(func(_ context.Context, ex *route.Exchange) error {
			var n int
			if _, err := fmt.Sscan(string(ex.Body.([]byte)), &n); err != nil {
				return err
			}
			seen[n].Store(true)
			return nil
		}))
	for n := range seen {
		if n == len(seen)/2 {
			stop()
			eventually(t, func() error {
				if s, _ := e.Status().Route("r"); s.Subscribed != nil && *s.Subscribed {
					return errors.New("the status does not tell that the server is gone")
				}
				return nil
			})
			redisServer(t, dir, address)
		}
		eventually(t, func() error { return e.Send(t.Context(), "redis:r", n) })
	}
	eventually(t, func() error {
		for n := range seen {
			if !seen[n].Load() {
				return fmt.Errorf("%d did not come", n)
			}
		}
		return nil
	})
	if err := subscribed(e); err != nil {
		t.Error(err)
	}
}

// The server loses everything, or someone the group: what is sent afterwards comes.
func TestRedisGroupVanishes(t *testing.T) {
	address, c := newRedis(t)
	var n atomic.Int64
	e := engine(t, route.Components{"redis": redisAt(address)},
		route.From("redis:s?consumerGroup=g&start=new&blockTime=20ms").Process(func(context.Context, *route.Exchange) error { n.Add(1); return nil }))
	for i, vanish := range []func() error{
		func() error { return nil },
		func() error { return c.FlushAll(t.Context()).Err() },
		func() error { return c.Del(t.Context(), "s").Err() },
	} {
		if err := vanish(); err != nil {
			t.Fatal(err)
		}
		if err := e.Send(t.Context(), "redis:s", i); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error {
			if int(n.Load()) <= i {
				return fmt.Errorf("%d came, want %d", n.Load(), i+1)
			}
			return nil
		})
	}
}

// Who is refused is told so, without the password; the engine goes on.
func TestRedisRefused(t *testing.T) {
	address, _ := newRedis(t, "--requirepass", "right")
	for name, o := range map[string]redis.Options{
		"wrong": {Addresses: []string{address}, Password: "wr0ng"},
		"user":  {Addresses: []string{address}, Username: "nobody", Password: "wr0ng"},
		"none":  {Addresses: []string{address}},
	} {
		for _, query := range []string{"", "?consumerGroup=g"} {
			b := bridge{component: func() route.Component { return redis.New(o) }}
			e, stop, err := b.start(route.From(route.URI("b:x" + query)).ID("r"))
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, func() error {
				if s, _ := e.Status().Route("r"); s.LastFailure == nil {
					return errors.New("no failure")
				}
				return nil
			})
			st, _ := e.Status().Route("r")
			failure := fmt.Sprint(st.LastFailure.Err, e.Send(t.Context(), "b:x", 1))
			if !strings.Contains(failure, "WRONGPASS") && !strings.Contains(failure, "NOAUTH") || strings.Contains(failure, "wr0ng") ||
				st.Subscribed != nil && *st.Subscribed {
				t.Errorf("%s: have %s", name, failure)
			}
			stop()
		}
	}
}

// A server that is not there at start is waited for.
func TestRedisServerComesLater(t *testing.T) {
	t.Parallel() // it waits more than it works
	address := fmt.Sprint("127.0.0.1:", anyPort(t))
	var n atomic.Int64
	b := bridge{component: func() route.Component {
		return redis.New(redis.Options{Addresses: []string{address}, ConnectTimeout: time.Second})
	}}
	e, stop, err := b.start(
		route.From("b:x?consumerGroup=g").ID("group").Process(func(context.Context, *route.Exchange) error { n.Add(1); return nil }),
		route.From("b:x").ID("everyone").Process(func(context.Context, *route.Exchange) error { n.Add(1); return nil }))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, id := range []string{"group", "everyone"} {
		eventually(t, func() error {
			if s, _ := e.Status().Route(id); s.LastFailure == nil || s.Subscribed != nil && *s.Subscribed {
				return fmt.Errorf("route %s: have %+v", id, s)
			}
			return nil
		})
	}
	if err := e.Send(t.Context(), "b:x", 1); err == nil {
		t.Error("something was sent to nobody")
	}
	redisServer(t, t.TempDir(), address)
	if err := subscribed(e); err != nil {
		t.Fatal(err)
	}
	if err := e.Send(t.Context(), "b:x", 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if n.Load() != 2 {
			return fmt.Errorf("%d came, want 2", n.Load())
		}
		return nil
	})
}

// What is deleted before anyone has acknowledged it is told by the log, and holds up nothing.
func TestRedisTrimmed(t *testing.T) {
	address, c := newRedis(t)
	for i := range 3 {
		if err := c.XAdd(t.Context(), &redisclient.XAddArgs{Stream: "s", ID: fmt.Sprint(i+1, "-0"), Values: []string{"i", fmt.Sprint(i)}}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.XGroupCreate(t.Context(), "s", "g", "0").Err(); err != nil {
		t.Fatal(err)
	}
	dead := &redisclient.XReadGroupArgs{Group: "g", Consumer: "dead", Streams: []string{"s", ">"}}
	if err := c.XReadGroup(t.Context(), dead).Err(); err != nil {
		t.Fatal(err)
	}
	if err := c.XDel(t.Context(), "s", "2-0").Err(); err != nil {
		t.Fatal(err)
	}
	var log lines
	var bodies atomic.Value
	bodies.Store("")
	e, err := route.New(route.Config{Components: route.Components{"redis": redisAt(address)}, Logger: slog.New(slog.NewTextHandler(&log, nil))},
		route.From("redis:s?consumerGroup=g&maxIdle=100ms&claimInterval=20ms&blockTime=20ms").Process(func(_ context.Context, ex *route.Exchange) error {
			d, _ := redis.Delivered.Get(ex)
			bodies.Store(fmt.Sprint(bodies.Load(), ex.Header("i"), " for the ", d, ". time; "))
			return nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	eventually(t, func() error {
		if p, err := c.XPending(t.Context(), "s", "g").Result(); err != nil || p.Count > 0 {
			return fmt.Errorf("pending: %v, %w", p, err)
		}
		return nil
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if want := "0 for the 2. time; 2 for the 2. time; "; bodies.Load() != want {
		t.Errorf("have %q, want %q", bodies.Load(), want)
	}
	if text := log.String(); !strings.Contains(text, "trimmed or deleted") || !strings.Contains(text, "2-0") {
		t.Errorf("the log: %s", text)
	}
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A user who may not run scripts can do all but clean up.
func TestRedisWithoutScripts(t *testing.T) {
	address, c := newRedis(t)
	if err := c.Do(t.Context(), "acl", "setuser", "poor", "on", ">secret", "~s", "+@all", "-@scripting", "-@dangerous", "-@admin").Err(); err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	e := engine(t, route.Components{"redis": redis.New(redis.Options{Addresses: []string{address}, Username: "poor", Password: "secret"})},
		route.From("redis:s?consumerGroup=g&maxIdle=100ms&claimInterval=20ms&blockTime=20ms").ID("r").Process(func(context.Context, *route.Exchange) error { n.Add(1); return nil }))
	for round := range 2 {
		if err := e.Send(t.Context(), "redis:s", round); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error {
			if n.Load() != int64(round+1) {
				return fmt.Errorf("%d came", n.Load())
			}
			return nil
		})
		if err := errors.Join(e.Stop(t.Context(), "r"), e.Start("r")); err != nil {
			t.Fatal(err)
		}
	}
	if names := consumersOf(t, c, "s", "g"); len(names) < 2 {
		t.Errorf("the consumers are %v", names)
	}
}

// Replicas come and go while messages flow, as in a rollout: each message is worked on
// once, none waits for MaxIdle, and no name stays.
func TestRedisRollout(t *testing.T) {
	address, c := newRedis(t, "--appendfsync", "no")
	const n = 6000
	var seen [n]atomic.Int64
	var total atomic.Int64
	b := bridge{component: func() route.Component { return redisAt(address) }}
	replica := func() (stop func()) {
		e, stop, err := b.start(route.From("b:s?consumerGroup=g&maxIdle=5m&claimInterval=20ms&blockTime=20ms&concurrentConsumers=3").ID("r").
			Process(func(_ context.Context, ex *route.Exchange) error {
				i, err := strconv.Atoi(string(ex.Body.([]byte)))
				if err == nil {
					time.Sleep(time.Millisecond)
					seen[i].Add(1)
					total.Add(1)
				}
				return err
			}))
		if err != nil {
			t.Fatal(err)
		}
		if err := subscribed(e); err != nil {
			t.Fatal(err)
		}
		return stop
	}
	running := []func(){replica(), replica(), replica()}
	e := engine(t, route.Components{"redis": redisAt(address)}, route.From("redis:unused").AutoStart(false))
	sending := make(chan time.Duration, 1)
	go func() {
		sending <- inParallel(4, n, func(i int) error { return e.Send(t.Context(), "redis:s", i) }, t)
	}()
	stops := 0
	for ; stops < 8 || total.Load() < n/2; stops++ {
		running[0]()
		running = append(running[1:], replica())
	}
	<-sending
	eventually(t, func() error {
		if total.Load() < n {
			return fmt.Errorf("%d of %d came", total.Load(), n)
		}
		return nil
	})
	for _, stop := range running {
		stop()
	}
	twice := 0
	for i := range seen {
		if seen[i].Load() > 1 {
			twice++
		}
	}
	if twice > 0 {
		t.Errorf("%d came twice, through %d stops", twice, stops)
	}
	for _, consumer := range consumersOf(t, c, "s", "g") {
		if consumer.Name != "mehari-returned" || consumer.Pending > 0 {
			t.Errorf("%+v stays", consumer)
		}
	}
	t.Logf("%d stops", stops)
}
