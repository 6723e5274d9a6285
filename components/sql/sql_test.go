package sql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	msql "github.com/mehari-go/mehari/components/sql"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestComponent(t *testing.T) {
	db, _ := database(t, func(_ context.Context, c call) answer {
		return answer{columns: []string{"id"}, rows: [][]driver.Value{{int64(1)}}, changed: 1}
	})
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component { return msql.New(map[string]*sql.DB{"db": db}) },
		Configs: []routetest.Config{
			msql.Config{Statement: "select '%?' from o where id = :#id", DataSource: "db", Dialect: msql.Oracle, OutputType: msql.SelectOne, OutputHeader: "x", MaxRows: 7, Timeout: time.Second, Placeholder: "@@"},
			msql.Config{Statement: "delete from o", Batch: true, Noop: true},
			msql.Config{
				Statement: "select 1", InitialDelay: new(time.Duration(0)), Delay: new(time.Minute), Greedy: true, RepeatCount: 7,
				UseIterator: new(false), RouteEmptyResultSet: true, MaxMessagesPerPoll: 3, ExpectedUpdateCount: new(1), BreakBatchOnConsumeFail: true,
				OnConsume: "delete from o where id = :#id", OnConsumeFailed: "update o set a = 1 where id = :#id", OnConsumeBatchComplete: "delete from o",
			},
		},
		Consumer: "sql:select id from o?initialDelay=0&delay=1ms&onConsume=delete from o where id = :%23id",
		Producer: "sql:insert into o values (:%23${body})",
	})
}

func TestOutput(t *testing.T) {
	two := answer{columns: []string{"id", "name"}, types: []string{"INT8", "JSONB"}, rows: [][]driver.Value{{int64(1), []byte("a")}, {int64(2), nil}}}
	rows := []map[string]any{{"id": int64(1), "name": "a"}, {"id": int64(2), "name": nil}}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, tt := range []struct {
		name   string
		config msql.Config
		answer answer
		want   any
		header string
		err    string
	}{
		{"list", msql.Config{}, two, rows, "map[CamelSqlRowCount:2]", ""},
		{"no rows", msql.Config{}, answer{columns: []string{"a"}}, []map[string]any{}, "map[CamelSqlRowCount:0]", ""},
		{"header", msql.Config{OutputHeader: "found"}, two, "body", "map[CamelSqlRowCount:2 found:[map[id:1 name:a] map[id:2 name:<nil>]]]", ""},
		{"noop", msql.Config{Noop: true}, two, "body", "map[CamelSqlRowCount:2]", ""},
		{"one", msql.Config{OutputType: msql.SelectOne}, answer{columns: two.columns, rows: two.rows[1:]}, rows[1], "map[CamelSqlRowCount:1]", ""},
		{"one value", msql.Config{OutputType: msql.SelectOne}, answer{columns: []string{"at"}, rows: [][]driver.Value{{at}}}, at, "map[CamelSqlRowCount:1]", ""},
		{"one without any", msql.Config{OutputType: msql.SelectOne}, answer{columns: []string{"at"}}, nil, "map[CamelSqlRowCount:0]", ""},
		{"one of two", msql.Config{OutputType: msql.SelectOne}, two, "body", "map[]", "want one row at most, have 2"},
		{"more than are wanted", msql.Config{MaxRows: 1}, two, "body", "map[]", "more than 1 rows: want a higher maxRows, or outputType=StreamList"},
		{"bytes", msql.Config{OutputType: msql.SelectOne}, answer{columns: []string{"a"}, types: []string{"BYTEA"}, rows: [][]driver.Value{{[]byte("a")}}}, []byte("a"), "map[CamelSqlRowCount:1]", ""},
		{"bytes that are no text", msql.Config{OutputType: msql.SelectOne}, answer{columns: []string{"a"}, rows: [][]driver.Value{{[]byte{0xff}}}}, []byte{0xff}, "map[CamelSqlRowCount:1]", ""},
		{"columns of one name", msql.Config{}, answer{columns: []string{"id", "id"}}, "body", "map[]", `two columns are called "id": give one another name with AS`},
		{"broken", msql.Config{}, answer{columns: []string{"id"}, rows: [][]driver.Value{{int64(1)}}, broken: errors.New("gone")}, "body", "map[]", "gone"},
		{"refused", msql.Config{}, answer{err: errors.New("no such table")}, "body", "map[]", "no such table"},
		{"changed", msql.Config{Statement: "delete from o"}, answer{changed: 3}, "body", "map[CamelSqlUpdateCount:3]", ""},
		{"changed unknown", msql.Config{Statement: "delete from o"}, answer{changed: -1}, "body", "map[]", ""},
		{"not changed", msql.Config{Statement: "delete from o"}, answer{err: errors.New("no such table")}, "body", "map[]", "no such table"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.config.Statement == "" {
				tt.config.Statement = "select 1"
			}
			ex := route.NewExchange("body")
			defer ex.Release()
			_, err := run(t, tt.config, ex, tt.answer)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || err.Error() != tt.err) {
				t.Fatalf("%v, want %s", err, tt.err)
			}
			headers := maps.Collect(ex.Headers())
			if !reflect.DeepEqual(ex.Body, tt.want) || fmt.Sprint(headers) != tt.header {
				t.Errorf("%#v, %v\nwant %#v, %s", ex.Body, headers, tt.want, tt.header)
			}
		})
	}
}

// Rows become structs as any value does.
func TestRowsAsStructs(t *testing.T) {
	ex := route.NewExchange(nil)
	defer ex.Release()
	_, err := run(t, msql.Config{Statement: "select 1"}, ex, answer{columns: []string{"id", "Total"}, rows: [][]driver.Value{{int64(1), 2.5}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := route.As[[]order](t.Context(), ex, ex.Body)
	if err != nil || !reflect.DeepEqual(got, []order{{1, 2.5}}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestBatch(t *testing.T) {
	failure := errors.New("duplicate key")
	var fails bool
	db, f := database(t, func(_ context.Context, c call) answer {
		if fails && len(c.args) > 0 && c.args[0] == int64(2) {
			return answer{err: failure}
		}
		return answer{changed: 1}
	})
	e := routetest.Run(t, route.Config{Components: route.Components{"sql": msql.New(map[string]*sql.DB{"db": db})}})
	send := func(body any) (string, error) {
		begun := len(f.told())
		err := e.Send(t.Context(), "sql:insert into o values (:%23${body}, :%23${header.h})?batch=true", body, route.WithHeader("h", "x"))
		return fmt.Sprint(f.told()[begun:]), err
	}
	const one, two = "{insert into o values (?, ?) [1 x]} {insert into o values (?, ?) [2 x]}", " {commit []}"
	if got, err := send([]int{1, 2}); got != "[{begin []} "+one+two+"]" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := send([]int{}); got != "[{begin []} {commit []}]" || err != nil {
		t.Errorf("empty: %s, %v", got, err)
	}
	if got, err := send(7); got != "[]" || err == nil || !strings.Contains(err.Error(), "want a list for batch=true, have int") {
		t.Errorf("no list: %s, %v", got, err)
	}
	fails = true
	if got, err := send([]int{1, 2, 3}); got != "[{begin []} "+one+" {rollback []}]" || !errors.Is(err, failure) || !strings.Contains(err.Error(), "value 2 of 3") {
		t.Errorf("failing: %s, %v", got, err)
	}
}
