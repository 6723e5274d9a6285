package witness_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mehari-go/mehari/test/acceptance/witness"
)

var words = witness.Words{Acts: []string{"begin", "work"}, Stop: "end"}

// A log is written in pieces, and removed while it is read.
func TestWatch(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ns_pod-a_uid", "app")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w := witness.Watch(filepath.Join(dir, "*.log"), words)
	f, err := os.Create(filepath.Join(dir, "0.log"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write("2026-01-02T03:04:05.6Z stdout F {\"msg\":\"begin\",\"lock\":\"l\",\"token\":7}\n")
	write("2026-01-02T03:04:05.7Z stderr F panic: not JSON\n2026-01-02T03:04:05.8Z stdout F {\"msg\":\"leading\",\"lock\":\"l\",\"token\":8}\n")
	write("2026-01-02T03:04:06Z stdout F {\"msg\":\"wo")
	for len(w.Acts("l")) < 1 {
		time.Sleep(time.Millisecond)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	write("rk\",\"lock\":\"l\",\"token\":7}\n2026-01-02T03:04:06.1Z stdout F {\"msg\":\"end\",\"lock\":\"l\",\"token\":7}\n")
	for len(w.Acts("l")) < 3 {
		time.Sleep(time.Millisecond)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := "[act of pod-a/uid/0 under l with token 7 at 03:04:05.600" +
		" act of pod-a/uid/0 under l with token 7 at 03:04:06.000 end of work of pod-a/uid/0 under l with token 7 at 03:04:06.100]"
	if got := fmt.Sprint(w.Acts("l")); got != want {
		t.Errorf("have %s\nwant %s", got, want)
	}
	if got := w.Last("l").At.Second(); got != 6 {
		t.Errorf("the last act is at second %d, want 6: an end is none", got)
	}
}

func TestJudge(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	act := func(ms int, member string, token uint64) witness.Act {
		return witness.Act{At: at(ms), Member: member, Lock: "l", Token: token}
	}
	end := func(ms int, member string, token uint64) witness.Act {
		return witness.Act{At: at(ms), Member: member, Lock: "l", Token: token, Stop: true}
	}
	for _, test := range []struct {
		name   string
		acts   []witness.Act
		paused string
		wrong  int
	}{
		{"one leader after the other", []witness.Act{act(1, "a", 1), act(2, "a", 1), end(3, "a", 1), act(4, "b", 2), act(5, "a", 3)}, "", 0},
		{"an act of a leader that is deposed", []witness.Act{act(1, "a", 1), act(2, "b", 2), act(3, "a", 1), act(4, "b", 2)}, "", 1},
		{"the same though it was paused", []witness.Act{act(1, "a", 1), act(2, "b", 2), act(3, "a", 1)}, "a", 1},
		{"two with one token", []witness.Act{act(1, "a", 1), act(2, "b", 1)}, "", 1},
		{"work that ends in the next term", []witness.Act{act(1, "a", 1), act(2, "b", 2), end(3, "a", 1)}, "", 1},
		{"the same of one that was paused", []witness.Act{act(1, "a", 1), act(2, "b", 2), end(3, "a", 1)}, "a", 0},
	} {
		if wrong := witness.Judge(test.acts, map[string]bool{test.paused: true}); len(wrong) != test.wrong {
			t.Errorf("%s: %v, want %d", test.name, wrong, test.wrong)
		}
	}
}
