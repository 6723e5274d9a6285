package routetest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestMockIsAComponent(t *testing.T) {
	routetest.SetPatience(t, time.Second) // a mock that nobody consumes from waits for it
	routetest.TestComponent(t, routetest.Harness{
		New:      func() route.Component { return new(routetest.Mock) },
		Configs:  []routetest.Config{routetest.MockConfig{Name: "in", RetainFirst: 1, RetainLast: 2}},
		Consumer: "mock:in",
		Feed: func(_ context.Context, c route.Component, body any) error {
			return c.(*routetest.Mock).Send("in", body)
		},
		Producer: "mock:out",
	})
}

// pipe is a component that can be made to do everything wrong. Its consumer gives an
// exchange every millisecond, its producer does nothing.
type pipe struct {
	lax       bool // ignores options
	mute      bool // says no more than that something is wrong
	leaky     bool // shows secrets
	greedy    bool // opens a file for each endpoint
	eager     bool // gives one before it looks at its context
	deaf      bool // goes on after its context is done, for a while
	hasty     bool // does not wait for what is in flight
	weak      bool // ends with the first error
	once      bool // works only the first time
	orphan    bool // makes up its contexts
	hoarder   bool // does not release
	thief     bool // releases what is not its own
	keeper    bool // gives an exchange that it has released
	stubborn  bool // does not look at its context when sent to
	unlocked  bool // fails when it is used by several at once
	leftovers bool // leaves a goroutine
	late      bool // gives one more after it has returned

	mu      sync.Mutex
	started bool
	files   []*os.File
	stop    chan struct{} // ends what was left behind
	inUse   sync.Mutex
}

type pipeConfig struct {
	Name     string        `uri:".,required"`
	Wait     time.Duration `uri:"wait"`
	Password string        `uri:"password,secret"`
}

func (c pipeConfig) URI() route.URI { return route.Encode("pipe", c) }

func (p *pipe) Endpoint(_ route.Env, a route.Address) (route.Endpoint, error) {
	var c pipeConfig
	if err := a.Decode(&c); err != nil && !p.lax {
		if p.mute {
			return nil, errors.New("wrong")
		}
		return nil, err
	}
	if p.greedy {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		p.files = append(p.files, f)
		p.mu.Unlock()
	}
	return pipeEnd{p, c}, nil
}

type pipeEnd struct {
	*pipe
	config pipeConfig
}

func (e pipeEnd) String() string {
	if e.leaky {
		return string(e.config.URI())
	}
	return route.Redact("pipe", e.config)
}

func (e pipeEnd) Process(ctx context.Context, ex *route.Exchange) error {
	switch {
	case e.thief:
		ex.Release()
	case e.stubborn && ctx.Err() != nil:
		<-e.stop
	case e.unlocked:
		if !e.inUse.TryLock() {
			return errors.New("in use")
		}
		time.Sleep(100 * time.Microsecond)
		e.inUse.Unlock()
	}
	return nil
}

func (e pipeEnd) Consume(ctx context.Context, next route.Processor) error {
	e.mu.Lock()
	again := e.started
	e.started = true
	e.mu.Unlock()
	if again && e.once {
		<-ctx.Done()
		return nil
	}
	var calls sync.WaitGroup
	give := func() error {
		ex := route.NewExchange("x")
		if e.keeper {
			ex.Body = route.Released{} // as the engine leaves it
		}
		c := ctx
		if e.orphan {
			c = context.Background()
		}
		err := next.Process(c, ex)
		if !e.hoarder {
			ex.Release()
		}
		return err
	}
	if e.eager {
		_ = give()
	}
	if e.leftovers {
		go func() { <-e.stop }()
	}
	if e.late {
		defer func() {
			go func() {
				time.Sleep(time.Millisecond)
				_ = give()
			}()
		}()
	}
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			if e.deaf {
				<-e.stop
			}
			if !e.hasty {
				calls.Wait()
			}
			return nil
		case <-ticker.C:
			if e.hasty {
				calls.Go(func() { _ = give() })
			} else if err := give(); err != nil && e.weak {
				return err
			}
		}
	}
}

