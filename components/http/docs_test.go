package http_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/http"
)

// The page tells every option and every field, and no other.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/components/http.md")
	if err != nil {
		t.Fatal(err)
	}
	for heading, what := range map[string]reflect.Type{
		"### Options of http-server": reflect.TypeFor[http.ServerConfig](), "### Options of http and https": reflect.TypeFor[http.Config](),
		"### ServerOptions": reflect.TypeFor[http.ServerOptions](), "### Client options": reflect.TypeFor[http.Options](),
	} {
		_, table, _ := strings.Cut(string(page), heading+"\n")
		table, _, _ = strings.Cut(table, "\n##")
		var told, want []string
		for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(table, -1) {
			told = append(told, m[1])
		}
		for f := range what.Fields() {
			name := f.Name
			if tag, ok := f.Tag.Lookup("uri"); ok {
				name, _, _ = strings.Cut(tag, ",")
			}
			if name != "." {
				want = append(want, name)
			}
		}
		if !slices.Equal(told, want) {
			t.Errorf("%s: the page has\n%q, want\n%q", heading, told, want)
		}
	}
}
