//go:build race

package cluster

// The simulator is one goroutine: the race detector only makes it slow.
const defaultSeeds = 16
