package cluster

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// seeds is how many worlds are tried: MEHARI_SEEDS, or few enough for every day.
func seeds(t *testing.T) int {
	if s := os.Getenv("MEHARI_SEEDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 300
}

// TestProperties runs worlds full of faults, lets the faults end, and expects
// that no two members ever acted on a lock at once (P1), that tokens increase
// (P2), that nothing is given back that runs (P4), and that in the end each lock
// has an owner and the locks are spread (P5).
func TestProperties(t *testing.T) {
	begin := time.Now()
	var terms, moments int
	first := 1
	if s := os.Getenv("MEHARI_SEED"); s != "" {
		first, _ = strconv.Atoi(s)
	}
	n := seeds(t)
	for seed := first; seed < first+n && !t.Failed(); seed++ {
		w := faultyWorld(t, uint64(seed))
		terms += w.terms
		moments += w.moments
	}
	t.Logf("%d worlds, %d terms, %d events in %v", n, terms, moments, time.Since(begin).Round(time.Millisecond))
}

func faultyWorld(t *testing.T, seed uint64) *simWorld {
	w := newSimWorld(t, seed, Options{Drift: 0.1})
	w.verbose = os.Getenv("MEHARI_SEED") != "" && testing.Verbose()
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
