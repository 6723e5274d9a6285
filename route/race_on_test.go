//go:build race

package route_test

// The race detector allocates.
const raceEnabled = true
