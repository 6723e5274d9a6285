package redis_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/redis"
)

func TestPack(t *testing.T) {
	many := map[string]string{}
	for i := range 70000 {
		many[strings.Repeat("n", i%7)+string(rune(i))] = "v"
	}
	for _, m := range []map[string]string{
		{},
		{"": ""},
		{"a": "b", "ö": "\x00\xff"},
		{"31": strings.Repeat("x", 31), "32": strings.Repeat("x", 32)},
		{"8": strings.Repeat("x", 255), "16": strings.Repeat("x", 256), "32": strings.Repeat("x", 1<<16)},
		many,
	} {
		have, ok := redis.UnpackMap(string(redis.PackMap(m)))
		if !ok || !maps.Equal(have, m) {
			t.Errorf("%d pairs: have %d, %t", len(m), len(have), ok)
		}
	}
	for _, s := range []string{"", "x", "\x81", "\x81\xa1", "\x81\xa1a\xa1", "\x81\xa1a\xa1bc", "\x81\xa1a\x01", "\xdf\xff\xff\xff\xff", "\x81\xa1a\xdb\xff\xff\xff\xff"} {
		if m, ok := redis.UnpackMap(s); ok {
			t.Errorf("%q is %v", s, m)
		}
	}
	if m, ok := redis.UnpackMap("\x81\xc4\x01a\xc5\x00\x01b"); !ok || m["a"] != "b" {
		t.Errorf("binary strings are %v", m)
	}
}

// Whatever is unpacked comes out again when it is packed.
func FuzzUnpack(f *testing.F) {
	f.Add("\x82\xa1a\xa1b\xa1c\xd9\x01d")
	f.Add("\xde\x00\x01\xa0\xda\x00\x00")
	f.Fuzz(func(t *testing.T, s string) {
		m, ok := redis.UnpackMap(s)
		if !ok {
			return
		}
		again, ok := redis.UnpackMap(string(redis.PackMap(m)))
		if !ok || !maps.Equal(m, again) {
			t.Errorf("%q: %v, then %v", s, m, again)
		}
	})
}
