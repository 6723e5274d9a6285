package zip_test

import (
	stdzip "archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/dataformat/formattest"
	"github.com/mehari-go/mehari/dataformat/zip"
)

var harness = formattest.Harness{
	Format:    zip.Format{},
	Name:      "zip",
	Values:    []any{[]byte("hello, hello"), "", strings.Repeat("text", 1000)},
	Natural:   []byte("hello, hello"),
	Bytes:     true,
	Truncated: true,
	Bad:       []string{"", "PK", "text", archive(), archive("a", "b"), archive("../a"), archive("/a"), archive(`a\b`), archive("c:a")},
	Unfit:     []any{make(chan int), (*zip.Entry)(nil), &zip.Entry{Name: "a"}, entry("../a"), []*zip.Entry{entry("")}, iter.Seq2[any, error](nil), sequence("a"), sequence(errors.New("dead"))},
}

// archive returns an archive of files, each with its name.
func archive(names ...string) string {
	var b bytes.Buffer
	w := stdzip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		if err == nil && !strings.HasSuffix(name, "/") {
			_, err = io.WriteString(f, name)
		}
		if err != nil {
			panic(err)
		}
	}
	w.Close()
	return b.String()
}

func entry(name string) *zip.Entry { return &zip.Entry{Name: name, Reader: strings.NewReader("x")} }

func sequence(values ...any) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for _, v := range values {
			err, _ := v.(error)
			if !yield(v, err) {
				return
			}
		}
	}
}

func TestFormat(t *testing.T) { formattest.Test(t, harness) }

func FuzzFormat(f *testing.F) { formattest.Fuzz(f, harness) }

// names reads all files and returns their names and contents.
func names(f zip.Format, r io.Reader) (all []string, err error) {
	var entries iter.Seq2[any, error]
	if err := f.Unmarshal(r, &entries); err != nil {
		return nil, err
	}
	for v, err := range entries {
		if err != nil {
			return all, err
		}
		e := v.(*zip.Entry)
		b, err := io.ReadAll(e)
		if err != nil {
			return all, err
		}
		all = append(all, e.Name+"="+string(b))
	}
	return all, nil
}

func TestEntries(t *testing.T) {
	want := []string{"a=a", "b/c=b/c"}
	text := archive("a", "b/", "b/c")
	file := filepath.Join(t.TempDir(), "zip")
	if err := os.WriteFile(file, []byte("xx"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if _, err := opened.Seek(2, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	for _, r := range []io.Reader{strings.NewReader(text), bytes.NewBufferString(text), opened} {
		if got, err := names(zip.Format{}, r); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%T: %q, %v, want %q", r, got, err, want)
		}
	}
	for range (zip.Format{}).Entries(strings.NewReader(text)) {
		break // and nothing happens
	}
	for _, c := range []struct {
		format zip.Format
		in     string
		want   string
	}{
		{zip.Format{MaxSize: 3}, text, "there are more than the 3 bytes that MaxSize allows"},
		{zip.Format{MaxEntries: 2}, text, "there are 3 entries, and MaxEntries is 2"},
		{zip.Format{}, archive("../../etc/passwd"), `the name "../../etc/passwd" is not that of a file below`},
		{zip.Format{}, "text", "zip: not a valid zip file"},
		{zip.Format{}, strings.Replace(text, "PK\x01\x02\x14\x00\x14\x00\x08", "PK\x01\x02\x14\x00\x14\x00\x09", 1), `the file "a" is encrypted`},
	} {
		got, err := names(c.format, strings.NewReader(c.in))
		if err == nil || err.Error() != c.want {
			t.Errorf("%q, %v, want %s", got, err, c.want)
		}
	}
	var b []byte
	err = zip.Format{}.Unmarshal(strings.NewReader(text), &b)
	if want := "there are 2 files, want one; an iter.Seq2[any, error] takes more"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestWrite(t *testing.T) {
	when := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for _, v := range []any{
		[]*zip.Entry{entry("a"), {Name: "b/c", Modified: when, Reader: strings.NewReader("x")}},
		sequence(entry("a"), entry("b/c")),
	} {
		var b bytes.Buffer
		if err := (zip.Format{}).Marshal(&b, v); err != nil {
			t.Fatal(err)
		}
		if got, err := names(zip.Format{}, &b); err != nil || !reflect.DeepEqual(got, []string{"a=x", "b/c=x"}) {
			t.Errorf("%q, %v", got, err)
		}
	}
	var b bytes.Buffer
	if err := (zip.Format{Name: "notes.txt"}).Marshal(&b, "x"); err != nil {
		t.Fatal(err)
	}
	if got, err := names(zip.Format{}, &b); err != nil || !reflect.DeepEqual(got, []string{"notes.txt=x"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// A few bytes do not become more than was allowed, in one file or in many.
func TestBomb(t *testing.T) {
	var b bytes.Buffer
	zeros := strings.Repeat("\x00", 1<<20)
	many := []*zip.Entry{}
	for i := range 10 {
		many = append(many, &zip.Entry{Name: fmt.Sprint(i), Reader: strings.NewReader(zeros)})
	}
	if err := (zip.Format{}).Marshal(&b, many); err != nil {
		t.Fatal(err)
	}
	got, err := names(zip.Format{MaxSize: 5 << 20}, &b)
	if len(got) != 5 || err == nil || err.Error() != "there are more than the 5 MB that MaxSize allows" {
		t.Errorf("%d files, %v", len(got), err)
	}
}

func Example() {
	var archive bytes.Buffer
	files := []*zip.Entry{
		{Name: "tea.txt", Reader: strings.NewReader("green")},
		{Name: "old/cup.txt", Reader: strings.NewReader("blue")},
	}
	if err := (zip.Format{}).Marshal(&archive, files); err != nil {
		fmt.Println(err)
	}
	for v, err := range (zip.Format{}).Entries(&archive) {
		if err != nil {
			fmt.Println(err)
			return
		}
		file := v.(*zip.Entry)
		text, _ := io.ReadAll(file)
		fmt.Printf("%s: %s\n", file.Name, text)
	}

	// Output:
	// tea.txt: green
	// old/cup.txt: blue
}
