package telegram_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/telegram"
)

// The page tells every option, and no other, in the order of the struct, and every header.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/components/telegram.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## Options\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var told, want []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(table, -1) {
		told = append(told, m[1])
	}
	for f := range reflect.TypeFor[telegram.Config]().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("uri"), ","); name != "." {
			want = append(want, name)
		}
	}
	if !slices.Equal(told, want) {
		t.Errorf("the page has the options\n%q, want\n%q", told, want)
	}
	for _, name := range []string{
		telegram.ChatID.Name(), telegram.MessageID.Name(), telegram.UpdateID.Name(), telegram.UpdateKind.Name(), telegram.Timestamp.Name(),
		telegram.MediaType.Name(), telegram.Caption.Name(), telegram.Markup.Name(), telegram.Mode.Name(), telegram.Result.Name(),
	} {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("the page does not tell of %s", name)
		}
	}
}
