package kubernetes

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mehari-go/mehari/cluster"
)

const (
	tableData     = "table"         // of the ConfigMap of the table
	cursorData    = "cursor"        // of that of a cursor
	slotNote      = "mehari/slot"   // annotation of a Lease: the slot
	writtenNote   = "mehari/writer" // annotation: which pod wrote the object last
	managedLabel  = "app.kubernetes.io/managed-by"
	managedBy     = "mehari"
	instanceLabel = "app.kubernetes.io/instance" // Config.Name
)

// locate returns the object that holds the record at key.
func (s *Store) locate(key string) (resource, string, error) {
	if key == cluster.TableKey {
		return configMaps, s.name, nil
	}
	r, name := leases, ""
	if k, ok := strings.CutPrefix(key, cluster.SlotPrefix); ok {
		name = s.name + "-" + k
	} else if strings.HasPrefix(key, cluster.CursorPrefix) {
		r, name = configMaps, s.name+"-"+key
	}
	if name != "" && len(validation.IsDNS1123Subdomain(name)) == 0 {
		return r, name, nil
	}
	return resource{}, "", fmt.Errorf("kubernetes: no object for the record %q: want %q, %q and a number, or %q and a hash",
		key, cluster.TableKey, cluster.SlotPrefix, cluster.CursorPrefix)
}

// dataKey is the key of the ConfigMap o under which the record is.
func (s *Store) dataKey(o *object) string {
	if o.Name == s.name {
		return tableData
	}
	return cursorData
}

// key is the key of the record that object o of resource r holds.
func (s *Store) key(r resource, o *object) string {
	switch rest := strings.TrimPrefix(o.Name, s.name+"-"); {
	case r == leases:
		return cluster.SlotPrefix + rest
	case o.Name == s.name:
		return cluster.TableKey
	default:
		return rest
	}
}

// record decodes the object o of resource r.
func (s *Store) record(r resource, o *object) (cluster.Record, error) {
	v, err := o.version()
	if err != nil {
		return cluster.Record{}, err
	}
	rec := cluster.Record{Key: s.key(r, o), Version: v}
	if err := s.foreign(r, o); err != nil {
		return rec, err
	}
	if r == configMaps {
		rec.Value = []byte(o.Data[s.dataKey(o)])
	} else {
		rec.Value = slotValue(o)
	}
	return rec, nil
}

// foreign tells why an object with the name of a record is not the store's.
func (s *Store) foreign(r resource, o *object) error {
	switch {
	case r == leases:
		if _, ok := o.Annotations[slotNote]; !ok && o.Labels[instanceLabel] != s.name {
			return fmt.Errorf("the Lease %q was made by something else: it has no annotation %q; rename or delete it, or set another Config.Name", o.Name, slotNote)
		}
	case o.Immutable != nil && *o.Immutable:
		return fmt.Errorf("the ConfigMap %q is immutable: delete it, or set another Config.Name", o.Name)
	default:
		if _, ok := o.Data[s.dataKey(o)]; !ok {
			return fmt.Errorf("the ConfigMap %q was made by something else: it has no key %q; rename or delete it, or set another Config.Name", o.Name, s.dataKey(o))
		}
	}
	return nil
}

// fill writes value into a copy of o, an object of resource r.
func (s *Store) fill(r resource, o object, value []byte) (*object, error) {
	if !utf8.Valid(value) {
		return nil, fmt.Errorf("the value of %q is not UTF-8", s.key(r, &o))
	}
	o.TypeMeta = metav1.TypeMeta{APIVersion: r.version(), Kind: r.kind}
	o.Labels = with(o.Labels, managedLabel, managedBy, instanceLabel, s.name)
	o.Annotations = with(o.Annotations, writtenNote, s.pod)
	if r == configMaps {
		// The time keeps a write of the same value from being no write at all.
		o.Annotations[writtenNote] = s.pod + " " + time.Now().UTC().Format(time.RFC3339Nano)
		o.Data = with(o.Data, s.dataKey(&o), string(value))
		return &o, nil
	}
	o.Annotations[slotNote] = string(value)
	o.Spec = leaseSpec(o.Spec, value, time.Now())
	return &o, nil
}

// leaseSpec shows in a Lease what kubectl prints and people edit: who holds the
// slot, since when, and its last sign of life.
func leaseSpec(old *coordinationv1.LeaseSpec, value []byte, now time.Time) *coordinationv1.LeaseSpec {
	spec := coordinationv1.LeaseSpec{}
	if old != nil {
		spec = *old
	}
	at := metav1.NewMicroTime(now)
	if h, _ := holder(value); h != identity(old) {
		spec.HolderIdentity = nil
		if h != "" {
			n := int32(1)
			if spec.LeaseTransitions != nil {
				n = *spec.LeaseTransitions + 1
			}
			spec.HolderIdentity, spec.AcquireTime, spec.LeaseTransitions = &h, &at, &n
		}
	}
	spec.RenewTime = &at
	return &spec
}

// slotValue is the value of the slot that a Lease holds. Its holder is the one in
// the spec, where people edit it.
func slotValue(o *object) []byte {
	note, noted := o.Annotations[slotNote]
	shown := identity(o.Spec)
	if h, _ := holder([]byte(note)); noted && h == shown {
		return []byte(note)
	}
	fields := map[string]json.RawMessage{}
	if noted && json.Unmarshal([]byte(note), &fields) != nil {
		return []byte(note) // broken: not to be understood, nor to be mended here
	}
	quoted, err := json.Marshal(shown)
	if err != nil {
		return []byte(note)
	}
	fields["holder"] = quoted
	b, err := json.Marshal(fields)
	if err != nil {
		return []byte(note)
	}
	return b
}

// holder is the holder that a slot's value names; false if it is no JSON object.
func holder(value []byte) (string, bool) {
	var slot struct{ Holder string }
	err := json.Unmarshal(value, &slot)
	return slot.Holder, err == nil
}

func identity(spec *coordinationv1.LeaseSpec) string {
	if spec == nil || spec.HolderIdentity == nil {
		return ""
	}
	return *spec.HolderIdentity
}

// with returns a copy of m with further pairs of keys and values.
func with(m map[string]string, pairs ...string) map[string]string {
	c := maps.Clone(m)
	if c == nil {
		c = map[string]string{}
	}
	for i := 0; i < len(pairs); i += 2 {
		c[pairs[i]] = pairs[i+1]
	}
	return c
}
