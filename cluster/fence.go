package cluster

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
)

// keepWatch watches the slots that this member has to know: all of them where it is
// the assigner or might soon have to be, or where there are few, and otherwise the
// assigner's only.
func (c *core) keepWatch() {
	if c.left {
		return
	}
	prefix := SlotPrefix
	s, ok := c.assigner()
	if ok && len(c.table.Members) > c.few && c.table.Coordinator != c.me && !c.suspects(c.table.Coordinator) && !c.counts() {
		prefix = slotKey(s.Slot)
	}
	if prefix == c.watched {
		return
	}
	c.watched, c.watchAt = prefix, c.now
	for k, v := range c.views {
		if !c.watches(k) && !v.busy {
			delete(c.views, k)
		}
	}
	c.actions = append(c.actions, watch{prefix})
}

// counts reports whether someone is silent whose silence is known here from its
// beginning, and perhaps only here: then the count must not be given up.
func (c *core) counts() bool {
	for _, v := range c.views {
		if c.watched == SlotPrefix && v.slot != nil && !v.slot.free() && c.now >= v.since+c.suspect() {
			return true
		}
	}
	return false
}

// assigner returns the seat of the assigner named by the table.
func (c *core) assigner() (seat, bool) {
	if c.table == nil || c.table.Coordinator == "" {
		return seat{}, false
	}
	return c.table.Members[c.table.Coordinator], true
}

// watches reports whether news of slot k is wanted.
func (c *core) watches(k int) bool { return c.watched == SlotPrefix || c.watched == slotKey(k) }

// suspects reports whether a session looks dead. It is no proof.
func (c *core) suspects(incarnation string) bool {
	v := c.views[c.table.Members[incarnation].Slot]
	if v != nil && c.now < v.since+c.suspect() {
		c.at(v.since + c.suspect())
		return c.gone(incarnation)
	}
	return v != nil
}

// seeSlot takes in the slot k: news from a watch, or the answer to q.
func (c *core) seeSlot(k int, r record, q *request) {
	if q == nil && !c.watches(k) {
		return
	}
	v := c.views[k]
	switch {
	case q == nil && r.version == 0:
		if v != nil {
			v.lookAt = c.now // told late, perhaps: look
		}
		return
	case v == nil:
		v = new(view)
		c.views[k] = v
	case r.version != 0 && r.version <= v.version, r.version == 0 && v.since > q.sent:
		return // late news
	}
	if r.slot == nil || r.slot.news(v.slot) {
		c.changed = c.now
	}
	if r.err != nil {
		c.complain("slot:"+r.key, slog.LevelError, "a slot holds something else, which is left alone", "key", r.key, "error", r.err)
	}
	v.version, v.slot, v.since, v.lookAt = r.version, r.slot, c.now, 0
	if r.slot != nil && !r.slot.free() {
		v.lookAt = c.now + c.suspect()
	}
	v.beats++
	if c.me != "" && k == c.seat.Slot && !c.busy && r.version > c.version {
		c.unsure = true // someone else wrote our slot
	}
}

// fence frees the slots that have been silent for x (R5): it writes over exactly
// the version that was silent, so that a member that lives is never fenced.
func (c *core) fence() {
	for _, k := range slices.Sorted(maps.Keys(c.views)) {
		v := c.views[k]
		if v.busy || !c.watches(k) || c.me != "" && k == c.seat.Slot {
			continue
		}
		silent := v.slot != nil && !v.slot.free()
		switch {
		case v.lookAt != 0 && c.now >= v.lookAt: // is the member silent, or the watch?
			v.busy, v.lookAt = true, 0
			c.ask(request{purpose: toLook, key: slotKey(k), table: c.table})
		case v.lookAt != 0:
			c.at(v.lookAt)
		case silent && (!c.alive() || c.now < c.contact+c.suspect()): // it was us who heard nothing
			c.at(c.contact + c.suspect())
		case silent && c.now >= v.since+c.x:
			c.note(slog.LevelInfo, "fencing a silent member", "member", v.slot.Session, "slot", k)
			v.busy = true
			free := &slot{Line: v.slot.Line, Beat: v.slot.Beat}
			c.ask(request{purpose: toFence, key: slotKey(k), version: v.version, slot: free})
		case silent:
			c.at(v.since + c.x)
		}
	}
}

// answerSlot takes in what became of another's slot.
func (c *core) answerSlot(a answered) {
	k, _ := slotNumber(a.key)
	v := c.views[k]
	v.busy = false
	if !c.watches(k) {
		delete(c.views, k)
		return
	}
	switch {
	case a.purpose == toFence && a.err == nil:
		a.record.slot = a.slot
		c.seeSlot(k, a.record, &a.request)
	case a.purpose == toFence: // refused or lost: see what it is now
		v.lookAt = c.now
		if !errors.Is(a.err, ErrConflict) {
			v.lookAt += c.retry()
		}
	case a.err != nil:
		v.lookAt = c.now + c.retry()
	default:
		if a.record.version > v.version && v.beats > 0 {
			c.watched = "" // the watch missed it: watch anew
		}
		c.stray(k, a)
		c.seeSlot(k, a.record, &a.request)
	}
}

// stray notes the sessions whose slot turned out to be deleted when it was read.
func (c *core) stray(k int, a answered) {
	if a.table == nil {
		return
	}
	for inc, s := range a.table.Members { // they had their slot before it was read
		if _, known := c.strayed[inc]; s.Slot == k && a.record.version == 0 && !known {
			c.strayed[inc] = c.now
		}
	}
}

// gone reports whether a session named by the table is over for good, and all
// that ran under it has stopped: its slot was released by it or fenced, or was
// deleted x ago.
func (c *core) gone(incarnation string) bool {
	s, v := c.table.Members[incarnation], c.views[c.table.Members[incarnation].Slot]
	if incarnation == c.me {
		return false
	}
	if v != nil && v.version > s.Version { // what is older tells nothing
		if v.slot != nil && v.slot.Line == s.Line {
			return !v.slot.edited() && v.slot.Session != incarnation
		}
		if _, known := c.strayed[incarnation]; !known {
			c.strayed[incarnation] = c.now
		}
	}
	since, deleted := c.strayed[incarnation]
	if deleted {
		c.at(since + c.x)
	}
	return deleted && c.now >= since+c.x
}
