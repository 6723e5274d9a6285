//go:build linux

// Clean removes what an acceptance run has left that was killed.
package main

import (
	"fmt"
	"os"

	"github.com/mehari-go/mehari/test/acceptance/nodes"
)

func main() {
	if err := nodes.Clean(); err != nil {
		fmt.Fprintln(os.Stderr, "clean:", err)
		os.Exit(1)
	}
}
