// Command modules is an application of four modules that know nothing of each other but the
// names of endpoints: orders come by Telegram and by HTTP, and are billed by one replica at
// a time. README.md tells how to try it.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/fx"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/file"
	"github.com/mehari-go/mehari/examples/modules/billing"
	"github.com/mehari-go/mehari/examples/modules/intake"
	"github.com/mehari-go/mehari/examples/modules/orders"
	"github.com/mehari-go/mehari/examples/modules/web"
	"github.com/mehari-go/mehari/route/routefx"
)

func main() {
	folder := flag.String("folder", "shop", "of orders and invoices; replicas share it")
	address := flag.String("address", "127.0.0.1:8080", "where to listen")
	flag.Parse()
	fx.New(
		shop,
		fx.Supply(
			slog.New(slog.NewTextHandler(os.Stdout, nil)),
			orders.Folder(*folder),
			web.Address(*address),
			intake.Token(os.Getenv("TELEGRAM_TOKEN")),
		),
	).Run()
}

// shop is the application without what is different in tests.
var shop = fx.Options(
	routefx.Module,
	routefx.Logger,
	fx.Provide(newStore),
	routefx.Cluster("master", func(s cluster.Store) cluster.Store { return s }),
	fx.Supply(cluster.Options{
		Name: fmt.Sprint("process ", os.Getpid()),
		// On one machine somebody watches: others take over after 4 s and not after 15 s.
		Wait: 4 * time.Second, Limit: 2 * time.Second, Beat: 500 * time.Millisecond,
	}),
	intake.Module,
	orders.Module,
	billing.Module,
	web.Module,
)

// newStore is where replicas agree who leads.
func newStore(folder orders.Folder) (cluster.Store, error) {
	return file.New(filepath.Join(string(folder), "leaders"))
}
