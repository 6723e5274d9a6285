package route

import (
	"context"
	"fmt"
)

// The properties of the turns of a [Route.Loop].
var (
	LoopIndex = NewProperty[int]("CamelLoopIndex") // of the turn, from 0
	LoopSize  = NewProperty[int]("CamelLoopSize")  // how many turns there are; not with LoopWhile
)

// LoopOptions are the options of [Route.Loop] and [Route.LoopWhile].
type LoopOptions struct {
	// Copy makes each turn begin with the exchange as it came to the loop. By default it
	// begins with what the turn before has made of it. What the last turn has made goes on
	// in both cases. Each copy is done, as [Exchange.OnDone] has it, when its turn is; where
	// a turn fails, the exchange is as it came.
	Copy bool

	// BreakOnShutdown ends the loop with an error when the route is to stop. By default
	// all turns are done, as far as the drain time allows.
	BreakOnShutdown bool

	// Prepare is called before each turn with the exchange, or with its copy: Camel's
	// onPrepare. Its error ends the loop.
	Prepare ProcessorFunc
}

// Loop runs body n times. The number, which is evaluated once, is a whole one or the text
// of one. [Route.Stop] ends the loop with the exchange's way, a [Route.Filter] without a
// body only the turn. A loop also ends when the context of the exchange does.
func (c *chain[Self]) Loop(n Expr, body *Block, options ...LoopOptions) Self {
	return c.add(loopStep{times: n, body: body, options: options})
}

// LoopWhile runs body as long as cond holds. It is asked before each turn, of what the
// turn before has made of the exchange. Nothing else ends the loop but an error, a
// [Route.Stop] and the end of the exchange's context.
func (c *chain[Self]) LoopWhile(cond Cond, body *Block, options ...LoopOptions) Self {
	return c.add(loopStep{cond: cond, while: true, body: body, options: options})
}

type loopStep struct {
	times   Expr
	cond    Cond
	while   bool
	body    *Block
	options []LoopOptions
}

func (s loopStep) String() string {
	if n, ok := s.times.(int); ok {
		return fmt.Sprintf("loop %d times", n)
	}
	if s.while {
		return "loop while " + describeCond(s.cond)
	}
	return "loop"
}

func (s loopStep) Build(b *Builder) Processor {
	l := &loop{LoopOptions: only(b, s.options), route: b.route}
	if s.while {
		l.while = b.Predicate(s.cond)
	} else {
		l.times = b.count(s.times, "a number of turns", 0)
	}
	l.body = b.filled(s.body)
	return l
}

type loop struct {
	LoopOptions
	times count
	while Predicate // nil where times counts
	body  Processor
	route *running
}

func (l *loop) Process(ctx context.Context, ex *Exchange) error {
	size := 0
	if l.while == nil {
		n, err := l.times.of(ctx, ex)
		if err != nil {
			return err
		}
		size = n
		LoopSize.Set(ex, n)
	}
	latest := ex
	defer func() {
		if latest != ex {
			latest.Release()
		}
	}()
	for i := 0; (l.while != nil || i < size) && !latest.stopped; i++ {
		more, err := l.goesOn(ctx, latest, i)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if l.Copy {
			if latest != ex {
				latest.Release()
			}
			latest = ex.trial()
		}
		if err := l.turn(ctx, latest, i); err != nil {
			return err
		}
	}
	if latest != ex {
		ex.become(latest)
	}
	return nil
}

// goesOn tells whether there is another turn after i.
func (l *loop) goesOn(ctx context.Context, latest *Exchange, i int) (bool, error) {
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if l.BreakOnShutdown && l.route.isStopping() {
		return false, fmt.Errorf("after %d turns: %w", i, errStopping)
	}
	if l.while == nil {
		return true, nil
	}
	return l.while(ctx, latest)
}

func (l *loop) turn(ctx context.Context, ex *Exchange, i int) error {
	LoopIndex.Set(ex, i)
	if l.Prepare != nil {
		if err := l.Prepare(ctx, ex); err != nil {
			return err
		}
	}
	if l.Copy {
		return guarded(ctx, l.body, ex)
	}
	return l.body.Process(ctx, ex)
}
