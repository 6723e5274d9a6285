package cluster

import (
	"strings"
	"time"
)

// ask sends a request through a network that loses and delays.
func (m *simMember) ask(q request) {
	w := m.w
	m.asked++
	m.proper(q)
	var a answered
	answeredYet := false
	reply := func() {
		if !answeredYet {
			answeredYet = true
			a.request = q
			m.step(a)
		}
	}
	lost, silent := m.cut, m.cut
	if w.faults {
		lost, silent = lost || w.chance(0.03), silent || w.chance(0.03)
	}
	if !lost {
		w.after(w.latency(), func() {
			a = w.serve(q)
			cut := m.cut // the answer cannot get through
			w.after(w.latency(), func() {
				if !silent && !cut && !m.cut {
					reply()
				}
			})
		})
	}
	w.after(time.Duration(float64(w.opts.Limit/4)/m.rate), func() {
		if !answeredYet {
			a = answered{record: record{key: q.key}, err: errNoAnswer}
			reply()
		}
	})
}

// proper checks P4: nothing is given back that still runs.
func (m *simMember) proper(q request) {
	if q.purpose == toRelease && len(m.terms) > 0 {
		m.w.fail("P4: %s releases its slot while functions run", m.name)
	}
	if q.slot != nil && (q.purpose == toBeat || q.purpose == toJoin) {
		for lock, token := range q.slot.Done {
			if term := m.terms[lock]; term != nil && term.token == token {
				m.w.fail("P4: %s gives back %s while it runs", m.name, lock)
			}
		}
	}
}

// serve answers a request: the linearizable part.
func (w *simWorld) serve(q request) answered {
	a := answered{record: record{key: q.key}}
	switch {
	case q.purpose == toList:
		for key, r := range sorted(w.records) {
			if strings.HasPrefix(key, q.key) {
				a.records = append(a.records, decode(Record{key, r.version, r.value}))
			}
		}
	case q.purpose.writes():
		if w.records[q.key].version != q.version {
			a.err = ErrConflict
			return a
		}
		value := []byte(nil)
		if q.table != nil && q.purpose == toAssign {
			value = encodeTable(q.table)
			if _, err := decodeTable(value); err != nil {
				w.fail("the table written cannot be read: %v\n%s", err, value)
			}
		} else {
			value = encodeSlot(q.slot)
		}
		a.record.version = w.set(q.key, value)
	default:
		if r := w.records[q.key]; r.version == q.version && q.version != 0 {
			a.record.version = r.version
		} else if r.version != 0 {
			a.record = decode(Record{q.key, r.version, r.value})
		}
	}
	return a
}

// set stores a value, or deletes the record where it is nil, and tells the watches.
func (w *simWorld) set(key string, value []byte) Version {
	w.version++
	version := w.version
	if value == nil {
		delete(w.records, key)
	} else {
		w.records[key] = simRecord{version, value}
	}
	for _, m := range w.members {
		for _, watch := range m.watches {
			if watch != nil && strings.HasPrefix(key, watch.prefix) {
				m.tell(watch, key, version, value)
			}
		}
	}
	return version
}

// tell delivers a change to a watch, late and sometimes not at all if there is a
// later one.
func (m *simMember) tell(watch *simWatch, key string, version Version, value []byte) {
	w := m.w
	w.after(w.latency(), func() {
		newer := w.records[key].version > version
		switch {
		case watch.over || m.dead, m.cut, watch.last[key] >= version, newer && w.chance(0.5):
			return
		}
		watch.last[key] = version
		r := Record{Key: key}
		if value != nil {
			r = Record{key, version, value}
		}
		m.step(saw{decode(r)})
	})
}

// watch begins a watch, in place of the one before.
func (m *simMember) watch(i int, prefix string) {
	if m.watches[i] != nil {
		m.watches[i].over = true
	}
	watch := &simWatch{prefix: prefix, last: map[string]Version{}}
	m.watches[i] = watch
	for key, r := range sorted(m.w.records) {
		if strings.HasPrefix(key, prefix) {
			m.tell(watch, key, r.version, r.value)
		}
	}
}

func (m *simMember) unwatch() {
	for _, watch := range m.watches {
		watch.over = true
	}
}
