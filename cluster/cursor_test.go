package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/clustertest"
	"github.com/mehari-go/mehari/cluster/memory"
)

// under runs f in a term of each of the members, one after the other.
func under(t *testing.T, c *clustertest.Cluster, f ...func(ctx context.Context, term cluster.Term)) {
	t.Helper()
	for i, f := range f {
		ctx, cancel := context.WithCancel(c.Member(i).Context())
		err := c.Member(i).Service.Run(ctx, "l", func(ctx context.Context, term cluster.Term) error {
			defer cancel()
			f(ctx, term)
			return nil
		})
		if cancel(); err != nil {
			t.Fatal(err)
		}
	}
}

func wantCursor(t *testing.T, c *cluster.Cursor, value string) {
	t.Helper()
	if have, err := c.Load(t.Context()); err != nil || string(have) != value {
		t.Errorf("the cursor is %q, %v, want %q", have, err, value)
	}
}

func TestCursorGoesToTheNextTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t, 3, cluster.Options{})
		long := bytes.Repeat([]byte{0xff}, cluster.CursorLimit)
		store := func(ctx context.Context, c *cluster.Cursor, value []byte) {
			if err := c.Store(ctx, value); err != nil {
				t.Error(err)
			}
		}
		var stale cluster.Term
		under(t, c,
			func(ctx context.Context, term cluster.Term) {
				stale = term
				offset := term.Cursor("offset")
				wantCursor(t, offset, "")
				store(ctx, offset, []byte("7"))
				store(ctx, offset, []byte("8\n<ä>"))
				wantCursor(t, offset, "8\n<ä>")
				store(ctx, term.Cursor("never read"), long)
			},
			func(ctx context.Context, term cluster.Term) {
				offset, other := term.Cursor("offset"), term.Cursor("never read")
				wantCursor(t, offset, "8\n<ä>")
				wantCursor(t, other, string(long))
				store(ctx, offset, nil)
				wantCursor(t, offset, "")
				wantCursor(t, term.Cursor("another"), "")
				if err := other.Store(ctx, append(long, 0)); err == nil || !strings.Contains(err.Error(), "want at most 4096 bytes, have 4097") {
					t.Errorf("%v", err)
				}
			},
			func(ctx context.Context, term cluster.Term) {
				wantCursor(t, term.Cursor("offset"), "")
				wantCursor(t, term.Cursor("never read"), string(long))
				store(ctx, term.Cursor("offset"), []byte("9"))
				// The term of the first is over, whatever it does.
				for _, c := range []*cluster.Cursor{stale.Cursor("offset"), stale.Cursor("never read")} {
					if err := c.Store(ctx, []byte("late")); !errors.Is(err, cluster.ErrFenced) {
						t.Errorf("a store under an old token: %v", err)
					}
					if v, err := c.Load(ctx); !errors.Is(err, cluster.ErrFenced) || v != nil {
						t.Errorf("a load under an old token: %q, %v", v, err)
					}
				}
				wantCursor(t, term.Cursor("offset"), "9")
			})
	})
}

// A write that an earlier term has sent arrives after the next term has begun.
func TestCursorRefusesALateWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t, 2, cluster.Options{})
		first, late := c.Member(0), make(chan error, 1)
		ctx, leave := context.WithCancel(first.Context())
		defer leave()
		go first.Service.Run(ctx, "l", func(ctx context.Context, term cluster.Term) error {
			offset := term.Cursor("offset")
			if err := offset.Store(ctx, []byte("1")); err != nil {
				t.Error(err)
			}
			<-ctx.Done()
			leave() // one term is enough
			time.Sleep(time.Second)
			go func() { late <- offset.Store(context.Background(), []byte("2")) }()
			return nil
		})
		c.Advance(20 * time.Second)
		second := c.Member(1)
		go second.Service.Run(second.Context(), "l", func(ctx context.Context, term cluster.Term) error {
			offset := term.Cursor("offset")
			wantCursor(t, offset, "1")
			first.Heal()
			if err := <-late; !errors.Is(err, cluster.ErrFenced) && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("late: %v", err)
			}
			wantCursor(t, offset, "1")
			wantCursor(t, term.Cursor("offset"), "1") // read anew
			<-ctx.Done()
			return nil
		})
		first.Partition()
		c.Advance(time.Minute)
		if c.Leader("l") == nil {
			t.Error("nobody leads")
		}
	})
}

