// Command quickstart shows the main job with nothing installed: three replicas of
// one program, as real processes, of which exactly one prints "Hello World!" every
// second.
//
//	go run ./examples/quickstart
//
// Kill, stop or pause the one that leads with the keys shown on the screen, and see
// another take over. Without a terminal the same keys are read from standard input;
// and
//
//	go run ./examples/quickstart -for 40s -kill 10s
//
// runs unattended: it kills the leader after 10 seconds, prints at the end how long
// the take-over took, and exits with status 1 if two replicas ever led at once or
// nobody took over.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	length := flags.Duration("for", 0, "how long to run; 0 means until you quit")
	kill := flags.Duration("kill", 0, "when to kill the leader; 0 means not to")
	number := flags.Int("replica", 0, "used inside: be this replica")
	folder := flags.String("folder", "", "used inside: the folder of the cluster's records")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	var err error
	switch {
	case flags.NArg() > 0:
		err = usage("unexpected argument %q", flags.Arg(0))
	case *number > 0:
		err = replica(*number, *folder, os.Stdin, os.Stdout)
	case *length < 0 || *kill < 0:
		err = usage("-for and -kill want a time of 0 or more, have %v and %v", *length, *kill)
	case *length > 0 && *kill > 0 && *length < *kill+patience:
		err = usage("-for %v is too short to see somebody take over after -kill %v: want at least %v", *length, *kill, *kill+patience)
	default:
		err = supervise(*length, *kill)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "quickstart:", err)
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

// A usageError is a mistake in the arguments.
type usageError struct{ error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// supervise runs the replicas in a folder of their own and reports.
func supervise(length, kill time.Duration) error {
	folder, err := os.MkdirTemp("", "mehari-quickstart-")
	if err != nil {
		return err
	}
	screen, err := newScreen(os.Stdin, os.Stdout)
	if err != nil {
		return errors.Join(err, os.RemoveAll(folder))
	}
	s := newSupervisor(folder, screen)
	err = s.run(length, kill, os.Stdin)
	screen.close()
	return errors.Join(err, s.report(os.Stdout), os.RemoveAll(folder))
}

// report prints what happened and returns what must not have.
func (s *supervisor) report(w io.Writer) error {
	for _, t := range s.record.takeOvers {
		fmt.Fprintln(w, t)
	}
	for _, r := range s.replicas {
		fmt.Fprintf(w, "replica %d ticked %d times\n", r.number, s.record.count(r.number))
	}
	return s.record.verdict()
}
