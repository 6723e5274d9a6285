package sqlqueue_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/sqlqueue"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// There is no database here: test/brokers has what needs one.
type nothing struct{}

func (nothing) Open(string) (driver.Conn, error) { return nil, errors.New("there is none") }

type dsn struct{}

func (dsn) Connect(context.Context) (driver.Conn, error) { return nothing{}.Open("") }
func (dsn) Driver() driver.Driver                        { return nothing{} }

func nowhere(t testing.TB) *sql.DB {
	db := sql.OpenDB(dsn{})
	t.Cleanup(func() { db.Close() })
	return db
}

func TestComponent(t *testing.T) {
	db := nowhere(t)
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component { return sqlqueue.New(db, sqlqueue.Options{Dialect: sqlqueue.SQLite}) },
		Configs: []routetest.Config{
			sqlqueue.Config{Topic: "orders"},
			sqlqueue.Config{
				Topic: "orders", Group: "g", BatchSize: 3, PollInterval: time.Minute, AckWait: time.Hour, MaxDeliver: 4, DeadLetter: "dead",
				Retain: time.Hour, Delay: time.Second, ConcurrentConsumers: 2, MaxInFlight: 3, KeyHeader: "k", MaximumRedeliveries: 4, RedeliveryDelay: time.Minute,
			},
			sqlqueue.Config{Topic: "orders", Ordered: true},
		},
	})
}

func TestRefuses(t *testing.T) {
	db := nowhere(t)
	q := sqlqueue.New(db, sqlqueue.Options{Dialect: sqlqueue.MySQL, Table: "app.queue"})
	components := route.Components{
		"q": q, "nil": sqlqueue.New(nil, sqlqueue.Options{Table: "a;b", Dialect: "db2"}),
		"unknown": sqlqueue.New(db, sqlqueue.Options{Table: "a.b.c"}),
	}
	long := strings.Repeat("x", 256)
	for u, wants := range map[route.URI][]string{
		"q:":                   {`nothing after "q:"`},
		route.URI("q:" + long): {"path: want a name with at most 255 bytes"},
		route.URI("q:" + long[:252] + "?maxDeliver=1"): {`option "deadLetter": want one`},
		"q:a?group=%00":                        {`option "group": want a name`},
		"q:a?batchSize=0&pollInterval=0":       {`option "batchSize": want 1 to 10000, have 0`, `option "pollInterval": want 1ms to`},
		"q:a?ackWait=10":                       {`option "ackWait": want 1s to`, "have 10ms"},
		"q:a?maxDeliver=-1&retain=-1&delay=-1": {`option "maxDeliver": want 0`, `option "retain"`, `option "delay"`},
		"q:a?deadLetter=b":                     {`option "deadLetter" without "maxDeliver"`},
		"q:a?maxDeliver=3&deadLetter=a":        {`option "deadLetter": want another topic, have "a"`},
		"q:a?ordered=true&maxInFlight=2":       {`option "ordered": one message is worked on at a time`},
		"q:a?concurrentConsumers=0":            {`option "concurrentConsumers"`},
		"q:a?groop=x":                          {`unknown option "groop" (did you mean group?)`},
		"nil:a":                                {"want a *sql.DB, have nil", `sqlqueue.Options.Dialect: want postgres, mysql or sqlite, have "db2"`, `sqlqueue.Options.Table: want letters, digits and _, 48 at most, and perhaps a schema before it, have "a;b"`},
		"unknown:a":                            {"the driver, sqlqueue_test.nothing, is not known", `have "a.b.c"`},
	} {
		_, err := route.New(route.Config{Components: components}, route.From(u))
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: have %v\nwant %q", u, err, want)
			}
		}
	}
	for name, want := range map[string]string{"nil": "want a *sql.DB", "q": `tables of queue "app.queue": there is none`} {
		if err := components[name].(*sqlqueue.Component).Create(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v, want %q", name, err, want)
		}
	}
}

// A header that the table could not give back as it is, is refused.
func TestRefusesToSend(t *testing.T) {
	e := routetest.Run(t, route.Config{Components: route.Components{"q": sqlqueue.New(nowhere(t), sqlqueue.Options{Dialect: sqlqueue.SQLite})}})
	for name, want := range map[string]string{
		"latin":            `topic "a": send: header "latin": want UTF-8, have "\xff"`,
		"CamelMessageUUID": `topic "a": send: want a UUID in UTF-8, have "\xff"`,
		"fine":             "there is none",
	} {
		err := e.Send(t.Context(), "q:a", "x", route.WithHeader(name, map[bool]string{true: "x", false: "\xff"}[name == "fine"]))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v, want %q", name, err, want)
		}
	}
}
