package route

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A Position is the place in the source where a route or a step was written.
type Position struct {
	File string // as the compiler knows it
	Line int    // from 1
}

func (p Position) String() string {
	if p.File == "" {
		return "unknown place"
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// MarshalText makes a place look the same in JSON as elsewhere.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// caller returns the first position outside this package.
func caller() Position {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, thisPackage) {
			return Position{f.File, f.Line}
		}
		if !more {
			return Position{}
		}
	}
}

var thisPackage = func() string {
	pc, _, _, _ := runtime.Caller(0)
	name := runtime.FuncForPC(pc).Name() // github.com/mehari-go/mehari/route.init.func1
	return name[:strings.LastIndexByte(name, '/')] + "/route."
}()

// A BuildError says which step of which route could not be built, and why.
type BuildError struct {
	Route string // the route's id
	Step  string // as it was written; "" for the route as a whole
	Place Position
	Err   error // what is wrong
}

func (e *BuildError) Error() string { return describe(e.Place, e.Route, "", e.Step, e.Err) }

// Unwrap returns the cause.
func (e *BuildError) Unwrap() error { return e.Err }

// A StepError says at which step an exchange failed, and why.
type StepError struct {
	Route    string // the route's id
	Step     string // as it was written
	Place    Position
	Exchange string // the exchange's id
	Attempts int    // how often it was run, as far as its route knows: at least 1
	Err      error

	met       []any // the clauses and handlers that could not help
	exhausted bool  // it was run again, and that is enough
}

func (e *StepError) Error() string {
	step := e.Step
	if e.Attempts > 1 {
		step = fmt.Sprintf("%s, attempt %d", step, e.Attempts)
	}
	return describe(e.Place, e.Route, e.Exchange, step, e.Err)
}

// because returns e with another cause. What others may look at already is not changed.
func (e *StepError) because(err error) *StepError {
	c := *e
	c.met, c.Err = slices.Clip(e.met), err
	return &c
}

func (e *StepError) has(met any) bool { return slices.Contains(e.met, met) }

// attrs are for the log.
func (e *StepError) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("route", e.Route), slog.String("exchange", e.Exchange),
		slog.String("step", e.Step), slog.Any("place", e.Place),
	}
	if e.Attempts > 1 {
		attrs = append(attrs, slog.Int("attempts", e.Attempts))
	}
	attrs = append(attrs, slog.Any("error", e.Err))
	return append(attrs, stackOf(e.Err)...)
}

// stackOf is the stack of a panic, for the log.
func stackOf(err error) []slog.Attr {
	if p, ok := errors.AsType[*PanicError](err); ok {
		return []slog.Attr{slog.String("stack", string(p.Stack))}
	}
	return nil
}

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }

func describe(place Position, route, exchange, step string, err error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: route %q", place, route)
	if exchange != "" {
		fmt.Fprintf(&b, ": exchange %s", exchange)
	}
	if step != "" {
		b.WriteString(": " + step)
	}
	indented := strings.ReplaceAll(err.Error(), "\n", "\n\t")
	return b.String() + ": " + indented
}

// A PanicError is the error of an exchange, or of a consumer, whose code panicked.
type PanicError struct {
	Value any    // what panic was given
	Stack []byte // of the code that panicked, down to where the engine called it
}

// newPanicError is called in a deferred function that has recovered value.
func newPanicError(value any) *PanicError {
	var pcs [64]uintptr
	var b bytes.Buffer
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	panicked := false // what comes before is the recovery
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case strings.HasPrefix(f.Function, "runtime."):
			panicked = panicked || f.Function == "runtime.gopanic"
		case panicked && strings.HasPrefix(f.Function, thisPackage) && b.Len() > 0:
			return &PanicError{value, b.Bytes()}
		case panicked:
			fmt.Fprintf(&b, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
		}
	}
	return &PanicError{value, b.Bytes()}
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value of the panic if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// A DrainError is returned by [Engine.Run] and [Engine.Stop] when exchanges were still
// in flight after [Config.Drain] and were given up.
type DrainError struct {
	Drain    time.Duration // how long they were given
	InFlight []Flight
	Routes   []string // the ids of those that had not stopped even after [Config.Abandon]
	Waiting  int      // messages in their queues, which are lost
}

func (e *DrainError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "route: after %v in flight and given up: %d", e.Drain, len(e.InFlight))
	for _, f := range e.InFlight {
		b.WriteString("\n\t" + f.String())
	}
	for _, id := range e.Routes {
		fmt.Fprintf(&b, "\n\troute %q does not stop: its consumer has not returned", id)
	}
	if e.Waiting > 0 {
		fmt.Fprintf(&b, "\n\tmessages that waited for them and are lost: %d", e.Waiting)
	}
	return b.String()
}

// A Flight is an exchange in flight.
type Flight struct {
	Exchange string // its id
	Route    string // the route's id
	Step     string // the step it is in; "" where it has not reached one
	Place    Position
	Age      time.Duration // since it came to this route; where exchanges come fast, to the second
}

func (f Flight) String() string {
	return fmt.Sprintf("%s: route %q: exchange %s: %s: in flight for %v", f.Place, f.Route, f.Exchange, f.Step, f.Age)
}

var (
	// ErrDone is returned by a [Consumer] that has no more to give, so that it is not
	// called again.
	ErrDone = errors.New("route: the consumer is done")

	// ErrStopped is returned to those who talk to an engine that does not run.
	ErrStopped = errors.New("route: the engine does not run")

	// errStopping is the cause of what does not wait any more because its route stops.
	errStopping = errors.New("route: the route stops")

	// errAbandoned is the cause of the contexts of exchanges that outlived the drain time.
	errAbandoned = errors.New("route: stopped: the drain time is over")
)
