package watermill

import (
	"hash/maphash"
	"slices"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/internal/sleep"
	"github.com/mehari-go/mehari/route"
)

// A worker works on one message at a time.
type worker struct {
	*subscription
	ex     *route.Exchange
	recent []<-chan struct{} // see subscription.settled
}

// process leads a message through the route and tells the subscriber the outcome.
func (w *worker) process(m *message.Message) {
	if w.taking.Err() != nil {
		m.Nack()
		return
	}
	err := w.try(m)
	for n := 0; err != nil && n < w.wire.MaximumRedeliveries && w.pause(); n++ {
		err = w.try(m)
	}
	if err != nil {
		w.pause()
		m.Nack() // there is no telling when the subscriber has given it back: it may send it again
		return
	}
	m.Ack()
	if done := m.Context().Done(); done != nil {
		if len(w.recent) >= 32 {
			w.recent = slices.DeleteFunc(w.recent, isClosed)
		}
		w.recent = append(w.recent, done)
	}
}

// try leads an exchange of the message through the route.
func (w *worker) try(m *message.Message) error {
	if w.ex == nil {
		w.ex = route.NewExchange(nil)
	} else {
		w.ex = w.ex.Renew(nil)
	}
	w.wire.arrive(w.ctx, m, w.ex)
	return w.next.Process(w.ctx, w.ex)
}

// pause waits before a message is given to someone again. It tells whether the consumer is
// not to stop.
func (w *worker) pause() bool {
	d := w.wire.RedeliveryDelay
	if d == 0 {
		d = time.Second
	}
	if d < 0 {
		return w.taking.Err() == nil
	}
	return sleep.For(w.taking, d)
}

// leave is called when the worker takes no more.
func (w *worker) leave() {
	if w.ex != nil {
		w.ex.Release()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settled = append(w.settled, w.recent...)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// sort gives the messages of one key to one worker.
func (s *subscription) sort(in <-chan *message.Message, lanes []chan *message.Message) {
	seed := maphash.MakeSeed()
	for {
		var m *message.Message
		var ok bool
		select {
		case <-s.taking.Done():
			return
		case m, ok = <-in:
		}
		if !ok {
			s.stop(errEnded)
			return
		}
		lane := maphash.String(seed, s.key(m)) % uint64(len(lanes))
		select {
		case <-s.taking.Done():
			m.Nack()
			return
		case lanes[lane] <- m:
		}
	}
}

// key is the value of the header that orders messages. Names of headers compare without case.
func (s *subscription) key(m *message.Message) string {
	if v, ok := m.Metadata[s.wire.KeyHeader]; ok {
		return v
	}
	ex := route.NewExchange(nil)
	defer ex.Release()
	s.wire.arrive(s.ctx, m, ex)
	text, err := route.As[string](s.ctx, ex, ex.Header(s.wire.KeyHeader))
	if err != nil {
		return ""
	}
	return text
}
