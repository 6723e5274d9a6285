package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/mehari-go/mehari/internal/sleep"
	"github.com/mehari-go/mehari/route"
)

// A poller is one call of Consume.
//
// Telegram keeps an update until a later poll asks for what follows it: that is the
// acknowledgement. So offset moves on when an exchange has succeeded, one at a time.
type poller struct {
	*endpoint
	next     route.Processor
	offset   int64 // what the next poll asks for
	told     int64 // what Telegram knows of that
	asked    int64 // what the latest poll asked for
	began    time.Time
	answered bool // a poll has been
	failures int  // in a row
}

const (
	tolerated   = 3               // failures in a row of a connection that was well
	stretch     = 5 * time.Second // of work, after which Telegram is told how far it is
	confirming  = 3 * time.Second // how long the last call may take
	emptyPause  = time.Second     // between polls that do not wait
	retryLeast  = time.Second
	arriving    = 500 * time.Millisecond // by then a poll has reached Telegram
	echo        = 250 * time.Millisecond // how long to wait for an answer that may take 3 s
	redelivered = 30 * time.Second
)

// poll polls until ctx is done. What keeps it from that is an error, and the engine starts it
// again after a while, with readiness false meanwhile; only a short trouble of a connection
// that was well, and too many requests, it bears by itself.
func (e *endpoint) poll(ctx context.Context, next route.Processor) error {
	if !e.bot.polled.CompareAndSwap(false, true) {
		return errors.New("another route of this program polls the same bot: let one do it, and give it on, as with seda")
	}
	defer e.bot.polled.Store(false)
	p := &poller{endpoint: e, next: next, offset: e.offset.Load()}
	err := p.run(ctx)
	p.confirm(ctx)
	return err
}

func (p *poller) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if lost := route.Work(ctx).Err(); lost != nil {
			return lost // found out by the clock, after a pause of the process: somebody else polls
		}
		updates, err := p.fetch(ctx)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			p.answered, p.failures, p.told = true, 0, p.offset
			err = p.take(ctx, updates)
		} else {
			err = p.bear(ctx, err)
		}
		if err != nil {
			return err
		}
		if len(updates) == 0 && p.wait() == 0 {
			sleep.For(ctx, emptyPause)
		}
	}
	return nil
}

// wait is for how many seconds Telegram holds a poll.
func (p *poller) wait() int { return deref(p.config.Timeout, 30) }

func (p *poller) fetch(ctx context.Context) ([]json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(p.wait())*time.Second+p.timeout)
	defer cancel()
	p.asked, p.began = p.offset, time.Now()
	limit := p.config.Limit
	if limit == 0 {
		limit = 100
	}
	result, err := p.bot.call(ctx, "getUpdates", tgbotapi.Params{
		"offset": strconv.FormatInt(p.offset, 10), "limit": strconv.Itoa(limit),
		"timeout": strconv.Itoa(p.wait()), "allowed_updates": p.config.allowed(),
	}, nil)
	if err != nil {
		return nil, err
	}
	var updates []json.RawMessage
	if err := json.Unmarshal(result, &updates); err != nil {
		return nil, fmt.Errorf("getUpdates: want an array of updates: %w", err)
	}
	return updates, nil
}

// bear waits where that helps, and otherwise returns the error, told so that one knows
// what to do.
func (p *poller) bear(ctx context.Context, err error) error {
	e, refused := errors.AsType[*Error](err)
	switch {
	case refused && e.Code == 429:
		p.component.stats.throttled.Add(1)
		wait := max(e.RetryAfter, retryLeast)
		p.logger.LogAttrs(ctx, slog.LevelWarn, "too many requests", slog.String("endpoint", p.String()), slog.Duration("wait", wait))
		sleep.For(ctx, wait)
		return nil
	case refused && e.Code == 409 && strings.Contains(e.Description, "webhook"):
		return fmt.Errorf("the bot has a webhook, or is given one, and cannot be polled: remove it, or consume with webhookExternalUrl: %w", err)
	case refused && e.Code == 409:
		p.component.stats.conflicts.Add(1)
		if lost := route.Work(ctx).Err(); lost != nil { // this replica is the one too many
			return lost
		}
		return fmt.Errorf("another program polls the same bot: %w", err)
	case refused && (e.Code == 401 || e.Code == 404):
		return fmt.Errorf("the authorizationToken is wrong or has been revoked: %w", err)
	case refused && e.Code < 500 && e.Code >= 400, !p.answered, p.failures == tolerated:
		return err
	}
	wait := route.Backoff{}.After(p.failures)
	p.failures++
	p.logger.LogAttrs(ctx, slog.LevelWarn, "a poll failed: trying again",
		slog.String("endpoint", p.String()), slog.Duration("wait", wait), slog.Any("error", err))
	sleep.For(ctx, wait)
	return nil
}

