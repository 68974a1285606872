package crowdstrike

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

const (
	testClient = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
	testSecret = "canary-secret-0123456789-0123456789-0123"
	testCID    = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
	testUUID   = "c1a7e0b4-62d5-4f3e-8a19-7b6c5d4e3f20"
	testLogin  = "nela.kos@acme.example"
)

// asked is a request as a console saw it.
type asked struct {
	method, path, query, auth, kind, body string
	form                                  url.Values
}

func (a asked) String() string {
	text := a.method + " " + a.path
	if a.query != "" {
		text += "?" + a.query
	}
	if a.body != "" {
		text += " " + a.body
	}
	return text
}

// reply is an answer of a console; the body is encoded unless it is a string.
type reply struct {
	status int
	header map[string]string
	body   any
}

func ok(resources ...any) reply {
	return reply{status: 200, body: map[string]any{"meta": meta(len(resources)), "resources": resources}}
}

func made(resources ...any) reply {
	r := ok(resources...)
	r.status = 201
	return r
}

func no(status int, message string) reply {
	return reply{status: status, body: map[string]any{
		"meta": meta(0), "errors": []any{map[string]any{"code": status, "message": message}},
	}}
}

func gateway(status int, message string) reply {
	r := no(status, message)
	r.body.(map[string]any)["meta"].(map[string]any)["powered_by"] = "crowdstrike-api-gateway"
	return r
}

func meta(total int) map[string]any {
	return map[string]any{
		"query_time": 0.01, "trace_id": "trace-of-meta", "powered_by": "cs.flightcontrolapi",
		"pagination": map[string]any{"offset": 0, "limit": 500, "total": total},
	}
}

// console answers by "METHOD path"; what it has no route for is a 404 of the
// gateway. It signs everybody in unless told otherwise.
type console struct {
	*testing.T
	routes map[string]func(asked) reply
	// valid decides about tokens; nil takes the last one given out.
	valid func(token string) bool
	life  int

	shared *httptest.Server

	mu     sync.Mutex
	log    []asked
	tokens int
}

func newConsole(t *testing.T) *console {
	t.Helper()
	return &console{T: t, routes: map[string]func(asked) reply{}, life: 1799}
}

func (c *console) on(route string, answer func(asked) reply) *console {
	c.routes[route] = answer
	return c
}

// always answers a route in one way.
func (c *console) always(route string, r reply) *console {
	return c.on(route, func(asked) reply { return r })
}

func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	seen := asked{
		method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, auth: r.Header.Get("Authorization"),
		kind: r.Header.Get("Content-Type"), body: strings.TrimSpace(string(body)),
	}
	seen.form, _ = url.ParseQuery(seen.body)
	c.mu.Lock()
	c.log = append(c.log, seen)
	answer := c.answer(seen)
	c.mu.Unlock()

	for k, v := range answer.header {
		w.Header().Set(k, v)
	}
	text, plain := answer.body.(string)
	if !plain {
		data, err := json.Marshal(answer.body)
		if err != nil {
			panic(err)
		}
		text = string(data)
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(answer.status)
	_, _ = io.WriteString(w, text)
}

func (c *console) answer(seen asked) reply {
	route := seen.method + " " + seen.path
	handle, known := c.routes[route]
	switch {
	case route == "POST /oauth2/token" && !known:
		c.tokens++
		return reply{status: 201, body: map[string]any{
			"access_token": fmt.Sprintf("canary-token-%d", c.tokens), "expires_in": c.life, "token_type": "bearer",
		}}
	case strings.HasPrefix(seen.path, "/oauth2/") && known:
		return handle(seen)
	}
	token := strings.TrimPrefix(seen.auth, "Bearer ")
	valid := token == fmt.Sprintf("canary-token-%d", c.tokens)
	if c.valid != nil {
		valid = c.valid(token)
	}
	switch {
	case !valid:
		return gateway(401, "access denied, invalid bearer token")
	case !known:
		return gateway(404, "404 page not found")
	}
	return handle(seen)
}

