package googlepubsub

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// streams are those over which messages come. Google's library leaves them open until the
// last message is done with, and so what is given back would come again, to nobody. They
// are ended first.
type streams struct {
	mu    sync.Mutex
	open  map[*stream]struct{}
	ended bool
}

// A stream is one of them.
type stream struct {
	grpc.ClientStream
	of     *streams
	reader context.Context // of the library
	cancel context.CancelFunc
	done   chan struct{} // is closed when nothing comes any more
	once   sync.Once
}

// intercept is a [grpc.StreamClientInterceptor].
func (s *streams) intercept(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	reader := ctx
	ctx, cancel := context.WithCancel(ctx)
	inner, err := streamer(ctx, desc, cc, method, opts...)
	if err != nil {
		cancel()
		return nil, err
	}
	st := &stream{ClientStream: inner, of: s, reader: reader, cancel: cancel, done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		cancel()
	} else {
		s.open[st] = struct{}{}
	}
	return st, nil
}

// RecvMsg implements [grpc.ClientStream]. To the library a stream that was ended is one in
// which nothing comes: it would drop what it has to tell the service otherwise.
func (st *stream) RecvMsg(m any) error {
	err := st.ClientStream.RecvMsg(m)
	if err != nil {
		st.once.Do(func() { close(st.done) })
		st.cancel()
		st.of.mu.Lock()
		delete(st.of.open, st)
		ended := st.of.ended
		st.of.mu.Unlock()
		if ended {
			<-st.reader.Done()
		}
	}
	return err
}

// endTime is how long the end of a stream is awaited whose reader does not read.
const endTime = 100 * time.Millisecond

// end ends all streams, and tells the service so.
func (s *streams) end() {
	s.mu.Lock()
	s.ended = true
	var open []*stream
	for st := range s.open {
		open = append(open, st)
		st.cancel()
	}
	s.mu.Unlock()
	timer := time.NewTimer(endTime)
	defer timer.Stop()
	for _, st := range open {
		select {
		case <-st.done:
		case <-timer.C:
			return
		}
	}
}
