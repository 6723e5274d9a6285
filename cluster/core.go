package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// An instant is a time on the member's own monotonic clock. The clock starts far
// from zero, so that the zero instant is long ago.
type instant = time.Duration

// timing holds the lengths of time that the rules need, on the member's own clock.
type timing struct {
	x time.Duration // silence after which a member may be fenced
	y time.Duration // how long one may act after the last proof was asked for
	r time.Duration // time from beat to beat
}

// Lengths that follow from r. Only x and y matter for safety.
func (t timing) suspect() time.Duration { return 2 * t.r }                          // silence after which one looks closer
func (t timing) gather() time.Duration  { return t.r / 10 }                         // wait for more members before a first grant
func (t timing) retry() time.Duration   { return t.r / 4 }                          // after a request that brought no answer
func (t timing) spread() time.Duration  { return min(t.r/10, 50*time.Millisecond) } // of candidates that try the same
func (t timing) remind() time.Duration  { return max(10*t.r, 30*time.Second) }      // until a complaint is repeated

// A core is the protocol of one member: it is told what happens and says what to
// do. It knows no goroutine, no clock and no network, and does the same each time
// for the same events, so that the checker, the simulator and production run the
// same code. The rules R1 to R10 are those of docs/leadership.md.
type core struct {
	timing
	name    string
	keeper  bool   // the table cannot be deleted from outside
	balance bool   // move locks to spread them
	few     int    // up to so many members, each watches the slots of all
	random  uint64 // state of the generator

	now     instant
	actions []action
	wake    instant // when to step again at the latest; 0 for not at all

	// The member's own session: R1, R2, R8.
	me       string  // incarnation; "" while it has none
	seat     seat    // where its slot is
	version  Version // of its slot
	proved   instant // when the last write of the slot that succeeded was sent
	contact  instant // since when it has been in touch with the store without a break
	written  *slot   // what that write said
	beats    uint64
	beatAt   instant // when to write next
	retryAt  instant // nothing about the slot before
	tries    int     // joins refused in a row
	busy     bool    // a request about the slot is under way
	unsure   bool    // the slot must be read before it is written again
	jumped   bool    // a clock jumped: the session has to end
	jumpedAt instant // nothing asked before proves anything
	leaving  bool
	left     bool
	why      error // why the last session ended

	// The table: R3, R9.
	table        *table  // nil where there is none to trust
	tableVersion Version // the last version seen, also of a table lost since
	tableState   tableState
	broken       error   // what a foreign table holds instead
	since        instant // when the table's id was first seen
	confirmed    instant // when the last read that found the table unchanged was sent
	readAt       instant
	reading      bool
	writing      bool    // a write of the table is under way
	recheck      instant // no write before an answer to a read sent at this time or later
	createAt     instant

	// The locks of this member: R4, R7.
	locks  map[string]*lock
	offers []string // all locks offered in this session, sorted
	set    string   // their hash

	// What the assigner knows: R5, R6, R10.
	watched  string // prefix of the slots watched
	watchAt  instant
	views    map[int]*view
	strayed  map[string]instant // sessions whose record was deleted, since when
	takeAt   instant            // when to try for the assigner's role
	changed  instant            // when the members or their offers last changed
	unowned  map[string]instant // locks never granted, since when
	excluded map[string]string  // locks given back: not to this member, if there is another
	reminded map[string]instant // complaints made
	trouble  error              // of the last request that failed, until one succeeds
	blind    error              // of a watch that ended, until one brings something
}

// tableState says what was found where the table should be.
type tableState int

const (
	tableUnknown tableState = iota
	tableOurs
	tableAbsent
	tableEdited  // ours once, but not by our rules what it is now
	tableForeign // not ours: never overwritten
)

// A lock is what a member knows of a lock that it offers or holds.
type lock struct {
	offered  bool
	off      instant // not wanted before this
	quit     Version // tokens up to this are given back: never acted on again
	running  Version // token of the term that runs, or 0
	stopping bool
}

