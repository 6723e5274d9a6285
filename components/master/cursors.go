package master

import (
	"fmt"
	"sync"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/route"
)

// ledger knows which cursors are open in this process.
type ledger struct {
	mu   sync.Mutex
	open map[[2]string]bool // by lock and name
}

// termCursors are the cursors of one term: consumers find them in their context.
type termCursors struct {
	*ledger
	term cluster.Term
}

var _ route.Cursors = termCursors{}

// Open implements [route.Cursors].
func (t termCursors) Open(name string) (route.Cursor, error) {
	key := [2]string{t.term.Lock(), name}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[key] {
		return nil, fmt.Errorf("the cursor %q of lock %q is in use by another consumer: the names of both must differ", name, key[0])
	}
	if t.open == nil {
		t.open = map[[2]string]bool{}
	}
	t.open[key] = true
	return &termCursor{t.term.Cursor(name), t.ledger, key}, nil
}

type termCursor struct {
	*cluster.Cursor
	ledger *ledger
	key    [2]string
}

// Close implements [route.Cursor].
func (c *termCursor) Close() error {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	delete(c.ledger.open, c.key)
	return nil
}
