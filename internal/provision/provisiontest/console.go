package provisiontest

import (
	"bytes"
	"crypto/x509"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// Console is a vendor's mock as a Target's console.
type Console struct {
	Vendor *provision.Vendor
	Maker  mock.Maker
	// Settings take the place of those that the mock asks for, such as
	// api=legacy. They are the ones that are no secrets.
	Settings map[string]string
	// Switches of the mock that are turned in every case.
	Switches map[string]string
	// PageSwitch is the mock's switch for the size of a page, if it has one.
	PageSwitch string
	// Forbid and Twins are as in Tenant; both may be nil.
	Forbid func(s *mock.Server)
	Twins  func(s *mock.Server) string
}

// Open starts the mock over TLS and connects an adapter to it. It is the Open
// of a Target.
func (c Console) Open(t *testing.T) *Tenant {
	t.Helper()
	servers, err := mock.Start(t.Context(), mock.Options{Makers: []mock.Maker{c.Maker}})
	require.NoError(t, err, "start the mock")
	t.Cleanup(func() { _ = servers.Close() })
	server := servers.All()[0]
	for name, value := range c.Switches {
		require.NoError(t, server.Set(name, value), "switch %s", name)
	}

	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(servers.CAPEM()), "the mock's authority")
	base := transport.Base(transport.BaseOptions{Roots: roots})
	t.Cleanup(base.CloseIdleConnections)

	w := &wire{base: base, server: server}
	output := &lockedBuffer{}
	var secrets []string
	connect := func(tweak func(*provision.Config)) provision.Provisioner {
		cfg := c.config(server, w, output)
		if tweak != nil {
			tweak(&cfg)
		}
		for _, s := range cfg.Secrets {
			secrets = append(secrets, s.Reveal())
		}
		p, err := c.Vendor.New(t.Context(), cfg)
		require.NoError(t, err, "connect")
		return p
	}
	tenant := &Tenant{
		P:              connect(nil),
		Connect:        connect,
		Secrets:        func() []string { return secrets },
		Output:         output.String,
		Requests:       func() []string { return requests(server, false) },
		Changes:        func() []string { return requests(server, true) },
		Disturb:        w.disturb,
		Disturbed:      w.disturbed,
		AfterChange:    w.afterChange,
		ExpireSessions: server.API().ExpireSessions,
		Activate:       server.Activate,
	}
	if c.Forbid != nil {
		tenant.Forbid = func() { c.Forbid(server) }
	}
	if c.Twins != nil {
		tenant.Twins = func() string { return c.Twins(server) }
	}
	if c.PageSwitch != "" {
		tenant.PageSize = func(n int) {
			require.NoError(t, server.Set(c.PageSwitch, strconv.Itoa(n)), "page size")
		}
	}
	return tenant
}

// config is what edrctl's own configuration of this tenant would come to.
func (c Console) config(server *mock.Server, w *wire, output *lockedBuffer) provision.Config {
	cfg := provision.Config{
		Tenant:   "under-test",
		Settings: map[string]string{},
		Secrets:  map[string]provision.Secret{},
		HTTP:     w,
		Now:      time.Now,
		Log:      slog.New(slog.NewTextHandler(output, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Store:    provision.MemoryStore(),
		Timeout:  10 * time.Second,
		MaxWait:  10 * time.Second,
	}
	given := server.Settings()
	for _, s := range c.Vendor.Settings {
		value, ok := given[s.Name]
		if !ok {
			value = s.Default
		}
		if override, ok := c.Settings[s.Name]; ok {
			value = override
		}
		switch {
		case !s.Secret:
			cfg.Settings[s.Name] = value
		case value != "":
			cfg.Secrets[s.Name] = provision.NewSecret(value)
		}
	}
	return cfg
}

func requests(server *mock.Server, changes bool) []string {
	var list []string
	for _, r := range server.Requests() {
		if changes && !r.Write {
			continue
		}
		text := r.Method + " " + r.Path
		if r.Query != "" {
			text += "?" + r.Query
		}
		if r.Body != "" {
			text += " " + r.Body
		}
		list = append(list, text)
	}
	return list
}

// wire stands between the adapter and the mock. It asks the fake whether a
// request that is about to be sent may change something, so that a fault can be
// ordered for exactly that one without knowing the vendor's routes.
type wire struct {
	base   http.RoundTripper
	server *mock.Server

	mu     sync.Mutex
	faults []Fault
	hits   int
	after  func()
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	change := w.change(r)
	if f, ok := w.take(change); ok {
		action := map[Effect]string{
			Cut: "drop-after", Truncate: "truncate", BadGateway: "after-502",
			Refuse: "403", Throttle: "429", Unplug: "drop-before",
		}[f.Effect]
		err := w.server.Fault(mock.Fault{
			Method: r.Method, Path: r.URL.Path, Action: action, RetryAfter: int(f.Wait / time.Second),
		})
		if err != nil {
			return nil, err
		}
	}
	resp, err := w.base.RoundTrip(r)
	if !change {
		return resp, err
	}
	w.mu.Lock()
	after := w.after
	w.mu.Unlock()
	if after != nil {
		after()
	}
	// The hook may have cancelled the request: then its answer never came.
	if r.Context().Err() != nil && err == nil {
		_ = resp.Body.Close()
		return nil, r.Context().Err()
	}
	return resp, err
}

// change asks the fake about a copy of the request.
func (w *wire) change(r *http.Request) bool {
	seen := r.Clone(r.Context())
	seen.Body = http.NoBody
	if r.GetBody != nil {
		if body, err := r.GetBody(); err == nil {
			seen.Body = body
		}
	}
	return w.server.API().Change(seen)
}

func (w *wire) disturb(f Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.Count == 0 {
		f.Count = 1
	}
	w.faults = append(w.faults, f)
}

func (w *wire) take(change bool) (Fault, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, ok := takeFault(&w.faults, change)
	if ok {
		w.hits++
	}
	return f, ok
}

func (w *wire) disturbed() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hits
}

func (w *wire) afterChange(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.after = f
}

// takeFault returns the first fault that is meant for a request, and counts.
func takeFault(faults *[]Fault, change bool) (Fault, bool) {
	for i := range *faults {
		f := &(*faults)[i]
		switch {
		case !change && !f.Reads:
			continue
		case f.Skip > 0:
			f.Skip--
			continue
		case f.Count > 0:
			f.Count--
		case f.Count == 0:
			continue
		}
		return *f, true
	}
	return Fault{}, false
}

// lockedBuffer collects what several goroutines log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
