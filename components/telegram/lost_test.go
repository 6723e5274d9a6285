package telegram_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
	"github.com/mehari-go/mehari/route"
)

// cut is a store that can be cut off.
type cut struct {
	*memory.Store
	off atomic.Bool
}

func (c *cut) Get(ctx context.Context, key string, known cluster.Version) (cluster.Record, error) {
	if c.off.Load() {
		return cluster.Record{}, errors.New("cut off")
	}
	return c.Store.Get(ctx, key, known)
}

func (c *cut) Set(ctx context.Context, key string, v []byte, prev cluster.Version) (cluster.Version, error) {
	if c.off.Load() {
		return 0, errors.New("cut off")
	}
	return c.Store.Set(ctx, key, v, prev)
}

// A replica that is cut off polls no more and confirms nothing once its term is over: what
// it had in work goes to the next.
func TestLostTerm(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		records := memory.New()
		member := func(name string, do func(ctx context.Context, ex *route.Exchange) error) (*replica, *cut) {
			store := &cut{Store: records}
			svc, err := cluster.New(store, cluster.Options{Name: name, Logger: slog.New(slog.DiscardHandler), Overrun: func(lock string) { t.Errorf("%s: overrun of %q", name, lock) }})
			if err != nil {
				t.Fatal(err)
			}
			r := &replica{t: t, server: s, do: do, log: new(lines)}
			r.bot = telegram.New(telegram.WithClient(s.Client()), telegram.WithToken(telegramtest.Token))
			r.run(route.Components{"telegram": r.bot, "master": master.New(svc)}, route.From("master:bot:telegram:bots").Process(r.take))
			stop := r.stop
			r.stop = func() {
				stop()
				store.off.Store(false)
				if err := svc.Close(context.Background()); err != nil {
					t.Error(err)
				}
			}
			return r, store
		}
		a, store := member("a", func(ctx context.Context, ex *route.Exchange) error {
			if ex.Body.(*telegram.Update).Text == "slow" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		time.Sleep(time.Minute)
		b, _ := member("b", nil)
		time.Sleep(time.Second)
		s.Text(1, "quick")
		time.Sleep(time.Second)
		s.Text(1, "slow")
		time.Sleep(time.Second)
		store.off.Store(true)
		time.Sleep(time.Minute)
		s.Text(1, "late")
		time.Sleep(time.Second)
		a.want("quick", "slow")
		b.want("slow", "late")
		if st := s.Stats(); st.Conflicts != 0 || st.Unconfirmed != 0 {
			t.Errorf("%+v", st)
		}
		b.stop()
		a.stop()
	})
}

// Who finds out by the clock that its term is over, before its context has ended, polls no
// more.
func TestTermOverByTheClock(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		s.Text(1, "for somebody else")
		bot := telegram.New(telegram.WithClient(s.Client()), telegram.WithToken(telegramtest.Token))
		addr, err := route.URI("telegram:bots").Parse()
		if err != nil {
			t.Fatal(err)
		}
		ep, err := bot.Endpoint(route.Env{Logger: slog.New(slog.DiscardHandler)}, addr)
		if err != nil {
			t.Fatal(err)
		}
		next := route.ProcessorFunc(func(context.Context, *route.Exchange) error {
			t.Error("an update came")
			return nil
		})
		if err := ep.(route.Consumer).Consume(route.WithWork(t.Context(), over{t.Context()}), next); !errors.Is(err, errOver) {
			t.Errorf("have %v", err)
		}
		if n := s.Stats().Polls; n != 0 {
			t.Errorf("%d polls", n)
		}
	})
}

var errOver = errors.New("the term is over")

// over is a context that is over by the clock, and not done yet.
type over struct{ context.Context }

func (over) Err() error { return errOver }
