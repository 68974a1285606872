package cybereason_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/mock/cybereason"
)

const (
	service      = "svc-edrctl@example.com"
	servicePass  = "Mock &+%#= pass1!"
	seedPass     = "Seed &+%#= user1!"
	mara         = "Mara.Holt@Example.com"
	fieldTeam    = "field.team@north.example"
	irLead       = "ir.lead@my-company.com"
	starter      = "new.starter@my-company.com"
	night        = "soc+night@example.com"
	goodPassword = "Vt4#mPq9Zr!sKd2w"
)

// console is a fake behind a server, with a clock that the test moves.
type console struct {
	t      *testing.T
	api    mock.API
	url    string
	client *http.Client
	now    time.Time
	cookie string
}

type reply struct {
	status int
	header http.Header
	body   string
}

func newConsole(t *testing.T, env mock.Env) *console {
	t.Helper()
	c := &console{t: t, now: time.Date(2025, 11, 20, 10, 0, 0, 0, time.UTC)}
	env.Now = func() time.Time { return c.now }
	c.api = cybereason.Maker().New(env)
	server := httptest.NewUnstartedServer(c.api)
	if env.Plain {
		server.Start()
	} else {
		server.StartTLS()
	}
	t.Cleanup(server.Close)
	c.url, c.client = server.URL, server.Client()
	c.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// signedIn is a console with the service account signed in.
func signedIn(t *testing.T) *console {
	t.Helper()
	c := newConsole(t, mock.Env{})
	c.signIn()
	return c
}

// send sends a request; header is pairs of name and value, and an empty value
// takes a header away.
func (c *console) send(method, path, body string, header ...string) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	require.NoError(c.t, err)
	if strings.HasPrefix(path, "/rest") {
		req.Header.Set("Content-Type", "application/json")
	} else if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if c.cookie != "" {
		req.Header.Set("Cookie", "JSESSIONID="+c.cookie)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.client.Do(req)
	require.NoError(c.t, err)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	return reply{res.StatusCode, res.Header, string(data)}
}

func (c *console) get(path string) reply {
	c.t.Helper()
	return c.send(http.MethodGet, path, "")
}

// write sends a value as JSON and returns what came back as text.
func (c *console) write(method, path string, value any) string {
	c.t.Helper()
	body, err := json.Marshal(value)
	require.NoError(c.t, err)
	return strings.TrimSpace(c.send(method, path, string(body)).body)
}

func (c *console) login(username, password string) reply {
	c.t.Helper()
	form := url.Values{"username": {username}, "password": {password}}
	return c.send(http.MethodPost, "/login.html", form.Encode())
}

func (c *console) code(code string) reply {
	c.t.Helper()
	return c.send(http.MethodPost, "/", "totpCode="+code+"&submit=Login")
}

// take makes the cookie of a reply the client's own.
func (c *console) take(r reply) {
	c.t.Helper()
	c.cookie = sessionCookie(c.t, r)
}

func (c *console) signIn() {
	c.t.Helper()
	r := c.login(service, servicePass)
	require.Equal(c.t, "/#/current?", r.header.Get("Location"))
	c.take(r)
}

func (c *console) set(name, value string) {
	c.t.Helper()
	require.NoError(c.t, c.api.Set(name, value))
}

// list reads all users, by login.
func (c *console) list() map[string]map[string]any {
	c.t.Helper()
	r := c.get("/rest/users")
	require.Equal(c.t, http.StatusOK, r.status, r.body)
	var all []map[string]any
	require.NoError(c.t, json.Unmarshal([]byte(r.body), &all))
	users := map[string]map[string]any{}
	for _, u := range all {
		users[u["username"].(string)] = u
	}
	require.Len(c.t, users, len(all))
	return users
}

// record is the published part of a user, ready to be sent back.
func (c *console) record(login string) map[string]any {
	c.t.Helper()
	u := c.list()[login]
	require.NotNil(c.t, u, login)
	for _, key := range []string{"totpSid", "userClassification", "investigationViewConfig"} {
		delete(u, key)
	}
	return u
}

func (c *console) state() string {
	c.t.Helper()
	data, err := json.Marshal(c.api.State())
	require.NoError(c.t, err)
	return string(data)
}

func (c *console) count(name string) int {
	c.t.Helper()
	var st struct{ Counters map[string]int }
	require.NoError(c.t, json.Unmarshal([]byte(c.state()), &st))
	n, ok := st.Counters[name]
	require.True(c.t, ok, name)
	return n
}

func (c *console) switched(name string) string { return c.api.Switches()[name].Value }

// newUser is a complete body for a create.
func newUser(login string) map[string]any {
	return map[string]any{
		"username": login, "password": goodPassword, "roles": []string{"analyst_l1"},
		"changePasswordOnNextLogin": false, "totpEnabled": false, "isDailyNotifications": false,
		"allowedLoginMethod": "PASSWORD",
	}
}

func with(body map[string]any, key string, value any) map[string]any {
	copied := map[string]any{}
	for k, v := range body {
		copied[k] = v
	}
	copied[key] = value
	return copied
}

func without(body map[string]any, key string) map[string]any {
	copied := with(body, key, nil)
	delete(copied, key)
	return copied
}

// userPath escapes a login the way that works everywhere.
func userPath(login string) string {
	return "/rest/users/" + strings.ReplaceAll(url.PathEscape(login), "+", "%2B")
}

func sessionCookie(t *testing.T, r reply) string {
	t.Helper()
	for _, line := range r.header.Values("Set-Cookie") {
		if cookie, err := http.ParseSetCookie(line); err == nil && cookie.Name == "JSESSIONID" {
			assert.Regexp(t, `^[0-9A-F]{32}$`, cookie.Value)
			return cookie.Value
		}
	}
	require.Fail(t, "no session cookie")
	return ""
}
