package cluster

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// number reads a number from the environment, for longer runs than every day's.
func number(t *testing.T, name string, otherwise int) int {
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestProperties runs worlds full of faults, lets the faults end, and expects
// that no two members ever acted on a lock at once (P1), that tokens increase
// (P2), that nothing is given back that runs (P4), and that in the end each lock
// has an owner and the locks are spread (P5). MEHARI_SEEDS worlds are tried,
// beginning with MEHARI_SEED.
func TestProperties(t *testing.T) {
	first, n := number(t, "MEHARI_SEED", 1), number(t, "MEHARI_SEEDS", defaultSeeds)
	const lanes = 4
	for lane := range lanes {
		t.Run(strconv.Itoa(lane), func(t *testing.T) {
			t.Parallel()
			var terms, moments int
			for seed := first + lane; seed < first+n && !t.Failed(); seed += lanes {
				w := faultyWorld(t, uint64(seed))
				terms += w.terms
				moments += w.moments
			}
			t.Logf("%d worlds, %d terms, %d events", n/lanes, terms, moments)
		})
	}
}

// TestStability is P7: where nothing goes wrong, nobody is stopped, whatever the
// clocks within the bound.
func TestStability(t *testing.T) {
	for seed := range uint64(5) {
		w := newSimWorld(t, seed, Options{})
		for i := range 4 {
			w.join(string(rune('a'+i)), 1+w.opts.Drift*float64(i%3-1), "l1", "l2", "l3")
		}
		w.run(10 * time.Minute)
		if len(w.stops) > 0 || len(w.owners()) != 3 {
			w.fail("stopped without cause: %v", w.stops)
		}
	}
}

// TestRequests is P6: what a member asks of the store does not depend on how many
// locks there are.
func TestRequests(t *testing.T) {
	for _, locks := range []int{10, 500} {
		w := newSimWorld(t, 1, Options{})
		var names []string
		for i := range locks {
			names = append(names, strconv.Itoa(i))
		}
		for range 3 {
			w.join("m", 1, names...)
		}
		w.run(time.Minute)
		for _, m := range w.members {
			m.asked = 0
		}
		w.run(6 * time.Minute)
		for _, m := range w.members {
			if m.asked > 5*42 {
				t.Errorf("%d locks: %d requests in five minutes", locks, m.asked)
			}
		}
	}
}

// TestDrift cuts off a leader with the slowest clock, while the assigner has the
// fastest. With clocks at the bound that the options allow the leader has stopped
// just in time; a little beyond it has not. The bound is tight.
func TestDrift(t *testing.T) {
	overlap := func(drift float64) (both bool, spare time.Duration) {
		w := newSimWorld(t, 1, Options{Drift: 0.1})
		w.keeper = true
		w.prompt = true
		rival := w.join("r", 1+drift)
		w.run(time.Second)
		leader := w.join("l", 1-drift, "lock")
		w.run(10 * time.Second)
		rival.step(offered{"lock"})
		w.run(20 * time.Second)
		for leader.core.confirmed < leader.core.proved { // the last proof shall be the beat that the rival sees
			w.run(w.queue[0].at)
		}
		leader.cut = true
		hard := leader.terms["lock"].hard
		for rival.terms["lock"] == nil {
			w.run(w.queue[0].at)
		}
		spare = leader.real(hard) * -1
		return spare < 0, spare
	}
	if both, spare := overlap(0.1); both || spare > 50*time.Millisecond {
		t.Errorf("at the bound, %v to spare", spare)
	}
	if both, spare := overlap(0.105); !both {
		t.Errorf("beyond the bound, %v to spare", spare)
	}
}

func faultyWorld(t *testing.T, seed uint64) *simWorld {
	w := newSimWorld(t, seed, Options{Drift: 0.1})
	w.verbose = number(t, "MEHARI_SEEDS", 0) == 1 && testing.Verbose()
	w.faults = true
	locks := []string{"l1", "l2", "l3", "l4"}[:1+w.rand.IntN(4)]
	for i := range 2 + w.rand.IntN(4) {
		rates := []float64{1 - w.opts.Drift, 1, 1 + w.opts.Drift}
		w.join(string(rune('a'+i)), rates[w.rand.IntN(3)], locks...)
		w.run(w.now + w.upTo(time.Second))
	}
	end := w.now + 3*time.Minute
	calm := time.Duration(5+w.rand.IntN(50)) * time.Second
	for w.now < end && !w.failed {
		w.run(w.now + w.upTo(calm))
		w.mischief()
	}
	w.faults = false
	for _, m := range w.members {
		m.cut = false
	}
	for _, m := range w.members {
		for i, watch := range m.watches {
			m.watch(i, watch.prefix)
		}
	}
	w.logf("the faults end")
	// The last pause, restart and late message may take 40 s yet. Then a table may
	// have to be replaced, and a member be fenced under it.
	w.run(w.now + 45*time.Second + 3*w.opts.Wait)
	owners := w.owners()
	if len(owners) != len(locks) {
		w.fail("P5: owners %v of %v", owners, locks)
	}
	w.run(w.now + 4*w.opts.Wait)
	load := map[string]int{}
	for _, m := range w.members {
		if !m.dead {
			load[m.name] = 0
		}
	}
	for _, name := range w.owners() {
		load[name]++
	}
	for name, n := range load {
		if n < len(locks)/len(load) || n > (len(locks)+len(load)-1)/len(load) {
			w.fail("P5: %s has %d locks: %v", name, n, load)
		}
	}
	return w
}

// mischief does something bad to the cluster.
func (w *simWorld) mischief() {
	if len(w.members) == 0 {
		return
	}
	m := w.members[w.rand.IntN(len(w.members))]
	long := w.upTo(2 * w.opts.Wait)
	switch w.rand.IntN(12) {
	case 0, 1:
		w.pause(m, long)
	case 2, 3:
		w.cutOff(m, long)
	case 4:
		for _, m := range w.members {
			w.cutOff(m, long)
		}
	case 5:
		w.restart(m)
	case 6:
		w.logf("%s shall leave", m.name)
		m.step(leave{})
		w.after(w.opts.Wait, func() {
			if len(w.members) < 7 {
				w.join(m.name[:1], m.rate, m.wants...)
			}
		})
	case 7:
		m.step(resigned{lock: m.wants[w.rand.IntN(len(m.wants))], before: m.local() + w.upTo(5*time.Second)})
	case 8:
		w.logf("%s: a clock jumps", m.name)
		m.step(jump{})
	case 9:
		if w.chance(0.5) {
			w.logf("the table is deleted by hand")
			w.set(TableKey, nil)
		} else if r, ok := w.records[TableKey]; ok {
			w.logf("the table is edited by hand")
			w.set(TableKey, []byte(strings.Replace(string(r.value), `"holder":"`, `"holder":"x`, 1)))
		}
	case 10:
		key := slotKey(w.rand.IntN(4))
		if r, ok := w.records[key]; ok && w.chance(0.5) {
			w.logf("%s is edited by hand", key)
			w.set(key, []byte(strings.Replace(string(r.value), `"holder":"`, `"holder":"x`, 1)))
		} else if ok {
			w.logf("%s is deleted by hand", key)
			w.set(key, nil)
		}
	case 11:
		lock := m.wants[w.rand.IntN(len(m.wants))]
		m.step(withdrawn{lock})
		w.after(w.upTo(time.Second), func() { m.step(offered{lock}) })
	}
}
