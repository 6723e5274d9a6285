package awssqs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/mehari-go/mehari/internal/amazon"
)

// A queue is what an endpoint names.
type queue struct {
	name  string
	url   string // if it was given
	owner string // the account, if it was given
}

func (q queue) fifo() bool { return strings.HasSuffix(q.name, amazon.FIFO) }

// parseQueue reads a name, a URL or an ARN.
func parseQueue(text, region string) (queue, error) {
	q := queue{name: text}
	switch {
	case strings.HasPrefix(text, "http://"), strings.HasPrefix(text, "https://"):
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.User != nil {
			return queue{}, errors.New("path: want a URL like https://sqs.eu-west-1.amazonaws.com/123456789012/orders")
		}
		q.name, q.url = path.Base(u.Path), text
	case strings.HasPrefix(text, "arn:"):
		a, err := arn.Parse(text)
		if err != nil || a.Service != "sqs" {
			return queue{}, fmt.Errorf("path: want an ARN like arn:aws:sqs:eu-west-1:123456789012:orders, have %q", text)
		}
		if a.Region != region {
			return queue{}, fmt.Errorf("path: the queue is in region %q, and the component in %q", a.Region, region)
		}
		q.name, q.owner = a.Resource, a.AccountID
	}
	// Amazon SQS API Reference, CreateQueue, QueueName.
	bare := strings.TrimSuffix(q.name, amazon.FIFO)
	if !amazon.IsName(bare) || len(q.name) > 80 {
		return queue{}, fmt.Errorf("path: want the name of a queue, up to 80 letters, digits, - and _, and .fifo at the end of that of a FIFO queue; have %q", q.name)
	}
	return q, nil
}

// find returns the URL of the queue. It makes the queue if it may.
func (q queue) find(ctx context.Context, client *sqs.Client, cfg *Config) (string, error) {
	if q.url != "" {
		return q.url, nil
	}
	in := &sqs.GetQueueUrlInput{QueueName: aws.String(q.name)}
	if q.owner != "" {
		in.QueueOwnerAWSAccountId = aws.String(q.owner)
	}
	found, err := client.GetQueueUrl(ctx, in)
	if err == nil {
		return aws.ToString(found.QueueUrl), nil
	}
	if _, missing := errors.AsType[*types.QueueDoesNotExist](err); !missing || !cfg.AutoCreateQueue {
		return "", fmt.Errorf("queue %q: %w", q.name, err)
	}
	attributes := map[string]string{
		string(types.QueueAttributeNameVisibilityTimeout): seconds(cmp.Or(cfg.VisibilityTimeout, defaultVisibility)),
	}
	if q.fifo() {
		attributes[string(types.QueueAttributeNameFifoQueue)] = "true"
		if cfg.MessageDeduplicationIDStrategy == UseContentBasedDeduplication {
			attributes[string(types.QueueAttributeNameContentBasedDeduplication)] = "true"
		}
	}
	made, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(q.name), Attributes: attributes})
	if _, exists := errors.AsType[*types.QueueNameExists](err); exists { // someone else was faster, with other attributes
		found, err := client.GetQueueUrl(ctx, in)
		if err != nil {
			return "", fmt.Errorf("queue %q: %w", q.name, err)
		}
		return aws.ToString(found.QueueUrl), nil
	}
	if err != nil {
		return "", fmt.Errorf("queue %q: %w", q.name, err)
	}
	return aws.ToString(made.QueueUrl), nil
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
