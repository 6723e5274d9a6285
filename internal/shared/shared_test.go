package shared_test

import (
	"maps"
	"runtime"
	"testing"
	"time"

	"github.com/mehari-go/mehari/internal/shared"
)

type queue struct{ name *string }

func TestOneValueForEachName(t *testing.T) {
	var m shared.Map[queue]
	made := 0
	create := func() *queue { made++; return &queue{name: new("q")} }
	a, b := m.Get("a", create), m.Get("b", create)
	if m.Get("a", create) != a || a == b || made != 2 {
		t.Errorf("made %d values for 2 names", made)
	}
	if got := maps.Collect(m.All()); len(got) != 2 || got["a"] != a || got["b"] != b {
		t.Errorf("All yields %v", got)
	}
	runtime.KeepAlive(a)
	runtime.KeepAlive(b)
}

func TestForgetsWhatNobodyHolds(t *testing.T) {
	var m shared.Map[queue]
	held := m.Get("held", func() *queue { return &queue{name: new("held")} })
	m.Get("dropped", func() *queue { return &queue{name: new("dropped")} })
	for range 1000 {
		runtime.GC() // what it frees is forgotten a little later
		if got := maps.Collect(m.All()); len(got) == 1 && got["held"] == held {
			runtime.KeepAlive(held)
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("still holds %v", maps.Collect(m.All()))
}
