package route

import (
	"context"
	"fmt"
	"time"
)

// DuplicateMessage is the property that tells that a [Route.IdempotentConsumer] has seen the
// message before.
var DuplicateMessage = NewProperty[bool]("CamelDuplicateMessage")

// IdempotentOptions are those of [Route.IdempotentConsumer]. The zero value is Camel's
// default.
type IdempotentOptions struct {
	// Late looks for the key before the body and adds it only when the message is done
	// (Camel: eager=false). The same message may then be in the body more than once at the
	// same time.
	Late bool

	// CompletionEager makes the message count as done when the body has ended, not when the
	// exchange is done. If a later step fails, the message that comes again is a duplicate,
	// and that step never runs.
	CompletionEager bool

	// PassDuplicates lets duplicates into the body too, with the property [DuplicateMessage]
	// (Camel: skipDuplicate=false). They change nothing in the repository.
	PassDuplicates bool

	// KeepOnFailure lets a message count as done that has failed (Camel:
	// removeOnFailure=false). With Late it has no effect: the key was not added.
	KeepOnFailure bool
}

// IdempotentConsumer runs body for messages whose key was not there before. Others go on
// after it with the property [DuplicateMessage]. The key that id gives is a text that is not
// empty, a []byte, a bool or an integer.
//
// The key is added before body, so that of two equal messages at the same time one is the
// duplicate. It stays if the exchange succeeds, and is removed if it fails, so that the message
// can come again. What counts is the exchange as a whole, also what comes after body, up to
// when the consumer hears of it ([Exchange.OnDone]); in a split, that of the part. An error
// that a Try or an error handler has dealt with is no failure. Where a step is run again in which
// a message was new, it is new again. What body only puts in a queue,
// such as that of seda, or does beside the exchange is not waited for.
//
// A message that is refused after its key was confirmed, because another function of OnDone
// failed, comes again as a duplicate.
func (c *chain[Self]) IdempotentConsumer(id Expr, repository IdempotentRepository, body *Block, opts ...IdempotentOptions) Self {
	return c.add(idempotentStep{id, repository, body, opts})
}

type idempotentStep struct {
	id         Expr
	repository IdempotentRepository
	body       *Block
	opts       []IdempotentOptions
}

func (idempotentStep) String() string { return "idempotent consumer" }

func (s idempotentStep) Build(b *Builder) Processor {
	i := &idempotent{options: only(b, s.opts), repository: s.repository, grace: b.engine.config.Abandon}
	if s.repository == nil {
		b.Errorf("want a repository, such as new(route.IdempotentMemory)")
	}
	i.id = b.correlation(s.id)
	i.body = b.filled(s.body)
	return i
}

type idempotent struct {
	id         correlation
	options    IdempotentOptions
	repository IdempotentRepository
	body       Processor
	grace      time.Duration
}

func (i *idempotent) Process(ctx context.Context, ex *Exchange) error {
	key, err := i.id.text(ctx, ex)
	if err != nil {
		return err
	}
	resumes := ex.resumes(i, key)
	isNew := resumes
	switch {
	case resumes:
	case i.options.Late:
		isNew, err = i.repository.Contains(ctx, key)
		isNew = !isNew
	default:
		isNew, err = i.repository.Add(ctx, key)
	}
	if err != nil {
		return fmt.Errorf("key %q: %w", key, err)
	}
	if was, _ := DuplicateMessage.Get(ex); was == isNew { // it may have been one elsewhere
		DuplicateMessage.Set(ex, !isNew)
	}
	switch {
	case !isNew && !i.options.PassDuplicates:
		return nil
	case !isNew, resumes:
		return i.body.Process(ctx, ex)
	case !i.options.CompletionEager:
		ex.onDoneWith(i, key)
		return i.body.Process(ctx, ex)
	}
	err = guarded(ctx, i.body, ex)
	ctx, cancel := lastly(ctx, i.grace)
	defer cancel()
	return joined(err, i.complete(ctx, key, err))
}

// complete tells the repository what became of the message with a key.
func (i *idempotent) complete(ctx context.Context, key string, err error) error {
	switch {
	case err == nil || i.options.KeepOnFailure && !i.options.Late:
		err = i.repository.Confirm(ctx, key)
	case i.options.Late:
		return nil
	default:
		err = i.repository.Remove(ctx, key)
	}
	if err != nil {
		err = fmt.Errorf("key %q: %w", key, err)
	}
	return err
}
