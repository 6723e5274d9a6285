package route

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// FanOut says how the parts of an exchange are led through their steps, and what becomes
// of them: those of a [Route.Split], the branches of a [Route.Multicast] and the recipients
// of a [Route.RecipientList]. Each part is an exchange of its own with the headers,
// properties and variables of the whole, which waits for all of them.
//
// The zero value leads one after the other. A part that fails does not keep the others
// from running; the whole then fails with their errors, of which the first ten are told
// one by one, and is left as it was. Failed parts are not merged: a Merge that wants to
// see them has them handled inside of the part, by [Route.Try].
//
// A Stop, and a Filter that does not let a part pass, end the part only, as a success.
type FanOut struct {
	// Parallel is how many parts are on their way at once, up to 10 000. With 0 or 1 they
	// go one after the other, in the goroutine of the whole. Parts that share a body must
	// not change it in place: see Prepare.
	Parallel int

	// Unordered merges parts in the order in which they finish, Camel's streaming. By
	// default they are merged in their own order, for which up to four times Parallel parts
	// are kept that have finished, or have not, since the first that is not merged yet.
	Unordered bool

	// StopOnError ends the whole with the first part that fails: the others are given up
	// through their contexts, or never begin.
	StopOnError bool

	// Timeout is how long all parts together may take, 0 for as long as the whole. Then
	// those that are not done are given up through their contexts, and as in Camel the
	// whole goes on with what was merged so far, with the property [TimedOut]. A part that
	// does not heed its context is waited for all the same.
	Timeout time.Duration

	// Merge makes one exchange of the parts, whose body and headers the whole then has.
	// Without it the whole of a Split goes on as it was, and that of a Multicast or a
	// RecipientList with the last part merged, as by [UseLatest]. Where no part is
	// merged the whole goes on as it was. An error of Merge ends the whole like one of a
	// part under StopOnError.
	Merge Strategy

	// KeepOriginal makes the whole of a Multicast or a RecipientList go on as it was, as that
	// of a Split does by default. It excludes Merge.
	KeepOriginal bool

	// Prepare is called with each part before its steps, Camel's onPrepare, for example to
	// copy a body that the steps change in place. With Parallel it is called by several
	// goroutines at once. Its error is the part's.
	Prepare ProcessorFunc
}

// TimedOut is the property that tells that an exchange went on without those of its
// parts that had not ended within [FanOut.Timeout].
var TimedOut = NewProperty[bool]("CamelTimedOut")

const (
	maxParallel = 10_000
	maxErrors   = 10 // of parts, that are told one by one
	mergeWindow = 4  // times Parallel
)

// A fan is a built FanOut.
type fan struct {
	FanOut
	latest    bool // is what Merge does
	maxFailed int
	threshold float64
}

func (f FanOut) build(b *Builder, latest bool) fan {
	if f.Parallel < 0 || f.Parallel > maxParallel {
		b.Errorf("want Parallel from 0 to %d, have %d", maxParallel, f.Parallel)
	}
	if f.Timeout < 0 {
		b.Errorf("want a Timeout that is not negative, have %v", f.Timeout)
	}
	if f.KeepOriginal && f.Merge != nil {
		b.Errorf("want Merge or KeepOriginal, have both")
	}
	return fan{FanOut: f, latest: latest && f.Merge == nil && !f.KeepOriginal}
}

func (f *fan) merges() bool   { return f.latest || f.Merge != nil }
func (f *fan) tolerant() bool { return f.maxFailed > 0 || f.threshold > 0 }

// prepared returns p with what has to be done before.
func (f *fan) prepared(p Processor) Processor {
	if f.Prepare == nil {
		return p
	}
	return ProcessorFunc(func(ctx context.Context, part *Exchange) error {
		if err := f.Prepare(ctx, part); err != nil {
			return err
		}
		return p.Process(ctx, part)
	})
}

// parts are the parts of one exchange that are on their way. They belong to the goroutine
// of that exchange, which begins them, asks for room before each part, leads it, and ends
// them:
//
//	for … && p.room() {
//		part := p.next()
//		…
//		p.lead(part, steps)
//	}
//	return p.end()
type parts struct {
	*fan
	whole   *Exchange
	outer   context.Context         // of the whole
	ctx     context.Context         // of the parts
	cancel  context.CancelCauseFunc // of ctx, where there is a crew
	release context.CancelFunc      // of ctx, where there is a Timeout
	late    error                   // the cause of ctx when that is over
	crew    *crew                   // nil where they go one after the other

	begun, ended, failed int
	errs                 []error // of parts
	fatal                []error // others
	merged               *Exchange
	cut                  bool  // one did not begin because ctx was done
	givenUp              error // of the first one that ended because ctx was done
	stopped              bool  // by an error
	aborted              bool  // because too many have failed
}

// A crew runs parts at the same time.
type crew struct {
	done   chan ended
	busy   int
	merged int           // the index of the part that is merged next
	held   map[int]ended // those that wait for it
}

// ended is a part that has ended.
type ended struct {
	part  *Exchange
	index int
	err   error
}

var (
	errLate         = errors.New("the time for all parts is over")
	errPartsStopped = errors.New("given up because of another part")
)

func (p *parts) begin(ctx context.Context, whole *Exchange, f *fan) {
	p.fan, p.whole, p.outer, p.ctx = f, whole, ctx, ctx
	if f.Timeout > 0 {
		p.late = fmt.Errorf("%w: %v", errLate, f.Timeout)
		p.ctx, p.release = context.WithTimeoutCause(ctx, f.Timeout, p.late)
	}
	if f.Parallel > 1 {
		p.crew = &crew{done: make(chan ended, f.Parallel)}
		p.ctx, p.cancel = context.WithCancelCause(p.ctx)
	}
}

