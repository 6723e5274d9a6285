package awssqs

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// An order tells SQS about one message: that it is to be removed, or for how long it is
// invisible from now on.
type order struct {
	receipt string
	remove  bool
	visible time.Duration
	after   func() // is called when SQS has been told; nil for nothing
}

// A settler carries out orders, one after the other, up to ten with one request. While one
// is on its way, others gather.
type settler struct {
	*taker
	progress chan struct{} // something has been carried out
	errors   chan error    // the first that could not be
	wake     chan struct{}
	ended    chan struct{}

	lock   sync.Mutex
	orders []order
	closed bool
}

const (
	maxOrders  = 10
	settleTime = 10 * time.Second // of a request, with the client's attempts
)

func newSettler(t *taker) *settler {
	s := &settler{
		taker: t, progress: make(chan struct{}, 1), errors: make(chan error, 1),
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	t.all.Go(s.work)
	return s
}

func (s *settler) enqueue(o order) {
	s.lock.Lock()
	s.orders = append(s.orders, o)
	s.lock.Unlock()
	notify(s.wake)
}

// backlog is how many orders wait.
func (s *settler) backlog() int {
	s.lock.Lock()
	defer s.lock.Unlock()
	return len(s.orders)
}

// close returns when all orders have been carried out.
func (s *settler) close() {
	s.lock.Lock()
	s.closed = true
	s.lock.Unlock()
	notify(s.wake)
	<-s.ended
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (s *settler) work() {
	defer close(s.ended)
	for {
		batch, closed := s.cut()
		if len(batch) == 0 {
			if closed {
				return
			}
			<-s.wake
			continue
		}
		if err := s.carryOut(batch); err != nil {
			select {
			case s.errors <- err:
			default:
			}
		}
		for _, o := range batch {
			if o.after != nil {
				o.after()
			}
		}
		notify(s.progress)
	}
}

// cut takes the first orders of one kind.
func (s *settler) cut() (batch []order, closed bool) {
	s.lock.Lock()
	defer s.lock.Unlock()
	n := 0
	for n < len(s.orders) && n < maxOrders && s.orders[n].remove == s.orders[0].remove {
		n++
	}
	batch = s.orders[:n:n]
	if s.orders = s.orders[n:]; len(s.orders) == 0 {
		s.orders = nil
	}
	return batch, s.closed
}

// carryOut sends orders. What SQS refuses of single ones is that it has given the message to
// someone else already, or removed it.
func (s *settler) carryOut(batch []order) error {
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	if batch[0].remove {
		in := &sqs.DeleteMessageBatchInput{QueueUrl: aws.String(s.url)}
		for i, o := range batch {
			in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(o.receipt)})
		}
		if _, err := s.client.DeleteMessageBatch(ctx, in); err != nil {
			return fmt.Errorf("delete: %w", err)
		}
		return nil
	}
	in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: aws.String(s.url)}
	for i, o := range batch {
		in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(o.receipt), VisibilityTimeout: int32(o.visible / time.Second), //nolint:gosec // 12h at most
		})
	}
	if _, err := s.client.ChangeMessageVisibilityBatch(ctx, in); err != nil {
		return fmt.Errorf("visibility: %w", err)
	}
	return nil
}
