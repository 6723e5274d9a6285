package clustertest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/mehari-go/mehari/cluster"
)

// A call is the input of one operation of a history, a reply its output.
type (
	call struct {
		key   string
		set   bool
		prev  cluster.Version
		value string // unique
	}
	reply struct {
		version  cluster.Version
		value    string
		conflict bool
		lost     bool // may have happened, or not, or later
		leftOut  bool // the value, its version being known
	}
)

func checkLinearizable(t *storeTest) {
	const clients, rounds = 5, 40
	h := &history{start: time.Now()}
	var all [clients]*historyClient
	for i := range all {
		all[i] = &historyClient{history: h, t: t, id: i, s: t.Open(), random: rand.New(rand.NewPCG(1, uint64(i)))}
	}
	for n := range rounds { // in step, so that they meet on a fast store too
		var wg sync.WaitGroup
		for _, c := range all {
			wg.Go(func() { c.act(n) })
		}
		wg.Wait()
	}
	last := &historyClient{history: h, t: t, id: clients, s: t.Open()}
	for _, key := range historyKeys {
		last.get(key, 0)
	}
	if stored := h.resolve(); stored < rounds/4 {
		t.Errorf("only %d of %d calls to Set stored something", stored, clients*rounds)
	}
	if err := h.check(t.Settle); err != nil {
		t.Errorf("%v", err)
	}
}

var historyKeys = [...]string{cluster.TableKey, cluster.SlotPrefix + "0", cursorKey}

// A history is what several clients asked at once and what they were told.
type history struct {
	start time.Time
	mu    sync.Mutex
	ops   []porcupine.Operation
}

// A historyClient is one of the clients and the versions it knows.
type historyClient struct {
	*history
	t      *storeTest
	id     int
	s      cluster.Store
	random *rand.Rand
	known  [len(historyKeys)]cluster.Version
}

// act reads or writes a record at once with the other clients. Some of its calls
// are cancelled half-way, so that it does not learn what became of them.
func (c *historyClient) act(n int) {
	i := c.random.IntN(len(historyKeys))
	key := historyKeys[i]
	if c.random.IntN(3) == 0 || c.known[i] == 0 {
		c.known[i] = c.get(key, c.known[i])
		if c.known[i] != 0 {
			return
		}
	}
	ctx := c.t.Context()
	if c.random.IntN(6) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.random.IntN(3000))*time.Microsecond)
		defer cancel()
	}
	c.known[i] = c.set(ctx, call{key: key, set: true, prev: c.known[i], value: slot(fmt.Sprint("client-", c.id), n)})
}

// set notes one Set and returns the version to go on from, 0 if it is not known.
func (c *historyClient) set(ctx context.Context, in call) cluster.Version {
	begin := time.Since(c.start)
	v, err := c.s.Set(ctx, in.key, []byte(in.value), in.prev)
	out := reply{version: v}
	if err != nil {
		out = reply{conflict: errors.Is(err, cluster.ErrConflict), lost: !errors.Is(err, cluster.ErrConflict)}
	}
	c.note(c.id, begin, in, out)
	return out.version
}

// get notes one Get and returns the version there.
func (c *historyClient) get(key string, known cluster.Version) cluster.Version {
	begin := time.Since(c.start)
	rec, err := c.s.Get(c.t.Context(), key, known)
	if err != nil {
		c.t.Errorf("Get(%q): %v", key, err)
		return 0
	}
	leftOut := known != 0 && rec.Version == known && rec.Value == nil
	c.note(c.id, begin, call{key: key}, reply{version: rec.Version, value: string(rec.Value), leftOut: leftOut})
	return rec.Version
}

func (h *history) note(id int, begin time.Duration, in call, out reply) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: id, Input: in, Call: int64(begin), Output: out, Return: int64(time.Since(h.start))})
}

// resolve finds out what became of the writes whose reply was lost and returns how
// many of all have stored something. A value that was seen was stored, with the
// version it was seen with, at any time from its call on. One that was never seen
// may be left out: no other write can have built on its version.
func (h *history) resolve() (stored int) {
	seen := map[call]cluster.Version{}
	for _, op := range h.ops {
		if in, out := op.Input.(call), op.Output.(reply); !in.set && out.version != 0 && !out.leftOut {
			seen[call{key: in.key, value: out.value}] = out.version
		}
	}
	kept := h.ops[:0]
	for _, op := range h.ops {
		in, out := op.Input.(call), op.Output.(reply)
		if out.lost {
			v, ok := seen[call{key: in.key, value: in.value}]
			if !ok {
				continue
			}
			op.Output, op.Return, op.ClientId = reply{version: v}, int64(time.Hour), 1000+len(kept)
		}
		if in.set && !out.conflict {
			stored++
		}
		kept = append(kept, op)
	}
	h.ops = kept
	return stored
}

// check returns an error unless the history is that of registers with
// compare-and-set whose versions grow.
func (h *history) check(timeout time.Duration) error {
	type state struct {
		version cluster.Version
		value   string
	}
	model := porcupine.Model{
		Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
			parts := make([][]porcupine.Operation, len(historyKeys))
			for i, key := range historyKeys {
				for _, op := range all {
					if op.Input.(call).key == key {
						parts[i] = append(parts[i], op)
					}
				}
			}
			return parts
		},
		Init: func() any { return state{} },
		Step: func(now, input, output any) (bool, any) {
			at, in, out := now.(state), input.(call), output.(reply)
			switch {
			case !in.set:
				return out.version == at.version && (out.leftOut || out.value == at.value), at
			case out.conflict:
				return in.prev != at.version, at
			default:
				return in.prev == at.version && out.version > at.version, state{out.version, in.value}
			}
		},
	}
	switch result := porcupine.CheckOperationsTimeout(model, h.ops, timeout); result {
	case porcupine.Ok:
		return nil
	case porcupine.Illegal:
		return fmt.Errorf("no order of the %d calls explains their replies: a lost update, a stale read or a version used twice", len(h.ops))
	default:
		return fmt.Errorf("could not check the %d calls within %v: %s", len(h.ops), timeout, result)
	}
}
