package sql_test

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"testing"

	msql "github.com/mehari-go/mehari/components/sql"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// run sends a message to a statement, and returns what the database was asked.
func run(t *testing.T, c msql.Config, ex *route.Exchange, a answer) ([]call, error) {
	t.Helper()
	db, f := database(t, func(context.Context, call) answer { return a })
	addr, err := c.URI().Parse()
	if err != nil {
		t.Fatal(err)
	}
	ep, err := msql.New(map[string]*sql.DB{"db": db}).Endpoint(route.Env{}, addr)
	if err != nil {
		return nil, err
	}
	err = ep.(route.Producer).Process(t.Context(), ex)
	return f.told(), err
}

type order struct {
	ID    int `json:"id"`
	Total float64
}

func TestParameters(t *testing.T) {
	evil := "1'; DROP TABLE orders; --"
	for _, tt := range []struct {
		name      string
		statement string
		dialect   msql.Dialect
		body      any
		want      string
		args      []any
	}{
		{"of a map", "select * from o where id = :#id", "", map[string]any{"id": 7}, "select * from o where id = ?", []any{int64(7)}},
		{"in other case", "delete from o where id = :#ID", "", map[string]any{"id": 7}, "delete from o where id = ?", []any{int64(7)}},
		{"of another map", "delete from o where id = :#id", "", map[string]string{"id": evil}, "delete from o where id = ?", []any{evil}},
		{"of a struct", "insert into o values (:#id, :#total)", "", &order{7, 1.5}, "insert into o values (?, ?)", []any{int64(7), 1.5}},
		{"of headers", "insert into o values (:#who, :#id)", "", map[string]any{"id": nil}, "insert into o values (?, ?)", []any{"camel " + evil, nil}},
		{"expressions", "insert into o values (:#${body[id]}, :#${header.WHO}, :#${body.id}!)", "", map[string]any{"id": evil}, "insert into o values (?, ?, ?!)", []any{evil, "camel " + evil, evil}},
		{"by their place", "insert into o values (#, #)", "", []any{evil, 2}, "insert into o values (?, ?)", []any{evil, int64(2)}},
		{"the whole body", "insert into o values (#)", "", evil, "insert into o values (?)", []any{evil}},
		{"bytes are one value", "insert into o values (#)", "", []byte("x"), "insert into o values (?)", []any{[]byte("x")}},
		{"a list", "select * from o where id in (:#in:ids) and x = :#x", "", map[string]any{"ids": []int{1, 2, 3}, "x": evil}, "select * from o where id in (?, ?, ?) and x = ?", []any{int64(1), int64(2), int64(3), evil}},
		{"a list of an expression", "select * from o where id in (:#in:${body})", "postgres", []string{evil, "b"}, "select * from o where id in ($1, $2)", []any{evil, "b"}},
		{"of PostgreSQL", "select :#id::text, j #>> '{a}', j #> :#id, j ? 'x' from o where id = :#id", "postgres", map[string]any{"id": 7}, "select $1::text, j #>> '{a}', j #> $2, j ? 'x' from o where id = $3", []any{int64(7), int64(7), int64(7)}},
		{"of Oracle", "update o set a = :#id where b = #", "oracle", []any{"x"}, "", nil},
		{"of SQL Server", "update [a :#b] set a = :#id where b = :#id", "sqlserver", map[string]any{"id": 7}, "update [a :#b] set a = @p1 where b = @p2", []any{int64(7), int64(7)}},
		{"not in quotes", `select ':#id ''#''', ":#id", ` + "`:#id`" + ` /* :#id # */ from o -- :#id ?`, "", nil, `select ':#id ''#''', ":#id", ` + "`:#id`" + ` /* :#id # */ from o -- :#id ?`, nil},
		{"not in quotes with escapes", `select 'it\'s :#id', "a\":#id" from o where id = :#id`, "mysql", map[string]any{"id": 7}, `select 'it\'s :#id', "a\":#id" from o where id = ?`, []any{int64(7)}},
		{"not in dollars", `select $$:#id$$, $x$ $$ :#id $x$, E'\':#id', 'a\' from o where id = :#id`, "postgres", map[string]any{"id": 7}, `select $$:#id$$, $x$ $$ :#id $x$, E'\':#id', 'a\' from o where id = $1`, []any{int64(7)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ex := route.NewExchange(tt.body)
			defer ex.Release()
			ex.SetHeader("Who", "camel "+evil)
			got, err := run(t, msql.Config{Statement: tt.statement, Dialect: tt.dialect}, ex, answer{columns: []string{"a"}})
			if tt.want == "" {
				if err == nil {
					t.Errorf("it is asked %v", got)
				}
				return
			}
			if want := []call{{tt.want, tt.args}}; err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%v\nhave %q\nwant %q", err, got, want)
			}
		})
	}
}

