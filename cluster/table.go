package cluster

import "maps"

// A table is the one record of all locks and their owners. Once made it does not
// change: a write makes another one.
type table struct {
	// ID is drawn when the record is created and then stays: another one means that
	// the table was deleted, or edited by hand, in between.
	ID string
	// Fresh marks a table that replaces one which was lost. It grants nothing. Who
	// wants to grant on it must have seen it for x: by then every leader under the
	// lost one has stopped.
	Fresh bool
	// Base is the version of the record that this table was written over. No member
	// can have seen a later one before this.
	Base Version

	Coordinator string              // incarnation of the assigner, or ""
	Members     map[string]seat     // by incarnation
	Sets        map[string][]string // locks offered, by hash
	Locks       map[string]entry
}

// A seat tells where to find a member's slot, and which version of it was the
// member's: what is older tells nothing about the member.
type seat struct {
	Slot    int     `json:"slot"`
	Line    string  `json:"line"`
	Version Version `json:"version"`
}

// An entry grants a lock. Token is the version of the table on which the grant
// was based, so that a later grant has a greater one.
type entry struct {
	Holder string  `json:"holder"`
	Token  Version `json:"token"`
	Move   bool    `json:"move,omitempty"` // the holder shall give it back
}

// same reports whether t and o are one state of the table: each state has its own
// base, because only one write over a version succeeds.
func (t *table) same(o *table) bool { return t.ID == o.ID && t.Base == o.Base }

// equal reports whether t and o say the same, whatever they were written over.
func (t *table) equal(o *table) bool {
	return t.ID == o.ID && t.Fresh == o.Fresh && t.Coordinator == o.Coordinator &&
		maps.Equal(t.Members, o.Members) && maps.Equal(t.Locks, o.Locks) &&
		maps.EqualFunc(t.Sets, o.Sets, func(a, b []string) bool { return len(a) == len(b) }) // a hash names one list
}
