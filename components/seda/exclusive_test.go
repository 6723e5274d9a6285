package seda_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestTwoRoutesOfOneQueue(t *testing.T) {
	_, err := route.New(config(new(routetest.Mock)), route.From("seda:q").ID("first"), route.From("seda:q").ID("second"))
	if want := "exclusive_test.go:13 consumes it already, and only one can"; !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("have %v, want %q in it", err, want)
	}
	// The first one says that there can be several.
	_, err = route.New(config(new(routetest.Mock)), route.From("seda:q?multipleConsumers=true").ID("first"), route.From("seda:q").ID("second"))
	if err != nil {
		t.Error(err)
	}
}
