package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mehari-go/mehari/cluster"
)

// A rule is one rule of the Role that the store needs.
type rule struct {
	resource
	verbs []string
}

var role = []rule{
	{leases, []string{"get", "list", "watch", "create", "update"}},
	{configMaps, []string{"get", "list", "watch", "create", "update"}},
	{pods, []string{"get", "list", "watch"}},
}

// String is the rule as it is written in a Role.
func (r rule) String() string {
	group := r.group
	if group == "" {
		group = `""`
	}
	return fmt.Sprintf("{apiGroups: [%s], resources: [%s], verbs: [%s]}", group, r.plural, strings.Join(r.verbs, ", "))
}

// Check asks the API server whether the service account may do all that the store
// does, whether the ConfigMap, if there is one, is the store's, and in a pod whether
// it has the name that we think. Its error names each rule that is missing from the
// Role.
func (s *Store) Check(ctx context.Context) error {
	granted, err := s.granted(ctx)
	if err != nil {
		return fmt.Errorf("kubernetes: check permissions: %w", err)
	}
	var lacking []error
	who := ""
	for _, r := range role {
		verbs, err := s.denied(ctx, r, granted)
		if err != nil {
			return fmt.Errorf("kubernetes: check permissions: %w", err)
		}
		if len(verbs) == 0 {
			continue
		}
		if who == "" {
			who = s.whoAmI(ctx)
		}
		lacking = append(lacking, fmt.Errorf("kubernetes: %s may not %s %s in namespace %q: add %s to its Role",
			who, strings.Join(verbs, ", "), r.resource, s.namespace, r))
	}
	if len(lacking) > 0 {
		return errors.Join(lacking...)
	}
	return errors.Join(s.checkTable(ctx), s.checkPod(ctx))
}

// A grant is a rule that the API server says to apply to us.
type grant struct {
	Verbs         []string
	APIGroups     []string
	Resources     []string
	ResourceNames []string
}

