//go:build unix

package repository

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/direct"
	msql "github.com/mehari-go/mehari/components/sql"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestSQLOnSQLite(t *testing.T)     { testSQL(t, sqlite) }
func TestSQLOnPostgreSQL(t *testing.T) { testSQL(t, postgres) }
func TestSQLOnMySQL(t *testing.T)      { testSQL(t, mysql) }

type order struct {
	ID    int    `json:"id"`
	Item  string `json:"item"`
	State string `json:"state"`
}

func testSQL(t *testing.T, server func(*testing.T) (driver, dsn string)) {
	driver, dsn := server(t)
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	blob := map[string]string{"sqlite": "BLOB", "pgx": "BYTEA", "mysql": "BLOB"}[driver]
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE orders (id BIGINT PRIMARY KEY, item VARCHAR(255) NOT NULL, state VARCHAR(10) NOT NULL, raw "+blob+")"); err != nil {
		t.Fatal(err)
	}

	body := func(ex *route.Exchange) (any, error) { return ex.Body, nil }
	sum := 0
	e := routetest.Run(t, route.Config{Components: route.Components{"sql": msql.New(map[string]*sql.DB{"shop": db}), "direct": direct.New()}},
		route.From("direct:both").Transacted(msql.Transaction(db), route.Do().
			To("sql:insert into orders (id, item, state) values (:#id, :#item, 'new')").
			To("direct:again")),
		route.From("direct:again").Transacted(msql.Transaction(db), route.Do().
			To("sql:insert into orders (id, item, state) values (:#${body.id}, :#item, :#${header.state})")),
		route.From("direct:sum").To("sql:select id from orders order by id?outputType=StreamList&maxRows=1").
			Split(body, route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
				sum += int(ex.Body.(map[string]any)["id"].(int64))
				return nil
			})),
	)
	request := func(u route.URI, body any) *route.Exchange {
		t.Helper()
		ex, err := e.Request(t.Context(), u, body)
		if err != nil {
			t.Fatalf("%s: %v", u, err)
		}
		return ex
	}

	// What messages bring is a value, whatever it looks like.
	var batch []order
	for i, item := range []string{"saddle", "x', 'y'); DROP TABLE orders; --", `\'; DROP TABLE orders; #`, "$1 ? :#id ${body}", `"; \"`, "ኣምሓራይ"} {
		batch = append(batch, order{i + 1, item, "new"})
	}
	if n, _ := msql.UpdateCount.Get(request("sql:insert into orders (id, item, state) values (:#id, :#item, :#state)?batch=true", batch)); n != len(batch) {
		t.Errorf("%d rows changed, want %d", n, len(batch))
	}
	const all = "sql:select id, item, state from orders order by id"
	selected := request(all, nil)
	got, err := route.As[[]order](t.Context(), selected, selected.Body)
	if err != nil || !slices.Equal(got, batch) {
		t.Errorf("%v\n%+v\nwant %+v", err, got, batch)
	}
	for _, o := range batch {
		u := route.URI("sql:select id from orders where item = :#${body} and id in (:#in:ids)?outputType=SelectOne")
		ex, err := e.Request(t.Context(), u, o.Item, route.WithHeader("ids", []int{o.ID, 77}))
		if err != nil || ex.Body != int64(o.ID) {
			t.Errorf("%s: %v, want %d", o.Item, err, o.ID)
		}
	}
	request("sql:update orders set raw = :#${body} where id = 1", []byte{0, 'a', 0xff})
	if b := request("sql:select raw from orders where id = 1?outputType=SelectOne", nil).Body; !reflect.DeepEqual(b, []byte{0, 'a', 0xff}) {
		t.Errorf("the bytes are %#v", b)
	}
	request("sql:update orders set raw = :#nothing where id = 1", map[string]any{"nothing": nil})
	if b := request("sql:select raw from orders where id = 1?outputType=SelectOne", nil).Body; b != nil {
		t.Errorf("NULL is %#v", b)
	}
	request("direct:sum", nil)
	if sum != 21 {
		t.Errorf("the ids of the stream sum up to %d, want 21", sum)
	}

	// The second insertion has the same id, so that the first one is undone.
	count := func(where string) (n int) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM orders WHERE "+where).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := e.Send(t.Context(), "direct:both", order{7, "twice", ""}, route.WithHeader("state", "new")); err == nil {
		t.Error("two rows have one id")
	}
	if n := count("id = 7"); n != 0 {
		t.Errorf("%d rows of a transaction that was rolled back", n)
	}

	// Each row is led once: marked where that has succeeded, and where it has failed.
	var led []int64
	consumer := route.From(msql.Config{
		Statement:       "select * from orders where state = 'new' order by id",
		OnConsume:       "update orders set state = 'done' where id = :#id",
		OnConsumeFailed: "update orders set state = 'failed' where id = :#id",
		InitialDelay:    new(time.Duration(0)), Delay: new(time.Millisecond), MaxMessagesPerPoll: 2, ExpectedUpdateCount: new(1),
	}.URI()).Process(func(_ context.Context, ex *route.Exchange) error {
		id := ex.Body.(map[string]any)["id"].(int64)
		if led = append(led, id); id == 3 {
			return errors.New("fails")
		}
		return nil
	})
	r := routetest.Run(t, route.Config{Components: route.Components{"sql": msql.New(map[string]*sql.DB{"shop": db})}}, consumer.ID("r"))
	for begun := time.Now(); count("state = 'new'") > 0 && time.Since(begun) < 30*time.Second; {
		time.Sleep(time.Millisecond)
	}
	if err := r.Stop(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	if want := []int64{1, 2, 3, 4, 5, 6}; !slices.Equal(led, want) || count("state = 'done'") != 5 || count("state = 'failed'") != 1 {
		t.Errorf("rows %v were led, %d are done, %d failed; want %v, 5, 1", led, count("state = 'done'"), count("state = 'failed'"), want)
	}
}
