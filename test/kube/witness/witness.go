// Package witness judges leadership from outside. The members report each act to
// it; it notes them by its own clock, and like a resource that is fenced it refuses
// an act whose token is lower than one it has seen.
package witness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// An Act is something that only the leader may do.
type Act struct {
	Lock   string
	Token  uint64
	Member string
}

// A Span is the acts of one member under one token.
type Span struct {
	Act
	First, Last time.Time // when the witness heard of them
	Count       int
}

// A Witness hears of acts on a Unix socket. On such a socket nothing is lost, and
// the acts come in the order in which they were sent.
type Witness struct {
	dir     string
	conn    *net.UnixConn
	hearing sync.WaitGroup

	mu      sync.Mutex
	spans   map[string][]Span // by lock
	refused map[string][]Act  // by lock: those with a token that is over
	broken  error
	changed chan struct{} // closed at the next span
}

// Listen returns a witness.
func Listen() (*Witness, error) {
	dir, err := os.MkdirTemp("", "witness") // short, for it holds a Unix socket
	if err != nil {
		return nil, err
	}
	w := &Witness{dir: dir, spans: map[string][]Span{}, refused: map[string][]Act{}, changed: make(chan struct{})}
	w.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: w.Addr(), Net: "unixgram"})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	w.hearing.Go(w.hear)
	return w, nil
}

// Addr is the path of the socket.
func (w *Witness) Addr() string { return filepath.Join(w.dir, "acts") }

// Close ends the witness.
func (w *Witness) Close() error {
	err := w.conn.Close()
	w.hearing.Wait()
	return errors.Join(err, os.RemoveAll(w.dir))
}

func (w *Witness) hear() {
	b := make([]byte, 2048)
	for {
		n, err := w.conn.Read(b)
		if err != nil {
			return // closed
		}
		at := time.Now()
		var a Act
		_, err = fmt.Sscanf(string(b[:n]), "%q %d %q", &a.Lock, &a.Token, &a.Member)
		w.mu.Lock()
		if err != nil {
			w.broken = fmt.Errorf("witness: not an act: %q", b[:n])
		} else {
			w.note(a, at)
		}
		w.mu.Unlock()
	}
}

func (w *Witness) note(a Act, at time.Time) {
	spans := w.spans[a.Lock]
	if n := len(spans); n > 0 {
		switch last := &spans[n-1]; {
		case last.Act == a:
			last.Last = at
			last.Count++
			return
		case a.Token <= last.Token:
			w.refused[a.Lock] = append(w.refused[a.Lock], a)
			return
		}
	}
	w.spans[a.Lock] = append(spans, Span{Act: a, First: at, Last: at, Count: 1})
	close(w.changed)
	w.changed = make(chan struct{})
}

// Spans returns who acted under the lock, in the order of time and tokens.
func (w *Witness) Spans(lock string) []Span {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.spans[lock])
}

// Refused returns the acts with a token that was over: acts of a second leader.
func (w *Witness) Refused(lock string) []Act {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.refused[lock])
}

// Err tells of reports that could not be understood.
func (w *Witness) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broken
}

// After waits for an act under the lock with a token greater than that, and returns
// the first span of that kind.
func (w *Witness) After(ctx context.Context, lock string, token uint64) (Span, error) {
	for {
		w.mu.Lock()
		changed := w.changed
		for _, s := range w.spans[lock] {
			if s.Token > token {
				w.mu.Unlock()
				return s, nil
			}
		}
		w.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return Span{}, fmt.Errorf("no act under %q after token %d: %w", lock, token, context.Cause(ctx))
		}
	}
}

// A Reporter reports the acts of one member.
type Reporter struct {
	conn   net.Conn
	member string
}

// Dial returns a reporter to the witness at addr.
func Dial(addr, member string) (*Reporter, error) {
	conn, err := net.Dial("unixgram", addr)
	return &Reporter{conn, member}, err
}

// Act reports an act.
func (r *Reporter) Act(lock string, token uint64) error {
	_, err := fmt.Fprintf(r.conn, "%q %d %q", lock, token, r.member)
	return err
}
