package main

import (
	"os/exec"
	"runtime"
	"syscall"
)

// noOrphan has the process killed when this one ends, however it does: one that is
// paused cannot see its input close. The kernel means the thread that started it,
// so it has to be one that lasts.
func noOrphan(cmd *exec.Cmd) {
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
