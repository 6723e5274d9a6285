package route

import (
	"context"
	"time"
)

// The steps that branch: filter, choice and try.

type filterStep struct {
	keep Cond
	body []*Block
}

func (filterStep) String() string { return "filter" }

func (s filterStep) Build(b *Builder) Processor {
	f := &filter{keep: b.Predicate(s.keep), is: asTextIs(s.keep), isQuick: isQuick(s.keep)}
	if len(s.body) == 0 {
		return f
	}
	var steps []placed
	for i, block := range s.body {
		if block == nil {
			b.Errorf("block %d is nil", i+1)
			continue
		}
		steps = append(steps, block.steps...)
	}
	f.then = b.steps(steps)
	return f
}

type filter struct {
	keep    Predicate
	is      *textIs   // what keep does, if it compares a text
	then    Processor // nil for what follows
	isQuick bool
}

func (f *filter) quick() bool { return f.isQuick }

func (f *filter) Process(ctx context.Context, ex *Exchange) error {
	var ok bool
	if f.is != nil {
		ok = f.is.matches(ex)
	} else {
		var err error
		if ok, err = f.keep(ctx, ex); err != nil {
			return err
		}
	}
	switch {
	case f.then == nil && !ok:
		return errFiltered
	case f.then == nil || !ok:
		return nil
	}
	return f.then.Process(ctx, ex)
}

type choiceStep struct{ cases []*Case }

func (choiceStep) String() string { return "choice" }

func (s choiceStep) Build(b *Builder) Processor {
	c := &choice{isQuick: true}
	if len(s.cases) == 0 {
		b.Errorf("want at least one route.When")
	}
	outer := b.step
	for i, k := range s.cases {
		if k == nil {
			b.Errorf("case %d is nil", i+1)
			continue
		}
		if k.place.File != "" {
			b.step.place = k.place
		}
		br := branch{}
		if _, last := k.when.(otherwise); !last {
			br.when, br.is = b.Predicate(k.when), asTextIs(k.when)
			c.isQuick = c.isQuick && isQuick(k.when)
		} else if i < len(s.cases)-1 {
			b.Errorf("otherwise must come last")
		}
		b.step = outer
		br.then = b.steps(k.steps)
		c.branches = append(c.branches, br)
	}
	return c.simplified()
}

type branch struct {
	when Predicate // nil for otherwise
	is   *textIs   // what when does, if it compares a text
	then Processor
}

type choice struct {
	branches []branch
	isQuick  bool
}

func (c *choice) quick() bool { return c.isQuick }

func (c *choice) Process(ctx context.Context, ex *Exchange) error {
	for i := range c.branches {
		br := &c.branches[i]
		if br.when != nil {
			ok, err := br.when(ctx, ex)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		return br.then.Process(ctx, ex)
	}
	return nil
}

// simplified returns a processor that looks a header up once where all cases compare the
// same one with a text, as content-based routers mostly do.
func (c *choice) simplified() Processor {
	s := &textChoice{otherwise: &pipeline{}}
	for _, br := range c.branches {
		if br.when == nil {
			s.otherwise = br.then
			continue
		}
		if br.is == nil || s.key != nil && *br.is.key != *s.key {
			return c
		}
		s.key = br.is.key
		s.cases = append(s.cases, textCase{br.is.want, br.then})
	}
	if s.key == nil {
		return c
	}
	return s
}

type textChoice struct {
	key       *key
	cases     []textCase
	otherwise Processor
}

type textCase struct {
	want string
	then Processor
}

func (c *textChoice) quick() bool { return true }

func (c *textChoice) Process(ctx context.Context, ex *Exchange) error {
	if have, ok := c.key.find(ex); ok {
		for i := range c.cases {
			if k := &c.cases[i]; k.want == have {
				return k.then.Process(ctx, ex)
			}
		}
	}
	return c.otherwise.Process(ctx, ex)
}

// Caught is the property that carries the error into the steps of a [Catch].
var Caught = NewProperty[error]("CamelExceptionCaught")

// A Handler is what may follow the body of a Try: [Catch] or [Finally].
type Handler interface{ built() *handler }

type handler struct {
	matches func(error) bool // nil for finally
	all     bool             // matches every error
	name    string
	place   Position
	steps   []placed
}

type tryStep struct {
	body     *Block
	handlers []Handler
}

func (tryStep) String() string { return "try" }

func (s tryStep) Build(b *Builder) Processor {
	t := &try{body: b.Unhandled(s.body), grace: b.engine.config.Abandon}
	if s.body == nil {
		b.Errorf("want a block: route.Do()")
	}
	if len(s.handlers) == 0 {
		b.Errorf("want route.Catch or route.Finally")
	}
	outer, caughtAll := b.step, false
	for i, step := range s.handlers {
		var h *handler
		if step != nil {
			h = step.built()
		}
		if h == nil {
			b.Errorf("handler %d is nil", i+1)
			continue
		}
		b.step.place = h.place
		switch {
		case h.matches == nil && i < len(s.handlers)-1:
			b.Errorf("finally must come last")
		case h.matches != nil && caughtAll:
			b.Errorf("%s is never reached: an earlier one catches every error", h.name)
		}
		b.step = outer
		if h.matches == nil {
			t.finally = b.unhandled(h.steps)
			continue
		}
		caughtAll = caughtAll || h.all
		t.catches = append(t.catches, catch{h.matches, b.unhandled(h.steps)})
	}
	return t
}

type catch struct {
	matches func(error) bool
	then    Processor
}

type try struct {
	body    Processor
	catches []catch
	finally Processor
	grace   time.Duration // for finally where the time of the exchange is over
}

func (t *try) Process(ctx context.Context, ex *Exchange) error {
	err := guarded(ctx, t.body, ex)
	if err != nil {
		for _, c := range t.catches {
			if c.matches(err) {
				Caught.Set(ex, err)
				ex.stopped = false // the error came after the Stop
				err = guarded(ctx, c.then, ex)
				break
			}
		}
	}
	if t.finally == nil {
		return err
	}
	ctx, cancel := lastly(ctx, t.grace) // they run all the same
	defer cancel()
	stopped := ex.stopped
	ex.stopped = false // a Stop in the body does not stop what always runs
	failed := guarded(ctx, t.finally, ex)
	ex.stopped = ex.stopped || stopped
	return joined(err, failed)
}
