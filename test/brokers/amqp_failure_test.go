//go:build linux

package brokers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/amqp"
	"github.com/mehari-go/mehari/route"
)

// numbers is a route that remembers which of n messages, whose bodies are numbers, have come.
type numbers struct{ seen []atomic.Bool }

func newNumbers(n int) *numbers { return &numbers{make([]atomic.Bool, n)} }

func (n *numbers) take(_ context.Context, ex *route.Exchange) error {
	var i int
	if _, err := fmt.Sscan(string(ex.Body.([]byte)), &i); err != nil {
		return err
	}
	n.seen[i].Store(true)
	return nil
}

func (n *numbers) all() error {
	for i := range n.seen {
		if !n.seen[i].Load() {
			return fmt.Errorf("%d did not come", i)
		}
	}
	return nil
}

// The server is killed with kill -9 while messages flow, and starts again.
func TestAMQPServerRestarts(t *testing.T) {
	r := rabbitServer(t)
	n := newNumbers(1000)
	e := engine(t, amqpOf(r), route.From("amqp:restarts?queue=restarts&concurrentConsumers=3").ID("r").Process(n.take))
	begun := make(chan error)
	for i := range n.seen {
		if i == len(n.seen)/2 {
			go func() {
				r.kill()
				begun <- r.start()
			}()
		}
		eventually(t, func() error { return e.Send(t.Context(), "amqp:restarts?confirmTimeout=2s", i) })
	}
	if err := <-begun; err != nil {
		t.Fatal(err)
	}
	eventually(t, n.all)
	s, _ := e.Status().Route("r")
	if s.LastFailure == nil {
		t.Error("the route has not told of it")
	}
}

// A server that is low on memory takes no messages: who sends waits, and is told why at last.
// What is consumed goes on.
func TestAMQPServerIsBlocked(t *testing.T) {
	r := rabbitServer(t)
	var n atomic.Int64
	e := engine(t, amqpOf(r), route.From("amqp:default?queue=blocked").Process(func(context.Context, *route.Exchange) error {
		n.Add(1)
		return nil
	}))
	send(t, e, "amqp:default?queue=blocked", "x")
	r.control(t, "rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []}).")
	cleared := sync.OnceFunc(func() { r.control(t, "rabbit_alarm:clear_alarm({resource_limit, memory, node()}).") })
	t.Cleanup(cleared)
	var last error
	for _, want := range []string{"within 500ms", "not sent within 500ms: the server takes no messages: low on memory"} {
		if last = e.Send(t.Context(), "amqp:default?queue=blocked&confirmTimeout=500ms", "x"); last == nil || !strings.Contains(last.Error(), want) {
			t.Errorf("have %v, want %q", last, want)
		}
	}
	waiting := make(chan error, 1)
	go func() { waiting <- e.Send(context.Background(), "amqp:default?queue=blocked&confirmTimeout=1m", "x") }()
	cleared()
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	eventually(t, func() error {
		if n.Load() < 2 {
			return fmt.Errorf("%d came", n.Load())
		}
		return nil
	})
}

// An engine stops in time though the server reads nothing.
func TestAMQPStopsWhileBlocked(t *testing.T) {
	if testing.Short() {
		t.Skip("the times that are waited for add up")
	}
	r := rabbitServer(t)
	p := newProxy(t, fmt.Sprintf("127.0.0.1:%d", r.port))
	b := bridge{component: func() route.Component {
		return amqp.New(amqp.Options{URL: "amqp://" + p.address, Heartbeat: 10 * time.Minute})
	}}
	e, stop, err := b.start(route.From("b:default?queue=stopsblocked"))
	if err != nil {
		t.Fatal(err)
	}
	if err := subscribed(e); err != nil {
		t.Fatal(err)
	}
	send(t, e, "b:default?queue=stopsblocked", "x")
	p.freeze()
	if err := e.Send(t.Context(), "b:default?queue=stopsblocked&confirmTimeout=300ms", "x"); err == nil ||
		!strings.Contains(err.Error(), "not confirmed within 300ms: the server may have it all the same") {
		t.Errorf("have %v", err)
	}
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(40 * time.Second):
		t.Fatal("the engine does not stop")
	}
}

