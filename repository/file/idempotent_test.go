package file_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mehari-go/mehari/repository/file"
)

var quiet = file.Options{Logger: slog.New(slog.DiscardHandler)}

func open(t testing.TB, path string, o file.Options) *file.Idempotent {
	t.Helper()
	r, err := file.OpenIdempotent(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func add(t testing.TB, r *file.Idempotent, key string, want bool) {
	t.Helper()
	if ok, err := r.Add(context.Background(), key); ok != want || err != nil {
		t.Errorf("add %q: %v, %v, want %v", key, ok, err, want)
	}
}

func has(t testing.TB, r *file.Idempotent, key string, want bool) {
	t.Helper()
	if ok, err := r.Contains(context.Background(), key); ok != want || err != nil {
		t.Errorf("contains %q: %v, %v, want %v", key, ok, err, want)
	}
}

func confirm(t testing.TB, r *file.Idempotent, key string) {
	t.Helper()
	if err := r.Confirm(context.Background(), key); err != nil {
		t.Errorf("confirm %q: %v", key, err)
	}
}

func remove(t testing.TB, r *file.Idempotent, key string) {
	t.Helper()
	if err := r.Remove(context.Background(), key); err != nil {
		t.Errorf("remove %q: %v", key, err)
	}
}

func TestWhatIsConfirmedStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen")
	r := open(t, path, file.Options{Sync: true})
	odd := "a \"key\"\nof\xff two lines"
	for _, key := range []string{odd, "in flight", "failed", "taken back", ""} {
		add(t, r, key, true)
		add(t, r, key, false)
	}
	confirm(t, r, odd)
	confirm(t, r, odd)
	confirm(t, r, "taken back")
	confirm(t, r, "never added")
	confirm(t, r, "")
	remove(t, r, "failed")
	remove(t, r, "taken back")
	remove(t, r, "never there")
	has(t, r, "in flight", true)
	has(t, r, "failed", false)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("the second time: %v", err)
	}
	if _, err := r.Add(t.Context(), "x"); err == nil || r.Confirm(t.Context(), "x") == nil || r.Remove(t.Context(), "x") == nil || r.Clear() == nil {
		t.Error("a closed repository takes keys")
	}
	for range 2 {
		r = open(t, path, file.Options{})
		for _, key := range []string{odd, "never added", ""} {
			has(t, r, key, true)
		}
		for _, key := range []string{"in flight", "failed", "taken back"} {
			has(t, r, key, false)
		}
		if r.Len() != 3 {
			t.Errorf("%d keys", r.Len())
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r = open(t, path, file.Options{})
	if err := r.Clear(); err != nil {
		t.Fatal(err)
	}
	add(t, r, odd, true)
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("%v, %v, want an empty file", info.Size(), err)
	}
}

func TestTheFileIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen")
	r := open(t, path, file.Options{Size: 50})
	most := int64(0)
	for i := range 9_999 {
		key := fmt.Sprintf("%05d", i)
		add(t, r, key, true)
		confirm(t, r, key)
		if i%3 == 0 {
			remove(t, r, key)
		}
		if info, err := os.Stat(path); err != nil {
			t.Fatal(err)
		} else {
			most = max(most, info.Size())
		}
	}
	line := int64(len("+\"00000\" 00000000\n"))
	if limit := (2*50 + 1000) * line; most > limit || most < limit/2 {
		t.Errorf("the file had %d bytes, want at most %d", most, limit)
	}
	for range 2 {
		if r.Len() != 50 {
			t.Errorf("%d keys, want 50", r.Len())
		}
		has(t, r, "09998", true)
		has(t, r, "09996", false) // divisible by three
		has(t, r, "09925", true)  // 49 before that
		has(t, r, "09923", false)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		r = open(t, path, file.Options{Size: 50})
	}
	r.Close()
	r = open(t, path, file.Options{Size: 5})
	if r.Len() != 5 {
		t.Errorf("%d keys, want 5", r.Len())
	}
	has(t, r, "09998", true)
}

