package http

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// serverTLS returns how a server speaks TLS, nil if it does not.
func serverTLS(o *ServerOptions) (*tls.Config, error) {
	if o.TLS == nil && o.CertificateFile == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	if o.CertificateFile != "" {
		files := &keyPair{certificate: o.CertificateFile, key: o.KeyFile}
		if _, err := files.get(); err != nil {
			return nil, err
		}
		config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return files.get() }
	}
	if o.ClientCAFile != "" {
		pool, err := authorities(o.ClientCAFile)
		if err != nil {
			return nil, err
		}
		config.ClientCAs, config.ClientAuth = pool, tls.RequireAndVerifyClientCert
	}
	return config, nil
}

// authorities reads the certificates in a PEM file.
func authorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: want certificates in PEM, there is none", file)
	}
	return pool, nil
}

// A keyPair is a certificate in two files, read again when they have changed.
type keyPair struct {
	certificate, key string

	mu      sync.Mutex
	looked  time.Time
	changed [2]time.Time
	now     *tls.Certificate
}

// lookAgain is how long a certificate is used before the files are looked at again.
const lookAgain = time.Second

// get returns the certificate. One that has become unreadable leaves the last one in use.
func (k *keyPair) get() (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now != nil && time.Since(k.looked) < lookAgain {
		return k.now, nil
	}
	c, changed, err := k.read()
	switch {
	case err != nil && k.now == nil:
		return nil, err
	case err == nil && c != nil:
		k.now, k.changed = c, changed
	}
	k.looked = time.Now()
	return k.now, nil
}

// read returns nil where the files are as they were.
func (k *keyPair) read() (*tls.Certificate, [2]time.Time, error) {
	var changed [2]time.Time
	for i, name := range []string{k.certificate, k.key} {
		info, err := os.Stat(name)
		if err != nil {
			return nil, changed, err
		}
		changed[i] = info.ModTime()
	}
	if changed == k.changed {
		return nil, changed, nil
	}
	c, err := tls.LoadX509KeyPair(k.certificate, k.key)
	if err != nil {
		return nil, changed, fmt.Errorf("%s, %s: %w", k.certificate, k.key, errors.New("no certificate with its key"))
	}
	return &c, changed, nil
}
