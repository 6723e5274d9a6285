package cluster_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
)

// A brokenStore fails from some time on.
type brokenStore struct {
	*memory.Store
	from time.Time
}

func (s brokenStore) Set(ctx context.Context, key string, value []byte, prev cluster.Version) (cluster.Version, error) {
	if time.Now().After(s.from) {
		return 0, errors.New("broken")
	}
	return s.Store.Set(ctx, key, value, prev)
}

// Where nothing else is said, a process of which a function does not stop exits.
// The test runs itself as that process.
func TestOverrunExits(t *testing.T) {
	const asked = "MEHARI_TEST_OVERRUN"
	if os.Getenv(asked) != "" {
		svc, err := cluster.New(brokenStore{memory.New(), time.Now().Add(100 * time.Millisecond)},
			cluster.Options{Wait: 600 * time.Millisecond, Limit: 300 * time.Millisecond, Beat: 30 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		_ = svc.Run(context.Background(), "lock1", func(context.Context, cluster.Term) error { select {} })
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOverrunExits$", "-test.timeout=20s")
	cmd.Env = append(os.Environ(), asked+"=1")
	out, err := cmd.CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 3 || !strings.Contains(string(out), "lock=lock1") {
		t.Errorf("have %v\n%s", err, out)
	}
}
