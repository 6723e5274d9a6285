package kube

import (
	"errors"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mehari-go/mehari/cluster"
)

// A ConfigMap that is something else's is named and stays as it is.
func TestForeignConfigMap(t *testing.T) {
	t.Parallel()
	immutable := true
	for name, tt := range map[string]struct {
		made corev1.ConfigMap
		want string
	}{
		"OtherData":   {corev1.ConfigMap{Data: map[string]string{"app.properties": "a=b"}}, `has no key "table"`},
		"OtherBinary": {corev1.ConfigMap{BinaryData: map[string][]byte{"blob": {0xff}}}, `has no key "table"`},
		"Empty":       {corev1.ConfigMap{}, `has no key "table"`},
		"Immutable":   {corev1.ConfigMap{Data: map[string]string{"table": "{}"}, Immutable: &immutable}, "is immutable"},
	} {
		t.Run(name, func(t *testing.T) {
			ns := namespace(t, plane, role())
			s := open(t, plane, ns, nil)
			maps := plane.Client.CoreV1().ConfigMaps(ns.Name)
			tt.made.Name = "leaders"
			made, err := maps.Create(t.Context(), &tt.made, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Get(t.Context(), cluster.TableKey, 0)
			wantError(t, err, `the ConfigMap "leaders"`, tt.want, ns.Name)
			wantError(t, s.Check(t.Context()), `the ConfigMap "leaders"`, tt.want)
			if _, err := s.Set(t.Context(), cluster.TableKey, []byte("{}"), 0); !errors.Is(err, cluster.ErrConflict) {
				t.Errorf("Set, prev 0: %v, want ErrConflict", err)
			}
			after, err := maps.Get(t.Context(), "leaders", metav1.GetOptions{})
			if err != nil || after.ResourceVersion != made.ResourceVersion {
				t.Errorf("the ConfigMap changed: %v, %v", after, err)
			}
		})
	}
}

// What others put into our ConfigMap stays there. Broken content is returned as it is.
func TestSharedConfigMap(t *testing.T) {
	t.Parallel()
	ns := namespace(t, plane, role())
	s := open(t, plane, ns, nil)
	maps := plane.Client.CoreV1().ConfigMaps(ns.Name)
	v, err := s.Set(t.Context(), cluster.TableKey, []byte("{}"), 0)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Set(t.Context(), cluster.TableKey, []byte("{}"), v)
	if err != nil || again <= v {
		t.Errorf("Set of the same value = %d, %v; want a version after %d", again, err, v)
	}
	patch := []byte(`{"data":{"table":"no table","note":"mine"},"metadata":{"labels":{"team":"orders"},"annotations":{"team":"orders"}}}`)
	if _, err := maps.Patch(t.Context(), "leaders", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	rec, err := s.Get(t.Context(), cluster.TableKey, v)
	if err != nil || string(rec.Value) != "no table" {
		t.Errorf("Get = %q, %v; want the broken content", rec.Value, err)
	}
	if _, err := s.Set(t.Context(), cluster.TableKey, []byte("{}"), rec.Version); err != nil {
		t.Fatal(err)
	}
	m, err := maps.Get(t.Context(), "leaders", metav1.GetOptions{})
	if err != nil || m.Data["note"] != "mine" || m.Labels["team"] != "orders" || m.Annotations["team"] != "orders" {
		t.Errorf("what others put into the ConfigMap is gone: %v, %v", m, err)
	}
}

// A Lease of another program with the name of a slot is refused by Get and not seen
// by List: members leave out that number.
func TestForeignLease(t *testing.T) {
	t.Parallel()
	ns := namespace(t, plane, role())
	s := open(t, plane, ns, nil)
	other := "other"
	_, err := plane.Client.CoordinationV1().Leases(ns.Name).Create(t.Context(), &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "leaders-0"}, Spec: coordinationv1.LeaseSpec{HolderIdentity: &other},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Get(t.Context(), "slot-0", 0)
	wantError(t, err, `the Lease "leaders-0"`, "was made by something else")
	if all, err := s.List(t.Context(), ""); err != nil || len(all) != 0 {
		t.Errorf("List = %v, %v; want nothing", all, err)
	}
	if _, err := s.Set(t.Context(), "slot-0", []byte(`{"holder":"a"}`), 0); !errors.Is(err, cluster.ErrConflict) {
		t.Errorf("Set, prev 0: %v, want ErrConflict", err)
	}
}

// The holder is shown where kubectl prints it, and who edits it there is heard.
func TestHolderInLease(t *testing.T) {
	t.Parallel()
	ns := namespace(t, plane, role())
	s := open(t, plane, ns, nil)
	leases := plane.Client.CoordinationV1().Leases(ns.Name)
	value := `{"holder":"pod-0#1","beat":1,"big":12345678901234567890}`
	v, err := s.Set(t.Context(), "slot-0", []byte(value), 0)
	if err != nil {
		t.Fatal(err)
	}
	lease, err := leases.Get(t.Context(), "leaders-0", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	spec := lease.Spec
	if *spec.HolderIdentity != "pod-0#1" || *spec.LeaseTransitions != 1 || time.Since(spec.RenewTime.Time) > time.Minute || !spec.AcquireTime.Equal(spec.RenewTime) {
		t.Errorf("the Lease says %v", spec)
	}
	patch := []byte(`{"metadata":{"annotations":{"by":"hand"}},"spec":{"holderIdentity":"me"}}`)
	if _, err = leases.Patch(t.Context(), "leaders-0", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	rec, err := s.Get(t.Context(), "slot-0", v)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"holder":"me"`, `"beat":1`, `"big":12345678901234567890`} {
		if !strings.Contains(string(rec.Value), part) {
			t.Errorf("the slot is %s, want %s in it", rec.Value, part)
		}
	}
	if _, err := s.Set(t.Context(), "slot-0", []byte(`{"holder":""}`), v); !errors.Is(err, cluster.ErrConflict) {
		t.Errorf("Set over the edit: %v, want ErrConflict", err)
	}
	if _, err := s.Set(t.Context(), "slot-0", []byte(`{"holder":""}`), rec.Version); err != nil {
		t.Fatal(err)
	}
	lease, err = leases.Get(t.Context(), "leaders-0", metav1.GetOptions{})
	if err != nil || lease.Spec.HolderIdentity != nil || *lease.Spec.LeaseTransitions != 1 || lease.Annotations["by"] != "hand" {
		t.Errorf("the released Lease is %v, %v", lease, err)
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("the error is %q, want %q in it", err, p)
		}
	}
}
