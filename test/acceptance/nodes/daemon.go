//go:build linux

package nodes

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// A daemon is a process of the cluster, with a log in [State].
type daemon struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

// start starts a daemon. It is not of the terminal's process group: Ctrl-C is for the
// test, which then ends its daemons in order.
func (c *Cluster) start(name, command string, args ...string) error {
	d := &daemon{cmd: exec.Command(command, args...), log: c.path(name + ".log"), ended: make(chan struct{})}
	log, err := os.OpenFile(d.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the daemon has its own descriptor
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := d.cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c.daemons[name] = d
	c.running.Go(func() {
		_ = d.cmd.Wait() // who needs it finds it ended, and the log says why
		close(d.ended)
	})
	return nil
}

// tail is the end of the log.
func (d *daemon) tail() string {
	b, err := os.ReadFile(d.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// run runs a command that ends.
func run(command string, args ...string) error {
	out, err := exec.Command(command, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", command, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
