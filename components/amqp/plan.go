package amqp

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	client "github.com/rabbitmq/amqp091-go"

	"github.com/mehari-go/mehari/route"
)

const (
	defaultPrefetch       = 250
	defaultConfirmTimeout = 5 * time.Second
	defaultExchange       = "default"
	maxName               = math.MaxUint8 // bytes that a name or a routing key has at most
)

// A plan is what a Config comes to.
type plan struct {
	Config
	exchange, deadLetters string // names of exchanges: "" is the default one
	args                  map[string]client.Table
}

func isTrue(b *bool) bool { return b == nil || *b }

// consumable tells whether there can be a queue to consume from.
func (p *plan) consumable() bool {
	return p.Queue != "" || p.exchange != "" && isTrue(p.AutoDeclare)
}

// dead tells whether the queue has an address for dead letters.
func (p *plan) dead() bool { return p.DeadLetterExchange != "" || p.DeadLetterQueue != "" }

// rejects tells whether what has failed is not put back.
func (p *plan) rejects() bool {
	if p.RejectAndDontRequeue == nil {
		return p.dead()
	}
	return *p.RejectAndDontRequeue
}

func (p *plan) prefetch() int {
	return cmp.Or(p.PrefetchCount, max(defaultPrefetch, p.MaxInFlight+1))
}

func (p *plan) timeout() time.Duration { return cmp.Or(p.ConfirmTimeout, defaultConfirmTimeout) }

// plan returns all that is wrong.
func (c Config) plan(a route.Address) (*plan, error) {
	p := &plan{Config: c, exchange: exchangeName(c.Exchange), deadLetters: exchangeName(c.DeadLetterExchange)}
	args, errs := parseArgs(c.Args)
	p.args = args
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	for _, f := range []struct{ name, value string }{
		{"path", c.Exchange},
		{`option "queue"`, c.Queue},
		{`option "routingKey"`, c.RoutingKey},
		{`option "deadLetterExchange"`, c.DeadLetterExchange},
		{`option "deadLetterQueue"`, c.DeadLetterQueue},
		{`option "deadLetterRoutingKey"`, c.DeadLetterRoutingKey},
	} {
		refuse(len(f.value) > maxName, "%s: want at most %d bytes, have %d", f.name, maxName, len(f.value))
	}
	within := func(name string, v, least, most int) {
		refuse(a.Options.Has(name) && (v < least || v > most), "option %q: want %d to %d, have %d", name, least, most, v)
	}
	within("prefetchCount", c.PrefetchCount, 1, math.MaxUint16)
	within("priority", c.Priority, 0, math.MaxUint8)
	refuse(c.PrefetchCount > 0 && c.PrefetchCount < c.MaxInFlight, `option "prefetchCount": want at least maxInFlight, %d, have %d`, c.MaxInFlight, c.PrefetchCount)
	refuse(a.Options.Has("confirmTimeout") && c.ConfirmTimeout <= 0, `option "confirmTimeout": want more than 0, have %v`, c.ConfirmTimeout)
	refuse(c.Expiration < 0 || c.Expiration%time.Millisecond != 0 || c.Expiration.Milliseconds() > math.MaxUint32,
		`option "expiration": want whole milliseconds, at most 49 days, have %v`, c.Expiration)
	refuse(c.Exclusive && c.ConcurrentConsumers > 1, `option "exclusive": want one of the concurrentConsumers, have %d`, c.ConcurrentConsumers)
	quorum := c.QueueType == Quorum
	refuse(quorum && (c.Queue == "" || !isTrue(c.Durable) || c.AutoDelete), `option "queueType": a quorum queue has a name, is durable and not deleted by itself`)
	refuse(c.QueueType != "" && args["queue"]["x-queue-type"] != nil, `option "queueType": it is in args too`)
	refuse(!p.dead() && (c.DeadLetterExchangeType != "" || c.DeadLetterRoutingKey != ""), `option "deadLetterExchange" is missing`)
	if !isTrue(c.AutoDeclare) && !c.AutoDeclareProducer {
		for _, name := range declared {
			refuse(a.Options.Has(name), "option %q: it is for what is declared, and nothing is", name)
		}
		refuse(slices.ContainsFunc(argPrefixes, func(p string) bool { return p != "consumer" && len(args[p]) > 0 }), `option "args": it is for what is declared, and nothing is`)
	}
	refuse(c.DeadLetterExchange == defaultExchange && p.deadLetterKey() == "", `option "deadLetterQueue" is missing: the default exchange wants one`)
	return p, errors.Join(errs...)
}

// declared are the options that say what is declared.
var declared = []string{"exchangeType", "durable", "autoDelete", "queueType", "deadLetterExchange", "deadLetterExchangeType", "deadLetterQueue", "deadLetterRoutingKey"}

func exchangeName(name string) string {
	if name == defaultExchange {
		return ""
	}
	return name
}

var argPrefixes = []string{"exchange", "queue", "binding", "consumer", "dlq.exchange", "dlq.queue", "dlq.binding"}

// parseArgs sorts arguments by what they are for.
func parseArgs(args []string) (map[string]client.Table, []error) {
	tables := map[string]client.Table{}
	for _, prefix := range argPrefixes {
		tables[prefix] = client.Table{}
	}
	var errs []error
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		i := slices.IndexFunc(argPrefixes, func(p string) bool { return strings.HasPrefix(name, p+".") && len(name) > len(p)+1 })
		if !ok || i < 0 {
			errs = append(errs, fmt.Errorf(`option "args": want something like queue.x-max-length=1000, for one of %s, have %q`, strings.Join(argPrefixes, ", "), arg))
			continue
		}
		table, key := tables[argPrefixes[i]], name[len(argPrefixes[i])+1:]
		if len(key) > maxName {
			errs = append(errs, fmt.Errorf(`option "args": want names of at most %d bytes, have %d`, maxName, len(key)))
		}
		if _, twice := table[key]; twice {
			errs = append(errs, fmt.Errorf(`option "args": %q is given twice`, name))
		}
		table[key] = parseArg(value)
	}
	return tables, errs
}

func parseArg(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	switch text {
	case "true":
		return true
	case "false":
		return false
	}
	return text
}
