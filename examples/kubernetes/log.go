package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/mehari-go/mehari/cluster"
)

// newLogger returns a logger to w. The level is such as "debug"; "" means info, and so
// does one that it cannot read, beside the error.
func newLogger(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	var err error
	if level != "" {
		if err = l.UnmarshalText([]byte(level)); err != nil {
			err = fmt.Errorf("LOG_LEVEL: want debug, info, warn or error, have %q", level)
		}
	}
	return slog.New(terms{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l})}), err
}

// terms adds to what is logged under a term its lock and its fencing token.
type terms struct{ slog.Handler }

func (h terms) Handle(ctx context.Context, r slog.Record) error {
	if t, ok := cluster.TermFrom(ctx); ok {
		r.AddAttrs(slog.String("lock", t.Lock()), slog.Uint64("token", t.Token()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h terms) WithAttrs(attrs []slog.Attr) slog.Handler { return terms{h.Handler.WithAttrs(attrs)} }
func (h terms) WithGroup(name string) slog.Handler       { return terms{h.Handler.WithGroup(name)} }
