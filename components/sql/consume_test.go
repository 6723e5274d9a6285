package sql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	msql "github.com/mehari-go/mehari/components/sql"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// A table has rows with ids that statements take away.
type table struct {
	mu    sync.Mutex
	ids   []int64
	marks []string
	fails map[string]error // by the text of a mark
}

func (tb *table) answer(_ context.Context, c call) answer {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if strings.HasPrefix(c.text, "select") {
		if err := tb.fails["select"]; err != nil {
			return answer{err: err}
		}
		a := answer{columns: []string{"id"}}
		for _, id := range tb.ids {
			a.rows = append(a.rows, []driver.Value{id})
		}
		return a
	}
	mark := fmt.Sprint(strings.Fields(c.text)[0], c.args)
	tb.marks = append(tb.marks, mark)
	if err := tb.fails[mark]; err != nil {
		return answer{err: err}
	}
	if len(c.args) == 0 || strings.HasPrefix(c.text, "set") {
		return answer{changed: 0}
	}
	for i, id := range tb.ids {
		if id == c.args[0] {
			tb.ids = append(tb.ids[:i:i], tb.ids[i+1:]...)
			return answer{changed: 1}
		}
	}
	return answer{}
}

// consume runs a route for a time, in which exchanges 2 and 5 fail.
func consume(t *testing.T, tb *table, c msql.Config, d time.Duration) (seen []string, log string, state route.State) {
	t.Helper()
	db, _ := database(t, tb.answer)
	out := new(strings.Builder)
	c.Statement = "select id from o"
	e := routetest.Run(t, route.Config{Components: route.Components{"sql": msql.New(map[string]*sql.DB{"db": db})}, Logger: logger(out)},
		route.From(c.URI()).ID("r").Process(func(_ context.Context, ex *route.Exchange) error {
			i, _ := route.BatchIndex.Get(ex)
			n, _ := route.BatchSize.Get(ex)
			last, _ := route.BatchComplete.Get(ex)
			seen = append(seen, fmt.Sprintf("%v %d/%d %v", ex.Body, i, n, last))
			if rows, ok := ex.Body.([]map[string]any); ok {
				for _, row := range rows {
					row["id"] = "changed by the route"
				}
				clear(rows)
			}
			row, ok := ex.Body.(map[string]any)
			if !ok {
				return nil
			}
			id := row["id"]
			row["id"] = "changed by the route"
			if id == int64(2) || id == int64(5) {
				return errors.New("fails")
			}
			return nil
		}))
	routetest.Advance(d)
	s, _ := e.Status().Route("r")
	return seen, out.String(), s.State
}

func TestConsume(t *testing.T) {
	const remove, fail, done = "delete from o where id = :#id", "failed where id = :#id", "done :#${date:now:yyyy}"
	for _, tt := range []struct {
		name   string
		config msql.Config
		ids    []int64
		fails  map[string]error
		seen   []string
		marks  []string
		log    string
	}{
		{
			"row by row",
			msql.Config{OnConsume: remove, OnConsumeFailed: fail},
			[]int64{1, 2, 3},
			nil,
			[]string{"map[id:1] 0/3 false", "map[id:2] 1/3 false", "map[id:3] 2/3 true"},
			[]string{"delete[1]", "failed[2]", "delete[3]"},
			"",
		},
		{
			"failed ones come again",
			msql.Config{OnConsume: remove, RepeatCount: 2},
			[]int64{1, 2},
			nil,
			[]string{"map[id:1] 0/2 false", "map[id:2] 1/2 true", "map[id:2] 0/1 true"},
			[]string{"delete[1]"},
			"",
		},
		{
			"at most two",
			msql.Config{OnConsume: remove, MaxMessagesPerPoll: 2, RepeatCount: 2},
			[]int64{1, 3, 4},
			nil,
			[]string{"map[id:1] 0/2 false", "map[id:3] 1/2 true", "map[id:4] 0/1 true"},
			[]string{"delete[1]", "delete[3]", "delete[4]"},
			"",
		},
		{
			"no more than memory has room for",
			msql.Config{OnConsume: remove, MaxRows: 1, MaxMessagesPerPoll: 2, RepeatCount: 2, Greedy: true},
			[]int64{1, 3, 4},
			nil,
			[]string{"map[id:1] 0/1 true", "map[id:3] 0/1 true"},
			[]string{"delete[1]", "delete[3]"},
			"",
		},
		{
			"batch complete",
			msql.Config{OnConsume: remove, OnConsumeBatchComplete: done, RepeatCount: 2},
			[]int64{1, 3},
			nil,
			[]string{"map[id:1] 0/2 false", "map[id:3] 1/2 true"},
			[]string{"delete[1]", "delete[3]", "done[2000]"},
			"",
		},
		{
			"break",
			msql.Config{OnConsume: remove, OnConsumeBatchComplete: done, BreakBatchOnConsumeFail: true},
			[]int64{1, 2, 3},
			nil,
			[]string{"map[id:1] 0/3 false", "map[id:2] 1/3 false"},
			[]string{"delete[1]"},
			"",
		},
		{
			"all at once",
			msql.Config{OnConsume: remove, UseIterator: new(false)},
			[]int64{1, 2},
			nil,
			[]string{"[map[id:1] map[id:2]] 0/1 true"},
			[]string{"delete[1]", "delete[2]"},
			"",
		},
		{"nothing", msql.Config{OnConsumeBatchComplete: done}, nil, nil, nil, nil, ""},
		{"nothing, routed", msql.Config{OnConsume: remove, RouteEmptyResultSet: true}, nil, nil, []string{"<nil> 0/1 true"}, nil, ""},
		{"nothing at once, routed", msql.Config{OnConsume: remove, RouteEmptyResultSet: true, UseIterator: new(false)}, nil, nil, []string{"[] 0/1 true"}, nil, ""},
		{
			"a mark that fails",
			msql.Config{OnConsume: remove},
			[]int64{1, 3},
			map[string]error{"delete[1]": errors.New("locked")},
			[]string{"map[id:1] 0/2 false", "map[id:3] 1/2 true"},
			[]string{"delete[1]", "delete[3]"},
			"locked",
		},
		{
			"a mark that fails breaks",
			msql.Config{OnConsume: remove, BreakBatchOnConsumeFail: true},
			[]int64{1, 3},
			map[string]error{"delete[1]": errors.New("locked")},
			[]string{"map[id:1] 0/2 false"},
			[]string{"delete[1]"},
			"locked",
		},
		{
			"too few changed",
			msql.Config{OnConsume: "set x = :#id", ExpectedUpdateCount: new(1)},
			[]int64{1},
			nil,
			[]string{"map[id:1] 0/1 true"},
			[]string{"set[1]"},
			"it has changed 0 rows, want 1",
		},
		{
			"as many changed",
			msql.Config{OnConsume: remove, ExpectedUpdateCount: new(1)},
			[]int64{1},
			nil,
			[]string{"map[id:1] 0/1 true"},
			[]string{"delete[1]"},
			"",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if tt.config.RepeatCount == 0 {
					tt.config.RepeatCount = 1
				}
				tb := &table{ids: tt.ids, fails: tt.fails}
				seen, log, state := consume(t, tb, tt.config, time.Minute)
				if !reflect.DeepEqual(seen, tt.seen) || !reflect.DeepEqual(tb.marks, tt.marks) || state != route.Done {
					t.Errorf("%q\nwant %q\n%q\nwant %q\nthe route is %s", seen, tt.seen, tb.marks, tt.marks, state)
				}
				if told := strings.Contains(log, "row not marked"); told != (tt.log != "") || !strings.Contains(log, tt.log) {
					t.Errorf("it is told %s\nwant %s", log, tt.log)
				}
			})
		})
	}
}

func TestPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen, _, state := consume(t, &table{ids: []int64{1}}, msql.Config{InitialDelay: new(time.Duration(0)), Delay: new(time.Second)}, 2500*time.Millisecond)
		if len(seen) != 3 || state != route.Started {
			t.Errorf("%q, the route is %s", seen, state)
		}
	})
}

// A database that does not answer makes the engine start the consumer anew, and the status tells.
func TestDatabaseIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tb := &table{ids: []int64{1}, fails: map[string]error{"select": errors.New("connection refused")}}
		seen, log, state := consume(t, tb, msql.Config{}, 1500*time.Millisecond)
		if len(seen) != 0 || state != route.Restarting || !strings.Contains(log, "connection refused") {
			t.Errorf("%q, the route is %s, told %s", seen, state, log)
		}
	})
}

// A row whose exchange succeeds while the route stops is marked; the others are left.
func TestMarksWhileItStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tb := &table{ids: []int64{1, 3}}
		db, _ := database(t, tb.answer)
		seen := 0
		e := routetest.Run(t, route.Config{Components: route.Components{"sql": msql.New(map[string]*sql.DB{"db": db})}},
			route.From(msql.Config{Statement: "select id from o", OnConsume: "delete from o where id = :#id"}.URI()).ID("r").
				Process(func(context.Context, *route.Exchange) error { seen++; time.Sleep(time.Second); return nil }))
		routetest.Advance(1500 * time.Millisecond)
		if err := e.Stop(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
		if seen != 1 || !reflect.DeepEqual(tb.ids, []int64{3}) {
			t.Errorf("%d exchanges, rows %v are left", seen, tb.ids)
		}
	})
}

// A row whose exchange is given up with the route has not failed.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tb := &table{ids: []int64{1, 3}}
		db, _ := database(t, tb.answer)
		e, err := route.New(route.Config{Components: route.Components{"sql": msql.New(map[string]*sql.DB{"db": db})}, Drain: time.Second, Logger: logger(new(strings.Builder))},
			route.From(msql.Config{Statement: "select id from o", OnConsumeFailed: "delete from o where id = :#id", OnConsumeBatchComplete: "done"}.URI()).
				Process(func(ctx context.Context, _ *route.Exchange) error { <-ctx.Done(); return ctx.Err() }))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- e.Run(ctx) }()
		routetest.Advance(1500 * time.Millisecond)
		cancel()
		<-ended
		if len(tb.marks) > 0 || len(tb.ids) != 2 {
			t.Errorf("marks %q, rows %v are left", tb.marks, tb.ids)
		}
	})
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _ := database(t, func(ctx context.Context, c call) answer { <-ctx.Done(); return answer{err: ctx.Err()} })
		e := routetest.Run(t, route.Config{Components: route.Components{"sql": msql.New(map[string]*sql.DB{"db": db})}})
		for _, statement := range []string{"select 1", "delete from o"} {
			begun := time.Now()
			err := e.Send(t.Context(), route.URI("sql:"+statement+"?timeout=3s"), nil)
			if err == nil || !strings.Contains(err.Error(), "the statement took longer than 3s") || time.Since(begun) != 3*time.Second {
				t.Errorf("%v after %v", err, time.Since(begun))
			}
		}
	})
}
