package docs_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of the components' pages")

// Tables stand between these marks, the first of which names the struct.
var marks = regexp.MustCompile(`(?s)<!-- fields of (\S+) (\w+) -->\n.*?<!-- end -->\n`)

// The pages of components have tables that are made of the comments of the sources: of
// every struct with options, and of others that a page asks for. What is told by the
// comments is told once.
//
//	go test ./docs -run TestComponentTables -update
func TestComponentTables(t *testing.T) {
	r := &reader{map[string]*ast.StructType{}, map[string][]string{}, map[string]string{}}
	r.read(t, "components")
	pages, err := filepath.Glob("components/*.md")
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	told := map[string]string{} // the pages by the folders whose tables they have
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		want := marks.ReplaceAllFunc(text, func(old []byte) []byte {
			m := marks.FindSubmatch(old)
			dir, name := string(m[1]), string(m[2])
			s := r.structs[dir+" "+name]
			if s == nil {
				t.Errorf("%s: there is no struct %s in %s", page, name, dir)
				return old
			}
			made[dir+" "+name] = true
			told[dir] += string(text)
			return fmt.Appendf(nil, "<!-- fields of %s %s -->\n%s<!-- end -->\n", dir, name, r.table(dir, s))
		})
		switch {
		case bytes.Equal(text, want):
		case *update:
			if err := os.WriteFile(page, want, 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s: a table is not what the comments say: go test ./docs -run TestComponentTables -update", page)
		}
	}
	for key, s := range r.structs {
		if !made[key] && hasPath(s) {
			t.Errorf("no page has the table of %s: put the lines <!-- fields of %s --> and <!-- end --> into docs/components, and run go test ./docs -run TestComponentTables -update", key, key)
		}
	}
	for key, name := range r.headers {
		dir, _, _ := strings.Cut(key, " ")
		if page, ok := told[dir]; ok && !strings.Contains(page, "`"+name+"`") {
			t.Errorf("no page of %s tells of the header %s", dir, name)
		}
	}
}

// hasPath tells whether a struct is what the address of an endpoint is decoded into.
func hasPath(s *ast.StructType) bool {
	return slices.ContainsFunc(s.Fields.List, func(f *ast.Field) bool {
		return strings.HasPrefix(option(f), ".")
	})
}

// option is what a URI calls a field, with its flags.
func option(f *ast.Field) string {
	if f.Tag == nil {
		return ""
	}
	text, _ := strconv.Unquote(f.Tag.Value)
	return reflect.StructTag(text).Get("uri")
}

// A reader has what the tables are made of, by "dir name".
type reader struct {
	structs map[string]*ast.StructType
	values  map[string][]string // of the constants of a type
	headers map[string]string   // the names that the keys have which are variables
}

// read reads all packages below a folder.
func (r *reader) read(t *testing.T, below string) {
	t.Helper()
	err := filepath.WalkDir("../"+below, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		r.file(strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../"), file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (r *reader) file(dir string, file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec:
			if s, ok := n.Type.(*ast.StructType); ok && n.Name.IsExported() {
				withHeadings(file, s)
				r.structs[dir+" "+n.Name.Name] = s
			}
		case *ast.ValueSpec:
			for i, v := range n.Values {
				if name := keyName(v); name != "" && n.Names[i].IsExported() {
					r.headers[dir+" "+n.Names[i].Name] = name
				}
			}
			if kind, ok := n.Type.(*ast.Ident); ok {
				for _, v := range n.Values {
					if v, ok := v.(*ast.BasicLit); ok && v.Kind == token.STRING && v.Value != `""` {
						text, _ := strconv.Unquote(v.Value)
						r.values[dir+" "+kind.Name] = append(r.values[dir+" "+kind.Name], "`"+text+"`")
					}
				}
			}
		}
		return true
	})
}

// keyName is what a header is called whose key is made by e, or "".
func keyName(e ast.Expr) string {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return ""
	}
	of, ok := call.Fun.(*ast.IndexExpr)
	if !ok {
		return ""
	}
	f, ok := of.X.(*ast.SelectorExpr)
	v, isText := call.Args[0].(*ast.BasicLit)
	if !ok || !isText || f.Sel.Name != "NewKey" {
		return ""
	}
	name, _ := strconv.Unquote(v.Value)
	return name
}

// withHeadings makes the comments that belong to no field fields without names.
func withHeadings(file *ast.File, s *ast.StructType) {
	for _, c := range file.Comments {
		if c.Pos() < s.Fields.Opening || c.End() > s.Fields.Closing {
			continue
		}
		own := slices.ContainsFunc(s.Fields.List, func(f *ast.Field) bool { return f.Doc == c || f.Comment == c })
		if !own {
			s.Fields.List = append(s.Fields.List, &ast.Field{Doc: c, Type: &ast.BadExpr{From: c.Pos(), To: c.End()}})
		}
	}
	slices.SortStableFunc(s.Fields.List, func(a, b *ast.Field) int { return int(a.Pos() - b.Pos()) })
}

