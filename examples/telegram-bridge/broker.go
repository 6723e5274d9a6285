package main

import (
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// A broker carries the updates from the replica that polls to those that answer. What is of
// one chat stays in order.
type broker struct {
	to   string      // where the updates go, a text in the simple language
	from []route.URI // where they come from
}

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

// apacheKafka has the updates in one topic, with the chat as key. The replicas share its
// partitions; those of one that is silent go to the others after sessionTimeout.
func apacheKafka() broker {
	topic := fmt.Sprint("kafka:telegram?createTopic=true&partitions=", parts)
	return broker{
		to:   topic + "&keyHeader=chat",
		from: []route.URI{route.URI(fmt.Sprint(topic, "&groupId=answers&autoOffsetReset=earliest&concurrentConsumers=", parts, "&commitInterval=100ms&sessionTimeout=10s"))},
	}
}
