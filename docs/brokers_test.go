package docs_test

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/nats"
	"github.com/mehari-go/mehari/components/watermill"
)

var row = regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\|.*\\|$")

// The tables of options of the brokers' pages have what their Config has.
func TestBrokerOptions(t *testing.T) {
	for page, config := range map[string]any{
		"watermill": watermill.Config{},
		"nats":      nats.JetStreamConfig{},
	} {
		text, err := os.ReadFile("components/" + page + ".md")
		if err != nil {
			t.Error(err)
			continue
		}
		_, rest, _ := strings.Cut(string(text), "\n## Options\n")
		table, _, _ := strings.Cut(rest, "\n## ")
		have := map[string]bool{}
		for _, m := range row.FindAllStringSubmatch(table, -1) {
			have[m[1]] = true
		}
		want := map[string]bool{}
		for f := range reflect.TypeOf(config).Fields() {
			if name, _, _ := strings.Cut(f.Tag.Get("uri"), ","); name != "" && name != "." {
				want[name] = true
			}
		}
		if !maps.Equal(have, want) {
			t.Errorf("%s.md: the table has %q, the Config has %q", page, slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(want)))
		}
	}
}
