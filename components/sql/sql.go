// Package sql runs statements of SQL for messages, and starts routes from rows, on any database
// with a driver for package database/sql:
//
//	components := route.Components{"sql": sql.New(map[string]*sql.DB{"shop": db})}
//
//	route.From("seda:orders").
//		To("sql:insert into orders (id, total) values (:#id, :#${header.total})")
//
//	route.From("sql:select * from orders where state = 'new' order by id?onConsume=update orders set state = 'done' where id = :#id").
//		To("seda:orders")
//
// What a message brings becomes the value of a parameter, never a part of the statement. There
// is no header, and no option, that makes a message the statement, as Camel has them.
package sql

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/mehari-go/mehari/internal/nearest"
	"github.com/mehari-go/mehari/internal/poll"
	"github.com/mehari-go/mehari/route"
)

// What exchanges are told.
var (
	RowCount    = route.NewKey[int]("CamelSqlRowCount")    // how many rows there were; not with StreamList
	UpdateCount = route.NewKey[int]("CamelSqlUpdateCount") // how many rows were changed, where the driver tells it
)

// New returns the component for databases by their names. They stay the user's: their pools
// are used as they are, and nothing closes them.
func New(dataSources map[string]*sql.DB) route.Component {
	return &component{maps.Clone(dataSources)}
}

type component struct{ dataSources map[string]*sql.DB }

// Endpoint implements [route.Component].
func (c *component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	e := &endpoint{scheme: a.Scheme, logger: env.Logger, mark: "#", maxRows: defaultMaxRows}
	if err := a.Decode(&e.config); err != nil {
		return nil, err
	}
	var unknown error
	if e.db, unknown = c.dataSource(e.config.DataSource); unknown == nil && e.config.Dialect == "" {
		e.dialect = dialectOf(e.db)
	} else {
		e.dialect = e.config.Dialect
	}
	if e.config.Placeholder != "" {
		e.mark = e.config.Placeholder
	}
	if e.config.MaxRows > 0 {
		e.maxRows = e.config.MaxRows
	}
	if err := errors.Join(unknown, e.check(a)); err != nil {
		return nil, err
	}
	switch {
	case e.consumes != "":
		return consumer{e}, nil
	case e.sends != "" || !e.statement.returns || e.statement.ordered > 0:
		return producer{e}, nil
	}
	return both{producer{e}, consumer{e}}, nil
}

func (c *component) dataSource(name string) (*sql.DB, error) {
	names := slices.Sorted(maps.Keys(c.dataSources))
	switch {
	case name == "" && len(names) == 1:
		name = names[0]
	case name == "":
		return nil, fmt.Errorf(`option "dataSource" is missing: there are %q`, names)
	}
	db, ok := c.dataSources[name]
	switch {
	case !ok:
		return nil, fmt.Errorf(`option "dataSource": there is no %q %s`, name, nearest.Hint(name, names))
	case db == nil:
		return nil, fmt.Errorf(`option "dataSource": %q is nil`, name)
	}
	return db, nil
}

type endpoint struct {
	config   Config
	scheme   string
	logger   *slog.Logger
	db       *sql.DB
	dialect  Dialect
	mark     string // of a parameter that is told by its place
	maxRows  int
	schedule poll.Schedule

	statement, onConsume, onFailed, onBatch *statement // nil for none
	sends, consumes                         string     // an option that is for those who do, or ""
}

func (e *endpoint) String() string { return route.Redact(e.scheme, e.config) }

// An endpoint can be sent to, or start a route, or both, as its options want it.
type (
	producer struct{ *endpoint }
	consumer struct{ *endpoint }
	both     struct {
		producer
		consumer
	}
)

var (
	_ route.Producer = producer{}
	_ route.Consumer = consumer{}
)

// String implements [route.Endpoint].
func (b both) String() string { return b.producer.String() }

// lateTimeout is how long what follows on an exchange may take where the time of that is over.
const lateTimeout = 10 * time.Second