func TestParametersMistakes(t *testing.T) {
	for _, tt := range []struct {
		statement string
		body      any
		want      string
	}{
		{"delete from o where id = :#id", map[string]any{"x": 1}, `parameter :#id: there is no "id" in the body, which is map[string]interface {}, and no such header`},
		{"delete from o where id = :#id", nil, `parameter :#id: there is no "id" in the body, which is <nil>, and no such header`},
		{"delete from o where id = :#id", (*order)(nil), `parameter :#id: there is no "id" in the body, which is *sql_test.order, and no such header`},
		{"delete from o where id in (:#in:id)", map[string]any{"id": []int{}}, `parameter :#in:id: want a list of at least one value, have []int without any`},
		{"delete from o where id in (:#in:id)", map[string]any{"id": 1}, `parameter :#in:id: want a list of at least one value, have int`},
		{"insert into o values (#, #)", []int{1}, `the statement has 2 placeholders, and the body 1 values`},
		{"insert into o values (:#m)", map[string]any{"m": map[string]any{}}, `unsupported type map[string]interface {}`},
	} {
		ex := route.NewExchange(tt.body)
		got, err := run(t, msql.Config{Statement: tt.statement}, ex, answer{})
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(got) > 0 {
			t.Errorf("%s: %v, asked %v\nwant %s", tt.statement, err, got, tt.want)
		}
		ex.Release()
	}
}

func TestMistakes(t *testing.T) {
	db, _ := database(t, nil)
	one, two := map[string]*sql.DB{"db": db}, map[string]*sql.DB{"a": db, "b": db, "no": nil}
	for _, tt := range []struct {
		uri     route.URI
		sources map[string]*sql.DB
		want    string
	}{
		{"sql:", one, "want sql:statement"},
		{"sql: -- nothing", one, "statement: there is no statement"},
		{"sql:select 1", nil, `option "dataSource" is missing: there are []`},
		{"sql:select 1", two, `option "dataSource" is missing: there are ["a" "b" "no"]`},
		{"sql:select 1?dataSource=bb", two, `option "dataSource": there is no "bb" (have a, b, no)`},
		{"sql:select 1?dataSource=no", two, `option "dataSource": "no" is nil`},
		{"sql:select 1?dialect=dbase", one, `option "dialect": want sqlite, postgres, mysql, oracle or sqlserver, have "dbase"`},
		{"sql:select 'a", one, `statement: what begins with "'a" has no end`},
		{"sql:select /* a", one, `has no end`},
		{"sql:select :#", one, `statement: ":#": want :#name, :#in:name or :#${expression}`},
		{"sql:select :#${body", one, `has no closing }`},
		{"sql:select :#${bodi}", one, `bodi`},
		{"sql:select * from o where id = %3F", one, `"?" at byte 27: want :#name for a parameter, or # for one that is told by its place`},
		{"sql:select * from o where id = $1?dialect=postgres", one, `"$1" at byte 27: want :#name`},
		{"sql:select 1?outputType=List", one, `option "outputType": want SelectList, SelectOne or StreamList, have "List"`},
		{"sql:delete from o?outputType=SelectOne", one, `option "outputType": the statement returns no rows`},
		{"sql:delete from o?outputHeader=x", one, `option "outputHeader": the statement returns no rows`},
		{"sql:delete from o?onConsume=delete from p", one, `option "onConsume": the statement returns no rows`},
		{"sql:select 1?batch=true", one, `option "batch": the statement returns rows`},
		{"sql:select 1?batch=true&delay=1s", one, `option "batch" is for those who send, and "delay" for those who consume`},
		{"sql:select 1?noop=true&outputHeader=x", one, `options "noop" and "outputHeader" exclude each other`},
		{"sql:select 1?noop=true&outputType=StreamList", one, `exclude each other`},
		{"sql:select 1?maxRows=-1", one, `option "maxRows": want 0 (100000) or more, have -1`},
		{"sql:select 1?timeout=-1", one, `option "timeout": want 0 (none) or more`},
		{"sql:select 1?maxMessagesPerPoll=-1", one, `option "maxMessagesPerPoll": want 0 (maxRows) or more, have -1`},
		{"sql:select 1?delay=0", one, `option "delay": want 1ms to`},
		{"sql:select 1?onConsume=select 2", one, `option "onConsume": want a statement that changes rows`},
		{"sql:select 1?onConsumeFailed=delete from o where id = %23", one, `option "onConsumeFailed": a row has no order`},
		{"sql:select 1?onConsumeBatchComplete=delete from 'o", one, `option "onConsumeBatchComplete": what begins with`},
		{"sql:select 1?expectedUpdateCount=1", one, `option "expectedUpdateCount": want 0 or more, and onConsume`},
		{"sql:select #?delay=1s", one, `there is no body with values for placeholders`},
	} {
		_, err := route.New(route.Config{Components: route.Components{"sql": msql.New(tt.sources)}}, route.From("sql:select 1?dataSource=a").To(tt.uri), route.From(tt.uri))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v\nwant %s", tt.uri, err, tt.want)
		}
	}
}

