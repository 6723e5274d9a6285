package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mehari-go/mehari/internal/nearest"
)

// Config is what an [Engine] needs. Zero fields mean defaults.
type Config struct {
	// Components serve the schemes of the routes' URIs.
	Components Components

	// Logger is for all that the engine and its components have to say; nil means
	// slog.Default().
	Logger *slog.Logger

	// Properties give placeholders in URIs and texts their values; nil means that
	// only {{env:NAME}} has one.
	Properties Properties

	// Converters make values of types that no rule of [As] knows, or in another way. They
	// come before the rules. Two for the same types are an error.
	Converters []Converter

	// Registry holds what expressions know by a name: values, for ${ref:name} in the simple
	// language, and functions, for ${function(name)}, which are a func(any) (any, error) or
	// a func(context.Context, any) (any, error). It may not be changed once it is given.
	Registry map[string]any

	// Drain is how long exchanges in flight may take to finish when a route or the
	// engine stops; 0 means 25s, less than the 30s that Kubernetes gives a pod.
	Drain time.Duration

	// Abandon is how long exchanges that are given up after Drain may take to notice
	// it; after that the engine goes on without them. 0 means 2s.
	Abandon time.Duration

	// Restart is how long to wait before a consumer is started anew that ended while
	// its route is started.
	Restart Backoff

	// Routes is what all routes have in common.
	Routes Configuration

	// Cursors keep how far consumers have come, such as timers with the option misfire,
	// where they stand in no lock; nil means that those begin anew each time. Package
	// repository/file has some.
	Cursors Cursors

	// Poison is for tests: exchanges are not reused, and one that is used after its
	// release panics.
	Poison bool
}

// A Backoff tells how long to wait after the first, second, … failure in a row: Delay,
// then twice as long each time up to Max, each plus or minus a random tenth.
type Backoff struct {
	Delay time.Duration // 0 means 1s
	Max   time.Duration // 0 means 1m
}

// An Engine runs routes. All its methods may be called from many goroutines at once.
type Engine struct {
	config     Config
	logger     *slog.Logger
	properties placeholders
	clock      clock
	env        Env
	producers  endpoints // of code outside of routes
	variables  sharedVariables
	sagas      SagaMemory // of steps that name no other service
	converters *converters

	errands sync.WaitGroup // of Go

	mu     sync.Mutex
	routes []*running // in the order in which they start
	added  int        // routes ever added
	phase  phase
	begun  chan struct{}      // closed when Run has started the routes
	taking context.Context    // ends with what Run was given
	stop   context.CancelFunc // ends taking
	base   context.Context    // of everything that runs; it lives until the drain time is over
	ended  chan struct{}      // closed when Run returns
	result error              // of Run, once it has ended

	draining, closing limit                  // of a stop
	busyWith          atomic.Pointer[string] // what a component does not finish; nil if none is asked to
}

// phase is how far an engine's life has come.
type phase uint8

const (
	isNew     phase = iota
	isOpening       // its components are told
	isRunning
	isStopping
	isStopped
)

// New builds the routes. It reports all that is wrong with them in one error, one line
// for each mistake, with the place in the source. It does no I/O and starts nothing.
func New(cfg Config, routes ...*Route) (*Engine, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	var errs []error
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"Drain", &cfg.Drain, 25 * time.Second},
		{"Abandon", &cfg.Abandon, 2 * time.Second},
		{"Restart.Delay", &cfg.Restart.Delay, time.Second},
		{"Restart.Max", &cfg.Restart.Max, time.Minute},
	} {
		if *d.value == 0 {
			*d.value = d.def
		}
		if *d.value < 0 {
			errs = append(errs, fmt.Errorf("route: Config.%s: want a duration that is not negative, have %v", d.name, *d.value))
		}
	}
	for _, scheme := range slices.Sorted(maps.Keys(cfg.Components)) {
		if !isScheme(scheme) {
			errs = append(errs, fmt.Errorf("route: Config.Components: %q cannot be the scheme of a URI", scheme))
		}
		if cfg.Components[scheme] == nil {
			errs = append(errs, fmt.Errorf("route: Config.Components: the component %q is nil", scheme))
		}
	}
	converters, err := newConverters(cfg.Converters)
	errs = append(errs, err)
	e := &Engine{config: cfg, logger: cfg.Logger, converters: converters, properties: placeholders{cfg.Properties}, begun: make(chan struct{}), ended: make(chan struct{}), draining: newLimit(), closing: newLimit()}
	e.clock = clock{base: time.Now(), busy: e.exchanges}
	e.env.Logger = cfg.Logger
	e.env.Resolve = e.resolver(&e.env, e.properties)
	e.producers = endpoints{resolve: e.env.Resolve, size: defaultCache}
	if err := errors.Join(append(errs, e.Add(routes...))...); err != nil {
		return nil, err
	}
	return e, nil
}

// exchanges is how many exchanges the engine's routes have taken so far.
func (e *Engine) exchanges() (n int64) {
	for _, r := range e.list() {
		total, _ := r.flights.count()
		tasks, _ := r.tasks.count()
		n += total + tasks
	}
	return n
}

// resolver returns what returns the endpoint at a URI with placeholders.
func (e *Engine) resolver(env *Env, p placeholders) func(URI) (Endpoint, error) {
	return func(u URI) (Endpoint, error) {
		u, err := p.resolveURI(u)
		if err != nil {
			return nil, err
		}
		return e.endpoint(*env, u)
	}
}

