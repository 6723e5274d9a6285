package file_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/file"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestComponent(t *testing.T) {
	dir := t.TempDir()
	fed := 0
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component {
			return file.New(map[string]route.IdempotentRepository{"seen": new(route.IdempotentMemory)})
		},
		Configs: []routetest.Config{
			file.Config{Directory: "in", FileName: "a?.txt", AutoCreate: new(false), DoneFileName: "${file:name}.done"},
			file.Config{
				Directory: "/in/a b", InitialDelay: new(time.Duration(0)), Delay: new(time.Minute), Greedy: true, RepeatCount: 2, SendEmptyMessageWhenIdle: true,
				Include: `.*[.]txt`, Exclude: "a,b", IncludeHiddenFiles: true, Recursive: true, MinDepth: 1, MaxDepth: 3, SortBy: "reverse:file:modified;file:name",
				MaxMessagesPerPoll: 10, EagerMaxMessagesPerPoll: new(false), Noop: true, Idempotent: new(true), IdempotentKey: "${file:name}", IdempotentRepository: "seen",
				ReadLock: file.Changed, ReadLockCheckInterval: new(time.Minute), ReadLockMinLength: new(int64(0)), ReadLockMinAge: time.Second, MaxBodySize: 10,
			},
			file.Config{Directory: "in", Move: ".done", MoveFailed: "${date:now:yyyy}/${file:name}", PreMove: ".work", Stream: true},
			file.Config{Directory: "in", Delete: true, Watch: true},
			file.Config{Directory: "out", FileExist: file.Move, MoveExisting: "old", TempPrefix: "~", ForceWrites: new(false), AllowNullBody: true, Chmod: "640", ChmodDirectory: "750"},
			file.Config{Directory: "out", TempFileName: ".tmp/${file:name}"},
		},
		Consumer: file.Config{Directory: dir, InitialDelay: new(time.Duration(0)), Delay: new(time.Millisecond)}.URI(),
		Feed: func(_ context.Context, _ route.Component, body any) error {
			fed++
			return os.WriteFile(filepath.Join(dir, fmt.Sprint("fed", fed)), fmt.Append(nil, body), 0o600)
		},
		Producer: file.Config{Directory: t.TempDir(), FileExist: file.Append, FileName: "log.txt"}.URI(),
	})
}

