package awssns_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/mehari-go/mehari/components/awssns"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// A fake speaks as much of the protocol of SNS as is needed here: forms in requests, XML in
// answers. See Amazon SNS API Reference, CreateTopic and Publish.
type fake struct {
	*httptest.Server
	mu      sync.Mutex
	calls   []url.Values
	refused bool
}

func newFake(t *testing.T) *fake {
	f := &fake{}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) options() awssns.Options {
	return awssns.Options{Endpoint: f.URL, AWS: aws.Config{
		Region: "eu-west-1", RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "key", SecretAccessKey: "s3cret"}, nil
		}),
	}}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, r.Form)
	w.Header().Set("Content-Type", "text/xml")
	if f.refused {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>`)
		return
	}
	switch action := r.Form.Get("Action"); action {
	case "CreateTopic":
		fmt.Fprintf(w, `<CreateTopicResponse><CreateTopicResult><TopicArn>arn:aws:sns:eu-west-1:1:%s</TopicArn></CreateTopicResult></CreateTopicResponse>`, r.Form.Get("Name"))
	default:
		fmt.Fprint(w, `<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>`)
	}
}

// last is what was asked for last.
func (f *fake) last() url.Values {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[len(f.calls)-1]
}

const arn = "arn:aws:sns:eu-west-1:1:orders"

func TestComponent(t *testing.T) {
	f := newFake(t)
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component { return awssns.New(f.options()) },
		Configs: []routetest.Config{
			awssns.Config{Topic: arn, Subject: "s", MessageStructure: "json"},
			awssns.Config{Topic: "o.fifo", AutoCreateTopic: true, KeyHeader: "k", MessageDeduplicationIDStrategy: awssns.UseExchangeID},
		},
		Producer: "awssns:" + arn,
		Close:    func(c route.Component) { _ = c.(interface{ Close() error }).Close() },
	})
}

func TestRefuses(t *testing.T) {
	components := route.Components{"sns": awssns.New(newFake(t).options()), "none": awssns.New(awssns.Options{})}
	for u, wants := range map[route.URI][]string{
		"sns:":                                                         {`nothing after "sns:"`},
		"sns:orders":                                                   {`want the ARN of a topic, or with autoCreateTopic=true the name of one, have "orders"`},
		"sns:a b?autoCreateTopic=true":                                 {`want the name of a topic`},
		"sns:arn:aws:sqs:eu-west-1:1:x":                                {`want an ARN like arn:aws:sns:`},
		"sns:arn:aws:sns:us-east-1:1:x":                                {`in region "us-east-1", and the component in "eu-west-1"`},
		"sns:" + arn + "?autoCreateTopic=true":                         {`want the name of a topic, have an ARN`},
		"sns:" + arn + "?messageStructure=xml":                         {`option "messageStructure": want json, have "xml"`},
		"sns:" + arn + "?subject=a%0Ab":                                {`option "subject": want up to 100 characters`},
		"sns:" + arn + "?keyHeader=k":                                  {`only a FIFO topic has groups, and "orders" is none`},
		"sns:" + arn + "?concurrentConsumers=2":                        {`unknown option "concurrentConsumers"`},
		"sns:" + arn + "?messageDeduplicationIdStrategy=useExchangeId": {`only a FIFO topic drops repeats`},
		"none:" + arn:                                                  {"awssns.Options.AWS: the region is missing", "awssns.Options.AWS: the credentials are missing"},
	} {
		_, err := route.New(route.Config{Components: components}, route.From("sns:"+arn).To(u))
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: have %v, want %q", u, err, want)
			}
		}
	}
	_, err := route.New(route.Config{Components: components}, route.From("sns:"+arn))
	if want := "cannot start a route: subscribe a queue to the topic, with raw message delivery, and consume from that with awssqs"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("have %v, want %q", err, want)
	}
}

func TestPublish(t *testing.T) {
	f := newFake(t)
	e, err := route.New(route.Config{Components: route.Components{"awssns": awssns.New(f.options())}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	uuid := route.WithHeader("CamelMessageUUID", "u-1")
	for _, tt := range []struct {
		uri     route.URI
		body    any
		headers map[string]any
		want    map[string]string // of the request
		err     string
	}{
		{uri: "awssns:" + arn + "?subject=news", body: "text", headers: map[string]any{"kind": "order"}, want: map[string]string{
			"TopicArn": arn, "Message": "text", "Subject": "news", "MessageGroupId": "", "MessageAttributes.entry.2.Name": "kind",
			"MessageAttributes.entry.2.Value.StringValue": "order", "MessageAttributes.entry.1.Name": "_watermill_message_uuid",
		}},
		{uri: "awssns:o.fifo?autoCreateTopic=true&keyHeader=k&messageDeduplicationIdStrategy=useMessageUuid", body: "x", headers: map[string]any{"k": "g"}, want: map[string]string{
			"TopicArn": "arn:aws:sns:eu-west-1:1:o.fifo", "MessageGroupId": "g", "MessageDeduplicationId": "u-1",
		}},
		{uri: "awssns:o.fifo?autoCreateTopic=true&keyHeader=k", body: "x", err: `header "k" is missing`},
		{uri: "awssns:" + arn + "?messageStructure=json", body: `{"default":"a","sqs":"b"}`, want: map[string]string{"MessageStructure": "json", "Message": `{"default":"a","sqs":"b"}`}},
		{uri: "awssns:" + arn + "?messageStructure=json", body: `{"sqs":"b"}`, err: `want a JSON object of texts, one of them "default"`},
		{uri: "awssns:" + arn, body: make([]byte, 200<<10), err: `want at most 262144`},
		{uri: "awssns:" + arn, body: []byte{0xff}, want: map[string]string{"Message": "/w==", "MessageAttributes.entry.1.Name": "Mehari-Body"}},
	} {
		options := []route.SendOption{uuid}
		for name, value := range tt.headers {
			options = append(options, route.WithHeader(name, value))
		}
		err := e.Send(ctx, tt.uri, tt.body, options...)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: have %v, want %q", tt.uri, err, tt.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.uri, err)
			continue
		}
		call := f.last()
		attributes := fmt.Sprint(call)
		for name, want := range tt.want {
			if strings.HasPrefix(name, "MessageAttributes") { // they have no order
				if !strings.Contains(attributes, "["+want+"]") {
					t.Errorf("%s: %q is not in %s", tt.uri, want, attributes)
				}
			} else if have := call.Get(name); have != want {
				t.Errorf("%s: %s is %q, want %q", tt.uri, name, have, want)
			}
		}
	}
	if n := count(f, "CreateTopic"); n != 1 {
		t.Errorf("the topic was made %d times", n)
	}
	f.mu.Lock()
	f.refused = true
	f.mu.Unlock()
	err = e.Send(ctx, "awssns:"+arn, "x")
	if err == nil || !strings.Contains(err.Error(), "AuthorizationError") || !strings.Contains(err.Error(), `topic "`+arn+`"`) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("have %v", err)
	}
}

func count(f *fake, action string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, call := range f.calls {
		if call.Get("Action") == action {
			n++
		}
	}
	return n
}
