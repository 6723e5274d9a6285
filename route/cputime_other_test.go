//go:build !unix

package route_test

import "time"

var begin = time.Now()

// cpuTime is the time that has passed, where there is no better measure.
func cpuTime() time.Duration { return time.Since(begin) }
