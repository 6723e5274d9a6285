// Package kube holds the tests of cluster/kubernetes, and of leadership on it,
// against a real API server.
package kube

import (
	"context"
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

// plane is the control plane that the tests share, each in a namespace of its own.
var plane *bed.ControlPlane

func TestMain(m *testing.M) {
	var err error
	if plane, err = bed.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "test/kube:", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := plane.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "test/kube:", err)
		code = 1
	}
	os.Exit(code)
}

// role is the Role that the documentation asks for.
func role() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "list", "watch", "create", "update"}},
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "list", "watch", "create", "update"}},
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "list", "watch"}},
	}
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