// granted asks for all that we may, in one SelfSubjectRulesReview. It is empty where
// we may not even ask, and may be incomplete: what is in it is certain.
func (s *Store) granted(ctx context.Context) ([]grant, error) {
	type spec struct {
		Namespace string `json:"namespace"`
	}
	ask := struct {
		metav1.TypeMeta
		Spec spec `json:"spec"`
	}{metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectRulesReview"}, spec{s.namespace}}
	var answer struct {
		Status struct{ ResourceRules []grant }
	}
	err := s.client.do(ctx, request{
		method: http.MethodPost, path: "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
		accept: whole, body: ask,
	}, &answer)
	if refused(err, metav1.StatusReasonForbidden) {
		return nil, nil
	}
	return answer.Status.ResourceRules, err
}

func (g grant) covers(r resource, verb string) bool {
	has := func(list []string, want string) bool {
		return slices.Contains(list, want) || slices.Contains(list, "*")
	}
	return has(g.APIGroups, r.group) && has(g.Resources, r.plural) && has(g.Verbs, verb) && len(g.ResourceNames) == 0
}

// denied returns the verbs of the rule that the API server would refuse.
func (s *Store) denied(ctx context.Context, r rule, granted []grant) ([]string, error) {
	var verbs []string
	for _, verb := range r.verbs {
		if slices.ContainsFunc(granted, func(g grant) bool { return g.covers(r.resource, verb) }) {
			continue
		}
		allowed, err := s.reviewed(ctx, r.resource, verb)
		if refused(err, metav1.StatusReasonForbidden) {
			allowed, err = s.tried(ctx, r.resource, verb)
		}
		if err != nil {
			return nil, err
		}
		if !allowed {
			verbs = append(verbs, verb)
		}
	}
	return verbs, nil
}

// reviewed asks with a SelfSubjectAccessReview, which every account may make that
// has not lost the ClusterRole system:basic-user.
func (s *Store) reviewed(ctx context.Context, r resource, verb string) (bool, error) {
	type attributes struct {
		Namespace string `json:"namespace"`
		Verb      string `json:"verb"`
		Group     string `json:"group"`
		Resource  string `json:"resource"`
	}
	type spec struct {
		ResourceAttributes attributes `json:"resourceAttributes"`
	}
	ask := struct {
		metav1.TypeMeta
		Spec spec `json:"spec"`
	}{
		metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectAccessReview"},
		spec{attributes{s.namespace, verb, r.group, r.plural}},
	}
	var answer struct {
		Status struct{ Allowed bool }
	}
	err := s.client.do(ctx, request{
		method: http.MethodPost, path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
		accept: whole, body: ask,
	}, &answer)
	return answer.Status.Allowed, err
}

// tried sends a request that needs the verb and changes nothing.
func (s *Store) tried(ctx context.Context, r resource, verb string) (bool, error) {
	req := request{method: http.MethodGet, path: r.path(s.namespace, ""), query: url.Values{"limit": {"1"}}, accept: whole}
	switch verb {
	case "get":
		req.path, req.query = r.path(s.namespace, s.name), nil
	case "watch":
		req.query = url.Values{"watch": {"1"}, "timeoutSeconds": {"1"}}
	case "create", "update":
		o := object{}
		o.Namespace, o.Name = s.namespace, s.name+"-check"
		body, err := s.fill(r, o, nil)
		if err != nil {
			return false, err
		}
		req.method, req.query, req.body = http.MethodPost, url.Values{"dryRun": {"All"}}, body
		if verb == "update" {
			// No object has this uid: without the permission 403, with it another refusal.
			body.UID, body.ResourceVersion = "00000000-0000-0000-0000-000000000000", "1"
			req.method, req.path = http.MethodPut, r.path(s.namespace, o.Name)
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.client.timeout, errSlow(s.client.timeout))
	defer cancel()
	answer, err := s.client.open(ctx, req)
	if err == nil {
		hangUp(answer)
		return true, nil
	}
	if refused(err, metav1.StatusReasonForbidden) {
		return false, nil
	}
	if _, ok := errors.AsType[*refusal](err); ok && !refused(err, metav1.StatusReasonUnauthorized) {
		return true, nil
	}
	return false, err
}

// whoAmI names the account that the API server takes us for.
func (s *Store) whoAmI(ctx context.Context) string {
	var answer struct {
		Status struct{ UserInfo struct{ Username string } }
	}
	err := s.client.do(ctx, request{
		method: http.MethodPost, path: "/apis/authentication.k8s.io/v1/selfsubjectreviews", accept: whole,
		body: metav1.TypeMeta{APIVersion: "authentication.k8s.io/v1", Kind: "SelfSubjectReview"},
	}, &answer)
	user := answer.Status.UserInfo.Username
	if err != nil || user == "" {
		return "this account"
	}
	if account, ok := strings.CutPrefix(user, "system:serviceaccount:"); ok {
		if namespace, name, ok := strings.Cut(account, ":"); ok {
			return fmt.Sprintf("service account %q of namespace %q", name, namespace)
		}
	}
	return fmt.Sprintf("user %q", user)
}

// checkTable reads the table, which refuses a ConfigMap that is something else's.
func (s *Store) checkTable(ctx context.Context) error {
	_, err := s.Get(ctx, cluster.TableKey, 0)
	return err
}

// checkPod looks whether there is a pod of our name: where it is taken from
// $HOSTNAME in a pod on the host's network, there is none, and replicas on one
// node would have one name.
func (s *Store) checkPod(ctx context.Context) error {
	if !s.inPod {
		return nil
	}
	o, err := s.get(ctx, pods, s.pod, metadata)
	if err == nil && o == nil {
		err = fmt.Errorf("kubernetes: there is no pod %q in namespace %q: set POD_NAME and POD_NAMESPACE by the downward API", s.pod, s.namespace)
	}
	return err
}
