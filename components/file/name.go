package file

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/language/simple"
	"github.com/mehari-go/mehari/route"
)

// A name is an expression for one.
type name struct {
	*simple.Template
	folder bool // the name of a folder beside the file
}

var fileFunction = regexp.MustCompile(`\$\{file:([^}]*)\}`)

// What can stand after "file:".
var aspects = []string{"name", "name.noext", "onlyname", "onlyname.noext", "ext", "parent", "size", "modified"}

// parseName reads a name. With folder, one without functions is that of a folder.
func parseName(text string, folder bool) (*name, error) {
	var wrong error
	text = fileFunction.ReplaceAllStringFunc(text, func(f string) string {
		aspect := fileFunction.FindStringSubmatch(f)[1]
		if !slices.Contains(aspects, aspect) {
			wrong = fmt.Errorf("unknown function ${file:%s}: want file: and one of %q", aspect, aspects)
		}
		return "${header." + aspectHeader + strings.ReplaceAll(aspect, ".", "_") + "}"
	})
	if wrong != nil {
		return nil, wrong
	}
	t, err := simple.Parse(text)
	if err != nil {
		return nil, err
	}
	constant, ok := t.Constant()
	if ok && !filepath.IsLocal(constant) {
		return nil, outside(constant)
	}
	return &name{t, folder && ok}, nil
}

// aspectHeader begins the names of headers that stand for file functions.
const aspectHeader = "mehari_file_"

// of returns the name for a file.
func (n *name) of(ctx context.Context, s *about) (string, error) {
	text, err := n.Append(ctx, nil, s)
	if err != nil {
		return "", err
	}
	result := string(text)
	if n.folder {
		result = path.Join(path.Dir(s.name), result, path.Base(s.name))
	}
	return clean(result)
}

// clean returns a name below the directory, or an error.
func clean(name string) (string, error) {
	if name == "" {
		return "", fmt.Errorf("the name of the file is empty")
	}
	if !filepath.IsLocal(name) || strings.ContainsRune(name, 0) {
		return "", outside(name)
	}
	name = path.Clean(filepath.ToSlash(name))
	if name == "." {
		return "", fmt.Errorf("the name of the file is %q", name)
	}
	return name, nil
}

func outside(name string) error { return fmt.Errorf("%q is outside of the directory", name) }

// about is an exchange with what is known of a file.
type about struct {
	language.Scope
	name     string // below the directory, with slashes
	size     int64
	modified time.Time
}

func aboutFile(ex *route.Exchange, name string) *about { return &about{Scope: ex.Scope(), name: name} }

// Value implements [language.Scope].
func (a *about) Value(kind language.Kind, name string) any {
	aspect, ok := strings.CutPrefix(name, aspectHeader)
	if kind != language.Header || !ok {
		return a.Scope.Value(kind, name)
	}
	base, ext := path.Base(a.name), path.Ext(a.name)
	switch aspect {
	case "name":
		return a.name
	case "name_noext":
		return strings.TrimSuffix(a.name, ext)
	case "onlyname":
		return base
	case "onlyname_noext":
		return strings.TrimSuffix(base, ext)
	case "ext":
		return strings.TrimPrefix(ext, ".")
	case "parent":
		return path.Dir(a.name)
	case "size":
		return a.size
	case "modified":
		return a.modified.UnixMilli()
	}
	return nil
}

// A doneName is the name of the file that says that another is whole, both without folders.
type doneName struct {
	text  string
	fixed bool
	any   *regexp.Regexp // matches the names of such files
}

var doneFunctions = regexp.MustCompile(`\$\{file:(name|onlyname|name\.noext|onlyname\.noext)\}`)

func parseDoneName(text string) (*doneName, error) {
	if text == "" {
		return nil, nil
	}
	literal := doneFunctions.ReplaceAllString(text, "x")
	if strings.Contains(literal, "${") {
		return nil, fmt.Errorf("want no expression but ${file:name}, ${file:onlyname} and ${file:name.noext}, have %q", text)
	}
	if strings.ContainsAny(literal, `/\`) || !filepath.IsLocal(literal) {
		return nil, fmt.Errorf("want a name without folders, have %q", text)
	}
	d := &doneName{text: text, fixed: !doneFunctions.MatchString(text)}
	if !d.fixed && doneFunctions.FindString(text) == text {
		return nil, fmt.Errorf("%q is the name of the file itself", text)
	}
	var pattern strings.Builder
	for i, part := range doneFunctions.Split(text, -1) {
		if i > 0 {
			pattern.WriteString(".+")
		}
		pattern.WriteString(regexp.QuoteMeta(part))
	}
	any, err := regexp.Compile("^(?s:" + pattern.String() + ")$")
	d.any = any
	return d, err
}

// of returns the name of the file that says that name is whole.
func (d *doneName) of(name string) string {
	base := path.Base(name)
	done := doneFunctions.ReplaceAllStringFunc(d.text, func(f string) string {
		if strings.HasSuffix(f, ".noext}") {
			return strings.TrimSuffix(base, path.Ext(base))
		}
		return base
	})
	return path.Join(path.Dir(name), done)
}
