package cluster

import (
	"container/heap"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// The simulator runs cores against a store that loses, delays and reorders, on
// clocks of different rates, with partitions, pauses, crashes and deletions by
// hand. A seed decides all of it. See docs/leadership.md for the properties.

var errNoAnswer = errors.New("no answer")

// A simWorld is a cluster in simulated time.
type simWorld struct {
	t       *testing.T
	seed    uint64
	rand    *rand.Rand
	opts    Options
	now     time.Duration // real time
	queue   simQueue
	count   int
	moments int
	records map[string]simRecord
	version Version
	members []*simMember
	serial  int
	faults  bool // lose and delay messages
	keeper  bool
	token   map[string]Version // the highest that started, by lock
	holder  map[string]string  // who had it
	terms   int
	stops   map[error]int
	trace   []string
	failed  bool
	verbose bool
	prompt  bool // messages take no time
}

type simRecord struct {
	version Version
	value   []byte
}

// A simMember is one process.
type simMember struct {
	w       *simWorld
	name    string
	core    *core
	rate    float64       // of its clock
	zero    time.Duration // its clock's reading at time 0
	dead    bool
	cut     bool
	paused  bool
	held    []event // while paused
	wakes   int
	watches [2]*simWatch // the table, the slots
	terms   map[string]*simTerm
	wants   []string
	asked   int // requests
}

// A simTerm is a term as the shell sees it.
type simTerm struct {
	token   Version
	until   instant // act
	hard    instant // Deadline
	stopped bool
	fixed   bool
}

type simWatch struct {
	prefix string
	over   bool
	last   map[string]Version // delivered
}

func newSimWorld(t *testing.T, seed uint64, o Options) *simWorld {
	o.Name = "sim"
	o, err := o.filled()
	if err != nil {
		t.Fatal(err)
	}
	return &simWorld{
		t: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 1)), opts: o, records: map[string]simRecord{},
		token: map[string]Version{}, holder: map[string]string{}, stops: map[error]int{},
	}
}

func (w *simWorld) logf(format string, args ...any) {
	line := fmt.Sprintf("%12v ", w.now) + fmt.Sprintf(format, args...)
	if w.verbose {
		w.t.Log(line)
	}
	w.trace = append(w.trace, line)
	if len(w.trace) > 4000 {
		w.trace = w.trace[2000:]
	}
}

func (w *simWorld) fail(format string, args ...any) {
	if w.failed {
		return
	}
	w.failed = true
	w.logf(format, args...)
	w.t.Errorf("seed %d: %s\n%s", w.seed, fmt.Sprintf(format, args...), strings.Join(w.trace[max(0, len(w.trace)-80):], "\n"))
}

// after has f run d later.
func (w *simWorld) after(d time.Duration, f func()) {
	w.count++
	heap.Push(&w.queue, simEvent{w.now + max(d, 0), w.count, f})
}

// run lets time pass until t.
func (w *simWorld) run(t time.Duration) {
	for len(w.queue) > 0 && w.queue[0].at <= t && !w.failed {
		e := heap.Pop(&w.queue).(simEvent)
		w.now = e.at
		if w.moments++; w.moments > 200_000 {
			w.fail("it never ends")
		}
		e.f()
		w.check()
	}
	w.now = t
}

func (w *simWorld) chance(p float64) bool { return w.rand.Float64() < p }

func (w *simWorld) upTo(d time.Duration) time.Duration {
	return time.Duration(w.rand.Int64N(int64(d) + 1))
}

// latency of one way: mostly short, sometimes very long.
func (w *simWorld) latency() time.Duration {
	if w.prompt {
		return 0
	}
	d := time.Millisecond + w.upTo(5*time.Millisecond)
	if w.faults && w.chance(0.05) {
		d += w.upTo(2 * w.opts.Limit)
	}
	return d
}

// join starts a process.
func (w *simWorld) join(name string, rate float64, wants ...string) *simMember {
	w.serial++
	m := &simMember{
		w: w, name: fmt.Sprintf("%s%d", name, w.serial), rate: rate, zero: dawn + w.upTo(time.Hour),
		terms: map[string]*simTerm{}, wants: wants,
	}
	m.core = newCore(m.name, w.opts.timing(), w.rand.Uint64())
	m.core.keeper, m.core.balance = w.keeper, !w.opts.Fixed
	m.core.few = int(w.seed%3) * 3 // none, some or all of them watch all slots
	w.members = append(w.members, m)
	m.watch(0, TableKey)
	for _, lock := range wants {
		m.step(offered{lock})
	}
	m.step(woke{})
	return m
}

func (m *simMember) local() instant {
	return m.zero + instant(float64(m.w.now)*m.rate)
}

// real is how long from now until the member's clock shows i.
func (m *simMember) real(i instant) time.Duration {
	return time.Duration(float64(i-m.local()) / m.rate)
}

