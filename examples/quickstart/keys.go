package main

import (
	"errors"
	"fmt"
	"time"
)

// press does what a key stands for.
func (s *supervisor) press(key byte) error {
	switch key {
	case ' ', '\r', '\n':
		return nil
	case 'q', 3, 4: // Ctrl-C, Ctrl-D
		s.over = true
		return nil
	case '0', '1', '2', '3':
		s.chosen = int(key - '0')
		return nil
	case 'n':
		return s.again()
	}
	act := map[byte]func(*process) error{'k': s.kill, 's': s.stop, 'p': s.pause, 'r': s.resume}[key]
	if act == nil {
		s.screen.print("demo      | no such key: %q", key)
		return nil
	}
	p := s.target(key)
	if p == nil {
		s.screen.print("demo      | nobody to do that to: choose a replica with 1-%d", replicas)
		return nil
	}
	if err := act(p); err != nil {
		s.screen.print("demo      | replica %d: %v", p.number, err)
	}
	return nil
}

// target returns the replica that a key is for: the chosen one, or the leader; to
// resume, the first that is paused.
func (s *supervisor) target(key byte) *process {
	if s.chosen > 0 {
		return s.replicas[s.chosen-1]
	}
	if key != 'r' {
		p, _ := s.leader()
		return p
	}
	for _, p := range s.replicas {
		if p.state == "paused" {
			return p
		}
	}
	return nil
}

func (s *supervisor) kill(p *process) error {
	if !p.alive() {
		return errors.New("it does not run")
	}
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	s.lost(p, "killed", "killed")
	return nil
}

func (s *supervisor) stop(p *process) error {
	if p.state != "running" {
		return fmt.Errorf("it is %s", p.state)
	}
	if err := p.stop(); err != nil {
		return err
	}
	s.lost(p, "stopping", "stopped")
	return nil
}

func (s *supervisor) pause(p *process) error {
	if p.state != "running" {
		return fmt.Errorf("it is %s", p.state)
	}
	if err := pause(p.cmd.Process); err != nil {
		return err
	}
	s.lost(p, "paused", "paused")
	return nil
}

func (s *supervisor) resume(p *process) error {
	if p.state != "paused" {
		return fmt.Errorf("it is not paused but %s", p.state)
	}
	if err := resume(p.cmd.Process); err != nil {
		return err
	}
	p.state = "running"
	s.did(p, "resumed")
	if w := s.record.pending; w != nil && w.from == p.number {
		s.record.forget() // it may go on to lead
	}
	return nil
}

// again starts the chosen replica, or all, that do not run.
func (s *supervisor) again() error {
	for _, p := range s.replicas {
		if p.alive() || s.chosen > 0 && s.chosen != p.number {
			continue
		}
		if err := s.start(p); err != nil {
			return err
		}
		s.did(p, "started again")
	}
	return nil
}

// did tells what was done to a replica.
func (s *supervisor) did(p *process, what string) {
	s.screen.print("demo      | %s replica %d %s", clock(time.Now()), p.number, what)
}

// lost notes that a replica does not run any more. If it led, another has to take
// over, if there is one.
func (s *supervisor) lost(p *process, state, what string) {
	leader, _ := s.leader()
	p.state = state
	s.did(p, what)
	for _, other := range s.replicas {
		if other.state == "running" {
			if leader == p || s.record.leader() == p.number {
				s.record.lose(p.number, what, time.Now())
			}
			return
		}
	}
	s.record.forget()
}
