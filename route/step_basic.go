package route

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// The steps that stand for themselves: to, process, delay, stop and others' own.

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

type delayStep struct{ e Expr }

func (s delayStep) String() string {
	switch s.e.(type) {
	case time.Duration, int:
		return fmt.Sprintf("delay %v", s.e)
	}
	return "delay"
}

func (s delayStep) Build(b *Builder) Processor {
	v := b.value(s.e)
	if v.eval == nil {
		if _, err := asDuration(v.constant); err != nil {
			return b.Errorf("%w", err)
		}
	}
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) error {
		x, err := v.get(ctx, ex)
		if err != nil {
			return err
		}
		d, err := asDuration(x)
		if err != nil || d == 0 {
			return err
		}
		if !sleep(ctx, d) {
			return context.Cause(ctx)
		}
		return nil
	})
}

// asDuration takes numbers as milliseconds, as Camel does.
func asDuration(v any) (d time.Duration, err error) {
	switch v := v.(type) {
	case time.Duration:
		d = v
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		d, err = parseDuration(fmt.Sprint(v))
	case string:
		d, err = parseDuration(v)
	default:
		return 0, fmt.Errorf("want a time.Duration or a whole number of milliseconds, have %T", v)
	}
	if err != nil || d < 0 {
		return 0, fmt.Errorf("want a duration that is not negative, have %q", fmt.Sprint(v))
	}
	return d, nil
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
