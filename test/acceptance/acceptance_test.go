//go:build linux

// Package acceptance deploys the example of examples/kubernetes, with its own manifests,
// on a real cluster of three nodes, and does to it what happens to programs in
// production. A witness outside of the pods sees to it that never two lead.
package acceptance

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mehari-go/mehari/test/acceptance/nodes"
	"github.com/mehari-go/mehari/test/acceptance/witness"
)

const (
	namespace = "acceptance"
	app       = "leader-election"
	command   = "/bin/leader-election"
)

// The default timing of the cluster, which the example uses, and what a loaded machine
// may add.
const (
	x     = 15 * time.Second
	y     = 10 * time.Second
	beat  = 3 * time.Second
	slack = time.Second
)

// The locks of the example. The route's first tick is a second after its start.
const (
	hello     = "lock1"
	custom    = "lock2"
	firstTick = time.Second
)

var locks = []string{hello, custom}

var words = witness.Words{
	Acts: []string{"Hello World!", "CustomService has been started on the master pod", "CustomService works"},
	Stop: "CustomService has been stopped on the master pod",
}

func TestAcceptance(t *testing.T) {
	bin := os.Getenv("ACCEPTANCE_BIN")
	if bin == "" {
		t.Skip("run it with: make -C test/acceptance")
	}
	if err := nodes.Missing(); err != nil {
		t.Skipf("the acceptance run needs Linux, root, containerd, runc, CNI plugins, iptables, iproute2 and kubectl. Here:\n%v", err)
	}
	// Ctrl-C ends the run, and then what it has made is removed all the same.
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	release, err := nodes.Alone()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := release(); err != nil {
			t.Error(err)
		}
	})
	if err := nodes.Clean(); err != nil {
		t.Fatal(err)
	}
	image := nodes.Image{Tag: "mehari.test/leader-election:acceptance", Command: command, File: filepath.Join(bin, app)}
	cluster, err := nodes.Up(ctx, bin, image)
	if err != nil {
		t.Fatal(err)
	}
	w := witness.Watch(nodes.PodLogs(), words)
	t.Cleanup(func() {
		if err := errors.Join(w.Close(), cluster.Down()); err != nil {
			t.Error(err)
		}
	})
	run := &run{ctx: ctx, cluster: cluster, witness: w, paused: map[string]bool{}}
	applied := time.Now()
	if err := run.kubectl("apply", "-k", "overlay"); err != nil {
		t.Fatal(err)
	}
	run.all(t, applied)
	t.Logf("\n%s", run.table())
	for _, lock := range locks {
		if wrong := witness.Judge(w.Acts(lock), run.paused); len(wrong) > 0 {
			t.Errorf("two leaders of %s, %d times; at first: %v", lock, len(wrong), errors.Join(wrong[:min(5, len(wrong))]...))
		}
	}
}

func (r *run) kubectl(args ...string) error {
	cmd := exec.CommandContext(r.ctx, "kubectl", append([]string{"--kubeconfig", r.cluster.Kubeconfig()}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
