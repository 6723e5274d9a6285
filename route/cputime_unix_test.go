//go:build unix

package route_test

import (
	"syscall"
	"time"
)

// cpuTime is how long the process has run on all processors, its garbage collector included.
func cpuTime() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r) // cannot fail
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
