package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

const exampleDir = "../../examples/kubernetes"

// The manifests of the examples are right to the last field, and the API server takes
// them; the Role has exactly the rules that suffice; and the pods may run where the
// Pod Security Standard is "restricted".
func TestExampleManifests(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("../../examples/*/manifests")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range append(dirs, exampleDir) {
		t.Run(strings.TrimPrefix(dir, "../../examples/"), func(t *testing.T) {
			t.Parallel()
			checkManifests(t, manifests(t, dir))
		})
	}
}

func checkManifests(t *testing.T, objects []runtime.Object) {
	roles := find[*rbacv1.Role](objects)
	if want := rules(); len(roles) != 1 || !reflect.DeepEqual(roles[0].Rules, want) {
		t.Fatalf("the Role is %v, want exactly %v", roles, want)
	}
	// Beside that of the replicas there may be one of a server.
	deployments := slices.DeleteFunc(find[*appsv1.Deployment](objects), func(d *appsv1.Deployment) bool {
		return d.Spec.Template.Spec.ServiceAccountName == ""
	})
	if len(deployments) != 1 {
		t.Fatalf("%d Deployments with a service account, want 1", len(deployments))
	}
	d := deployments[0]
	if *d.Spec.Replicas != 3 {
		t.Errorf("%d replicas, want 3", *d.Spec.Replicas)
	}
	for key := range d.Spec.Selector.MatchLabels {
		if strings.Contains(key, "version") {
			t.Errorf("the selector has %q: a rolling update would show two clusters", key)
		}
	}
	pod := d.Spec.Template
	for _, b := range find[*rbacv1.RoleBinding](objects) {
		if len(b.Subjects) != 1 || b.Subjects[0].Name != pod.Spec.ServiceAccountName || b.RoleRef.Name != roles[0].Name {
			t.Errorf("the RoleBinding gives %v to %v, want %s to %s", b.RoleRef, b.Subjects, roles[0].Name, pod.Spec.ServiceAccountName)
		}
	}
	env := map[string]v1.EnvVar{}
	for _, e := range pod.Spec.Containers[0].Env {
		env[e.Name] = e
	}
	members, err := labels.Parse(env["MEMBERS"].Value)
	if err != nil || members.Empty() || !members.Matches(labels.Set(pod.Labels)) {
		t.Errorf("MEMBERS is %q, %v, and does not choose pods with the labels %v", env["MEMBERS"].Value, err, pod.Labels)
	}
	for name, path := range map[string]string{"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace"} {
		if f := env[name].ValueFrom; f == nil || f.FieldRef == nil || f.FieldRef.FieldPath != path {
			t.Errorf("%s is %v, want %s from the downward API", name, env[name], path)
		}
	}
	for _, p := range find[*policyv1.PodDisruptionBudget](objects) {
		if s, err := metav1.LabelSelectorAsSelector(p.Spec.Selector); err != nil || !s.Matches(labels.Set(pod.Labels)) {
			t.Errorf("the PodDisruptionBudget chooses %v, %v", s, err)
		}
	}

	name := fmt.Sprintf("example-manifests-%d", namespaces.Add(1))
	restricted := map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = plane.Client.CoreV1().Namespaces().Create(ctx, &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: restricted}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	strict := metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}
	for _, o := range objects {
		switch o := o.(type) {
		case *v1.ServiceAccount:
			_, err = plane.Client.CoreV1().ServiceAccounts(name).Create(ctx, o, strict)
		case *rbacv1.Role:
			_, err = plane.Client.RbacV1().Roles(name).Create(ctx, o, strict)
		case *rbacv1.RoleBinding:
			_, err = plane.Client.RbacV1().RoleBindings(name).Create(ctx, o, strict)
		case *appsv1.Deployment:
			_, err = plane.Client.AppsV1().Deployments(name).Create(ctx, o, strict)
		case *v1.Secret:
			_, err = plane.Client.CoreV1().Secrets(name).Create(ctx, o, strict)
		case *v1.Service:
			_, err = plane.Client.CoreV1().Services(name).Create(ctx, o, strict)
		case *policyv1.PodDisruptionBudget:
			_, err = plane.Client.PolicyV1().PodDisruptionBudgets(name).Create(ctx, o, strict)
		default:
			t.Errorf("an object nobody has looked at: %T", o)
		}
		if err != nil {
			t.Errorf("%T: %v", o, err)
		}
	}
	for _, d := range find[*appsv1.Deployment](objects) {
		p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: d.Name, Labels: d.Spec.Template.Labels}, Spec: d.Spec.Template.Spec}
		p.Spec.ServiceAccountName = cmp.Or(p.Spec.ServiceAccountName, pod.Spec.ServiceAccountName) // nobody makes one called default here
		if _, err := plane.Client.CoreV1().Pods(name).Create(ctx, p, strict); err != nil {
			t.Errorf("a pod of the Deployment %s: %v", d.Name, err)
		}
	}
}

// rules are the rules of the Role, as the documentation says.
func rules() []rbacv1.PolicyRule {
	all := []string{"get", "list", "watch", "create", "update"}
	return []rbacv1.PolicyRule{
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: all},
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: all},
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: all[:3]},
	}
}

// manifests returns the objects of the resources that kustomization.yaml names.
func manifests(t *testing.T, dir string) []runtime.Object {
	t.Helper()
	var k struct{ Resources []string }
	b, err := os.ReadFile(filepath.Join(dir, "kustomization.yaml"))
	if err == nil {
		err = yaml.Unmarshal(b, &k)
	}
	if err != nil || len(k.Resources) == 0 {
		t.Fatalf("kustomization.yaml has the resources %v, %v", k.Resources, err)
	}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for _, name := range k.Resources {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		documents := utilyaml.NewDocumentDecoder(f)
		for {
			document := make([]byte, 1<<20)
			n, err := documents.Read(document)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			o, _, err := decoder.Decode(document[:n], new(schema.GroupVersionKind), nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			objects = append(objects, o)
		}
		if err := documents.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return objects
}

func find[T runtime.Object](objects []runtime.Object) []T {
	var found []T
	for _, o := range objects {
		if t, ok := o.(T); ok {
			found = append(found, t)
		}
	}
	return found
}
