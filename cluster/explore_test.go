package cluster

import (
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"
)

// The explorer walks through all states that two or more cores and a store can
// reach together, in whatever order messages travel and functions return. Time
// goes by in ticks; members may be as slow as they like, but where they are quick.

const tick = time.Second

// An exploration says what to explore.
type exploration struct {
	timing timing
	budget int       // ticks that a function may take to stop
	quick  int       // members, from the last, that do all at once
	atOnce []purpose // requests of the others that are served at once
	faults int       // how many things may go wrong, see world.wrong
	wrong  []string
	most   int // states to look at
	bend   bend
}

// A bend changes what goes in and out of a core, as if a rule were missing.
type bend struct {
	reply     func(w *world, a *answered)                 // before the core sees it
	commit    func(w *world, m int, q *request) *answered // instead of the store
	onStop    func(w *world, m int, lock string)
	after     func(w *world, c *core)
	rumours   bool // tell of the death of members that live
	slowWatch bool // quick members, too, see late that others live
}

// A world is one state.
type world struct {
	now     instant
	version Version
	records map[string]record
	members []*process
	own     []bool // which are copies already; nil for all
	faults  int
	first   string // the session that led at first
}

// A process is one member with what is under way to and from it.
type process struct {
	core    *core
	flights []flight
	prefix  string
	seen    map[string]Version
	terms   map[string]*simTerm
	ghosts  map[string]instant // functions that run though the core thinks otherwise
	owed    []string           // those that the core shall be told have returned
	dead    bool
}

// A flight is a request under way.
type flight struct {
	request
	served bool
	answer answered
	late   bool // given up by the member, but it may still be served
}

// A step is a state and how it was reached.
type step struct {
	parent int
	label  string
}

// explore walks from w, breadth first, and returns how many states there are and
// the shortest way to one in which two members act, or nil.
func (x exploration) explore(w *world) (states int, way []string, whole bool) {
	seed := maphash.MakeSeed()
	seen := map[uint64]bool{digest(seed, w): true}
	steps := []step{{-1, "begin"}}
	worlds := []*world{w}
	from := []int{0}
	for len(worlds) > 0 {
		var nextWorlds []*world
		var nextFrom []int
		for i, w := range worlds {
			stopped := false
			x.moves(w, func(label string, n *world) bool {
				d := digest(seed, n)
				if seen[d] {
					return true
				}
				seen[d] = true
				steps = append(steps, step{from[i], label})
				if bad := n.twoActing(); bad != "" {
					way = append(way, bad)
					for s := len(steps) - 1; s >= 0; s = steps[s].parent {
						way = append(way, steps[s].label)
					}
					slices.Reverse(way)
					stopped = true
					return false
				}
				if !n.settled() {
					nextWorlds, nextFrom = append(nextWorlds, n), append(nextFrom, len(steps)-1)
				}
				return len(seen) < x.most
			})
			if stopped || len(seen) >= x.most {
				return len(seen), way, false
			}
		}
		worlds, from = nextWorlds, nextFrom
	}
	return len(seen), nil, true
}

// settled reports whether the session that led at first is over, with all that ran
// under it: what comes after is another story of the same kind.
func (w *world) settled() bool {
	p := w.members[0]
	return p.core.me != w.first && len(p.terms)+len(p.ghosts)+len(p.flights) == 0
}

// twoActing is P1.
func (w *world) twoActing() string {
	acting := map[string]int{}
	for i, p := range w.members {
		if p.dead {
			continue
		}
		mine := map[string]instant{}
		maps.Copy(mine, p.ghosts)
		for lock, t := range p.terms {
			mine[lock] = t.hard
		}
		for lock, hard := range mine {
			if w.now >= hard {
				continue
			}
			if other, two := acting[lock]; two {
				return fmt.Sprintf("%d and %d both act on %s", other, i, lock)
			}
			acting[lock] = i
		}
	}
	return ""
}

