package mehari_test

import (
	"os"
	"path/filepath"
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

var (
	links = regexp.MustCompile(`\]\(([^\s()"]+)\)`)
	code  = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
)

// Links of the documents lead somewhere.
func TestLinks(t *testing.T) {
	var documents []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "examples/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		documents = append(documents, found...)
	}
	for _, document := range documents {
		for _, link := range links.FindAllStringSubmatch(code.ReplaceAllString(content(t, document), ""), -1) {
			target, _, _ := strings.Cut(link[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(document), target)); err != nil {
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
