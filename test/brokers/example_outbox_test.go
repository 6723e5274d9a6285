package brokers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite"

	"github.com/mehari-go/mehari/components/direct"
	msql "github.com/mehari-go/mehari/components/sql"
	"github.com/mehari-go/mehari/components/sqlqueue"
	"github.com/mehari-go/mehari/route"
)

// An order and the message about it are one transaction: either both are there, or none of them.
// Another route carries the messages over to a broker, here to the printer.
func Example_transactionalOutbox() {
	dir, err := os.MkdirTemp("", "outbox")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", filepath.Join(dir, "shop.db")+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if _, err := db.ExecContext(ctx, "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)"); err != nil {
		fmt.Println(err)
		return
	}
	queue := sqlqueue.New(db, sqlqueue.Options{})
	if err := queue.Create(ctx); err != nil {
		fmt.Println(err)
		return
	}

	printed := make(chan struct{})
	engine, err := route.New(
		route.Config{Components: route.Components{"sql": msql.New(map[string]*sql.DB{"shop": db}), "sqlqueue": queue, "direct": direct.New()}},
		route.From("direct:order").
			Transacted(msql.Transaction(db), route.Do().
				To("sql:insert into orders (item) values (:#${body})").
				To("sqlqueue:outbox").
				Process(func(_ context.Context, ex *route.Exchange) error {
					if ex.Body == "nothing" {
						return errors.New("nobody orders that")
					}
					return nil
				})),
		route.From("sqlqueue:outbox?ordered=true").
			Process(func(_ context.Context, ex *route.Exchange) error {
				fmt.Printf("to the broker: %s\n", ex.Body)
				if string(ex.Body.([]byte)) == "bridle" {
					close(printed)
				}
				return nil
			}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	for _, item := range []string{"saddle", "nothing", "bridle"} {
		if err := engine.Send(ctx, "direct:order", item); err != nil {
			fmt.Printf("%s: no order, no message\n", item)
		}
	}
	<-printed
	cancel()
	<-done

	// Unordered output:
	// to the broker: saddle
	// nothing: no order, no message
	// to the broker: bridle
}
