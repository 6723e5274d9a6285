package sql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	msql "github.com/mehari-go/mehari/components/sql"
	"github.com/mehari-go/mehari/route"
)

// shop stands for a database, which a program opens with sql.Open and a driver.
func shop() *sql.DB {
	return sql.OpenDB(&fake{answer: func(_ context.Context, c call) answer {
		fmt.Println(c.text, c.args)
		return answer{columns: []string{"id", "item"}, rows: [][]driver.Value{{int64(1), "saddle"}}, changed: 1}
	}})
}

// Orders that are new are led through the route, and marked when that has succeeded. What a
// message brings is never a part of a statement.
func Example() {
	engine, err := route.New(
		route.Config{Components: route.Components{"sql": msql.New(map[string]*sql.DB{"shop": shop()})}},
		route.From(msql.Config{
			Statement:    "select id, item from orders where state = 'new'",
			OnConsume:    "update orders set state = 'done' where id = :#id",
			InitialDelay: new(time.Duration(0)),
			RepeatCount:  1,
		}.URI()).
			SetHeader("by", "x'); DROP TABLE orders; --").
			To("sql:insert into deliveries (item, who) values (:#item, :#by)"),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	for engine.Status().Routes[0].State != route.Done {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done

	// Output:
	// select id, item from orders where state = 'new' []
	// insert into deliveries (item, who) values (?, ?) [saddle x'); DROP TABLE orders; --]
	// update orders set state = 'done' where id = ? [1]
}
