package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"time"
)

// BaseOptions describe the connection to one host.
type BaseOptions struct {
	// Roots are the authorities to trust; nil for the system's.
	Roots *x509.CertPool
	// Certificates are shown to a server that asks for one.
	Certificates []tls.Certificate
	// Proxy chooses a proxy; nil for none.
	Proxy func(*http.Request) (*url.URL, error)
	// InsecureSkipVerify trusts every server.
	InsecureSkipVerify bool
}

// LoadRoots begins to read the system's authorities, which a run that talks to a
// vendor's cloud needs, and which takes longer than all else before its first
// request. It returns at once; whoever needs them waits for what is left.
func LoadRoots() { go func() { _, _ = x509.SystemCertPool() }() }

// Base returns the HTTP transport that everything else stands on: TLS 1.2 or
// better, HTTP/2 where offered, and time limits for each stage.
func Base(o BaseOptions) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  o.Proxy,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		OnProxyConnectResponse: judgeProxy,
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			RootCAs:            o.Roots,
			Certificates:       o.Certificates,
			InsecureSkipVerify: o.InsecureSkipVerify, //nolint:gosec // a tenant's explicit setting, warned about on every run
			ClientSessionCache: tls.NewLRUClientSessionCache(4),
		},
	}
}

// proxyRefusal is the answer of a proxy that does not let us through.
type proxyRefusal struct{ status string }

func (e *proxyRefusal) Error() string { return "the proxy answers " + e.status }

func judgeProxy(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return &proxyRefusal{status: resp.Status}
	}
	return nil
}
