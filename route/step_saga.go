package route

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// SagaID is the header that has the id of the saga that a message belongs to.
var SagaID = NewKey[string]("Long-Running-Action")

// A SagaPropagation tells what a [Route.Saga] does with the saga that a message belongs to.
type SagaPropagation string

// Their names are Camel's.
const (
	SagaRequired     SagaPropagation = "REQUIRED"      // join it, or begin one; the default
	SagaRequiresNew  SagaPropagation = "REQUIRES_NEW"  // begin another one
	SagaMandatory    SagaPropagation = "MANDATORY"     // join it; without one it is an error
	SagaSupports     SagaPropagation = "SUPPORTS"      // join it, or go without one
	SagaNotSupported SagaPropagation = "NOT_SUPPORTED" // go without one
	SagaNever        SagaPropagation = "NEVER"         // go without one; with one it is an error
)

// SagaOptions are those of [Route.Saga].
type SagaOptions struct {
	Propagation SagaPropagation // "" means [SagaRequired]

	// Manual leaves it to [Route.CompleteSaga] and [Route.CompensateSaga] to end a saga that the
	// step begins and that does not fail within it (Camel: completionMode=MANUAL).
	Manual bool

	// Timeout is how long the saga may last; 0 means as long as it takes. When it is over, the
	// context of the body is done with [ErrSagaTimeout]; a saga that is still open after
	// the body is compensated at that time.
	Timeout time.Duration

	// Compensation is where a message is sent if the saga fails, also if it has failed
	// within the body, and Completion where one is sent if it succeeds. Their only
	// headers are [SagaID] and the Options, whose values are taken before the body.
	Compensation URI
	Completion   URI
	Options      map[string]Expr

	// Service coordinates the saga; nil means a [SagaMemory] of the engine.
	Service SagaService
}

// Saga runs body as a part of a saga: something that is done in many places, and undone in all
// of them if it fails in one, without a transaction. The header [SagaID] tells to which saga a
// message belongs, wherever it goes.
//
// The step that begins a saga ends it when body has ended: as a success, then every step that
// has joined gets a message at its Completion, or as a failure, then they get one at their
// Compensation; what joined last comes first. One that fails is told again, as the service
// says. Those that could not be told are in the error of the exchange if the saga fails. If it
// succeeds they are logged, and the exchange is a success all the same. A step that only
// joins returns its error to the one that has begun, which may catch it.
//
// In Camel a Manual saga whose exchange fails stays open; here it is compensated. A message
// of a saga that has ended cannot join; in Camel it begins another one.
//
// Compensations must work more than once, and where what they undo was never done. No
// remote coordinator of long running actions (LRA) is there yet.
func (c *chain[Self]) Saga(body *Block, opts ...SagaOptions) Self { return c.add(sagaStep{body, opts}) }

// CompleteSaga ends the saga of the exchange as a success. The service must be that of the steps
// of the saga; without one it is that of the engine.
func (c *chain[Self]) CompleteSaga(service ...SagaService) Self {
	return c.add(endSagaStep{true, service})
}

// CompensateSaga ends the saga of the exchange as a failure. The exchange goes on.
func (c *chain[Self]) CompensateSaga(service ...SagaService) Self {
	return c.add(endSagaStep{false, service})
}

type sagaStep struct {
	body *Block
	opts []SagaOptions
}

func (sagaStep) String() string { return "saga" }

func (s sagaStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	p := &saga{
		options: o, service: b.sagas(o.Service), to: map[URI]Processor{},
		poison: b.engine.config.Poison, grace: b.engine.config.Abandon, logger: b.Logger,
	}
	switch o.Propagation {
	case "":
		p.options.Propagation = SagaRequired
	case SagaRequired, SagaRequiresNew, SagaMandatory, SagaSupports:
	case SagaNotSupported, SagaNever:
		if o.Compensation != "" || o.Completion != "" || o.Timeout != 0 || o.Manual {
			b.Errorf("with %s there is no saga to take part in", o.Propagation)
		}
	default:
		b.Errorf("want a propagation such as route.SagaRequired, have %q", o.Propagation)
	}
	if o.Timeout < 0 {
		b.Errorf("want a timeout that is not negative, have %v", o.Timeout)
	}
	for _, to := range []URI{o.Compensation, o.Completion} {
		if to != "" {
			p.to[to] = b.Producer(to)
		}
	}
	if len(o.Options) > 0 && len(p.to) == 0 {
		b.Errorf("options are for the messages to Compensation and Completion, and there is neither")
	}
	for _, name := range slices.Sorted(maps.Keys(o.Options)) {
		p.headers = append(p.headers, sagaHeader{name, b.value(o.Options[name])})
	}
	p.body = b.filled(s.body)
	if r, ok := p.service.(SagaRunner); ok {
		b.Background(func(stop, work context.Context) { r.Run(stop, work, p.logger) })
	}
	return p
}