func (r *reader) table(dir string, s *ast.StructType) string {
	var out strings.Builder
	names := map[string]string{} // of Go to what the table calls them
	for _, f := range s.Fields.List {
		for _, n := range f.Names {
			name, _, _ := strings.Cut(option(f), ",")
			if name == "" {
				name = n.Name
			}
			names[n.Name] = name
		}
	}
	kind := "Option"
	if !hasPath(s) {
		kind = "Field"
	}
	fmt.Fprintf(&out, "| %s | | Default | Meaning |\n| --- | --- | --- | --- |\n", kind)
	shared := false
	for i, f := range s.Fields.List {
		if len(f.Names) == 0 {
			shared = false
			if _, ok := f.Type.(*ast.BadExpr); ok {
				fmt.Fprintf(&out, "| | | | *%s* |\n", strings.TrimRight(r.sentence(dir, f.Doc.Text(), names), "."))
			}
			continue
		}
		if names[f.Names[0].Name] == "." || !f.Names[0].IsExported() {
			continue
		}
		kind, meaning, otherwise := r.typeName(dir, f.Type), "", ""
		doc := f.Doc
		if doc == nil {
			doc = f.Comment
		}
		if doc == nil {
			doc = r.taking(f)
		}
		if f.Doc != nil {
			shared = true // until the next heading
		}
		next := i+1 < len(s.Fields.List) && len(s.Fields.List[i+1].Names) > 0 && s.Fields.List[i+1].Doc == nil
		switch {
		case doc == nil && shared:
			meaning = "see above"
		case doc == nil:
		case f.Doc != nil && next || len(f.Names) > 1: // it tells of several
			meaning = r.sentence(dir, doc.Text(), names)
		default:
			meaning, otherwise = withoutDefault(r.sentence(dir, doc.Text(), names))
			meaning = strings.TrimPrefix(meaning, "`"+names[f.Names[0].Name]+"` ")
			meaning = strings.TrimPrefix(strings.TrimPrefix(meaning, "is "), "are ")
		}
		if otherwise == "" && kind == "bool" {
			otherwise = "false"
		}
		var called []string
		for _, n := range f.Names {
			called = append(called, "`"+names[n.Name]+"`")
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", strings.Join(called, ", "), kind, otherwise, meaning)
	}
	return out.String()
}

// taking is what all brokers' options say that are those of watermill.Taking.
func (r *reader) taking(f *ast.Field) *ast.CommentGroup {
	s := r.structs["components/watermill Taking"]
	for _, of := range s.Fields.List {
		if len(of.Names) == 1 && of.Names[0].Name == f.Names[0].Name {
			return of.Doc
		}
	}
	return nil
}

var (
	word  = regexp.MustCompile(`(^|[^\w.])([A-Z]\w*)\b`)
	links = regexp.MustCompile(`(^|[\s(])\[\*?([\w.]+)\]`)
	// What a zero value means is the default of the option.
	zero = regexp.MustCompile(`(?:; |\. |, |^)(?:nil|0|""|a zero value)(?: and less)? means ((?:[^.;]|\.\w)+)`)
)

// sentence is a comment on one line, with fields called as the table does, and headers by
// their names.
func (r *reader) sentence(dir, comment string, names map[string]string) string {
	text := strings.Join(strings.Fields(comment), " ")
	text = links.ReplaceAllStringFunc(text, func(link string) string {
		m := links.FindStringSubmatch(link)
		if header := r.headers[dir+" "+m[2]]; header != "" {
			return m[1] + "`" + header + "`"
		}
		return m[1] + m[2]
	})
	text = word.ReplaceAllStringFunc(text, func(w string) string {
		m := word.FindStringSubmatch(w)
		if name, ok := names[m[2]]; ok && name != "." {
			return m[1] + "`" + name + "`"
		}
		return w
	})
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text)
}

func withoutDefault(text string) (meaning, otherwise string) {
	m := zero.FindStringSubmatchIndex(text)
	if m == nil {
		return text, ""
	}
	otherwise = text[m[2]:m[3]]
	text = text[:m[0]] + text[m[1]:]
	return strings.TrimSpace(strings.TrimPrefix(text, ".")), otherwise
}

// typeName is what a user writes for a type: with the values that there are, where they are
// constants.
func (r *reader) typeName(dir string, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return r.typeName(dir, e.X)
	case *ast.ArrayType:
		return r.typeName(dir, e.Elt) + ", …"
	case *ast.FuncType:
		return "function"
	case *ast.SelectorExpr:
		switch name := fmt.Sprint(e.X, ".", e.Sel); name {
		case "time.Duration":
			return "duration"
		case "time.Time":
			return "time"
		default:
			return "`" + name + "`"
		}
	case *ast.Ident:
		switch {
		case e.Name == "string":
			return "text"
		case strings.HasPrefix(e.Name, "int"), strings.HasPrefix(e.Name, "uint"):
			return "number"
		case !ast.IsExported(e.Name):
			return e.Name
		}
		if values := r.values[dir+" "+e.Name]; values != nil {
			return strings.Join(values, ", ")
		}
		return "text"
	}
	return ""
}

// The list of the pages has each of them.
func TestComponentList(t *testing.T) {
	list, err := os.ReadFile("components/README.md")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("components/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if name := filepath.Base(page); name != "README.md" && !strings.Contains(string(list), "]("+name+")") {
			t.Errorf("components/README.md has no link to %s", name)
		}
	}
}
