package file_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/clustertest"
	"github.com/mehari-go/mehari/cluster/file"
)

func open(t testing.TB, dir string) *file.Store {
	t.Helper()
	s, err := file.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	clustertest.TestStore(t, func(t *testing.T) clustertest.Records {
		dir := t.TempDir()
		return clustertest.Records{
			Open:   func() cluster.Store { return open(t, dir) },
			Delete: func(_ context.Context, key string) error { return os.RemoveAll(filepath.Join(dir, "records", key)) },
		}
	})
}
