// Footprint measures what small programs cost, stripped: the size of the binary, the
// CPU time until the first tick and the memory, and ends with status 1 where that is
// more than was promised.
//
//	hello             a route on the core alone
//	hello/kubernetes  the same, led through a real API server
//	quickstart        a replica on a folder
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/mehari-go/mehari/test/kube/bed"
)

// A promise is what a program may cost; 0 means that nothing was promised.
type promise struct {
	name, pkg string
	size      int64 // of the binary, in bytes
	cost      cost
}

const mb = 1_000_000

var (
	plain      = promise{"hello", "./examples/hello", 5 * mb, cost{5 * time.Millisecond, 8 * mb}}
	led        = promise{"hello/kubernetes", "./footprint/hello", 28 * mb, cost{16 * time.Millisecond, 24 * mb}}
	quickstart = promise{"quickstart", "./examples/quickstart", 0, cost{0, 30 * mb}}
)

func main() {
	runs := flag.Int("runs", 10, "how often to run each program; the least counts")
	inPod := flag.Bool("in-pod", false, "used inside: measure the program that the arguments name")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := errors.New("-runs: want 1 or more")
	switch {
	case *inPod:
		err = report(ctx, *runs, flag.Args())
	case *runs > 0:
		err = check(ctx, *runs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "footprint:", err)
		os.Exit(1)
	}
}

// check measures all programs.
func check(ctx context.Context, runs int) (err error) {
	dir, err := os.MkdirTemp("", "footprint")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/mehari-go/mehari").Output()
	if err != nil {
		return fmt.Errorf("find the repository, which must be the working directory's: %w", err)
	}
	var broken []error
	for _, p := range []struct {
		promise
		folder  string // in which to build
		measure func(ctx context.Context, runs int, binary string) (cost, error)
	}{
		{plain, strings.TrimSpace(string(root)), alone},
		{quickstart, strings.TrimSpace(string(root)), replica},
		{led, ".", leading},
	} {
		binary := filepath.Join(dir, filepath.Base(p.name))
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, p.pkg)
		build.Dir, build.Env = p.folder, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: go build: %w\n%s", p.name, err, out)
		}
		file, err := os.Stat(binary)
		if err != nil {
			return err
		}
		c, err := p.measure(ctx, runs, binary)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		broken = append(broken, p.compare(file.Size(), c))
	}
	return errors.Join(broken...)
}

// compare prints what a program costs and returns what is too much.
func (p promise) compare(size int64, c cost) error {
	fmt.Printf("%-17s %5.1f MB  %5.1f ms  %5.1f MB resident\n",
		p.name, float64(size)/mb, c.CPU.Seconds()*1000, float64(c.Memory)/mb)
	var errs []error
	if p.size > 0 && size > p.size {
		errs = append(errs, fmt.Errorf("%s: the binary has %d bytes, want at most %d", p.name, size, p.size))
	}
	if p.cost.CPU > 0 && c.CPU > p.cost.CPU {
		errs = append(errs, fmt.Errorf("%s: the first tick comes after %v of CPU, want at most %v", p.name, c.CPU, p.cost.CPU))
	}
	if c.Memory > p.cost.Memory {
		errs = append(errs, fmt.Errorf("%s: %d bytes are resident, want at most %d", p.name, c.Memory, p.cost.Memory))
	}
	return errors.Join(errs...)
}

func alone(ctx context.Context, runs int, binary string) (cost, error) {
	return repeat(ctx, runs, binary)
}

// replica measures a replica of the quickstart by itself.
func replica(ctx context.Context, runs int, binary string) (cost, error) {
	return repeat(ctx, runs, binary, "-replica", "1", "-folder", binary+".folder")
}

func repeat(ctx context.Context, runs int, command ...string) (cost, error) {
	var costs []cost
	for range runs {
		c, err := measure(ctx, command...)
		if err != nil {
			return c, err
		}
		costs = append(costs, c)
	}
	return least(costs), nil
}

// leading measures a program in a pod, which is this program: only a process can look
// at its children.
func leading(ctx context.Context, runs int, binary string) (c cost, err error) {
	self, err := os.Executable()
	if err != nil {
		return c, err
	}
	rules, err := bed.Role()
	if err != nil {
		return c, err
	}
	cp, err := bed.Start()
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, cp.Close()) }()
	ns, err := cp.Namespace(ctx, "footprint", rules)
	if err != nil {
		return c, err
	}
	// The first leader ever waits, which costs beats: it is not measured.
	pod, err := ns.StartPod(ctx, "hello", nil, nil, self, "-in-pod", "-runs", fmt.Sprint(runs+1), binary)
	if err != nil {
		return c, err
	}
	defer pod.Kill()
	select {
	case <-pod.Done():
	case <-ctx.Done():
		return c, context.Cause(ctx)
	}
	var costs []cost
	for line := range strings.Lines(pod.Output()) {
		if _, err := fmt.Sscan(line, (*int64)(&c.CPU), &c.Memory); err != nil {
			return c, errors.New(pod.Output())
		}
		costs = append(costs, c)
	}
	if len(costs) != runs+1 {
		return c, fmt.Errorf("want %d measurements, have %d: %s", runs+1, len(costs), pod.Output())
	}
	return least(costs[1:]), nil
}

// report prints what a program costs, run after run.
func report(ctx context.Context, runs int, command []string) error {
	for range runs {
		c, err := measure(ctx, command...)
		if err != nil {
			return err
		}
		fmt.Println(int64(c.CPU), c.Memory)
	}
	return nil
}
