package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A process is one run of a replica.
type process struct {
	number int
	cmd    *exec.Cmd
	in     io.WriteCloser
	state  string // "", running, paused, stopping, killed, stopped, failed

	sees  string // the leader, as this replica sees it
	token uint64 // the leader's
}

func (p *process) name() string { return fmt.Sprint("replica ", p.number) }

func (p *process) alive() bool {
	return p.state == "running" || p.state == "paused" || p.state == "stopping"
}

// start starts the replica and has hear told of each line it prints and then, with
// an empty line and done, of its end.
func (p *process) start(folder string, hear func(line string, done bool, err error)) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	p.cmd = exec.Command(exe, "-replica", fmt.Sprint(p.number), "-folder", folder)
	noOrphan(p.cmd)
	out, w, err := os.Pipe()
	if err != nil {
		return err
	}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if p.in, err = p.cmd.StdinPipe(); err == nil {
		err = p.cmd.Start()
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return errors.Join(err, out.Close())
	}
	p.state, p.sees, p.token = "running", "", 0
	cmd := p.cmd
	go func() {
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadString('\n')
			if line != "" {
				hear(strings.TrimRight(line, "\r\n"), false, nil)
			}
			if err != nil {
				break
			}
		}
		hear("", true, errors.Join(cmd.Wait(), out.Close()))
	}()
	return nil
}

// stop asks the replica to stop.
func (p *process) stop() error {
	_, err := io.WriteString(p.in, "stop\n")
	return err
}

// An entry is a record that a replica logged.
type entry struct {
	Time   time.Time `json:"time"`
	Msg    string    `json:"msg"`
	Token  uint64    `json:"token"`
	Leader string    `json:"leader"`
	rest   string    // the other attributes, as text
}

// parseEntry reads a line. One that is no record, such as of a crash, is a message.
func parseEntry(line string) entry {
	var e entry
	var all map[string]any
	if json.Unmarshal([]byte(line), &e) != nil || json.Unmarshal([]byte(line), &all) != nil {
		return entry{Time: time.Now(), Msg: line}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if key != "time" && key != "level" && key != "msg" && key != "token" {
			e.rest += fmt.Sprintf(" %s=%v", key, all[key])
		}
	}
	return e
}
