//go:build unix

package scenarios

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take that has to happen. It is long because a busy
// machine is slow, and costs nothing where all is well.
const patience = 90 * time.Second

// build compiles examples/name and returns the program.
func build(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./examples/"+name)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return program
}

// A replica is a process of a program that logs in JSON, or several, one after the other.
type replica struct {
	t       *testing.T
	name    string
	program string
	env     []string
	args    []string

	mu      sync.Mutex
	cmd     *exec.Cmd
	dead    chan struct{} // closed after cmd has ended and all it said was read
	said    []entry
	halted  bool // by SIGSTOP
	expired bool // it was told to end
}

// An entry is a line that a replica has logged.
type entry struct {
	Time  time.Time
	Msg   string
	Lock  string
	Token uint64
	line  string // all of it; one that is no JSON has nothing else
}

// start starts a replica. It is killed when the test is over, also if it is stopped then;
// what it has said is shown if the test has failed.
func start(t *testing.T, name, program string, env []string, args ...string) *replica {
	t.Helper()
	r := &replica{t: t, name: name, program: program, env: env, args: args}
	r.again()
	t.Cleanup(func() {
		r.kill()
		if t.Failed() {
			for _, e := range r.entries() {
				t.Logf("%s: %s", name, e.line)
			}
		}
	})
	return r
}

// again starts a replica, which does not run any more, anew.
func (r *replica) again() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.launch(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *replica) launch() error {
	cmd, dead := exec.Command(r.program, r.args...), make(chan struct{})
	cmd.Env = append(os.Environ(), r.env...)
	cmd.SysProcAttr = noOrphan()
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = in, in
	err = cmd.Start()
	in.Close()
	if err != nil {
		out.Close()
		return err
	}
	r.cmd, r.dead, r.expired, r.halted = cmd, dead, false, false
	go func() {
		defer close(dead)
		r.read(out)
		out.Close()
		r.ended(cmd.Wait())
	}()
	return nil
}

// ended starts a process again that ended by itself because it could not stop in time what
// another one does now, as it may where the machine is too busy: Kubernetes does the same.
// Any other end by itself is wrong.
func (r *replica) ended(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.expired {
		return
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 3 {
		err = r.launch()
	} else {
		err = fmt.Errorf("it has ended by itself: %w", err)
	}
	if err != nil {
		r.t.Errorf("%s: %v", r.name, err)
	}
}

func (r *replica) read(out io.Reader) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			e := entry{line: line[:len(line)-1]}
			_ = json.Unmarshal([]byte(line), &e) // or it is a line of a crash
			r.mu.Lock()
			r.said = append(r.said, e)
			r.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// entries returns what the replica has said so far.
func (r *replica) entries() []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.said)
}

// signal sends a signal to the process and notes what that means for it.
func (r *replica) signal(s syscall.Signal) (dead chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.halted = s == syscall.SIGSTOP
	r.expired = r.expired || s == syscall.SIGKILL || s == syscall.SIGTERM
	_ = r.cmd.Process.Signal(s) // it may have ended by itself, which is told elsewhere
	return r.dead
}

// stop stops the process where it is, as a debugger or a machine that is swapped out does.
func (r *replica) stop() { r.signal(syscall.SIGSTOP) }

// resume lets a process go on that was stopped.
func (r *replica) resume() { r.signal(syscall.SIGCONT) }

// kill ends the process as kill -9 does, if it has not ended yet.
func (r *replica) kill() { <-r.signal(syscall.SIGKILL) }

// end ends the process as Kubernetes does, and fails the test if that is not in order.
func (r *replica) end() {
	r.t.Helper()
	select {
	case <-r.signal(syscall.SIGTERM):
	case <-time.After(patience):
		r.t.Fatalf("%s has not ended after %v", r.name, patience)
	}
	if !r.cmd.ProcessState.Success() {
		r.t.Errorf("%s: %v", r.name, r.cmd.ProcessState)
	}
}

// runs tells whether the process neither was told to end nor is stopped.
func (r *replica) runs() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.expired && !r.halted
}

// leader returns who leads, having the greatest token, and waits until that is one that
// runs.
func leader(t *testing.T, replicas []*replica, lock string) (who *replica, token uint64) {
	t.Helper()
	eventually(t, fmt.Sprintf("somebody who runs leads %q", lock), func() bool {
		who, token = nil, 0
		for _, r := range replicas {
			for _, e := range r.entries() {
				switch {
				case e.Lock != lock:
				case e.Msg == "leading" && e.Token >= token:
					who, token = r, e.Token
				case e.Msg == "no longer leading" && e.Token == token:
					who = nil
				}
			}
		}
		return who != nil && who.runs()
	})
	return who, token
}

// answers waits until a GET of a URL has the status 200.
func answers(t *testing.T, url string) {
	t.Helper()
	eventually(t, url+" answers with 200", func() bool {
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for begun := time.Now(); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatalf("not after %v: %s", patience, what)
		}
	}
}
