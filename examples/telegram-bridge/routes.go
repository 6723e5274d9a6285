package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// A broker carries the updates from the replica that polls to those that answer. What is of
// one chat stays in order.
type broker struct {
	to   string      // where the updates go, a text in the simple language
	from []route.URI // where they come from
}

// part is the property of an update that chooses its subject.
var part = route.NewProperty[int]("part")

// parts is how many chats are answered at a time. All replicas have to have the same.
const parts = 8

// jetStream has the updates in one stream of NATS, with a subject for each part of the
// chats. One message of a part is worked on at a time, on any replica, and comes to another
// one when that was silent for ackWait.
func jetStream() broker {
	const stream = "createStream=true&stream=TELEGRAM&streamSubjects=telegram.*&streamMaxAge=24h&streamDuplicateWindow=1h"
	b := broker{to: "jetstream:telegram.${exchangeProperty.part}?deduplicate=true&" + stream}
	for p := range parts {
		b.from = append(b.from, route.URI(fmt.Sprintf("jetstream:telegram.%d?durable=answers-%d&maxAckPending=1&ackWait=10s&%s", p, p, stream)))
	}
	return b
}

// intake has one replica poll Telegram. An update has been taken when the broker has it, and
// not before: it waits for the broker for as long as that takes.
func (b broker) intake() *route.Route {
	return route.From("master:bot:telegram:bots?maximumRedeliveries=-1").ID("intake").
		Process(pack).
		ToD(b.to)
}

// pack makes a message of an update. Its UUID is the id of the update, by which the broker
// and everybody else can tell that it comes again.
func pack(_ context.Context, ex *route.Exchange) error {
	u, err := route.BodyAs[*telegram.Update](ex)
	if err != nil {
		return err
	}
	watermill.UUID.Set(ex, strconv.FormatInt(u.ID, 10))
	part.Set(ex, int(uint64(u.ChatID)%parts)) // the id of a group is less than 0
	ex.Body, err = json.Marshal(u)
	return err
}

// answers has every replica answer.
func (b broker) answers() (all []*route.Route) {
	for i, from := range b.from {
		all = append(all, route.From(from).ID(fmt.Sprint("answers-", i)).
			OnError(route.OnErrorWhere(pointless).Handled().Log("no answer: ${exception.message}")).
			Process(route.Map(answer)).
			To("telegram:bots"))
	}
	return all
}

// answer says what the bot says, which is nil where that is nothing. It replies to a message
// by its id, so that a second answer can be told from another one.
func answer(_ context.Context, text []byte) (any, error) {
	var u telegram.Update
	if err := json.Unmarshal(text, &u); err != nil {
		return nil, fmt.Errorf("%w: %w", errStrange, err)
	}
	if u.Kind != "message" || u.Text == "" {
		return nil, nil
	}
	to := telegram.To{ChatID: u.ChatID, Reply: &telegram.Reply{MessageID: u.MessageID}}
	return telegram.Text{To: to, Text: "You said: " + u.Text}, nil
}

var errStrange = errors.New("this is no update")

// pointless tells whether another attempt would fail too, as where the user has blocked the
// bot. After other errors the update comes again, and those behind it wait.
func pointless(err error) bool {
	refused, ok := errors.AsType[*telegram.Error](err)
	return errors.Is(err, errStrange) || ok && (refused.Code == 400 || refused.Code == 403)
}
