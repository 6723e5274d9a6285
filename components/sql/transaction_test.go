package sql_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/direct"
	msql "github.com/mehari-go/mehari/components/sql"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func logger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func TestTransaction(t *testing.T) {
	db, f := database(t, func(_ context.Context, c call) answer { return answer{columns: []string{"a"}, changed: 1} })
	other, g := database(t, nil)
	const insert, outside = "sql:insert into o values (:%23${body})?dataSource=db", "sql:insert into p values (1)?dataSource=other"
	fail := func(context.Context, *route.Exchange) error { return errors.New("fails") }
	own := func(ctx context.Context, _ *route.Exchange) error {
		_, err := route.TxFrom(ctx, msql.Transaction(db)).(*sql.Tx).ExecContext(ctx, "own")
		return err
	}
	e := routetest.Run(t, route.Config{Components: route.Components{
		"sql": msql.New(map[string]*sql.DB{"db": db, "other": other}), "direct": direct.New(),
	}},
		route.From("direct:commits").Transacted(msql.Transaction(db), route.Do().To(insert).To("direct:within").Process(own)),
		route.From("direct:within").Transacted(msql.Transaction(db), route.Do().SetBody([]int{7, 8}).To(insert+"&batch=true").To("sql:select a from o?dataSource=db&noop=true")),
		route.From("direct:fails").Transacted(msql.Transaction(db, sql.TxOptions{}), route.Do().To(insert).To(outside).Process(fail)),
		route.From("direct:mistake").Transacted(msql.Transaction(db, sql.TxOptions{}, sql.TxOptions{}), route.Do().To(insert)),
		route.From("direct:nil").Transacted(msql.Transaction(nil), route.Do().To(insert)),
	)
	for _, tt := range []struct{ route, asked, failure string }{
		{"commits", "begin insert insert insert select own commit", ""},
		{"fails", "begin insert rollback", "fails"},
		{"mistake", "", "want one sql.TxOptions, have several"},
		{"nil", "", "want a *sql.DB, have nil"},
	} {
		begun := len(f.told())
		err := e.Send(t.Context(), route.URI("direct:"+tt.route), 7)
		var asked []string
		for _, c := range f.told()[begun:] {
			asked = append(asked, strings.Fields(c.text)[0])
		}
		if got := strings.Join(asked, " "); got != tt.asked || (err == nil) != (tt.failure == "") || err != nil && !strings.Contains(err.Error(), tt.failure) {
			t.Errorf("%s: %s, %v\nwant %s, %s", tt.route, got, err, tt.asked, tt.failure)
		}
	}
	if got := g.told(); len(got) != 1 {
		t.Errorf("the other database is asked %v, want one statement outside of the transaction", got)
	}
}