// put makes files, with their names as content, or what stands after "=".
func put(t testing.TB, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		name, content, ok := strings.Cut(name, "=")
		if !ok {
			content = name
		}
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// tree returns the names of all files below a directory; with their content, if that is another.
func tree(t testing.TB, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, p)
		b, err := os.ReadFile(p)
		if string(b) != name {
			name += "=" + string(b)
		}
		names = append(names, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// consume polls once, or as often as c says, and returns the names that were led, and what was told.
func consume(t *testing.T, c file.Config, each route.ProcessorFunc) (led []string, log string) {
	t.Helper()
	return consumeWith(t, file.New(nil), c, each)
}

func consumeWith(t *testing.T, component route.Component, c file.Config, each route.ProcessorFunc) (led []string, log string) {
	t.Helper()
	if c.RepeatCount == 0 {
		c.RepeatCount = 1
	}
	c.InitialDelay = new(time.Duration(0))
	if c.Delay == nil {
		c.Delay = new(time.Millisecond)
	}
	out := new(strings.Builder)
	e := routetest.Run(t, route.Config{Components: route.Components{"file": component}, Logger: logger(out)},
		route.From(c.URI()).ID("r").Process(func(ctx context.Context, ex *route.Exchange) error {
			name, ok := file.FileName.Get(ex)
			if !ok && ex.Body == nil {
				return nil // nothing was found
			}
			i, _ := route.BatchIndex.Get(ex)
			n, _ := route.BatchSize.Get(ex)
			last, _ := route.BatchComplete.Get(ex)
			if last != (i == n-1) || i >= n {
				t.Errorf("%s is %d of %d, the last: %v", name, i, n, last)
			}
			led = append(led, name)
			if each == nil {
				return nil
			}
			return each(ctx, ex)
		}))
	begun := time.Now()
	for {
		s, _ := e.Status().Route("r")
		if s.State == route.Done {
			break
		}
		if s.State == route.Restarting || time.Since(begun) > 20*time.Second {
			t.Errorf("the route is %s: %v", s.State, s.LastFailure)
			break
		}
		time.Sleep(time.Millisecond)
	}
	return led, out.String()
}

func failing(names ...string) route.ProcessorFunc {
	return func(_ context.Context, ex *route.Exchange) error {
		if name, _ := file.FileName.Get(ex); slices.Contains(names, name) {
			return fmt.Errorf("%s fails", name)
		}
		return nil
	}
}

func TestConsume(t *testing.T) {
	old := func(name string) func(dir string) {
		return func(dir string) {
			_ = os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Now().Add(-time.Hour))
		}
	}
	for _, tt := range []struct {
		name   string
		config file.Config
		files  string
		before func(dir string)
		each   route.ProcessorFunc
		led    string
		left   string
	}{
		{"moves what is done", file.Config{}, "b a .hidden sub/c", nil, nil, "a b", ".done/a=a .done/b=b .hidden sub/c"},
		{"what fails stays and comes again", file.Config{RepeatCount: 3}, "a b", nil, failing("b"), "a b b b", ".done/a=a b"},
		{"moves what fails", file.Config{MoveFailed: ".failed", RepeatCount: 3}, "a b", nil, failing("b"), "a b", ".done/a=a .failed/b=b"},
		{"replaces what was moved before", file.Config{}, "a=new .done/a=old", nil, nil, "a", ".done/a=new"},
		{"moves by an expression", file.Config{Move: "old/${file:onlyname.noext}-${header.n}.${file:ext}.${file:size}"}, "a.txt", nil, func(_ context.Context, ex *route.Exchange) error {
			ex.SetHeader("n", 7)
			file.FileName.Set(ex, "changed by the route")
			return nil
		}, "a.txt", "old/a-7.txt.5=a.txt"},
		{"deletes", file.Config{Delete: true, RepeatCount: 2}, "a b", nil, failing("b"), "a b b", "b"},
		{"leaves", file.Config{Noop: true, RepeatCount: 3}, "a b", nil, failing("b"), "a b b b", "a b"},
		{"leaves many, some with each poll", file.Config{Noop: true, RepeatCount: 3, MaxMessagesPerPoll: 1}, "a b c", nil, nil, "a b c", "a b c"},
		{"each once", file.Config{Idempotent: new(true), IdempotentKey: "${file:ext}", Delete: true, RepeatCount: 2}, "a.x b.x c.y", nil, nil, "a.x c.y", "b.x"},
		{"recursive", file.Config{Recursive: true, RepeatCount: 2}, "a s/b s/t/c .s/d", nil, nil, "a s/b s/t/c", ".done/a=a .s/d s/.done/b=s/b s/t/.done/c=s/t/c"},
		{"depths", file.Config{Recursive: true, MinDepth: 2, MaxDepth: 3, Delete: true}, "a s/b s/t/c s/t/u/d", nil, nil, "s/b s/t/c", "a s/t/u/d"},
		{"hidden ones", file.Config{IncludeHiddenFiles: true, Delete: true}, ".a b", nil, nil, ".a b", ""},
		{"include and exclude", file.Config{Include: `.*\.(xml|txt)`, Exclude: "b.*", Delete: true}, "a.XML a.xmlx b.txt c.txt", nil, nil, "a.XML c.txt", "a.xmlx b.txt"},
		{"one name", file.Config{FileName: "a-${date:now:yyyy}.txt", Delete: true}, "a a-" + time.Now().Format("2006") + ".txt", nil, nil, "a-" + time.Now().Format("2006") + ".txt", "a"},
		{"by size, the largest first", file.Config{SortBy: "reverse:file:size", Delete: true}, "a=1 b=333 c=22", nil, nil, "b c a", ""},
		{"by age", file.Config{SortBy: "file:modified", Delete: true}, "a b", old("b"), nil, "b a", ""},
		{"by ending, without case", file.Config{SortBy: "ignoreCase:file:ext;reverse:file:name", Delete: true}, "a.b b.A c.B", nil, nil, "b.A c.B a.b", ""},
		{"two with each poll", file.Config{MaxMessagesPerPoll: 2, RepeatCount: 2, Delete: true}, "a b c d e", nil, nil, "a b c d", "e"},
		{"the first ones, sorted", file.Config{MaxMessagesPerPoll: 2, SortBy: "reverse:file:name", Delete: true}, "a b c", nil, nil, "b a", "c"},
		{"the last ones of all", file.Config{MaxMessagesPerPoll: 2, EagerMaxMessagesPerPoll: new(false), SortBy: "reverse:file:name", Delete: true}, "a b c", nil, nil, "c b", "a"},
		{"with a done file each", file.Config{DoneFileName: "${file:name}.ok"}, "a a.ok= b s.ok=", nil, nil, "a", ".done/a=a b s.ok="},
		{"with a done file that fails", file.Config{DoneFileName: "ok-${file:name.noext}"}, "a.x ok-a=", nil, failing("a.x"), "a.x", "a.x ok-a="},
		{"with a done file that fails and goes", file.Config{DoneFileName: "ok-${file:name.noext}", MoveFailed: ".bad"}, "a.x ok-a=", nil, failing("a.x"), "a.x", ".bad/a.x=a.x"},
		{"with one done file", file.Config{DoneFileName: "ready", Recursive: true, RepeatCount: 2}, "a b ready= s/c t/d t/ready=", nil, failing("t/d"), "a b t/d t/d", ".done/a=a .done/b=b s/c t/d t/ready="},
		{"with one done file for more than a poll takes", file.Config{DoneFileName: "ready", Delete: true, MaxMessagesPerPoll: 1}, "a b ready=", nil, nil, "a", "b ready="},
		{"from another folder", file.Config{PreMove: ".work", Recursive: true}, "a s/b", nil, failing("s/b"), "a s/b", ".done/a=a s/b"},
		{"what a process has left", file.Config{PreMove: ".work", Recursive: true}, "a .work/s/b=s/b .work/a=old", nil, nil, "a s/b a", ".done/a=a s/.done/b=s/b"},
		{"all of what a process has left", file.Config{PreMove: ".work", RepeatCount: 2}, "a .work/a=old", nil, nil, "a a", ".done/a=a"},
		{"what a process has left with two names", file.Config{PreMove: ".work", RepeatCount: 4}, "a .work/keep=", func(dir string) {
			_ = os.Remove(filepath.Join(dir, ".work/keep"))
			_ = os.Link(filepath.Join(dir, "a"), filepath.Join(dir, ".work/a"))
		}, nil, "a a", ".done/a=a"},
		{"locked", file.Config{ReadLock: file.FileLock, Delete: true}, "a", nil, nil, "a", ""},
		{"not yet written", file.Config{ReadLock: file.Changed, ReadLockCheckInterval: new(time.Hour), RepeatCount: 3}, "a", nil, nil, "", "a"},
		{"written", file.Config{ReadLock: file.Changed, ReadLockCheckInterval: new(5 * time.Millisecond), Delay: new(10 * time.Millisecond), RepeatCount: 3, Delete: true}, "a empty=", nil, nil, "a", "empty="},
		{"too young", file.Config{ReadLock: file.Changed, ReadLockCheckInterval: new(time.Duration(0)), ReadLockMinAge: time.Minute, ReadLockMinLength: new(int64(0)), Delete: true}, "a empty=", old("empty"), nil, "empty", "a"},
		{"nothing", file.Config{SendEmptyMessageWhenIdle: true}, ".a", nil, nil, "", ".a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, dir, strings.Fields(tt.files)...)
			if tt.before != nil {
				tt.before(dir)
			}
			tt.config.Directory = dir
			led, log := consume(t, tt.config, tt.each)
			left := strings.Fields(tree(t, dir))
			want := strings.Fields(tt.left)
			slices.Sort(left)
			slices.Sort(want)
			if strings.Join(led, " ") != tt.led || !slices.Equal(left, want) {
				t.Errorf("%q were led, want %q\n%q are left, want %q\n%s", led, tt.led, left, want, log)
			}
		})
	}
}

