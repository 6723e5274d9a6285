package route

import "context"

// termOf returns the term of a leader under which ctx is, nil where there is none.
func termOf(ctx context.Context, e *Engine) context.Context {
	if o := originOf(ctx); o.engine == e && o.in != nil && o.lasting != o.in.work {
		return o.lasting
	}
	return nil
}

// lead leads an exchange that a step has kept through p, in a goroutine of the route. It
// is given up when work is done, and when the term has ended, which may be nil. A failure
// is told as that of an exchange that nobody waits for.
func (r *running) lead(work, term context.Context, ex *Exchange, p Processor) error {
	ctx := work
	if term != nil {
		joined, cancel := context.WithCancelCause(term)
		defer cancel(nil)
		defer endsWith(work, cancel)()
		ctx = joined
	}
	ex.flight = r.tasks.enter(nil)
	ex.flight.name(ex.id)
	err := guarded(ctx, p, ex)
	ex.join()
	if err != nil {
		r.fail(ctx, ex, err, true)
	}
	return err
}
