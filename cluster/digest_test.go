package cluster

import (
	"cmp"
	"hash/maphash"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// digest names a state of the world such that two states with one digest have the
// same future: instants count from now, versions by their order, and random words
// by their first mention.
func digest(seed maphash.Seed, w *world) uint64 {
	d := &digester{now: w.now, words: map[string]int{}}
	d.h.SetSeed(seed)
	d.versions = []Version{0}
	d.collect(reflect.ValueOf(w).Elem())
	slices.Sort(d.versions)
	d.versions = slices.Compact(d.versions)
	d.write(reflect.ValueOf(w).Elem())
	return d.h.Sum64()
}

type digester struct {
	h        maphash.Hash
	now      instant
	versions []Version
	words    map[string]int
}

// ignored are the fields without a future: counts, and what is only for people.
var ignored = map[string]bool{
	"random": true, "reminded": true, "trouble": true, "blind": true, "why": true, "beats": true, "Beat": true,
	"tries": true, "actions": true, "timing": true,
}

var (
	versionType  = reflect.TypeFor[Version]()
	durationType = reflect.TypeFor[time.Duration]()
	worldType    = reflect.TypeFor[world]()
	plans        = map[reflect.Type][]int{}
)

// fields lists the fields of a struct that matter.
func fields(t reflect.Type) []int {
	plan, ok := plans[t]
	if !ok {
		for i := range t.NumField() {
			name := t.Field(i).Name
			if !ignored[name] && (t != worldType || name != "now" && name != "version") {
				plan = append(plan, i)
			}
		}
		plans[t] = plan
	}
	return plan
}

// collect finds all versions.
func (d *digester) collect(v reflect.Value) {
	if v.Type() == versionType {
		d.versions = append(d.versions, Version(v.Uint()))
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() && v.Kind() == reflect.Pointer {
			d.collect(v.Elem())
		}
	case reflect.Struct:
		for _, i := range fields(v.Type()) {
			d.collect(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			d.collect(v.Index(i))
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			d.collect(it.Value())
		}
	}
}

func (d *digester) int(i int64) {
	for i >= 0x80 || i < 0 {
		d.h.WriteByte(byte(i) | 0x80)
		i = int64(uint64(i) >> 7)
	}
	d.h.WriteByte(byte(i))
}

func (d *digester) write(v reflect.Value) {
	switch v.Type() {
	case versionType:
		i, _ := slices.BinarySearch(d.versions, Version(v.Uint()))
		d.int(int64(i))
		return
	case durationType:
		after := max(time.Duration(v.Int())-d.now, -5*tick) // longer ago is all the same
		d.int(int64((after + 5*tick + tick - 1) / tick))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		d.int(map[bool]int64{true: 1}[v.Bool()])
	case reflect.Int:
		d.int(v.Int())
	case reflect.Uint64:
		d.int(int64(v.Uint()))
	case reflect.String:
		d.word(v.String())
	case reflect.Interface: // an error
		d.h.WriteByte(map[bool]byte{true: 1}[v.IsNil()])
	case reflect.Pointer:
		if v.IsNil() {
			d.h.WriteByte(0)
			return
		}
		d.h.WriteByte(1)
		d.write(v.Elem())
	case reflect.Struct:
		for _, i := range fields(v.Type()) {
			d.write(v.Field(i))
		}
	case reflect.Slice:
		d.int(int64(v.Len()))
		for i := range v.Len() {
			d.write(v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int {
			if a.Kind() == reflect.Int {
				return cmp.Compare(a.Int(), b.Int())
			}
			return cmp.Compare(a.String(), b.String())
		})
		d.int(int64(len(keys)))
		for _, k := range keys {
			d.write(k)
			d.write(v.MapIndex(k))
		}
	default:
		panic("digest: " + v.Kind().String())
	}
}

// word writes a string, and a random word in it by the order of its first mention.
func (d *digester) word(s string) {
	name, random, ok := strings.Cut(s, "#")
	if !ok && len(s) == 10 {
		name, random = "", s
	}
	if random != "" {
		i, known := d.words[random]
		if !known {
			i = len(d.words)
			d.words[random] = i
		}
		s = name + "#" + strconv.Itoa(i)
	}
	d.h.WriteString(s)
	d.h.WriteByte(0)
}
