package route

import "context"

// A Policy is told what a route and its exchanges do, for what has to be done around
// them. Functions that are nil are not called. They may be called from many goroutines at
// once, and while they run the route, or the exchange, waits: what stops or suspends a
// route does so in a goroutine of its own.
type Policy struct {
	// Init is called when the route is built. Its error is that of the building.
	Init func(engine *Engine, id string) error

	// Start is called when the route starts, before its consumer does. ctx is done when
	// the route is to stop.
	Start func(ctx context.Context, id string)

	// Stop is called when the route has stopped.
	Stop func(id string)

	// Ended is called when the consumer has ended, though the route is started. Where err
	// is [ErrDone] that is all, and failures is 0. Otherwise the consumer will be started
	// anew, and failures is how often in a row it has ended so.
	Ended func(id string, failures int, err error)

	// Begin is called when an exchange comes to the route.
	Begin func(ctx context.Context, ex *Exchange)

	// Done is called when an exchange leaves the route. err is nil if it has not failed.
	Done func(ctx context.Context, ex *Exchange, err error)
}

// policies returns those of the route, and tells them that it is built.
func (b *Builder) policies() (all []Policy) {
	for i := range b.configurations {
		for _, p := range b.configurations[len(b.configurations)-1-i].Policies {
			if p.Init != nil {
				if err := p.Init(b.engine, b.route.id); err != nil {
					b.Errorf("policy: %w", err)
				}
			}
			all = append(all, p)
		}
	}
	return all
}

func (p *Policy) begin(ctx context.Context, ex *Exchange) {
	if p.Begin != nil {
		p.Begin(ctx, ex)
	}
}

// tellDone tells the policies that an exchange leaves, and logs a panic, because the outcome
// is settled.
func (r *running) tellDone(ctx context.Context, ex *Exchange, err error) {
	for i := range r.policies {
		if done := r.policies[i].Done; done != nil {
			r.policy("Done", func() { done(ctx, ex, err) })
		}
	}
}

// policy calls a function of a policy.
func (r *running) policy(name string, call func()) {
	defer func() {
		if v := recover(); v != nil {
			err := newPanicError(v)
			r.engine.logger.Error("policy failed", "route", r.id, "function", name, "error", err, "stack", string(err.Stack))
		}
	}()
	call()
}

// ended tells the policies that the consumer has ended.
func (r *running) ended(failures int, err error) {
	for _, p := range r.policies {
		if p.Ended != nil {
			r.policy("Ended", func() { p.Ended(r.id, failures, err) })
		}
	}
}

// started tells the policies that the route starts, and returns what tells that it has
// stopped.
func (r *running) started(ctx context.Context) (stopped func()) {
	for _, p := range r.policies {
		if p.Start != nil {
			r.policy("Start", func() { p.Start(ctx, r.id) })
		}
	}
	return func() {
		for _, p := range r.policies {
			if p.Stop != nil {
				r.policy("Stop", func() { p.Stop(r.id) })
			}
		}
	}
}