// room waits until there is room for one more part, and tells whether one shall begin.
func (p *parts) room() bool {
	if c := p.crew; c != nil {
		for c.busy == p.Parallel || p.waitForMerge() {
			p.take(<-c.done)
		}
		for ready := true; ready; {
			select {
			case e := <-c.done:
				p.take(e)
			default:
				ready = false
			}
		}
	}
	if p.stopped {
		return false
	}
	p.cut = p.ctx.Err() != nil
	return !p.cut
}

func (p *parts) ordered() bool { return p.merges() && !p.Unordered }

func (p *parts) waitForMerge() bool {
	return p.ordered() && p.begun-p.crew.merged >= mergeWindow*p.Parallel
}

// next returns the next part.
func (p *parts) next() *Exchange {
	if p.crew != nil {
		part := p.whole.fork()
		if part.flight != nil { // where the whole is, until it comes to a step of its own
			part.flight.at(p.whole.flight.state.Load() & stepMask)
		}
		return part
	}
	part := p.whole.Clone()
	part.flight = p.whole.flight // where others see it
	part.id = exchangeID{0, serial.Add(1)}
	return part
}

// lead leads a part through steps. With a crew it does not wait for that.
func (p *parts) lead(part *Exchange, steps Processor) {
	index := p.begun
	p.begun++
	c := p.crew
	if c == nil {
		p.take(ended{part, index, guarded(p.ctx, steps, part)})
		return
	}
	c.busy++
	ctx := p.ctx
	go func() { // end waits for what it sends
		c.done <- ended{part, index, guarded(ctx, steps, part)}
	}()
}

// take takes a part back.
func (p *parts) take(e ended) {
	if p.crew != nil {
		p.crew.busy--
		e.part.join()
	}
	p.ended++
	switch {
	case e.err == nil:
	case p.ctx.Err() != nil && (errors.Is(e.err, context.Cause(p.ctx)) || errors.Is(e.err, p.ctx.Err())):
		if p.givenUp == nil {
			p.givenUp = e.err
		}
	default:
		if p.failed++; p.failed <= maxErrors {
			p.errs = append(p.errs, e.err)
		}
		if p.tooMany() {
			p.aborted = true
			p.stop()
		}
	}
	if p.crew == nil || !p.ordered() {
		p.settle(e)
		return
	}
	c := p.crew
	if c.held == nil {
		c.held = make(map[int]ended, p.Parallel)
	}
	c.held[e.index] = e
	for e, ok := c.held[c.merged]; ok; e, ok = c.held[c.merged] {
		delete(c.held, c.merged)
		c.merged++
		p.settle(e)
	}
}

// tooMany tells whether so many parts have failed that the whole does.
func (p *parts) tooMany() bool {
	return p.StopOnError ||
		p.maxFailed > 0 && p.failed >= p.maxFailed ||
		p.threshold > 0 && float64(p.failed)/float64(p.ended) >= p.threshold
}

// stop gives up the parts that are on their way.
func (p *parts) stop() {
	p.stopped = true
	if p.crew != nil {
		p.cancel(errPartsStopped)
	}
}

// settle merges a part that has succeeded, and releases it.
func (p *parts) settle(e ended) {
	switch {
	case e.err != nil || p.stopped || !p.merges():
	case p.latest:
		e.part, p.merged = p.merged, e.part
	default:
		var err error
		if p.merged, err = p.Merge.fold(p.outer, p.merged, e.part); err != nil {
			p.fatal = append(p.fatal, fmt.Errorf("merge of part %d: %w", e.index, err))
			p.stop()
		}
	}
	if e.part != nil {
		e.part.Release()
	}
}

// fail ends the parts with an error that is not one of them.
func (p *parts) fail(err error) {
	p.fatal = append(p.fatal, err)
	if p.StopOnError {
		p.stop()
	}
}

// end waits for the parts that are on their way and returns the error of the whole.
func (p *parts) end() error {
	if p.crew != nil {
		for p.crew.busy > 0 {
			p.take(<-p.crew.done)
		}
	}
	late := false
	if (p.cut || p.givenUp != nil) && !p.stopped {
		if late = p.late != nil && context.Cause(p.ctx) == p.late; !late {
			if p.givenUp == nil {
				p.givenUp = context.Cause(p.ctx)
			}
			p.fatal = append(p.fatal, p.givenUp)
		}
	}
	if p.cancel != nil {
		p.cancel(nil)
	}
	if p.release != nil {
		p.release()
	}
	err := p.error()
	if p.merged != nil {
		if err == nil {
			p.whole.Body = p.merged.Body
			p.whole.headers.reset()
			p.whole.headers.copyFrom(&p.merged.headers)
		}
		p.merged.Release()
	}
	if late && err == nil {
		TimedOut.Set(p.whole, true)
	}
	return err
}

func (p *parts) error() error {
	if p.tolerant() && !p.aborted {
		return errors.Join(p.fatal...)
	}
	errs := p.errs
	if p.failed > maxErrors {
		errs = append(errs[:maxErrors:maxErrors], fmt.Errorf("and %d of the %d parts more", p.failed-maxErrors, p.ended))
	}
	return errors.Join(append(errs, p.fatal...)...)
}
