//go:build unix

package file

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mehari-go/mehari/cluster"
)

// TestMain makes the test binary a process of its own cluster where a test asks
// for one.
func TestMain(m *testing.M) {
	dir := os.Getenv("CLUSTER_FILE_TEST_FOLDER")
	if dir == "" {
		os.Exit(m.Run())
	}
	act := map[string]func(*Store) error{"count": countUp, "stop-before": stopBefore, "stop-after": stopAfter}[os.Getenv("CLUSTER_FILE_TEST_ACT")]
	s, err := New(dir)
	if err == nil {
		err = act(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A child is another process with the store.
type child struct {
	*exec.Cmd
	out *bufio.Scanner
}

func start(t *testing.T, dir, act string) *child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: exec.CommandContext(t.Context(), exe)}
	c.Env = append(os.Environ(), "CLUSTER_FILE_TEST_FOLDER="+dir, "CLUSTER_FILE_TEST_ACT="+act)
	c.Stderr = os.Stderr
	if _, err := c.StdinPipe(); err != nil { // closed when this process ends: the child ends too
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewScanner(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c
}

func (c *child) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := c.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// stopped waits until the child has stopped itself.
func (c *child) stopped(t *testing.T) {
	t.Helper()
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(c.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("the child has not stopped: %v, %v", status, err)
	}
}

func (c *child) line(t *testing.T) string {
	t.Helper()
	if !c.out.Scan() {
		t.Fatalf("the child says nothing: %v", c.out.Err())
	}
	return c.out.Text()
}

// untilParentEnds ends the process with the one that started it.
func untilParentEnds() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// countUp adds one to the table's number for ever, and tells of each success.
func countUp(s *Store) error {
	go untilParentEnds()
	out := json.NewEncoder(os.Stdout)
	for ctx := context.Background(); ; {
		rec, err := s.Get(ctx, cluster.TableKey, 0)
		if err != nil {
			return err
		}
		n, _ := strconv.Atoi(string(rec.Value))
		v, err := s.Set(ctx, cluster.TableKey, []byte(strconv.Itoa(n+1)), rec.Version)
		if errors.Is(err, cluster.ErrConflict) {
			continue
		}
		if err != nil {
			return err
		}
		if err := out.Encode(success{v, n + 1}); err != nil {
			return err
		}
	}
}

type success struct {
	Version cluster.Version
	Value   int
}

// Processes that write the same record at once, are stopped at any place for a
// while, and some killed, lose no update; and those that run are not held up.
func TestManyProcesses(t *testing.T) {
	dir := t.TempDir()
	const processes, stops, kills = 4, 18, 3
	var mu sync.Mutex
	var all []success
	var readers sync.WaitGroup
	begin := func() *child {
		c := start(t, dir, "count")
		readers.Go(func() {
			for c.out.Scan() {
				var one success
				if json.Unmarshal(c.out.Bytes(), &one) != nil {
					return // cut off by the kill
				}
				mu.Lock()
				all = append(all, one)
				mu.Unlock()
			}
		})
		return c
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(all)
	}
	var running []*child
	for range processes {
		running = append(running, begin())
	}
	for n := range stops {
		i := rand.IntN(processes)
		c := running[i]
		time.Sleep(time.Duration(rand.IntN(10_000)) * time.Microsecond)
		c.signal(t, syscall.SIGSTOP)
		before := count()
		for deadline := time.Now().Add(5 * time.Second); count() < before+10; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("with one of %d processes stopped the others wrote %d times in 5 s", processes, count()-before)
			}
		}
		if n%(stops/kills) == 0 {
			c.signal(t, syscall.SIGKILL)
			running[i] = begin()
		}
		c.signal(t, syscall.SIGCONT)
	}
	for _, c := range running {
		_ = c.Process.Kill()
	}
	readers.Wait()

	// In the order of versions each value is one more than the one before, but for
	// those whose writer was killed before it could tell.
	slices.SortFunc(all, func(a, b success) int { return int(a.Version - b.Version) })
	untold := 0
	for i, one := range all {
		if i > 0 && (one.Version == all[i-1].Version || one.Value <= all[i-1].Value) {
			t.Fatalf("version %d holds %d after version %d held %d", one.Version, one.Value, all[i-1].Version, all[i-1].Value)
		}
		if i > 0 {
			untold += one.Value - all[i-1].Value - 1
		}
	}
	if most := processes + kills; untold > most {
		t.Errorf("%d values were stored that nobody told of, of %d processes killed", untold, most)
	}
	rec, err := open(t, dir).Get(t.Context(), cluster.TableKey, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n, last := string(rec.Value), all[len(all)-1]; rec.Version < last.Version || rec.Version == last.Version && n != strconv.Itoa(last.Value) {
		t.Errorf("the table is %s, version %d; the last that was told of is %v", n, rec.Version, last)
	}
	t.Logf("%d writes by %d processes", len(all), processes)
}

// stopBefore stops the process where it holds the lock and has all but the rename
// behind it.
func stopBefore(s *Store) error { return stopIn(s, syscall.SIGSTOP, 0) }

// stopAfter stops the process right after the rename, before it tidies up.
func stopAfter(s *Store) error { return stopIn(s, 0, syscall.SIGSTOP) }

func stopIn(s *Store, before, after syscall.Signal) error {
	ctx := context.Background()
	defer s.queue(ctx, "slot-0")()
	cur, err := s.current(ctx, "slot-0")
	if err != nil {
		return err
	}
	next := newPointer(cur.version+1, []byte("stopped"))
	if err := s.writeValue("slot-0", next, []byte("stopped")); err != nil {
		return err
	}
	if before != 0 {
		if err := stopHere(before); err != nil {
			return err
		}
		won, err := s.commit("slot-0", cur, next)
		fmt.Println(won, err)
		return nil
	}
	if err := os.Rename(s.pointer("slot-0", cur), s.pointer("slot-0", next)); err != nil {
		return err
	}
	if err := stopHere(after); err != nil {
		return err
	}
	fmt.Println(true, s.removeValue("slot-0", cur))
	return nil
}

// stopHere stops the process. It returns when that is resumed: all threads of a process are
// stopped a moment after the signal was sent, and this one must not do more in that moment.
func stopHere(stop syscall.Signal) error {
	resumed := make(chan os.Signal, 1)
	signal.Notify(resumed, syscall.SIGCONT)
	defer signal.Stop(resumed)
	if err := syscall.Kill(os.Getpid(), stop); err != nil {
		return err
	}
	<-resumed
	return nil
}

func TestStoppedAtTheWorstPlace(t *testing.T) {
	for _, test := range []struct {
		act    string
		resume syscall.Signal
		says   string // of the process that goes on
		stored bool
	}{
		{"stop-before", syscall.SIGCONT, "false <nil>", false},
		{"stop-before", syscall.SIGKILL, "", false},
		{"stop-after", syscall.SIGCONT, "true <nil>", true},
		{"stop-after", syscall.SIGKILL, "", true},
	} {
		t.Run(fmt.Sprint(test.act, test.resume), func(t *testing.T) {
			s := open(t, t.TempDir())
			v := set(t, s, "slot-0", "first", 0)
			c := start(t, s.dir, test.act)
			c.stopped(t)

			rec, err := s.Get(t.Context(), "slot-0", 0)
			if err != nil || test.stored != (string(rec.Value) == "stopped") || rec.Version < v {
				t.Fatalf("with the process stopped the record is %d %q, %v", rec.Version, rec.Value, err)
			}
			v = rec.Version
			for _, value := range []string{"second", "third"} {
				before := time.Now()
				v = set(t, s, "slot-0", value, v)
				if took := time.Since(before); took > 2*time.Second {
					t.Errorf("a write took %v while the holder of the lock was stopped", took)
				}
			}
			c.signal(t, test.resume)
			if test.says != "" {
				if got := c.line(t); got != test.says {
					t.Errorf("the process that was stopped says %q, want %q", got, test.says)
				}
			} else {
				_ = c.Wait()
			}
			rec, err = open(t, s.dir).Get(t.Context(), "slot-0", 0)
			if err != nil || rec.Version != v || string(rec.Value) != "third" {
				t.Errorf("the record is %d %q, %v; want %d third", rec.Version, rec.Value, err, v)
			}
			set(t, s, "slot-0", "fourth", v)
		})
	}
}
