package awssqs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/awssqs"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestComponent(t *testing.T) {
	f := newFake(t, "orders")
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component { return awssqs.New(f.options()) },
		Configs: []routetest.Config{
			awssqs.Config{Queue: "orders"},
			awssqs.Config{
				Queue: "o.fifo", AutoCreateQueue: true, WaitTimeSeconds: 3, MaxMessagesPerPoll: 4, VisibilityTimeout: time.Minute, NackVisibilityTimeout: 2 * time.Second,
				SNSEnvelope: true, MessageDeduplicationIDStrategy: awssqs.UseMessageUUID, ConcurrentConsumers: 2, MaxInFlight: 3, KeyHeader: "k",
				MaximumRedeliveries: 4, RedeliveryDelay: time.Minute,
			},
			awssqs.Config{Queue: "http://127.0.0.1:1/1/orders", DelaySeconds: 7},
		},
		Consumer: "awssqs:orders?redeliveryDelay=-1ms&waitTimeSeconds=1", Producer: "awssqs:orders",
		Close: func(c route.Component) { _ = c.(interface{ Close() error }).Close() },
	})
}

func TestRefuses(t *testing.T) {
	good := newFake(t).options()
	components := route.Components{
		"sqs":  awssqs.New(good),
		"none": awssqs.New(awssqs.Options{}),
		"bad":  awssqs.New(awssqs.Options{AWS: good.AWS, Endpoint: "http://u:s3cret@h"}),
		"odd":  awssqs.New(awssqs.Options{AWS: good.AWS, Endpoint: "s3cret"}),
	}
	for u, wants := range map[route.URI][]string{
		"sqs:":    {`nothing after "sqs:"`},
		"sqs:a b": {`want the name of a queue`, `have "a b"`},
		"sqs:a.b": {`want the name of a queue`},
		"sqs:" + route.URI(strings.Repeat("a", 81)): {`up to 80 letters`},
		"sqs:arn:aws:sns:eu-west-1:1:x":             {`want an ARN like arn:aws:sqs:`},
		"sqs:arn:aws:sqs:us-east-1:1:x":             {`in region "us-east-1", and the component in "eu-west-1"`},
		"sqs:https://u:s3cret@host/1/x":             {`want a URL like https://`},
		"sqs:https://host/1/x?autoCreateQueue=true": {`option "autoCreateQueue": want the name of a queue`},
		"sqs:a?waitTimeSeconds=0&maxMessagesPerPoll=11&delaySeconds=901": {
			`option "waitTimeSeconds": want 1 to 20, have 0`, `option "maxMessagesPerPoll": want 1 to 10, have 11`, `option "delaySeconds": want 0 to 900, have 901`,
		},
		"sqs:a?visibilityTimeout=30":                         {`option "visibilityTimeout": want whole seconds, 3s to 12h0m0s, have 30ms`},
		"sqs:a?nackVisibilityTimeout=1500":                   {`option "nackVisibilityTimeout": want whole seconds`},
		"sqs:a.fifo?delaySeconds=1":                          {`a FIFO queue delays all messages or none`},
		"sqs:a?messageDeduplicationIdStrategy=useExchangeId": {`only a FIFO queue drops repeats, and "a" is none`},
		"sqs:a.fifo?messageDeduplicationIdStrategy=x":        {`want useExchangeId, useMessageUuid or useContentBasedDeduplication, have "x"`},
		"sqs:a?concurrentConsumers=0":                        {`option "concurrentConsumers"`},
		"none:a":                                             {"awssqs.Options.AWS: the region is missing", "awssqs.Options.AWS: the credentials are missing"},
		"bad:a":                                              {"awssqs.Options.Endpoint: want no user"},
		"odd:a":                                              {"awssqs.Options.Endpoint: want a URL"},
	} {
		_, err := route.New(route.Config{Components: components}, route.From(u))
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: have %v, want %q", u, err, want)
			}
		}
	}
}

