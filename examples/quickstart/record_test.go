package main

import (
	"strings"
	"testing"
	"time"
)

func TestVerdict(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	for _, test := range []struct {
		name  string
		ticks []tick
		want  string
	}{
		{"nobody", nil, "nobody ever led"},
		{"one", []tick{{at(1), 1, 7}, {at(2), 1, 7}}, ""},
		{"handed over", []tick{{at(1), 1, 7}, {at(2), 2, 9}, {at(3), 1, 12}}, ""},
		{"told late", []tick{{at(1), 1, 7}, {at(3), 2, 9}, {at(2), 1, 7}}, ""},
		{"same token", []tick{{at(1), 1, 7}, {at(2), 2, 7}}, "two leaders: replica 2 ticked with token 7"},
		{"lower token", []tick{{at(1), 1, 7}, {at(2), 2, 9}, {at(3), 1, 7}}, "two leaders: replica 1 ticked with token 7"},
		{"no token", []tick{{at(1), 1, 0}}, "without leading"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r record
			for _, tick := range test.ticks {
				r.add(tick)
			}
			err := r.verdict()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("verdict = %v, want %q", err, test.want)
			}
		})
	}
}

func TestTakeOver(t *testing.T) {
	start := time.UnixMilli(0)
	var r record
	r.add(tick{start, 1, 7})
	r.lose(r.leader(), "killed", start.Add(time.Second))
	if err := r.verdict(); err == nil || !strings.Contains(err.Error(), "replica 1 was killed, and nobody took over") {
		t.Errorf("verdict = %v, want that nobody took over", err)
	}
	if r.add(tick{start.Add(900 * time.Millisecond), 1, 7}) != nil {
		t.Error("a tick from before the kill, told late, counts as the take-over")
	}
	got := r.add(tick{start.Add(2500 * time.Millisecond), 3, 9})
	if got == nil || got.took != 1500*time.Millisecond || got.to != 3 {
		t.Fatalf("take-over = %v, want replica 3 after 1.5 s", got)
	}
	if err := r.verdict(); err != nil {
		t.Errorf("verdict = %v", err)
	}
	r.lose(3, "paused", start.Add(3*time.Second))
	r.close(start.Add(4 * time.Second))
	if err := r.verdict(); err != nil || len(r.takeOvers) != 1 {
		t.Errorf("verdict = %v with %d take-overs, want none more", err, len(r.takeOvers))
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"x"}, {"-for", "-1s"}, {"-kill", "-1s"}, {"-for", "5s", "-kill", "5s"}, {"-for", "soon"}} {
		if status := run(args); status != 2 {
			t.Errorf("run(%q) = %d, want 2", args, status)
		}
	}
}
