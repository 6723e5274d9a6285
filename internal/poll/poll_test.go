package poll_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/internal/poll"
)

func TestRun(t *testing.T) {
	failure := errors.New("down")
	for _, tt := range []struct {
		name     string
		schedule poll.Schedule
		finds    []int // -1 fails
		want     []time.Duration
		over     bool
		err      error
	}{
		{"with pauses", poll.Schedule{InitialDelay: 3, Delay: 10, RepeatCount: 3}, []int{1, 0, 0}, []time.Duration{3, 13, 23}, true, nil},
		{"greedy", poll.Schedule{Delay: 10, RepeatCount: 4, Greedy: true}, []int{2, 1, 0, 0}, []time.Duration{0, 0, 0, 10}, true, nil},
		{"fails", poll.Schedule{Delay: 10}, []int{1, -1}, []time.Duration{0, 10}, false, failure},
		{"until it is cancelled", poll.Schedule{Delay: 40}, []int{0, 0, 0}, []time.Duration{0, 40, 80}, false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 100)
				defer cancel()
				var at []time.Duration
				over, err := tt.schedule.Run(ctx, func() (int, error) {
					at = append(at, time.Since(begun))
					found := tt.finds[len(at)-1]
					if found < 0 {
						return 0, failure
					}
					return found, nil
				})
				if !slices.Equal(at, tt.want) || over != tt.over || err != tt.err {
					t.Errorf("polls at %v, over %v, error %v; want %v, %v, %v", at, over, err, tt.want, tt.over, tt.err)
				}
			})
		})
	}
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
