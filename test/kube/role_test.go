package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mehari-go/mehari/test/kube/bed"
)

// Each verb that is missing from the Role is named, with the rule to add.
func TestMissingRule(t *testing.T) {
	t.Parallel()
	ns := namespace(t, plane, role())
	s := open(t, plane, ns, nil)
	if err := s.Check(t.Context()); err != nil {
		t.Fatalf("with the whole Role: %v", err)
	}
	for i, rule := range role() {
		for _, verb := range rule.Verbs {
			rules := role()
			rules[i].Verbs = slices.DeleteFunc(slices.Clone(rule.Verbs), func(v string) bool { return v == verb })
			if err := ns.SetRules(t.Context(), rules); err != nil {
				t.Fatal(err)
			}
			wantMissing(t, s.Check(t.Context()), ns, rule, verb)
		}
	}
	if err := ns.SetRules(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	err := s.Check(t.Context())
	for _, rule := range role() {
		wantMissing(t, err, ns, rule, strings.Join(rule.Verbs, ", "))
	}
}

// The same where the account may not even ask what it may: then Check tries.
func TestMissingRuleWithoutReviews(t *testing.T) {
	t.Parallel()
	cp, err := bed.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Close(); err != nil {
			t.Error(err)
		}
	})
	ns := namespace(t, cp, role())
	s := open(t, cp, ns, nil)
	bindings := cp.Client.RbacV1().ClusterRoleBindings()
	if err := bindings.Delete(t.Context(), "system:basic-user", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the reviews are forbidden", func() bool {
		_, err := bindings.Get(t.Context(), "system:basic-user", metav1.GetOptions{})
		return apierrors.IsNotFound(err) && s.Check(t.Context()) == nil
	})
	for i, rule := range role() {
		for _, verb := range rule.Verbs {
			rules := role()
			rules[i].Verbs = slices.DeleteFunc(slices.Clone(rule.Verbs), func(v string) bool { return v == verb })
			role, err := cp.Client.RbacV1().Roles(ns.Name).Get(t.Context(), bed.Account, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			role.Rules = rules
			if _, err := cp.Client.RbacV1().Roles(ns.Name).Update(t.Context(), role, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("may not %s %s", verb, resource(rule))
			waitFor(t, want, func() bool {
				err := s.Check(t.Context())
				return err != nil && strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "\n")
			})
		}
	}
	leases, err := cp.Client.CoordinationV1().Leases(ns.Name).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(leases.Items) != 0 {
		t.Errorf("trying has left %v, %v", leases, err)
	}
}

func wantMissing(t *testing.T, err error, ns *bed.Namespace, rule rbacv1.PolicyRule, verbs string) {
	t.Helper()
	group := rule.APIGroups[0]
	if group == "" {
		group = `""`
	}
	wantError(t, err, fmt.Sprintf(
		"service account %q of namespace %q may not %s %s in namespace %q: add {apiGroups: [%s], resources: [%s], verbs: [%s]} to its Role",
		bed.Account, ns.Name, verbs, resource(rule), ns.Name, group, rule.Resources[0], strings.Join(rule.Verbs, ", ")))
}

func resource(rule rbacv1.PolicyRule) string {
	return strings.TrimSuffix(rule.Resources[0]+"."+rule.APIGroups[0], ".")
}

// waitFor asks until the answer is yes, for at most a minute.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("after a minute still not: %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
