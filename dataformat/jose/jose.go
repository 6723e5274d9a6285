// Package jose is the data format of text that is signed (JWS, RFC 7515) or encrypted (JWE,
// RFC 7516), in the compact form, by [github.com/go-jose/go-jose/v4]. It takes and gives a
// []byte, a string or an [io.Reader]; a *any is given a []byte.
//
//	format, err := jose.Signed(jose.Config{Keys: []jose.Key{
//		jose.NewKey("2026", "ES256", private), // signs
//		jose.NewKey("2025", "ES256", oldPublic), // is still accepted
//	}})
//
// A text says which key it is for, and that key is used with its own algorithm alone.
// What is said in a text is not looked at, such as until when a JWT is valid.
package jose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/mehari-go/mehari/internal/octets"
)

// Config is what a [Format] is made of.
type Config struct {
	// Keys verify or decrypt, each what says its id, and what says none if there is one
	// key; the first one signs or encrypts.
	Keys []Key

	// Encryption is how [Encrypted] text is encrypted with the key that belongs to it, and
	// the only way that is accepted: A128GCM, A192GCM, A256GCM, A128CBC-HS256,
	// A192CBC-HS384 or A256CBC-HS512. "" means A256GCM.
	Encryption string

	// ContentType is the header cty, such as "JWT"; "" for none.
	ContentType string

	// MaxSize is how many bytes a text may have, or one that is read; 0 means 256 MB, -1
	// no limit.
	MaxSize int64
}

// A Format is the data format. It is made by [Signed] or [Encrypted].
type Format struct {
	*format
}

type format struct {
	keys    []Key
	write   func(text []byte) (string, error)
	read    func(text string) ([]byte, error)
	maxSize int64
}

var errChanged = errors.New("it was made with another key, or changed since")

// Signed returns the format of signed text. Everybody can read that, and nobody change it.
func Signed(c Config) (Format, error) {
	f, err := newFormat(c, signatures)
	if c.Encryption != "" {
		err = errors.Join(err, errors.New("jose: Config.Encryption: signed text is not encrypted"))
	}
	if err != nil {
		return Format{}, err
	}
	f.read = f.verify
	first := c.Keys[0]
	if !first.private() {
		f.write = func([]byte) (string, error) {
			return "", fmt.Errorf("the first key, %q, is a public one, which cannot sign", first.id)
		}
		return Format{f}, nil
	}
	opts := &jose.SignerOptions{}
	if c.ContentType != "" {
		opts = opts.WithContentType(jose.ContentType(c.ContentType))
	}
	if first.id != "" {
		opts = opts.WithHeader("kid", first.id)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(first.algorithm), Key: first.key()}, opts)
	if err != nil {
		return Format{}, fmt.Errorf("jose: Config.Keys[0]: %w", err)
	}
	f.write = func(text []byte) (string, error) {
		signed, err := signer.Sign(text)
		if err != nil {
			return "", err
		}
		return signed.CompactSerialize()
	}
	return Format{f}, nil
}

func (f *format) verify(text string) ([]byte, error) {
	var algorithms []jose.SignatureAlgorithm
	for _, k := range f.keys {
		algorithms = append(algorithms, jose.SignatureAlgorithm(k.algorithm))
	}
	signed, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil {
		return nil, err
	}
	header := signed.Signatures[0].Protected
	key, err := f.find(header.KeyID, header.Algorithm)
	if err != nil {
		return nil, err
	}
	plain, err := signed.Verify(key.public())
	if err != nil {
		return nil, errChanged
	}
	return plain, nil
}

var encryptions = []string{"A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"}

// Encrypted returns the format of encrypted text, which is protected against changes as
// well. Only whoever has the secret or the private key can read it.
func Encrypted(c Config) (Format, error) {
	if c.Encryption == "" {
		c.Encryption = "A256GCM"
	}
	f, err := newFormat(c, managements)
	if !slices.Contains(encryptions, c.Encryption) {
		err = errors.Join(err, fmt.Errorf("jose: Config.Encryption: want one of %v, have %q", encryptions, c.Encryption))
	}
	if err != nil {
		return Format{}, err
	}
	first, encryption := c.Keys[0], jose.ContentEncryption(c.Encryption)
	opts := &jose.EncrypterOptions{}
	if c.ContentType != "" {
		opts = opts.WithContentType(jose.ContentType(c.ContentType))
	}
	to := jose.Recipient{Algorithm: jose.KeyAlgorithm(first.algorithm), Key: first.public(), KeyID: first.id}
	encrypter, err := jose.NewEncrypter(encryption, to, opts)
	if err != nil {
		return Format{}, fmt.Errorf("jose: Config.Keys[0]: %w", err)
	}
	f.write = func(text []byte) (string, error) {
		encrypted, err := encrypter.Encrypt(text)
		if err != nil {
			return "", err
		}
		return encrypted.CompactSerialize()
	}
	f.read = func(text string) ([]byte, error) { return f.decrypt(text, encryption) }
	return Format{f}, nil
}

func (f *format) decrypt(text string, encryption jose.ContentEncryption) ([]byte, error) {
	var algorithms []jose.KeyAlgorithm
	for _, k := range f.keys {
		algorithms = append(algorithms, jose.KeyAlgorithm(k.algorithm))
	}
	encrypted, err := jose.ParseEncryptedCompact(text, algorithms, []jose.ContentEncryption{encryption})
	if err != nil {
		return nil, err
	}
	key, err := f.find(encrypted.Header.KeyID, encrypted.Header.Algorithm)
	if err != nil {
		return nil, err
	}
	if !key.private() {
		return nil, fmt.Errorf("the key %q is a public one, which cannot decrypt", key.id)
	}
	plain, err := encrypted.Decrypt(key.key())
	if err != nil {
		return nil, errChanged
	}
	return plain, nil
}

// find returns the key that a text is for.
func (f *format) find(id, algorithm string) (Key, error) {
	i := slices.IndexFunc(f.keys, func(k Key) bool { return k.id == id || id == "" && len(f.keys) == 1 })
	if i < 0 {
		return Key{}, fmt.Errorf("there is no key with the id %.40q", id)
	}
	if k := f.keys[i]; k.algorithm != algorithm {
		return Key{}, fmt.Errorf("the key %q is for %s, and the text for %s", k.id, k.algorithm, algorithm)
	}
	return f.keys[i], nil
}

// String returns "jose".
func (Format) String() string { return "jose" }

// Check implements dataformat.Checker: the zero Format is none.
func (f Format) Check() error {
	if f.format == nil {
		return errZero
	}
	return nil
}

var errZero = errors.New("want a format made by jose.Signed or jose.Encrypted")

// Marshal signs or encrypts v.
func (f Format) Marshal(w io.Writer, v any) error {
	if f.format == nil {
		return errZero
	}
	text, err := octets.Bytes(v, f.maxSize)
	if err != nil {
		return err
	}
	out, err := f.write(text)
	if err == nil {
		_, err = io.WriteString(w, out)
	}
	return err
}

// Unmarshal verifies or decrypts r.
func (f Format) Unmarshal(r io.Reader, into any) error {
	if f.format == nil {
		return errZero
	}
	b, err := octets.ReadFor(into, r, f.maxSize)
	if err != nil {
		return err
	}
	plain, err := f.read(string(b))
	if err != nil {
		return err
	}
	return octets.Store(bytes.NewReader(plain), into)
}
