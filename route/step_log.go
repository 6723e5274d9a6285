package route

import (
	"cmp"
	"context"
	"log/slog"
	"sync"

	"github.com/mehari-go/mehari/language/simple"
)

// LogOptions are the options of [Route.Log].
type LogOptions struct {
	Level  slog.Level   // zero is [slog.LevelInfo]
	Name   string       // of the log, written as the attribute "logger"; "" for none
	Marker string       // written as the attribute "marker", for filters; "" for none
	Logger *slog.Logger // nil is that of the engine
}

type logStep struct {
	text    string
	options []LogOptions
}

func (s logStep) String() string { return "log " + text(s.text) }

func (s logStep) Build(b *Builder) Processor {
	o := only(b, s.options)
	t := b.template(s.text)
	if t == nil {
		return &pipeline{}
	}
	attrs := []slog.Attr{slog.String("route", b.route.id)}
	if o.Name != "" {
		attrs = append(attrs, slog.String("logger", o.Name))
	}
	if o.Marker != "" {
		attrs = append(attrs, slog.String("marker", o.Marker))
	}
	constant, isConstant := t.Constant()
	logger := cmp.Or(o.Logger, b.Logger)
	buffers := sync.Pool{New: func() any { return new([]byte) }}
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) error {
		if !logger.Enabled(ctx, o.Level) {
			return nil
		}
		msg := constant
		if !isConstant {
			buf := buffers.Get().(*[]byte)
			defer buffers.Put(buf)
			var err error
			if *buf, err = t.Append(ctx, (*buf)[:0], (*scope)(ex)); err != nil {
				return err
			}
			msg = string(*buf)
		}
		var room [4]slog.Attr
		logger.LogAttrs(ctx, o.Level, msg, append(append(room[:0], attrs...), slog.String("exchange", ex.ID()))...)
		return nil
	})
}

// template parses text in the simple language. It returns nil if that is not right.
func (b *Builder) template(text string) *simple.Template {
	t, err := simple.Parse(b.Text(text))
	if err != nil {
		b.Errorf("%w", err)
		return nil
	}
	return t
}

// Simple is an expression in Apache Camel's simple language: "${body} for ${header.name}".
// Its value is text, or, where it is one function and nothing else, what that gives. It
// is a condition too, which holds where the value is true. Package language/simple
// describes it.
func Simple(text string) Expr { return simpleText(text) }

type simpleText string

func (s simpleText) String() string { return "simple " + text(string(s)) }

func (s simpleText) expression(b *Builder) value {
	t := b.template(string(s))
	if t == nil {
		return value{eval: noValue}
	}
	if text, ok := t.Constant(); ok {
		return value{constant: text}
	}
	return value{eval: func(ctx context.Context, ex *Exchange) (any, error) { return t.Eval(ctx, (*scope)(ex)) }}
}

func (s simpleText) predicate(b *Builder) Predicate {
	p, err := simple.ParsePredicate(b.Text(string(s)))
	if err != nil {
		b.Errorf("%w", err)
		return never
	}
	return func(ctx context.Context, ex *Exchange) (bool, error) { return p.Holds(ctx, (*scope)(ex)) }
}
