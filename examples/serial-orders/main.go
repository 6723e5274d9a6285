// Command serial-orders takes orders on all replicas, and executes them on one, each once
// and one after the other in the order in which they were accepted. README.md tells how to
// try it.
package main

import (
	"context"
	stdsql "database/sql"
	_ "embed"
	"errors"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/nats"
	"github.com/mehari-go/mehari/components/sql"
	"github.com/mehari-go/mehari/dataformat/json"
	"github.com/mehari-go/mehari/route"
)

// The tables, and the guard.
//
//go:embed schema.sql
var schema string

// What it means to execute an order: one statement, which takes the order, or nothing, and
// books it.
//
//go:embed execute.sql
var execute string

func main() {
	name := flag.String("name", hostname(), "of this replica")
	leaders := flag.String("cluster", "leaders", `where the replicas agree who leads: a folder for those on one machine, or "kubernetes"`)
	address := flag.String("address", "127.0.0.1:8080", "where orders are taken, and /livez and /readyz are")
	flag.Parse()
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("replica", *name))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *name, *leaders, *address); err != nil {
		slog.Error("the program ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name, leaders, address string) error {
	db, err := stdsql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return err
	}
	service, err := join(leaders, name)
	if err != nil {
		return err
	}
	engine, err := route.New(route.Config{Components: route.Components{
		"http-server": http.NewServer(http.ServerOptions{Address: address}),
		"jetstream":   nats.NewJetStream(nats.Options{URL: os.Getenv("NATS_URL"), Name: name}),
		"master":      master.New(service),
		"sql":         sql.New(map[string]*stdsql.DB{"shop": db}),
	}}, routes(service)...)
	if err != nil {
		return err
	}
	err = engine.Run(ctx)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	return errors.Join(err, service.Close(closing)) // so that nobody has to wait for us
}

func routes(service *cluster.Service) []*route.Route {
	// An id that comes again is dropped by the queue; one that comes much later, by the table.
	queue := nats.JetStreamConfig{Subject: "orders", CreateStream: true, Deduplicate: true}.URI()
	// One message at a time for all replicas together: what the last leader had is first.
	work := nats.JetStreamConfig{Subject: "orders", CreateStream: true, Durable: "executor", MaxAckPending: 1, Prefetch: 1, AckWait: 6 * time.Second}.URI()

	return append(probing(service),
		route.From("http-server:/orders/{id}?httpMethodRestrict=PUT&skipRequestHeaders=true").ID("accept").
			Process(read).
			Marshal(json.Format{}).
			SetHeader("CamelMessageUUID", route.Simple("${header.id}")).
			To(queue).
			SetHeader("CamelHttpResponseCode", route.Constant(202)).
			SetBody("accepted\n"),

		route.From("master:orders:"+work).ID("execute").
			OnError(route.OnError[*http.ReplyError]().Handled().To("jetstream:refused?createStream=true")).
			Process(read).
			To(sql.Config{Statement: execute, Timeout: 10 * time.Second}.URI()).
			Log("order ${header.id}: ${header.CamelSqlUpdateCount} booked"),
	)
}
