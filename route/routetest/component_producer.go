package routetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/mehari-go/mehari/route"
)

// The checks of producers.

func producing(h *Harness, check func(ctx context.Context, r *rig, p route.Producer) error) error {
	if h.Producer == "" {
		return noProducer
	}
	r, err := newRig(h)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ep, err := h.endpoint(r.component, h.Producer)
	if err == nil {
		if p, ok := ep.(route.Producer); ok {
			err = check(ctx, r, p)
		} else {
			err = fmt.Errorf("%s is not a route.Producer", ep)
		}
	}
	return errors.Join(err, r.close())
}

func sentByMany(h *Harness) error {
	return producing(h, func(ctx context.Context, r *rig, p route.Producer) error {
		errs := make([]error, 8)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				for n := range 25 {
					if err := r.engine.Send(ctx, h.Producer, fmt.Sprint(i, "-", n)); err != nil {
						errs[i] = err
					}
				}
			})
		}
		all.Wait()
		return errors.Join(errs...)
	})
}

func leavesExchanges(h *Harness) error {
	return producing(h, func(ctx context.Context, r *rig, p route.Producer) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("the exchange is not its owner's any more: %v", v)
			}
		}()
		ex := route.NewExchange("body")
		if err := p.Process(ctx, ex); err != nil {
			return err
		}
		ex.ID()
		ex.Release()
		return nil
	})
}

func givesUp(h *Harness) error {
	return producing(h, func(ctx context.Context, r *rig, p route.Producer) error {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			ex := route.NewExchange("body")
			defer ex.Release()
			_ = p.Process(ctx, ex) // whether it fails is its own affair
		}()
		if !within(returned) {
			return errors.New("Process does not return, though its context is done")
		}
		return nil
	})
}
