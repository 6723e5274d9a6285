package kubernetes

import (
	"fmt"
	"strconv"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mehari-go/mehari/cluster"
)

// A resource is a kind of object that the store reads or writes.
type resource struct{ group, plural, kind string }

var (
	leases     = resource{"coordination.k8s.io", "leases", "Lease"}
	configMaps = resource{"", "configmaps", "ConfigMap"}
	pods       = resource{"", "pods", "Pod"}
)

// String is the resource's name as the API server's messages have it.
func (r resource) String() string {
	if r.group == "" {
		return r.plural
	}
	return r.plural + "." + r.group
}

func (r resource) version() string {
	if r.group == "" {
		return "v1"
	}
	return r.group + "/v1"
}

// path is the path of the object name, or of all if it is "".
func (r resource) path(namespace, name string) string {
	root := "/api/"
	if r.group != "" {
		root = "/apis/"
	}
	p := root + r.version() + "/namespaces/" + namespace + "/" + r.plural
	if name != "" {
		p += "/" + name
	}
	return p
}

// An object is a Lease, a ConfigMap or the metadata of a Pod. It has all fields of
// the first two, so that writing one back loses nothing that others put there.
type object struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec *coordinationv1.LeaseSpec `json:"spec,omitempty"` // of a Lease

	Data       map[string]string `json:"data,omitempty"` // of a ConfigMap
	BinaryData map[string][]byte `json:"binaryData,omitempty"`
	Immutable  *bool             `json:"immutable,omitempty"`
}

func (o *object) version() (cluster.Version, error) { return version(o.ResourceVersion) }

func version(resourceVersion string) (cluster.Version, error) {
	v, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil || v == 0 {
		return 0, fmt.Errorf("resource version %q: want a positive number", resourceVersion)
	}
	return cluster.Version(v), nil
}
