package route

import "time"

// deadlines are open groups, the one that is due first at the front: a binary heap. A group
// whose deadline moves away stays where it is until it comes to the front, so that an
// exchange that comes costs nothing here.
type deadlines []*openGroup

// push adds e, or moves it to where its deadline belongs.
func (d *deadlines) push(e *openGroup) {
	switch {
	case e.index == 0:
		e.at = e.deadline
		*d = append(*d, e)
		e.index = len(*d)
		d.up(e.index - 1)
	case e.deadline < e.at:
		e.at = e.deadline
		d.up(e.index - 1)
	}
}

// first returns the group that is due first, or nil.
func (d *deadlines) first() *openGroup {
	for len(*d) > 0 {
		e := (*d)[0]
		if e.at == e.deadline {
			return e
		}
		e.at = e.deadline
		d.down(0)
	}
	return nil
}

// remove takes e away, if it is there.
func (d *deadlines) remove(e *openGroup) {
	if e.index == 0 {
		return
	}
	i, last := e.index-1, len(*d)-1
	d.swap(i, last)
	(*d)[last] = nil
	*d = (*d)[:last]
	e.index = 0
	if i < last {
		d.down(i)
		d.up(i)
	}
	if cap(*d) > 1024 && len(*d) < cap(*d)/4 {
		*d = append(make(deadlines, 0, cap(*d)/2), *d...) // for many groups there were once
	}
}

func (d deadlines) swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = i+1, j+1
}

func (d deadlines) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if d[parent].at <= d[i].at {
			return
		}
		d.swap(i, parent)
		i = parent
	}
}

func (d deadlines) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(d); child++ {
			if d[child].at < d[least].at {
				least = child
			}
		}
		if least == i {
			return
		}
		d.swap(i, least)
		i = least
	}
}

// closedKeys remembers the last keys that were closed.
type closedKeys struct {
	limit int
	keys  map[string]struct{}
	ring  []string
	next  int // in ring, where it is full
}

func (c *closedKeys) has(key string) bool { _, ok := c.keys[key]; return ok }

func (c *closedKeys) add(key string) {
	if c.limit == 0 || c.has(key) {
		return
	}
	if c.keys == nil {
		c.keys = map[string]struct{}{}
	}
	c.keys[key] = struct{}{}
	if len(c.ring) < c.limit {
		c.ring = append(c.ring, key)
		return
	}
	delete(c.keys, c.ring[c.next])
	c.ring[c.next] = key
	c.next = (c.next + 1) % c.limit
}

// now is the time of deadlines, which does not jump.
func (a *aggregator) now() time.Duration { return time.Since(a.run.engine.clock.base) }
