package cluster

import (
	"syscall"
	"time"
	"unsafe"
)

// sinceBoot reads CLOCK_BOOTTIME, which goes on while the machine sleeps. The
// runtime's monotonic clock, CLOCK_MONOTONIC, does not (golang.org/issue/24595).
// It is of no use where time.Now is not the time of the machine, as in a synctest
// bubble.
func sinceBoot() (time.Duration, bool) {
	const realtime, boottime = 0, 7 // time.h
	wall, ok := readClock(realtime)
	if !ok || (wall-time.Duration(time.Now().UnixNano())).Abs() > time.Minute {
		return 0, false
	}
	return readClock(boottime)
}

func readClock(id uintptr) (time.Duration, bool) {
	var ts syscall.Timespec
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&ts)), 0)
	return time.Duration(ts.Nano()), errno == 0
}
