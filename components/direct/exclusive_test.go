package direct_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// Two routes that would start with one name are a mistake of the build, which names both.
func TestTwoRoutesOfOneName(t *testing.T) {
	_, err := route.New(components(new(routetest.Mock)),
		route.From("direct:a").ID("first"),
		route.From("direct:b").ID("other"),
		route.From("direct:a?block=false").ID("second"),
		route.From("direct:a").ID("third").AutoStart(false))
	for _, want := range []string{`route "second"`, `from "direct:a?block=false"`, "the route at ", "exclusive_test.go:15 consumes it already, and only one can"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("have %v, want %q in it", err, want)
		}
	}
	if strings.Contains(fmt.Sprint(err), "third") {
		t.Errorf("third does not start by itself: %v", err)
	}
}