func (m *simMember) step(e event) {
	if m.dead {
		return
	}
	if m.paused {
		m.held = append(m.held, e)
		return
	}
	actions := m.core.Step(m.local(), e)
	for _, a := range actions {
		m.do(a)
	}
	if m.dead {
		return
	}
	until := m.core.until()
	if until != 0 {
		for lock, term := range m.terms {
			if !term.fixed && m.core.grants(lock, term.token) && term.until < until {
				term.until, term.hard = until, until+scale(m.w.opts.StopBudget, 1-m.w.opts.Drift)
			}
		}
	}
	if m.core.left {
		m.w.logf("%s left", m.name)
		m.dead = true
		m.unwatch()
		return
	}
	if m.core.wake != 0 {
		m.wakes++
		wake := m.wakes
		m.w.after(m.real(m.core.wake)+1, func() {
			if wake == m.wakes {
				m.step(woke{})
			}
		})
	}
}

func (m *simMember) do(a action) {
	w := m.w
	switch a := a.(type) {
	case request:
		m.ask(a)
	case watch:
		m.watch(1, a.prefix)
	case note:
		if a.level >= slog.LevelInfo {
			w.logf("%s: %s %v", m.name, a.text, a.args)
		}
	case start:
		w.terms++
		w.logf("%s starts %s with %d", m.name, a.lock, a.token)
		if a.token < w.token[a.lock] || a.token == w.token[a.lock] && w.holder[a.lock] != m.core.me {
			w.fail("P2: %s starts %s with token %d after %d of %s", m.name, a.lock, a.token, w.token[a.lock], w.holder[a.lock])
		}
		w.token[a.lock], w.holder[a.lock] = a.token, m.core.me
		if m.terms[a.lock] != nil {
			w.fail("%s starts %s twice", m.name, a.lock)
		}
		until := m.core.until()
		m.terms[a.lock] = &simTerm{token: a.token, until: until, hard: until + scale(w.opts.StopBudget, 1-w.opts.Drift)}
	case stop:
		term := m.terms[a.lock]
		w.logf("%s stops %s: %v", m.name, a.lock, a.cause)
		w.stops[a.cause]++
		term.stopped = true
		term.fixed = a.cause == ErrLost || a.cause == ErrFenced
		slow := w.upTo(100 * time.Millisecond)
		if w.faults && w.chance(0.3) {
			slow = w.upTo(2 * w.opts.StopBudget)
		}
		w.after(slow, func() { m.finish(a.lock, term, slow) })
	}
}

// finish has a function return that was told to stop; a process whose function
// overruns is ended.
func (m *simMember) finish(lock string, term *simTerm, slow time.Duration) {
	if m.dead || m.terms[lock] != term {
		return
	}
	if m.paused {
		m.w.after(time.Second, func() { m.finish(lock, term, slow) })
		return
	}
	if term.fixed && m.local() >= term.hard && slow > m.w.opts.StopBudget/2 {
		m.w.logf("%s overruns %s", m.name, lock)
		m.w.restart(m)
		return
	}
	delete(m.terms, lock)
	m.step(returned{lock})
}

// restart ends a process and starts another in its place, some time later.
func (w *simWorld) restart(m *simMember) {
	w.logf("%s dies", m.name)
	m.dead = true
	m.unwatch()
	w.members = slices.DeleteFunc(w.members, func(o *simMember) bool { return o == m })
	w.after(w.upTo(2*w.opts.Wait), func() { w.join(m.name[:1], m.rate, m.wants...) })
}

func (w *simWorld) pause(m *simMember, d time.Duration) {
	if m.paused || m.dead {
		return
	}
	w.logf("%s paused for %v", m.name, d)
	m.paused = true
	w.after(d, func() {
		w.logf("%s resumes", m.name)
		m.paused = false
		held := m.held
		m.held = nil
		w.rand.Shuffle(len(held), func(i, j int) {
			if _, ok := held[i].(saw); ok { // a watch keeps its order
				return
			}
			if _, ok := held[j].(saw); ok {
				return
			}
			held[i], held[j] = held[j], held[i]
		})
		for _, e := range held {
			m.step(e)
		}
		m.step(woke{})
	})
}

func (w *simWorld) cutOff(m *simMember, d time.Duration) {
	if m.cut || m.dead {
		return
	}
	w.logf("%s cut off for %v", m.name, d)
	m.cut = true
	w.after(d, func() {
		w.logf("%s connected", m.name)
		m.cut = false
		for i, watch := range m.watches { // which had ended with the connection
			m.watch(i, watch.prefix)
		}
	})
}

// check is P1: no two members act on a lock at the same time.
func (w *simWorld) check() {
	acting := map[string]*simMember{}
	for _, m := range w.members {
		if m.dead {
			continue
		}
		for lock, term := range m.terms {
			if m.local() >= term.hard { // Term.Valid is false
				continue
			}
			if other := acting[lock]; other != nil {
				w.fail("P1: %s and %s both act on %s", other.name, m.name, lock)
			}
			acting[lock] = m
		}
	}
}

// owners returns who acts on each lock.
func (w *simWorld) owners() map[string]string {
	owners := map[string]string{}
	for _, m := range w.members {
		for lock, term := range m.terms {
			if !m.dead && !m.paused && !term.stopped && m.local() < term.until {
				owners[lock] = m.name
			}
		}
	}
	return owners
}

type simEvent struct {
	at  time.Duration
	seq int
	f   func()
}

// simQueue is a heap of events.
type simQueue []simEvent

func (q simQueue) Len() int { return len(q) }
func (q simQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q simQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *simQueue) Push(x any)   { *q = append(*q, x.(simEvent)) }
func (q *simQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}