// take gives the updates to the route, one after the other. It leaves the rest where it has
// taken long, so that Telegram learns of what is done.
func (p *poller) take(ctx context.Context, updates []json.RawMessage) error {
	begun := time.Now()
	strange := 0
	for _, text := range updates {
		u := new(Update)
		if err := json.Unmarshal(text, u); err != nil {
			strange++
			p.component.stats.skipped.Add(1)
			p.logger.LogAttrs(ctx, slog.LevelError, "an update passed over", slog.String("endpoint", p.String()), slog.Any("error", err))
			continue
		}
		if ctx.Err() != nil || !p.give(ctx, u) {
			return nil
		}
		p.offset = u.ID + 1
		if time.Since(begun) > stretch {
			return nil
		}
	}
	if strange > 0 && strange == len(updates) {
		return fmt.Errorf("getUpdates: none of %d updates has an id, and no other will come while they are there", strange)
	}
	return nil
}

// give gives an update to the route until that succeeds, and tells whether it is done with.
func (p *poller) give(ctx context.Context, u *Update) bool {
	most := deref(p.config.MaximumRedeliveries, 10)
	delay := route.Backoff{Delay: p.config.RedeliveryDelay, Max: max(redelivered, p.config.RedeliveryDelay)}
	for n := 0; ; n++ {
		err := p.once(ctx, u, n)
		if err == nil {
			return true
		}
		if route.Work(ctx).Err() != nil {
			return false
		}
		if n == most {
			p.component.stats.skipped.Add(1)
			p.logger.LogAttrs(ctx, slog.LevelError, "an update passed over: its exchange failed too often", slog.String("endpoint", p.String()),
				slog.Int64("update", u.ID), slog.String("kind", u.Kind), slog.Int("times", n+1), slog.Any("error", err))
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		p.confirm(ctx) // what was before it, in case that this one never gets through
		if !sleep.For(ctx, delay.After(n)) {
			return false
		}
	}
}

func (p *poller) once(ctx context.Context, u *Update, n int) error {
	fresh := *u // the route may have changed what it was given
	ex := fresh.exchange()
	defer ex.Release()
	if n > 0 {
		p.component.stats.redelivered.Add(1)
		route.Redelivered.Set(ex, true)
	}
	err := p.next.Process(ctx, ex)
	if err == nil {
		p.component.stats.updates.Add(1)
	}
	return err
}

// confirm tells Telegram how far it is, with a poll that does not wait and whose answer
// nobody reads: who polls next begins there. It is over when the work of the route is.
func (p *poller) confirm(ctx context.Context) {
	p.endpoint.offset.Store(p.offset)
	if p.offset == p.told {
		return
	}
	if route.Work(ctx).Err() != nil {
		return
	}
	patience := confirming
	same := p.asked == p.offset // a poll that was given up has asked for it already
	if same {
		if time.Since(p.began) >= arriving {
			p.told = p.offset
			return
		}
		patience = echo // who asks the same twice has to wait, but is heard
	}
	ctx, cancel := context.WithTimeout(route.Work(ctx), patience)
	defer cancel()
	_, err := p.bot.call(ctx, "getUpdates", tgbotapi.Params{"offset": strconv.FormatInt(p.offset, 10), "limit": "1", "timeout": "0"}, nil)
	if err != nil && !(same && ctx.Err() != nil) {
		p.logger.LogAttrs(ctx, slog.LevelWarn, "Telegram does not know how far this is: the last updates may come again",
			slog.String("endpoint", p.String()), slog.Int64("offset", p.offset), slog.Any("error", err))
		return
	}
	p.told = p.offset
}
