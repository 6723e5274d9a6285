package kube

import (
	"testing"
	"time"

	"github.com/mehari-go/mehari/test/kube/bed"
)

// While the API server is away, nobody can prove to lead: all stop by y. When it is
// back they lead again. All the while it tells one client in fifty to go to another
// server, as it does behind a load balancer.
func TestAPIServerStops(t *testing.T) {
	t.Parallel()
	cp, err := bed.Start("--goaway-chance=0.02")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Close(); err != nil {
			t.Error(err)
		}
	})
	tm := newTeam(t, cp, 3)
	for _, tt := range []struct {
		name       string
		stop, back func() error
	}{
		{"Killed", func() error { cp.Kill(); return nil }, cp.Restart},
		{"Frozen", cp.Pause, cp.Resume},
	} {
		tm.settled()
		tm.ok(tt.stop())
		stopped := time.Now()
		time.Sleep(y + x)
		for _, lock := range locks {
			if s := tm.last(lock); s.Last.Sub(stopped) > y+100*time.Millisecond {
				t.Errorf("%s: %s: %s acted for %v without an API server, want at most y = %v", tt.name, lock, s.Member, s.Last.Sub(stopped), y)
			}
		}
		tm.ok(tt.back())
		back := time.Now()
		waitFor(t, "the locks are led again", func() bool {
			return time.Since(tm.last("lock1").Last) < r/2 && time.Since(tm.last("lock2").Last) < r/2
		})
		t.Logf("%s: led again %v after the API server was back", tt.name, time.Since(back).Round(time.Millisecond))
		if d := time.Since(back); d > promise+slack {
			t.Errorf("%s: led again after %v, want at most %v", tt.name, d, promise+slack)
		}
	}
}
