package master_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/cluster/memory"
	"github.com/mehari-go/mehari/route"
)

// A counter is a component whose consumer counts in a cursor, once a second.
type counter struct {
	first, last atomic.Int64 // what a consumer has loaded first and stored last
	failure     atomic.Value
}

func (c *counter) Endpoint(_ route.Env, a route.Address) (route.Endpoint, error) {
	return counterEndpoint{c, a.Path}, nil
}

type counterEndpoint struct {
	*counter
	name string
}

func (c counterEndpoint) String() string { return "count:" + c.name }

func (c counterEndpoint) Consume(ctx context.Context, next route.Processor) error {
	cursors, ok := route.CursorsFrom(ctx)
	if !ok {
		return nil
	}
	cursor, err := cursors.Open(c.name)
	if err != nil {
		c.failure.Store(err)
		return err
	}
	defer cursor.Close()
	value, err := cursor.Load(ctx)
	if err != nil {
		return err
	}
	c.first.Store(int64(len(value)))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
		ex := route.NewExchange(nil)
		err := next.Process(ctx, ex)
		ex.Release()
		if err == nil {
			value = append(value, 'x')
			err = cursor.Store(route.Work(ctx), value)
		}
		if err != nil {
			return err
		}
		c.last.Store(int64(len(value)))
	}
}

func TestTheNextTermGoesOnWhereTheLastOneWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records := memory.New()
		a, b := &counter{}, &counter{}
		slow := func() *route.Route {
			return route.From("master:lock1:count:n").Process(func(context.Context, *route.Exchange) error {
				time.Sleep(500 * time.Millisecond)
				return nil
			})
		}
		r1 := newReplica(t, "a", records, route.Components{"count": a}, slow())
		time.Sleep(time.Second)
		newReplica(t, "b", records, route.Components{"count": b}, slow())
		time.Sleep(9600 * time.Millisecond)
		before := a.last.Load()
		r1.stop() // what is in flight counts too
		if have := a.last.Load(); before == 0 || have != before+1 {
			t.Errorf("%d before the stop, %d after it", before, have)
		}
		time.Sleep(10 * time.Second)
		if have := b.first.Load(); have != a.last.Load() {
			t.Errorf("the next term begins with %d, want %d", have, a.last.Load())
		}
		if b.last.Load() < b.first.Load()+5 {
			t.Errorf("the next term has stored %d", b.last.Load())
		}
	})
}

func TestACursorIsOpenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, q := &counter{}, &counter{}
		newReplica(t, "a", memory.New(), route.Components{"p": p, "q": q},
			route.From("master:lock1:p:n"), route.From("master:lock1:q:n"), route.From("master:lock2:q:n"))
		time.Sleep(10 * time.Second)
		err, _ := p.failure.Load().(error)
		if err == nil {
			err, _ = q.failure.Load().(error)
		}
		if want := `the cursor "n" of lock "lock1" is in use by another consumer`; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if p.last.Load()+q.last.Load() == 0 {
			t.Error("none of both counts")
		}
	})
}

func TestWithoutCursors(t *testing.T) {
	if _, ok := route.CursorsFrom(t.Context()); ok {
		t.Error("there are cursors")
	}
}
