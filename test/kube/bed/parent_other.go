//go:build !linux

package bed

import "syscall"

// endWithParent is not to be had here: children of a killed test live on.
func endWithParent() *syscall.SysProcAttr { return nil }
