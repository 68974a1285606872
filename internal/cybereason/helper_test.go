package cybereason_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/cybereason"
	"edrctl/internal/mock"
	fake "edrctl/internal/mock/cybereason"
	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

const (
	service   = "svc-edrctl@example.com"
	mara      = "Mara.Holt@Example.com"
	fieldTeam = "field.team@north.example"
	irLead    = "ir.lead@my-company.com"
	night     = "soc+night@example.com"

	firstPassword = "Vt4#mPq9Zr!sKd2w"
	// canary begins every second-factor key of the fake.
	canary = "CANARYTOTPSID"
)

// adapter is all that an adapter offers.
type adapter interface {
	provision.Provisioner
	provision.Guard
	provision.Session
}

// console is a fake behind a server, and what the adapters of it share.
type console struct {
	*testing.T
	server *mock.Server
	clock  *clock
	http   http.RoundTripper
	log    *safeBuffer
	store  provision.Store
}

// newConsole starts a fake with the switches given as pairs of name and value.
func newConsole(t *testing.T, switches ...string) *console {
	t.Helper()
	return startConsole(t, mock.Options{}, switches...)
}

func startConsole(t *testing.T, o mock.Options, switches ...string) *console {
	t.Helper()
	c := &console{T: t, clock: &clock{}, log: &safeBuffer{}, store: provision.MemoryStore()}
	o.Makers, o.Now = []mock.Maker{fake.Maker()}, c.clock.now
	servers, err := mock.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = servers.Close() })
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(servers.CAPEM())
	base := transport.Base(transport.BaseOptions{Roots: roots})
	t.Cleanup(base.CloseIdleConnections)
	c.server, c.http = servers.Server("cybereason"), base
	c.set(switches...)
	t.Cleanup(c.discipline)
	return c
}

// discipline holds every test to what no client may ever do.
func (c *console) discipline() {
	for _, name := range []string{
		"loginsAfterRejection", "loginsUnencoded", "codesReused", "codesWithoutSession", "putsWithPassword", "roleChangesWithPassword",
		"writesWithTotpSid", "writesWithUnknownKeys", "rawPlusPaths", "unknownRoutes", "logoutsWithoutSession",
	} {
		assert.Zero(c, c.count(name), name)
	}
	for _, secret := range []string{canary, firstPassword, c.server.Settings()["password"]} {
		assert.NotContains(c, c.log.String(), secret)
	}
}

func (c *console) set(pairs ...string) {
	c.Helper()
	for i := 0; i < len(pairs); i += 2 {
		require.NoError(c, c.server.Set(pairs[i], pairs[i+1]))
	}
}

func (c *console) config() provision.Config {
	settings := c.server.Settings()
	cfg := provision.Config{
		Tenant: "cr", HTTP: c.http, Now: c.clock.now, Store: c.store, Timeout: 10 * time.Second, MaxWait: 10 * time.Second,
		Log:      slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Settings: map[string]string{"url": settings["url"], "username": settings["username"]},
		Secrets:  map[string]provision.Secret{"password": provision.NewSecret(settings["password"])},
	}
	if key := settings["totp-secret"]; key != "" {
		cfg.Secrets["totp-secret"] = provision.NewSecret(key)
	}
	return cfg
}

// adapter makes an adapter that signs in anew, unless the console's store is
// given to it.
func (c *console) adapter(tweaks ...func(*provision.Config)) adapter {
	c.Helper()
	cfg := c.config()
	cfg.Store = provision.MemoryStore()
	for _, tweak := range tweaks {
		tweak(&cfg)
	}
	p, err := cybereason.New(c.Context(), cfg)
	require.NoError(c, err)
	cybereason.SetPause(p, c.clock.pause)
	return p.(adapter)
}

// sharing has an adapter keep its records where the others do.
func (c *console) sharing(cfg *provision.Config) { cfg.Store = c.store }

// signedIn is an adapter with a session, whose requests are not in the log.
func (c *console) signedIn() adapter {
	c.Helper()
	a := c.adapter()
	_, err := a.Check(c.Context())
	require.NoError(c, err)
	c.server.ClearRequests()
	return a
}

func secret(name, value string) func(*provision.Config) {
	return func(cfg *provision.Config) { cfg.Secrets[name] = provision.NewSecret(value) }
}

// requests are method and path of what came in since the last call.
func (c *console) requests() []string {
	var list []string
	for _, r := range c.server.Requests() {
		list = append(list, r.Method+" "+r.Path)
	}
	c.server.ClearRequests()
	return list
}

// bodies are the JSON bodies of the requests with a method.
func (c *console) bodies(method string) []map[string]any {
	c.Helper()
	var list []map[string]any
	for _, r := range c.server.Requests() {
		if r.Method == method && r.Write {
			var body map[string]any
			require.NoError(c, json.Unmarshal([]byte(r.Body), &body))
			list = append(list, body)
		}
	}
	return list
}

func (c *console) state(into any) {
	c.Helper()
	data, err := json.Marshal(c.server.State())
	require.NoError(c, err)
	require.NoError(c, json.Unmarshal(data, into))
}

func (c *console) count(counter string) int {
	c.Helper()
	var st struct {
		Counters map[string]int `json:"counters"`
	}
	c.state(&st)
	n, ok := st.Counters[counter]
	require.True(c, ok, counter)
	return n
}

// record is a user as the console stores it, without what every update changes
// and passwords.
func (c *console) record(login string) map[string]any {
	c.Helper()
	var st struct {
		Users []map[string]any `json:"users"`
	}
	c.state(&st)
	for _, u := range st.Users {
		if u["username"] == login {
			delete(u, "lastUpdateTime")
			delete(u, "password")
			return u
		}
	}
	return nil
}

func (c *console) fault(f mock.Fault) {
	c.Helper()
	require.NoError(c, c.server.Fault(f))
}

func grant(ids ...string) provision.RoleChange { return provision.RoleChange{Grant: ids} }

func revoke(ids ...string) provision.RoleChange { return provision.RoleChange{Revoke: ids} }

func newSpec(login string, roles ...string) provision.UserSpec {
	return provision.UserSpec{Login: login, Roles: roles, Password: provision.NewSecret(firstPassword)}
}

// all reads a list to its end.
func all(users iter.Seq2[provision.User, error]) ([]provision.User, error) {
	var list []provision.User
	for u, err := range users {
		if err != nil {
			return list, err
		}
		list = append(list, u)
	}
	return list, nil
}

// asError is an error's own record.
func asError(t *testing.T, err error) *provision.Error {
	t.Helper()
	var e *provision.Error
	require.ErrorAs(t, err, &e)
	text := fmt.Sprintf("%+v %s", *e, err)
	assert.NotContains(t, text, canary)
	assert.NotContains(t, text, firstPassword)
	return e
}

// clock is ahead of the real one by what was slept on it.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
	slept []time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) pause(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
	c.slept = append(c.slept, d)
	return ctx.Err()
}

func (c *clock) sleeps() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration(nil), c.slept...)
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
