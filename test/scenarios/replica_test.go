//go:build unix

package scenarios

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
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

// A replica is one process of a program that logs in JSON.
type replica struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	dead chan struct{} // closed after it has ended and all it said was read

	mu      sync.Mutex
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
	r := &replica{t: t, name: name, cmd: exec.Command(program, args...), dead: make(chan struct{})}
	r.cmd.Env = append(os.Environ(), env...)
	r.cmd.SysProcAttr = noOrphan()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.cmd.Stdout, r.cmd.Stderr = in, in
	err = r.cmd.Start()
	in.Close()
	if err != nil {
		out.Close()
		t.Fatal(err)
	}
	go func() {
		defer close(r.dead)
		r.read(out)
		out.Close()
		err := r.cmd.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.expired {
			t.Errorf("%s has ended by itself: %v", name, err)
		}
	}()
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

func (r *replica) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatalf("%s: %v: %v", r.name, s, err)
	}
}

// stop stops the process where it is, as a debugger or a machine that is swapped out does.
func (r *replica) stop() {
	r.t.Helper()
	r.signal(syscall.SIGSTOP)
	r.mu.Lock()
	r.halted = true
	r.mu.Unlock()
}

// resume lets a process go on that was stopped.
func (r *replica) resume() {
	r.t.Helper()
	r.signal(syscall.SIGCONT)
	r.mu.Lock()
	r.halted = false
	r.mu.Unlock()
}

// kill ends the process as kill -9 does, if it has not ended yet.
func (r *replica) kill() {
	r.expire()
	_ = r.cmd.Process.Kill() // it may be gone already
	<-r.dead
}

// end ends the process as Kubernetes does, and fails the test if that is not in order.
func (r *replica) end() {
	r.t.Helper()
	r.expire()
	r.signal(syscall.SIGTERM)
	select {
	case <-r.dead:
	case <-time.After(patience):
		r.t.Fatalf("%s has not ended after %v", r.name, patience)
	}
	if !r.cmd.ProcessState.Success() {
		r.t.Errorf("%s: %v", r.name, r.cmd.ProcessState)
	}
}

func (r *replica) expire() {
	r.mu.Lock()
	r.expired = true
	r.mu.Unlock()
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

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for begun := time.Now(); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatalf("not after %v: %s", patience, what)
		}
	}
}

// The kit itself: a process says something, is stopped, goes on, and is killed.
func TestReplica(t *testing.T) {
	r := start(t, "hello", build(t, "hello"), nil)
	hellos := func() int { return len(r.entries()) }
	eventually(t, "it speaks", func() bool { return hellos() > 0 })
	r.stop()
	time.Sleep(100 * time.Millisecond) // what it has said before is read
	before := hellos()
	time.Sleep(1500 * time.Millisecond)
	if n := hellos(); n != before || r.runs() {
		t.Errorf("%d lines after it was stopped, runs: %v", n-before, r.runs())
	}
	r.resume()
	eventually(t, "it goes on", func() bool { return hellos() > before })
	r.stop()
	r.kill()
}
