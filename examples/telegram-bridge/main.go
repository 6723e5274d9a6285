// Command telegram-bridge is a bot with several replicas. Telegram lets one of them poll:
// that one gives what it gets to a broker, and all of them answer. README.md tells how to
// run it.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/file"
	"github.com/mehari-go/mehari/cluster/kubernetes"
	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/nats"
	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/route"
)

// settings are what the program is told by its flags, and the token of the bot, which is a
// secret and comes from the environment.
type settings struct {
	token, api, nats, leaders, name, probes string
	wait                                    time.Duration
}

func main() {
	var s settings
	flag.StringVar(&s.api, "api", "https://api.telegram.org", "the Bot API")
	flag.StringVar(&s.nats, "nats", "nats://127.0.0.1:4222", "the NATS servers, with commas between them")
	flag.StringVar(&s.leaders, "leaders", "", "the folder in which the replicas of one machine agree; none means Kubernetes")
	flag.StringVar(&s.name, "name", "", "the name of this replica; none means that of the host or the pod")
	flag.StringVar(&s.probes, "probes", "", "where to answer at /readyz and /livez, such as :8080")
	flag.DurationVar(&s.wait, "wait", 15*time.Second, "how long a replica is silent before others take over; the same for all")
	flag.Parse()
	s.token = os.Getenv("TELEGRAM_TOKEN")

	logger := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, s, logger); err != nil {
		logger.Error("the program ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings, logger *slog.Logger) error {
	service, err := s.join(logger)
	if err != nil {
		return err
	}
	err = s.work(ctx, service, logger)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	return errors.Join(err, service.Close(closing)) // so that nobody has to wait for us
}

// join makes this replica a member of the cluster.
func (s settings) join(logger *slog.Logger) (*cluster.Service, error) {
	options := cluster.Options{Name: s.name, Wait: s.wait, Limit: s.wait * 2 / 3, Beat: s.wait / 5, Logger: logger}
	if s.leaders != "" {
		store, err := file.New(s.leaders)
		if err != nil {
			return nil, err
		}
		return cluster.New(store, options)
	}
	store, err := kubernetes.New(kubernetes.Config{Pod: s.name, Selector: os.Getenv("MEMBERS"), Logger: logger})
	if err != nil {
		return nil, err
	}
	options.Name = store.PodName()
	return cluster.New(store, options)
}

// work runs the routes until ctx ends.
func (s settings) work(ctx context.Context, service *cluster.Service, logger *slog.Logger) error {
	broker := jetStream(s.wait)
	routes := append(broker.answers(), intake(broker.to))
	if s.probes != "" {
		routes = append(routes, probes(service)...)
	}
	engine, err := route.New(route.Config{
		Components: route.Components{
			"telegram":    telegram.New(telegram.WithToken(s.token), telegram.WithBaseURI(s.api)),
			"jetstream":   nats.NewJetStream(nats.Options{URL: s.nats}),
			"master":      master.New(service),
			"http-server": http.NewServer(http.ServerOptions{Address: s.probes}),
		},
		Logger: logger,
	}, routes...)
	if err != nil {
		return err
	}
	return engine.Run(ctx)
}
