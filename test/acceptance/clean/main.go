//go:build linux

// Clean removes what an acceptance run has left that was killed.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/mehari-go/mehari/test/acceptance/nodes"
)

func main() {
	if err := clean(); err != nil {
		fmt.Fprintln(os.Stderr, "clean:", err)
		os.Exit(1)
	}
}

func clean() error {
	release, err := nodes.Alone()
	if err != nil {
		return err
	}
	return errors.Join(nodes.Clean(), release())
}
