package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/mehari-go/mehari/route"
)

// format is the first byte of a record.
const format = 1

// encode returns a group as it is stored.
func (c *codec) encode(g *route.Group) ([]byte, error) {
	b := binary.AppendUvarint([]byte{format}, g.Version)
	b = appendText(b, g.Key)
	b = binary.AppendVarint(b, int64(g.Size))
	b = binary.AppendVarint(b, int64(g.Timeout))
	b = binary.AppendVarint(b, nanos(g.Deadline))
	b = binary.AppendVarint(b, int64(g.Redeliveries))
	b = appendText(b, g.CompletedBy)
	b, err := c.append(b, g.Body, 0)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	var errs []error
	for _, fields := range []struct {
		name string
		all  iter.Seq2[string, any]
	}{{"header", g.Headers()}, {"property", g.Properties()}, {"variable", g.Variables()}} {
		n := uint64(0)
		for range fields.all {
			n++
		}
		b = binary.AppendUvarint(b, n)
		for name, value := range fields.all {
			more, err := c.append(appendText(b, name), value, 0)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s %q: %w", fields.name, name, err))
				continue
			}
			b = more
		}
	}
	return b, errors.Join(errs...)
}

// version returns the version of the group that is stored in b, 0 for nil.
func version(b []byte) (uint64, error) {
	if b == nil {
		return 0, nil
	}
	if len(b) == 0 || b[0] != format {
		return 0, errDamaged
	}
	n, size := binary.Uvarint(b[1:])
	if size <= 0 {
		return 0, errDamaged
	}
	return n, nil
}

// nanos is a time since 1970, 0 for the zero time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// decode returns the group that is stored in b, with which it shares no memory.
func (c *codec) decode(b []byte) (*route.Group, error) {
	if len(b) == 0 || b[0] != format {
		return nil, errDamaged
	}
	r := &reader{codec: c, b: b[1:]}
	g := &route.Group{Version: r.uvarint(), Key: string(r.text())}
	g.Size = int(r.varint())
	g.Timeout = time.Duration(r.varint())
	if deadline := r.varint(); deadline != 0 {
		g.Deadline = time.Unix(0, deadline)
	}
	g.Redeliveries = int(r.varint())
	g.CompletedBy = string(r.text())
	g.Body = r.value(0)
	fields := func(yield func(string, any) bool) {
		for range r.count() {
			name := string(r.text())
			value := r.value(0)
			if r.err != nil || !yield(name, value) {
				return
			}
		}
	}
	g.SetFields(fields, fields, fields)
	if r.err == nil && len(r.b) > 0 {
		r.err = errDamaged
	}
	if r.err != nil {
		return nil, r.err
	}
	return g, nil
}
