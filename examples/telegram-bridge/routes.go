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

// By these a broker keeps what is of one chat in order: it is all in one part.
var (
	part = route.NewProperty[int]("part")
	chat = route.NewKey[string]("chat")
)

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
	chat.Set(ex, strconv.FormatInt(u.ChatID, 10))
	ex.Body, err = json.Marshal(u)
	return err
}

// answers has every replica answer. An update that a replica has answered already it knows.
func (b broker) answers() (all []*route.Route) {
	answered := &route.IdempotentMemory{Size: 10_000}
	for i, from := range b.from {
		all = append(all, route.From(from).ID(fmt.Sprint("answers-", i)).
			OnError(route.OnErrorWhere(pointless).Handled().Log("no answer: ${exception.message}")).
			Process(route.Map(unpack)).
			IdempotentConsumer(route.Func(id), answered, route.Do().
				Process(route.Map(answer)).
				To("telegram:bots")))
	}
	return all
}

func unpack(_ context.Context, text []byte) (*telegram.Update, error) {
	u := new(telegram.Update)
	if err := json.Unmarshal(text, u); err != nil {
		return nil, fmt.Errorf("%w: %w", errStrange, err)
	}
	return u, nil
}

func id(_ context.Context, u *telegram.Update) (int64, error) { return u.ID, nil }

// answer says what the bot says, which is nil where that is nothing. It replies to a message
// by its id, so that a second answer can be told from another one.
func answer(_ context.Context, u *telegram.Update) (any, error) {
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
