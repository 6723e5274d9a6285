package telegram_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
	"github.com/mehari-go/mehari/route"
)

func TestUpdatesComeInOrderAndAreConfirmed(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		s.Text(7, "before")
		r := consume(t, s, "", nil)
		time.Sleep(time.Second)
		for n := range 250 {
			s.Text(int64(n%3+1), fmt.Sprint(n))
		}
		time.Sleep(2 * time.Second)
		want := []string{"before"}
		for n := range 250 {
			want = append(want, fmt.Sprint(n))
		}
		r.want(want...)
		if n := s.Stats().Unconfirmed; n != 0 {
			t.Errorf("%d unconfirmed", n)
		}
		begun := time.Now()
		r.stop()
		if d := time.Since(begun); d > 0 {
			t.Errorf("stopping took %v, though nothing was in flight", d)
		}
		if st := r.bot.Stats(); st.Updates != 251 || st.Redelivered+st.Skipped+st.Conflicts != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestStopConfirmsWhatIsDone(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		r := consume(t, s, "", func(context.Context, *route.Exchange) error {
			time.Sleep(time.Second)
			return nil
		})
		synctest.Wait()
		for _, text := range []string{"a", "b", "c", "d"} {
			s.Text(1, text)
		}
		time.Sleep(1500 * time.Millisecond)
		r.stop() // in the middle of b
		r.want("a", "b")
		if n := s.Stats().Unconfirmed; n != 2 {
			t.Errorf("%d unconfirmed, want 2", n)
		}
		next := consume(t, s, "", nil)
		time.Sleep(time.Second)
		next.want("c", "d")
	})
}

func TestCrashLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		gate := make(chan struct{})
		r := consume(t, s, "?limit=2", func(ctx context.Context, ex *route.Exchange) error {
			if fmt.Sprint(ex.Body) == "b" {
				s.Fail("getUpdates", telegramtest.Fault{Cut: true}, telegramtest.Fault{Cut: true}) // the last word of a replica that dies
				close(gate)
			}
			return nil
		})
		synctest.Wait()
		for _, text := range []string{"a", "b", "c"} {
			s.Text(1, text)
		}
		<-gate
		r.stop()
		next := consume(t, s, "", nil)
		time.Sleep(5 * time.Second)
		next.want("a", "b", "c")
	})
}

func TestLongBatchIsConfirmedOnTheWay(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		for n := range 20 {
			s.Text(1, fmt.Sprint(n))
		}
		r := consume(t, s, "", func(context.Context, *route.Exchange) error {
			time.Sleep(2 * time.Second)
			return nil
		})
		time.Sleep(21 * time.Second)
		if n := s.Stats().Unconfirmed; n > 14 {
			t.Errorf("%d unconfirmed after 10 of 20", n)
		}
		r.stop()
	})
}

func TestFailedUpdatesComeAgainAndArePassedOver(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		var again []any
		r := consume(t, s, "?maximumRedeliveries=2", func(_ context.Context, ex *route.Exchange) error {
			again = append(again, ex.Property("CamelRedelivered"))
			u := ex.Body.(*telegram.Update)
			defer func() { u.Text = "changed" }()
			if u.Text == "poison" {
				return errRefused
			}
			return nil
		})
		synctest.Wait()
		s.Text(1, "a")
		s.Text(1, "poison")
		s.Text(1, "b")
		time.Sleep(500 * time.Millisecond)
		if n := s.Stats().Unconfirmed; n != 2 {
			t.Errorf("%d unconfirmed while one is redelivered, want 2", n)
		}
		time.Sleep(5 * time.Second)
		r.stop()
		r.want("a", "poison", "poison", "poison", "b")
		if have := fmt.Sprint(again); have != "[<nil> <nil> true true <nil>]" {
			t.Error(have)
		}
		if st := r.bot.Stats(); st.Skipped != 1 || st.Redelivered != 2 || st.Updates != 2 {
			t.Errorf("%+v", st)
		}
		r.log.want(t, `msg="an update passed over: its exchange failed too often"`)
	})
}

