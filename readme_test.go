package mehari_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// What the front page shows is code that runs.
func TestReadme(t *testing.T) {
	readme := content(t, "README.md")
	var blocks []string
	for i, part := range strings.Split(readme, "```") {
		if code, ok := strings.CutPrefix(part, "go\n"); ok && i%2 == 1 {
			blocks = append(blocks, code)
		}
	}
	for _, source := range []string{"examples/master/main.go", "example_test.go"} {
		found := 0
		for _, block := range blocks {
			if strings.Contains(content(t, source), block) {
				found++
			}
		}
		if found == 0 {
			t.Errorf("no program in README.md is a part of %s", source)
		}
	}
	if lines := strings.Count(blocks[0], "\n"); lines > 20 {
		t.Errorf("the first program has %d lines, want at most 20", lines)
	}
	for _, command := range []string{"go run ./examples/quickstart", "go test ./..."} {
		if !strings.Contains(readme, "    "+command) {
			t.Errorf("README.md does not tell to run %q", command)
		}
	}
}

var links = regexp.MustCompile(`\]\(([^\s()"]+)\)`)

// Links of the documents lead somewhere.
func TestLinks(t *testing.T) {
	documents := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/words.md", "docs/leadership.md"}
	decisions, err := os.ReadDir("docs/decisions")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range decisions {
		documents = append(documents, "docs/decisions/"+d.Name())
	}
	for _, document := range documents {
		folder := document[:strings.LastIndexByte("/"+document, '/')]
		for _, link := range links.FindAllStringSubmatch(content(t, document), -1) {
			target, _, _ := strings.Cut(link[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(strings.TrimPrefix(folder+"/"+target, "/")); err != nil {
				t.Errorf("%s: the link %q leads nowhere: %v", document, target, err)
			}
		}
	}
}

func content(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
