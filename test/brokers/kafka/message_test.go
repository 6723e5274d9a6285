package kafka_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mehari-go/mehari/components/kafka"
	"github.com/mehari-go/mehari/route"
)

// got is what a route got.
type got struct {
	body    any
	headers map[string]any
}

func collect(out chan got) func(context.Context, *route.Exchange) error {
	return func(_ context.Context, ex *route.Exchange) error {
		out <- got{ex.Body, maps.Collect(ex.Headers())}
		return nil
	}
}

func next(t testing.TB, out chan got) got {
	t.Helper()
	select {
	case m := <-out:
		return m
	case <-time.After(30 * time.Second):
		t.Fatal("no message comes")
		return got{}
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	_, o := cluster(t, kfake.SeedTopics(3, "t"))
	out := make(chan got, 10)
	a := start(t, o, route.From("kafka:t").Process(collect(out))).subscribed(t)
	begun := time.Now().Add(-time.Second)
	binary := "\x00\xff\n\x80"
	send(t, a, "kafka:t", []byte(binary), route.WithHeader("CamelMessageUUID", "u-7"), route.WithHeader("a name: ö", " two\nlines "), route.WithHeader("n", 7),
		route.WithHeader(kafka.Key.Name(), "k\xff"), route.WithHeader(kafka.PartitionKey.Name(), "2"), route.WithHeader("camelKafkaTopic", "nothing"))
	m := next(t, out)
	if string(m.body.([]byte)) != binary {
		t.Errorf("the body is %q", m.body)
	}
	when, _ := m.headers["CamelKafkaTimestamp"].(time.Time)
	if when.Before(begun) || when.After(time.Now().Add(time.Minute)) {
		t.Errorf("the timestamp is %v", m.headers["CamelKafkaTimestamp"])
	}
	delete(m.headers, "CamelKafkaTimestamp")
	want := map[string]any{
		"CamelMessageUUID": "u-7", "a name: ö": " two\nlines ", "n": "7", "CamelKafkaTopic": "t", "CamelKafkaPartition": int32(2), "CamelKafkaOffset": int64(0),
		"CamelKafkaKey": "k\xff",
	}
	if !maps.Equal(m.headers, want) {
		t.Errorf("headers are %v, want %v", m.headers, want)
	}
	send(t, a, "kafka:t", nil)
	if m := next(t, out); m.body.([]byte) != nil || m.headers["CamelKafkaKey"] != nil {
		t.Errorf("a message without body and key is %q", m)
	}
	send(t, a, "kafka:t", "")
	if m := next(t, out); m.body.([]byte) == nil {
		t.Error("an empty body is none")
	}
}

// The form of messages is that of Watermill's adapter.
func TestForm(t *testing.T) {
	t.Parallel()
	_, o := cluster(t, kfake.SeedTopics(1, "t"))
	out := make(chan got, 10)
	a := start(t, o, route.From("kafka:t").Process(collect(out))).subscribed(t)
	c := client(t, o, kgo.ConsumeTopics("t"))
	stranger := &kgo.Record{Topic: "t", Value: []byte("x"), Headers: []kgo.RecordHeader{
		{Key: "_watermill_message_uuid", Value: []byte("u")},
		{Key: "twice", Value: []byte("1")},
		{Key: "twice", Value: []byte("2")},
		{Key: "none"},
		{Key: "CamelKafkaTopic", Value: []byte("forged")},
	}}
	if err := c.ProduceSync(t.Context(), stranger).FirstErr(); err != nil {
		t.Fatal(err)
	}
	m := next(t, out)
	if h := m.headers; h["CamelMessageUUID"] != "u" || h["twice"] != "2" || h["none"] != "" || h["CamelKafkaTopic"] != "t" || h["_watermill_message_uuid"] != nil {
		t.Errorf("headers are %v", h)
	}
	send(t, a, "kafka:t", "y", route.WithHeader("CamelMessageUUID", "v"), route.WithHeader("h", "1"))
	for {
		fetches := c.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		for _, r := range fetches.Records() {
			if string(r.Value) != "y" {
				continue
			}
			h := map[string]string{}
			for _, header := range r.Headers {
				h[header.Key] = string(header.Value)
			}
			if want := map[string]string{"_watermill_message_uuid": "v", "h": "1"}; !maps.Equal(h, want) || r.Key != nil {
				t.Errorf("headers are %v, want %v, the key %q", h, want, r.Key)
			}
			return
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	_, o := cluster(t, kfake.SeedTopics(8, "t"))
	out := make(chan got, 100)
	a := start(t, o, route.From("kafka:t").Process(collect(out))).subscribed(t)
	partitions := map[any]map[any]bool{}
	for i := range 40 {
		key := fmt.Sprint("customer-", i%4)
		send(t, a, "kafka:t?keyHeader=customer", i, route.WithHeader("customer", key), route.WithHeader(kafka.Key.Name(), "another"))
		h := next(t, out).headers
		if h["CamelKafkaKey"] != key {
			t.Fatalf("the key is %v, want %v", h["CamelKafkaKey"], key)
		}
		if partitions[key] == nil {
			partitions[key] = map[any]bool{}
		}
		partitions[key][h["CamelKafkaPartition"]] = true
	}
	for key, ps := range partitions {
		if len(ps) != 1 {
			t.Errorf("key %v is in partitions %v", key, ps)
		}
	}
	send(t, a, "kafka:t?keyHeader=customer", "x", route.WithHeader(kafka.Key.Name(), "another"))
	if h := next(t, out).headers; h["CamelKafkaKey"] != "another" {
		t.Errorf("without the header the key is %v", h["CamelKafkaKey"])
	}
}

func TestRefusesMessages(t *testing.T) {
	t.Parallel()
	_, o := cluster(t, kfake.SeedTopics(2, "t"))
	o.MaxMessageBytes, o.DeliveryTimeout = 5000, 20*time.Second
	a := sender(t, o)
	for _, tt := range []struct {
		to     route.URI
		body   any
		header string
		value  any
		want   string
	}{
		{"kafka:t", strings.Repeat("x", 6000), "h", "x", "want at most 5000, which is MaxMessageBytes"},
		{"kafka:t", "x", "h", strings.Repeat("x", 6000), "want at most 5000"},
		{"kafka:t", "x", "_watermill_message_uuid", "x", "want the header CamelMessageUUID"},
		{"kafka:t", "x", "CamelKafkaPartitionKey", "second", `partition: header "CamelKafkaPartitionKey" is second`},
		{"kafka:t", "x", "CamelKafkaPartitionKey", -3, "want a number from 0"},
		{"kafka:t", "x", "CamelKafkaPartitionKey", 7, "7"},
		{"kafka:t", "x", "CamelKafkaKey", []chan int{nil}, `key: header "CamelKafkaKey"`},
		{"kafka:nowhere", "x", "h", "x", "there is no such topic: make it, or set createTopic=true"},
	} {
		err := a.Send(t.Context(), tt.to, tt.body, route.WithHeader(tt.header, tt.value))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s with %s: have %v, want %q", tt.to, tt.header, err, tt.want)
		}
	}
	send(t, a, "kafka:t", "x") // it still works
}

func TestProducerOptions(t *testing.T) {
	t.Parallel()
	for _, compression := range []kafka.Compression{kafka.CompressionNone, kafka.CompressionGzip, kafka.CompressionSnappy, kafka.CompressionLZ4, kafka.CompressionZstd} {
		for _, acks := range []kafka.Acks{kafka.AcksAll, kafka.AcksLeader, kafka.AcksNone} {
			t.Run(fmt.Sprint(compression, "/", acks), func(t *testing.T) {
				_, o := cluster(t, kfake.SeedTopics(1, "t"))
				o.Compression, o.Acks, o.Linger, o.DisableIdempotence = compression, acks, time.Millisecond, acks == kafka.AcksAll
				out := make(chan got, 1)
				a := start(t, o, route.From("kafka:t").Process(collect(out))).subscribed(t)
				body := strings.Repeat("compress me ", 1000)
				send(t, a, "kafka:t", body)
				if m := next(t, out); string(m.body.([]byte)) != body {
					t.Error("the body has changed")
				}
			})
		}
	}
}

func TestCreatesTopics(t *testing.T) {
	t.Parallel()
	_, o := cluster(t)
	out := make(chan got, 100)
	a := start(t, o, route.From("kafka:made?createTopic=true&partitions=3&replication=1").Process(collect(out))).subscribed(t)
	send(t, a, "kafka:made", "x", route.WithHeader("CamelKafkaPartitionKey", 2))
	if h := next(t, out).headers; h["CamelKafkaPartition"] != int32(2) {
		t.Errorf("headers are %v", h)
	}
	send(t, a, "kafka:sent?createTopic=true&partitions=2", "x", route.WithHeader("CamelKafkaPartitionKey", 1))

	missing := start(t, o, route.From("kafka:missing").ID("r").Process(collect(out)))
	eventually(t, func() error {
		s, _ := missing.Status().Route("r")
		if s.LastFailure == nil || !strings.Contains(s.LastFailure.Err.Error(), `topic "missing": subscriber: there is no such topic`) || s.Subscribed == nil || *s.Subscribed {
			return fmt.Errorf("the failure is %v", s.LastFailure)
		}
		return nil
	})
	send(t, a, "kafka:missing?createTopic=true", "x")
	missing.subscribed(t) // as soon as it is there
}
