package cluster

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
)

// keepSession joins (R1), beats (R2) and leaves (R8). At most one request about
// the slot is under way at a time.
func (c *core) keepSession() {
	switch {
	case c.busy || c.left:
	case c.leaving && c.me == "":
		c.left = !c.running()
	case c.now < c.retryAt:
		c.at(c.retryAt)
	case c.me == "":
		c.busy = true
		c.ask(request{purpose: toList, key: SlotPrefix})
	case c.unsure:
		c.busy = true
		c.ask(request{purpose: toReread, key: slotKey(c.seat.Slot)})
	case c.jumped:
		if !c.running() { // all work has stopped: who holds the slot may end its session
			seat, version := c.seat, c.version
			c.over(ErrLost)
			c.join(seat, version)
		}
	case c.leaving && !c.running() && c.handedOver():
		c.busy = true
		free := &slot{Line: c.seat.Line, Beat: c.beats}
		c.ask(request{purpose: toRelease, key: slotKey(c.seat.Slot), version: c.version, slot: free})
	case c.now >= c.beatAt || c.mySlot().tells(c.written):
		c.beat()
	default:
		c.at(c.beatAt)
	}
}

// beat writes our slot (R2).
func (c *core) beat() {
	c.busy = true
	c.beats++
	c.ask(request{purpose: toBeat, key: slotKey(c.seat.Slot), version: c.version, slot: c.mySlot()})
}

// join takes the slot at s, which has this version (R1). Each attempt is a new
// incarnation, so that a write that succeeds unnoticed harms nobody.
func (c *core) join(s seat, version Version) {
	c.me, c.seat = c.name+"#"+c.word(), s
	slot := c.mySlot()
	c.me = ""
	c.busy = true
	c.ask(request{purpose: toJoin, key: slotKey(s.Slot), version: version, slot: slot})
}

// choose picks a slot to join: a random free one, or else a new one. The more
// often it was refused, the wider it strays.
func (c *core) choose(records []record) {
	taken := map[int]bool{}
	var free []record
	for _, r := range records {
		k, ok := slotNumber(r.key)
		if !ok {
			continue
		}
		taken[k] = true
		if r.slot != nil && r.slot.free() {
			free = append(free, r)
		}
	}
	if len(free) > 0 {
		slices.SortFunc(free, func(a, b record) int { x, _ := slotNumber(a.key); y, _ := slotNumber(b.key); return x - y })
		r := free[c.below(len(free))]
		k, _ := slotNumber(r.key)
		c.join(seat{Slot: k, Line: r.slot.Line}, r.version)
		return
	}
	skip := c.below(1 << min(c.tries, 8))
	for k := 0; ; k++ {
		if taken[k] {
			continue
		}
		if skip--; skip < 0 {
			c.join(seat{Slot: k, Line: c.word()}, 0)
			return
		}
	}
}

// mySlot is what our slot should say now.
func (c *core) mySlot() *slot {
	s := &slot{
		Holder: c.me, Session: c.me, Line: c.seat.Line, Beat: c.beats,
		Set: c.set, Leaving: c.leaving,
	}
	if c.table == nil || c.table.Sets[c.set] == nil {
		s.Offers = c.offers
	}
	for _, name := range c.offers {
		if l := c.locks[name]; l == nil || !l.offered || c.now < l.off {
			s.Off = append(s.Off, name)
		}
	}
	if c.table == nil {
		return s
	}
	for name, l := range c.locks {
		if e, mine := c.mine(name); mine && l.givenBack(e) {
			if s.Done == nil {
				s.Done = map[string]Version{}
			}
			s.Done[name] = e.Token
		}
	}
	return s
}

func (c *core) answerSession(a answered) {
	switch {
	case a.purpose == toList && a.err == nil:
		c.choose(a.records)
	case a.purpose == toList:
		c.retryAt = c.now + c.retry()
	case a.purpose == toJoin && a.err == nil:
		c.me, c.version, c.written, c.unsure, c.tries = a.slot.Holder, a.record.version, a.slot, false, 0
		c.seat.Version = a.record.version
		c.proveSession(a.sent)
		c.beatAt = a.sent + c.r
		c.note(slog.LevelInfo, "joined the cluster", "member", c.me, "slot", c.seat.Slot)
	case a.purpose == toJoin:
		c.tries++
		c.retryAt = c.soon()
		if !errors.Is(a.err, ErrConflict) {
			c.retryAt = c.now + c.retry()
		}
	case a.purpose == toReread:
		c.reread(a)
	case a.err == nil && a.purpose == toRelease:
		c.over(ErrStopped)
	case a.err == nil: // a beat
		c.version, c.written = a.record.version, a.slot
		c.proveSession(a.sent)
		c.beatAt = a.sent + c.r
	case errors.Is(a.err, ErrConflict):
		c.unsure = true
	default: // lost: only reading the slot can tell
		c.unsure = true
		c.retryAt = c.now + c.retry()
	}
}

// proveSession moves the deadline, counted from the time before the proof was
// sent. What was sent before a clock jumped proves nothing.
func (c *core) proveSession(sent instant) {
	if sent <= c.jumpedAt {
		return
	}
	if !c.alive() {
		c.contact = c.now
	}
	c.proved = max(c.proved, sent)
}

// reread finds out whether the slot is still ours. That it is does not move the
// deadline: only a write proves it.
func (c *core) reread(a answered) {
	s := a.record.slot
	switch {
	case a.err != nil:
		c.retryAt = c.now + c.retry()
	case s != nil && s.Holder == c.me && s.Session == c.me && s.Line == c.seat.Line:
		c.unsure, c.version, c.beatAt = false, a.record.version, c.now
	default:
		held := "nobody"
		if s != nil && s.Holder != "" {
			held = s.Holder
		}
		if !c.leaving {
			c.note(slog.LevelWarn, "the member was fenced or its slot was changed by hand: it starts anew",
				"member", c.me, "slot", c.seat.Slot, "held by", held)
		}
		c.over(ErrFenced)
	}
}

// over ends the session. What runs under it is stopped by act; what comes next is
// another incarnation.
func (c *core) over(why error) {
	c.me, c.why, c.proved, c.written = "", why, 0, nil
	c.unsure, c.jumped = false, false
	c.offers = nil
	for _, name := range slices.Sorted(maps.Keys(c.locks)) {
		if c.locks[name].offered {
			c.offers = append(c.offers, name)
		}
	}
	c.set = setHash(c.offers)
}

// handedOver reports whether nothing is left that only we can hand over: the role
// of the assigner, with our own locks.
func (c *core) handedOver() bool {
	return c.table == nil || c.table.Coordinator != c.me
}