// moves yields every state that can follow.
func (x exploration) moves(w *world, yield func(label string, n *world) bool) {
	can := true
	try := func(label string, f func(n *world)) {
		if can {
			n := w.clone()
			f(n)
			x.settle(n)
			can = yield(label, n)
		}
	}
	for i, p := range w.members {
		if p.dead || x.isQuick(w, i) {
			continue
		}
		if p.core.wake != 0 && p.core.wake <= w.now {
			try(fmt.Sprintf("%d wakes", i), func(n *world) { x.step(n, i, woke{}) })
		}
		if r := w.records[TableKey]; p.news(TableKey, r) {
			try(fmt.Sprintf("%d sees the table", i), func(n *world) { x.tell(n, i, r) })
		}
		for j, f := range p.flights {
			name := fmt.Sprintf("%d's %s of %s", i, purposeNames[f.purpose], f.key)
			switch {
			case !f.served:
				try("the store serves "+name, func(n *world) { n.member(i).flights[j] = x.serve(n, i, f) })
			case f.late: // nobody waits for it
			default:
				try("answer to "+name, func(n *world) { x.answer(n, i, j, f.answer) })
			}
			if !f.late && w.faults < x.faults && slices.Contains(x.wrong, "loss") {
				try("no answer to "+name, func(n *world) {
					n.faults++
					x.answer(n, i, j, answered{record: record{key: f.key}, err: errNoAnswer})
				})
			}
		}
	}
	if leader := w.members[0].core.seat.Slot; x.bend.slowWatch {
		key := slotKey(leader)
		if r := w.records[key]; w.members[1].news(key, r) {
			try("1 sees "+key, func(n *world) { x.tell(n, 1, r) })
		}
	}
	for i, p := range w.members {
		for lock, t := range p.terms {
			if t.stopped && !p.dead {
				try(fmt.Sprintf("%d's function of %s returns", i, lock), func(n *world) {
					delete(n.member(i).terms, lock)
					x.step(n, i, returned{lock})
				})
			}
		}
		for lock := range p.ghosts {
			try(fmt.Sprintf("%d's function of %s returns late", i, lock), func(n *world) { delete(n.member(i).ghosts, lock) })
		}
		x.goWrong(w, i, try)
	}
	try("a tick", func(n *world) { n.now += tick })
}

// goWrong lets something go wrong with member i, or be done to it.
func (x exploration) goWrong(w *world, i int, try func(string, func(*world))) {
	if w.faults >= x.faults {
		return
	}
	for _, what := range x.wrong {
		label := fmt.Sprintf("%s %d", what, i)
		fault := func(f func(n *world)) {
			try(label, func(n *world) { n.faults++; f(n) })
		}
		seat := w.members[i].core.seat
		slot := w.records[slotKey(seat.Slot)]
		switch what {
		case "crash":
			fault(func(n *world) { n.member(i).dead = true })
		case "leave":
			if !w.members[i].core.leaving {
				fault(func(n *world) { x.step(n, i, leave{}) })
			}
		case "resign":
			fault(func(n *world) { x.step(n, i, resigned{lock: "l"}) })
		case "jump":
			fault(func(n *world) { x.step(n, i, jump{}) })
		case "delete the table":
			if i == 0 && w.records[TableKey].table != nil {
				fault(func(n *world) { n.put(TableKey, record{}) })
			}
		case "delete the slot of":
			if slot.slot != nil {
				fault(func(n *world) { n.put(slot.key, record{}) })
			}
		case "edit the slot of":
			if slot.slot != nil {
				fault(func(n *world) {
					edited := *slot.slot
					edited.Holder = "hand"
					n.put(slot.key, record{slot: &edited})
				})
			}
		}
	}
	if x.bend.rumours && i == 1 {
		victim := w.members[0].core.seat.Slot
		if r := w.records[slotKey(victim)]; r.slot != nil && !r.slot.free() {
			try("1 is told that 0 is dead", func(n *world) {
				n.faults++
				r.version++
				r.slot = &slot{Line: r.slot.Line}
				x.step(n, 1, saw{r})
			})
		}
	}
}

// put stores a record by hand; an empty one deletes.
func (w *world) put(key string, r record) Version {
	w.version += 2 // so that a rumour fits in between
	r.key, r.version = key, w.version
	w.records[key] = r
	return r.version
}

// serve is the linearizable part of a request.
func (x exploration) serve(w *world, i int, f flight) flight {
	f.served = true
	if x.bend.commit != nil {
		if a := x.bend.commit(w, i, &f.request); a != nil {
			f.answer = *a
			return f
		}
	}
	r := w.records[f.key]
	absent := r.slot == nil && r.table == nil
	a := answered{record: record{key: f.key}}
	switch {
	case f.purpose == toList:
		for _, key := range slices.Sorted(maps.Keys(w.records)) {
			if r := w.records[key]; r.slot != nil {
				a.records = append(a.records, r)
			}
		}
	case !f.purpose.writes():
		if !absent {
			a.record = r
		}
	case absent && f.version == 0 || !absent && f.version == r.version:
		stored := record{slot: f.slot}
		if f.purpose == toAssign {
			stored = record{table: f.table}
		}
		a.record.version = w.put(f.key, stored)
	default:
		a.err = ErrConflict
	}
	f.answer = a
	return f
}

// answer ends a request for its member. One given up stays under way if it was not
// served yet.
func (x exploration) answer(w *world, i, j int, a answered) {
	p := w.member(i)
	f := p.flights[j]
	if errors.Is(a.err, errNoAnswer) && !f.served && f.purpose.writes() {
		p.flights[j].late = true
	} else {
		p.flights = slices.Delete(p.flights, j, j+1)
	}
	a.request = f.request
	if x.bend.reply != nil {
		x.bend.reply(w, &a)
	}
	x.step(w, i, a)
}