// A view is how a member sees another's slot.
type view struct {
	version Version
	slot    *slot   // nil where it is absent or foreign
	since   instant // when this version was first seen
	beats   int     // versions seen
	lookAt  instant // when to read it, or 0
	busy    bool    // a request about it is under way
}

func newCore(name string, t timing, seed uint64) *core {
	return &core{
		timing: t, name: name, random: seed,
		locks: map[string]*lock{}, views: map[int]*view{}, strayed: map[string]instant{},
		unowned: map[string]instant{}, excluded: map[string]string{}, reminded: map[string]instant{},
	}
}

// An event is something that happens to a member.
type event any

type (
	woke      struct{}              // the time asked for has come
	offered   struct{ lock string } // the member wants the lock
	withdrawn struct{ lock string } // and no longer
	resigned  struct {              // hand the lock over, and do not take it before
		lock   string
		before instant
	}
	returned struct{ lock string } // the function of the lock has returned
	leave    struct{}              // give everything back and go
	jump     struct{}              // a clock jumped: no interval measured is right
	saw      struct{ record }      // a watch tells
	missed   struct {              // a watch ended
		prefix string
		err    error
	}
	answered struct { // a request has ended
		request
		record  record   // read; after a write: what was written, with its version
		records []record // listed
		err     error
	}
)

// A record is a decoded [Record]. It has neither a slot nor a table where it is
// absent, where the version was known, and where the content is not ours.
type record struct {
	key     string
	version Version
	slot    *slot
	table   *table
	err     error // why it could not be decoded
}

// An action is something for the shell to do.
type action any

type (
	request struct { // ask the store, and answer exactly once
		purpose purpose
		key     string
		version Version // of a write: the one before; of a read: the one known
		slot    *slot   // to write
		table   *table  // to write; of toLook: as it was then
		sent    instant // before it was sent
	}
	start struct { // run the function of the lock
		lock  string
		token Version
	}
	stop struct { // cancel it, and say when it has returned
		lock  string
		cause error
	}
	watch struct{ prefix string } // watch these slots, and no others
	note  struct {                // log
		level slog.Level
		text  string
		args  []any
	}
)

// A purpose says what a request is for, and so what kind of request it is.
type purpose int

const (
	toList    purpose = iota // list the slots, to find a free one
	toJoin                   // take a slot
	toBeat                   // write our slot
	toReread                 // read our slot
	toRelease                // free our slot
	toConfirm                // read the table
	toAssign                 // write the table
	toLook                   // read another's slot
	toFence                  // free another's slot
)

// writes reports whether the request is a compare-and-set.
func (p purpose) writes() bool {
	return p == toJoin || p == toBeat || p == toRelease || p == toAssign || p == toFence
}

// Step tells the core what happened, and returns what is to be done now. The
// shell calls it again by c.wake at the latest.
func (c *core) Step(now instant, e event) []action {
	c.now, c.actions, c.wake = max(now, c.now), nil, 0
	switch e := e.(type) {
	case offered:
		c.offer(e.lock)
	case withdrawn:
		c.lockOf(e.lock).offered = false
	case resigned:
		l := c.lockOf(e.lock)
		l.off = max(l.off, e.before)
		if entry, mine := c.mine(e.lock); mine {
			l.quit = entry.Token
		}
	case returned:
		l := c.lockOf(e.lock)
		l.running, l.stopping = 0, false
	case leave:
		c.leaving = true
	case jump:
		c.jumpedAt, c.jumped = c.now, c.me != ""
		c.confirmed, c.readAt = 0, c.now
		if c.jumped {
			c.complain("jump", slog.LevelWarn, "a clock jumped or the machine slept: the member starts anew")
		}
	case saw:
		c.blind = nil
		c.see(e.record, nil)
	case missed:
		c.blind = e.err
		c.complain("watch:"+e.prefix, slog.LevelWarn, "a watch of the store ended", "prefix", e.prefix, "error", e.err)
	case answered:
		c.answer(e)
	}
	c.act()
	c.keepTable()
	c.assign()
	c.keepSession()
	c.keepWatch()
	return c.actions
}

