package sql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/direct"
	msql "github.com/mehari-go/mehari/components/sql"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestStream(t *testing.T) {
	const n = 1000
	broken := false
	db, f := database(t, func(context.Context, call) answer {
		a := answer{columns: []string{"id"}}
		for i := range n {
			a.rows = append(a.rows, []driver.Value{int64(i)})
		}
		if broken {
			a.broken = errors.New("gone")
		}
		return a
	})
	open := func() int { f.mu.Lock(); defer f.mu.Unlock(); return f.open }
	var kept iter.Seq2[any, error]
	parts, opened := 0, 0
	count := func(_ context.Context, ex *route.Exchange) error {
		parts++
		opened = max(opened, open())
		if stop := ex.Header("stop"); stop != nil && parts == stop {
			return errors.New("enough")
		}
		return nil
	}
	body := func(ex *route.Exchange) (any, error) { return ex.Body, nil }
	stream := route.URI("sql:select id from o?outputType=StreamList&maxRows=1&timeout=1m")
	e := routetest.Run(t, route.Config{Components: route.Components{"sql": msql.New(map[string]*sql.DB{"db": db}), "direct": direct.New()}},
		route.From("direct:split").To(stream).Split(body, route.Do().Process(count), route.SplitOptions{FanOut: route.FanOut{StopOnError: true}}),
		route.From("direct:twice").To(stream).Split(body, route.Do().Process(count)).To(stream).
			Split(body, route.Do().Process(count)).SetBody(body).Split(body, route.Do().Process(count)),
		route.From("direct:keep").To(stream).Process(func(_ context.Context, ex *route.Exchange) error {
			kept = ex.Body.(iter.Seq2[any, error])
			for range kept { // and leaves the others
				return nil
			}
			return nil
		}),
	)
	send := func(u route.URI, want int, failure string, options ...route.SendOption) {
		t.Helper()
		parts, opened = 0, 0
		err := e.Send(t.Context(), u, nil, options...)
		if failure == "" && err != nil || failure != "" && (err == nil || !strings.Contains(err.Error(), failure)) {
			t.Errorf("%s: %v, want %s", u, err, failure)
		}
		if parts != want || want > 0 && opened != 1 || open() != 0 {
			t.Errorf("%s: %d parts, %d rows open at once, %d in the end; want %d, 1, 0", u, parts, opened, open(), want)
		}
	}
	send("direct:split", n, "")
	send("direct:split", 7, "enough", route.WithHeader("stop", 7))
	send("direct:twice", 2*n, "the rows were read before")
	broken = true
	send("direct:split", n-1, "gone") // the last one is held back, and not led any more
	broken = false

	send("direct:keep", 0, "")
	for _, err := range kept {
		if err == nil || !strings.Contains(err.Error(), "the rows were read before") {
			t.Errorf("what was kept gives %v", err)
		}
	}
}

// Who reads when the exchange is done gets an error, rather than fewer rows.
func TestStreamTooLate(t *testing.T) {
	db, _ := database(t, func(context.Context, call) answer {
		return answer{columns: []string{"id"}, rows: [][]driver.Value{{int64(1)}}}
	})
	var kept iter.Seq2[any, error]
	e := routetest.Run(t, route.Config{Components: route.Components{"sql": msql.New(map[string]*sql.DB{"db": db}), "direct": direct.New()}},
		route.From("direct:keep").To("sql:select id from o?outputType=StreamList").Process(func(_ context.Context, ex *route.Exchange) error {
			kept = ex.Body.(iter.Seq2[any, error])
			return nil
		}))
	if err := e.Send(t.Context(), "direct:keep", nil); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range kept {
		if n++; err == nil || !strings.Contains(err.Error(), "the rows are closed") {
			t.Errorf("it gives %v", err)
		}
	}
	if n != 1 {
		t.Errorf("it gives %d times", n)
	}
}
