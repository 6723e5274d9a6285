// Package aesgcm is the data format of text that is encrypted, and protected against
// changes, with AES in Galois/Counter Mode (NIST SP 800-38D), by crypto/cipher. It takes
// and gives a []byte, a string or an [io.Reader]; a *any is given a []byte.
//
//	format, err := aesgcm.New(aesgcm.Config{Keys: []aesgcm.Key{
//		aesgcm.NewKey("2026", newKey), // encrypts
//		aesgcm.NewKey("2025", oldKey), // still decrypts
//	}})
//
// What it writes is a random nonce of 12 bytes, the text, and a tag of 16 bytes. Where
// keys have ids, one byte with the length of the id stands before that, and the id, so
// that keys can change; both are protected as well. One key may encrypt 2³² messages.
// Text is in memory as a whole: nothing of it is given away before it is known to be
// unchanged.
package aesgcm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/mehari-go/mehari/internal/octets"
)

// A Key encrypts and decrypts. It never shows its secret.
type Key struct {
	id     string
	secret func() []byte // whatever verb it is given, fmt cannot look into a function
}

// NewKey returns a key of 16, 24 or 32 bytes. Its id is not secret, and has at most 255
// bytes; "" is for one that is used alone.
func NewKey(id string, secret []byte) Key {
	secret = slices.Clone(secret)
	return Key{id, func() []byte { return secret }}
}

// Format writes the id, whatever is asked for.
func (k Key) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "key %q", k.id) }

// Config is what a [Format] is made of.
type Config struct {
	// Keys decrypt, each what says its id; the first one encrypts.
	Keys []Key

	// AssociatedData is protected with each text, but not written: who decrypts has to
	// have the same, such as the name of a tenant.
	AssociatedData []byte

	// MaxSize is how many bytes a text may have, or one that is decrypted; 0 means 256 MB,
	// -1 no limit.
	MaxSize int64
}

// A Format is the data format. It is made by [New].
type Format struct {
	*sealer
}

type sealer struct {
	keys    []sealed
	data    []byte
	maxSize int64
}

type sealed struct {
	id   string
	aead cipher.AEAD
}

// New returns the format with some keys.
func New(c Config) (Format, error) {
	s := &sealer{data: slices.Clone(c.AssociatedData), maxSize: c.MaxSize}
	var errs []error
	if len(c.Keys) == 0 {
		errs = append(errs, errors.New("there is no key"))
	}
	for i, k := range c.Keys {
		key := sealed{id: k.id}
		var err error
		switch {
		case k.secret == nil:
			err = errors.New("want one made by aesgcm.NewKey")
		case k.id == "" && len(c.Keys) > 1:
			err = errors.New("want an id, since there are several keys")
		case len(k.id) > 255:
			err = fmt.Errorf("want an id of at most 255 bytes, have %d", len(k.id))
		case slices.ContainsFunc(s.keys, func(other sealed) bool { return other.id == k.id }):
			err = fmt.Errorf("there is another with the id %q", k.id)
		case !slices.Contains([]int{16, 24, 32}, len(k.secret())):
			err = fmt.Errorf("want 16, 24 or 32 bytes, have %d", len(k.secret()))
		default:
			key.aead, err = newAEAD(k.secret())
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("aesgcm: Config.Keys[%d]: %w", i, err))
		}
		s.keys = append(s.keys, key)
	}
	return Format{s}, errors.Join(errs...)
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// String returns "aesgcm".
func (Format) String() string { return "aesgcm" }

// Check implements dataformat.Checker: the zero Format is none.
func (f Format) Check() error {
	if f.sealer == nil {
		return errZero
	}
	return nil
}

var errZero = errors.New("want a format made by aesgcm.New")

// Marshal encrypts v.
func (f Format) Marshal(w io.Writer, v any) error {
	if f.sealer == nil {
		return errZero
	}
	text, err := octets.Bytes(v, f.maxSize)
	if err != nil {
		return err
	}
	key := f.keys[0]
	head := header(key.id)
	_, err = w.Write(key.aead.Seal(head, nil, text, f.protected(head)))
	return err
}

// header is what stands before the nonce.
func header(id string) []byte {
	if id == "" {
		return nil
	}
	return append([]byte{byte(len(id))}, id...)
}

// protected returns what is protected without being encrypted.
func (s *sealer) protected(head []byte) []byte { return slices.Concat(head, s.data) }

// Unmarshal decrypts r.
func (f Format) Unmarshal(r io.Reader, into any) error {
	if f.sealer == nil {
		return errZero
	}
	b, err := octets.ReadFor(into, r, f.maxSize)
	if err != nil {
		return err
	}
	key := f.keys[0]
	var head []byte
	if key.id != "" {
		if len(b) == 0 || len(b) <= int(b[0]) {
			return errShort
		}
		id := string(b[1 : 1+b[0]])
		i := slices.IndexFunc(f.keys, func(k sealed) bool { return k.id == id })
		if i < 0 {
			return fmt.Errorf("there is no key with the id %.40q", id)
		}
		key, head, b = f.keys[i], b[:1+b[0]], b[1+b[0]:]
	}
	if len(b) < key.aead.Overhead() {
		return errShort
	}
	text, err := key.aead.Open(nil, nil, b, f.protected(head))
	if err != nil {
		return errChanged
	}
	return octets.Store(bytes.NewReader(text), into)
}

var (
	errShort   = errors.New("it is too short to be a text that was encrypted")
	errChanged = errors.New("it was encrypted with another key, or changed since")
)
