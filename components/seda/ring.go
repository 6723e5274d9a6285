package seda

import (
	"math/bits"
	"sync/atomic"

	"github.com/mehari-go/mehari/route"
)

// An item is what a queue holds: an exchange that is the queue's own, and, where its
// sender waits for the outcome, a place for that.
type item struct {
	ex   *route.Exchange
	call *call
}

// A ring is a bounded queue of many senders and one taker without a lock. A sender
// claims a position by moving tail, writes the cell there and marks it with its turn;
// the taker empties the cell and moves head. It is the half of Dmitry Vyukov's bounded
// queue that one taker needs:
// https://www.1024cores.net/home/lock-free-algorithms/queues/bounded-mpmc-queue
type ring struct {
	cells []cell
	mask  uint64
	size  uint64

	_    [64]byte // senders and the taker do not share cache lines
	tail atomic.Uint64
	seen atomic.Uint64 // what senders last saw of head
	_    [48]byte
	head atomic.Uint64
	next uint64 // the taker's own copy of head
	_    [48]byte
}

type cell struct {
	turn atomic.Uint64 // of the item that was last written, from 1
	item item
}

func newRing(size int) *ring {
	n := uint64(1) << bits.Len(uint(size-1))
	return &ring{cells: make([]cell, n), mask: n - 1, size: uint64(size)}
}

// push adds it and tells whether there was room.
func (r *ring) push(it item) bool {
	for {
		pos := r.tail.Load()
		if seen := r.seen.Load(); pos-seen >= r.size {
			head := r.head.Load()
			switch {
			case pos-head < r.size:
				r.seen.CompareAndSwap(seen, head)
			case pos == r.tail.Load():
				return false
			default:
				continue // pos is old
			}
		}
		if r.tail.CompareAndSwap(pos, pos+1) {
			c := &r.cells[pos&r.mask]
			c.item = it
			c.turn.Store(pos + 1)
			return true
		}
	}
}

// pop takes the oldest item. It returns false if there is none, or one that is still
// being written: whoever writes it wakes the taker then.
func (r *ring) pop() (it item, ok bool) {
	c := &r.cells[r.next&r.mask]
	if c.turn.Load() != r.next+1 {
		return item{}, false
	}
	it, c.item = c.item, item{}
	r.next++
	r.head.Store(r.next)
	return it, true
}

// ready tells whether there is something to pop.
func (r *ring) ready() bool {
	pos := r.head.Load()
	return r.cells[pos&r.mask].turn.Load() > pos
}

// len is how many items there are, or are being written.
func (r *ring) len() int {
	head := r.head.Load() // first, so that it is not ahead of tail
	return int(r.tail.Load() - head)
}

// full tells whether there is no room.
func (r *ring) full() bool { return uint64(r.len()) >= r.size }
