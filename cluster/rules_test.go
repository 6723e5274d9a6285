package cluster

import (
	"testing"
)

func TestExplore(t *testing.T) {
	x := exploration{timing: timing{x: 3 * tick, y: 2 * tick, r: tick}, budget: 1, quick: 1, most: 30_000}
	w := x.begin(2, false)
	n, way, whole := x.explore(w)
	t.Log(n, way, whole)
}
