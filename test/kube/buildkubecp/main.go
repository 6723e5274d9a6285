// Buildkubecp prints the path of the control plane of the tests, and builds it
// first where that is needed.
//
//	buildkubecp           build it and print its path
//	buildkubecp -ldflags  print the linker's flags for the commands of Kubernetes
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"

	"github.com/mehari-go/mehari/test/kube/kubecp"
)

func main() {
	ldflags := flag.Bool("ldflags", false, "print the linker's flags only")
	flag.Parse()
	if *ldflags {
		fmt.Println(kubecp.LDFlags)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	path, err := kubecp.Build(ctx, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "buildkubecp:", err)
		os.Exit(1)
	}
	fmt.Println(path)
}
