package brokers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mehari-go/mehari/components/nats"
	"github.com/mehari-go/mehari/route"
)

// With maxAckPending=1 a group of replicas keeps the order of a stream, also of what is
// given back.
func TestJetStreamGroupKeepsOrder(t *testing.T) {
	_, url := natsServer(t, server.Options{})
	const n = 200
	var mu sync.Mutex
	var done []string
	by := map[int]int{}
	failed := map[string]bool{}
	var engines []*route.Engine
	for replica := range 3 {
		engines = append(engines, engine(t, route.Components{"js": nats.NewJetStream(nats.Options{URL: url})},
			route.From("js:order.1?createStream=true&durable=d&maxAckPending=1&ackWait=2s&redeliveryDelay=-1ms").Process(func(_ context.Context, ex *route.Exchange) error {
				mu.Lock()
				defer mu.Unlock()
				text := string(ex.Body.([]byte))
				by[replica]++
				if by[replica]%7 == 0 && !failed[text] {
					failed[text] = true
					return errors.New("not yet")
				}
				done = append(done, text)
				return nil
			})))
	}
	for i := range n {
		if err := engines[i%len(engines)].Send(t.Context(), "js:order.1", i); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() error {
		mu.Lock()
		defer mu.Unlock()
		if len(done) < n {
			return fmt.Errorf("%d of %d are done", len(done), n)
		}
		return nil
	})
	mu.Lock()
	defer mu.Unlock()
	for i, text := range done {
		if text != fmt.Sprint(i) {
			t.Fatalf("message %d is %s: %q", i, text, done)
		}
	}
	t.Logf("messages by replica: %v; given back: %d", by, len(failed))
	if len(failed) == 0 {
		t.Error("none was given back")
	}
}

// The stream is made as the endpoint says, by whoever is first.
func TestJetStreamMakesTheStream(t *testing.T) {
	_, url := natsServer(t, server.Options{})
	options := "?createStream=true&stream=PARTS&streamSubjects=parts.*&streamMaxAge=1h&streamDuplicateWindow=30m"
	e := engine(t, route.Components{"js": nats.NewJetStream(nats.Options{URL: url})}, route.From("js:never?createStream=true").AutoStart(false))
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			if err := e.Send(t.Context(), route.URI(fmt.Sprint("js:parts.", i, options)), i); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	conn, err := client.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), "PARTS")
	if err != nil {
		t.Fatal(err)
	}
	if info := stream.CachedInfo(); info.State.Msgs != 4 || fmt.Sprint(info.Config.Subjects) != "[parts.*]" || info.Config.MaxAge != time.Hour || info.Config.Duplicates != 30*time.Minute {
		t.Errorf("%d messages, %+v", info.State.Msgs, info.Config)
	}
}
