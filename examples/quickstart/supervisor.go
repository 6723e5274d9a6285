package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const replicas = 3

// A supervisor runs the replicas. All of it happens in run, one event at a time.
type supervisor struct {
	folder   string
	screen   *screen
	replicas [replicas]*process
	record   record

	chosen int  // the replica the keys are for; 0 means whoever leads
	over   bool // told to end

	events chan func() error
	open   int // processes whose end has not been seen
}

func newSupervisor(folder string, screen *screen) *supervisor {
	s := &supervisor{folder: folder, screen: screen, events: make(chan func() error, 64)}
	for i := range s.replicas {
		s.replicas[i] = &process{number: i + 1}
	}
	return s
}

// run starts the replicas and does what keys and times say, until it is time to end.
func (s *supervisor) run(length, kill time.Duration, keys *os.File) (err error) {
	s.screen.print("%d replicas of one program. One leads and prints %q; the others stand by.", replicas, hello)
	s.screen.print("Timing of this demo: take over after %v of silence, lead at most %v without proof, beat every %v. The defaults are 15s, 10s, 3s.", wait, limit, beat)
	s.screen.print("Keys: 1-%d choose a replica, 0 whoever leads; k kill -9, s stop gracefully, p pause, r resume, n start again, q quit.", replicas)
	s.screen.print("")

	defer func() { err = errors.Join(err, s.end()) }()
	for _, p := range s.replicas {
		if err := s.start(p); err != nil {
			return err
		}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go s.read(keys) // until the process exits: nothing ends a read of standard input
	var end, killing <-chan time.Time
	if length > 0 {
		end = time.After(length)
	}
	if kill > 0 {
		killing = time.After(kill)
	}
	for !s.over {
		s.screen.show(s.status())
		select {
		case <-signals:
			return nil
		case <-end:
			return nil
		case <-killing:
			if killing = nil; s.record.leader() == 0 {
				return fmt.Errorf("nobody to kill: nobody led within %v", kill)
			}
			if err := s.kill(s.replicas[s.record.leader()-1]); err != nil {
				return err
			}
		case event := <-s.events:
			if err := event(); err != nil {
				return err
			}
		}
	}
	return nil
}

// end stops all replicas, and kills those that do not.
func (s *supervisor) end() error {
	s.record.close(time.Now())
	for _, p := range s.replicas {
		if p.state == "paused" {
			_ = resume(p.cmd.Process)
		}
		if p.alive() {
			p.state = "stopping"
			_ = p.stop()
		}
	}
	var errs []error
	for late := time.After(3 * time.Second); s.open > 0; {
		select {
		case event := <-s.events:
			errs = append(errs, event())
		case <-late:
			for _, p := range s.replicas {
				if p.alive() {
					errs = append(errs, fmt.Errorf("replica %d did not stop; it was killed", p.number))
					_ = p.cmd.Process.Kill()
				}
			}
		}
	}
	return errors.Join(errs...)
}

// start starts a replica that does not run.
func (s *supervisor) start(p *process) error {
	var run *exec.Cmd
	err := p.start(s.folder, func(line string, done bool, err error) {
		s.events <- func() error {
			if !done {
				s.heard(p, parseEntry(line))
				return nil
			}
			if s.open--; p.cmd == run { // not started again meanwhile
				s.ended(p, err)
			}
			return nil
		}
	})
	if err != nil {
		return fmt.Errorf("start replica %d: %w", p.number, err)
	}
	run = p.cmd
	s.open++
	return nil
}

// heard handles what a replica printed.
func (s *supervisor) heard(p *process, e entry) {
	switch {
	case e.Msg == shows:
		p.sees, p.token = e.Leader, e.Token
	case e.Msg == hello:
		s.screen.print("replica %d | %s %s  token %d", p.number, clock(e.Time), e.Msg, e.Token)
		if t := s.record.add(tick{e.Time, p.number, e.Token}); t != nil {
			s.screen.print("demo      | %s %s", clock(time.Now()), t)
		}
	default:
		s.screen.print("replica %d | %s %s%s", p.number, clock(e.Time), e.Msg, e.rest)
	}
}

// ended handles the end of a process.
func (s *supervisor) ended(p *process, err error) {
	switch {
	case p.state == "killed":
	case err == nil:
		p.state = "stopped"
	default:
		p.state = "failed"
		s.screen.print("demo      | %s replica %d ended: %v", clock(time.Now()), p.number, err)
	}
}

// leader returns the process that leads, as the replica with the latest word sees it,
// and its token; nil for nobody.
func (s *supervisor) leader() (*process, uint64) {
	var name string
	var token uint64
	for _, p := range s.replicas {
		if p.token > token && (p.state == "running" || p.state == "stopping") {
			name, token = p.sees, p.token
		}
	}
	for _, p := range s.replicas {
		if p.name() == name {
			return p, token
		}
	}
	return nil, 0
}

// status says who leads and how the replicas are.
func (s *supervisor) status() string {
	var b strings.Builder
	if p, token := s.leader(); p != nil {
		fmt.Fprintf(&b, "%s leads, token %d", p.name(), token)
	} else {
		b.WriteString("nobody leads")
	}
	for _, p := range s.replicas {
		fmt.Fprintf(&b, "  [%d %s]", p.number, p.state)
	}
	target := "the leader"
	if s.chosen > 0 {
		target = fmt.Sprint("replica ", s.chosen)
	}
	fmt.Fprintf(&b, "  keys for %s: k s p r n, 0-%d, q", target, replicas)
	return b.String()
}

// read passes keys on. Where the input ends, nothing does.
func (s *supervisor) read(keys io.Reader) {
	one := make([]byte, 1)
	for {
		if n, err := keys.Read(one); err != nil || n == 0 {
			return
		}
		key := one[0]
		s.events <- func() error { return s.press(key) }
	}
}
