//go:build unix

package scenarios

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A link is a way to a server, which can be cut, and on which something can be held up, as
// networks do it.
type link struct {
	addr string // where it begins

	mu    sync.Mutex
	first byte          // what begins with that is held up
	held  chan struct{} // closed when something is; nil where nothing is to be
	free  chan struct{} // closed when it may go on
	conns []net.Conn
	down  bool
}

// connect makes a link to a server.
func connect(t *testing.T, to string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{addr: listener.Addr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			l.keep(near, far)
			all.Go(func() { l.carry(far, near) })
			all.Go(func() { _, _ = io.Copy(near, far); near.Close() })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		l.release()
		l.cut()
		all.Wait()
	})
	return l
}

// carry carries what the client sends.
func (l *link) carry(far, near net.Conn) {
	defer far.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := near.Read(buffer)
		if n > 0 {
			l.wait(buffer[0])
			if _, err := far.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *link) wait(first byte) {
	l.mu.Lock()
	held, free := l.held, l.free
	if held == nil || first != l.first {
		l.mu.Unlock()
		return
	}
	select {
	case <-held:
	default:
		close(held)
	}
	l.mu.Unlock()
	<-free
}

// hold holds up what begins with a byte from now on, and returns a channel that is closed
// when there is something.
func (l *link) hold(first byte) (held <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.first, l.held, l.free = first, make(chan struct{}), make(chan struct{})
	return l.held
}

// release lets go on what is held up.
func (l *link) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil {
		l.held = nil
		close(l.free)
	}
}

func (l *link) keep(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, conns...)
	if l.down {
		l.drop()
	}
}

// cut closes all connections, and those that are made until it is mended.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	l.drop()
}

func (l *link) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

func (l *link) drop() {
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}
