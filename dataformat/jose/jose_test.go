package jose_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/dataformat"
	"github.com/mehari-go/mehari/dataformat/formattest"
	"github.com/mehari-go/mehari/dataformat/jose"
)

var (
	secret      = []byte("0123456789abcdef0123456789ABCDEF")
	otherSecret = bytes.Repeat([]byte{7}, 32)
	rsaKey      = must(rsa.GenerateKey(rand.Reader, 2048))
	ecKey       = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	edKey       = ed25519.NewKeyFromSeed(secret)
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func keys(k ...jose.Key) jose.Config { return jose.Config{Keys: k} }

func test(t *testing.T, f jose.Format, values ...any) {
	t.Helper()
	formattest.Test(t, formattest.Harness{
		Format:    f,
		Name:      "jose",
		Values:    append([]any{[]byte("hello")}, values...),
		Natural:   []byte("hello"),
		Bytes:     true,
		Truncated: true,
		Bad:       []string{"", "a.b.c", "a.b.c.d.e", "{}", "eyJhbGciOiJub25lIn0.aGVsbG8."},
	})
}

func TestSigned(t *testing.T) {
	for _, k := range []jose.Key{
		jose.NewKey("", "HS256", secret), jose.NewKey("a", "RS256", rsaKey), jose.NewKey("a", "PS512", rsaKey), jose.NewKey("a", "ES256", ecKey), jose.NewKey("a", "EdDSA", edKey),
	} {
		test(t, must(jose.Signed(keys(k))), "", strings.Repeat("text", 1000))
	}
}

func TestEncrypted(t *testing.T) {
	for _, k := range []jose.Key{
		jose.NewKey("", "dir", secret), jose.NewKey("a", "A256KW", secret), jose.NewKey("a", "A256GCMKW", secret), jose.NewKey("a", "RSA-OAEP-256", rsaKey), jose.NewKey("a", "ECDH-ES", ecKey),
	} {
		test(t, must(jose.Encrypted(keys(k))), "", strings.Repeat("text", 1000))
	}
}

func FuzzSigned(f *testing.F) {
	formattest.Fuzz(f, formattest.Harness{Format: must(jose.Signed(keys(jose.NewKey("a", "HS256", secret)))), Values: []any{"text"}, Bad: []string{"a.b.c"}})
}

func FuzzEncrypted(f *testing.F) {
	formattest.Fuzz(f, formattest.Harness{Format: must(jose.Encrypted(keys(jose.NewKey("a", "dir", secret)))), Values: []any{"text"}, Bad: []string{"a.b.c.d.e"}})
}

func TestKeys(t *testing.T) {
	const changed = "it was made with another key, or changed since"
	before, now := jose.NewKey("2025", "HS256", otherSecret), jose.NewKey("2026", "HS256", secret)
	// Whoever has only the public key could sign with it as a secret, if the text chose the algorithm.
	confused := jose.NewKey("2026", "HS256", bytes.Repeat([]byte("public key "), 4))
	both := must(jose.Signed(keys(now, before)))
	public := must(jose.Signed(keys(jose.NewKey("2026", "ES256", &ecKey.PublicKey), jose.NewKey("x", "HS256", otherSecret))))
	private := must(jose.Encrypted(keys(jose.NewKey("2026", "RSA-OAEP", rsaKey))))
	encrypting := must(jose.Encrypted(keys(jose.NewKey("2026", "RSA-OAEP", &rsaKey.PublicKey))))
	for _, c := range []struct {
		name     string
		by, with jose.Format
		want     string
	}{
		{"old key", must(jose.Signed(keys(before))), both, "text"},
		{"no id", must(jose.Signed(keys(jose.NewKey("", "HS256", secret)))), must(jose.Signed(keys(now))), "text"},
		{"no id, two keys", must(jose.Signed(keys(jose.NewKey("", "HS256", secret)))), both, `there is no key with the id ""`},
		{"unknown id", both, must(jose.Signed(keys(before))), `there is no key with the id "2026"`},
		{"other secret", must(jose.Signed(keys(jose.NewKey("2026", "HS256", otherSecret)))), both, changed},
		{"public key", must(jose.Signed(keys(jose.NewKey("2026", "ES256", ecKey)))), public, "text"},
		{"other algorithm", must(jose.Signed(keys(confused))), public, `the key "2026" is for ES256, and the text for HS256`},
		{"encrypted", encrypting, private, "text"},
		{"public key decrypts", private, encrypting, `the key "2026" is a public one, which cannot decrypt`},
		{"another key", must(jose.Encrypted(keys(jose.NewKey("2026", "RSA-OAEP", must(rsa.GenerateKey(rand.Reader, 2048)))))), private, changed},
		{"zero", both, jose.Format{}, "want a format made by jose.Signed or jose.Encrypted"},
		{"size", both, must(jose.Signed(jose.Config{Keys: []jose.Key{now}, MaxSize: 5})), "there are more than the 5 bytes that MaxSize allows"},
	} {
		var b bytes.Buffer
		if err := c.by.Marshal(&b, "text"); err != nil {
			t.Fatal(c.name, err)
		}
		var got string
		if err := c.with.Unmarshal(&b, &got); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if err := public.Marshal(io.Discard, "x"); err == nil || err.Error() != `the first key, "2026", is a public one, which cannot sign` {
		t.Error(err)
	}
	if err := (jose.Format{}).Marshal(io.Discard, "x"); err == nil {
		t.Error("a format of no key signed")
	}
}

func TestMistakes(t *testing.T) {
	_, err := jose.Signed(jose.Config{Encryption: "A256GCM", Keys: []jose.Key{
		{},
		jose.NewKey("", "HS256", secret), jose.NewKey("a", "none", secret), jose.NewKey("b", "RS256", secret), jose.NewKey("b", "HS256", secret),
		jose.NewKey("c", "ES256", rsaKey), jose.NewKey("d", "EdDSA", ed25519.PublicKey{}), jose.NewKey("e", "HS256", "text"), jose.NewKey("f", "RS256", (*rsa.PrivateKey)(nil)),
	}})
	algorithms := "[HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA]"
	want := `jose: Config.Keys[0]: want one made by jose.NewKey
jose: Config.Keys[1]: want an id, since there are several keys
jose: Config.Keys[2]: want an algorithm of ` + algorithms + `, have "none"
jose: Config.Keys[3]: want an *rsa.PublicKey or an *rsa.PrivateKey for RS256, have []uint8
jose: Config.Keys[4]: there is another with the id "b"
jose: Config.Keys[5]: want an *ecdsa.PublicKey or an *ecdsa.PrivateKey for ES256, have *rsa.PrivateKey
jose: Config.Keys[6]: want an ed25519.PublicKey or an ed25519.PrivateKey for EdDSA, have ed25519.PublicKey
jose: Config.Keys[7]: want a []byte for HS256, have string
jose: Config.Keys[8]: want an *rsa.PublicKey or an *rsa.PrivateKey for RS256, have *rsa.PrivateKey
jose: Config.Encryption: signed text is not encrypted`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
	for _, c := range []jose.Config{{}, keys(jose.NewKey("", "dir", secret[:5])), {Encryption: "ROT13", Keys: []jose.Key{jose.NewKey("", "dir", secret)}}, keys(jose.NewKey("", "RSA1_5", rsaKey))} {
		if _, err := jose.Encrypted(c); err == nil || !strings.HasPrefix(err.Error(), "jose: Config.") {
			t.Errorf("%v: %v", c, err)
		}
	}
	if _, err := jose.Signed(keys(jose.NewKey("", "HS256", secret[:5]))); err == nil || err.Error() != "jose: Config.Keys[0]: want at least 32 bytes for HS256, have 5" {
		t.Error(err)
	}
}

// However keys and formats are printed, the secret is not shown.
func TestSecretsAreNotShown(t *testing.T) {
	key := jose.NewKey("id", "HS256", secret)
	format := must(jose.Signed(keys(key)))
	hidden := struct {
		k jose.Key
		c jose.Config
	}{key, keys(key)}
	var all strings.Builder
	for _, v := range []any{key, &key, keys(key), format, hidden, &hidden} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&all, verb+"\n", v)
		}
	}
	for _, shown := range []string{string(secret[:8]), fmt.Sprintf("%x", secret[:4]), "48 49 50", "0x30, 0x31"} {
		if strings.Contains(all.String(), shown) {
			t.Errorf("%q is shown in\n%s", shown, all.String())
		}
	}
}

func Example() {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	signs, err := jose.Signed(jose.Config{Keys: []jose.Key{jose.NewKey("2026", "EdDSA", private)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	verifies, err := jose.Signed(jose.Config{Keys: []jose.Key{jose.NewKey("2026", "EdDSA", private.Public())}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var b bytes.Buffer
	if err := signs.Marshal(&b, "ten camels"); err != nil {
		fmt.Println(err)
	}
	var text string
	if err := verifies.Unmarshal(&b, &text); err != nil {
		fmt.Println(err)
	}
	fmt.Println(text)

	// Output:
	// ten camels
}

func TestCheck(t *testing.T) {
	var f dataformat.Checker = jose.Format{}
	if err := f.Check(); err == nil || err.Error() != "want a format made by jose.Signed or jose.Encrypted" {
		t.Errorf("have %v, want an error", err)
	}
}
