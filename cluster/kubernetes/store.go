package kubernetes

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mehari-go/mehari/cluster"
)

// A Store is a [cluster.Store] in a namespace of a Kubernetes cluster. It is also a
// [cluster.Checker] and, by the pods, a [cluster.Roster]. It may be used by many
// goroutines at once and has none of its own.
type Store struct {
	client    *client
	name      string
	namespace string
	pod       string
	selector  string
	inPod     bool

	mu   sync.Mutex
	seen map[string]*object // by key: the latest state seen, which Set writes back
}

var (
	_ cluster.Store   = (*Store)(nil)
	_ cluster.Checker = (*Store)(nil)
	_ cluster.Roster  = (*Store)(nil)
)

// PodName is the name of this replica's pod, for the name of its service.
func (s *Store) PodName() string { return s.pod }

// Get asks the API server, which answers from etcd. Where the version is known it
// asks for the metadata only, and for the rest if the version is another.
func (s *Store) Get(ctx context.Context, key string, known cluster.Version) (cluster.Record, error) {
	r, name, err := s.locate(key)
	if err != nil {
		return cluster.Record{}, err
	}
	if known != 0 {
		o, err := s.get(ctx, r, name, metadata)
		if err != nil {
			return cluster.Record{}, err
		}
		if o == nil {
			return cluster.Record{Key: key}, nil
		}
		v, err := o.version()
		if err != nil {
			return cluster.Record{}, s.failed("get", r, name, err)
		}
		if v == known {
			return cluster.Record{Key: key, Version: v}, nil
		}
	}
	_, rec, err := s.fetch(ctx, key)
	return rec, err
}

// fetch reads the record at key and its object, which is nil where there is none.
func (s *Store) fetch(ctx context.Context, key string) (*object, cluster.Record, error) {
	none := cluster.Record{Key: key}
	r, name, err := s.locate(key)
	if err != nil {
		return nil, none, err
	}
	o, err := s.get(ctx, r, name, whole)
	if o == nil || err != nil {
		return nil, none, err
	}
	rec, err := s.record(r, o)
	if err != nil {
		return nil, none, s.failed("get", r, name, err)
	}
	s.remember(key, o)
	return o, rec, nil
}

// get returns nil where there is no such object.
func (s *Store) get(ctx context.Context, r resource, name, accept string) (*object, error) {
	o := &object{}
	err := s.client.do(ctx, request{method: http.MethodGet, path: r.path(s.namespace, name), accept: accept}, o)
	if missing(err, name) {
		return nil, nil
	}
	if err != nil {
		return nil, s.failed("get", r, name, err)
	}
	return o, nil
}

// List returns the table, the slots, or both, and no cursors.
func (s *Store) List(ctx context.Context, prefix string) ([]cluster.Record, error) {
	var recs []cluster.Record
	for _, r := range holding(prefix) {
		var list objectList
		err := s.client.do(ctx, request{method: http.MethodGet, path: r.path(s.namespace, ""), query: s.query(r), accept: whole}, &list)
		if err != nil {
			return nil, s.failed("list", r, "", err)
		}
		for _, o := range list.Items {
			key := s.key(r, &o)
			if !strings.HasPrefix(key, prefix) {
				continue
			}
			rec, err := s.record(r, &o)
			if err != nil {
				return nil, s.failed("list", r, "", err)
			}
			s.remember(key, &o)
			recs = append(recs, rec)
		}
	}
	return recs, nil
}

// Set creates the object, or updates it with the resourceVersion and the uid that
// belong to prev. The uid matters for a Lease: the API server takes an update of a
// deleted Lease for a wish to create it, whatever its resourceVersion.
func (s *Store) Set(ctx context.Context, key string, value []byte, prev cluster.Version) (cluster.Version, error) {
	r, name, err := s.locate(key)
	if err != nil {
		return 0, err
	}
	base := object{}
	base.Namespace, base.Name = s.namespace, name
	verb, req := "create", request{method: http.MethodPost, path: r.path(s.namespace, ""), accept: whole}
	if prev != 0 {
		old, err := s.at(ctx, key, prev)
		if err != nil {
			return 0, err
		}
		base = *old
		verb, req.method, req.path = "update", http.MethodPut, r.path(s.namespace, name)
	}
	filled, err := s.fill(r, base, value)
	if err != nil {
		return 0, s.failed(verb, r, name, err)
	}
	req.body = filled
	var stored object
	if err := s.client.do(ctx, req, &stored); err != nil {
		if prev == 0 && refused(err, metav1.StatusReasonAlreadyExists) ||
			prev != 0 && (refused(err, metav1.StatusReasonConflict) || missing(err, name)) {
			return 0, cluster.ErrConflict
		}
		return 0, s.failed(verb, r, name, err)
	}
	v, err := stored.version()
	if err != nil {
		return 0, s.failed(verb, r, name, err)
	}
	s.remember(key, &stored)
	return v, nil
}

// at returns the object of key as it was at version v, or ErrConflict if that is
// neither known nor its state now.
func (s *Store) at(ctx context.Context, key string, v cluster.Version) (*object, error) {
	s.mu.Lock()
	o := s.seen[key]
	s.mu.Unlock()
	if o != nil {
		if have, err := o.version(); err == nil && have == v {
			return o, nil
		}
	}
	o, rec, err := s.fetch(ctx, key)
	if err != nil {
		return nil, err
	}
	if rec.Version != v {
		return nil, cluster.ErrConflict
	}
	return o, nil
}

// remember keeps the latest state of the object at key for the next update of it,
// without what that replaces anyway, and without the bookkeeping of the API server.
func (s *Store) remember(key string, o *object) {
	o.ManagedFields = nil
	delete(o.Data, s.dataKey(o))
	delete(o.Annotations, slotNote)
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.seen[key]; old != nil {
		was, err1 := old.version()
		is, err2 := o.version()
		if err1 == nil && err2 == nil && is < was {
			return
		}
	}
	s.seen[key] = o
}

// holding returns the resources that hold records whose keys begin with prefix.
func holding(prefix string) []resource {
	var rs []resource
	if strings.HasPrefix(cluster.TableKey, prefix) {
		rs = append(rs, configMaps)
	}
	if strings.HasPrefix(cluster.SlotPrefix, prefix) || strings.HasPrefix(prefix, cluster.SlotPrefix) {
		rs = append(rs, leases)
	}
	return rs
}

// query selects the objects of the store.
func (s *Store) query(r resource) url.Values {
	switch r {
	case configMaps:
		return named(s.name)
	case leases:
		return url.Values{"labelSelector": {managedLabel + "=" + managedBy + "," + instanceLabel + "=" + s.name}}
	default:
		q := url.Values{"fieldSelector": {"status.phase!=Succeeded,status.phase!=Failed"}}
		if s.selector != "" {
			q.Set("labelSelector", s.selector)
		}
		return q
	}
}

// named selects one object.
func named(name string) url.Values { return url.Values{"fieldSelector": {"metadata.name=" + name}} }

// failed says which call on which object err ended.
func (s *Store) failed(verb string, r resource, name string, err error) error {
	if name == "" {
		return fmt.Errorf("kubernetes: %s the %s in namespace %q: %w", verb, r.plural, s.namespace, err)
	}
	return fmt.Errorf("kubernetes: %s the %s %q in namespace %q: %w", verb, r.kind, name, s.namespace, err)
}