func (b *Builder) sagas(s SagaService) SagaService {
	if s == nil {
		return &b.engine.sagas
	}
	return s
}

type sagaHeader struct {
	name  string
	value value
}

type saga struct {
	options SagaOptions
	service SagaService
	to      map[URI]Processor
	headers []sagaHeader
	body    Processor
	poison  bool
	grace   time.Duration
	logger  *slog.Logger
}

func (s *saga) Process(ctx context.Context, ex *Exchange) error {
	id, in := SagaID.Get(ex)
	switch {
	case s.options.Propagation == SagaMandatory && !in:
		return errors.New("the message belongs to no saga")
	case s.options.Propagation == SagaNever && in:
		return fmt.Errorf("the message belongs to the saga %q", id)
	case s.options.Propagation == SagaNotSupported && in:
		ex.RemoveHeader(SagaID.Name())
		defer SagaID.Set(ex, id)
		return guarded(ctx, s.body, ex)
	case !in && s.options.Propagation != SagaRequired && s.options.Propagation != SagaRequiresNew:
		return s.body.Process(ctx, ex)
	case in && s.options.Propagation != SagaRequiresNew:
		return s.within(ctx, ex, id, true)
	}
	begun, err := s.service.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	SagaID.Set(ex, begun)
	err = s.within(ctx, ex, begun, s.options.Manual)
	switch {
	case err != nil:
		err = joined(err, s.fail(ctx, begun))
	case s.options.Manual:
		return nil // with the id, for those who are to end it
	default:
		err = s.service.Complete(ctx, begun)
		if failed, ok := errors.AsType[*SagaError](err); ok {
			s.logger.ErrorContext(ctx, "saga completed, but not all could be told", "saga", begun, "error", errors.Join(failed.Errs...))
			err = nil
		}
	}
	if in {
		SagaID.Set(ex, id)
	} else {
		ex.RemoveHeader(SagaID.Name())
	}
	return err
}

// within joins the saga and runs the body. A saga that stays open after that has what is left
// of the time.
func (s *saga) within(ctx context.Context, ex *Exchange, id string, open bool) error {
	p := SagaParticipant{Compensation: s.options.Compensation, Completion: s.options.Completion}
	if len(s.to) > 0 {
		p.Options = make(map[string]any, len(s.headers))
		for _, h := range s.headers {
			v, err := h.value.get(ctx, ex)
			if err != nil {
				return err
			}
			p.Options[h.name] = v
		}
		p.Send = func(ctx context.Context, to URI) error { return s.send(ctx, to, id, p.Options) }
	}
	if err := s.service.Join(ctx, id, p); err != nil {
		return err
	}
	if s.options.Timeout == 0 {
		return guarded(ctx, s.body, ex)
	}
	begun := time.Now()
	limited, cancel := context.WithTimeoutCause(ctx, s.options.Timeout, ErrSagaTimeout)
	defer cancel()
	err := guarded(limited, s.body, ex)
	left := s.options.Timeout - time.Since(begun)
	if err == nil && left <= 0 {
		err = ErrSagaTimeout
	}
	if err == nil && open {
		err = s.service.Join(ctx, id, SagaParticipant{Timeout: left})
	}
	return err
}

// send tells the participant that this step is.
func (s *saga) send(ctx context.Context, to URI, id string, options map[string]any) error {
	ex := NewExchange(nil)
	defer ex.Release()
	ex.quiet, ex.poison = true, s.poison
	for name, v := range options {
		ex.SetHeader(name, v)
	}
	SagaID.Set(ex, id)
	return guarded(outlived{ctx}, s.to[to], ex)
}

// fail compensates. Where somebody has ended the saga before there is nothing to do.
func (s *saga) fail(ctx context.Context, id string) error {
	ctx, cancel := lastly(ctx, s.grace)
	defer cancel()
	err := s.service.Compensate(ctx, id)
	if errors.Is(err, ErrNoSaga) {
		return nil
	}
	return err
}

type endSagaStep struct {
	success bool
	service []SagaService
}

func (s endSagaStep) String() string {
	if s.success {
		return "complete saga"
	}
	return "compensate saga"
}

func (s endSagaStep) Build(b *Builder) Processor {
	service := b.sagas(only(b, s.service))
	end := service.Compensate
	if s.success {
		end = service.Complete
	}
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) error {
		id, ok := SagaID.Get(ex)
		if !ok {
			return errors.New("the message belongs to no saga")
		}
		return end(ctx, id)
	})
}
