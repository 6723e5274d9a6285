package route_test

import (
	"fmt"
	"path/filepath"
	"regexp"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
)

// All that is wrong with all routes is told at once, before anything starts, each with
// its place in the source.
func ExampleNew_mistakes() {
	_, err := route.New(
		route.Config{Components: route.Components{"timer": timer.New(), "direct": direct.New()}},
		route.From("timer:tick?perid=1s&delay=soon").
			Log("tick ${bodyy}").
			To("direkt:orders"),
		route.From("direct:orders").ID("orders").
			Choice(
				route.Otherwise().
					Process(nil),
				route.When(route.Is(Region, "eu")).
					SetBody("order of ${body}"),
			).
			To("{{backend}}"),
	)
	fmt.Println(baseNames(err))

	// Output:
	// example_mistakes_test.go:18: route "route1": from "timer:tick?perid=1s&delay=soon": option "delay": want a duration like 500ms, 1m30s or a number of milliseconds, have "soon"
	// 	unknown option "perid" (did you mean period?) (have delay, fixedRate, includeMetadata, misfire, period, repeatCount, time)
	// example_mistakes_test.go:19: route "route1": log "tick ${bodyy}": simple: column 8: unknown function "bodyy" (did you mean "body"?)
	// 		tick ${bodyy}
	// 		       ^
	// example_mistakes_test.go:20: route "route1": to "direkt:orders": no component "direkt" (did you mean direct?) (have direct, timer)
	// example_mistakes_test.go:23: route "orders": choice: otherwise must come last
	// example_mistakes_test.go:24: route "orders": process: nil function
	// example_mistakes_test.go:26: route "orders": set body: the text "order of ${body}" would not be evaluated: use route.Simple, or route.Constant to have it as it is
	// example_mistakes_test.go:28: route "orders": to "{{backend}}": {{backend}}: there is no property "backend", and no default
}

// baseNames shortens the names of files in an error.
func baseNames(err error) string {
	return regexp.MustCompile(`(?m)^\S*\.go`).ReplaceAllStringFunc(err.Error(), filepath.Base)
}
