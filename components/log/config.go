package log

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Config is everything a log endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Name is what the lines carry as their attribute "logger".
	Name string `uri:".,required"`

	// Level is how important the lines are; "" means INFO.
	Level Level `uri:"level"`

	// Marker is a text that the lines carry as their attribute "marker", if it is not "".
	Marker string `uri:"marker"`

	// What to show of an exchange. ShowAll shows everything.

	ShowAll             bool  `uri:"showAll"`
	ShowExchangeID      bool  `uri:"showExchangeId"`
	ShowRouteID         bool  `uri:"showRouteId"`
	ShowExchangePattern bool  `uri:"showExchangePattern"` // InOut for requests, else InOnly
	ShowProperties      bool  `uri:"showProperties"`      // without those whose names begin with Camel
	ShowAllProperties   bool  `uri:"showAllProperties"`
	ShowHeaders         bool  `uri:"showHeaders"`
	ShowBodyType        *bool `uri:"showBodyType"` // nil means true
	ShowBody            *bool `uri:"showBody"`     // nil means true
	ShowCaughtException bool  `uri:"showCaughtException"`

	// How to show it.

	// Plain shows the body and nothing else.
	Plain bool `uri:"plain"`

	// Multiline shows each thing on a line of its own.
	Multiline bool `uri:"multiline"`

	// SkipBodyLineSeparator leaves line breaks in the body out; nil means true. It has
	// no effect on a body that is shown Plain.
	SkipBodyLineSeparator *bool `uri:"skipBodyLineSeparator"`

	// MaxChars is after how many characters the text is cut; nil means 10000, 0 never.
	MaxChars *int `uri:"maxChars"`

	// LogMask hides what looks like a secret inside of bodies and values: password=x,
	// "token": "x", <secret>x</secret>. Headers and properties whose own names look
	// secret, such as Authorization, are never shown.
	LogMask bool `uri:"logMask"`

	// Throughput instead of exchanges.

	// GroupSize logs how fast exchanges come, once for so many of them.
	GroupSize int `uri:"groupSize"`

	// GroupInterval logs how fast exchanges come, once in this time.
	GroupInterval time.Duration `uri:"groupInterval"`

	// GroupDelay is the time from the first exchange to the first such line; 0 means
	// GroupInterval.
	GroupDelay time.Duration `uri:"groupDelay"`

	// GroupActiveOnly leaves the line out where no exchange has come; nil means true.
	GroupActiveOnly *bool `uri:"groupActiveOnly"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("log", c) }

// A Level is how important a line is.
type Level string

// The levels. Trace is four below [slog.LevelDebug]; Off writes nothing.
const (
	Trace Level = "TRACE"
	Debug Level = "DEBUG"
	Info  Level = "INFO"
	Warn  Level = "WARN"
	Error Level = "ERROR"
	Off   Level = "OFF"
)

// UnmarshalText implements [encoding.TextUnmarshaler]. Case makes no difference.
func (l *Level) UnmarshalText(text []byte) error {
	switch v := Level(strings.ToUpper(string(text))); v {
	case Trace, Debug, Info, Warn, Error, Off:
		*l = v
		return nil
	}
	return fmt.Errorf("want TRACE, DEBUG, INFO, WARN, ERROR or OFF, have %q", text)
}

func (l Level) slog() slog.Level {
	switch l {
	case Trace:
		return slog.LevelDebug - 4
	case Debug:
		return slog.LevelDebug
	case Warn:
		return slog.LevelWarn
	case Error:
		return slog.LevelError
	}
	return slog.LevelInfo
}

func (c Config) check(a route.Address) error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(c.MaxChars != nil && *c.MaxChars < 0, `option "maxChars": want 0 (no limit) or more, have %d`, value(c.MaxChars, 0))
	refuse(a.Options.Has("groupSize") && c.GroupSize < 1, `option "groupSize": want 1 or more, have %d`, c.GroupSize)
	refuse(a.Options.Has("groupInterval") && c.GroupInterval < time.Millisecond, `option "groupInterval": want %v or more, have %v`, time.Millisecond, c.GroupInterval)
	refuse(c.GroupDelay < 0, `option "groupDelay": want 0 or more, have %v`, c.GroupDelay)
	refuse(c.GroupSize != 0 && c.GroupInterval != 0, `options "groupSize" and "groupInterval" exclude each other`)
	for _, name := range []string{"groupDelay", "groupActiveOnly"} {
		refuse(a.Options.Has(name) && c.GroupInterval == 0, `option %q has a meaning with groupInterval only`, name)
	}
	for _, name := range exchangeOptions {
		refuse(a.Options.Has(name) && c.throughput(), `option %q has no meaning where throughput is logged`, name)
	}
	for _, name := range shown {
		refuse(c.Plain && a.Options.Has(name), `option %q has no meaning with plain=true`, name)
	}
	return errors.Join(errs...)
}

// What has a meaning only where exchanges are shown as more than their body.
var shown = []string{
	"showAll", "showExchangeId", "showRouteId", "showExchangePattern", "showProperties", "showAllProperties",
	"showHeaders", "showBodyType", "showBody", "showCaughtException", "multiline", "skipBodyLineSeparator",
}

// What has a meaning only where exchanges are shown.
var exchangeOptions = append([]string{"plain", "maxChars", "logMask"}, shown...)

func (c Config) throughput() bool { return c.GroupSize > 0 || c.GroupInterval > 0 }

// value returns what an option points to, or its default.
func value[T any](p *T, def T) T {
	if p == nil {
		return def
	}
	return *p
}
