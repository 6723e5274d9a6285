package file_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/mehari-go/mehari/components/file"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func logger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func TestProduce(t *testing.T) {
	broken := func() io.Reader {
		return io.MultiReader(strings.NewReader("part"), iotest.ErrReader(errors.New("broken")))
	}
	for _, tt := range []struct {
		name   string
		config file.Config
		files  string
		body   any
		header any // CamelFileName
		left   string
		err    string
	}{
		{"by the header", file.Config{}, "", "x", "s/a.txt", "s/a.txt=x", ""},
		{"by an expression", file.Config{FileName: "${file:onlyname.noext}-${body}.txt"}, "", "x", "s/a.csv", "a-x.txt=x", ""},
		{"no expression in a header", file.Config{}, "", "x", "${body}", "${body}=x", ""},
		{"bytes", file.Config{}, "", []byte("x"), "a", "a=x", ""},
		{"a reader", file.Config{}, "", strings.NewReader("x"), "a", "a=x", ""},
		{"a stream", file.Config{Chmod: "600"}, "", route.NewStream(strings.NewReader("x")), "a", "a=x", ""},
		{"a number", file.Config{}, "", 7, "a", "a=7", ""},
		{"no body", file.Config{}, "", nil, "a", "", "there is no body to write"},
		{"an empty file", file.Config{AllowNullBody: true}, "", nil, "a", "a=", ""},
		{"in place of another", file.Config{}, "a", "x", "a", "a=x", ""},
		{"not a part of it", file.Config{}, "a", broken(), "a", "a", "broken"},
		{"after another", file.Config{FileExist: file.Append}, "a", "x", "a", "a=ax", ""},
		{"not a part after another", file.Config{FileExist: file.Append}, "a", broken(), "a", "a", "broken"},
		{"fails", file.Config{FileExist: file.Fail}, "a", "x", "a", "a", `"a" exists already`},
		{"fails not", file.Config{FileExist: file.Fail}, "", "x", "a", "a=x", ""},
		{"ignores", file.Config{FileExist: file.Ignore, DoneFileName: "ok"}, "a", "x", "a", "a", ""},
		{"ignores not", file.Config{FileExist: file.Ignore, DoneFileName: "ok"}, "", "x", "a", "a=x ok=", ""},
		{"moves the other", file.Config{FileExist: file.Move, MoveExisting: "old"}, "s/a=1 s/old/a=0", "x", "s/a", "s/a=x s/old/a=1", ""},
		{"moves the other by an expression", file.Config{FileExist: file.Move, MoveExisting: "${file:name}.bak"}, "a=1", "x", "a", "a=x a.bak=1", ""},
		{"moves the other nowhere else", file.Config{FileExist: file.Move, MoveExisting: "../${file:name}"}, "a=1", "x", "a", "a=1", "outside of the directory"},
		{"with a prefix", file.Config{TempPrefix: "~", FileExist: file.TryRename}, "a ~a", "x", "a", "a=x", ""},
		{"by way of another name", file.Config{TempFileName: ".tmp/${file:name}"}, "", "x", "s/a", "s/a=x", ""},
		{"by way of its own name", file.Config{TempFileName: "${file:name}"}, "", "x", "a", "", `tempFileName: "a" is the name of the file itself`},
		{"and a done file", file.Config{DoneFileName: "${file:name}.ok"}, "", "x", "s/a", "s/a=x s/a.ok=", ""},
		{"no folders of its own", file.Config{AutoCreate: new(false)}, "b", "x", "s/a", "b", "no such file"},
		{"without sync", file.Config{ForceWrites: new(false)}, "", "x", "a", "a=x", ""},
		{"a name that is none", file.Config{}, "", "x", "", "", "the name of the file is empty"},
		{"a header that is no text", file.Config{}, "", "x", 7, "", "header CamelFileName: want a string, have int"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, dir, strings.Fields(tt.files)...)
			tt.config.Directory = dir
			e := routetest.Run(t, route.Config{Components: route.Components{"file": file.New(nil)}})
			ex, err := e.Request(t.Context(), tt.config.URI(), tt.body, route.WithHeader("CamelFileName", tt.header))
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Fatalf("%v, want %s", err, tt.err)
			}
			if got := tree(t, dir); got != tt.left {
				t.Errorf("%s, want %s", got, tt.left)
			}
			if err == nil {
				if p, _ := file.FileNameProduced.Get(ex); !strings.HasPrefix(p, dir) {
					t.Errorf("it says that %q was written", p)
				} else if info, err := os.Stat(p); tt.config.Chmod != "" && (err != nil || info.Mode() != 0o600) {
					t.Errorf("%v, %v", info.Mode(), err)
				}
			}
		})
	}
}

