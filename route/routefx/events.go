package routefx

import (
	"cmp"
	"log/slog"
	"strings"
	"sync"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
)

// Logger has fx log by log/slog: by the [*slog.Logger] in the container, or slog.Default().
// What fx does is at level debug, the start of the application and the signal that ends it
// at level info, and what goes wrong at level error, with the hook that takes too long if
// there is one. It logs names of types and functions, never a value. With it errors of this
// package name the modules of fx.
var Logger = fx.WithLogger(newEvents)

type maybeLogger struct {
	fx.In
	Logger *slog.Logger `optional:"true"`
}

func newEvents(in maybeLogger) fxevent.Logger {
	l := cmp.Or(in.Logger, slog.Default())
	e := &events{logger: l, modules: map[string]string{}}
	e.quiet.Logger, e.loud.Logger = l, l
	e.quiet.UseLogLevel(slog.LevelDebug)
	return e
}

// events logs what fx does, and remembers from which modules contributions come.
type events struct {
	logger      *slog.Logger
	quiet, loud fxevent.SlogLogger

	mu      sync.Mutex
	modules map[string]string // by the ids of contributions
	running string            // the hook that runs
}

// moduleOf returns the module of the contribution with an id, "" for the application.
func (e *events) moduleOf(id string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.modules[id]
}

// LogEvent implements [fxevent.Logger].
func (e *events) LogEvent(event fxevent.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	logger := &e.quiet
	switch v := event.(type) {
	case *fxevent.Provided:
		e.remember(v)
	case *fxevent.OnStartExecuting:
		e.running = v.FunctionName
	case *fxevent.OnStopExecuting:
		e.running = v.FunctionName
	case *fxevent.OnStartExecuted, *fxevent.OnStopExecuted:
		e.running = ""
	case *fxevent.Started:
		logger = &e.loud
		e.late(v.Err)
	case *fxevent.Stopped:
		e.late(v.Err)
	case *fxevent.Stopping:
		logger = &e.loud
	}
	logger.LogEvent(event)
}

// late names the hook that has not returned, which fx does not.
func (e *events) late(err error) {
	if err != nil && e.running != "" {
		e.logger.Error("a hook has not returned in time", "hook", e.running)
	}
}

// remember keeps the module of a contribution.
func (e *events) remember(p *fxevent.Provided) {
	for _, t := range p.OutputTypeNames {
		if _, id, ok := strings.Cut(t, `[name = "`); ok {
			e.modules[strings.TrimSuffix(id, `"]`)] = p.ModuleName
		}
	}
}
