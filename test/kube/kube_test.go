// Package kube holds the tests of cluster/kubernetes, and of leadership on it,
// against a real API server.
package kube

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/mehari-go/mehari/cluster/kubernetes"
	"github.com/mehari-go/mehari/test/kube/bed"
)

var (
	plane   *bed.ControlPlane   // shared by the tests, each in a namespace of its own
	example []rbacv1.PolicyRule // of examples/kubernetes
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "test/kube:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if example, err = bed.Role(); err != nil {
		return 0, err
	}
	if plane, err = bed.Start(); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, plane.Close()) }()
	return m.Run(), nil
}

// role is the Role that the pods of examples/kubernetes have.
func role() []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for _, r := range example {
		rules = append(rules, *r.DeepCopy())
	}
	return rules
}

var namespaces atomic.Int64

// namespace makes a namespace in cp for this test, with the rules.
func namespace(t *testing.T, cp *bed.ControlPlane, rules []rbacv1.PolicyRule) *bed.Namespace {
	t.Helper()
	name, _, _ := strings.Cut(strings.ToLower(t.Name()), "/")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ns, err := cp.Namespace(ctx, fmt.Sprintf("%s-%d", name, namespaces.Add(1)), rules)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

// open returns a store with the service account of the namespace.
func open(t *testing.T, cp *bed.ControlPlane, ns *bed.Namespace, change func(*kubernetes.Config)) *kubernetes.Store {
	t.Helper()
	token, err := ns.Token(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := kubernetes.Config{REST: cp.Token(token), Namespace: ns.Name, Pod: "pod-0"}
	if change != nil {
		change(&c)
	}
	s, err := kubernetes.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
