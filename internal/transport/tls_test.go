package transport_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// authority signs certificates for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name, Organization: []string{"Acme"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert: cert, key: key}
}

func (a *authority) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// sign makes a certificate for a name or an address.
func (a *authority) sign(t *testing.T, host string, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host},
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// serveTLS starts a server with a TLS configuration of its own and counts what
// arrives there.
func serveTLS(t *testing.T, cfg *tls.Config) (address string, arrived *atomic.Int64) {
	t.Helper()
	arrived = &atomic.Int64{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived.Add(1)
		_, _ = io.WriteString(w, `{}`)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.TLS = cfg
	server.EnableHTTP2 = len(cfg.NextProtos) > 0
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, arrived
}

func TestUntrusted(t *testing.T) {
	known, foreign := newAuthority(t, "Acme Root"), newAuthority(t, "Stranger Root")
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-24*time.Hour)
	for _, tt := range []struct {
		name string
		cert tls.Certificate
		says []string
	}{
		{name: "unknown authority", cert: foreign.sign(t, "127.0.0.1", tomorrow), says: []string{"Stranger Root", `for "127.0.0.1"`, "unknown authority"}},
		{name: "expired", cert: known.sign(t, "127.0.0.1", yesterday), says: []string{"Acme Root", "expired", yesterday.UTC().Format("2006-01-02")}},
		{name: "another name", cert: known.sign(t, "other.acme.example", tomorrow), says: []string{"Acme Root", `for "other.acme.example"`, "127.0.0.1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address, arrived := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{tt.cert}})
			base := transport.Base(transport.BaseOptions{Roots: known.roots()})
			t.Cleanup(base.CloseIdleConnections)
			log := &logbook{}
			cfg := config(base)
			cfg.Log = log.logger()
			for _, req := range []*transport.Request{read(), change()} {
				_, err := client(t, address, cfg).Do(t.Context(), req)
				e := failure(t, err, provision.ErrUntrusted)
				for _, text := range tt.says {
					require.ErrorContains(t, err, text)
				}
				sum := sha256.Sum256(tt.cert.Leaf.Raw)
				assert.Contains(t, e.Message, hex.EncodeToString(sum[:]), "fingerprint")
				assert.Contains(t, e.Hint, "ca-file")
				assert.NotContains(t, e.Hint, "insecure")
			}
			assert.Zero(t, arrived.Load(), "requests")
			assert.NotContains(t, log.String(), "trying again")

			trusting := transport.Base(transport.BaseOptions{Roots: known.roots(), InsecureSkipVerify: true})
			t.Cleanup(trusting.CloseIdleConnections)
			_, err := client(t, address, config(trusting)).Do(t.Context(), change())
			require.NoError(t, err, "where the tenant says so")
		})
	}
}

func TestOldTLS(t *testing.T) {
	known := newAuthority(t, "Acme Root")
	address, arrived := serveTLS(t, &tls.Config{
		Certificates: []tls.Certificate{known.sign(t, "127.0.0.1", time.Now().Add(time.Hour))},
		MinVersion:   tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
	})
	base := transport.Base(transport.BaseOptions{Roots: known.roots()})
	t.Cleanup(base.CloseIdleConnections)
	_, err := client(t, address, config(base)).Do(t.Context(), change())
	failure(t, err, provision.ErrUntrusted)
	require.ErrorContains(t, err, "protocol version")
	assert.Zero(t, arrived.Load())
}

