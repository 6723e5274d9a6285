package nats_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/nats"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// There is no server here: test/brokers has what needs one.
var nowhere = nats.Options{URL: "nats://127.0.0.1:1", ConnectTimeout: 100 * time.Millisecond}

func TestCore(t *testing.T) {
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component { return nats.New(nowhere) },
		Configs: []routetest.Config{
			nats.Config{Subject: "orders.new"},
			nats.Config{
				Subject: "orders.>", QueueName: "q", PendingLimit: 7, ConcurrentConsumers: 2, MaxInFlight: 3, KeyHeader: "k",
				MaximumRedeliveries: 4, RedeliveryDelay: time.Minute,
			},
		},
	})
}

func TestJetStream(t *testing.T) {
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component { return nats.NewJetStream(nowhere) },
		Configs: []routetest.Config{
			nats.JetStreamConfig{Subject: "orders.new"},
			nats.JetStreamConfig{
				Subject: "orders.>", Stream: "S", CreateStream: true, Durable: "d", DeliverPolicy: nats.DeliverNew, AckWait: time.Minute,
				StreamSubjects: []string{"orders.>", "x"}, StreamMaxAge: time.Hour, StreamDuplicateWindow: time.Minute,
				MaxDeliver: 9, MaxAckPending: 1, Prefetch: 8, AckAsync: true, Deduplicate: true, ConcurrentConsumers: 2, MaxInFlight: 3, KeyHeader: "k",
				MaximumRedeliveries: 4, RedeliveryDelay: time.Minute,
			},
		},
	})
}

func TestRefuses(t *testing.T) {
	components := route.Components{
		"nats": nats.New(nats.Options{}), "js": nats.NewJetStream(nats.Options{}),
		"bad":  nats.New(nats.Options{URL: "nats://u:s3cret@%zz", Username: "a", Token: "b", ConnectTimeout: -1}),
		"pass": nats.New(nats.Options{Password: "p"}),
	}
	for u, wants := range map[route.URI][]string{
		"nats:":                                 {`nothing after "nats:"`},
		"nats:a b":                              {`want a subject like orders.new, have "a b"`},
		"nats:a..b":                             {`want a subject like orders.new`},
		"nats:a?pendingLimit=0":                 {`option "pendingLimit": want at least 1, have 0`},
		"nats:a?durable=x":                      {`unknown option "durable"`},
		"nats:a?concurrentConsumers=0":          {`option "concurrentConsumers"`},
		"js:a?ackWait=1":                        {`option "ackWait": want at least 100ms, have 1ms`},
		"js:a?deliverPolicy=some":               {`want all, new or last, have "some"`},
		"js:a?durable=a.b&stream=x y":           {`option "durable": want a name`, `option "stream": want a name`},
		"js:a?prefetch=0&maxDeliver=-1":         {`option "prefetch": want 1 to 10000, have 0`, `option "maxDeliver": want 0`},
		"js:a?maxAckPending=-1&streamMaxAge=1h": {`option "maxAckPending": want 1`, `have a meaning with createStream=true only`},
		"js:a?createStream=true&streamSubjects=a,b..c&streamMaxAge=1m&streamDuplicateWindow=2m": {
			`want a name for the stream`, `have "b..c"`, `want at most streamMaxAge, which is 1m0s, have 2m0s`,
		},
		"js:a?createStream=true&streamMaxAge=-1s&streamDuplicateWindow=-2s": {`option "streamMaxAge": want 0`, `option "streamDuplicateWindow": want 0`},
		"bad:a":  {"nats.Options.URL", "one of Username", "ConnectTimeout"},
		"pass:a": {"Password without Username"},
	} {
		_, err := route.New(route.Config{Components: components}, route.From(u))
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: have %v, want %q", u, err, want)
			}
		}
	}
	_, err := route.New(route.Config{Components: components}, route.From("js:a").To("nats:a.*"))
	if want := "cannot be sent to"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("have %v, want %q", err, want)
	}
}
