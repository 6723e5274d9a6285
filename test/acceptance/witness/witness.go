// Package witness judges leadership from outside of the pods. It reads the log files of
// their containers on the nodes, so that it hears also of a pod that nobody can reach.
// Each line there has the time at which the container runtime read it: a clock that
// is none of the members'.
package witness

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Words are the messages that only the leader of a lock may log.
type Words struct {
	Acts []string
	Stop string // the end of the work
}

// An Act is such a message, which names the lock and the token.
type Act struct {
	At     time.Time
	Pod    string
	Member string // the pod, and which of its containers' lives
	Lock   string
	Token  uint64
	Stop   bool // it is the end of the work
}

// A Witness reads log files until it is closed.
type Witness struct {
	pattern string
	words   Words
	done    chan struct{}
	reading sync.WaitGroup

	mu   sync.Mutex
	acts []Act
	errs []error
}

// Watch returns a witness of the log files that match pattern, now or later. They are
// in the kubelet's layout namespace_pod_uid/container/restart.log, with lines of JSON.
func Watch(pattern string, words Words) *Witness {
	w := &Witness{pattern: pattern, words: words, done: make(chan struct{})}
	w.reading.Go(w.read)
	return w
}

// Close ends the witness. It returns what it could not read.
func (w *Witness) Close() error {
	close(w.done)
	w.reading.Wait()
	return errors.Join(w.errs...)
}

// Acts returns the acts under a lock so far, in the order of time.
func (w *Witness) Acts(lock string) []Act {
	w.mu.Lock()
	defer w.mu.Unlock()
	acts := slices.DeleteFunc(slices.Clone(w.acts), func(a Act) bool { return a.Lock != lock })
	slices.SortStableFunc(acts, func(a, b Act) int { return a.At.Compare(b.At) })
	return acts
}

// Last returns the last act of the leader with the greatest token, the zero Act where
// there was none.
func (w *Witness) Last(lock string) Act {
	var last Act
	for _, a := range w.Acts(lock) {
		if !a.Stop && a.Token >= last.Token {
			last = a
		}
	}
	return last
}

// A file is a log that grows. It is kept open, so that its end is read although the
// kubelet has removed it.
type file struct {
	*os.File
	pod, member string
	rest        []byte // of a line that is not complete
}

func (w *Witness) read() {
	files := map[string]*file{}
	defer func() {
		for _, f := range files {
			_ = f.Close() // it was only read
		}
	}()
	for {
		paths, err := filepath.Glob(w.pattern)
		w.note(err)
		for _, path := range paths {
			if files[path] == nil {
				f, err := open(path)
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				w.note(err)
				files[path] = f
			}
		}
		for _, f := range files {
			w.note(w.readFile(f))
		}
		select {
		case <-w.done:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (w *Witness) note(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, err)
}

func open(path string) (*file, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	life := strings.TrimSuffix(filepath.Base(path), ".log")
	_, pod, _ := strings.Cut(filepath.Base(filepath.Dir(filepath.Dir(path))), "_")
	pod, uid, _ := strings.Cut(pod, "_")
	return &file{File: f, pod: pod, member: pod + "/" + uid + "/" + life}, nil
}

func (w *Witness) readFile(f *file) error {
	if f == nil {
		return nil
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	f.rest = append(f.rest, b...)
	for {
		line, rest, complete := bytes.Cut(f.rest, []byte("\n"))
		if !complete {
			return nil
		}
		f.rest = rest
		if err := w.hear(f, line); err != nil {
			return err
		}
	}
}

// hear takes in a line: the time, the stream, a tag, and what the container wrote.
func (w *Witness) hear(f *file, line []byte) error {
	fields := bytes.SplitN(line, []byte(" "), 4)
	if len(fields) < 4 {
		return fmt.Errorf("%s: not a line of a container's log: %q", f.Name(), line)
	}
	at, err := time.Parse(time.RFC3339Nano, string(fields[0]))
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	var said struct {
		Msg, Lock string
		Token     uint64
	}
	if json.Unmarshal(fields[3], &said) != nil {
		return nil // the container may write what it likes
	}
	stop := said.Msg == w.words.Stop
	if !stop && !slices.Contains(w.words.Acts, said.Msg) {
		return nil
	}
	if said.Lock == "" || said.Token == 0 {
		return fmt.Errorf("%s: an act without a lock or a token: %s", f.Name(), fields[3])
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acts = append(w.acts, Act{At: at, Pod: f.pod, Member: f.member, Lock: said.Lock, Token: said.Token, Stop: stop})
	return nil
}

// Judge returns what must not be: an act under a token that was over, because another
// member had acted under a greater one, and two members with one token. Work that ends
// in the next term is wrong too, but for the members in paused: a process that does not
// run cannot end anything.
func Judge(acts []Act, paused map[string]bool) []error {
	var wrong []error
	var now Act
	for _, a := range acts {
		switch {
		case a.Token > now.Token && !a.Stop:
			now = a
		case a.Token == now.Token && a.Member == now.Member:
			now = a
		case a.Stop && paused[a.Member]:
		default:
			wrong = append(wrong, fmt.Errorf("%s after %s", a, now))
		}
	}
	return wrong
}

const clock = "15:04:05.000"

func (a Act) String() string {
	what := "act"
	if a.Stop {
		what = "end of work"
	}
	return fmt.Sprintf("%s of %s under %s with token %d at %s", what, cmp.Or(a.Member, "nobody"), a.Lock, a.Token, a.At.Format(clock))
}
