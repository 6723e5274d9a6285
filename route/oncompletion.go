package route

import "context"

// A Completion is what to do when an exchange is done: see [OnCompletion].
type Completion struct {
	chain[*Completion]
	place    Position
	when     []Cond
	success  bool
	failure  bool
	before   bool
	original originalUse
}

// OnCompletion starts the steps that are run when an exchange leaves the route, whether
// it has failed or not; those of [Config.Routes] when it leaves the route where it began.
// They get a copy and are run beside what the consumer does then; the route does not stop
// before they have finished. They find the error of an exchange that failed in the
// property [Caught].
func OnCompletion() *Completion {
	c := &Completion{place: caller()}
	c.self = c
	return c
}

// OnSuccess makes it one for exchanges that have not failed.
func (c *Completion) OnSuccess() *Completion { c.success = true; return c }

// OnFailure makes it one for exchanges that have failed. One whose failure was handled has
// not.
func (c *Completion) OnFailure() *Completion { c.failure = true; return c }

// When makes it one for exchanges for which w holds, and what was given before.
func (c *Completion) When(w Cond) *Completion { c.when = append(c.when, w); return c }

// BeforeConsumer runs the steps before the consumer learns that the exchange is done, and
// on the exchange itself, so that they can change the reply. Their failure is that of the
// exchange. Where the time of the exchange is over they have as long as [Config.Abandon].
func (c *Completion) BeforeConsumer() *Completion { c.before = true; return c }

// UseOriginalMessage gives the steps the message as it came to the route.
func (c *Completion) UseOriginalMessage() *Completion { c.original = originalMessage; return c }

// A completion is a [Completion] that was built.
type completion struct {
	*Completion
	when  Predicate // nil for always
	then  Processor
	outer bool // only for exchanges that began in the route
}

func (b *Builder) completions() (all []*completion) {
	for i, c := range b.configurations {
		for n, def := range c.OnCompletion {
			if def == nil {
				b.Errorf("completion %d is nil", n+1)
				continue
			}
			b.step = placed{Step: configured("on completion"), place: def.place}
			if def.success && def.failure {
				b.Errorf("want OnSuccess or OnFailure, or neither for both")
			}
			if len(def.steps) == 0 {
				b.Errorf("want steps")
			}
			all = append(all, &completion{def, b.all(def.when), b.beside("on completion", def.place, def.steps), i == len(b.configurations)-1})
		}
	}
	b.step = b.route.begin()
	return all
}

// done runs the completions and tells the policies. It returns the error of the exchange.
func (r *running) done(ctx context.Context, ex *Exchange, err error, first bool) error {
	stopped := ex.stopped
	for _, c := range r.completions {
		if c.outer && !first || c.success && err != nil || c.failure && err == nil {
			continue
		}
		ex.stopped = false
		if failed := c.run(ctx, ex, err); failed != nil {
			err = joined(err, failed)
		}
	}
	ex.stopped = stopped
	if r.policies != nil {
		r.tellDone(ctx, ex, err)
	}
	return err
}

func (c *completion) run(ctx context.Context, ex *Exchange, err error) error {
	on := ex
	if !c.before {
		on = ex.Handover(false)
	}
	if err != nil {
		Caught.Set(on, err)
	}
	on.restore(ex.original, c.original)
	ok, failed := holds(ctx, c.when, on, true)
	switch {
	case failed != nil || !ok:
		if !c.before {
			on.Release()
		}
		return failed
	case c.before:
		ctx, cancel := lastly(ctx, ex.at.engine.config.Abandon)
		defer cancel()
		return guarded(ctx, c.then, ex)
	}
	on.spawn(ctx, c.then, nil)
	return nil
}
