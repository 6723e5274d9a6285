package cluster

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
	"unicode"
	"unicode/utf8"
)

// Options say how a member of a cluster behaves. The zero value is ready to use.
// Wait, Limit, Beat and Drift must be the same for all members.
type Options struct {
	// Name is how people know this replica, such as the name of its pod. Empty
	// means the name of the host. Members with one name are safe, being told apart
	// by a random part, but confusing, and a warning says so.
	Name string

	// Wait is how long a member must be silent before others take over what it
	// holds: the article's x. 0 means 15 s.
	Wait time.Duration
	// Limit is how long a leader acts after it last asked, successfully, whether it
	// still leads: the article's y. 0 means 10 s.
	Limit time.Duration
	// Beat is how often it asks; several must fit into Limit. 0 means 3 s.
	Beat time.Duration
	// Drift is by which part the clock of a member may run too fast or too slow.
	// 0 means 0.05, which is five percent and a hundred times more than usual.
	Drift float64
	// StopBudget is how long a function may take to return after its context has
	// ended. 0 means as long as is safe:
	//
	//	Wait/(1+Drift) - Limit/(1-Drift)
	//
	// which is 3.759 s with the other defaults. More than that is refused.
	StopBudget time.Duration
	// Overrun is called, once for each term, when a function still runs at the end
	// of its stop budget, while another member may start. Nil means to log it and
	// to exit the process with status 3.
	Overrun func(lock string)

	// Fixed leaves locks where they are when members come. Otherwise some move to
	// the newcomers, once the members have not changed for Wait.
	Fixed bool

	// Logger receives what happens. Nil means slog.Default().
	Logger *slog.Logger
}

// Bounds of what makes sense.
const (
	shortestBeat = 10 * time.Millisecond
	longestWait  = time.Hour
	longestLock  = 256 // bytes
	longestName  = 128 // bytes
)

// filled returns the options with defaults in place, or all that is wrong.
func (o Options) filled() (Options, error) {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf("cluster: "+format, args...)) }

	if o.Name == "" {
		host, err := os.Hostname()
		if err != nil {
			refuse("no Options.Name, and no host name: %w", err)
		}
		o.Name = host
	}
	if err := validName(o.Name, longestName); err != nil {
		refuse("want a name for the member: %w", err)
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		zero  time.Duration
	}{{"Wait", &o.Wait, 15 * time.Second}, {"Limit", &o.Limit, 10 * time.Second}, {"Beat", &o.Beat, 3 * time.Second}} {
		if *d.value == 0 {
			*d.value = d.zero
		}
		if *d.value < shortestBeat || *d.value > longestWait {
			refuse("want %s between %v and %v, have %v", d.name, shortestBeat, longestWait, *d.value)
		}
	}
	if o.Drift == 0 {
		o.Drift = 0.05
	}
	if !(o.Drift > 0 && o.Drift < 0.5) {
		refuse("want Drift between 0 and 0.5, have %v", o.Drift)
	}
	if o.StopBudget < 0 {
		refuse("want a StopBudget of 0 or more, have %v", o.StopBudget)
	}
	if len(errs) > 0 {
		return o, errors.Join(errs...)
	}

	if 3*o.Beat > o.Limit {
		refuse("want Limit (%v) at least three times Beat (%v): one lost beat must not end a term", o.Limit, o.Beat)
	}
	most := o.mostBudget()
	if o.StopBudget > most || most <= 0 {
		refuse("want Wait/(1+Drift) >= Limit/(1-Drift) + StopBudget, have %v/%v = %v < %v/%v + %v = %v: two members could lead at once",
			o.Wait, 1+o.Drift, scale(o.Wait, 1/(1+o.Drift)), o.Limit, 1-o.Drift, o.StopBudget,
			scale(o.Limit, 1/(1-o.Drift))+o.StopBudget)
	}
	if o.StopBudget == 0 {
		o.StopBudget = most
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Overrun == nil {
		logger := o.Logger
		o.Overrun = func(lock string) {
			logger.Error("the function of a lock still runs after its term: exiting, so that it does not run twice", "lock", lock)
			os.Exit(3) //nolint:forbidigo // the last resort, which Options documents
		}
	}
	return o, errors.Join(errs...)
}

// mostBudget is the time that the inequality leaves to stop in.
func (o Options) mostBudget() time.Duration {
	most := scale(o.Wait, 1/(1+o.Drift)) - scale(o.Limit, 1/(1-o.Drift))
	return most.Truncate(time.Millisecond)
}

func scale(d time.Duration, by float64) time.Duration {
	return time.Duration(float64(d) * by).Round(time.Microsecond)
}

func (o Options) timing() timing { return timing{x: o.Wait, y: o.Limit, r: o.Beat} }

// validName checks a word that becomes part of a record.
func validName(s string, longest int) error {
	switch {
	case s == "":
		return errors.New("it is empty")
	case len(s) > longest:
		return fmt.Errorf("want at most %d bytes, have %d: %q…", longest, len(s), s[:20])
	case !utf8.ValidString(s):
		return fmt.Errorf("%q is not UTF-8", s)
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return fmt.Errorf("%q contains a control character", s)
		}
	}
	return nil
}

// validLock checks the name of a lock.
func validLock(lock string) error {
	if err := validName(lock, longestLock); err != nil {
		return fmt.Errorf("cluster: want the name of a lock: %w", err)
	}
	return nil
}
