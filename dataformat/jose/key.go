package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Key signs, verifies, encrypts or decrypts, with one algorithm. It never shows itself.
type Key struct {
	id, algorithm string
	key           func() any // whatever verb it is given, fmt cannot look into a function
}

// NewKey returns a key for an algorithm: a []byte that is secret, or a public or private
// key of crypto/rsa, crypto/ecdsa or crypto/ed25519. Its id is not secret; "" is for one
// that is used alone.
func NewKey(id, algorithm string, key any) Key {
	if secret, ok := key.([]byte); ok {
		key = bytes.Clone(secret)
	}
	return Key{id, algorithm, func() any { return key }}
}

// Format writes the id, whatever is asked for.
func (k Key) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "key %q", k.id) }

// The algorithms, without those that are known to be weak.
var (
	signatures = []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

	managements = []string{
		"dir", "A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW", "RSA-OAEP", "RSA-OAEP-256",
		"ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW",
	}
)

// hashes are as long as a secret has to be: RFC 7518, section 3.2.
var hashes = map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}

// newFormat checks the keys.
func newFormat(c Config, algorithms []string) (*format, error) {
	var errs []error
	if len(c.Keys) == 0 {
		errs = append(errs, errors.New("jose: Config.Keys: there is no key"))
	}
	for i, k := range c.Keys {
		var err error
		switch {
		case k.key == nil:
			err = errors.New("want one made by jose.NewKey")
		case k.id == "" && len(c.Keys) > 1:
			err = errors.New("want an id, since there are several keys")
		case slices.ContainsFunc(c.Keys[:i], func(other Key) bool { return other.id == k.id }):
			err = fmt.Errorf("there is another with the id %q", k.id)
		case !slices.Contains(algorithms, k.algorithm):
			err = fmt.Errorf("want an algorithm of %v, have %q", algorithms, k.algorithm)
		default:
			err = k.fits()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("jose: Config.Keys[%d]: %w", i, err))
		}
	}
	return &format{keys: slices.Clone(c.Keys), maxSize: c.MaxSize}, errors.Join(errs...)
}

// fits returns an error if the key is not of the kind that its algorithm needs.
func (k Key) fits() error {
	var ok bool
	want := "a []byte"
	switch key, a := k.key(), k.algorithm; {
	case strings.HasPrefix(a, "RS"), strings.HasPrefix(a, "PS"):
		want = "an *rsa.PublicKey or an *rsa.PrivateKey"
		switch key := key.(type) {
		case *rsa.PublicKey:
			ok = key != nil
		case *rsa.PrivateKey:
			ok = key != nil
		}
	case strings.HasPrefix(a, "E") && a != "EdDSA":
		want = "an *ecdsa.PublicKey or an *ecdsa.PrivateKey"
		switch key := key.(type) {
		case *ecdsa.PublicKey:
			ok = key != nil
		case *ecdsa.PrivateKey:
			ok = key != nil
		}
	case a == "EdDSA":
		want = "an ed25519.PublicKey or an ed25519.PrivateKey"
		switch key := key.(type) {
		case ed25519.PublicKey:
			ok = len(key) == ed25519.PublicKeySize
		case ed25519.PrivateKey:
			ok = len(key) == ed25519.PrivateKeySize
		}
	default:
		var secret []byte
		secret, ok = key.([]byte)
		if least := hashes[a]; ok && len(secret) < least {
			return fmt.Errorf("want at least %d bytes for %s, have %d", least, a, len(secret))
		}
	}
	if !ok {
		return fmt.Errorf("want %s for %s, have %T", want, k.algorithm, k.key())
	}
	return nil
}

// private tells whether the key can do more than verify and encrypt.
func (k Key) private() bool {
	switch k.key().(type) {
	case []byte, crypto.Signer:
		return true
	}
	return false
}

// public returns what verifies and encrypts.
func (k Key) public() any {
	if s, ok := k.key().(crypto.Signer); ok {
		return s.Public()
	}
	return k.key()
}