// see takes in a record: news from a watch, or the answer to q.
func (c *core) see(r record, q *request) {
	if r.key == TableKey {
		c.seeTable(r, q)
	} else if k, ok := slotNumber(r.key); ok {
		c.seeSlot(k, r, q)
	}
}

// answer takes in the end of a request.
func (c *core) answer(a answered) {
	switch {
	case a.err == nil:
		c.trouble = nil
	case errors.Is(a.err, ErrConflict):
	default:
		c.trouble = a.err
		c.complain("store:"+a.key, slog.LevelWarn, "no answer from the store", "key", a.key, "error", a.err)
	}
	switch a.purpose {
	case toList, toJoin, toBeat, toReread, toRelease:
		c.busy = false
		c.answerSession(a)
	case toConfirm, toAssign:
		c.answerTable(a)
	case toLook, toFence:
		c.answerSlot(a)
	}
}

// ask sends a request.
func (c *core) ask(q request) {
	q.sent = c.now
	c.actions = append(c.actions, q)
}

// at has the core stepped again at t, if that is still to come.
func (c *core) at(t instant) {
	if t > c.now && (c.wake == 0 || t < c.wake) {
		c.wake = t
	}
}

// alive reports whether the member may act as far as its session goes (R2).
func (c *core) alive() bool { return c.me != "" && !c.jumped && c.now < c.proved+c.y }

// valid reports whether the member may act on what the table grants it (R4).
func (c *core) valid() bool { return c.now < c.until() }

// until is the instant from which the member must not act any more, unless it
// proves anew by then that it still may. It is 0 where it may not at all.
func (c *core) until() instant {
	if c.me == "" || c.jumped || c.table == nil || c.proved == 0 || c.confirmed == 0 {
		return 0
	}
	return min(c.proved, c.confirmed) + c.y
}

// informed reports whether the table seen is recent.
func (c *core) informed() bool { return c.table != nil && c.confirmed != 0 && c.now < c.confirmed+c.y }

// health says what keeps the member from leading or standing by, or nil.
func (c *core) health() error {
	switch {
	case c.leaving:
		return errors.New("cluster: the member is leaving")
	case c.tableState == tableForeign:
		return fmt.Errorf("cluster: the table of locks holds something else, which is left alone: %w", c.broken)
	case c.me == "" && c.trouble == nil:
		return errors.New("cluster: the member has not joined yet")
	case c.me == "":
		return fmt.Errorf("cluster: the member cannot join: %w", c.trouble)
	case !c.alive(), c.table != nil && !c.informed():
		return fmt.Errorf("cluster: no contact with the store for %v: %w", c.y, cmp.Or(c.trouble, ErrLost))
	case c.table == nil:
		return errors.New("cluster: there is no table of locks yet")
	case c.blind != nil:
		return fmt.Errorf("cluster: the store cannot be watched: %w", c.blind)
	}
	return nil
}

// complain logs, and again only after a while.
func (c *core) complain(what string, level slog.Level, text string, args ...any) {
	if last, ok := c.reminded[what]; ok && c.now < last+c.remind() {
		return
	}
	c.reminded[what] = c.now
	c.actions = append(c.actions, note{level, text, args})
}

func (c *core) note(level slog.Level, text string, args ...any) {
	c.actions = append(c.actions, note{level, text, args})
}

// draw returns a random number: splitmix64.
func (c *core) draw() uint64 {
	c.random += 0x9e3779b97f4a7c15
	z := c.random
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a random number in [0, n).
func (c *core) below(n int) int {
	if n <= 0 {
		return 0
	}
	return int(c.draw() % uint64(n))
}

func (c *core) soon() instant { return c.now + instant(c.below(int(c.spread()))) }

// word returns a random word of ten letters and digits.
func (c *core) word() string {
	const letters = "abcdefghjkmnpqrstuvwxyz023456789" // 32 that cannot be mistaken
	z, b := c.draw(), [10]byte{}
	for i := range b {
		b[i] = letters[z&31]
		z >>= 5
	}
	return string(b[:])
}
