package brokers

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	library "github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/route"
)

// A contest measures an endpoint side by side with Watermill's adapter for the same server:
// the same number of messages of 1 KB, the same number of subscriptions.
type contest struct {
	bridge
	bare        func(t *testing.T) (message.Publisher, message.Subscriber)
	prepare     func(t *testing.T, topic string)
	consumers   int
	subscribers int // what the bare subscriber is called for one channel
}

const payload = 1024

// count is how many messages a run has: MEHARI_BROKER_MESSAGES or a few.
func count(few int) int {
	if n, err := strconv.Atoi(os.Getenv("MEHARI_BROKER_MESSAGES")); err == nil && n > 0 {
		return n
	}
	return few
}

// run measures in turns, and prints the median of what each has reached. Only the best of the
// rounds are held against each other: what else the machine does slows down the one or the
// other.
func (c contest) run(t *testing.T, few, rounds int) {
	t.Helper()
	if testing.Short() {
		t.Skip("a measurement, for a machine that has nothing else to do: make throughput")
	}
	n := count(few)
	rates := map[string][]float64{}
	for round := range rounds {
		turns := []string{"bare", "ours"}
		if round%2 > 0 { // a server may still be busy with what came before
			slices.Reverse(turns)
		}
		for _, who := range turns {
			topic := fmt.Sprintf("bench-%s-%d-%d", who, round, time.Now().UnixNano())
			if c.prepare != nil {
				c.prepare(t, topic)
			}
			var sent, taken time.Duration
			if who == "bare" {
				sent, taken = c.measureBare(t, topic, n)
			} else {
				sent, taken = c.measureOurs(t, topic, n)
			}
			rates[who+" sends"] = append(rates[who+" sends"], float64(n)/sent.Seconds())
			rates[who+" takes"] = append(rates[who+" takes"], float64(n)/taken.Seconds())
		}
	}
	middle := func(name string) float64 {
		slices.Sort(rates[name])
		return rates[name][len(rates[name])/2]
	}
	for _, what := range []string{"sends", "takes"} {
		bare, ours := middle("bare "+what), middle("ours "+what)
		t.Logf("%s: bare adapter %.0f, ours %.0f messages/s of 1 KB: %.0f %%", what, bare, ours, 100*ours/bare)
		if bare, ours := slices.Max(rates["bare "+what]), slices.Max(rates["ours "+what]); ours < bare/4 { // that much is no noise
			t.Errorf("%s: best of %d rounds: ours %.0f, less than a quarter of %.0f", what, rounds, ours, bare)
		}
	}
}

func (c contest) measureBare(t *testing.T, topic string, n int) (sent, taken time.Duration) {
	p, s := c.bare(t)
	sent = inParallel(c.consumers, n, func(int) error {
		m := message.NewMessage(library.NewUUID(), make([]byte, payload))
		m.Metadata.Set("id", "7")
		return p.Publish(topic, m)
	}, t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var got atomic.Int64
	done := make(chan struct{})
	begun := time.Now()
	var all sync.WaitGroup
	for range c.subscribers {
		in, err := s.Subscribe(ctx, topic)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for m := range in {
				m.Ack()
				if got.Add(1) == int64(n) {
					close(done)
				}
			}
		})
	}
	waitFor(t, done, &got, n)
	taken = time.Since(begun)
	cancel()
	all.Wait()
	_ = p.Close()
	_ = s.Close()
	return sent, taken
}

func (c contest) measureOurs(t *testing.T, topic string, n int) (sent, taken time.Duration) {
	var got atomic.Int64
	done := make(chan struct{})
	e, stop, err := c.start(
		route.From(c.from(topic)).ID("r").AutoStart(false).Process(func(context.Context, *route.Exchange) error {
			if got.Add(1) == int64(n) {
				close(done)
			}
			return nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	to, header := c.to(topic), route.WithHeader("id", "7")
	if err := e.Send(t.Context(), c.to(topic+"-warm"), nil); err != nil { // connects
		t.Fatal(err)
	}
	sent = inParallel(c.consumers, n, func(int) error { return e.Send(t.Context(), to, make([]byte, payload), header) }, t)
	begun := time.Now()
	if err := e.Start("r"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, done, &got, n)
	return sent, time.Since(begun)
}

func waitFor(t *testing.T, done chan struct{}, got *atomic.Int64, n int) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(2 * time.Minute):
		t.Fatalf("%d of %d came", got.Load(), n)
	}
}

// inParallel calls f n times from so many goroutines.
func inParallel(workers, n int, f func(i int) error, t *testing.T) time.Duration {
	t.Helper()
	var next atomic.Int64
	var all sync.WaitGroup
	begun := time.Now()
	for range workers {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := f(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(begun)
}
