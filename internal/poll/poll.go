// Package poll calls a function again and again, for consumers that have to look whether
// there is something.
package poll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/route"
)

// A Schedule says when to poll.
type Schedule struct {
	InitialDelay time.Duration // before the first poll
	Delay        time.Duration // from the end of one to the next
	Greedy       bool          // without Delay after one that has found something
	RepeatCount  int64         // how many polls there are; 0 means without end
}

const (
	defaultInitialDelay = time.Second
	defaultDelay        = 500 * time.Millisecond
	longest             = 100 * 365 * 24 * time.Hour
)

// New returns the schedule of the options initialDelay, delay, greedy and repeatCount, or says
// what is wrong with them. Nil means the default of Camel.
func New(initialDelay, delay *time.Duration, greedy bool, repeatCount int64) (Schedule, error) {
	s := Schedule{defaultInitialDelay, defaultDelay, greedy, repeatCount}
	if initialDelay != nil {
		s.InitialDelay = *initialDelay
	}
	if delay != nil {
		s.Delay = *delay
	}
	var errs []error
	if s.InitialDelay < 0 || s.InitialDelay > longest {
		errs = append(errs, fmt.Errorf(`option "initialDelay": want 0 to %v, have %v`, longest, s.InitialDelay))
	}
	if s.Delay < time.Millisecond || s.Delay > longest {
		errs = append(errs, fmt.Errorf(`option "delay": want 1ms to %v, have %v`, longest, s.Delay))
	}
	if repeatCount < 0 {
		errs = append(errs, fmt.Errorf(`option "repeatCount": want 0 (without end) or more, have %d`, repeatCount))
	}
	return s, errors.Join(errs...)
}

// Consume polls until ctx is done or a poll fails, whose error it returns, or all polls are
// over, which [route.ErrDone] tells. A poll returns how much it has found. The status of the
// route tells whether it is subscribed, from the first poll on: whether the last one has succeeded. While it waits for
// Delay to be over, a poll may be asked for with wake, which may be nil.
func (s Schedule) Consume(ctx context.Context, wake <-chan struct{}, poll func() (found int, err error)) error {
	if !pause(ctx, s.InitialDelay, nil) {
		return nil
	}
	for n := int64(1); ; n++ {
		found, err := poll()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			route.ReportSubscribed(ctx, false)
			return err
		case n == s.RepeatCount:
			return route.ErrDone
		case n == 1:
			route.ReportSubscribed(ctx, true)
		}
		wait := s.Delay
		if s.Greedy && found > 0 {
			wait = 0
		}
		if !pause(ctx, wait, wake) {
			return nil
		}
	}
}

// pause waits, or until it is woken, and tells whether ctx was not done before.
func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-wake:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}
