package redis

import (
	"encoding/binary"
	"maps"
	"slices"
)

// Metadata travel as a map of strings in MessagePack, of which no more is needed:
// https://github.com/msgpack/msgpack/blob/master/spec.md.

// The kinds of maps and strings, by the size of their length.
const (
	fixMap, map16, map32   = 0x80, 0xde, 0xdf
	fixStr                 = 0xa0
	bin8, bin16, bin32     = 0xc4, 0xc5, 0xc6
	str8, str16, str32     = 0xd9, 0xda, 0xdb
	mostFixMap, mostFixStr = 15, 31
	fixMapMask, fixStrMask = 0xf0, 0xe0
	mostOf8, mostOf16      = 1<<8 - 1, 1<<16 - 1
	leastPair              = 2 // bytes: two empty strings
)

func packMap(m map[string]string) []byte {
	var b []byte
	switch n := len(m); {
	case n <= mostFixMap:
		b = append(b, fixMap|byte(n))
	case n <= mostOf16:
		b = binary.BigEndian.AppendUint16(append(b, map16), uint16(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, map32), uint32(n))
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		b = packString(packString(b, name), m[name])
	}
	return b
}

func packString(b []byte, s string) []byte {
	switch n := len(s); {
	case n <= mostFixStr:
		b = append(b, fixStr|byte(n))
	case n <= mostOf8:
		b = append(b, str8, byte(n))
	case n <= mostOf16:
		b = binary.BigEndian.AppendUint16(append(b, str16), uint16(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, str32), uint32(n))
	}
	return append(b, s...)
}

// unpackMap tells whether s is a map of strings and nothing else.
func unpackMap(s string) (map[string]string, bool) {
	u := unpacker{rest: s}
	var n int
	switch kind := u.number(1); {
	case kind&fixMapMask == fixMap:
		n = kind & mostFixMap
	case kind == map16:
		n = u.number(2)
	case kind == map32:
		n = u.number(4)
	default:
		return nil, false
	}
	if n > len(u.rest)/leastPair {
		return nil, false
	}
	m := make(map[string]string, n)
	for range n {
		name := u.text()
		m[name] = u.text()
	}
	return m, !u.bad && u.rest == ""
}

// An unpacker takes from the front of rest.
type unpacker struct {
	rest string
	bad  bool
}

func (u *unpacker) take(n int) string {
	if n < 0 || n > len(u.rest) {
		u.bad, u.rest = true, ""
		return ""
	}
	taken := u.rest[:n]
	u.rest = u.rest[n:]
	return taken
}

func (u *unpacker) number(size int) int {
	n := 0
	for _, c := range []byte(u.take(size)) {
		n = n<<8 | int(c)
	}
	return n
}

func (u *unpacker) text() string {
	switch kind := u.number(1); {
	case kind&fixStrMask == fixStr:
		return u.take(kind & mostFixStr)
	case kind == str8, kind == bin8:
		return u.take(u.number(1))
	case kind == str16, kind == bin16:
		return u.take(u.number(2))
	case kind == str32, kind == bin32:
		return u.take(u.number(4))
	}
	u.bad = true
	return ""
}
