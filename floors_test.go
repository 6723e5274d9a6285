package mehari_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/mehari-go/mehari"

// The floors: which of our packages a package may import, "*" standing for one element
// of a path and "…" for all that follow. The first line that fits counts. A package
// without a line has no place in the house.
var floors = []struct{ pkg, imports string }{
	{".", ""},

	{"route", "dataformat language language/simple internal/*"},
	{"cluster", ""},
	{"language", ""},
	{"language/languagetest", "language route components/direct"},
	{"language/*", "language internal/*"},
	{"dataformat", ""},
	{"dataformat/*", "dataformat internal/*"},
	{"internal/poll", "route internal/*"},
	{"internal/*", "internal/*"},

	{"route/routetest", "route"},
	{"cluster/clustertest", "cluster cluster/memory"},
	{"cluster/*", "cluster"},
	{"components/master", "route cluster"},
	{"components/amqp", "route internal/* components/watermill"},
	{"components/awssns", "route internal/* components/watermill"},
	{"components/awssqs", "route internal/* components/watermill"},
	{"components/kafka", "route internal/* components/watermill"},
	{"components/googlepubsub", "route internal/* components/watermill"},
	{"components/nats", "route internal/* components/watermill"},
	{"components/redis", "route internal/* components/watermill"},
	{"components/sqlqueue", "route internal/* components/watermill"},
	{"components/*", "route language language/simple internal/*"},
	{"components/telegram/telegramtest", ""},
	{"resilience/*", "route"},
	{"repository/*", "route internal/*"},
	{"observe/…", "route cluster"},

	{"route/routefx", "…"},
	{"cmd/*", "…"},
	{"examples/…", "…"},
	{"test/…", "…"},
}

// The packages that import nothing but the standard library and packages of this list.
var bare = []string{"route", "cluster", "language", "language/gotemplate", "language/jsonpath", "language/simple", "dataformat", "internal/attribute", "internal/cadence", "internal/content", "internal/convert", "internal/dialect", "internal/jsonvalue", "internal/nearest", "internal/nested", "internal/place", "internal/poll", "internal/shared", "internal/stream", "internal/tagged", "internal/sleep", "components/sql", "components/bean", "components/controlbus", "components/cron", "components/timer", "repository/database", "repository/file"}

// The packages that tests of users import, and that import "testing" therefore.
var kits = []string{"dataformat/formattest", "language/languagetest", "route/routetest", "cluster/clustertest"}

func TestFloors(t *testing.T) {
	packages := read(t)
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		i := slices.IndexFunc(floors, func(f struct{ pkg, imports string }) bool { return fits(f.pkg, name) })
		if i < 0 {
			t.Errorf("package %s stands on no floor: give it a line in the table, and docs/decisions a reason", name)
			continue
		}
		allowed := strings.Fields(floors[i].imports)
		for imported, file := range packages[name].imports {
			ours, ok := within(imported)
			if ok && !slices.ContainsFunc(allowed, func(pattern string) bool { return fits(pattern, ours) }) {
				t.Errorf("%s: %s may not import %s, only [%s] of ours", file, name, ours, floors[i].imports)
			}
		}
	}
}

func TestStandardLibraryOnly(t *testing.T) {
	packages := read(t)
	for _, name := range bare {
		if packages[name] == nil {
			t.Errorf("there is no package %s", name)
			continue
		}
		for imported, file := range packages[name].imports {
			if ours, ok := within(imported); ok && !slices.Contains(bare, ours) || !ok && !standard(imported) {
				t.Errorf("%s: %s imports %s, which is not of the standard library", file, name, imported)
			}
		}
	}
}

// A package that imports "testing" brings its flags into every program.
func TestNoTestingInProduction(t *testing.T) {
	for name, p := range read(t) {
		if slices.Contains(kits, name) || strings.HasPrefix(name, "test/") {
			continue
		}
		for imported, file := range p.imports {
			ours, _ := within(imported)
			if imported == "testing" || strings.HasPrefix(imported, "testing/") || slices.Contains(kits, ours) {
				t.Errorf("%s: %s imports %s outside of tests", file, name, imported)
			}
		}
	}
}

func TestPackagesSayWhatTheyAre(t *testing.T) {
	vague := []string{"common", "helper", "helpers", "misc", "pkg", "types", "util", "utils"}
	for name, p := range read(t) {
		if len(p.comments) != 1 {
			t.Errorf("package %s has %d package comments, want one: %q", name, len(p.comments), p.comments)
		}
		if slices.Contains(vague, path.Base(name)) {
			t.Errorf("package %s: the name does not say what is in it", name)
		}
	}
}

// The root module requires what its packages import, and nothing for tests or tools.
func TestModule(t *testing.T) {
	imported := map[string]bool{}
	for _, p := range read(t) {
		for name := range p.imports {
			imported[name] = true
		}
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	block := ""
	for line := range strings.Lines(string(mod)) {
		line = strings.TrimSpace(line)
		if word, ok := strings.CutSuffix(line, "("); ok {
			block = strings.TrimSpace(word)
			continue
		}
		if line == ")" {
			block = ""
			continue
		}
		words := strings.Fields(block + " " + line)
		switch {
		case len(words) < 2:
		case words[0] == "replace" || words[0] == "exclude" || words[0] == "tool":
			t.Errorf("go.mod: %q is for nested modules only", line)
		case words[0] == "require" && (words[1] == module || strings.HasPrefix(words[1], module+"/")):
			t.Errorf("go.mod: %q: a nested module is not for users", line)
		case words[0] == "require" && !strings.HasSuffix(line, "// indirect"):
			if !slices.ContainsFunc(slices.Collect(maps.Keys(imported)), func(name string) bool {
				return name == words[1] || strings.HasPrefix(name, words[1]+"/")
			}) {
				t.Errorf("go.mod: %q: no package imports it outside of tests", line)
			}
		}
	}
}

// A folder is a package as its sources for all platforms say, without its tests.
type folder struct {
	imports  map[string]string // where: one of the files
	comments []string          // the files that have a package comment
}

// read reads all packages of the module.
func read(t *testing.T) map[string]*folder {
	t.Helper()
	packages := map[string]*folder{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if _, err := os.Stat(filepath.Join(file, "go.mod")); file != "." && (err == nil || hidden(d.Name())) {
				return filepath.SkipDir
			}
			return nil
		}
		if hidden(d.Name()) || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(filepath.Dir(file))
		if packages[name] == nil {
			packages[name] = &folder{imports: map[string]string{}}
		}
		packages[name].add(filepath.ToSlash(file), source)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if packages["."] == nil || packages["route"] == nil || packages["cluster"] == nil {
		t.Fatal("the sources are not there: this test runs in the root of the repository")
	}
	return packages
}

func (f *folder) add(file string, source *ast.File) {
	for _, i := range source.Imports {
		f.imports[strings.Trim(i.Path.Value, `"`)] = file
	}
	if strings.TrimSpace(source.Doc.Text()) != "" {
		f.comments = append(f.comments, file)
	}
}

// hidden tells whether the go command leaves a file or folder alone.
func hidden(name string) bool {
	return name == "testdata" || name != "." && strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// within returns the part of an import path below the module.
func within(imported string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

// standard tells whether an import path is of the standard library, where the first
// element has no dot.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// fits tells whether a pattern of the table means name.
func fits(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "…"); ok {
		return strings.HasPrefix(name+"/", prefix)
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