func TestDamage(t *testing.T) {
	whole := "+\"a\" c4387eaf\n"
	path := filepath.Join(t.TempDir(), "seen")
	r := open(t, path, file.Options{})
	confirm(t, r, "a")
	r.Close()
	if have, _ := os.ReadFile(path); string(have) != whole {
		t.Fatalf("the file is %q, want %q", have, whole)
	}
	for _, c := range []struct {
		name, content string
		damaged       int
		keys          int
	}{
		{"empty", "", 0, 0},
		{"whole", whole, 0, 1},
		{"twice", whole + whole, 0, 1},
		{"torn", whole + "+\"b", 1, 1},
		{"torn before its end", whole[:len(whole)-1], 1, 0},
		{"zeros", whole + strings.Repeat("\x00", 4096), 1, 1},
		{"in the middle", "+\"b\" 00000000\n" + whole, 1, 1},
		{"empty lines", "\n\n" + whole, 2, 1},
		{"a very long line", strings.Repeat("x", 1<<20) + "\n" + whole, 1, 1},
		{"a very long torn line", whole + strings.Repeat("x", 1<<20), 1, 1},
		{"something else", "#!/bin/sh\nexit 1\n", 2, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			var logs bytes.Buffer
			o := file.Options{Logger: slog.New(slog.NewTextHandler(&logs, nil))}
			r := open(t, path, o)
			if r.Len() != c.keys {
				t.Errorf("%d keys, want %d", r.Len(), c.keys)
			}
			if want := fmt.Sprintf("lines=%d", c.damaged); (c.damaged > 0) != strings.Contains(logs.String(), want) {
				t.Errorf("logged %q, want %s", logs.String(), want)
			}
			confirm(t, r, "new")
			r.Close()
			logs.Reset()
			r = open(t, path, o)
			has(t, r, "new", true)
			has(t, r, "a", c.keys > 0)
			r.Close()
			if logs.Len() > 0 {
				t.Errorf("logged again: %s", logs.String())
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "seen")
	wantError := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want …%s…", err, want)
		}
	}
	_, err := file.OpenIdempotent(path, file.Options{Size: -1})
	wantError(err, "want a size that is not negative, have -1")
	_, err = file.OpenIdempotent(filepath.Join(dir, "none", "seen"), quiet)
	wantError(err, "no such file")
	_, err = file.OpenIdempotent(dir, quiet)
	wantError(err, "is a directory")
	r := open(t, path, quiet)
	long := strings.Repeat("k", 1<<16+1)
	_, err = r.Add(t.Context(), long)
	wantError(err, "the key has 65537 bytes, want at most 65536")
	wantError(r.Confirm(t.Context(), long), "the key has 65537 bytes, want at most 65536")
	longest := strings.Repeat("\xff", 1<<16)
	confirm(t, r, longest)
	_, err = file.OpenIdempotent(path, quiet)
	wantError(err, "it is in use already")
	r.Close()
	r = open(t, path, quiet)
	has(t, r, longest, true)
}

// A file that cannot be shortened grows, and that is told; nothing else fails.
func TestNotShortened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen")
	if err := os.Mkdir(path+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new/x", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var logs bytes.Buffer
	o := file.Options{Size: 500, Logger: slog.New(slog.NewTextHandler(&logs, nil))}
	r := open(t, path, o)
	for i := range 1600 {
		confirm(t, r, fmt.Sprint(i))
	}
	if n := strings.Count(logs.String(), "the file is not shortened"); n != 2 { // at 1000 and 1500 lines
		t.Errorf("told %d times: %s", n, logs.String())
	}
	has(t, r, "1599", true)
	if r.Len() != 500 {
		t.Errorf("%d keys", r.Len())
	}
}

func TestAtTheSameTime(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "seen"), quiet)
	var won atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 500 {
				key := fmt.Sprint(i)
				ok, err := r.Add(t.Context(), key)
				if err != nil {
					t.Error(err)
				}
				if ok {
					won.Add(1)
					confirm(t, r, key)
				}
			}
		})
	}
	all.Wait()
	if won.Load() != 500 || r.Len() != 500 {
		t.Errorf("%d won, %d keys", won.Load(), r.Len())
	}
}

// Whatever is in the file, it can be opened, and what is confirmed then stays.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("+\"a\" c4387eaf\n-\"a\" e1532173\n+\"b"), "a")
	f.Add([]byte("\x00\n+"), "\n\xff\"")
	path := filepath.Join(f.TempDir(), "seen")
	f.Fuzz(func(t *testing.T, content []byte, key string) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		r := open(t, path, quiet)
		before := r.Len()
		known, err := r.Contains(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if len(key) <= 1<<16 {
			confirm(t, r, key)
			if !known {
				before++
			}
		}
		r.Close()
		r = open(t, path, quiet)
		has(t, r, key, len(key) <= 1<<16)
		if r.Len() != before {
			t.Errorf("%d keys, want %d", r.Len(), before)
		}
		r.Close()
	})
}
