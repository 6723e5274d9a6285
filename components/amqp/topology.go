package amqp

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"strings"

	client "github.com/rabbitmq/amqp091-go"
)

// declare declares what the plan says over a channel and returns the name of the queue.
// own tells that a queue without a name is wanted too.
func (p *plan) declare(ch *client.Channel, own bool) (queue string, err error) {
	if err := p.declareExchange(ch, p.exchange, p.ExchangeType, p.args["exchange"]); err != nil {
		return "", err
	}
	if err := p.declareDeadLetters(ch); err != nil {
		return "", err
	}
	if p.Queue == "" && !own {
		return "", nil
	}
	temporary := p.Queue == ""
	q, err := ch.QueueDeclare(p.Queue, isTrue(p.Durable) && !temporary, p.AutoDelete || temporary, temporary, false, p.queueArgs())
	if err != nil {
		return "", told("declare queue", p.Queue, err)
	}
	if p.exchange != "" {
		if err := ch.QueueBind(q.Name, p.RoutingKey, p.exchange, false, p.args["binding"]); err != nil {
			return "", told("bind queue", q.Name, fmt.Errorf("to exchange %q: %w", p.exchange, err))
		}
	}
	return q.Name, nil
}

// find looks whether the queue is there.
func (p *plan) find(ch *client.Channel) (string, error) {
	q, err := ch.QueueDeclarePassive(p.Queue, false, false, false, false, nil)
	return q.Name, told("queue", p.Queue, err)
}

func (p *plan) declareExchange(ch *client.Channel, name string, kind ExchangeType, args client.Table) error {
	if name == "" || strings.HasPrefix(name, "amq.") { // the server's own
		return nil
	}
	return told("declare exchange", name, ch.ExchangeDeclare(name, string(cmp.Or(kind, Direct)), isTrue(p.Durable), false, false, false, args))
}

func (p *plan) declareDeadLetters(ch *client.Channel) error {
	if err := p.declareExchange(ch, p.deadLetters, p.DeadLetterExchangeType, p.args["dlq.exchange"]); err != nil {
		return err
	}
	if p.DeadLetterQueue == "" {
		return nil
	}
	if _, err := ch.QueueDeclare(p.DeadLetterQueue, isTrue(p.Durable), false, false, false, p.args["dlq.queue"]); err != nil {
		return told("declare queue", p.DeadLetterQueue, err)
	}
	if p.deadLetters == "" {
		return nil
	}
	return told("bind queue", p.DeadLetterQueue, ch.QueueBind(p.DeadLetterQueue, p.deadLetterKey(), p.deadLetters, false, p.args["dlq.binding"]))
}

// deadLetterKey is never empty where there is a queue to be reached: with the routing key
// that it had, a message would not get there.
func (p *plan) deadLetterKey() string { return cmp.Or(p.DeadLetterRoutingKey, p.DeadLetterQueue) }

func (p *plan) queueArgs() client.Table {
	args := maps.Clone(p.args["queue"])
	if p.QueueType != "" {
		args["x-queue-type"] = string(p.QueueType)
	}
	if p.dead() {
		args["x-dead-letter-exchange"] = p.deadLetters
		if key := p.deadLetterKey(); key != "" {
			args["x-dead-letter-routing-key"] = key
		}
	}
	return args
}

// told says what an error of the server is about.
func told(what, name string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*client.Error](err); ok && e.Code == client.PreconditionFailed && strings.HasPrefix(what, "declare") {
		return fmt.Errorf("%s %q: there is one that is different: %w", what, name, err)
	}
	return fmt.Errorf("%s %q: %w", what, name, err)
}
