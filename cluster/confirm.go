package cluster

import (
	"errors"
	"log/slog"
)

// keepTable confirms the table (R3) and replaces one that was lost (R9).
func (c *core) keepTable() {
	if c.left {
		return
	}
	if !c.reading {
		if c.now >= c.readAt {
			known := c.tableVersion
			if c.table == nil {
				known = 0
			}
			c.reading, c.readAt = true, c.now+c.r
			c.ask(request{purpose: toConfirm, key: TableKey, version: known})
		} else {
			c.at(c.readAt)
		}
	}
	if c.informed() {
		c.at(c.confirmed + c.y)
	}
	lost := c.tableState == tableAbsent || c.tableState == tableEdited
	if !lost || !c.mayWrite() || c.leaving {
		return
	}
	if c.now < c.createAt {
		c.at(c.createAt)
		return
	}
	t := &table{
		ID: c.word(), Coordinator: c.me, Members: map[string]seat{c.me: c.seat},
		Fresh: c.tableState == tableEdited || !c.keeper,
	}
	if c.tableState == tableEdited {
		t.Base = c.tableVersion
	}
	c.writeTable(t)
}

// mayWrite reports whether we can write the table: safety does not ask for a live
// session, but who has none should not try.
func (c *core) mayWrite() bool { return c.alive() && !c.writing && c.recheck == 0 }

// writeTable writes t over its base.
func (c *core) writeTable(t *table) {
	c.writing = true
	c.ask(request{purpose: toAssign, key: TableKey, version: t.Base, table: t})
}

func (c *core) answerTable(a answered) {
	if a.purpose == toAssign {
		c.writing = false
		if a.err == nil {
			a.record.table = a.table
			c.seeTable(a.record, &a.request)
			return
		}
		c.recheck, c.readAt = max(c.now, 1), c.now // whether it was stored or not, reading tells
		if !errors.Is(a.err, ErrConflict) {
			c.readAt = c.now + c.retry()
			c.recheck = c.readAt
		}
		return
	}
	c.reading = false
	if a.err != nil {
		c.readAt = min(c.readAt, c.now+c.retry())
		return
	}
	if a.sent >= c.recheck {
		c.recheck = 0
	}
	c.seeTable(a.record, &a.request)
}

// seeTable takes in the table: news from a watch, or the answer to q, a read or a
// write of ours. Only answers prove anything.
func (c *core) seeTable(r record, q *request) {
	known := r.version == c.tableVersion
	switch {
	case r.version == 0:
		switch {
		case q == nil || c.table != nil && q.version != c.tableVersion:
			c.readAt = c.now // told late, perhaps: look
		case c.tableState != tableAbsent:
			c.lose(tableAbsent, "the table of locks is absent")
		}
		return
	case known && c.table != nil:
		c.confirm(q)
		return
	case q != nil && !q.purpose.writes() && r.version < q.version:
		c.tableVersion = r.version
		c.lose(tableEdited, "the store went back to an older table of locks")
		return
	case r.version < c.tableVersion, known && q == nil:
		return // late news
	case r.err != nil && !errors.Is(r.err, errEdited):
		c.tableVersion, c.broken = r.version, r.err
		c.lose(tableForeign, "the table of locks holds something else, which is left alone")
		c.complain("foreign", slog.LevelError, "standing by: the table of locks holds something else", "error", r.err)
		return
	case r.err != nil || r.table == nil || !c.trusts(r):
		c.tableVersion = r.version
		c.lose(tableEdited, "the table of locks was edited by hand: a new one is begun")
		return
	}
	if c.table == nil || c.table.ID != r.table.ID {
		if c.table != nil {
			c.note(slog.LevelWarn, "the table of locks was replaced", "old", c.table.ID, "new", r.table.ID)
		}
		c.since, c.confirmed = c.now, 0
		if q == nil {
			c.readAt = c.now
		}
		clear(c.strayed)
		clear(c.unowned)
	}
	c.table, c.tableVersion, c.tableState, c.broken = r.table, r.version, tableOurs, nil
	c.takeAt = 0
	c.confirm(q)
	for name, e := range c.table.Locks {
		if e.Holder == c.me {
			c.lockOf(name) // also where we do not know it: it has to be given back
		}
	}
}

// trusts reports whether a table can have come from what we saw before by our
// rules. One written over an older version than we have seen cannot: it is an
// edited one, or a copy put back.
func (c *core) trusts(r record) bool {
	t := r.table
	switch {
	case c.table != nil && c.table.same(t):
		return true // the record was touched, but says the same
	case c.tableState == tableAbsent && r.version == c.tableVersion:
		return true // it was not absent: the answer came late
	case t.Base >= c.tableVersion:
		return true
	}
	return t.Fresh && (c.table == nil || c.table.ID != t.ID)
}

// confirm moves the deadline, counted from the time before the request was sent.
func (c *core) confirm(q *request) {
	if q != nil && q.sent > c.jumpedAt {
		c.confirmed = max(c.confirmed, q.sent)
	}
}

// lose forgets the table. Everything that runs under it stops.
func (c *core) lose(state tableState, text string) {
	if c.tableState != state && (state != tableAbsent || c.tableState != tableUnknown) {
		c.note(slog.LevelWarn, text)
	}
	c.table, c.tableState, c.confirmed, c.takeAt = nil, state, 0, 0
	c.createAt = c.soon()
}
