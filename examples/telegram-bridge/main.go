// Command telegram-bridge is a bot with several replicas. Telegram lets one of them poll:
// that one gives what it gets to a broker, and all of them answer. README.md tells how to
// try it.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/components/kafka"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/nats"
	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/route"
)

func main() {
	name := flag.String("name", hostname(), "of this replica")
	leaders := flag.String("cluster", "leaders", `where the replicas agree who leads: a folder for those on one machine, or "kubernetes"`)
	api := flag.String("api", "https://api.telegram.org", "where the Bot API is")
	servers := flag.String("nats", "nats://127.0.0.1:4222", "the NATS servers, with commas between them")
	brokers := flag.String("kafka", "", "Kafka's brokers, such as 127.0.0.1:9092, with commas between them; without any it is NATS")
	probes := flag.String("probes", "", "address of /livez and /readyz, such as :8080; without one there are none")
	flag.Parse()
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("replica", *name))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	components := route.Components{
		"telegram":    telegram.New(telegram.WithToken(os.Getenv("TELEGRAM_TOKEN")), telegram.WithBaseURI(*api)),
		"jetstream":   nats.NewJetStream(nats.Options{URL: *servers}),
		"kafka":       kafka.New(kafka.Options{Brokers: strings.Split(*brokers, ",")}),
		"http-server": http.NewServer(http.ServerOptions{}),
	}
	b := jetStream()
	if *brokers != "" {
		b = apacheKafka()
	}
	if err := run(ctx, *name, *leaders, *probes, components, b); err != nil {
		slog.Error("the program ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name, leaders, probes string, components route.Components, b broker) error {
	service, err := join(leaders, name)
	if err != nil {
		return err
	}
	components["master"] = master.New(service)
	routes := append(b.answers(), b.intake())
	if probes != "" {
		routes = append(routes, probing(probes, service)...)
	}
	engine, err := route.New(route.Config{Components: components}, routes...)
	if err != nil {
		return err
	}
	err = engine.Run(ctx)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	return errors.Join(err, service.Close(closing)) // so that nobody has to wait for us
}
