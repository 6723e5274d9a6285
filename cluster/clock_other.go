//go:build !linux

package cluster

import "time"

// sinceBoot knows no such clock here: only the wall clock tells that the machine
// slept.
func sinceBoot() (time.Duration, bool) { return 0, false }
