//go:build race

package routefx_test

// The race detector allocates.
const raceEnabled = true
