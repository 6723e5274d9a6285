//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package file

import "os"

const canLock = false

func lock(*os.File) (bool, error) { return true, nil }
