package cluster

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// The explorations begin where member 0 leads and member 1 is the assigner, who
// does everything at once. Member 0 is as slow as can be: its requests, their
// answers and the news of the table arrive in any order and at any time, it wakes
// up late, and its function takes up to the budget to stop. To keep the number of
// states small, some of its requests are served at once as well.
func exploring(x, y, budget int, atOnce ...purpose) exploration {
	e := exploration{
		timing: timing{x: time.Duration(x) * tick, y: time.Duration(y) * tick, r: tick},
		budget: budget, quick: 1, atOnce: atOnce, most: 3_000,
	}
	if s := os.Getenv("MEHARI_STATES"); s != "" {
		e.most, _ = strconv.Atoi(s)
	}
	return e
}

func (x exploration) with(faults int, wrong ...string) exploration {
	x.faults, x.wrong = faults, wrong
	return x
}

// whole has all states looked at, however many there are.
func (x exploration) whole() exploration {
	x.most = 1 << 30
	return x
}

func (x exploration) bent(b bend) exploration {
	x.bend = b
	return x
}

var (
	aboutSlot  = []purpose{toList, toJoin, toBeat, toReread, toRelease}
	aboutTable = []purpose{toConfirm, toAssign}
	everything = []purpose{toList, toJoin, toBeat, toReread, toRelease, toConfirm, toAssign, toLook, toFence}
)

// TestRules finds no way in which two members act at once. What is too large is
// explored breadth first as far as MEHARI_STATES allows.
func TestRules(t *testing.T) {
	for name, x := range map[string]exploration{
		"undisturbed":              exploring(2, 1, 1).whole(),
		"long term, slow beats":    exploring(3, 2, 1, aboutTable...),
		"long term, slow confirms": exploring(3, 2, 1, aboutSlot...),
		"no budget, slow beats":    exploring(2, 2, 0, aboutTable...),
		"no budget, slow confirms": exploring(2, 2, 0, aboutSlot...),
		"lost beats":               exploring(2, 1, 1, aboutTable...).with(1, "loss"),
		"lost confirms":            exploring(2, 1, 1, aboutSlot...).with(1, "loss"),
		"table deleted":            exploring(2, 1, 1, aboutSlot...).with(1, "delete the table"),
		"slot deleted":             exploring(2, 1, 1, aboutTable...).with(1, "delete the slot of"),
		"slot edited":              exploring(2, 1, 1, aboutTable...).with(1, "edit the slot of"),
		"clock jump":               exploring(2, 1, 1, aboutTable...).with(1, "jump"),
		"leave":                    exploring(2, 1, 1, aboutTable...).with(1, "leave"),
		"resign":                   exploring(2, 1, 1, aboutTable...).with(1, "resign"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			n, way, whole := x.explore(x.begin(2, false))
			t.Logf("%d states, all of them: %v, %v", n, whole, time.Since(began).Round(time.Millisecond))
			for _, s := range way {
				t.Error(s)
			}
		})
	}
}

// TestEachRuleIsNeeded takes the rules away, one at a time, by bending what goes in
// and out of a core, and finds each time how two members act at once.
func TestEachRuleIsNeeded(t *testing.T) {
	okay := func(q *request, version Version) *answered {
		return &answered{record: record{key: q.key, version: version}}
	}
	for name, x := range map[string]exploration{
		"x is longer than y and the budget": exploring(2, 2, 1),
		"x is longer than y":                exploring(2, 3, 0),
		"R2, R3: a deadline counts from the sending": exploring(2, 2, 0).bent(bend{
			reply: func(w *world, a *answered) { a.sent = w.now },
		}),
		"R3: the table is confirmed by a read that is not cached": exploring(2, 1, 1, everything...).with(1, "delete the table").bent(bend{
			commit: func(_ *world, i int, q *request) *answered {
				if i == 0 && q.purpose == toConfirm && q.version != 0 {
					return okay(q, q.version)
				}
				return nil
			},
		}),
		"R5: who is silent is fenced before anything is taken": exploring(2, 2, 0).bent(bend{
			commit: func(_ *world, _ int, q *request) *answered {
				if q.purpose == toFence {
					return okay(q, q.version+1)
				}
				return nil
			},
		}),
		"R5: a fence hits only the version that was silent": exploring(3, 2, 1, everything...).bent(bend{
			commit: func(w *world, _ int, q *request) *answered {
				if q.purpose == toFence {
					return okay(q, w.put(q.key, record{slot: q.slot}))
				}
				return nil
			},
			slowWatch: true,
		}),
		"R6: the gone are those who were fenced": exploring(2, 1, 1).with(1).bent(bend{rumours: true}),
		"R8: what runs is not given back": exploring(2, 1, 1).with(1, "leave").bent(bend{
			onStop: func(w *world, i int, lock string) {
				p := w.member(i)
				p.ghosts[lock] = p.terms[lock].hard
				delete(p.terms, lock)
				p.owed = append(p.owed, lock)
			},
		}),
		"R9: nothing is granted on a new table for x": exploring(3, 2, 1).with(1, "delete the table").bent(bend{
			after: func(_ *world, c *core) { c.since = 0 },
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, way, whole := x.explore(x.begin(2, false))
			if way == nil {
				t.Fatalf("%d states, all of them: %v, and no two members act at once", n, whole)
			}
			t.Logf("%d states, a way of %d steps", n, len(way)-2)
			for _, s := range way {
				t.Log(s)
			}
		})
	}
}
