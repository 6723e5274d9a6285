package bed

import "syscall"

// endWithParent kills a child when this process ends, even a child that is stopped.
func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
