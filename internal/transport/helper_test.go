package transport_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary is a secret that nothing may show.
const canary = "canary-9d1f27"

// config is a tenant's configuration that carries requests by rt.
func config(rt http.RoundTripper) provision.Config {
	return provision.Config{
		Tenant: "lab", HTTP: rt, Now: time.Now, Log: slog.New(slog.DiscardHandler), Store: provision.MemoryStore(),
		Timeout: 30 * time.Second, MaxWait: 2 * time.Minute,
	}
}

func client(t *testing.T, origin string, cfg provision.Config) *transport.Client {
	t.Helper()
	return transport.New(transport.Options{Vendor: "acme", Config: cfg, Origin: parse(t, origin), OriginKey: "url"})
}

func parse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u
}

// The requests that most tests send.
func read() *transport.Request {
	return &transport.Request{Op: "list users", Method: http.MethodGet, Path: "/users"}
}

func change() *transport.Request {
	return &transport.Request{
		Op: "create user", Method: http.MethodPost, Path: "/users", Change: true, JSON: true, Body: []byte(`{"login":"ada@example.com"}`),
	}
}

// script answers each attempt by the next of its steps, without a network. The
// last one goes on for ever.
type script struct {
	mu    sync.Mutex
	steps []step
	seen  []*http.Request
	times []time.Time
}

// step is what happens to one attempt.
type step func(r *http.Request) (*http.Response, error)

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	next := s.steps[min(len(s.seen), len(s.steps)-1)]
	s.seen = append(s.seen, r)
	s.times = append(s.times, time.Now())
	s.mu.Unlock()
	return next(r)
}

func (s *script) attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

func play(steps ...step) *script { return &script{steps: steps} }

// wrote tells the client that the request went out.
func wrote(r *http.Request) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
}

func answer(status int, body string, header ...string) step {
	return func(r *http.Request) (*http.Response, error) {
		wrote(r)
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

// fails ends an attempt, after the request went out or before.
func fails(sent bool, err error) step {
	return func(r *http.Request) (*http.Response, error) {
		if sent {
			wrote(r)
		}
		return nil, err
	}
}

// breaks answers and then cuts the body.
func breaks(status int) step {
	return func(r *http.Request) (*http.Response, error) {
		wrote(r)
		body := io.MultiReader(strings.NewReader(`{"half":`), failing{io.ErrUnexpectedEOF})
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

var _ io.Reader = failing{}

// serve starts a TLS server and returns a base transport that trusts it.
func serve(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *http.Transport) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	base := transport.Base(transport.BaseOptions{Roots: roots})
	t.Cleanup(base.CloseIdleConnections)
	return server, base
}

// failure asserts an error of a kind and returns it.
func failure(t *testing.T, err error, kind provision.Kind) provision.Error {
	t.Helper()
	require.Error(t, err)
	var e *provision.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, kind, e.Kind, "%v", err)
	assert.Equal(t, "acme", e.Vendor, "%v", err)
	assert.NotEmpty(t, e.Op, "%v", err)
	assert.NotContains(t, err.Error(), canary)
	return *e
}

// logbook is a log that can be read.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logbook) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func errReset() error { return errors.New("read: connection reset by peer") }