// run runs routes until the test ends.
func run(t *testing.T, o awssqs.Options, routes ...*route.Route) *route.Engine {
	t.Helper()
	e, err := route.New(route.Config{
		Components: route.Components{"awssqs": awssqs.New(o)}, Logger: slog.New(slog.DiscardHandler),
		Restart: route.Backoff{Delay: 10 * time.Millisecond, Max: 20 * time.Millisecond},
	}, routes...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return e
}

func eventually(t *testing.T, check func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// What SQS is told when messages are sent to a FIFO queue.
func TestFIFO(t *testing.T) {
	f := newFake(t, "a.fifo")
	e := run(t, f.options(), route.From("awssqs:a.fifo").AutoStart(false))
	send := func(u route.URI, options ...route.SendOption) map[string]any {
		t.Helper()
		if err := e.Send(t.Context(), u, "x", options...); err != nil {
			t.Fatal(err)
		}
		calls := f.called("SendMessage")
		return calls[len(calls)-1]
	}
	customer := func(name string) route.SendOption { return route.WithHeader("customer", name) }
	id := route.WithHeader("CamelMessageUUID", "id 1")
	if have := send("awssqs:a.fifo?keyHeader=customer", customer("c-1")); have["MessageGroupId"] != "c-1" || have["MessageDeduplicationId"] == "" {
		t.Errorf("have %v", have)
	}
	one, other, again := send("awssqs:a.fifo?keyHeader=customer", customer("é")), send("awssqs:a.fifo?keyHeader=customer", customer("è")), send("awssqs:a.fifo?keyHeader=customer", customer("é"))
	if a, b, c := one["MessageGroupId"], other["MessageGroupId"], again["MessageGroupId"]; a == b || a != c || len(a.(string)) != 64 {
		t.Errorf("the groups are %v, %v and %v", a, b, c)
	}
	if one["MessageDeduplicationId"] == again["MessageDeduplicationId"] {
		t.Error("two messages are the same")
	}
	if have := send("awssqs:a.fifo"); have["MessageGroupId"] != "CamelSingleMessageGroup" {
		t.Errorf("have %v", have)
	}
	byUUID := "awssqs:a.fifo?messageDeduplicationIdStrategy=useMessageUuid"
	if a, b := send(route.URI(byUUID), id), send(route.URI(byUUID), id); a["MessageDeduplicationId"] != b["MessageDeduplicationId"] {
		t.Error("two messages with one UUID are not the same")
	}
	if have := send("awssqs:a.fifo?messageDeduplicationIdStrategy=useContentBasedDeduplication"); have["MessageDeduplicationId"] != nil {
		t.Errorf("have %v", have)
	}
	err := e.Send(t.Context(), "awssqs:a.fifo?keyHeader=customer", "x")
	if want := `header "customer" is missing, which names the group`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("have %v, want %q", err, want)
	}
}

// A message that fails is worked on before those behind it in its group, and others go on.
func TestOrder(t *testing.T) {
	f := newFake(t, "a.fifo")
	var seen atomic.Value
	seen.Store([]string(nil))
	failed := false
	e := run(t, f.options(), route.From("awssqs:a.fifo?redeliveryDelay=-1ms").Process(func(_ context.Context, ex *route.Exchange) error {
		text := fmt.Sprintf("%s%s", ex.Header("k"), ex.Body)
		if text == "a2" && !failed {
			failed = true
			return errors.New("not yet")
		}
		seen.Store(append(slices.Clone(seen.Load().([]string)), text))
		return nil
	}).ID("r").AutoStart(false))
	for i := range 5 {
		for _, k := range []string{"a", "b"} {
			if err := e.Send(t.Context(), "awssqs:a.fifo?keyHeader=k", fmt.Sprint(i), route.WithHeader("k", k)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := e.Start("r"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if n := f.left("a.fifo"); n != 0 {
			return fmt.Errorf("%d messages are left, seen %q", n, seen.Load())
		}
		return nil
	})
	for _, k := range []string{"a", "b"} {
		have := slices.DeleteFunc(slices.Clone(seen.Load().([]string)), func(s string) bool { return s[:1] != k })
		if want := []string{k + "0", k + "1", k + "2", k + "3", k + "4"}; !slices.Equal(have, want) {
			t.Errorf("have %q, want %q", have, want)
		}
	}
	if have := seen.Load().([]string); slices.Index(have, "a2") < slices.Index(have, "b3") {
		t.Errorf("b waits for a: %q", have)
	}
}

// What SQS tells about a message is in headers, and what SNS has wrapped is unwrapped.
func TestArrived(t *testing.T) {
	f := newFake(t, "a", "b.fifo")
	type arrival struct {
		body    string
		headers map[string]any
	}
	got := make(chan arrival, 1)
	names := []string{
		"CamelAwsSqsMessageId", "CamelAwsSqsReceiptHandle", "CamelAwsSqsReceiveCount", "CamelAwsSqsSentTimestamp", "CamelAwsSqsMessageGroupId",
		"CamelAwsSqsSequenceNumber", "CamelAwsSnsTopicArn", "CamelAwsSnsSubject", "CamelMessageUUID", "kind", "blob",
	}
	record := func(_ context.Context, ex *route.Exchange) error {
		a := arrival{string(ex.Body.([]byte)), map[string]any{}}
		for _, name := range names {
			if v := ex.Header(name); v != nil {
				a.headers[name] = v
			}
		}
		got <- a
		return nil
	}
	e := run(t, f.options(), route.From("awssqs:a?snsEnvelope=true").Process(record), route.From("awssqs:b.fifo").Process(record))
	check := func(body string, want map[string]any) {
		t.Helper()
		a := <-got
		if a.body != body {
			t.Errorf("body is %q, want %q", a.body, body)
		}
		if a.headers["CamelAwsSqsReceiptHandle"] == "" || !a.headers["CamelAwsSqsSentTimestamp"].(time.Time).Equal(time.UnixMilli(1700000000123)) {
			t.Errorf("headers are %v", a.headers)
		}
		delete(a.headers, "CamelAwsSqsReceiptHandle")
		delete(a.headers, "CamelAwsSqsSentTimestamp")
		if fmt.Sprint(a.headers) != fmt.Sprint(want) {
			t.Errorf("headers are %v, want %v", a.headers, want)
		}
	}
	uuid := route.WithHeader("CamelMessageUUID", "u")
	if err := e.Send(t.Context(), "awssqs:b.fifo", "text", uuid, route.WithHeader("CamelAwsSqsReceiptHandle", "mine")); err != nil {
		t.Fatal(err)
	}
	check("text", map[string]any{
		"CamelAwsSqsMessageId": "id-1", "CamelAwsSqsReceiveCount": 1, "CamelAwsSqsMessageGroupId": "CamelSingleMessageGroup",
		"CamelAwsSqsSequenceNumber": "00000000000000000001", "CamelMessageUUID": "u",
	})
	envelope := `{"Type":"Notification","MessageId":"m","TopicArn":"arn:t","Subject":"s","Message":"inner",
		"MessageAttributes":{"kind":{"Type":"String","Value":"order"},"blob":{"Type":"Binary","Value":"AP8="},"_watermill_message_uuid":{"Type":"String","Value":"w"}}}`
	if err := e.Send(t.Context(), "awssqs:a", envelope, uuid); err != nil {
		t.Fatal(err)
	}
	check("inner", map[string]any{
		"CamelAwsSqsMessageId": "id-3", "CamelAwsSqsReceiveCount": 1, "CamelAwsSnsTopicArn": "arn:t", "CamelAwsSnsSubject": "s",
		"CamelMessageUUID": "w", "kind": "order", "blob": "\x00\xff",
	})
	if err := e.Send(t.Context(), "awssqs:a", `{"Type":"Other"}`, uuid); err != nil {
		t.Fatal(err)
	}
	check(`{"Type":"Other"}`, map[string]any{"CamelAwsSqsMessageId": "id-5", "CamelAwsSqsReceiveCount": 1, "CamelMessageUUID": "u"})
}

func TestTooLarge(t *testing.T) {
	f := newFake(t, "a")
	e := run(t, f.options(), route.From("awssqs:a").AutoStart(false))
	err := e.Send(t.Context(), "awssqs:a", make([]byte, 900<<10)) // not a text, and so in base64
	if want := `queue "a": the message has 12288`; err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "want at most 1048576") {
		t.Errorf("have %v, want %q", err, want)
	}
	if n := len(f.called("SendMessage")); n != 0 {
		t.Errorf("it was sent")
	}
}

func TestCreate(t *testing.T) {
	f := newFake(t)
	e := run(t, f.options(), route.From("awssqs:a.fifo?autoCreateQueue=true&visibilityTimeout=1m&messageDeduplicationIdStrategy=useContentBasedDeduplication").AutoStart(false).ID("r"))
	if err := e.Send(t.Context(), "awssqs:a.fifo", "x"); err == nil || !strings.Contains(err.Error(), `queue "a.fifo"`) || !strings.Contains(err.Error(), "QueueDoesNotExist") {
		t.Errorf("have %v", err)
	}
	if err := e.Start("r"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return e.Send(t.Context(), "awssqs:a.fifo", "x") })
	f.mu.Lock()
	defer f.mu.Unlock()
	if have := fmt.Sprint(f.queues["a.fifo"].attributes); have != "map[ContentBasedDeduplication:true FifoQueue:true VisibilityTimeout:60]" {
		t.Errorf("have %s", have)
	}
}

// A queue is found by its URL and by its ARN too.
func TestNames(t *testing.T) {
	f := newFake(t, "a")
	n := make(chan string, 2)
	record := func(_ context.Context, ex *route.Exchange) error { n <- string(ex.Body.([]byte)); return nil }
	e := run(t, f.options(), route.From(route.URI("awssqs:"+f.URL+"/1/a")).Process(record))
	for _, u := range []route.URI{"awssqs:arn:aws:sqs:eu-west-1:123:a", route.URI("awssqs:" + f.URL + "/1/a")} {
		if err := e.Send(t.Context(), u, "x"); err != nil {
			t.Fatal(err)
		}
		<-n
	}
	if call := f.called("GetQueueUrl")[0]; call["QueueOwnerAWSAccountId"] != "123" || call["QueueName"] != "a" {
		t.Errorf("have %v", call)
	}
}

// What the service refuses is told, whatever it is, without secrets, and the route is not
// subscribed or starts again.
func TestRefused(t *testing.T) {
	for _, action := range []string{"GetQueueUrl", "GetQueueAttributes", "ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"} {
		t.Run(action, func(t *testing.T) {
			f := newFake(t, "a")
			f.refuse(action, "AccessDeniedException")
			u := "awssqs:a?redeliveryDelay=-1ms"
			if action == "GetQueueAttributes" {
				u = "awssqs:" + f.URL + "/1/a"
			}
			e := run(t, f.options(), route.From(route.URI(u)).ID("r").Process(func(context.Context, *route.Exchange) error {
				if action == "ChangeMessageVisibilityBatch" {
					return errors.New("no")
				}
				return nil
			}))
			if action != "GetQueueUrl" {
				if err := e.Send(t.Context(), "awssqs:a", "x"); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, func() error {
				if s, _ := e.Status().Route("r"); s.LastFailure == nil || !strings.Contains(s.LastFailure.Err.Error(), "AccessDenied") {
					return fmt.Errorf("the last failure is %v", s.LastFailure)
				}
				return nil
			})
			s, _ := e.Status().Route("r")
			if text := s.LastFailure.Err.Error(); !strings.Contains(text, `queue "`) || strings.Contains(text, "s3cret") {
				t.Errorf("have %s", text)
			}
		})
	}
}

// No server is no reason not to start.
func TestNowhere(t *testing.T) {
	f := newFake(t, "a")
	o := f.options()
	o.Endpoint = "http://127.0.0.1:1"
	e := run(t, o, route.From("awssqs:a").ID("r"))
	eventually(t, func() error {
		if s, _ := e.Status().Route("r"); s.LastFailure == nil || s.Subscribed == nil || *s.Subscribed {
			return fmt.Errorf("have %+v", s)
		}
		return nil
	})
}

// A message that is worked on for long stays invisible, and so does what waits behind it;
// what has been acknowledged is removed by the batch.
func TestVisibility(t *testing.T) {
	f := newFake(t, "a")
	var n atomic.Int64
	begun := make(chan struct{}, 100)
	hold := make(chan struct{})
	e := run(t, f.options(), route.From("awssqs:a?visibilityTimeout=3s").ID("r").AutoStart(false).Process(func(context.Context, *route.Exchange) error {
		n.Add(1)
		begun <- struct{}{}
		<-hold
		return nil
	}))
	for range 5 {
		if err := e.Send(t.Context(), "awssqs:a", "x"); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Start("r"); err != nil {
		t.Fatal(err)
	}
	<-begun
	eventually(t, func() error {
		for _, call := range f.called("ChangeMessageVisibilityBatch") {
			entries := call["Entries"].([]any)
			if len(entries) == 5 && entries[0].(map[string]any)["VisibilityTimeout"] == 3.0 {
				return nil
			}
		}
		return errors.New("no sign of life")
	})
	close(hold)
	eventually(t, func() error {
		if left := f.left("a"); left != 0 {
			return fmt.Errorf("%d are left", left)
		}
		return nil
	})
	if n.Load() != 5 {
		t.Errorf("5 messages came %d times", n.Load())
	}
}
