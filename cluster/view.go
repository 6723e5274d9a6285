package cluster

import (
	"cmp"
	"context"
	"iter"
	"slices"
)

// A Member is one replica of the program.
type Member struct {
	ID    string // its incarnation: Name, "#" and a random word; "" for a replica that has not joined
	Name  string // Options.Name, such as the name of the pod
	Slot  int    // a small number that no other member has; -1 for a replica that has not joined
	Local bool   // it is this one
}

// A View shows who leads. It is for people, logs and dashboards and never a reason
// to act: what it shows may be over already. To act, use [Service.Run].
type View struct {
	s    *Service
	lock string
}

// A Change is what a [View] shows after something changed.
type Change struct {
	Leader  Member // the zero Member where nobody leads, or this member cannot tell
	Token   uint64 // of the leader; 0 where there is none
	Leading bool   // this member leads: a function given to Run for the lock runs, or is about to
	Members []Member
}

// Leader returns the member that holds the lock, and the fencing token of its
// term. Ok is false where nobody does, and where this member cannot tell because
// it has lost touch.
func (v View) Leader() (leader Member, token uint64, ok bool) {
	c := v.s.seen().change(v.lock)
	return c.Leader, c.Token, c.Token != 0
}

// Leading reports whether this member leads: where Run was called for the lock and
// Leading is false, it stands by.
func (v View) Leading() bool { return v.s.seen().running[v.lock] }

// Members returns the replicas of the program, by slot; those that have not joined
// come last, by name.
func (v View) Members() []Member { return v.s.Members() }

// Changes yields what the view shows now, and then anew after each change, in
// order. A slow reader misses changes that others have followed, never the last
// one. It ends with ctx, or when the service is closed.
func (v View) Changes(ctx context.Context) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		var last Change
		for first := true; ; first = false {
			now, changed := v.s.sight.get()
			if c := now.change(v.lock); first || !c.equal(last) {
				if !yield(c) {
					return
				}
				last = c
			}
			select {
			case <-changed:
			case <-v.s.done:
				return
			case <-ctx.Done():
				return
			}
		}
	}
}

func (c Change) equal(o Change) bool {
	return c.Leader == o.Leader && c.Token == o.Token && c.Leading == o.Leading && slices.Equal(c.Members, o.Members)
}

// A sight is what a member sees of the cluster at one time.
type sight struct {
	table   *table // nil where it cannot tell
	me      string
	seat    seat
	valid   bool // it may act
	running map[string]bool
	roster  []string // names that the store knows
	health  error
	stats   Stats
}

// change is what s shows of a lock.
func (s *sight) change(lock string) Change {
	c := Change{Leading: s.running[lock], Members: s.members()}
	if s.table == nil {
		return c
	}
	e, held := s.table.Locks[lock]
	if !held || e.Holder == s.me && !s.valid {
		return c
	}
	c.Leader, c.Token = s.member(e.Holder, s.table.Members[e.Holder].Slot), uint64(e.Token)
	return c
}

func (s *sight) member(incarnation string, slot int) Member {
	return Member{ID: incarnation, Name: nameOf(incarnation), Slot: slot, Local: incarnation == s.me}
}

func (s *sight) members() []Member {
	var list []Member
	names := map[string]bool{}
	add := func(m Member) {
		list = append(list, m)
		names[m.Name] = true
	}
	if s.table != nil {
		for inc, at := range s.table.Members {
			add(s.member(inc, at.Slot))
		}
	}
	if s.me != "" && !slices.ContainsFunc(list, func(m Member) bool { return m.Local }) {
		add(s.member(s.me, s.seat.Slot))
	}
	slices.SortFunc(list, func(a, b Member) int { return cmp.Or(a.Slot-b.Slot, cmp.Compare(a.ID, b.ID)) })
	for _, name := range s.roster {
		if !names[name] {
			add(Member{Name: name, Slot: -1})
		}
	}
	return list
}

// same reports whether nobody who watches would see a difference.
func (s *sight) same(o *sight) bool {
	return s.table == o.table && s.me == o.me && s.valid == o.valid && slices.Equal(s.roster, o.roster) && equalSets(s.running, o.running)
}

func equalSets(a, b map[string]bool) bool {
	if len(a) != len(b) {
		return false
	}
	for k := range a {
		if !b[k] {
			return false
		}
	}
	return true
}
