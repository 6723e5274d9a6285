//go:build !race

package cluster

const defaultSeeds = 80
