// Hello writes a line every second, until it is interrupted.
package main

import (
	"context"

	"github.com/mehari-go/mehari/components/log"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
)

func main() {
	engine, err := route.New(route.Config{Components: route.Components{"timer": timer.New(), "log": log.New()}},
		route.From("timer:clock").SetBody("Hello World!").To("log:hello?plain=true"))
	if err == nil {
		err = engine.Run(context.Background())
	}
	panic(err)
}
