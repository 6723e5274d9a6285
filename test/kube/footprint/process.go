package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A cost is what a program needs until its first tick.
type cost struct {
	CPU    time.Duration
	Memory int64 // resident, in bytes, at its highest
}

// measure runs a program until its first tick and ends it in order.
func measure(ctx context.Context, command ...string) (c cost, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	in, err := cmd.StdinPipe() // open for as long as it is to live
	if err != nil {
		return c, err
	}
	defer in.Close()
	out, write, err := os.Pipe()
	if err != nil {
		return c, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = write, write
	err = cmd.Start()
	write.Close()
	if err != nil {
		return c, err
	}
	var seen []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		seen = append(seen, lines.Text())
		if strings.Contains(lines.Text(), "Hello World!") {
			c, err = look(cmd.Process.Pid)
			return c, errors.Join(err, end(cmd, out))
		}
	}
	return c, fmt.Errorf("%s ends without a tick: %w\n%s", command[0], cmd.Wait(), strings.Join(seen, "\n"))
}

// end has a process stop by itself, so that others need not wait for its locks.
func end(cmd *exec.Cmd, out io.Reader) error {
	err := cmd.Process.Signal(syscall.SIGTERM)
	_, copied := io.Copy(io.Discard, out)
	var exit *exec.ExitError
	if wait := cmd.Wait(); !errors.As(wait, &exit) { // how it ends is not what is measured
		err = errors.Join(err, wait)
	}
	return errors.Join(err, copied)
}

// look reads what a process has used so far.
func look(pid int) (c cost, err error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err == nil && len(threads) == 0 {
		err = errors.New("the kernel does not tell how long a thread has run: want Linux with /proc/PID/task/*/schedstat")
	}
	if err != nil {
		return c, err
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			return c, err
		}
		ran, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(ran, 10, 64)
		if err != nil {
			return c, fmt.Errorf("%s: %w", thread, err)
		}
		c.CPU += time.Duration(ns)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return c, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscanf(rest, "%d kB", &kib); err != nil {
		return c, fmt.Errorf("VmHWM of process %d: %w", pid, err)
	}
	c.Memory = kib << 10
	return c, nil
}

// least is the smallest cost of each kind: what is above it is noise.
func least(costs []cost) cost {
	l := costs[0]
	for _, c := range costs {
		l.CPU, l.Memory = min(l.CPU, c.CPU), min(l.Memory, c.Memory)
	}
	return l
}
