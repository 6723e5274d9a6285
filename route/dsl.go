package route

import "errors"

// chain holds the steps written so far; every method adds one and returns Self.
type chain[Self any] struct {
	self  Self
	steps []placed
}

func (c *chain[Self]) add(s Step) Self {
	c.steps = append(c.steps, placed{Step: s, place: caller()})
	return c.self
}

// Step adds s: the door for steps that are not ours.
func (c *chain[Self]) Step(s Step) Self { return c.add(customStep{s}) }

// To sends the exchange to an endpoint. What the endpoint makes of the exchange, such
// as a reply, goes on.
func (c *chain[Self]) To(u URI) Self { return c.add(toStep{u}) }

// Process runs f. A [Processor] p is passed as p.Process, a typed function through [Map].
func (c *chain[Self]) Process(f ProcessorFunc) Self { return c.add(processStep{f}) }

// Log writes a line, at level info unless options say another. The text is in the simple
// language: "got ${body}". It is only evaluated where the level is on.
func (c *chain[Self]) Log(text string, options ...LogOptions) Self {
	return c.add(logStep{text, options})
}

// SetBody replaces the body. A constant is shared by all exchanges: what changes bodies in
// place must not be given a slice or a map so.
func (c *chain[Self]) SetBody(e Expr) Self { return c.add(setBodyStep{"set body", e}) }

// Transform replaces the body, like [Route.SetBody]: Camel's name for the message translator.
func (c *chain[Self]) Transform(e Expr) Self { return c.add(setBodyStep{"transform", e}) }

// SetHeader stores a value in a header.
func (c *chain[Self]) SetHeader(name string, e Expr) Self {
	return c.add(setFieldStep{inHeaders, name, e})
}

// SetProperty stores a value in a property of the exchange.
func (c *chain[Self]) SetProperty(name string, e Expr) Self {
	return c.add(setFieldStep{inProperties, name, e})
}

// SetVariable stores a value in a variable: see [Exchange.Variable].
func (c *chain[Self]) SetVariable(name string, e Expr) Self {
	return c.add(setFieldStep{inVariables, name, e})
}

// RemoveHeader takes a header away.
func (c *chain[Self]) RemoveHeader(name string) Self { return c.add(removeFieldStep{inHeaders, name}) }

// RemoveHeaders takes the headers away whose names match pattern, in which * stands for
// any text, except for those that match one of the patterns to keep.
func (c *chain[Self]) RemoveHeaders(pattern string, keep ...string) Self {
	return c.add(removeFieldsStep{inHeaders, pattern, keep})
}

// Filter runs body where keep holds, several blocks one after the other. Without a
// body, the steps that follow in the same block are the body.
func (c *chain[Self]) Filter(keep Cond, body ...*Block) Self {
	return c.add(filterStep{keep, body})
}

// Choice runs the first case that holds: [When], [Otherwise].
func (c *chain[Self]) Choice(cases ...*Case) Self { return c.add(choiceStep{cases}) }

// Split runs body once for each part of what e gives: a slice, an array, an iter.Seq or
// an iter.Seq2 of values and errors, such as those of [Tokenize], [Lines], [TokenizeXML]
// and [TokenizeJSON]. A sequence is never gathered: only the parts that are on their way
// are in memory, and one more.
//
// Each part is an exchange of its own with the headers, properties and variables of the
// whole, and properties [SplitIndex], [SplitSize] and [SplitComplete]. By default they run
// one after the other, a part that fails does not keep the others from running, and the
// whole then fails with their errors; otherwise it goes on as it was. [SplitOptions], of
// which there may be one, have them run at the same time, stop early, and merge.
func (c *chain[Self]) Split(e Expr, body *Block, opts ...SplitOptions) Self {
	return c.add(splitStep{e, body, opts})
}

// Try runs body; the first [Catch] that matches its error handles it, and [Finally]
// always runs.
func (c *chain[Self]) Try(body *Block, handlers ...Handler) Self {
	return c.add(tryStep{body, handlers})
}

// Stop ends the exchange's way, as a success. In a [Route.Split] it ends that of the part.
func (c *chain[Self]) Stop() Self { return c.add(stopStep{}) }

// A Route takes messages from an endpoint and leads them through steps.
type Route struct {
	chain[*Route]
	from       URI
	place      Position
	id         string
	order      int
	manual     bool
	own        Configuration
	shared     []*Configuration
	advice     []Advice
	parameters map[string]string // nil if it is no instance
}

// From starts a route at an endpoint.
func From(u URI) *Route {
	r := &Route{from: u, place: caller()}
	r.self = r
	return r
}

// ID names the route. Without it a route is called route1, route2, … in the order in
// which routes are given to the engine.
func (r *Route) ID(id string) *Route { r.id = id; return r }

// StartOrder tells when the route starts: those with a lower number start first and
// stop last. Routes with the same number, 0 if none is given, start in the order in
// which they are given to the engine.
func (r *Route) StartOrder(n int) *Route { r.order = n; return r }

// AutoStart tells whether the route starts with the engine, as it does by default, or
// waits for [Engine.Start].
func (r *Route) AutoStart(auto bool) *Route { r.manual = !auto; return r }

// A Definition is what a route says about itself, for code that collects routes.
type Definition struct {
	ID         string // "" if it was given none
	From       URI
	Place      Position // of [From]
	StartOrder int
	AutoStart  bool
}

// Definition returns what the route says about itself.
func (r *Route) Definition() Definition {
	return Definition{r.id, r.from, r.place, r.order, !r.manual}
}

// A Block is a list of steps without a start.
type Block struct{ chain[*Block] }

// Do starts a block.
func Do() *Block { b := new(Block); b.self = b; return b }

// A Case is a branch of a Choice.
type Case struct {
	chain[*Case]
	when  Cond
	place Position
}

// When starts a branch that is taken where c holds.
func When(c Cond) *Case {
	k := &Case{when: c, place: caller()}
	k.self = k
	return k
}

// Otherwise starts the branch that is taken where no other is.
func Otherwise() *Case { return When(otherwise{}) }

type otherwise struct{}

// A CatchBlock handles errors of one type.
type CatchBlock struct {
	chain[*CatchBlock]
	handler
}

// Catch starts the steps that handle an error of type E, also where it is wrapped. They
// find the error in the property [Caught].
func Catch[E error]() *CatchBlock {
	c := &CatchBlock{handler: handler{
		matches: func(err error) bool { _, ok := errors.AsType[E](err); return ok },
		name:    "catch " + typeName[E](),
		all:     typeName[E]() == "error",
		place:   caller(),
	}}
	c.self = c
	return c
}

func (c *CatchBlock) built() *handler {
	if c == nil {
		return nil
	}
	h := c.handler
	h.steps = c.chain.steps
	return &h
}

// A FinallyBlock runs after a Try, whatever happened.
type FinallyBlock struct {
	chain[*FinallyBlock]
	place Position
}

// Finally starts the steps that always run. Where the context of the exchange is done
// they have as long as [Config.Abandon].
func Finally() *FinallyBlock {
	f := &FinallyBlock{place: caller()}
	f.self = f
	return f
}

func (f *FinallyBlock) built() *handler {
	if f == nil {
		return nil
	}
	return &handler{name: "finally", place: f.place, steps: f.steps}
}
