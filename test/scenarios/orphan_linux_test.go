package scenarios

import "syscall"

// noOrphan has a process killed when the tests end, however they do.
func noOrphan() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
