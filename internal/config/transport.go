package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"edrctl/internal/private"
	"edrctl/internal/provision"
)

// maxPEM is the size of a file of certificates that is read.
const maxPEM = 4 << 20

// Transport is how to connect to a tenant. It has the fields of
// transport.BaseOptions, so that one converts to the other.
type Transport struct {
	// Roots are the authorities of ca-file; nil for the system's.
	Roots *x509.CertPool
	// Certificates is the client certificate, if there is one.
	Certificates []tls.Certificate
	// Proxy is the configured one, else that of the Environment.
	Proxy func(*http.Request) (*url.URL, error)
	// InsecureSkipVerify trusts every server; File.Warnings has it.
	InsecureSkipVerify bool
}

// SystemRoots reports a tenant whose server is judged by the system's authorities.
func (t *Tenant) SystemRoots() bool {
	return !t.has(keyCAFile) && !t.insecure() && !strings.HasPrefix(t.Address(), "http:")
}

// Transport reads the certificates and gives the connection's settings.
func (t *Tenant) Transport() (Transport, error) {
	tr := Transport{Proxy: t.file.env.Proxy, InsecureSkipVerify: t.insecure()}
	if proxy := t.layers.get(keyProxy); proxy != "" {
		u, fault := parseProxy(proxy)
		if fault != "" {
			return Transport{}, t.usage(keyProxy, errors.New(fault))
		}
		tr.Proxy = http.ProxyURL(u)
	}
	if t.has(keyCAFile) {
		data, err := t.readFile(keyCAFile, false)
		if err != nil {
			return Transport{}, t.usage(keyCAFile, err)
		}
		tr.Roots = x509.NewCertPool()
		if !tr.Roots.AppendCertsFromPEM(data) {
			return Transport{}, t.usage(keyCAFile, errors.New(t.layers.get(keyCAFile)+" holds no certificate in PEM"))
		}
	}
	if t.has(keyClientCert) || t.has(keyClientKey) {
		pair, err := t.clientCertificate()
		if err != nil {
			return Transport{}, err
		}
		tr.Certificates = []tls.Certificate{pair}
	}
	return tr, nil
}

func (t *Tenant) clientCertificate() (tls.Certificate, error) {
	if err := t.Check(); err != nil {
		return tls.Certificate{}, err
	}
	certificate, err := t.readFile(keyClientCert, false)
	if err != nil {
		return tls.Certificate{}, t.usage(keyClientCert, err)
	}
	key, err := t.readFile(keyClientKey, true)
	if err != nil {
		return tls.Certificate{}, t.usage(keyClientKey, err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return tls.Certificate{}, t.usage(keyClientCert, err)
	}
	return pair, nil
}

func (t *Tenant) usage(key string, err error) error {
	return usage("tenant "+t.Name+": "+key, err)
}

// readFile reads the file that a setting names.
func (t *Tenant) readFile(key string, secret bool) ([]byte, error) {
	base := ""
	if _, inFile := lineOf(t.layers.source(key)); inFile {
		base = filepath.Dir(t.file.Path)
	}
	path, err := t.file.locate(t.layers.get(key), base)
	if err != nil {
		return nil, err
	}
	if secret {
		return private.Read(path, maxPEM)
	}
	f, _, err := private.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return private.ReadAll(f, maxPEM)
}

// locate makes a path absolute. A relative one begins at the base; without a
// base there is none, since nothing is read from the working folder.
func (f *File) locate(path, base string) (string, error) {
	rest, home := strings.CutPrefix(path, "~/")
	switch {
	case filepath.IsAbs(path):
		return path, nil
	case home && f.env.HomeDir != "":
		return filepath.Join(f.env.HomeDir, rest), nil
	case home:
		return "", provision.Usagef("%s: the home folder is not known; write the whole path", path)
	case base == "":
		return "", provision.Usagef("%s is not absolute; write the whole path", path)
	}
	return filepath.Join(base, path), nil
}
