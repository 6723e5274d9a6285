//go:build race

package direct_test

const raceEnabled = true