// An endpoint is what its options say.
func TestDirections(t *testing.T) {
	db, _ := database(t, nil)
	components := route.Components{"sql": msql.New(map[string]*sql.DB{"db": db}), "mock": new(routetest.Mock)}
	for _, tt := range []struct {
		statement  string
		from, into bool
	}{
		{"select 1", true, true},
		{"SELECT 1 -- INSERT", true, true},
		{"(select 1) union (select 2)", true, true},
		{"with x as (insert into o values (1) returning id) select * from x for update", true, true},
		{"with x as (select 1) insert into o select * from x", false, true},
		{"with x as (select 1) insert into o select * from x returning id", true, true},
		{"insert into o values ('returning')", false, true},
		{"insert into o values (1) RETURNING id", true, true},
		{"values (1)", true, true},
		{"delete from o", false, true},
		{"create table o (id int)", false, true},
		{"select #", false, true},
		{"select 1?outputType=SelectOne", false, true},
		{"select 1?onConsume=delete from o", true, false},
	} {
		u := route.URI("sql:" + tt.statement)
		_, from := route.New(route.Config{Components: components}, route.From(u).To("mock:x"))
		_, into := route.New(route.Config{Components: components}, route.From("mock:x").To(u))
		if (from == nil) != tt.from || (into == nil) != tt.into {
			t.Errorf("%s: from it %v, to it %v", tt.statement, from, into)
		}
	}
}

func FuzzStatement(f *testing.F) {
	for _, s := range []string{"select * from o where id = :#id", "select ':#a' #", "with x as (values (:#in:${body.a})) delete", "$a$ $$ $a$ /* -- */", ":#${a{}b}", "#>#"} {
		f.Add(s, "postgres")
		f.Add(s, "mysql")
	}
	db, _ := database(f, nil)
	c := msql.New(map[string]*sql.DB{"db": db})
	f.Fuzz(func(t *testing.T, text, dialect string) {
		addr := route.Address{Scheme: "sql", Path: text, Options: map[string][]string{"dialect": {dialect}}}
		ep, err := c.Endpoint(route.Env{}, addr)
		if err != nil {
			return
		}
		p, ok := ep.(route.Producer)
		if !ok {
			t.Fatalf("%T is no producer", ep)
		}
		ex := route.NewExchange(map[string]any{"id": "1'; DROP"})
		defer ex.Release()
		_ = p.Process(t.Context(), ex)
		if got := fmt.Sprint(ep); !strings.HasPrefix(got, "sql:") {
			t.Errorf("it is called %s", got)
		}
	})
}