// TestServerChoosesOldTLS is about servers that answer with a version that was
// not offered.
func TestServerChoosesOldTLS(t *testing.T) {
	server := listen(t, func(_ int, conn net.Conn) {
		_, _ = io.ReadFull(conn, make([]byte, 5))
		hello := make([]byte, 0, 64)
		hello = append(hello, 22, 3, 2, 0, 42)     // record: handshake, TLS 1.1, 42 bytes
		hello = append(hello, 2, 0, 0, 38, 3, 2)   // ServerHello of 38 bytes, TLS 1.1
		hello = append(hello, make([]byte, 32)...) // random
		hello = append(hello, 0, 0xc0, 0x13, 0)    // no session, a suite, no compression
		_, _ = conn.Write(hello)
		_, _ = io.Copy(io.Discard, conn)
	})
	base := plainBase(t)
	_, err := client(t, "https"+server.url[len("http"):], config(base)).Do(t.Context(), change())
	failure(t, err, provision.ErrUntrusted)
	require.ErrorContains(t, err, "version")
	assert.EqualValues(t, 1, server.conns.Load(), "connections")
}

func TestNoTLS(t *testing.T) {
	server := listen(t, func(_ int, conn net.Conn) {
		_, _ = io.ReadFull(conn, make([]byte, 5))
		reply(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
	})
	_, err := client(t, "https"+server.url[len("http"):], config(plainBase(t))).Do(t.Context(), change())
	failure(t, err, provision.ErrUnavailable)
	require.ErrorContains(t, err, "does not speak TLS")
}

// TestClientCertificate is refused after the handshake in TLS 1.3, when the
// request is out already; what the server says then is about the certificate.
func TestClientCertificate(t *testing.T) {
	known := newAuthority(t, "Acme Root")
	for _, tt := range []struct {
		name    string
		version uint16
		protos  []string
	}{
		{name: "TLS 1.2", version: tls.VersionTLS12},
		{name: "TLS 1.3", version: tls.VersionTLS13},
		{name: "TLS 1.3 and HTTP/2", version: tls.VersionTLS13, protos: []string{"h2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address, arrived := serveTLS(t, &tls.Config{
				Certificates: []tls.Certificate{known.sign(t, "127.0.0.1", time.Now().Add(time.Hour))},
				ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: known.roots(), MaxVersion: tt.version, MinVersion: tls.VersionTLS12, NextProtos: tt.protos,
			})
			without := transport.Base(transport.BaseOptions{Roots: known.roots()})
			t.Cleanup(without.CloseIdleConnections)
			_, err := client(t, address, config(without)).Do(t.Context(), change())
			switch kind := provision.KindOf(err); {
			case tt.version == tls.VersionTLS13 && kind != provision.ErrUntrusted:
				// Writing may fail before it is read why. Then nothing is claimed.
				assert.Contains(t, []provision.Kind{provision.ErrUnavailable, provision.ErrUncertain}, kind, "%v", err)
			default:
				failure(t, err, provision.ErrUntrusted)
				require.ErrorContains(t, err, "remote error: tls: ")
			}
			assert.Zero(t, arrived.Load())

			with := transport.Base(transport.BaseOptions{
				Roots: known.roots(), Certificates: []tls.Certificate{known.sign(t, "edrctl", time.Now().Add(time.Hour))},
			})
			t.Cleanup(with.CloseIdleConnections)
			_, err = client(t, address, config(with)).Do(t.Context(), change())
			require.NoError(t, err)
			assert.EqualValues(t, 1, arrived.Load())
		})
	}
}

// TestBrokenTLSAfterTheRequest must not look like a certificate that was
// refused: the change may have been carried out.
func TestBrokenTLSAfterTheRequest(t *testing.T) {
	known := newAuthority(t, "Acme Root")
	cert := known.sign(t, "127.0.0.1", time.Now().Add(time.Hour))
	server := listen(t, func(_ int, conn net.Conn) {
		secured := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
		if request(secured) {
			// A record that does not decrypt.
			_, _ = conn.Write(append([]byte{23, 3, 3, 0, 32}, make([]byte, 32)...))
			_, _ = io.Copy(io.Discard, conn)
		}
	})
	base := transport.Base(transport.BaseOptions{Roots: known.roots()})
	t.Cleanup(base.CloseIdleConnections)
	_, err := client(t, "https"+server.url[len("http"):], config(base)).Do(t.Context(), change())
	failure(t, err, provision.ErrUncertain)
	assert.EqualValues(t, 1, server.conns.Load(), "connections")
}