// No name leads outside of the directory, whoever gives it.
func TestJail(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "in")
	put(t, top, "in/.keep=", "secret=s", "folder/secret=s")
	for link, to := range map[string]string{"link": "../secret", "links": "../folder", "absolute": filepath.Join(top, "folder"), "loop": "."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	e := routetest.Run(t, route.Config{Components: route.Components{"file": file.New(nil)}})
	for _, name := range []string{"../secret", "..", ".", "/etc/passwd", filepath.Join(top, "secret"), "a/../../secret", "links/secret", "links/new", "absolute/secret", "absolute/s/new", "a\x00b", "../../../../../../tmp/x"} {
		for _, c := range []file.Config{{}, {FileExist: file.Append}, {FileExist: file.Fail}, {FileName: "${header.CamelFileName}"}, {TempFileName: "${header.CamelFileName}", FileName: "a"}} {
			c.Directory = dir
			if err := e.Send(t.Context(), c.URI(), "x", route.WithHeader("CamelFileName", name)); err == nil {
				t.Errorf("%q is written with %s", name, c.URI())
			}
		}
	}
	if err := e.Send(t.Context(), file.Config{Directory: dir, FileExist: file.Append}.URI(), "x", route.WithHeader("CamelFileName", "link")); err == nil {
		t.Error("what a link leads to is written")
	}
	led, log := consume(t, file.Config{Directory: dir, Recursive: true, Noop: true}, nil)
	if len(led) != 0 {
		t.Errorf("%q were read\n%s", led, log)
	}
	put(t, dir, "a")
	_, log = consume(t, file.Config{Directory: dir, Move: "${header.to}"}, func(_ context.Context, ex *route.Exchange) error {
		ex.SetHeader("to", "../stolen")
		return nil
	})
	if !strings.Contains(log, `\"../stolen\" is outside of the directory`) {
		t.Errorf("it is told %s", log)
	}
	for _, name := range []string{"secret", "folder/secret"} {
		if b, err := os.ReadFile(filepath.Join(top, name)); err != nil || string(b) != "s" {
			t.Errorf("%s is %q, %v", name, b, err)
		}
	}
	if list, err := os.ReadDir(top); err != nil || len(list) != 3 {
		t.Errorf("outside are %v, %v", list, err)
	}
}

// Who reads sees one of the files that were written, never a part or a mixture; nothing that is
// appended is lost or torn.
func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	e := routetest.Run(t, route.Config{Components: route.Components{"file": file.New(nil)}})
	const writers, each, size = 8, 10, 20_000
	var all sync.WaitGroup
	stop := make(chan struct{})
	var reader sync.WaitGroup
	whole := func(name string) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil && (len(b) != size || strings.Trim(string(b), string(b[:1])) != "") {
			t.Errorf("%s has %d bytes, or several kinds of them", name, len(b))
		}
	}
	reader.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				whole("a")
				whole("b")
			}
		}
	})
	for i := range writers {
		all.Go(func() {
			for range each {
				text := strings.Repeat(string(rune('a'+i)), size)
				for _, c := range []file.Config{
					{FileName: "a"},
					{FileName: "b", TempPrefix: ".tmp"},
					{FileName: "c", TempFileName: ".tmp"},
					{FileName: "d", TempFileName: ".tmp"},
					{FileName: "log", FileExist: file.Append},
					{FileName: fmt.Sprint("once", i), FileExist: file.Ignore},
				} {
					c.Directory, c.ForceWrites = dir, new(false)
					if err := e.Send(t.Context(), c.URI(), text); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	close(stop)
	reader.Wait()
	whole("c")
	whole("d")
	if info, err := os.Stat(filepath.Join(dir, "log")); err != nil || info.Size() != writers*each*size {
		t.Errorf("%v, %v", info, err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 5+writers {
		t.Errorf("there are %d files, %v", len(list), err)
	}
}

func FuzzName(f *testing.F) {
	for _, name := range []string{"a", "../a", "s/../../a", "/a", ".", "a/", "a\\..\\b", "\x00", "~", "in/../../x"} {
		f.Add(name)
	}
	top := f.TempDir()
	dir := filepath.Join(top, "a", "b", "in")
	addr, err := file.Config{Directory: dir, ForceWrites: new(false)}.URI().Parse()
	if err != nil {
		f.Fatal(err)
	}
	ep, err := file.New(nil).Endpoint(route.Env{}, addr)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		ex := route.NewExchange("x")
		defer ex.Release()
		ex.SetHeader("CamelFileName", name)
		err := ep.(route.Producer).Process(t.Context(), ex)
		for _, outside := range []string{top, filepath.Join(top, "a"), filepath.Join(top, "a", "b")} {
			if list, err := os.ReadDir(outside); len(list) > 1 {
				t.Errorf("%q: in %s are %v, %v", name, outside, list, err)
			}
		}
		if produced, _ := file.FileNameProduced.Get(ex); err == nil && !strings.HasPrefix(produced, dir+string(filepath.Separator)) {
			t.Errorf("%q: written to %q", name, produced)
		}
		_ = os.RemoveAll(dir)
	})
}
