package sql

import (
	"errors"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/internal/poll"
	"github.com/mehari-go/mehari/route"
)

// Config is everything that an endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Statement is SQL with parameters: :#name, :#in:name for a list, :#${expression} in the
	// simple language, or # for those that are told by their place. In a URI ? is written %3F
	// and % is written %25.
	Statement string `uri:".,required"`

	// DataSource is the name of a database that [New] was given; "" means the only one.
	DataSource string `uri:"dataSource"`

	// Dialect is that of the database; "" means that of the driver, where it is a known one,
	// or else sqlite, which writes ? for a parameter as most do.
	Dialect Dialect `uri:"dialect"`

	// Placeholder is what stands for a parameter that is told by its place; "" means #. Next to
	// one of # > - = a # is an operator of PostgreSQL.
	Placeholder string `uri:"placeholder"`

	// MaxRows is how many rows are in memory at a time; 0 means 100000. More are an error, but for
	// outputType=StreamList, and for routes from a statement, which take the others with the next poll.
	MaxRows int `uri:"maxRows"`

	// Timeout is how long a statement may take, with the reading of its rows; 0 means without end,
	// other than that of the exchange.
	Timeout time.Duration `uri:"timeout"`

	// For those who send.

	// OutputType is what becomes of rows; "" means SelectList.
	OutputType OutputType `uri:"outputType"`

	// OutputHeader is the header that gets the result; "" means that it becomes the body.
	OutputHeader string `uri:"outputHeader"`

	// Noop leaves the message as it is but for the headers that count.
	Noop bool `uri:"noop"`

	// Batch runs the statement once for each value of the body, a list, in one transaction.
	Batch bool `uri:"batch"`

	// For those who consume.

	// InitialDelay is the time before the first poll; nil means 1s.
	InitialDelay *time.Duration `uri:"initialDelay"`

	// Delay is the time between polls, at least 1ms; nil means 500ms.
	Delay *time.Duration `uri:"delay"`

	// Greedy polls again at once after a poll that has found rows.
	Greedy bool `uri:"greedy"`

	// RepeatCount is how many polls there are; 0 means without end.
	RepeatCount int64 `uri:"repeatCount"`

	// UseIterator gives each row an exchange of its own, a map[string]any; nil means true. With
	// false there is one for all rows of a poll, a []map[string]any.
	UseIterator *bool `uri:"useIterator"`

	// RouteEmptyResultSet makes a poll without rows give an exchange, with a nil body or, if
	// UseIterator is false, an empty list.
	RouteEmptyResultSet bool `uri:"routeEmptyResultSet"`

	// MaxMessagesPerPoll is how many rows a poll takes at most; 0 means MaxRows. The others are
	// there for the next poll.
	MaxMessagesPerPoll int `uri:"maxMessagesPerPoll"`

	// OnConsume is run for each row whose exchange has succeeded. Its parameters are those of the
	// row as it was read, or expressions that look at the exchange.
	OnConsume string `uri:"onConsume"`

	// OnConsumeFailed is run for each row whose exchange has failed.
	OnConsumeFailed string `uri:"onConsumeFailed"`

	// OnConsumeBatchComplete is run after all rows of a poll that has found some. It has
	// no parameters but expressions.
	OnConsumeBatchComplete string `uri:"onConsumeBatchComplete"`

	// ExpectedUpdateCount is how many rows OnConsume has to change: other numbers are told as
	// errors. Nil means that any is right.
	ExpectedUpdateCount *int `uri:"expectedUpdateCount"`

	// BreakBatchOnConsumeFail ends a poll with a row whose exchange, OnConsume or OnConsumeFailed
	// fails.
	BreakBatchOnConsumeFail bool `uri:"breakBatchOnConsumeFail"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("sql", c) }

// An OutputType says what becomes of rows. A row is a map[string]any by the names of the columns.
type OutputType string

// The types of output.
const (
	SelectList OutputType = "SelectList" // a []map[string]any
	SelectOne  OutputType = "SelectOne"  // the row, its value if it has only one column, nil if there is no row; an error if there are more
	StreamList OutputType = "StreamList" // an iter.Seq2[any, error] of rows, for a Split; open until the exchange is done
)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (o *OutputType) UnmarshalText(text []byte) error {
	switch v := OutputType(text); v {
	case SelectList, SelectOne, StreamList:
		*o = v
		return nil
	}
	return fmt.Errorf("want %s, %s or %s, have %q", SelectList, SelectOne, StreamList, text)
}

const defaultMaxRows = 100_000

// What the options of an endpoint are for.
var (
	sending   = []string{"outputType", "outputHeader", "noop", "batch"}
	consuming = []string{
		"initialDelay", "delay", "greedy", "repeatCount", "useIterator", "routeEmptyResultSet", "maxMessagesPerPoll",
		"onConsume", "onConsumeFailed", "onConsumeBatchComplete", "expectedUpdateCount", "breakBatchOnConsumeFail",
	}
)

// firstOf returns the first of the names that an address gives, "" for none.
func firstOf(a route.Address, names []string) string {
	for _, name := range names {
		if a.Options.Has(name) {
			return name
		}
	}
	return ""
}

// check fills the endpoint from its config.
func (e *endpoint) check(a route.Address) error {
	c := e.config
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	read := func(option, text string) *statement {
		if text == "" {
			return nil
		}
		s, err := parse(text, e.dialect, e.mark)
		refuse(err != nil, "%s: %w", option, err)
		if option != "statement" && err == nil {
			refuse(s.returns, "%s: want a statement that changes rows", option)
			refuse(s.ordered > 0, "%s: a row has no order: want :#name for its parameters", option)
		}
		return s
	}
	e.statement = read("statement", c.Statement)
	e.onConsume = read(`option "onConsume"`, c.OnConsume)
	e.onFailed = read(`option "onConsumeFailed"`, c.OnConsumeFailed)
	e.onBatch = read(`option "onConsumeBatchComplete"`, c.OnConsumeBatchComplete)
	e.sends, e.consumes = firstOf(a, sending), firstOf(a, consuming)
	refuse(e.sends != "" && e.consumes != "", "option %q is for those who send, and %q for those who consume", e.sends, e.consumes)
	refuse(c.MaxRows < 0, `option "maxRows": want 0 (%d) or more, have %d`, defaultMaxRows, c.MaxRows)
	refuse(c.Timeout < 0, `option "timeout": want 0 (none) or more, have %v`, c.Timeout)
	refuse(c.MaxMessagesPerPoll < 0, `option "maxMessagesPerPoll": want 0 (maxRows) or more, have %d`, c.MaxMessagesPerPoll)
	if s := e.statement; s != nil {
		refuse(!s.returns && e.consumes != "", "option %q: the statement returns no rows", e.consumes)
		refuse(!s.returns && c.OutputType != "", `option "outputType": the statement returns no rows`)
		refuse(!s.returns && c.OutputHeader != "", `option "outputHeader": the statement returns no rows`)
		refuse(s.returns && c.Batch, `option "batch": the statement returns rows`)
		refuse(s.ordered > 0 && e.consumes != "", "there is no body with values for placeholders: want :#${expression}")
	}
	refuse(c.Noop && c.OutputHeader != "", `options "noop" and "outputHeader" exclude each other`)
	refuse(c.Noop && c.OutputType == StreamList, `options "noop" and "outputType=StreamList" exclude each other`)
	refuse(c.ExpectedUpdateCount != nil && (*c.ExpectedUpdateCount < 0 || c.OnConsume == ""),
		`option "expectedUpdateCount": want 0 or more, and onConsume`)
	var err error
	e.schedule, err = poll.New(c.InitialDelay, c.Delay, c.Greedy, c.RepeatCount)
	return errors.Join(append(errs, err)...)
}
