package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/file"
)

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(t *testing.T, dir string) string
		want []string
	}{
		{"no folder", func(*testing.T, string) string { return "" }, []string{"no folder given"}},
		{"a file", func(t *testing.T, dir string) string {
			return write(t, dir, "plain")
		}, []string{"plain", "want a folder, there is a file"}},
		{"below a file", func(t *testing.T, dir string) string {
			return filepath.Join(write(t, dir, "plain"), "sub")
		}, []string{"plain", "want a folder, there is a file"}},
		{"foreign content", func(t *testing.T, dir string) string {
			write(t, dir, "thesis.doc")
			return dir
		}, []string{"holds something else", `"thesis.doc"`, "want an empty folder"}},
		{"foreign file among the records", func(t *testing.T, dir string) string {
			open(t, dir)
			write(t, dir, "records", "Notes.txt")
			return dir
		}, []string{filepath.Join("records", "Notes.txt"), "not a file of this store"}},
		{"foreign file in a record", func(t *testing.T, dir string) string {
			set(t, open(t, dir), cluster.TableKey, "{}", 0)
			write(t, dir, "records", "table", "old")
			return dir
		}, []string{filepath.Join("records", "table", "old"), "not a file of this store"}},
		{"foreign file among the values", func(t *testing.T, dir string) string {
			open(t, dir)
			write(t, dir, "values", "copy")
			return dir
		}, []string{filepath.Join("values", "copy"), "not a file of this store"}},
		{"a record that is a file", func(t *testing.T, dir string) string {
			open(t, dir)
			write(t, dir, "records", "table")
			return dir
		}, []string{filepath.Join("records", "table")}},
		{"a folder of its own that is a file", func(t *testing.T, dir string) string {
			write(t, dir, "values")
			return dir
		}, []string{"values"}},
		{"a table edited by hand", func(t *testing.T, dir string) string {
			set(t, open(t, dir), cluster.TableKey, "{}", 0)
			edit(t, dir, cluster.TableKey)
			return dir
		}, []string{"values", "not the value that was stored", filepath.Join("records", "table")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := file.New(test.make(t, dir))
			if err == nil {
				t.Fatalf("New = %v, want an error", s)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error %q does not say %q", err, want)
				}
			}
		})
	}
}

// A check later says what has become of the folder since.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	set(t, s, cluster.TableKey, "{}", 0)
	write(t, dir, ".DS_Store")
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	write(t, dir, "thesis.doc")
	if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "thesis.doc") {
		t.Errorf("Check = %v, want an error about thesis.doc", err)
	}
}

func TestKeys(t *testing.T) {
	s := open(t, t.TempDir())
	for _, key := range []string{"", "../table", "Slot-1", "slot 1", "a@b", ".versions", "+versions", strings.Repeat("x", 101)} {
		if _, err := s.Set(t.Context(), key, nil, 0); err == nil || !strings.Contains(err.Error(), "want 1 to 100 of") {
			t.Errorf("Set(%q) = %v, want an error that says what a key is", key, err)
		}
		if _, err := s.Get(t.Context(), key, 0); err == nil {
			t.Errorf("Get(%q) gave no error", key)
		}
	}
}

// A slot is not synced to the disk: what a crash of the machine leaves of it is
// no record, and can be written anew.
func TestBrokenSlotIsNone(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	v := set(t, s, "slot-0", "{}", 0)
	edit(t, dir, "slot-0")
	rec, err := s.Get(t.Context(), "slot-0", 0)
	if err != nil || rec.Version != 0 {
		t.Fatalf("Get of a broken slot = version %d, %v; want none", rec.Version, err)
	}
	if next := set(t, open(t, dir), "slot-0", "{}", 0); next <= v {
		t.Errorf("the slot written anew has version %d, want one after %d", next, v)
	}
}

// Deleting the folder while it is in use deletes the records, no more.
func TestFolderDeleted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cluster")
	s := open(t, dir)
	v := set(t, s, cluster.TableKey, "{}", set(t, s, cluster.TableKey, "{ }", 0))
	for range 3 {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if rec, err := s.Get(t.Context(), cluster.TableKey, v); err != nil || rec.Version != 0 {
			t.Fatalf("Get after the folder was deleted = version %d, %v; want none", rec.Version, err)
		}
		next := set(t, s, cluster.TableKey, "{}", 0)
		if next <= v {
			t.Errorf("version %d after the folder was deleted, want one after %d", next, v)
		}
		v = next
	}
}

func set(t *testing.T, s *file.Store, key, value string, prev cluster.Version) cluster.Version {
	t.Helper()
	v, err := s.Set(t.Context(), key, []byte(value), prev)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func write(t *testing.T, elem ...string) string {
	t.Helper()
	path := filepath.Join(elem...)
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// edit changes the value of a record by hand.
func edit(t *testing.T, dir, key string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "values", key+"@*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the values of %q are %q, %v; want one", key, found, err)
	}
	write(t, found[0])
}
