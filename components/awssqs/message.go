package awssqs

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/mehari-go/mehari/internal/attribute"
	"github.com/mehari-go/mehari/route"
)

// Headers with what SQS tells about a message.
var (
	MessageID      = route.NewKey[string]("CamelAwsSqsMessageId")
	ReceiptHandle  = route.NewKey[string]("CamelAwsSqsReceiptHandle")
	MessageGroupID = route.NewKey[string]("CamelAwsSqsMessageGroupId") // of a FIFO queue
	SequenceNumber = route.NewKey[string]("CamelAwsSqsSequenceNumber") // of a FIFO queue
	ReceiveCount   = route.NewKey[int]("CamelAwsSqsReceiveCount")      // this time included
	SentTimestamp  = route.NewKey[time.Time]("CamelAwsSqsSentTimestamp")
	TopicARN       = route.NewKey[string]("CamelAwsSnsTopicArn") // of an unwrapped envelope
	Subject        = route.NewKey[string]("CamelAwsSnsSubject")  // of an unwrapped envelope
)

// An origin in the context of a message is what it was in SQS.
type origin struct {
	received types.Message
	envelope envelope
}

type originKey struct{}

// decode returns what came from SQS as a message.
func decode(received types.Message, unwrap bool) (*message.Message, origin) {
	o := origin{received: received}
	in := attribute.Message{Text: aws.ToString(received.Body), Attributes: map[string]string{}}
	for name, v := range received.MessageAttributes {
		if v.StringValue != nil {
			in.Attributes[name] = *v.StringValue
		} else {
			in.Attributes[name] = string(v.BinaryValue)
		}
	}
	if unwrap {
		o.envelope.open(&in)
	}
	id, headers, body := in.Unpack()
	if id == "" {
		id = aws.ToString(received.MessageId)
	}
	m := message.NewMessage(id, body)
	m.Metadata = headers
	return m, o
}

// An envelope is how SNS gives a message to a queue without raw message delivery: see Amazon
// SNS Developer Guide, "Parsing Amazon SNS message formats".
type envelope struct {
	Type, TopicArn, Subject string
	Message                 *string
	MessageAttributes       map[string]struct {
		Type, Value string
	}
}

// open takes what is in an envelope out of it, if it is one.
func (e *envelope) open(in *attribute.Message) {
	var opened envelope
	if json.Unmarshal([]byte(in.Text), &opened) != nil || opened.Type != "Notification" || opened.TopicArn == "" || opened.Message == nil {
		return
	}
	*e = opened
	in.Text = *opened.Message
	for name, v := range opened.MessageAttributes {
		if v.Type == "Binary" {
			v.Value = unbase64(v.Value)
		}
		in.Attributes[name] = v.Value
	}
}

func arrived(_ context.Context, m *message.Message, ex *route.Exchange) {
	o, _ := m.Context().Value(originKey{}).(origin)
	MessageID.Set(ex, aws.ToString(o.received.MessageId))
	ReceiptHandle.Set(ex, aws.ToString(o.received.ReceiptHandle))
	system := func(name types.MessageSystemAttributeName) string { return o.received.Attributes[string(name)] }
	if group := system(types.MessageSystemAttributeNameMessageGroupId); group != "" {
		MessageGroupID.Set(ex, group)
	}
	if number := system(types.MessageSystemAttributeNameSequenceNumber); number != "" {
		SequenceNumber.Set(ex, number)
	}
	if n, err := strconv.Atoi(system(types.MessageSystemAttributeNameApproximateReceiveCount)); err == nil {
		ReceiveCount.Set(ex, n)
	}
	if ms, err := strconv.ParseInt(system(types.MessageSystemAttributeNameSentTimestamp), 10, 64); err == nil {
		SentTimestamp.Set(ex, time.UnixMilli(ms))
	}
	if o.envelope.TopicArn != "" {
		TopicARN.Set(ex, o.envelope.TopicArn)
		if o.envelope.Subject != "" {
			Subject.Set(ex, o.envelope.Subject)
		}
	}
}

// unbase64 decodes a text if it can be decoded.
func unbase64(text string) string {
	if decoded, err := base64.StdEncoding.DecodeString(text); err == nil {
		return string(decoded)
	}
	return text
}
