//go:build race

package seda_test

const raceEnabled = true