func TestBodyAndHeaders(t *testing.T) {
	for _, stream := range []bool{false, true} {
		dir := t.TempDir()
		put(t, dir, "s/a.txt=hello")
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		if err := os.Chtimes(filepath.Join(dir, "s/a.txt"), at, at); err != nil {
			t.Fatal(err)
		}
		var late io.Reader
		led, log := consume(t, file.Config{Directory: dir, Recursive: true, Stream: stream}, func(_ context.Context, ex *route.Exchange) error {
			body := ex.Body
			if s, ok := body.(*route.Stream); ok {
				r, err := s.Open()
				if err != nil {
					return err
				}
				late = r
				if body, err = io.ReadAll(r); err != nil {
					return err
				}
			} else if stream {
				t.Errorf("the body is %T", body)
			}
			if !reflect.DeepEqual(body, []byte("hello")) {
				t.Errorf("the body is %q", body)
			}
			full := filepath.Join(dir, "s", "a.txt")
			for name, want := range map[string]any{
				"CamelFileName": "s/a.txt", "CamelFileNameOnly": "a.txt", "CamelFileNameConsumed": "s/a.txt", "CamelFilePath": full,
				"CamelFileAbsolutePath": full, "CamelFileParent": filepath.Dir(full), "CamelFileLength": int64(5), "CamelFileLastModified": at.UnixMilli(),
			} {
				if got := ex.Header(name); got != want {
					t.Errorf("%s is %v, want %v", name, got, want)
				}
			}
			return nil
		})
		if len(led) != 1 {
			t.Fatalf("%q were led\n%s", led, log)
		}
		if stream {
			if _, err := late.Read(make([]byte, 1)); err == nil {
				t.Error("the file is open when the route has returned")
			}
		}
	}
}

