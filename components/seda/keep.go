package seda

import (
	"errors"
	"sync"
)

// A keeper keeps the queues that have messages and no consumer, so that what was sent
// to a name is still there when a route from it is built, though by then nobody holds
// an endpoint of that name any more.
type keeper struct {
	mu     sync.Mutex
	queues map[*queue]bool
}

// maxKept bounds what messages to names made of data could pile up.
const maxKept = 1000

var errKept = errors.New("1000 other queues hold messages that nobody consumes: are names made of data?")

func (k *keeper) keep(q *queue) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.queues[q] && len(k.queues) >= maxKept {
		return errKept
	}
	if k.queues == nil {
		k.queues = map[*queue]bool{}
	}
	k.queues[q] = true
	return nil
}

func (k *keeper) drop(q *queue) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.queues, q)
}
