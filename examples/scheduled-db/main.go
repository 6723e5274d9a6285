// Command scheduled-db books interest in a database by the clock: however many replicas
// run, and however often the one that leads dies, once for each tick. README.md tells how
// to try it.
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

	"github.com/mehari-go/mehari/components/cron"
	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/sql"
	"github.com/mehari-go/mehari/route"
)

// The table of the ticks that are done, and the guard.
//
//go:embed schema.sql
var schema string

// The batch: one statement, which takes its tick, or nothing, and pays.
//
//go:embed batch.sql
var batch string

func main() {
	name := flag.String("name", hostname(), "of this replica")
	leaders := flag.String("cluster", "leaders", `where the replicas agree who leads: a folder for those on one machine, or "kubernetes"`)
	schedule := flag.String("schedule", "* * * * * *", "when interest is booked; with a sixth field, the first, for seconds")
	probes := flag.String("probes", "", "address of /livez and /readyz, such as :8080; without one there are none")
	flag.Parse()
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("replica", *name))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *name, *leaders, *schedule, *probes); err != nil {
		slog.Error("the program ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name, leaders, schedule, probes string) error {
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

	tick := cron.Config{Name: "interest", Schedule: schedule, Misfire: "fire-all"} // what a hand-over misses is made up for
	routes := []*route.Route{
		route.From("master:interest:"+tick.URI()).ID("interest").
			ErrorHandler(untilItIsDone).
			SetHeader("replica", route.Constant(name)).
			To(sql.Config{Statement: batch, Timeout: 10 * time.Second}.URI()).
			Log("interest of ${header.scheduledFireTime} booked on ${header.CamelSqlUpdateCount} accounts"),
	}
	if probes != "" {
		routes = append(routes, probing(probes, service)...)
	}
	engine, err := route.New(route.Config{Components: route.Components{
		"master":      master.New(service),
		"cron":        cron.New(),
		"sql":         sql.New(map[string]*stdsql.DB{"bank": db}),
		"http-server": http.NewServer(http.ServerOptions{}),
	}}, routes...)
	if err != nil {
		return err
	}
	err = engine.Run(ctx)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	return errors.Join(err, service.Close(closing)) // so that nobody has to wait for us
}

// untilItIsDone tries a tick again as long as this replica leads: the database may be away,
// and a tick that is given up is not made up for.
var untilItIsDone = route.ErrorHandler{Redelivery: route.Redelivery{
	Maximum: -1, Exponential: true, MaxDelay: 30 * time.Second, AttemptLevel: slog.LevelWarn,
}}