func TestTooLargeForABody(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a=12345678901", "b=1234567890")
	led, log := consume(t, file.Config{Directory: dir, MaxBodySize: 10, MoveFailed: ".failed"}, nil)
	if got := tree(t, dir); !slices.Equal(led, []string{"b"}) || got != ".done/b=1234567890 .failed/a=12345678901" || !strings.Contains(log, "it has more than 10 bytes: want a higher maxBodySize, or stream=true") {
		t.Errorf("%q were led, %s are left\n%s", led, got, log)
	}
}

func TestMistakes(t *testing.T) {
	for uri, want := range map[route.URI]string{
		"file:":                                         "want file:directory",
		"file:a?fileName=../b":                          `option "fileName": "../b" is outside of the directory`,
		"file:a?fileName=${file:nam}":                   `option "fileName": unknown function ${file:nam}: want file: and one of`,
		"file:a?fileName=${bodi}":                       `option "fileName": `,
		"file:a?move=/b":                                `option "move": "/b" is outside of the directory`,
		"file:a?move=..":                                `option "move": ".." is outside of the directory`,
		"file:a?moveFailed=../b":                        `option "moveFailed": "../b" is outside of the directory`,
		"file:a?preMove=../b":                           `option "preMove": "../b" is outside of the directory`,
		"file:a?preMove=${file:name}":                   `option "preMove": want the name of a folder`,
		"file:a?tempFileName=../b":                      `option "tempFileName": "../b" is outside of the directory`,
		"file:a?tempPrefix=../b":                        `option "tempPrefix": want no folders, have "../b"`,
		"file:a?doneFileName=../b":                      `option "doneFileName": want a name without folders, have "../b"`,
		"file:a?doneFileName=${body}":                   `option "doneFileName": want no expression but`,
		"file:a?doneFileName=${file:name}":              `option "doneFileName": "${file:name}" is the name of the file itself`,
		"file:a?include=(":                              `option "include": error parsing regexp`,
		"file:a?sortBy=color":                           `option "sortBy": want file:name,`,
		"file:a?readLock=rename":                        `option "readLock": want none, changed or fileLock, have "rename"`,
		"file:a?fileExist=override":                     `option "fileExist": want Override,`,
		"file:a?chmod=888":                              `option "chmod": want permissions from 000 to 777, have "888"`,
		"file:a?delete=true&noop=true":                  `options "noop" and "delete" exclude each other`,
		"file:a?noop=true&preMove=.b":                   `option "noop" leaves files as they are`,
		"file:a?noop=true&idempotent=false":             `with noop=true each file would come with every poll`,
		"file:a?recursive=true&move=done":               `option "move": with recursive=true the files in "done" would be taken again`,
		"file:a?recursive=true&includeHiddenFiles=true": `option "move": with recursive=true the files in ".done" would be taken again`,
		"file:a?minDepth=2":                             `option "minDepth" has a meaning with recursive=true only`,
		"file:a?maxMessagesPerPoll=-1":                  `option "maxMessagesPerPoll": want 0 (all) or more`,
		"file:a?maxBodySize=-1":                         `option "maxBodySize": want 0 (64 MiB) or more`,
		"file:a?maxBodySize=1&stream=true":              `exclude each other`,
		"file:a?readLockMinAge=1s":                      `option "readLockMinAge" has a meaning with readLock=changed only`,
		"file:a?readLock=changed&readLockMinLength=-1":  `option "readLockMinLength": want 0 or more`,
		"file:a?idempotentKey=a":                        `option "idempotentKey" has a meaning with idempotent=true or noop=true only`,
		"file:a?idempotent=true&idempotentRepository=b": `option "idempotentRepository": there is no "b"`,
		"file:a?delay=0":                                `option "delay": want 1ms to`,
		"file:a?tempPrefix=a&tempFileName=b":            `exclude each other`,
		"file:a?tempPrefix=a&fileExist=Append":          `option "tempPrefix" has no meaning with fileExist=Append`,
		"file:a?fileExist=TryRename":                    `fileExist=TryRename needs tempPrefix or tempFileName`,
		"file:a?fileExist=Move":                         `fileExist=Move and option "moveExisting" need each other`,
		"file:a?fileExist=Fail&delay=1s":                `option "fileExist" is for those who send, and "delay" for those who consume`,
	} {
		_, err := route.New(route.Config{Components: route.Components{"file": file.New(nil)}}, route.From("file:x").To(uri))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", uri, err, want)
		}
	}
}
