//go:build unix && !linux

package scenarios

import "syscall"

// noOrphan can do nothing here.
func noOrphan() *syscall.SysProcAttr { return nil }
