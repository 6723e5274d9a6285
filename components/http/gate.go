package http

import "sync"

// A gate counts the exchanges in flight.
type gate struct {
	mu    sync.Mutex
	n     int
	most  int
	empty chan struct{} // closed when it is shut and nobody is in; nil while it is open
}

// enter tells whether there may be one more.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n >= g.most || g.empty != nil {
		return false
	}
	g.n++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n--
	if g.n == 0 && g.empty != nil {
		close(g.empty)
	}
}

// shut lets nobody in any more. What it returns is closed when all have left.
func (g *gate) shut() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.empty == nil {
		g.empty = make(chan struct{})
		if g.n == 0 {
			close(g.empty)
		}
	}
	return g.empty
}

func (g *gate) isShut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.empty != nil
}
