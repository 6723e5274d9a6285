package cluster

import (
	"maps"
	"slices"
)

// clone copies the world; its members are copied when they change.
func (w *world) clone() *world {
	n := *w
	n.records = maps.Clone(w.records)
	n.members = slices.Clone(w.members)
	n.own = make([]bool, len(w.members))
	return &n
}

// member returns member i, to be changed.
func (w *world) member(i int) *process {
	if w.own != nil && !w.own[i] {
		w.own[i] = true
		w.members[i] = w.members[i].clone()
	}
	return w.members[i]
}

func (p *process) clone() *process {
	q := *p
	q.core = p.core.clone()
	q.flights = slices.Clone(p.flights)
	q.seen = maps.Clone(p.seen)
	q.ghosts, q.owed = maps.Clone(p.ghosts), slices.Clone(p.owed)
	q.terms = map[string]*simTerm{}
	for k, t := range p.terms {
		c := *t
		q.terms[k] = &c
	}
	return &q
}

func (c *core) clone() *core {
	n := *c
	n.actions = nil
	n.locks, n.views = map[string]*lock{}, map[int]*view{}
	for k, l := range c.locks {
		copied := *l
		n.locks[k] = &copied
	}
	for k, v := range c.views {
		copied := *v
		n.views[k] = &copied
	}
	n.strayed, n.unowned = maps.Clone(c.strayed), maps.Clone(c.unowned)
	n.excluded, n.reminded = maps.Clone(c.excluded), map[string]instant{}
	return &n
}
