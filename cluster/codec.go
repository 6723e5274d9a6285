package cluster

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"maps"
	"slices"
	"strconv"
)

// format marks our tables. Raise the number when a field is added: a member then
// stands by before a table that it does not understand instead of mending it.
const format = "mehari.leaders/1"

// errEdited tells of a table that is ours but was changed by other hands.
var errEdited = errors.New("the table was edited by hand")

// A tableText is the table as JSON.
type tableText struct {
	Format      string              `json:"format"`
	ID          string              `json:"id"`
	Base        Version             `json:"base"`
	Fresh       bool                `json:"fresh"`
	Coordinator string              `json:"coordinator"`
	Members     map[string]seat     `json:"members"`
	Sets        map[string][]string `json:"sets"`
	Locks       map[string]entry    `json:"locks"`
	Seal        string              `json:"seal"`
}

// encodeTable writes t for people: sorted, a lock a line, sealed with a checksum.
func encodeTable(t *table) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n\"format\": %s,\n\"id\": %s,\n\"base\": %d,\n", quote(format), quote(t.ID), t.Base)
	if t.Fresh {
		b.WriteString("\"fresh\": true,\n")
	}
	fmt.Fprintf(&b, "\"coordinator\": %s,\n", quote(t.Coordinator))
	section(&b, "members", t.Members)
	section(&b, "sets", t.Sets)
	section(&b, "locks", t.Locks)
	fmt.Fprintf(&b, "\"seal\": \"%08x\"\n}\n", crc32.ChecksumIEEE(b.Bytes()))
	return b.Bytes()
}

// section writes a map as a JSON object with a line for each key.
func section[V any](b *bytes.Buffer, name string, m map[string]V) {
	fmt.Fprintf(b, "%s: {", quote(name))
	comma := "\n"
	for k, v := range sorted(m) {
		fmt.Fprintf(b, "%s  %s: %s", comma, quote(k), marshal(v))
		comma = ",\n"
	}
	b.WriteString("\n},\n")
}

func quote(s string) string { return marshal(s) }

// marshal is JSON in one line, without escapes that only browsers need.
func marshal(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("cluster: " + err.Error()) // strings, numbers and lists of them always encode
	}
	return string(bytes.TrimRight(b.Bytes(), "\n"))
}

// decodeTable reads a table. The error is errEdited where the table is ours but
// its seal is broken, and another one where the content is not ours.
func decodeTable(value []byte) (*table, error) {
	var in tableText
	d := json.NewDecoder(bytes.NewReader(value))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, fmt.Errorf("want a table of locks in format %q, have %s: %w", format, excerpt(value), err)
	}
	if in.Format != format {
		return nil, fmt.Errorf("want a table of locks in format %q, have format %q", format, in.Format)
	}
	t := &table{
		ID: in.ID, Fresh: in.Fresh, Base: in.Base, Coordinator: in.Coordinator,
		Members: in.Members, Sets: in.Sets, Locks: in.Locks,
	}
	own := encodeTable(t)
	seal := fmt.Appendf(nil, "\"seal\": %s\n}\n", quote(in.Seal))
	if t.ID == "" || !bytes.HasSuffix(own, seal) || !t.sound() {
		return nil, errEdited
	}
	return t, nil
}

// sound reports whether t is a table that the rules can produce.
func (t *table) sound() bool {
	known := func(incarnation string) bool { _, ok := t.Members[incarnation]; return ok }
	for _, e := range t.Locks {
		if !known(e.Holder) || e.Token == 0 || e.Token > t.Base {
			return false
		}
	}
	return (t.Coordinator == "" || known(t.Coordinator)) && !(t.Fresh && len(t.Locks) > 0)
}

func encodeSlot(s *slot) []byte { return []byte(marshal(s)) }

// decodeSlot reads a slot. Fields that it does not know are those of a newer
// member and do not matter.
func decodeSlot(value []byte) (*slot, error) {
	s := new(slot)
	if err := json.Unmarshal(value, s); err != nil {
		return nil, fmt.Errorf("want the slot of a member, have %s: %w", excerpt(value), err)
	}
	if s.Line == "" {
		return nil, fmt.Errorf("want the slot of a member, have %s", excerpt(value))
	}
	return s, nil
}

// excerpt quotes the beginning of a foreign value.
func excerpt(value []byte) string {
	const most = 60
	if len(value) > most {
		return strconv.Quote(string(value[:most])) + "…"
	}
	return strconv.Quote(string(value))
}

// sorted walks a map in the order of its keys.
func sorted[K cmp.Ordered, V any](m map[K]V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
