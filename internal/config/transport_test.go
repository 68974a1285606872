package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// certificate writes a certificate and its key.
func certificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
}

func TestTransport(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "shared.pem"), nil, 0o644))
	require.NoError(t, os.Chmod(filepath.Join(dir, "shared.pem"), 0o644))
	const head = "version: 1\ntenants:\n  cr: {vendor: cybereason, url: 'https://127.0.0.1:1', username: u, password: env:P"
	tests := []struct {
		name, keys, environ string
		roots, certs        bool
		insecure            bool
		fault               string
	}{
		{name: "nothing"},
		{name: "authority", keys: "ca-file: cert.pem", roots: true},
		{name: "authority below home", keys: "ca-file: ~/cert.pem", roots: true},
		{name: "authority of a variable", environ: "EDRCTL_CR_CA_FILE=" + filepath.Join(dir, "cert.pem"), roots: true},
		{name: "relative authority of a variable", environ: "EDRCTL_CR_CA_FILE=cert.pem", fault: "cert.pem is not absolute"},
		{name: "certificate", keys: "client-cert: cert.pem, client-key: key.pem", certs: true},
		{name: "insecure", keys: "insecure-skip-verify: true", insecure: true},
		{name: "no certificate in it", keys: "ca-file: key.pem", fault: "ca-file: key.pem holds no certificate"},
		{name: "missing", keys: "ca-file: x.pem", fault: "ca-file: "},
		{name: "key that others can read", keys: "client-cert: cert.pem, client-key: shared.pem", fault: "client-key: "},
		{name: "key that is none", keys: "client-cert: cert.pem, client-key: cert2.pem", fault: "client-key: "},
		{name: "certificate without key", keys: "client-cert: cert.pem", fault: "go together"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, "config.yaml")
			keys := tt.keys
			if keys != "" {
				keys = ", " + keys
			}
			require.NoError(t, os.WriteFile(path, []byte(head+keys+"}\n"), 0o600))
			f, err := Load(Environment{Environ: []string{tt.environ}, HomeDir: dir}, testVendors(), path)
			require.NoError(t, err)
			tr, err := mustTenant(t, f, "cr").Transport()
			if tt.fault != "" {
				require.ErrorIs(t, err, provision.ErrUsage)
				require.ErrorContains(t, err, "tenant cr: ")
				assert.ErrorContains(t, err, tt.fault)
				return
			}
			require.NoError(t, err)
			options := transport.BaseOptions(tr)
			assert.Equal(t, tt.roots, options.Roots != nil)
			assert.Equal(t, tt.certs, len(options.Certificates) == 1)
			assert.Equal(t, tt.insecure, options.InsecureSkipVerify)
		})
	}
}

func TestTransportProxy(t *testing.T) {
	fromEnvironment := func(*http.Request) (*url.URL, error) { return url.Parse("http://env.example") }
	env := Environment{Proxy: fromEnvironment}
	f, err := Load(env, testVendors(), writeConfig(t, "version: 1\ntenants:\n  a: {vendor: cortex}\n  b: {vendor: cortex, proxy: 'http://file.example:1'}\n"))
	require.NoError(t, err)
	for name, want := range map[string]string{"a": "http://env.example", "b": "http://file.example:1"} {
		tr, err := mustTenant(t, f, name).Transport()
		require.NoError(t, err)
		u, err := tr.Proxy(&http.Request{})
		require.NoError(t, err)
		assert.Equal(t, want, u.String())
	}
}
