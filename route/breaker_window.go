package route

import "time"

// callStats are those of calls in the closed state.
type callStats interface {
	add(now time.Duration, c call) tally
	reset()
}

// A call is what counts of one.
type call struct{ failed, slow bool }

// A tally counts calls.
type tally struct{ calls, failed, slow int }

func (t *tally) add(c call, n int) {
	t.calls += n
	if c.failed {
		t.failed += n
	}
	if c.slow {
		t.slow += n
	}
}

func (t *tally) rate(n int) float64 { return 100 * float64(n) / float64(t.calls) }

// A callWindow counts the last calls.
type callWindow struct {
	last []call
	next int // where the oldest one is, once there are as many
	sum  tally
}

func (w *callWindow) reset() { w.sum, w.next = tally{}, 0 }

func (w *callWindow) add(_ time.Duration, c call) tally {
	if w.sum.calls == len(w.last) {
		w.sum.add(w.last[w.next], -1)
	}
	w.last[w.next] = c
	w.next = (w.next + 1) % len(w.last)
	w.sum.add(c, 1)
	return w.sum
}

const timeParts = 10

// A timeWindow counts the calls of the last time, in parts of it.
type timeWindow struct {
	part  time.Duration
	parts [timeParts]tally
	now   time.Duration // in parts
}

func (w *timeWindow) reset() { w.parts = [timeParts]tally{} }

func (w *timeWindow) add(now time.Duration, c call) (sum tally) {
	at := now / w.part
	for i := range min(at-w.now, timeParts) {
		w.parts[(at-i)%timeParts] = tally{}
	}
	w.now = at
	w.parts[at%timeParts].add(c, 1)
	for _, p := range w.parts {
		sum.calls += p.calls
		sum.failed += p.failed
		sum.slow += p.slow
	}
	return sum
}