// An answer that is lost leaves the cursor usable, with one of both values.
func TestCursorLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t, 1, cluster.Options{})
		under(t, c, func(ctx context.Context, term cluster.Term) {
			offset, m := term.Cursor("offset"), c.Member(0)
			if err := offset.Store(ctx, []byte("1")); err != nil {
				t.Error(err)
			}
			m.Lose(true)
			if err := offset.Store(ctx, []byte("2")); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("without an answer: %v", err)
			}
			m.Lose(false)
			wantCursor(t, offset, "2")
			if err := offset.Store(ctx, []byte("3")); err != nil {
				t.Error(err)
			}
			wantCursor(t, term.Cursor("offset"), "3")
		})
	})
}

func TestCursorRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var none cluster.Term
		if _, err := none.Cursor("x").Load(t.Context()); !errors.Is(err, cluster.ErrStopped) {
			t.Errorf("the zero term: %v", err)
		}
		if err := none.Cursor("x").Store(t.Context(), nil); !errors.Is(err, cluster.ErrStopped) {
			t.Errorf("the zero term: %v", err)
		}
		c := clustertest.New(t, 1, cluster.Options{})
		under(t, c, func(ctx context.Context, term cluster.Term) {
			for name, want := range map[string]string{"": "want a name: it is empty", "a\nb": "control character", strings.Repeat("n", 257): "at most 256 bytes"} {
				if _, err := term.Cursor(name).Load(ctx); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%q: %v, want %s", name, err, want)
				}
			}
		})
	})
}

// Members count through a cursor while they are paused, cut off and crashed. Each term
// goes on where the cursor was, and no term's count is ever undone by an earlier one.
func TestCursorInTrouble(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { cursorInTrouble(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func cursorInTrouble(t *testing.T, random *rand.Rand) {
	var mu sync.Mutex
	last, terms, acknowledged := 0, map[uint64]bool{}, map[int]uint64{}
	loaded := func(m *clustertest.Member, value []byte) int {
		mu.Lock()
		defer mu.Unlock()
		n, _ := strconv.Atoi(string(value))
		if n < last {
			t.Errorf("%s loads %d after %d was stored", m.Name, n, last)
		}
		return n
	}
	stored := func(token uint64, n int) {
		mu.Lock()
		defer mu.Unlock()
		if by, ok := acknowledged[n]; ok {
			t.Errorf("%d was stored in the terms %d and %d", n, by, token)
		}
		acknowledged[n], terms[token], last = token, true, max(last, n)
	}
	c := clustertest.New(t, 4, cluster.Options{Overrun: func(string) {}}) // even those that run on are harmless
	for _, m := range c.Members() {
		go m.Service.Run(m.Context(), "l", func(ctx context.Context, term cluster.Term) error {
			counter := term.Cursor("n")
			value, err := counter.Load(ctx)
			if err != nil {
				return nil
			}
			for n := loaded(m, value); ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
				err := counter.Store(context.Background(), []byte(strconv.Itoa(n+1))) // not under ctx: it may come late
				if err == nil {
					n++
					stored(term.Token(), n)
				} else if value, err := counter.Load(ctx); err == nil {
					n = loaded(m, value)
				} else if errors.Is(err, cluster.ErrFenced) {
					return nil
				}
			}
			return nil
		})
	}
	for range 25 {
		m := c.Leader("l")
		if m == nil {
			m = c.Member(random.IntN(4))
		}
		switch random.IntN(6) {
		case 0:
			m.Pause()
		case 1:
			m.Partition()
		case 2:
			m.Lose(true)
		case 3:
			_ = m.Service.Resign("l")
		default:
			m.Lose(false)
			c.Heal()
		}
		c.Advance(time.Duration(random.IntN(15_000)) * time.Millisecond)
	}
	for _, m := range c.Members() {
		m.Lose(false)
	}
	c.Heal()
	c.Advance(time.Minute)
	mu.Lock()
	defer mu.Unlock()
	if len(terms) < 2 || len(acknowledged) < 100 {
		t.Errorf("%d terms stored %d times: the test shows nothing", len(terms), len(acknowledged))
	}
}

func ExampleCursor() {
	svc, err := cluster.New(memory.New(), cluster.Options{Name: "pod-a", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer svc.Close(context.Background())
	for range 2 {
		ctx, cancel := context.WithCancel(context.Background())
		svc.Run(ctx, "import", func(ctx context.Context, t cluster.Term) error {
			defer cancel()
			rows := t.Cursor("rows")
			done, err := rows.Load(ctx)
			if err != nil {
				return err
			}
			n, _ := strconv.Atoi(string(done)) // 0 at first
			fmt.Println("from row", n)
			return rows.Store(ctx, []byte(strconv.Itoa(n+100)))
		})
	}
	// Output:
	// from row 0
	// from row 100
}
