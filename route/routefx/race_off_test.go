//go:build !race

package routefx_test

const raceEnabled = false