// endpoint makes the endpoint at u, in which there are no placeholders.
func (e *Engine) endpoint(env Env, u URI) (Endpoint, error) {
	addr, err := u.Parse()
	if err != nil {
		return nil, err
	}
	c, err := e.component(addr.Scheme)
	if err != nil {
		return nil, err
	}
	ep, err := c.Endpoint(env, addr)
	if err == nil && ep == nil {
		err = fmt.Errorf("the component %q (%T) makes no endpoint", addr.Scheme, c)
	}
	return ep, err
}

// component returns the component that serves a scheme.
func (e *Engine) component(scheme string) (Component, error) {
	if c := e.config.Components[scheme]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("no component %q %s", scheme, nearest.Hint(scheme, slices.Sorted(maps.Keys(e.config.Components))))
}

// list returns the routes in the order in which they start.
func (e *Engine) list() []*running {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.routes
}

// Add builds more routes, all or, with an error like that of [New], none of them. In an
// engine that runs they start, unless [Route.AutoStart] says otherwise.
func (e *Engine) Add(routes ...*Route) error {
	e.mu.Lock()
	if e.phase > isRunning {
		e.mu.Unlock()
		return ErrStopped
	}
	taken := map[string]Position{}
	for _, r := range e.routes {
		taken[r.id] = r.def.place
	}
	var errs []error
	ids := make([]string, len(routes))
	for i, r := range routes {
		if r == nil {
			errs = append(errs, fmt.Errorf("route: route %d of %d is nil", i+1, len(routes)))
			continue
		}
		if place, ok := taken[r.id]; ok {
			errs = append(errs, &BuildError{r.id, "", r.place, fmt.Errorf("the route at %s has the same id", place)})
		} else if r.id != "" {
			taken[r.id] = r.place
		}
		ids[i] = r.id
	}
	for i, r := range routes {
		for r != nil && ids[i] == "" {
			e.added++
			id := "route" + strconv.Itoa(e.added)
			if _, ok := taken[id]; !ok {
				ids[i] = id
			}
		}
	}
	e.mu.Unlock()

	var built []*running
	for i, def := range routes {
		if def != nil {
			r, err := e.build(def, ids[i])
			built, errs = append(built, r), append(errs, err)
		}
	}
	errs = append(errs, exclusive(built))
	if err := errors.Join(errs...); err != nil {
		return err
	}

	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase > isRunning {
		return ErrStopped
	}
	for _, r := range built {
		if slices.ContainsFunc(e.routes, func(other *running) bool { return other.id == r.id }) {
			return &BuildError{r.id, "", r.def.place, errors.New("a route with this id was added at the same time")}
		}
	}
	e.routes = append(slices.Clone(e.routes), built...)
	slices.SortStableFunc(e.routes, startOrder)
	if e.phase == isRunning {
		slices.SortStableFunc(built, startOrder)
		e.startAll(built)
	}
	return nil
}

// exclusive refuses routes that would start together where only one of them can.
func exclusive(routes []*running) error {
	var errs []error
	taken := map[any]Position{}
	for _, r := range routes {
		c, ok := r.consumer.(Exclusive)
		if !ok || r.def.manual {
			continue
		}
		key := c.Exclusive()
		if key == nil {
			continue
		}
		if place, ok := taken[key]; ok {
			errs = append(errs, &BuildError{r.id, fromStep{r.def.from}.String(), r.def.place, fmt.Errorf("the route at %s consumes it already, and only one can", place)})
			continue
		}
		taken[key] = r.def.place
	}
	return errors.Join(errs...)
}

// startOrder is by number, internal routes first.
func startOrder(a, b *running) int {
	rank := func(r *running) int {
		if r.internal() {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.def.order, b.def.order), cmp.Compare(rank(a), rank(b)))
}

type fromStep struct{ uri URI }

func (s fromStep) String() string         { return fmt.Sprintf("from %q", s.uri) }
func (fromStep) Build(*Builder) Processor { return nil }

// build builds one route.
func (e *Engine) build(def *Route, id string) (*running, error) {
	r := &running{engine: e, def: def, id: id, state: Stopped, since: time.Now()}
	b := &Builder{Env: e.env, engine: e, route: r, step: r.begin()}
	unusedParameters, unusedAdvice := b.withParameters(), b.withAdvice()
	ep, err := b.Resolve(def.from)
	consumer, ok := ep.(Consumer)
	switch {
	case err != nil:
		b.Errorf("%w", err)
	case !ok:
		b.Errorf("%w", cannotStart(ep))
	}
	r.consumer = consumer
	b.configurations = b.configurationsOf(def)
	b.interceptors = b.buildInterceptors()
	r.handling = b.errorHandling()
	b.handling = r.handling
	r.completions, r.policies = b.completions(), b.policies()
	r.flights.clock, r.tasks.clock = &e.clock, &e.clock
	r.steps = b.interceptedFrom(b.steps(def.steps))
	unusedParameters()
	unusedAdvice()
	r.tasks.first = entryStep
	r.flights.first, r.poison = firstStep(r.steps), e.config.Poison
	r.nodes = b.nodes
	r.top = topNodes(b.nodes)
	return r, errors.Join(b.errs...)
}

// topNodes returns the nodes that are nested in no other.
func topNodes(nodes []*node) (top []*node) {
	nested := map[*node]bool{}
	for _, n := range nodes {
		for _, child := range n.nested {
			nested[child] = true
		}
	}
	for _, n := range nodes {
		if !nested[n] && !n.beside {
			top = append(top, n)
		}
	}
	return top
}

// find returns the route with an id.
func (e *Engine) find(id string) (*running, error) {
	var have []string
	for _, r := range e.list() {
		if r.id == id {
			return r, nil
		}
		have = append(have, r.id)
	}
	slices.Sort(have)
	return nil, fmt.Errorf("route: no route %q %s", id, nearest.Hint(id, have))
}
