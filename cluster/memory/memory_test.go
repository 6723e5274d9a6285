package memory_test

import (
	"testing"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/clustertest"
	"github.com/mehari-go/mehari/cluster/memory"
)

func TestStore(t *testing.T) {
	clustertest.TestStore(t, func(*testing.T) clustertest.Records {
		store := memory.New()
		return clustertest.Records{Open: func() cluster.Store { return store }}
	})
}
