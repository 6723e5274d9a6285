package aesgcm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/dataformat"
	"github.com/mehari-go/mehari/dataformat/aesgcm"
	"github.com/mehari-go/mehari/dataformat/formattest"
)

var (
	secret = []byte("0123456789abcdef0123456789ABCDEF")
	other  = bytes.Repeat([]byte{7}, 16)
)

func made(t testing.TB, c aesgcm.Config) aesgcm.Format {
	t.Helper()
	f, err := aesgcm.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFormat(t *testing.T) {
	for _, keys := range [][]aesgcm.Key{
		{aesgcm.NewKey("", secret)},
		{aesgcm.NewKey("", secret[:16])},
		{aesgcm.NewKey("", secret[:24])},
		{aesgcm.NewKey("new", secret), aesgcm.NewKey("old", other)},
	} {
		formattest.Test(t, formattest.Harness{
			Format:    made(t, aesgcm.Config{Keys: keys}),
			Name:      "aesgcm",
			Values:    []any{[]byte("hello"), "", strings.Repeat("text", 1000)},
			Natural:   []byte("hello"),
			Bytes:     true,
			Truncated: true,
			Bad:       []string{"", "x", "\x03new", "\x03new123456789012", strings.Repeat("x", 100), "\x03abc" + strings.Repeat("x", 100)},
		})
	}
}

func FuzzFormat(f *testing.F) {
	formattest.Fuzz(f, formattest.Harness{
		Format: made(f, aesgcm.Config{Keys: []aesgcm.Key{aesgcm.NewKey("new", secret), aesgcm.NewKey("old", other)}}),
		Values: []any{"text"},
		Bad:    []string{"", "\x03", "\x03old", "\xff"},
	})
}

// Every byte that is changed is noticed.
func TestChanges(t *testing.T) {
	f := made(t, aesgcm.Config{Keys: []aesgcm.Key{aesgcm.NewKey("id", secret)}})
	b := encrypt(t, f, "some text")
	for i := range b {
		changed := bytes.Clone(b)
		changed[i] ^= 1
		var text string
		if err := f.Unmarshal(bytes.NewReader(changed), &text); err == nil || text != "" {
			t.Errorf("byte %d: %q, %v", i, text, err)
		}
	}
	if bytes.Equal(b, encrypt(t, f, "some text")) {
		t.Error("two texts were encrypted with the same nonce")
	}
}

func encrypt(t testing.TB, f aesgcm.Format, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Marshal(&b, text); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestKeys(t *testing.T) {
	before := aesgcm.NewKey("2025", other)
	now := aesgcm.NewKey("2026", secret)
	old := made(t, aesgcm.Config{Keys: []aesgcm.Key{before}})
	both := made(t, aesgcm.Config{Keys: []aesgcm.Key{now, before}})
	tenant := made(t, aesgcm.Config{Keys: []aesgcm.Key{now}, AssociatedData: []byte("tenant")})
	small := made(t, aesgcm.Config{Keys: []aesgcm.Key{now}, MaxSize: 10})
	const changed = "it was encrypted with another key, or changed since"
	for _, c := range []struct {
		by, with aesgcm.Format
		want     string
	}{
		{old, both, "text"},
		{both, both, "text"},
		{tenant, tenant, "text"},
		{both, old, `there is no key with the id "2026"`},
		{tenant, both, changed},
		{both, tenant, changed},
		{made(t, aesgcm.Config{Keys: []aesgcm.Key{aesgcm.NewKey("2026", other)}}), both, changed},
		{made(t, aesgcm.Config{Keys: []aesgcm.Key{aesgcm.NewKey("", secret)}}), made(t, aesgcm.Config{Keys: []aesgcm.Key{aesgcm.NewKey("", other)}}), changed},
		{both, small, "there are more than the 10 bytes that MaxSize allows"},
		{both, aesgcm.Format{}, "want a format made by aesgcm.New"},
	} {
		var got string
		if err := c.with.Unmarshal(bytes.NewReader(encrypt(t, c.by, "text")), &got); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if err := small.Marshal(new(bytes.Buffer), "more than ten"); err == nil {
		t.Error("more was encrypted than may be")
	}
	if err := (aesgcm.Format{}).Marshal(new(bytes.Buffer), "x"); err == nil {
		t.Error("something was encrypted with no key")
	}
}

func TestMistakes(t *testing.T) {
	_, err := aesgcm.New(aesgcm.Config{})
	if err == nil || err.Error() != "there is no key" {
		t.Error(err)
	}
	_, err = aesgcm.New(aesgcm.Config{Keys: []aesgcm.Key{
		{}, aesgcm.NewKey("", secret), aesgcm.NewKey("a", secret), aesgcm.NewKey("a", secret), aesgcm.NewKey("b", secret[:15]), aesgcm.NewKey(strings.Repeat("i", 256), secret),
	}})
	want := `aesgcm: Config.Keys[0]: want one made by aesgcm.NewKey
aesgcm: Config.Keys[1]: want an id, since there are several keys
aesgcm: Config.Keys[3]: there is another with the id "a"
aesgcm: Config.Keys[4]: want 16, 24 or 32 bytes, have 15
aesgcm: Config.Keys[5]: want an id of at most 255 bytes, have 256`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
}

// However keys and formats are printed, the secret is not shown.
func TestSecretsAreNotShown(t *testing.T) {
	key := aesgcm.NewKey("id", secret)
	config := aesgcm.Config{Keys: []aesgcm.Key{key}}
	format := made(t, config)
	hidden := struct {
		k aesgcm.Key
		c aesgcm.Config
		f aesgcm.Format
	}{key, config, format}
	var all strings.Builder
	for _, v := range []any{key, &key, config, &config, format, &format, hidden, &hidden, []any{key}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&all, verb+"\n", v)
		}
		b, err := json.Marshal(v)
		fmt.Fprintln(&all, string(b), err)
		slog.New(slog.NewTextHandler(&all, nil)).Info("key", "v", v)
		slog.New(slog.NewJSONHandler(&all, nil)).Info("key", "v", v)
	}
	for _, shown := range []string{string(secret[:8]), fmt.Sprintf("%x", secret[:4]), fmt.Sprintf("%X", secret[:4]), "48 49 50", "0x30, 0x31", "MDEyMzQ1"} {
		if strings.Contains(all.String(), shown) {
			t.Errorf("%q is shown in\n%s", shown, all.String())
		}
	}
}

func Example() {
	// Keys come from where secrets are kept.
	newKey, oldKey := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)

	before, err := aesgcm.New(aesgcm.Config{Keys: []aesgcm.Key{aesgcm.NewKey("2025", oldKey)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	now, err := aesgcm.New(aesgcm.Config{Keys: []aesgcm.Key{aesgcm.NewKey("2026", newKey), aesgcm.NewKey("2025", oldKey)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var b bytes.Buffer
	if err := before.Marshal(&b, "an old secret"); err != nil {
		fmt.Println(err)
	}
	var text string
	if err := now.Unmarshal(&b, &text); err != nil {
		fmt.Println(err)
	}
	fmt.Println(text)

	// Output:
	// an old secret
}

func TestCheck(t *testing.T) {
	var f dataformat.Checker = aesgcm.Format{}
	if err := f.Check(); err == nil || err.Error() != "want a format made by aesgcm.New" {
		t.Errorf("have %v, want an error", err)
	}
}
