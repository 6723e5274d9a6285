package seda

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mehari-go/mehari/route"
)

// A queue is what the endpoints of one name share.
type queue struct {
	name string

	shape   atomic.Pointer[shape]     // nil until the queue is first used
	readers atomic.Pointer[[]*reader] // those who consume

	mu       sync.Mutex // held where readers change, and to send to several
	size     *int       // nil as long as nobody has told
	multiple *bool      // nil as long as nobody has told
}

// A shape is what cannot be changed any more once a queue is used.
type shape struct {
	main     *lane
	multiple bool
}

// A reader is a consumer from its start to its end. Where there can be several each has
// a lane of its own; else it reads the main one.
type reader struct {
	lane    *lane
	workers int
	active  atomic.Int32 // goroutines that take messages or lead exchanges
	away    atomic.Int32 // those whose exchanges pause
	route   string
	place   route.Position
}

func (r *reader) String() string {
	if r.route == "" {
		return "code outside of routes"
	}
	return fmt.Sprintf("route %q at %s", r.route, r.place)
}

// join makes an endpoint with config c one of the queue.
func (q *queue) join(c Config) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	size, multiple := q.size, q.multiple
	if s := q.shape.Load(); s != nil {
		size, multiple = new(int(s.main.size)), &s.multiple
	}
	if c.Size != 0 && size != nil && *size != c.Size {
		return fmt.Errorf(`option "size": %q has %d already, this is %d`, c.Name, *size, c.Size)
	}
	if c.MultipleConsumers != nil && multiple != nil && *multiple != *c.MultipleConsumers {
		return fmt.Errorf(`option "multipleConsumers": %q has %t already, this is %t`, c.Name, *multiple, *c.MultipleConsumers)
	}
	if c.Size != 0 {
		q.size = &c.Size
	}
	if c.MultipleConsumers != nil {
		q.multiple = c.MultipleConsumers
	}
	return nil
}

// several tells whether there can be several consumers, as far as anybody has told.
func (q *queue) several() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s := q.shape.Load(); s != nil {
		return s.multiple
	}
	return q.multiple != nil && *q.multiple
}

// use returns the queue's shape, which is settled from now on.
func (q *queue) use() *shape {
	if s := q.shape.Load(); s != nil {
		return s
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.shape.Load()
	if s == nil {
		size := defaultSize
		if q.size != nil {
			size = *q.size
		}
		s = &shape{newLane(size), q.multiple != nil && *q.multiple}
		q.shape.Store(s)
	}
	return s
}

func (q *queue) list() []*reader {
	if l := q.readers.Load(); l != nil {
		return *l
	}
	return nil
}

// subscribe adds a reader. The first of several gets what has waited in the main lane.
func (q *queue) subscribe(r *reader) error {
	s := q.use()
	q.mu.Lock()
	defer q.mu.Unlock()
	others := q.list()
	r.lane = s.main
	if s.multiple {
		r.lane = newLane(int(s.main.size))
		if len(others) == 0 {
			move(s.main, r.lane)
		}
	} else if len(others) > 0 {
		return fmt.Errorf("seda:%s has a consumer already, %s: this is %s, and without multipleConsumers=true there can be one", q.name, others[0], r)
	}
	r.lane.several = r.workers > 1
	readers := append(slices.Clone(others), r)
	q.readers.Store(&readers)
	return nil
}

// unsubscribe takes a reader away. What it has not taken stays in the queue, unless
// there are others, who have got the same: then it returns how much that is.
func (q *queue) unsubscribe(r *reader) (lost int) {
	s := q.use()
	q.mu.Lock()
	defer q.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(q.list()), func(other *reader) bool { return other == r })
	q.readers.Store(&rest)
	switch {
	case !s.multiple:
	case len(rest) == 0:
		move(r.lane, s.main)
	default:
		lost = purge(r.lane)
	}
	return lost
}

// move moves all items of one lane to another that has room for them.
func move(from, to *lane) {
	for it, ok := from.take(); ok; it, ok = from.take() {
		to.put(it)
	}
}

// purge throws away what is in a lane now, and tells those who wait for the outcome.
func purge(l *lane) (n int) {
	for left := l.len(); left > 0; left-- {
		it, ok := l.take()
		if !ok {
			break
		}
		it.finish(errPurged)
		n++
	}
	return n
}

// pending returns how many messages are in the queue or are just being taken.
func (q *queue) pending() (n int) {
	s := q.shape.Load()
	if s == nil {
		return 0
	}
	n = s.main.len()
	for _, r := range q.list() {
		if r.lane != s.main {
			n += r.lane.len()
		}
		n += int(r.active.Load()) + int(r.away.Load()) // each may have one in hand
	}
	return n
}