func TestHandledFailureIsDone(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		r := &replica{t: t, server: s, log: new(lines), do: func(context.Context, *route.Exchange) error { return errRefused }}
		r.bot = telegram.New(telegram.WithClient(s.Client()), telegram.WithBaseURI(telegramtest.URL), telegram.WithToken(telegramtest.Token))
		r.run(route.Components{"telegram": r.bot}, route.From("telegram:bots").OnError(route.OnErrorIs(errRefused).Handled(true)).Process(r.take))
		s.Text(1, "a")
		s.Text(1, "b")
		time.Sleep(time.Second)
		r.want("a", "b")
	})
}

func TestAllKinds(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		kinds := map[string]bool{}
		r := consume(t, s, "", func(_ context.Context, ex *route.Exchange) error {
			u, err := route.BodyAs[*telegram.Update](ex)
			if err != nil || u.Content == nil {
				t.Errorf("%v, %v", ex.Body, err)
				return nil
			}
			kinds[u.Kind] = true
			return nil
		})
		time.Sleep(time.Second)
		for _, kind := range slices.Sorted(maps.Keys(telegramtest.Kinds())) {
			if s.Update(kind, map[string]any{"x": 1}) == 0 {
				t.Errorf("%s was not asked for", kind)
			}
		}
		s.Raw(`{"update_id":%d,"novelty":{"a":[1,2]}}`)
		s.Raw(`{"update_id":%d,"odd":"text"}`)
		s.Raw(`{"update_id":%d,"message":{"date":"oops","chat":7,"text":[]}}`)
		time.Sleep(time.Second)
		r.stop()
		if len(kinds) != len(telegramtest.Kinds())+2 {
			t.Errorf("%d kinds: %v", len(kinds), kinds)
		}
		if have, want := r.came[len(r.came)-3], fmt.Sprintf(`{"novelty":{"a":[1,2]},"update_id":%d}`, 2_000_001+len(telegramtest.Kinds())); have != want {
			t.Errorf("have %s, want %s", have, want)
		}
	})
}

func TestHeaders(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		var have []string
		r := consume(t, s, "", func(_ context.Context, ex *route.Exchange) error {
			line := fmt.Sprint(ex.Body)
			for name, value := range ex.Headers() {
				line += fmt.Sprintf(" %s=%v", name, value)
			}
			have = append(have, line)
			return nil
		})
		synctest.Wait()
		s.Update("message", map[string]any{"message_id": 5, "date": 1700000000, "chat": map[string]any{"id": -100}, "from": map[string]any{"id": 9}, "caption": "look"})
		s.Update("callback_query", map[string]any{"id": "1", "from": map[string]any{"id": 9}, "data": "yes", "message": map[string]any{"message_id": 6, "date": 1700000001, "chat": map[string]any{"id": 3}}})
		s.Update("poll", map[string]any{"id": "1"})
		time.Sleep(time.Second)
		r.stop()
		want := []string{
			"look CamelTelegramUpdateId=2000001 CamelTelegramUpdateKind=message CamelTelegramChatId=-100 CamelTelegramMessageId=5 CamelMessageTimestamp=1700000000000",
			"yes CamelTelegramUpdateId=2000002 CamelTelegramUpdateKind=callback_query CamelTelegramChatId=3 CamelTelegramMessageId=6 CamelMessageTimestamp=1700000001000",
			`{"poll":{"id":"1"},"update_id":2000003} CamelTelegramUpdateId=2000003 CamelTelegramUpdateKind=poll`,
		}
		if !slices.Equal(have, want) {
			t.Errorf("have %q,\nwant %q", have, want)
		}
	})
}

func TestIdsThatJumpBack(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		r := consume(t, s, "", nil)
		s.Text(1, "a")
		time.Sleep(time.Second)
		s.Next(500)
		s.Text(1, "b")
		s.Text(1, "c")
		time.Sleep(time.Second)
		r.want("a", "b", "c")
	})
}

func TestUpdatesWithoutAnID(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		r := consume(t, s, "", nil)
		synctest.Wait()
		s.Raw(`{"message":{}}`)
		s.Raw(`[]`)
		s.Text(1, "a")
		time.Sleep(time.Second)
		r.want("a")
		if n := s.Stats().Unconfirmed; n != 0 {
			t.Errorf("%d unconfirmed", n)
		}
		polls := s.Stats().Polls
		s.Raw(`{"update_id":"x"}`)
		time.Sleep(time.Hour)
		if n := s.Stats().Polls - polls; n > 200 {
			t.Errorf("%d polls in an hour for what cannot be confirmed", n)
		}
		r.log.want(t, "none of 1 updates has an id")
	})
}