// asked returns what was asked, sign-ins left out.
func (c *console) asked() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for _, a := range c.log {
		if a.path != "/oauth2/token" {
			list = append(list, a.String())
		}
	}
	return list
}

func (c *console) signIns() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, a := range c.log {
		if a.path == "/oauth2/token" {
			n++
		}
	}
	return n
}

func (c *console) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = nil
}

// connect makes an adapter for the console.
func (c *console) connect(tweak ...func(*provision.Config)) *adapter {
	c.Helper()
	server := httptest.NewServer(c)
	c.Cleanup(server.Close)
	cfg := testConfig()
	cfg.Settings["url"] = server.URL
	for _, f := range tweak {
		f(&cfg)
	}
	return open(c.T, cfg)
}

func testConfig() provision.Config {
	return provision.Config{
		Tenant:   "falcon",
		Settings: map[string]string{"client-id": testClient, "region": "auto", "api": "auto"},
		Secrets:  map[string]provision.Secret{"client-secret": provision.NewSecret(testSecret)},
		HTTP:     &http.Transport{MaxIdleConnsPerHost: 32},
		Now:      time.Now, Log: slog.New(slog.DiscardHandler), Store: provision.MemoryStore(),
		Timeout: 10 * time.Second, MaxWait: 5 * time.Second,
	}
}

func open(t *testing.T, cfg provision.Config) *adapter {
	t.Helper()
	p, err := New(t.Context(), cfg)
	require.NoError(t, err)
	a, isAdapter := p.(*adapter)
	require.True(t, isAdapter)
	return a
}

func set(name, value string) func(*provision.Config) {
	return func(c *provision.Config) { c.Settings[name] = value }
}

// problem is the provision.Error in an error, which must hold no secret.
func problem(t *testing.T, err error) *provision.Error {
	t.Helper()
	var e *provision.Error
	require.ErrorAs(t, err, &e)
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", e), e.Hint} {
		assert.NotContains(t, text, "canary", "a secret is in an error")
	}
	return e
}

// person is a user record of the modern operations.
func person(uuid, login string) map[string]any {
	return map[string]any{
		"uuid": uuid, "cid": testCID, "uid": login, "first_name": "Nela", "last_name": "Kos", "status": "active",
		"created_at": "2026-05-11T12:06:44.190233Z", "updated_at": "2026-05-11T12:06:44.190233Z",
	}
}

func granted(role, name, cid string, more ...string) map[string]any {
	g := map[string]any{"uuid": testUUID, "cid": cid, "role_id": role, "role_name": name, "grant_type": "direct"}
	for pair := range slices.Chunk(more, 2) {
		g[pair[0]] = pair[1]
	}
	return g
}

// one is a console with a single user, who has these grants.
func one(t *testing.T, grants ...any) *console {
	t.Helper()
	return newConsole(t).
		always("GET "+pathUserIDs, ok(testUUID)).
		always("POST "+pathUserRecords, ok(person(testUUID, testLogin))).
		always("GET "+pathGrants, ok(grants...)).
		always("POST "+pathRoleActions, reply{status: 200, body: map[string]any{"meta": meta(0)}})
}

const (
	askedID     = "GET " + pathUserIDs + "?filter=uid%3A%27nela.kos%40acme.example%27&limit=500&offset=0&sort=uid%7Casc"
	askedRecord = "POST " + pathUserRecords + ` {"ids":["` + testUUID + `"]}`
	askedGrants = "GET " + pathGrants + "?limit=500&offset=0&sort=role_name%7Casc&user_uuid=" + testUUID
)

// url serves the console at an address that several adapters share.
func (c *console) url() string {
	if c.shared == nil {
		c.shared = httptest.NewServer(c)
		c.Cleanup(c.shared.Close)
	}
	return c.shared.URL
}

func parse(t *testing.T, query string) url.Values {
	t.Helper()
	q, err := url.ParseQuery(query)
	require.NoError(t, err)
	return q
}

func atoi(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

func idsOf(t *testing.T, body string) []string {
	t.Helper()
	var list idList
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	return list.IDs
}
