package bed

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// A Fault is what a [Proxy] does to its connections.
type Fault int

// The faults.
const (
	Pass  Fault = iota // everything goes through
	Reset              // connections are reset, and new ones too
	Hang               // connections stay open, but no byte moves, nor the end of one
)

// A Proxy is the network between one pod and the API server. It needs no privilege
// and works under TLS.
type Proxy struct {
	listener net.Listener
	target   string
	serving  sync.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond
	fault   Fault
	delay   time.Duration
	conns   map[net.Conn]bool
	closed  bool
}

// NewProxy returns a proxy to the address target.
func NewProxy(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, target: target, conns: map[net.Conn]bool{}}
	p.changed = sync.NewCond(&p.mu)
	p.serving.Go(p.serve)
	return p, nil
}

// Addr is the address to connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Set begins or, with Pass, ends a fault. What a Hang holds back goes through then.
func (p *Proxy) Set(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	if f == Reset {
		for c := range p.conns {
			reset(c)
		}
	}
	p.changed.Broadcast()
}

// Delay holds back what goes through by d in each direction; 0 ends that.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Close ends all connections.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		_ = c.Close() // the peer sees it, nobody else is to be told
	}
	p.changed.Broadcast()
	p.mu.Unlock()
	_ = p.listener.Close()
	p.serving.Wait()
}

func (p *Proxy) serve() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.serving.Go(func() { p.handle(c) })
	}
}

func (p *Proxy) handle(c net.Conn) {
	if !p.add(c) {
		reset(c)
		return
	}
	defer p.drop(c)
	if !p.pass() {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		reset(c) // as if there were no proxy
		return
	}
	if !p.add(server) {
		reset(server)
		return
	}
	defer p.drop(server)
	ended := make(chan struct{}, 2)
	move := func(to, from net.Conn) {
		defer func() { ended <- struct{}{} }()
		p.move(to, from)
	}
	p.serving.Go(func() { move(server, c) })
	p.serving.Go(func() { move(c, server) })
	<-ended
}

func (p *Proxy) move(to, from net.Conn) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if !p.pass() {
				return
			}
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if errors.Is(err, io.EOF) {
			p.pass() // a network that swallows bytes swallows the end as well
		}
		if err != nil {
			return
		}
	}
}

// pass waits for the delay, and while the proxy hangs. False means to give up.
func (p *Proxy) pass() bool {
	p.mu.Lock()
	d := p.delay
	p.mu.Unlock()
	time.Sleep(d)
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.fault == Hang && !p.closed {
		p.changed.Wait()
	}
	return p.fault == Pass && !p.closed
}

func (p *Proxy) add(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == Reset || p.closed {
		return false
	}
	p.conns[c] = true
	return true
}

func (p *Proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	_ = c.Close()
}

// reset closes c with RST.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}
