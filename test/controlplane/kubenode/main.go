// Kubenode is the rest of a Kubernetes cluster in one binary:
//
//	kubenode kube-controller-manager|kube-scheduler|kubelet|kube-proxy FLAGS
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	// The constructors install the process's only signal handler: call just one.
	commands := map[string]func() *cobra.Command{
		"kube-controller-manager": controllermanager.NewControllerManagerCommand,
		"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
		"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
		"kube-proxy":              func() *cobra.Command { return proxy.NewProxyCommand() },
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: kubenode kube-controller-manager|kube-scheduler|kubelet|kube-proxy FLAGS")
		os.Exit(2)
	}
	os.Args = os.Args[1:] // the kubelet reads them itself
	cmd := commands[os.Args[0]]()
	cmd.SetArgs(os.Args[1:])
	os.Exit(cli.Run(cmd))
}
