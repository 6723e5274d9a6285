package cluster_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
)

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		name    string
		options cluster.Options
		want    string // in the error; "" for none
	}{
		{"defaults", cluster.Options{}, ""},
		{"fast", cluster.Options{Wait: 3 * time.Second, Limit: 2 * time.Second, Beat: 500 * time.Millisecond}, ""},
		{"tight", cluster.Options{StopBudget: 3700 * time.Millisecond}, ""},
		{"x not above y", cluster.Options{Wait: 10 * time.Second}, "have 10s/1.05 = 9.52381s < 10s/0.95 + 0s = 10.526316s"},
		{"x below y", cluster.Options{Wait: 5 * time.Second}, "two members could lead at once"},
		{"budget too long", cluster.Options{StopBudget: 4 * time.Second}, "have 15s/1.05 = 14.285714s < 10s/0.95 + 4s = 14.526316s"},
		{"drift too large", cluster.Options{Drift: 0.2}, "have 15s/1.2 = 12.5s < 10s/0.8 + 0s = 12.5s"},
		{"absurd drift", cluster.Options{Drift: 1}, "want Drift between 0 and 0.5, have 1"},
		{"negative drift", cluster.Options{Drift: -0.1}, "have -0.1"},
		{"negative budget", cluster.Options{StopBudget: -1}, "StopBudget"},
		{"negative wait", cluster.Options{Wait: -time.Second}, "want Wait between 10ms and 1h0m0s, have -1s"},
		{"endless", cluster.Options{Wait: 48 * time.Hour}, "have 48h0m0s"},
		{"nanoseconds", cluster.Options{Beat: 3}, "want Beat between 10ms and 1h0m0s, have 3ns"},
		{"beat too slow", cluster.Options{Beat: 5 * time.Second}, "want Limit (10s) at least three times Beat (5s)"},
		{"two mistakes", cluster.Options{Beat: -1, Wait: -1}, "Beat"},
		{"long name", cluster.Options{Name: strings.Repeat("n", 200)}, "want at most 128 bytes, have 200"},
		{"control character", cluster.Options{Name: "a\nb"}, "control character"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := cluster.New(memory.New(), test.options)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("have %v\nwant %s", err, test.want)
			}
		})
	}
	if _, err := cluster.New(nil, cluster.Options{}); err == nil {
		t.Error("no store, no error")
	}
}

func TestLockNames(t *testing.T) {
	svc, err := cluster.New(memory.New(), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fn := func(context.Context, cluster.Term) error { return nil }
	for _, bad := range []string{"", "a\x00b", "\xff\xfe", strings.Repeat("l", 257)} {
		if err := svc.Run(t.Context(), bad, fn); err == nil {
			t.Errorf("ran under lock %q", bad)
		}
	}
	// Any other name will do, and no two are the same lock.
	names := []string{"a", "A", "a ", `a"b`, `a\b`, "a/b", "a.b", "<a>&", "замок", "🔒", "a#b", "slot-0", "table", strings.Repeat("l", 256)}
	onStage(t, 1, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(0, names...)
		for _, name := range names {
			if s.Leader(name) == nil {
				t.Errorf("nobody leads %q", name)
			}
		}
	})
}
