package kubernetes

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/mehari-go/mehari/cluster"
)

// Whatever text a slot or the table holds comes back as it was, by way of the
// object's JSON.
func FuzzRecord(f *testing.F) {
	for _, s := range []string{"", "{}", `{"holder":""}`, `{"holder":"a#1","beat":7}`, `{"Holder":"x"}`, `{"holder":7}`, "no JSON", "null", "[1]", "<&> ä\u2028\n"} {
		f.Add(s)
	}
	s := &Store{name: "leaders", namespace: "demo", pod: "pod-0"}
	f.Fuzz(func(t *testing.T, value string) {
		for _, r := range []resource{leases, configMaps} {
			base := object{}
			base.Name, base.ResourceVersion = "leaders-3", "7"
			o, err := s.fill(r, base, []byte(value))
			if (err == nil) != utf8.ValidString(value) {
				t.Fatalf("fill(%q): %v", value, err)
			}
			if err != nil {
				continue
			}
			b, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			var back object
			if err := json.Unmarshal(b, &back); err != nil {
				t.Fatal(err)
			}
			rec, err := s.record(r, &back)
			if err != nil || string(rec.Value) != value || rec.Version != 7 {
				t.Errorf("%s: %q came back as %q, version %d, %v", r.kind, value, rec.Value, rec.Version, err)
			}
		}
	})
}

// The holder is what the spec says, whatever the annotation does.
func TestSlotValueEdited(t *testing.T) {
	holder := "somebody"
	for note, want := range map[string]string{
		`{"holder":"a","beat":1}`: `{"beat":1,"holder":"somebody"}`,
		`{"beat":1}`:              `{"beat":1,"holder":"somebody"}`,
		`no JSON`:                 `no JSON`,
	} {
		o := &object{}
		o.Annotations = map[string]string{slotNote: note}
		o.Spec = leaseSpec(nil, []byte(`{"holder":"somebody"}`), o.CreationTimestamp.Time)
		if got := string(slotValue(o)); got != want {
			t.Errorf("the slot of %s held by %s is %s, want %s", note, holder, got, want)
		}
	}
	lost := &object{}
	lost.Labels = map[string]string{instanceLabel: "leaders"}
	lost.ResourceVersion, lost.Name = "7", "leaders-0"
	s := &Store{name: "leaders"}
	if rec, err := s.record(leases, lost); err != nil || string(rec.Value) != `{"holder":""}` || rec.Key != cluster.SlotPrefix+"0" {
		t.Errorf("a slot without its annotation is %v, %v", rec, err)
	}
}
