package cluster

import "hash/fnv"

// count sets the load of each member: the locks that stay with it.
func (c *core) count(n *table, members []*candidate) {
	load := map[string]int{}
	for _, e := range n.Locks {
		if !e.Move {
			load[e.Holder]++
		}
	}
	for _, m := range members {
		m.load = load[m.incarnation]
	}
}

// pick chooses the owner of a lock: the member with the fewest locks among those
// that want it, at a tie the one whose hash with the lock is the highest, so that a
// newcomer takes from many. It is not the one that has just given it back, unless
// there is no other.
func pick(members []*candidate, name, donor string) *candidate {
	var best *candidate
	better := func(m *candidate) bool {
		switch {
		case best == nil:
			return true
		case (m.incarnation == donor) != (best.incarnation == donor):
			return best.incarnation == donor
		case m.load != best.load:
			return m.load < best.load
		}
		return rendezvous(name, m.incarnation) > rendezvous(name, best.incarnation)
	}
	for _, m := range members {
		if m.wants(name) && better(m) {
			best = m
		}
	}
	return best
}

func rendezvous(name, incarnation string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	h.Write([]byte{0})
	h.Write([]byte(incarnation))
	return h.Sum64()
}

// move marks locks that shall go to another member, so that no member has two
// more than another that wants one of them. It begins only when the members and
// their offers have not changed for x, ends one round before the next, and moves
// at most a tenth of the locks at a time (R7).
func (c *core) move(n *table, members []*candidate) {
	for _, e := range n.Locks {
		if e.Move {
			return
		}
	}
	heavy := func() bool { return uneven(members) }
	if !heavy() {
		return
	}
	if c.now < c.changed+c.x {
		c.at(c.changed + c.x)
		return
	}
	most := max(1, len(n.Locks)/10)
	byName := map[string]*candidate{}
	for _, m := range members {
		byName[m.incarnation] = m
	}
	for name, e := range sorted(n.Locks) {
		from := byName[e.Holder]
		if most == 0 || from == nil {
			continue
		}
		if to := pick(members, name, e.Holder); to != nil && to != from && from.load-to.load >= 2 {
			e.Move = true
			n.Locks[name] = e
			from.load--
			to.load++
			most--
		}
	}
}

// uneven reports whether one member has two locks more than another.
func uneven(members []*candidate) bool {
	if len(members) == 0 {
		return false
	}
	least, most := members[0].load, members[0].load
	for _, m := range members {
		least, most = min(least, m.load), max(most, m.load)
	}
	return most-least >= 2
}
