package poll_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/internal/poll"
	"github.com/mehari-go/mehari/route"
)

func TestConsume(t *testing.T) {
	failure := errors.New("down")
	for _, tt := range []struct {
		name     string
		schedule poll.Schedule
		finds    []int // -1 fails
		want     []time.Duration
		err      error
	}{
		{"with pauses", poll.Schedule{InitialDelay: 3, Delay: 10, RepeatCount: 3}, []int{1, 0, 0}, []time.Duration{3, 13, 23}, route.ErrDone},
		{"greedy", poll.Schedule{Delay: 10, RepeatCount: 4, Greedy: true}, []int{2, 1, 0, 0}, []time.Duration{0, 0, 0, 10}, route.ErrDone},
		{"fails", poll.Schedule{Delay: 10}, []int{1, -1}, []time.Duration{0, 10}, failure},
		{"until it is cancelled", poll.Schedule{Delay: 40}, []int{0, 0, 0}, []time.Duration{0, 40, 80}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 100)
				defer cancel()
				var at []time.Duration
				err := tt.schedule.Consume(ctx, nil, func() (int, error) {
					at = append(at, time.Since(begun))
					found := tt.finds[len(at)-1]
					if found < 0 {
						return 0, failure
					}
					return found, nil
				})
				if !slices.Equal(at, tt.want) || err != tt.err {
					t.Errorf("polls at %v, error %v; want %v, %v", at, err, tt.want, tt.err)
				}
			})
		})
	}
}

func TestWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		wake := make(chan struct{}, 1)
		wake <- struct{}{} // does not shorten the initial delay
		begun := time.Now()
		var at []time.Duration
		err := poll.Schedule{InitialDelay: 5, Delay: 100}.Consume(ctx, wake, func() (int, error) {
			if at = append(at, time.Since(begun)); len(at) == 3 {
				cancel()
			}
			return 0, nil
		})
		if want := []time.Duration{5, 5, 105}; !slices.Equal(at, want) || err != nil {
			t.Errorf("polls at %v, error %v, want %v", at, err, want)
		}
	})
}

func TestNew(t *testing.T) {
	s, err := poll.New(nil, nil, true, 7)
	if want := (poll.Schedule{InitialDelay: time.Second, Delay: 500 * time.Millisecond, Greedy: true, RepeatCount: 7}); s != want || err != nil {
		t.Errorf("%+v, %v; want %+v", s, err, want)
	}
	_, err = poll.New(new(-time.Second), new(time.Duration(0)), false, -1)
	want := `option "initialDelay": want 0 to 876000h0m0s, have -1s
option "delay": want 1ms to 876000h0m0s, have 0s
option "repeatCount": want 0 (without end) or more, have -1`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
}
