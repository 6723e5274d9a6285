package awssqs_test

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/mehari-go/mehari/components/awssqs"
)

// A fake speaks as much of the protocol of SQS as is needed here: JSON in requests whose
// header X-Amz-Target names the action. See Amazon SQS API Reference, "Making Query API and
// JSON API requests", and the pages of the actions.
type fake struct {
	*httptest.Server

	mu      sync.Mutex
	queues  map[string]*fakeQueue // by name
	refused map[string]string     // what actions answer
	calls   map[string][]map[string]any
	serial  int
	changed chan struct{} // is closed with every change
}

type fakeQueue struct {
	attributes map[string]any
	messages   []*fakeMessage
	unique     map[string]bool
}

type fakeMessage struct {
	id, body, group, number string
	attributes              any
	receipt                 string
	count                   int
	visible                 time.Time
}

// quick stands for a second of those that a request waits for messages.
const quick = 20 * time.Millisecond

func newFake(t testing.TB, queues ...string) *fake {
	f := &fake{queues: map[string]*fakeQueue{}, refused: map[string]string{}, calls: map[string][]map[string]any{}, changed: make(chan struct{})}
	for _, name := range queues {
		f.queues[name] = &fakeQueue{unique: map[string]bool{}}
	}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) options() awssqs.Options {
	return awssqs.Options{Endpoint: f.URL, AWS: aws.Config{
		Region: "eu-west-1", RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "key", SecretAccessKey: "s3cret"}, nil
		}),
	}}
}

// called returns what an action was called with.
func (f *fake) called(action string) []map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls[action])
}

func (f *fake) refuse(action, kind string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused[action] = kind
}

// left is how many messages a queue has.
func (f *fake) left(queue string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.queues[queue].messages)
}

func (f *fake) change() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	action := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	var in map[string]any
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[action] = append(f.calls[action], in)
	out, kind := f.answer(r.Context(), action, in)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if kind != "" {
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]any{"__type": "com.amazonaws.sqs#" + kind, "message": "that is refused"}
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (f *fake) answer(ctx context.Context, action string, in map[string]any) (out map[string]any, refused string) {
	if kind := f.refused[action]; kind != "" {
		return nil, kind
	}
	url, _ := in["QueueUrl"].(string)
	name, _ := in["QueueName"].(string)
	name = cmp.Or(name, url[strings.LastIndex(url, "/")+1:])
	q := f.queues[name]
	if q == nil && action != "CreateQueue" {
		return nil, "QueueDoesNotExist"
	}
	switch action {
	case "CreateQueue":
		attributes, _ := in["Attributes"].(map[string]any)
		f.queues[name] = &fakeQueue{attributes: attributes, unique: map[string]bool{}}
		fallthrough
	case "GetQueueUrl":
		return map[string]any{"QueueUrl": f.URL + "/1/" + name}, ""
	case "GetQueueAttributes":
		return map[string]any{"Attributes": map[string]any{"QueueArn": "arn:aws:sqs:eu-west-1:1:" + name}}, ""
	case "SendMessage":
		return f.send(q, in)
	case "ReceiveMessage":
		end := time.After(time.Duration(in["WaitTimeSeconds"].(float64)) * quick)
		for {
			if got := f.receive(q, in); len(got) > 0 {
				return map[string]any{"Messages": got}, ""
			}
			changed := f.changed
			f.mu.Unlock()
			select {
			case <-changed:
				f.mu.Lock()
			case <-end:
				f.mu.Lock()
				return map[string]any{}, ""
			case <-ctx.Done():
				f.mu.Lock()
				return map[string]any{}, ""
			}
		}
	case "DeleteMessageBatch", "ChangeMessageVisibilityBatch":
		return f.settle(q, in), ""
	}
	return nil, "UnsupportedOperation"
}

func (f *fake) send(q *fakeQueue, in map[string]any) (map[string]any, string) {
	if unique, ok := in["MessageDeduplicationId"].(string); ok {
		if q.unique[unique] {
			return map[string]any{"MessageId": "same", "MD5OfMessageBody": sum(in["MessageBody"].(string))}, ""
		}
		q.unique[unique] = true
	}
	f.serial++
	m := &fakeMessage{id: fmt.Sprint("id-", f.serial), body: in["MessageBody"].(string), attributes: in["MessageAttributes"]}
	if m.group, _ = in["MessageGroupId"].(string); m.group != "" {
		m.number = fmt.Sprintf("%020d", f.serial)
	}
	q.messages = append(q.messages, m)
	f.change()
	return map[string]any{"MessageId": m.id, "MD5OfMessageBody": sum(m.body)}, ""
}

// receive takes what is visible: of a group that has messages in flight, nothing.
func (f *fake) receive(q *fakeQueue, in map[string]any) (got []any) {
	now := time.Now()
	blocked := map[string]bool{}
	for _, m := range q.messages {
		blocked[m.group] = blocked[m.group] || m.group != "" && m.visible.After(now)
	}
	for _, m := range q.messages {
		if blocked[m.group] || m.visible.After(now) || len(got) == int(in["MaxNumberOfMessages"].(float64)) {
			continue
		}
		f.serial++
		m.count++
		m.receipt = fmt.Sprint("receipt-", f.serial)
		m.visible = now.Add(time.Duration(in["VisibilityTimeout"].(float64)) * time.Second)
		system := map[string]string{"ApproximateReceiveCount": strconv.Itoa(m.count), "SentTimestamp": "1700000000123"}
		if m.group != "" {
			system["MessageGroupId"], system["SequenceNumber"] = m.group, m.number
		}
		got = append(got, map[string]any{
			"MessageId": m.id, "ReceiptHandle": m.receipt, "Body": m.body, "MD5OfBody": sum(m.body), "Attributes": system, "MessageAttributes": m.attributes,
		})
	}
	return got
}

func (f *fake) settle(q *fakeQueue, in map[string]any) map[string]any {
	done, failed := []any{}, []any{}
	for _, e := range in["Entries"].([]any) {
		entry := e.(map[string]any)
		i := slices.IndexFunc(q.messages, func(m *fakeMessage) bool { return m.receipt == entry["ReceiptHandle"] && m.visible.After(time.Now()) })
		if i < 0 {
			failed = append(failed, map[string]any{"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid", "SenderFault": true})
			continue
		}
		if visibility, ok := entry["VisibilityTimeout"].(float64); ok {
			q.messages[i].visible = time.Now().Add(time.Duration(visibility) * time.Second)
		} else {
			q.messages = slices.Delete(q.messages, i, i+1)
		}
		done = append(done, map[string]any{"Id": entry["Id"]})
	}
	f.change()
	return map[string]any{"Successful": done, "Failed": failed}
}

func sum(s string) string {
	h := md5.Sum([]byte(s)) //nolint:gosec // the protocol has it
	return hex.EncodeToString(h[:])
}
