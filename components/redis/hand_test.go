package redis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/components/redis"
)

// A server has messages and notes what it is told.
type server struct {
	mu         sync.Mutex
	left       []string
	down       error
	done, back []string
	signs      map[string]int
}

func (s *server) fake(shared bool) *redis.Fake {
	s.signs = map[string]int{}
	return &redis.Fake{
		Shared: shared,
		Read: func(n int) ([]string, error) {
			s.mu.Lock()
			if s.down == nil && len(s.left) > 0 {
				defer s.mu.Unlock()
				n = min(n, len(s.left))
				ids := s.left[:n]
				s.left = s.left[n:]
				return ids, nil
			}
			err := s.down
			s.mu.Unlock()
			time.Sleep(200 * time.Millisecond)
			return nil, err
		},
		Tell: func(done, back, working []string) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.down == nil {
				s.done, s.back = append(s.done, done...), append(s.back, back...)
				for _, id := range working {
					s.signs[id]++
				}
			}
			return s.down
		},
	}
}

func (s *server) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = err
}

// told sorts what the server knows.
func (s *server) told() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.done)
	slices.Sort(s.back)
	return fmt.Sprintf("done %v back %v", s.done, s.back)
}

func subscribe(t *testing.T, f *redis.Fake, c redis.Config) (in <-chan *message.Message, end context.CancelFunc, sub message.Subscriber) {
	t.Helper()
	sub = redis.NewSubscriber(f, c)
	ctx, end := context.WithCancel(t.Context())
	in, err := sub.Subscribe(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	return in, end, sub
}

// What is acknowledged is, what is not goes back, what waits goes back, and what nobody has
// told about stays.
func TestOutcomes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{left: []string{"1", "2", "3", "4", "5", "6"}}
		f := s.fake(true)
		in, end, sub := subscribe(t, f, redis.Config{ConsumerGroup: "g"})
		one, two, three := <-in, <-in, <-in
		one.Ack()
		two.Nack()
		synctest.Wait()
		if want := "done [1] back [2]"; s.told() != want {
			t.Errorf("have %s, want %s", s.told(), want)
		}
		if one.Context().Err() == nil || three.Context().Err() != nil {
			t.Error("the context tells when the server knows")
		}
		end()
		for range in {
			t.Error("one comes after the end")
		}
		if err := sub.Close(); err != nil {
			t.Error(err)
		}
		if want := "done [1] back [2 4 5 6]"; s.told() != want || !f.Left {
			t.Errorf("have %s, want %s", s.told(), want)
		}
	})
}

// An acknowledgement that the server does not hear is told again.
func TestAcknowledgesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{left: []string{"1", "2"}}
		in, end, sub := subscribe(t, s.fake(true), redis.Config{ConsumerGroup: "g"})
		m := <-in
		s.set(errors.New("down"))
		m.Ack()
		(<-in).Nack()
		time.Sleep(3 * time.Second)
		if m.Context().Err() != nil {
			t.Error("nobody has heard it")
		}
		s.set(nil)
		<-m.Context().Done()
		synctest.Wait()
		if want := "done [1] back [2]"; s.told() != want {
			t.Errorf("have %s, want %s", s.told(), want)
		}
		end()
		if err := sub.Close(); err != nil {
			t.Error(err)
		}
	})
}

// All that is in hand gives signs of life.
func TestSignsOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{left: []string{"1", "2"}}
		in, end, sub := subscribe(t, s.fake(true), redis.Config{ConsumerGroup: "g", MaxIdle: 3 * time.Second})
		m := <-in
		time.Sleep(time.Minute + time.Millisecond)
		s.mu.Lock()
		if s.signs["1"] != 60 || s.signs["2"] != 60 {
			t.Errorf("signs: %v", s.signs)
		}
		s.mu.Unlock()
		m.Ack()
		(<-in).Ack()
		time.Sleep(time.Second)
		s.mu.Lock()
		clear(s.signs)
		s.mu.Unlock()
		time.Sleep(time.Minute)
		if len(s.signs) > 0 {
			t.Errorf("signs: %v", s.signs)
		}
		end()
		if err := sub.Close(); err != nil {
			t.Error(err)
		}
	})
}

// When the server hears nothing for so long that others may have what waits, it is not given.
func TestDropsWhatOthersHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{left: []string{"1", "2", "3"}}
		f := s.fake(true)
		var deaf atomic.Bool
		hear := f.Tell
		f.Tell = func(done, back, working []string) error {
			if deaf.Load() {
				return errors.New("not heard")
			}
			return hear(done, back, working)
		}
		in, end, sub := subscribe(t, f, redis.Config{ConsumerGroup: "g", MaxIdle: 3 * time.Second})
		m := <-in
		deaf.Store(true)
		time.Sleep(5 * time.Second)
		m.Ack()
		time.Sleep(time.Second)
		select {
		case m := <-in:
			t.Errorf("%s is given", m.UUID)
		default:
		}
		end()
		if err := sub.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A server that is away for longer than MaxIdle ends the subscription of a group, with the
// reason, but not that of a consumer without one.
func TestServerStaysAway(t *testing.T) {
	for _, shared := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{}
			cfg := redis.Config{MaxIdle: 5 * time.Second}
			in, end, sub := subscribe(t, s.fake(shared), cfg)
			s.set(errors.New("away"))
			time.Sleep(4 * time.Second)
			s.set(nil)
			time.Sleep(4 * time.Second)
			s.set(errors.New("away for good"))
			time.Sleep(time.Minute)
			if !shared {
				s.set(nil)
				s.mu.Lock()
				s.left = []string{"1"}
				s.mu.Unlock()
				(<-in).Ack()
			} else if _, ok := <-in; ok {
				t.Error("it goes on")
			}
			end()
			if err := sub.Close(); shared != (err != nil && strings.Contains(err.Error(), "away for good")) {
				t.Errorf("shared %t: have %v", shared, err)
			}
		})
	}
}

// Without a group a message that fails comes again, after those that wait.
func TestFailsWithoutGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{left: []string{"1", "2"}}
		in, end, sub := subscribe(t, s.fake(false), redis.Config{})
		var ids []string
		for i := range 4 {
			m := <-in
			ids = append(ids, m.UUID)
			if i < 2 {
				m.Nack()
			} else {
				m.Ack()
			}
			synctest.Wait()
		}
		if want := []string{"1", "2", "1", "2"}; !slices.Equal(ids, want) {
			t.Errorf("have %v, want %v", ids, want)
		}
		end()
		if err := sub.Close(); err != nil {
			t.Error(err)
		}
	})
}

// No more wait in memory than Prefetch says, those included of which the server has not
// heard that they are done.
func TestPrefetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		for i := range 100 {
			s.left = append(s.left, fmt.Sprint(i))
		}
		f := s.fake(true)
		f.Tell = func(_, _, _ []string) error { return errors.New("not heard") }
		in, end, sub := subscribe(t, f, redis.Config{ConsumerGroup: "g", Prefetch: 5})
		for range 20 {
			select {
			case m := <-in:
				m.Ack()
			case <-time.After(time.Second):
			}
			synctest.Wait()
		}
		s.mu.Lock()
		if taken := 100 - len(s.left); taken > 2*5 {
			t.Errorf("%d were taken", taken)
		}
		s.mu.Unlock()
		end()
		if err := sub.Close(); err != nil {
			t.Error(err)
		}
	})
}