// A connection on which nothing comes any more is given up, though it is not closed.
func TestAMQPConnectionFreezes(t *testing.T) {
	r := rabbitServer(t)
	p := newProxy(t, fmt.Sprintf("127.0.0.1:%d", r.port))
	n := newNumbers(400)
	e := engine(t, route.Components{"amqp": amqp.New(amqp.Options{URL: "amqp://" + p.address, Heartbeat: time.Second, Channels: 4})},
		route.From("amqp:default?queue=freezes&concurrentConsumers=2").ID("r").Process(n.take))
	for i := range n.seen {
		switch i {
		case 100:
			p.freeze() // for those that are connected now
		case 300:
			p.cut()
		}
		eventually(t, func() error { return e.Send(t.Context(), "amqp:default?queue=freezes&confirmTimeout=200ms", i) })
	}
	eventually(t, n.all)
	eventually(t, func() error { return subscribed(e) })
}

// A proxy stands between a client and a server.
type proxy struct {
	address string
	mu      sync.Mutex
	frozen  map[net.Conn]chan struct{} // by the client's connection; closed when nothing passes any more
}

func newProxy(t *testing.T, to string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: l.Addr().String(), frozen: map[net.Conn]chan struct{}{}}
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		p.cut()
		all.Wait()
	})
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", to)
			if err != nil {
				_ = c.Close()
				continue
			}
			frozen := make(chan struct{})
			p.mu.Lock()
			p.frozen[c] = frozen
			p.mu.Unlock()
			for _, way := range [][2]net.Conn{{c, s}, {s, c}} {
				all.Go(func() {
					defer s.Close()
					defer c.Close()
					pass(way[0], way[1], frozen)
				})
			}
		}
	})
	return p
}

// pass copies until one side ends. When it is frozen it reads no more, and waits for the end.
func pass(from io.Reader, to net.Conn, frozen chan struct{}) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		select {
		case <-frozen:
			for err == nil { // of the other side, that it is closed
				_, err = from.Read(buffer)
			}
			return
		default:
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// freeze lets nothing pass any more of what is connected.
func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, frozen := range p.frozen {
		select {
		case <-frozen:
		default:
			close(frozen)
		}
	}
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.frozen {
		_ = c.Close()
		delete(p.frozen, c)
	}
}

// Each group has a queue of its own and gets every message; without a group, each route does.
func TestAMQPAnnounces(t *testing.T) {
	r := rabbitServer(t)
	var group, own atomic.Int64
	count := func(n *atomic.Int64) func(context.Context, *route.Exchange) error {
		return func(context.Context, *route.Exchange) error { n.Add(1); return nil }
	}
	e := engine(t, amqpOf(r),
		route.From("amqp:news?exchangeType=fanout&queue=news.group").Process(count(&group)),
		route.From("amqp:news?exchangeType=fanout&queue=news.group&prefetchCount=1").Process(count(&group)),
		route.From("amqp:news?exchangeType=fanout&concurrentConsumers=2").Process(count(&own)),
		route.From("amqp:news?exchangeType=fanout&prefetchCount=7").Process(count(&own)))
	for range 50 {
		send(t, e, "amqp:news", "x")
	}
	eventually(t, func() error {
		if group.Load() != 50 || own.Load() != 100 {
			return fmt.Errorf("the group has %d of 50, those without %d of 100", group.Load(), own.Load())
		}
		return nil
	})
}

// One that wants a queue for itself stands by until it has it.
func TestAMQPExclusive(t *testing.T) {
	r := rabbitServer(t)
	b := bridge{component: func() route.Component { return amqp.New(amqp.Options{URL: r.url()}) }}
	var engines [2]*route.Engine
	var stops [2]func()
	for i := range engines {
		var err error
		if engines[i], stops[i], err = b.start(route.From("b:default?queue=mine&exclusive=true").ID("r")); err != nil {
			t.Fatal(err)
		}
		defer stops[i]()
		if i == 0 {
			if err := subscribed(engines[0]); err != nil {
				t.Fatal(err)
			}
		}
	}
	failure(t, engines[1], "r", "ACCESS_REFUSED - queue 'mine'")
	stops[0]()
	if err := subscribed(engines[1]); err != nil {
		t.Error(err)
	}
}

