package route

import (
	"context"
	"fmt"
	"strings"
)

// The steps that stand for themselves: to, process, stop and others' own.

type toStep struct{ uri URI }

func (s toStep) String() string             { return fmt.Sprintf("to %q", s.uri) }
func (s toStep) Build(b *Builder) Processor { return b.Producer(s.uri) }

type processStep struct{ f ProcessorFunc }

func (processStep) String() string { return "process" }
func (s processStep) Build(b *Builder) Processor {
	if s.f == nil {
		return b.Errorf("nil function")
	}
	return s.f
}

// A customStep keeps what [chain.Step] was given from being nil or building nothing.
type customStep struct{ step Step }

func (s customStep) String() string {
	if s.step == nil {
		return "step"
	}
	return s.step.String()
}

func (s customStep) Build(b *Builder) Processor {
	if s.step == nil {
		return b.Errorf("nil step")
	}
	errs := len(b.errs)
	p := s.step.Build(b)
	if p == nil && len(b.errs) == errs {
		return b.Errorf("%T builds no processor", s.step)
	}
	return p
}

type stopStep struct{}

func (stopStep) String() string           { return "stop" }
func (stopStep) Build(*Builder) Processor { return stopProcessor{} }

type stopProcessor struct{}

func (stopProcessor) quick() bool { return true }
func (stopProcessor) Process(_ context.Context, ex *Exchange) error {
	ex.stopped = true
	return nil
}

// text shortens what a step's String shows of a text.
func text(s string) string {
	if first, _, cut := strings.Cut(s, "\n"); cut || len(s) > 60 {
		return fmt.Sprintf("%.57q…", first)
	}
	return fmt.Sprintf("%q", s)
}
