package cluster

import (
	"maps"
	"slices"
)

// act starts and stops the functions of the locks (R4): one runs only while the
// last table seen grants the lock to this incarnation and the deadline has not
// come. It also answers requests to give a lock back (R7).
func (c *core) act() {
	valid, running := c.valid(), false
	for _, name := range slices.Sorted(maps.Keys(c.locks)) {
		l := c.locks[name]
		e, mine := c.mine(name)
		if mine && (e.Move || !l.offered || c.leaving || c.now < l.off) {
			l.quit = max(l.quit, e.Token)
		}
		want := mine && valid && e.Token > l.quit
		switch {
		case l.running != 0 && !l.stopping && (!want || !c.grants(name, l.running)):
			l.stopping = true
			c.actions = append(c.actions, stop{name, c.cause(name, l)})
		case l.running == 0 && want:
			l.running = e.Token
			c.actions = append(c.actions, start{name, e.Token})
		}
		running = running || l.running != 0
		if c.now < l.off {
			c.at(l.off)
		}
		if c.table != nil && !mine && !l.offered && l.running == 0 {
			delete(c.locks, name)
		}
	}
	if running && valid {
		c.at(c.until())
	}
}

// cause says why the term of l ends.
func (c *core) cause(name string, l *lock) error {
	switch {
	case !l.offered || c.leaving:
		return ErrStopped
	case c.me != "" && l.quit >= l.running:
		return ErrResigned
	case c.me == "":
		return c.why
	case c.jumped, c.grants(name, l.running):
		return ErrLost
	}
	return ErrFenced
}

// mine returns the entry of a lock, if it names this incarnation.
func (c *core) mine(name string) (entry, bool) {
	if c.table == nil || c.me == "" {
		return entry{}, false
	}
	e, ok := c.table.Locks[name]
	return e, ok && e.Holder == c.me
}

// grants reports whether the table grants the lock to this incarnation with this token.
func (c *core) grants(name string, token Version) bool {
	e, mine := c.mine(name)
	return mine && e.Token == token
}

// givenBack reports whether what entry e grants has been given back.
func (l *lock) givenBack(e entry) bool { return l.running == 0 && e.Token <= l.quit }

// running reports whether the function of any lock runs.
func (c *core) running() bool {
	for _, l := range c.locks {
		if l.running != 0 {
			return true
		}
	}
	return false
}

func (c *core) lockOf(name string) *lock {
	l := c.locks[name]
	if l == nil {
		l = new(lock)
		c.locks[name] = l
	}
	return l
}

func (c *core) offer(name string) {
	c.lockOf(name).offered = true
	if i, found := slices.BinarySearch(c.offers, name); !found {
		c.offers = slices.Insert(slices.Clone(c.offers), i, name) // a slot sent may hold the old list
		c.set = setHash(c.offers)
	}
}
