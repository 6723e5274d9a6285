package route_test

import (
	"context"
	"strconv"

	"github.com/mehari-go/mehari/route"
)

var stateSteps = []benchStep{
	{"IdempotentConsumer", 0, func(r *route.Route) {
		keys := make([]string, 3000)
		for i := range keys {
			keys[i] = "message " + strconv.Itoa(i)
		}
		n := 0
		r.Process(func(_ context.Context, ex *route.Exchange) error {
			n++
			messageID.Set(ex, keys[n%len(keys)])
			return nil
		}).IdempotentConsumer(messageID, new(route.IdempotentMemory), route.Do().Process(nop))
	}},
	{"IdempotentConsumerDuplicate", 0, func(r *route.Route) {
		r.IdempotentConsumer(kind, new(route.IdempotentMemory), route.Do().Process(nop))
	}},
	{"ClaimCheckSetGet", 0, func(r *route.Route) {
		r.ClaimCheck(route.ClaimSet, "order").SetBody("other").ClaimCheck(route.ClaimGetAndRemove, "order")
	}},
	{"ClaimCheckPushPop", 0, func(r *route.Route) {
		r.ClaimCheck(route.ClaimPush, nil).ClaimCheck(route.ClaimPop, nil, route.ClaimCheckOptions{Filter: "body,header:t*"})
	}},
	{"Transacted", 2, func(r *route.Route) { r.Transacted(noLedger{}, route.Do().Process(nop)) }}, // what runs, and its context
	{"TransactedJoined", 2, func(r *route.Route) {
		r.Transacted(noLedger{}, route.Do().Transacted(noLedger{}, route.Do().Process(nop)))
	}},
	{"Saga", 4, func(r *route.Route) { r.Saga(route.Do().Process(nop)) }}, // the id, twice, and what is open, with a channel
	{"SagaSupports", 0, func(r *route.Route) {
		r.Saga(route.Do().Process(nop), route.SagaOptions{Propagation: route.SagaSupports})
	}},
}

// noLedger has nothing to commit.
type noLedger struct{}

func (noLedger) Begin(context.Context) (route.Tx, error) { return noLedger{}, nil }
func (noLedger) Commit() error                           { return nil }
func (noLedger) Rollback() error                         { return nil }
