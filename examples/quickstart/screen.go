package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// A screen prints lines above a status line that stays at the bottom.
type screen struct {
	out     *os.File
	in      *os.File
	restore *term.State // how the terminal was; nil where in is no terminal
	pinned  bool        // out is a terminal: the status line is drawn anew
	status  string
}

// newScreen has keys come one by one if in is a terminal.
func newScreen(in, out *os.File) (*screen, error) {
	s := &screen{in: in, out: out, pinned: term.IsTerminal(int(out.Fd()))}
	if term.IsTerminal(int(in.Fd())) {
		state, err := term.MakeRaw(int(in.Fd()))
		if err != nil {
			return nil, fmt.Errorf("terminal: %w", err)
		}
		s.restore = state
	}
	return s, nil
}

func (s *screen) close() {
	if s.pinned {
		fmt.Fprint(s.out, "\r\x1b[K")
	}
	if s.restore != nil {
		_ = term.Restore(int(s.in.Fd()), s.restore)
	}
}

// print prints a line.
func (s *screen) print(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	switch {
	case s.pinned:
		fmt.Fprintf(s.out, "\r\x1b[K%s\r\n", strings.ReplaceAll(line, "\n", "\r\n"))
		s.draw()
	case s.restore != nil: // raw: a new line does not return
		fmt.Fprintf(s.out, "%s\r\n", strings.ReplaceAll(line, "\n", "\r\n"))
	default:
		fmt.Fprintln(s.out, line)
	}
}

// show changes the status line.
func (s *screen) show(status string) {
	if status == s.status {
		return
	}
	if s.status = status; s.pinned {
		s.draw()
	} else {
		s.print("status    | %s", status)
	}
}

// draw draws the status line, cut to the width of the terminal.
func (s *screen) draw() {
	line := []rune(s.status)
	if width, _, err := term.GetSize(int(s.out.Fd())); err == nil && width > 1 {
		line = line[:min(len(line), width-1)]
	}
	fmt.Fprintf(s.out, "\r\x1b[K\x1b[7m%s\x1b[0m", string(line))
}
