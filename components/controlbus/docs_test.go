package controlbus_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/controlbus"
)

// The page tells every option, and no other.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/components/controlbus.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## Options\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var told, want []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(table, -1) {
		told = append(told, m[1])
	}
	for f := range reflect.TypeFor[controlbus.Config]().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("uri"), ","); name != "." {
			want = append(want, name)
		}
	}
	if !slices.Equal(told, want) {
		t.Errorf("the page has the options\n%q, want\n%q", told, want)
	}
}
