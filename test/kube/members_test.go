package kube

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/kubernetes"
	"github.com/mehari-go/mehari/test/kube/bed"
)

// The roster is the pods that the selector chooses, as they come and go.
func TestRoster(t *testing.T) {
	t.Parallel()
	ns := namespace(t, plane, role())
	s := open(t, plane, ns, func(c *kubernetes.Config) { c.Selector = "app=member,!canary" })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	heard := make(chan []string)
	go func() {
		defer close(heard)
		for names, err := range s.Members(ctx) {
			if err != nil {
				t.Error(err)
				return
			}
			heard <- names
		}
	}()
	want := func(names ...string) {
		t.Helper()
		for got := range heard {
			if slices.Equal(got, names) {
				return
			}
		}
		t.Fatalf("the members %q did not come", names)
	}
	start := func(name string, labels map[string]string) *bed.Pod {
		t.Helper()
		p, err := ns.StartPod(t.Context(), name, labels, nil, "sleep", "60")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Kill)
		return p
	}
	member := map[string]string{"app": "member"}
	want()
	start("b", member)
	want("b")
	start("other", map[string]string{"app": "other"})
	start("canary", map[string]string{"app": "member", "canary": "yes"})
	a := start("a", member)
	want("a", "b")
	if err := a.Delete(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	want("b")
	c := start("c", member)
	want("b", "c")
	c.Kill() // its pod has failed and is still there
	want("b")
	cancel()
	for names := range heard {
		t.Errorf("%q came after the end", names)
	}
}

// A request ends with its timeout where the network swallows it, and the connection
// is given up, so that the next request has a new one.
func TestDeadConnection(t *testing.T) {
	t.Parallel()
	ns := namespace(t, plane, role())
	addr, found := strings.CutPrefix(plane.Config.Host, "https://")
	if !found {
		t.Fatalf("the API server is at %q", plane.Config.Host)
	}
	proxy, err := bed.NewProxy(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	const timeout = 300 * time.Millisecond
	s := open(t, plane, ns, func(c *kubernetes.Config) {
		c.REST.Host = "https://" + proxy.Addr()
		c.Timeout = timeout
	})
	if _, err := s.Set(t.Context(), "slot-0", []byte(`{"holder":"a"}`), 0); err != nil {
		t.Fatal(err)
	}
	watched := make(chan error, 1)
	go func() {
		for _, err := range s.Watch(t.Context(), cluster.SlotPrefix) {
			if err != nil {
				watched <- err
			}
		}
	}()
	time.Sleep(timeout)
	proxy.Set(bed.Hang)
	hung := time.Now()
	_, err = s.Get(t.Context(), "slot-0", 0)
	wantError(t, err, "no answer within 300ms")
	if d := time.Since(hung); !errors.Is(err, context.DeadlineExceeded) || d > timeout+time.Second {
		t.Errorf("Get ended after %v with %v", d, err)
	}
	select {
	case err := <-watched:
		t.Logf("the watch ended after %v: %v", time.Since(hung).Round(time.Millisecond), err)
	case <-time.After(2*timeout + 2*time.Second):
		t.Error("the watch does not notice that its connection is dead")
	}
	proxy.Set(bed.Pass)
	if rec, err := s.Get(t.Context(), "slot-0", 0); err != nil || rec.Version == 0 {
		t.Errorf("after the network was back: %v, %v", rec, err)
	}
}

// A token that is refused is an error without the token.
func TestWrongToken(t *testing.T) {
	t.Parallel()
	ns := namespace(t, plane, role())
	const secret = "s3cr3t-t0ken"
	s := open(t, plane, ns, func(c *kubernetes.Config) { c.REST.BearerToken = secret })
	_, getErr := s.Get(t.Context(), cluster.TableKey, 0)
	_, listErr := s.List(t.Context(), "")
	_, setErr := s.Set(t.Context(), cluster.TableKey, []byte("{}"), 0)
	for _, err := range []error{getErr, listErr, setErr, s.Check(t.Context())} {
		wantError(t, err, "Unauthorized")
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells the token: %v", err)
		}
	}
}
