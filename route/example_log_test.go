package route_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/mehari-go/mehari/route"
)

// A text that is not written costs nothing: here that at level debug.
func ExampleRoute_log() {
	audit := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "exchange" {
			return slog.Attr{}
		}
		return a
	}}))

	orders := route.From("direct:orders").ID("orders").
		Log("got ${headers}", route.LogOptions{Level: slog.LevelDebug, Logger: audit}).
		Log("order of ${body}", route.LogOptions{Level: slog.LevelWarn, Name: "audit", Marker: "money", Logger: audit})

	running(func(ctx context.Context, engine *route.Engine) {
		if err := engine.Send(ctx, "direct:orders", "Ada"); err != nil {
			fmt.Println(err)
		}
	}, orders)

	// Output:
	// level=WARN msg="order of Ada" route=orders logger=audit marker=money
}
