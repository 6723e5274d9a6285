package cluster

import (
	"log/slog"
	"maps"
	"slices"
)

// assign is the work of the assigner (R6, R10): one member, by common consent, to
// whom the locks of the gone fall. Safety does not depend on there being only one:
// what a plan rests on stays true, and it is written by compare-and-set.
func (c *core) assign() {
	if c.left {
		return
	}
	c.lookForMissing()
	c.fence()
	if c.table == nil || !c.mayWrite() {
		return
	}
	if c.table.Coordinator != c.me {
		vacant := c.table.Coordinator == "" || c.gone(c.table.Coordinator)
		if !vacant || c.leaving {
			c.takeAt = 0
			return
		}
		if c.takeAt == 0 {
			c.takeAt = c.soon()
		}
		if c.now < c.takeAt {
			c.at(c.takeAt)
			return
		}
	}
	if next := c.plan(); !next.equal(c.table) {
		c.writeTable(next)
	}
}

// lookForMissing has the slots read that the watch should have shown, and did not:
// they may have been deleted.
func (c *core) lookForMissing() {
	if c.table == nil {
		return
	}
	for inc, s := range sorted(c.table.Members) {
		switch {
		case c.views[s.Slot] != nil || inc == c.me || !c.watches(s.Slot):
		case c.now < c.watchAt+c.gather():
			c.at(c.watchAt + c.gather())
		default:
			c.views[s.Slot] = &view{since: c.now, lookAt: c.now}
		}
	}
}

// A candidate is a session to which locks can be granted.
type candidate struct {
	incarnation string
	slot        *slot
	number      int // of the slot
	offers      []string
	load        int // locks granted
}

// wants reports whether the candidate would take the lock now.
func (m *candidate) wants(name string) bool {
	_, offered := slices.BinarySearch(m.offers, name)
	return offered && !slices.Contains(m.slot.Off, name)
}

// plan is the table as it should be, made by us as the assigner. Every difference
// to the present one rests on facts that stay true (R6).
func (c *core) plan() *table {
	t := c.table
	n := &table{
		ID: t.ID, Fresh: t.Fresh, Base: c.tableVersion, Coordinator: c.me,
		Members: map[string]seat{}, Sets: map[string][]string{}, Locks: map[string]entry{},
	}
	members := c.present(n)
	if t.Fresh && c.now < c.since+c.x {
		c.at(c.since + c.x)
	} else {
		n.Fresh = false
		open := c.settle(n, members)
		c.grant(n, members, open)
		if c.balance {
			c.move(n, members)
		}
	}
	if c.leaving && !c.running() {
		n.Coordinator = ""
		for _, m := range members {
			if n.Coordinator == "" {
				n.Coordinator = m.incarnation
			}
		}
	}
	return n
}

// present lists the sessions there are in n, with what they offer, and returns
// those that can be granted locks, by slot.
func (c *core) present(n *table) []*candidate {
	for inc, s := range c.table.Members {
		if inc == c.me || !c.gone(inc) {
			n.Members[inc] = s
		}
	}
	var members []*candidate
	add := func(at seat, s *slot, silent bool) {
		if _, known := n.Members[s.Session]; !known {
			n.Members[s.Session] = at
		}
		offers := s.Offers
		if offers == nil {
			offers = c.table.Sets[s.Set]
		}
		if offers != nil {
			n.Sets[s.Set] = offers
		}
		if !silent && !s.Leaving {
			members = append(members, &candidate{s.Session, s, at.Slot, offers, 0})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(c.views)) {
		v := c.views[k]
		if k != c.seat.Slot && v.slot != nil && !v.slot.edited() && !v.slot.free() {
			add(seat{k, v.slot.Line, v.version}, v.slot, c.now >= v.since+c.suspect())
		}
	}
	add(c.seat, c.mySlot(), false)
	slices.SortFunc(members, func(a, b *candidate) int { return a.number - b.number })
	c.warnOfNames(members)
	return members
}

// settle keeps in n the entries that only their holders may change, and returns
// the locks that are open, sorted: offered and granted to nobody.
func (c *core) settle(n *table, members []*candidate) (open []string) {
	done := map[string]map[string]Version{}
	for _, m := range members {
		done[m.incarnation] = m.slot.Done
	}
	for _, v := range c.views { // also those that leave, or are silent
		if v.slot != nil && !v.slot.edited() && done[v.slot.Session] == nil {
			done[v.slot.Session] = v.slot.Done
		}
	}
	done[c.me] = c.mySlot().Done
	for name, e := range c.table.Locks {
		switch {
		case e.Holder != c.me && c.gone(e.Holder):
		case done[e.Holder][name] == e.Token:
			c.excluded[name] = e.Holder
		default:
			n.Locks[name] = e
			delete(c.excluded, name)
		}
	}
	seen := map[string]bool{}
	for _, names := range n.Sets {
		for _, name := range names {
			if _, held := n.Locks[name]; !held && !seen[name] {
				seen[name] = true
				open = append(open, name)
			}
		}
	}
	slices.Sort(open)
	return open
}

// grant gives the open locks to the members that want them. A lock that had no
// owner before waits a moment, so that members that start together share.
func (c *core) grant(n *table, members []*candidate, open []string) {
	c.count(n, members)
	for _, name := range open {
		if _, had := c.table.Locks[name]; !had && !c.waited(name) {
			continue
		}
		if m := pick(members, name, c.excluded[name]); m != nil {
			n.Locks[name] = entry{Holder: m.incarnation, Token: n.Base}
			m.load++
		}
	}
	for name := range c.unowned {
		if _, held := n.Locks[name]; held {
			delete(c.unowned, name)
		}
	}
}

// waited reports whether a lock that had no owner has waited long enough.
func (c *core) waited(name string) bool {
	since, ok := c.unowned[name]
	if !ok {
		since = c.now
		c.unowned[name] = since
	}
	if c.now < since+c.gather() {
		c.at(since + c.gather())
		return false
	}
	return true
}

// warnOfNames tells of two living members with one name. Both are safe, being two
// incarnations, but people cannot tell them apart.
func (c *core) warnOfNames(members []*candidate) {
	names := map[string]string{}
	for _, m := range members {
		name := nameOf(m.incarnation)
		if other, twice := names[name]; twice && c.beating(m) {
			c.complain("name:"+name, slog.LevelWarn, "two members have the same name", "name", name,
				"one", other, "other", m.incarnation)
		}
		names[name] = m.incarnation
	}
}

// beating reports whether the member was seen to live, and not only its slot.
func (c *core) beating(m *candidate) bool {
	v := c.views[m.number]
	return m.incarnation == c.me || v != nil && v.beats > 1
}
