package routetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/mehari-go/mehari/route"
)

// The checks of consumers.

// moment is how long a check looks whether something happens that should not.
const moment = 30 * time.Millisecond

// consuming runs a check of a consumer.
func consuming(h *Harness, check func(ctx context.Context, r *rig) error) error {
	if h.Consumer == "" {
		return noConsumer
	}
	r, err := newRig(h)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err = check(ctx, r)
	return errors.Join(err, r.close())
}

// one feeds the consumer and waits until an exchange has come through.
func (r *rig) one(ctx context.Context) error {
	came := make(chan struct{}, 1)
	r.do(func(context.Context, *route.Exchange) error {
		select {
		case came <- struct{}{}:
		default:
		}
		return nil
	})
	wait := r.feed(ctx)
	if !within(came) {
		return errors.New("no exchange comes")
	}
	wait()
	return nil
}

// halt stops the route and waits until Consume has returned.
func (r *rig) halt(ctx context.Context) error {
	if err := r.engine.Stop(ctx, routeID); err != nil {
		return err
	}
	if !within(r.returned) {
		return errors.New("Consume does not return when its context is done")
	}
	return nil
}

func stops(h *Harness) error {
	return consuming(h, func(ctx context.Context, r *rig) error {
		if err := r.one(ctx); err != nil {
			return err
		}
		if err := r.halt(ctx); err != nil {
			return err
		}
		// What is fed now is not given any more: the rig sees it.
		short, cancel := context.WithTimeout(ctx, moment)
		defer cancel()
		wait := r.feed(short)
		<-short.Done()
		wait()
		return nil
	})
}

func waitsForFlight(h *Harness) error {
	return consuming(h, func(ctx context.Context, r *rig) error {
		came, gate := make(chan struct{}, 1), make(chan struct{})
		var through atomic.Bool
		r.do(func(context.Context, *route.Exchange) error {
			select {
			case came <- struct{}{}:
			default:
			}
			<-gate
			through.Store(true)
			return nil
		})
		wait := r.feed(ctx)
		if !within(came) {
			close(gate)
			return errors.New("no exchange comes")
		}
		stopped := make(chan error, 1)
		go func() { stopped <- r.engine.Stop(ctx, routeID) }()
		timer := time.NewTimer(moment)
		defer timer.Stop()
		var err error
		select {
		case <-r.returned:
			err = errors.New("Consume returns while an exchange is in flight")
			r.returned <- nil
		case <-timer.C:
		}
		close(gate)
		if !within(r.returned) {
			err = errors.Join(err, errors.New("Consume does not return after the exchange in flight"))
		} else if !through.Load() && err == nil {
			err = errors.New("Consume returns before the exchange in flight")
		}
		wait()
		return errors.Join(err, <-stopped)
	})
}

func survivesErrors(h *Harness) error {
	return consuming(h, func(ctx context.Context, r *rig) error {
		var calls atomic.Int64
		third := make(chan struct{}, 1)
		next := make(chan struct{}, 100)
		r.do(func(context.Context, *route.Exchange) error {
			n := calls.Add(1)
			select {
			case next <- struct{}{}:
			default:
			}
			switch n {
			case 1:
				return errors.New("an exchange that fails")
			case 2:
				panic("an exchange that panics")
			case 3:
				third <- struct{}{}
			}
			return nil
		})
		for range 3 {
			wait := r.feed(ctx)
			if !within(next) {
				return fmt.Errorf("after %d exchanges that failed no more come", calls.Load())
			}
			wait()
		}
		if !within(third) {
			return errors.New("no exchange comes after two that failed")
		}
		select {
		case err := <-r.returned:
			return fmt.Errorf("Consume returns because an exchange failed: %w", err)
		default:
		}
		return nil
	})
}

func startsAgain(h *Harness) error {
	return consuming(h, func(ctx context.Context, r *rig) error {
		for range 2 {
			if err := r.one(ctx); err != nil {
				return err
			}
			if err := r.halt(ctx); err != nil {
				return err
			}
			if err := r.engine.Start(routeID); err != nil {
				return err
			}
			if !within(r.begun) {
				return errors.New("Consume was not called again")
			}
		}
		return r.one(ctx)
	})
}

func passesContext(h *Harness) error {
	return consuming(h, func(ctx context.Context, r *rig) error {
		if err := r.one(ctx); err != nil {
			return err
		}
		if r.strange.Load() {
			return errors.New("an exchange is given with a context that is derived neither from Consume's nor from the sender's")
		}
		return nil
	})
}

func releases(h *Harness) error {
	return consuming(h, func(ctx context.Context, r *rig) error {
		if err := r.one(ctx); err != nil {
			return err
		}
		if err := r.halt(ctx); err != nil {
			return err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, ex := range r.seen {
			if _, ok := ex.Body.(route.Released); !ok {
				return errors.New("an exchange is not released after the route has returned")
			}
		}
		return nil
	})
}