// When an engine has stopped, none of its connections is left.
func TestAMQPLeavesNothing(t *testing.T) {
	r := rabbitServer(t)
	p := newProxy(t, fmt.Sprintf("127.0.0.1:%d", r.port))
	b := bridge{component: func() route.Component { return amqp.New(amqp.Options{URL: "amqp://" + p.address}) }}
	e, stop, err := b.start(route.From("b:default?queue=leaves&concurrentConsumers=4").ID("r"), route.From("b:leaves").ID("s"))
	if err != nil {
		t.Fatal(err)
	}
	if err := subscribed(e); err != nil {
		t.Fatal(err)
	}
	inParallel(8, 100, func(i int) error { return e.Send(t.Context(), "b:default?queue=leaves&confirmTimeout=1m", i) }, t)
	if n := p.open(); n != 3 {
		t.Errorf("%d connections, want 3: two that consume, one that sends", n)
	}
	stop()
	eventually(t, func() error {
		if n := p.open(); n != 0 {
			return errors.New("connections are left: " + fmt.Sprint(n))
		}
		return nil
	})
}

// open is how many connections there are.
func (p *proxy) open() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.frozen {
		if c.SetDeadline(time.Time{}) == nil { // not closed
			n++
		}
	}
	return n
}

// What fails while the route stops is put back, and not rejected.
func TestAMQPStopDoesNotReject(t *testing.T) {
	r := rabbitServer(t)
	working, release := make(chan struct{}, 1), make(chan struct{})
	var again, dead atomic.Int64
	b := bridge{component: func() route.Component { return amqp.New(amqp.Options{URL: r.url()}) }}
	const from = "b:default?queue=stopped&deadLetterQueue=stopped.dead&redeliveryDelay=-1ms"
	e, stop, err := b.start(route.From(from).ID("r").Process(func(context.Context, *route.Exchange) error {
		working <- struct{}{}
		<-release
		return errors.New("no")
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for range 3 {
		send(t, e, "b:default?queue=stopped&confirmTimeout=1m&autoDeclareProducer=true&deadLetterQueue=stopped.dead", "x")
	}
	<-working
	stopped := make(chan error, 1)
	go func() { stopped <- e.Stop(context.Background(), "r") }()
	_, stop2, err := b.start(
		route.From(from).Process(func(context.Context, *route.Exchange) error { again.Add(1); return nil }),
		route.From("b:default?queue=stopped.dead").Process(func(context.Context, *route.Exchange) error { dead.Add(1); return nil }))
	if err != nil {
		t.Fatal(err)
	}
	defer stop2()
	for _, want := range []int64{2, 3} {
		eventually(t, func() error {
			if again.Load() != want || dead.Load() != 0 {
				return fmt.Errorf("%d came again, %d are dead; want %d, 0", again.Load(), dead.Load(), want)
			}
			return nil
		})
		if want == 2 { // what was given in advance is back
			close(release)
		}
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// A quorum queue makes an end to what is put back again and again.
func TestAMQPQuorum(t *testing.T) {
	r := rabbitServer(t)
	var tries atomic.Int64
	dead := make(chan any, 1)
	e := engine(t, amqpOf(r),
		route.From("amqp:default?queue=quorum&queueType=quorum&args=queue.x-delivery-limit=3&deadLetterQueue=quorum.dead&rejectAndDontRequeue=false&redeliveryDelay=-1ms").
			Process(func(context.Context, *route.Exchange) error { tries.Add(1); return errors.New("poison") }),
		route.From("amqp:default?queue=quorum.dead").Process(func(_ context.Context, ex *route.Exchange) error {
			dead <- ex.Header("x-first-death-reason")
			return nil
		}))
	send(t, e, "amqp:default?queue=quorum&confirmTimeout=1m", "x")
	select {
	case reason := <-dead:
		if reason != "delivery_limit" || tries.Load() != 4 {
			t.Errorf("dead for %v after %d attempts", reason, tries.Load())
		}
	case <-time.After(30 * time.Second):
		t.Fatal("no dead letter")
	}
}