func harness(p *pipe) routetest.Harness {
	p.stop = make(chan struct{})
	return routetest.Harness{
		New: func() route.Component { return p },
		Configs: []routetest.Config{
			pipeConfig{Name: "a", Wait: time.Second, Password: "xyz"},
		},
		Consumer: "pipe:a",
		Producer: "pipe:a",
		Feed:     func(context.Context, route.Component, any) error { return nil }, // gives by itself
	}
}

func TestGoodComponentPasses(t *testing.T) {
	routetest.TestComponent(t, harness(new(pipe)))
}

func TestEachCheckCanFail(t *testing.T) {
	routetest.SetPatience(t, 500*time.Millisecond)
	proven := map[string]bool{}
	for _, tt := range []struct {
		pipe  *pipe
		check string
		want  string
	}{
		{&pipe{lax: true}, "refuses unknown options", `the unknown option "noSuchOption" is not refused`},
		{&pipe{mute: true}, "refuses unknown options", `the unknown option "waitt" is not named`},
		{&pipe{lax: true}, "refuses malformed options", `option "wait" with a malformed value is not refused`},
		{&pipe{lax: true}, "refuses malformed options", `option "password" given twice is not refused`},
		{&pipe{mute: true}, "refuses malformed options", `option "wait" with a malformed value: it is not named`},
		{&pipe{leaky: true}, "hides secrets", "String() shows a secret"},
		{&pipe{greedy: true}, "makes endpoints without I/O", "files or sockets are open"},
		{&pipe{eager: true}, "stops before it starts", "Consume gives an exchange, though its context was done"},
		{&pipe{deaf: true}, "stops before it starts", "Consume does not return"},
		{&pipe{deaf: true}, "stops when told", "has not returned"},
		{&pipe{late: true}, "stops when told", "an exchange is given after Consume has returned"},
		{&pipe{leftovers: true}, "stops when told", "1 goroutines are left"},
		{&pipe{hasty: true}, "waits for what is in flight", "Consume returns while an exchange is in flight"},
		{&pipe{weak: true}, "survives errors", "Consume returns because an exchange failed"},
		{&pipe{once: true}, "starts again", "no exchange comes"},
		{&pipe{orphan: true}, "passes its context on", "derived neither from Consume's nor from the sender's"},
		{&pipe{hoarder: true}, "releases its exchanges", "an exchange is not released"},
		{&pipe{keeper: true}, "releases its exchanges", "an exchange is given that has been released"},
		{&pipe{unlocked: true}, "can be sent to by many", "in use"},
		{&pipe{thief: true}, "leaves exchanges to their owner", "the exchange is not its owner's any more"},
		{&pipe{stubborn: true}, "gives up when told", "Process does not return, though its context is done"},
	} {
		h := harness(tt.pipe)
		time.AfterFunc(1200*time.Millisecond, func() { close(tt.pipe.stop) })
		err := routetest.Check(tt.check, h)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: have %v, want %q", tt.check, err, tt.want)
		}
		for _, f := range tt.pipe.files {
			f.Close()
		}
		proven[tt.check] = true
	}
	for _, bad := range []struct {
		configs []routetest.Config
		want    string
	}{
		{[]routetest.Config{pipeConfig{Name: "a"}}, `no value in Configs has the option "wait"`},
		{[]routetest.Config{lossy{Name: "a", Wait: time.Second}}, "decodes to"},
	} {
		h := harness(new(pipe))
		h.Configs = bad.configs
		if err := routetest.Check("encodes and decodes", h); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("encodes and decodes: have %v, want %q", err, bad.want)
		}
	}
	proven["encodes and decodes"] = true
	for _, name := range routetest.Checks() {
		if !proven[name] {
			t.Errorf("nothing makes the check %q fail", name)
		}
	}
}

// lossy is a config whose URI leaves an option out.
type lossy pipeConfig

func (l lossy) URI() route.URI { return "pipe:a" }

func TestSkipsWhatThereIsNot(t *testing.T) {
	for _, name := range routetest.Checks() {
		err := routetest.Check(name, routetest.Harness{New: func() route.Component { return new(pipe) }})
		if err != nil && !strings.HasPrefix(err.Error(), "the harness has no ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !slices.Contains(routetest.Checks(), "hides secrets") {
		t.Error(fmt.Sprint(routetest.Checks()))
	}
}