// step lets a core take an event, and does what it says.
func (x exploration) step(w *world, i int, e event) {
	p := w.member(i)
	if _, told := e.(saw); !told && !x.isQuick(w, i) {
		// A slow member need not be slow to see that others live.
		for key, r := range sorted(w.records) {
			if key != TableKey && p.news(key, r) {
				x.tell(w, i, r)
			}
		}
	}
	for _, a := range p.core.Step(w.now, e) {
		switch a := a.(type) {
		case request:
			p.flights = append(p.flights, flight{request: a})
		case watch:
			for key := range p.seen {
				if key != TableKey && (a.prefix != p.prefix || !strings.HasPrefix(key, a.prefix)) {
					delete(p.seen, key)
				}
			}
			p.prefix = a.prefix
		case start:
			until := p.core.until()
			p.terms[a.lock] = &simTerm{token: a.token, until: until, hard: until + time.Duration(x.budget)*tick}
		case stop:
			t := p.terms[a.lock]
			t.stopped = true
			t.fixed = a.cause == ErrLost || a.cause == ErrFenced
			if x.bend.onStop != nil {
				x.bend.onStop(w, i, a.lock)
			}
		}
	}
	if x.bend.after != nil {
		x.bend.after(w, p.core)
	}
	slices.SortStableFunc(p.flights, func(a, b flight) int { return int(a.purpose - b.purpose) })
	for lock, t := range p.terms {
		if until := p.core.until(); until > t.until && !t.fixed && p.core.grants(lock, t.token) {
			t.until, t.hard = until, until+time.Duration(x.budget)*tick
		}
	}
}

// settle does what happens at once.
func (x exploration) settle(w *world) {
	for again := true; again; {
		again = false
		for i, p := range w.members {
			quick := x.isQuick(w, i)
			for key, r := range sorted(w.records) {
				if quick && p.news(key, r) && !(x.bend.slowWatch && key == slotKey(w.members[0].core.seat.Slot)) {
					again = true
					x.tell(w, i, r)
				}
			}
			for len(p.owed) > 0 {
				p = w.member(i)
				lock := p.owed[0]
				p.owed = p.owed[1:]
				again = true
				x.step(w, i, returned{lock})
			}
			if p.dead {
				continue
			}
			if quick && p.core.wake != 0 && p.core.wake <= w.now {
				again = true
				x.step(w, i, woke{})
				p = w.member(i)
			}
			for j, f := range p.flights {
				if !f.late && (quick || slices.Contains(x.atOnce, f.purpose)) {
					again = true
					p = w.member(i)
					p.flights[j] = x.serve(w, i, f)
					x.answer(w, i, j, p.flights[j].answer)
					break
				}
			}
		}
	}
}

func (x exploration) isQuick(w *world, i int) bool { return i >= len(w.members)-x.quick }

// news reports whether a record is news for a watch of the process.
func (p *process) news(key string, r record) bool {
	return !p.dead && r.version > p.seen[key] && (key == TableKey || strings.HasPrefix(key, p.prefix))
}

// tell delivers a record to a watch.
func (x exploration) tell(w *world, i int, r record) {
	w.member(i).seen[r.key] = r.version
	if r.slot == nil && r.table == nil {
		r.version = 0
	}
	x.step(w, i, saw{r})
}

var purposeNames = [...]string{"list", "join", "beat", "reread", "release", "confirm", "assign", "look", "fence"}

// begin returns a world in which n members have joined, the last is the assigner,
// and member 0 leads "l".
func (x exploration) begin(n int, keeper bool) *world {
	w := &world{now: dawn, records: map[string]record{}}
	calm := x
	calm.quick, calm.bend = n, bend{}
	for i := range n {
		c := newCore(string(rune('a'+i)), x.timing, uint64(i)*7919+1)
		c.keeper = keeper
		w.members = append(w.members, &process{core: c, dead: true, seen: map[string]Version{}, terms: map[string]*simTerm{}, ghosts: map[string]instant{}})
	}
	join := func(i int) {
		w.members[i].dead = false
		calm.step(w, i, woke{})
		calm.settle(w)
	}
	join(n - 1)
	for range 4 {
		w.now += tick / 4
		calm.settle(w)
	}
	for i := range n - 1 {
		join(i)
	}
	calm.step(w, 0, offered{"l"})
	for w.members[0].terms["l"] == nil {
		w.now += tick / 4
		calm.settle(w)
	}
	for i := range n {
		calm.step(w, i, offered{"l"})
	}
	w.now = (w.now + tick - 1).Truncate(tick)
	calm.settle(w)
	w.first = w.members[0].core.me
	return w
}
