package telegram_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
	"github.com/mehari-go/mehari/route"
)

// Two replicas, one lock, one bot. The one that leads stops while updates flow, again and
// again: all come, in order, none twice, and the next goes on before a poll is over.
func TestHandover(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		records := memory.New()
		var mu sync.Mutex
		var came []string
		var at []time.Time
		member := func(name string) (stop func()) {
			svc, err := cluster.New(records, cluster.Options{
				Name: name, Logger: slog.New(slog.DiscardHandler),
				Overrun: func(lock string) { t.Errorf("%s: overrun of %q", name, lock) },
			})
			if err != nil {
				t.Fatal(err)
			}
			bot := telegram.New(telegram.WithClient(s.Client()), telegram.WithToken(telegramtest.Token))
			engine, err := route.New(route.Config{Logger: slog.New(slog.DiscardHandler), Components: route.Components{"telegram": bot, "master": master.New(svc)}},
				route.From("master:bot:telegram:bots").Process(func(_ context.Context, ex *route.Exchange) error {
					time.Sleep(5 * time.Millisecond)
					mu.Lock()
					defer mu.Unlock()
					came, at = append(came, fmt.Sprint(ex.Body)), append(at, time.Now())
					return nil
				}))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- engine.Run(ctx) }()
			return func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
				if err := svc.Close(context.Background()); err != nil {
					t.Error(err)
				}
			}
		}
		const n, handovers = 1000, 9
		stop := member("m0")
		time.Sleep(time.Minute)
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := range n {
				s.Text(int64(i%5+1), fmt.Sprint(i))
				time.Sleep(10 * time.Millisecond)
			}
		})
		for i := range handovers {
			next := member(fmt.Sprint("m", i+1))
			time.Sleep(time.Second)
			stop()
			stop = next
		}
		writer.Wait()
		time.Sleep(time.Minute)
		stop()

		var want []string
		for i := range n {
			want = append(want, fmt.Sprint(i))
		}
		if !slices.Equal(came, want) {
			t.Errorf("%d updates came, want %d in order: %q", len(came), n, came)
		}
		var longest time.Duration
		for i := 1; i < len(at); i++ {
			longest = max(longest, at[i].Sub(at[i-1]))
		}
		t.Logf("longest pause of %d hand-overs: %v", handovers, longest)
		if longest > time.Second {
			t.Errorf("a hand-over took %v", longest)
		}
		if st := s.Stats(); st.Conflicts != 0 || st.Unconfirmed != 0 {
			t.Errorf("%+v", st)
		}
	})
}
