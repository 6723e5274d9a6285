// Package sqlqueue has queues and topics in a table of a database: PostgreSQL, MySQL, MariaDB or
// SQLite, with any driver for package database/sql:
//
//	components := route.Components{"sqlqueue": sqlqueue.New(db, sqlqueue.Options{})}
//
//	route.From("sqlqueue:orders?concurrentConsumers=4").To("sql:insert into …")
//
// What is sent within a transaction of the same database, such as components/sql has them, is a
// part of that transaction: the message is there if the transaction is committed, and only then.
// That is the transactional outbox:
//
//	route.From("direct:order").
//		Transacted(sql.Transaction(db), route.Do().
//			To("sql:insert into orders (id, total) values (:#id, :#total)").
//			Marshal(json.Format{}).
//			To("sqlqueue:outbox"))
//
//	route.From("sqlqueue:outbox?ordered=true").To("jetstream:orders")
//
// Package components/watermill tells what happens to a message.
package sqlqueue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// Headers.
var (
	ID        = route.NewKey[int64]("CamelSqlQueueId")            // of the row
	Delivered = route.NewKey[int]("CamelSqlQueueDelivered")       // how often, this time included
	Sent      = route.NewKey[time.Time]("CamelSqlQueueSent")      // when, by the clock of the database
	Delay     = route.NewKey[time.Duration]("CamelSqlQueueDelay") // for those who send: see [Config.Delay]
)

// Options say where the queues are.
type Options struct {
	// Dialect is that of the database; "" means that of the driver, which has to be a known one.
	Dialect Dialect

	// Table is the name of the table of messages, which may begin with that of a schema; "" means
	// mehari_queue. Two more tables have its name with _groups and _turns behind.
	Table string

	// CreateTables makes the tables if they are not there, when a route from a queue starts and
	// when something is sent for the first time. What is sent within a transaction makes none:
	// use [Component.Create] for that, which needs no option.
	CreateTables bool
}

var tableName = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]{0,47}\.)?[A-Za-z_][A-Za-z0-9_]{0,47}$`)

// check fills in what is not given, and returns all that is wrong.
func (o *Options) check(db *sql.DB) error {
	var errs []error
	if db == nil {
		errs = append(errs, errors.New("sqlqueue.New: want a *sql.DB, have nil"))
	}
	switch {
	case o.Dialect == "" && db != nil:
		o.Dialect = dialectOf(db)
		if !o.Dialect.known() {
			errs = append(errs, fmt.Errorf("sqlqueue.Options.Dialect: the driver, %T, is not known for one: want %s, %s or %s", db.Driver(), PostgreSQL, MySQL, SQLite))
		}
	case o.Dialect != "" && !o.Dialect.known():
		errs = append(errs, fmt.Errorf("sqlqueue.Options.Dialect: want %s, %s or %s, have %q", PostgreSQL, MySQL, SQLite, o.Dialect))
	}
	if o.Table == "" {
		o.Table = "mehari_queue"
	}
	if !tableName.MatchString(o.Table) {
		errs = append(errs, fmt.Errorf("sqlqueue.Options.Table: want letters, digits and _, 48 at most, and perhaps a schema before it, have %q", o.Table))
	}
	return errors.Join(errs...)
}

// A Component makes endpoints of the topics in one table.
type Component struct {
	*watermill.Publisher // has nothing to close: the engine knows by it that the component can be shared

	db      *sql.DB
	options Options
	wrong   error // of the options
	sql     statements
	bell    bell

	creating sync.Mutex
	created  bool
}

var _ route.Lifecycle = (*Component)(nil)

// New returns the component for a database, which stays the user's: its pool is used as it is,
// and nothing closes it. What is wrong with the options, each endpoint and Create tell.
func New(db *sql.DB, o Options) *Component {
	c := &Component{db: db, wrong: o.check(db)}
	c.options = o
	if c.wrong == nil {
		c.sql = o.Dialect.statements(o.Table)
	}
	c.Publisher = watermill.NewPublisher(func(context.Context) (message.Publisher, error) { return publisher{c}, nil })
	return c
}

// Schema returns the statements that make the tables if they are not there, for those who make them in
// another way; none if the options are wrong.
func (c *Component) Schema() []string { return slices.Clone(c.sql.create) }

// Create makes the tables if they are not there. It may be called by many at once, in several
// processes too.
func (c *Component) Create(ctx context.Context) error {
	if c.wrong != nil {
		return c.wrong
	}
	c.creating.Lock()
	defer c.creating.Unlock()
	if c.created {
		return nil
	}
	if err := c.create(ctx); err != nil {
		return fmt.Errorf("tables of queue %q: %w", c.options.Table, err)
	}
	c.created = true
	return nil
}

// create runs all statements. In PostgreSQL two that make the same table at the same time are in each
// other's way, so that one of them waits.
func (c *Component) create(ctx context.Context) error {
	if c.sql.alone == "" {
		return createOn(ctx, c.db, c.sql.create)
	}
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if _, err := tx.ExecContext(ctx, c.sql.alone); err != nil {
		return err
	}
	if err := createOn(ctx, tx, c.sql.create); err != nil {
		return err
	}
	return tx.Commit()
}

func createOn(ctx context.Context, on runner, statements []string) error {
	for _, s := range statements {
		if _, err := on.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// wanted makes the tables if an option says so.
func (c *Component) wanted(ctx context.Context) error {
	if !c.options.CreateTables {
		return nil
	}
	return c.Create(ctx)
}

// Endpoint implements [route.Component].
func (c *Component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	var cfg Config
	if err := a.Decode(&cfg); err != nil {
		return nil, errors.Join(c.wrong, err)
	}
	if err := errors.Join(c.wrong, cfg.check(a)); err != nil {
		return nil, err
	}
	e := &endpoint{Component: c, config: cfg, address: route.Redact(a.Scheme, cfg), logger: env.Logger}
	return watermill.Wire{
		Address: e.address, Topic: cfg.Topic, Publisher: c.Publisher,
		Subscriber: e.subscribe, Arrived: arrived, Leaving: e.leaving, Taking: cfg.taking(),
	}.Endpoint(a)
}

type endpoint struct {
	*Component
	config  Config
	address string
	logger  *slog.Logger
}
