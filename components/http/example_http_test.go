package http_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	nethttp "net/http"
	"time"

	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/route"
)

// A route that answers requests, asked by any client and by one of the same component.
func Example() {
	server := http.NewServer(http.ServerOptions{Address: "127.0.0.1:0"})
	client := http.New(http.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cfg := route.Config{
		Components: route.Components{"http-server": server, "http": client},
		Logger:     slog.New(slog.DiscardHandler),
	}
	engine, err := route.New(cfg,
		route.From("http-server:/hello/{name}?httpMethodRestrict=GET").
			Validate(route.Simple("${header.name} != 'nobody'")).
			Transform(route.Simple("Hello ${header.name}!")),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	stopped := make(chan error)
	go func() { stopped <- engine.Run(ctx) }()
	for server.Addr("") == nil {
		time.Sleep(time.Millisecond)
	}
	base := "http://" + server.Addr("").String()

	res, err := nethttp.Get(base + "/hello/World")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	fmt.Printf("%d %s\n", res.StatusCode, text)

	reply, err := engine.Request(ctx, route.URI(base+"/hello/routes"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", reply.Body)

	_, err = engine.Request(ctx, route.URI(base+"/hello/nobody"), nil)
	status, _ := errors.AsType[*http.StatusError](err)
	fmt.Println(status.Status)

	cancel()
	fmt.Println(<-stopped)
	// Output:
	// 200 Hello World!
	// Hello routes!
	// 400
	// <nil>
}
