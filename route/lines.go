package route

import (
	linked "container/list"
	"context"
	"fmt"
	"sync"
)

// lines are a line for each key. Those that nobody needs any more make room for others.
type lines struct {
	max  int
	open func() *line

	mu     sync.Mutex
	byKey  map[string]*linked.Element
	latest linked.List // of *keyedLine, the one that was used last first
}

type keyedLine struct {
	*line
	key    string
	lines  *lines // nil for a line without a key
	users  int
	passed map[exchangeID]bool // those that take places until they are done
	leave  DoneFunc            // when one is
}

func newKeyedLine(ls *lines, l *line, key string) *keyedLine {
	k := &keyedLine{line: l, key: key, lines: ls, users: 1}
	k.leave = func(_ context.Context, ex *Exchange, _ error) error {
		k.mu.Lock()
		delete(k.passed, ex.identify())
		k.mu.Unlock()
		k.line.leave()
		k.put()
		return nil
	}
	return k
}

// count makes ex, which has taken a place, give it back when it is done.
func (k *keyedLine) count(ex *Exchange) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.passed == nil {
		k.passed = map[exchangeID]bool{}
	}
	k.passed[ex.identify()] = true
	ex.OnDone(k.leave)
}

// hasPassed tells whether ex has a place already.
func (k *keyedLine) hasPassed(ex *Exchange) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.passed[ex.identify()]
}

// put says that one who got the line does not need it any more.
func (k *keyedLine) put() {
	if k.lines == nil {
		return
	}
	k.lines.mu.Lock()
	defer k.lines.mu.Unlock()
	k.users--
}

// get returns the line for a key, which is kept until put.
func (ls *lines) get(key string) (*keyedLine, error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if e := ls.byKey[key]; e != nil {
		ls.latest.MoveToFront(e)
		l := e.Value.(*keyedLine)
		l.users++
		return l, nil
	}
	if len(ls.byKey) >= ls.max && !ls.drop() {
		return nil, fmt.Errorf("%d keys are in use already, %.60q is one more", ls.max, key)
	}
	l := newKeyedLine(ls, ls.open(), key)
	if ls.byKey == nil {
		ls.byKey = map[string]*linked.Element{}
	}
	ls.byKey[key] = ls.latest.PushFront(l)
	return l, nil
}

// drop takes away the line that was not used for the longest time and is not needed, if
// there is one.
func (ls *lines) drop() bool {
	for e := ls.latest.Back(); e != nil; e = e.Prev() {
		if l := e.Value.(*keyedLine); l.users == 0 && l.idle() {
			ls.latest.Remove(e)
			delete(ls.byKey, l.key)
			return true
		}
	}
	return false
}
