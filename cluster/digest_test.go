package cluster

import (
	"cmp"
	"hash/maphash"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// digest names a state of the world such that two states with one digest have the
// same future: instants count from now, the versions of a record by their order, and
// random words by their first mention. It leaves out what has no future: counts, and
// what is only for people.
func digest(seed maphash.Seed, w *world) uint64 {
	d := &digester{now: w.now, past: w.members[0].core.x + tick}
	for _, key := range slices.Sorted(maps.Keys(w.records)) {
		d.string(key)
		d.record(w.records[key])
	}
	d.int(w.faults)
	for _, p := range w.members {
		d.process(p)
	}
	d.rank()
	return maphash.Bytes(seed, d.b)
}

type digester struct {
	b        []byte
	now      instant
	past     instant // what is longer ago makes no difference any more
	words    []string
	versions []mention
}

// A mention is a place in the digest for the rank of a version.
type mention struct {
	slot    int // of the record, or -1 for the table
	version Version
	at      int
}

// rank fills in the versions: those of one record are only ever compared.
func (d *digester) rank() {
	slices.SortFunc(d.versions, func(a, b mention) int {
		return cmp.Or(a.slot-b.slot, cmp.Compare(a.version, b.version))
	})
	rank := byte(0)
	for i, m := range d.versions {
		switch {
		case i == 0 || d.versions[i-1].slot != m.slot:
			rank = 1
		case d.versions[i-1].version != m.version:
			rank++
		}
		d.b[m.at] = rank
	}
}

func (d *digester) version(slot int, v Version) {
	if v != 0 {
		d.versions = append(d.versions, mention{slot, v, len(d.b)})
	}
	d.b = append(d.b, 0)
}

func (d *digester) int(i int) { d.b = append(d.b, byte(i), byte(i>>8)) }

func (d *digester) string(s string) { d.b = append(append(d.b, s...), 0) }

func (d *digester) bools(list ...bool) {
	var b byte
	for _, is := range list {
		b <<= 1
		if is {
			b |= 1
		}
	}
	d.b = append(d.b, b)
}

func (d *digester) instants(list ...instant) {
	for _, i := range list {
		d.b = append(d.b, byte((max(i-d.now, -d.past)+d.past+tick-1)/tick))
	}
}

// word writes a random word, or an incarnation.
func (d *digester) word(s string) {
	name, random, ok := strings.Cut(s, "#")
	if !ok {
		name, random = "", s
	}
	i := slices.Index(d.words, random)
	if i < 0 {
		i = len(d.words)
		d.words = append(d.words, random)
	}
	d.string(name)
	d.b = append(d.b, byte(i))
}

func (d *digester) record(r record) {
	key := -1
	if k, ok := slotNumber(r.key); ok {
		key = k
	}
	d.version(key, r.version)
	d.slot(r.slot)
	d.table(r.table)
}

func (d *digester) slot(s *slot) {
	d.bools(s == nil)
	if s == nil {
		return
	}
	d.word(s.Holder)
	d.word(s.Session)
	d.word(s.Line)
	d.string(s.Set)
	d.int(len(s.Offers)<<8 | len(s.Off))
	for _, lock := range s.Off {
		d.string(lock)
	}
	for lock, token := range sorted(s.Done) {
		d.string(lock)
		d.version(-1, token)
	}
	d.bools(s.Leaving)
}

func (d *digester) table(t *table) {
	d.bools(t == nil)
	if t == nil {
		return
	}
	d.word(t.ID)
	d.bools(t.Fresh)
	d.version(-1, t.Base)
	d.word(t.Coordinator)
	d.int(len(t.Members)<<8 | len(t.Sets)<<4 | len(t.Locks))
	for inc, s := range sorted(t.Members) {
		d.word(inc)
		d.seat(s)
	}
	for set := range sorted(t.Sets) {
		d.string(set)
	}
	for lock, e := range sorted(t.Locks) {
		d.string(lock)
		d.word(e.Holder)
		d.version(-1, e.Token)
		d.bools(e.Move)
	}
}

func (d *digester) seat(s seat) {
	d.int(s.Slot)
	d.word(s.Line)
	d.version(s.Slot, s.Version)
}

func (d *digester) process(p *process) {
	d.core(p.core)
	d.string(p.prefix)
	d.bools(p.dead)
	d.int(len(p.flights)<<8 | len(p.terms)<<4 | len(p.ghosts))
	for _, f := range p.flights {
		d.bools(f.served, f.late, f.answer.err != nil)
		d.request(f.request)
		d.record(f.answer.record)
		for _, r := range f.answer.records {
			d.record(r)
		}
	}
	for key, v := range sorted(p.seen) {
		k, ok := slotNumber(key)
		if !ok {
			k = -1
		}
		d.int(k)
		d.version(k, v)
	}
	for lock, t := range sorted(p.terms) {
		d.string(lock)
		d.version(-1, t.token)
		d.instants(t.until, t.hard)
		d.bools(t.stopped, t.fixed)
	}
	for lock, hard := range sorted(p.ghosts) {
		d.string(lock)
		d.instants(hard)
	}
	for _, lock := range p.owed {
		d.string(lock)
	}
}

func (d *digester) request(q request) {
	d.int(int(q.purpose))
	d.string(q.key)
	k, ok := slotNumber(q.key)
	if !ok {
		k = -1
	}
	d.version(k, q.version)
	d.slot(q.slot)
	d.table(q.table)
	d.instants(q.sent)
}

func (d *digester) core(c *core) {
	d.word(c.me)
	d.seat(c.seat)
	d.version(c.seat.Slot, c.version)
	d.slot(c.written)
	d.bools(c.busy, c.unsure, c.jumped, c.leaving, c.left, c.reading, c.writing)
	d.instants(c.wake, c.proved, c.contact, c.beatAt, c.retryAt, c.jumpedAt, c.since, c.confirmed, c.readAt, c.recheck,
		c.createAt, c.watchAt, c.takeAt)
	d.int(int(c.tableState))
	d.version(-1, c.tableVersion)
	d.table(c.table)
	d.string(c.set)
	d.string(c.watched)
	for name, l := range sorted(c.locks) {
		d.string(name)
		d.bools(l.offered, l.stopping)
		d.instants(l.off)
		d.version(-1, l.quit)
		d.version(-1, l.running)
	}
	for k, v := range sorted(c.views) {
		d.int(k)
		d.version(k, v.version)
		d.slot(v.slot)
		d.instants(v.since, v.lookAt)
		d.bools(v.busy, v.beats > 0, v.lookAt != 0)
	}
	for inc, since := range sorted(c.strayed) {
		d.word(inc)
		d.instants(since)
	}
	for lock, since := range sorted(c.unowned) {
		d.string(lock)
		d.instants(since)
	}
	for lock, inc := range sorted(c.excluded) {
		d.string(lock)
		d.word(inc)
	}
}

// TestDigestKnowsAll fails when a field is added: then digest, and clone, may have
// to know it.
func TestDigestKnowsAll(t *testing.T) {
	for _, test := range []struct {
		of     reflect.Type
		fields int
	}{
		{reflect.TypeFor[core](), 51},
		{reflect.TypeFor[lock](), 5},
		{reflect.TypeFor[view](), 6},
		{reflect.TypeFor[slot](), 9},
		{reflect.TypeFor[table](), 7},
		{reflect.TypeFor[seat](), 3},
		{reflect.TypeFor[entry](), 3},
		{reflect.TypeFor[request](), 6},
		{reflect.TypeFor[record](), 5},
	} {
		if n := test.of.NumField(); n != test.fields {
			t.Errorf("%v has %d fields, and digest knows %d", test.of, n, test.fields)
		}
	}
}
