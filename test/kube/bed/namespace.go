package bed

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/mehari-go/mehari/test/kube/kubecp"
)

// Account is the service account of the pods of a [Namespace].
const Account = "app"

// Role returns the rules of the Role that examples/kubernetes gives to its pods.
func Role() ([]rbacv1.PolicyRule, error) {
	repository, err := kubecp.Repository()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(repository, "examples", "kubernetes", "access.yaml")
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for document := range bytes.SplitSeq(b, []byte("\n---\n")) {
		var role rbacv1.Role
		if err := yaml.Unmarshal(document, &role); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if role.Kind == "Role" {
			return role.Rules, nil
		}
	}
	return nil, fmt.Errorf("%s has no Role", file)
}

// A Namespace is a namespace with the service account [Account].
type Namespace struct {
	Name string
	cp   *ControlPlane
}

// Namespace makes a namespace whose service account has a Role with the rules.
func (cp *ControlPlane) Namespace(ctx context.Context, name string, rules []rbacv1.PolicyRule) (*Namespace, error) {
	core := cp.Client.CoreV1()
	named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }
	if _, err := core.Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: named(name)}, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	// The admission of pods wants the account "default" too, which in a full cluster
	// the controller-manager makes.
	for _, account := range []string{"default", Account} {
		if _, err := core.ServiceAccounts(name).Create(ctx, &corev1.ServiceAccount{ObjectMeta: named(account)}, metav1.CreateOptions{}); err != nil {
			return nil, err
		}
	}
	if _, err := cp.Client.RbacV1().Roles(name).Create(ctx, &rbacv1.Role{ObjectMeta: named(Account), Rules: rules}, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	if _, err := cp.Client.RbacV1().RoleBindings(name).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: named(Account),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: Account},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: Account, Namespace: name}},
	}, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	ns := &Namespace{Name: name, cp: cp}
	return ns, ns.settle(ctx, rules)
}

// SetRules replaces the rules of the Role and waits until they count.
func (ns *Namespace) SetRules(ctx context.Context, rules []rbacv1.PolicyRule) error {
	roles := ns.cp.Client.RbacV1().Roles(ns.Name)
	role, err := roles.Get(ctx, Account, metav1.GetOptions{})
	if err != nil {
		return err
	}
	role.Rules = rules
	if _, err := roles.Update(ctx, role, metav1.UpdateOptions{}); err != nil {
		return err
	}
	return ns.settle(ctx, rules)
}

// settle waits until the API server, which reads Roles through a cache, grants
// exactly the rules.
func (ns *Namespace) settle(ctx context.Context, rules []rbacv1.PolicyRule) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	token, err := ns.Token(ctx, nil)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(ns.cp.Token(token))
	if err != nil {
		return err
	}
	var want []string
	for _, r := range rules {
		want = append(want, fmt.Sprint(r.APIGroups, r.Resources, r.Verbs))
	}
	slices.Sort(want)
	return retry(ctx, func() error {
		review, err := client.AuthorizationV1().SelfSubjectRulesReviews().Create(ctx, &authorizationv1.SelfSubjectRulesReview{
			Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: ns.Name},
		}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		var granted []string
		for _, r := range review.Status.ResourceRules {
			if !slices.ContainsFunc(r.APIGroups, everyones) {
				granted = append(granted, fmt.Sprint(r.APIGroups, r.Resources, r.Verbs))
			}
		}
		if slices.Sort(granted); !slices.Equal(granted, want) {
			return fmt.Errorf("the API server still grants %v", granted)
		}
		return nil
	})
}

// everyones tells whether every service account may do something in that API group.
func everyones(group string) bool {
	return group == "authentication.k8s.io" || group == "authorization.k8s.io" || group == "certificates.k8s.io"
}

// Token returns a token of the service account, bound to the pod if there is one.
func (ns *Namespace) Token(ctx context.Context, pod *corev1.Pod) (string, error) {
	hour := int64(time.Hour / time.Second)
	req := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &hour}}
	if pod != nil {
		req.Spec.BoundObjectRef = &authenticationv1.BoundObjectReference{
			APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID,
		}
	}
	resp, err := ns.cp.Client.CoreV1().ServiceAccounts(ns.Name).CreateToken(ctx, Account, req, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return resp.Status.Token, nil
}
