package cybereason_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/mock/cybereason"
)

func TestStateRoundTrip(t *testing.T) {
	c := newConsole(t, mock.Env{TOTP: true})
	c.set("visibility-reads", "3")
	c.set("write-reply", "bare")
	c.login(service, "guess")
	c.take(c.login(service, servicePass))
	half := c.cookie
	c.code("000000")
	code := cybereason.TOTPCode(c.api.Settings(c.url)["totp-secret"], c.now)
	c.take(c.login(service, servicePass))
	c.code(code)
	assert.Equal(t, "success", c.write(http.MethodPost, userPath(ada), newUser(ada)))
	assert.Equal(t, "success", c.write(http.MethodDelete, userPath(night), nil))

	saved := c.state()
	require.NotContains(t, saved, servicePass)
	require.NotContains(t, saved, "pass1!", "nor in escapes")
	require.NotContains(t, saved, "user1!")
	require.NotContains(t, saved, seedPass)
	require.NotContains(t, saved, goodPassword)
	require.NotContains(t, saved, c.cookie, "a cookie is a credential")

	other := newConsole(t, mock.Env{})
	require.NoError(t, other.api.Load([]byte(saved)))
	assert.JSONEq(t, saved, other.state())
	assert.Equal(t, "3", other.switched("visibility-reads"))
	other.cookie = c.cookie
	assert.Contains(t, other.list(), night, "the session works, the delete is hidden")
	assert.NotContains(t, other.list(), ada)
	assert.Contains(t, other.login(ada, goodPassword).header.Get("Location"), "current")
	other.cookie = half
	assert.Equal(t, "/?error", other.code(code).header.Get("Location"), "used codes are remembered")

	require.NoError(t, c.api.Load(nil))
	assert.Equal(t, "on", c.switched("tfa"), "the default of this fake")
	assert.Equal(t, http.StatusFound, c.get("/rest/users").status)
	assert.Zero(t, c.count("logins"))
}

// A copy of the state stays as it was while the fake goes on.
func TestStateIsACopy(t *testing.T) {
	c := signedIn(t)
	c.set("visibility-reads", "5")
	before := c.api.State()
	want, err := json.Marshal(before)
	require.NoError(t, err)
	grant := with(c.record(night), "roles", []string{"api"})
	c.write(http.MethodPut, userPath(night), grant)
	c.write(http.MethodDelete, userPath(mara), nil)
	c.set("tfa", "on")
	c.set("admin-role", "off")
	c.login(service, "guess")
	c.api.ExpireSessions()
	got, err := json.Marshal(before)
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(got))
}

func TestLoadByHand(t *testing.T) {
	c := newConsole(t, mock.Env{})
	require.NoError(t, c.api.Load([]byte(`{"sessions":null,"users":[
		{"username":"root@soc.example","password":"Root#pass1","roles":["user_admin"]},
		{"username":"bare@soc.example"}],"switches":{"app-page":"bare"}}`)))
	assert.NotContains(t, c.state(), "Root#pass1")
	assert.Equal(t, "bare", c.switched("app-page"))
	assert.Equal(t, "302", c.switched("session-gone"))
	c.take(c.login("root@soc.example", "Root#pass1"))
	users := c.list()
	assert.Len(t, users, 2)
	assert.Equal(t, []any{}, users["bare@soc.example"]["roles"])
	assert.Equal(t, []any{}, users["bare@soc.example"]["groups"])
	assert.Equal(t, "PASSWORD", users["bare@soc.example"]["allowedLoginMethod"])
	assert.Equal(t, "/login.html?error", c.login("bare@soc.example", "").header.Get("Location"), "no password, no way in")
	grant := with(c.record("bare@soc.example"), "roles", []string{"analyst_hdl"})
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath("bare@soc.example"), grant), "the published roles are known")

	// A second factor without key gets one.
	require.NoError(t, c.api.Load([]byte(`{"users":[{"username":"a@soc.example","password":"x","totpEnabled":true}],"switches":{"tfa":"on"}}`)))
	assert.Contains(t, c.login("a@soc.example", "x").body, "CANARYTOTPSID")
	// Neither the lack of users nor that of a service account is a fault.
	require.NoError(t, c.api.Load([]byte(`{}`)))
	c.set("admin-role", "off")
	c.set("tfa", "on")
}

func TestLoadRefuses(t *testing.T) {
	c := signedIn(t)
	before := c.state()
	for name, data := range map[string]string{
		"no JSON":      `users: []`,
		"unknown key":  `{"user":[]}`,
		"two values":   `{}{}`,
		"no login":     `{"users":[{"roles":[]}]}`,
		"same login":   `{"users":[{"username":"a@x.example"},{"username":"a@x.example"}]}`,
		"switch":       `{"switches":{"nope":"on"}}`,
		"switch value": `{"switches":{"tfa":"maybe"}}`,
		"empty":        ``,
	} {
		require.Error(t, c.api.Load([]byte(data)), name)
	}
	assert.JSONEq(t, before, c.state())
}

func TestMaker(t *testing.T) {
	assert.Equal(t, "cybereason", cybereason.Maker().Vendor)
	c := newConsole(t, mock.Env{})
	assert.Equal(t, map[string]string{"url": "https://x", "username": service, "password": servicePass}, c.api.Settings("https://x"))
	require.ErrorContains(t, c.api.Activate("ada@example.com"), "no invitations")
	for _, special := range "&+%#= " {
		assert.Contains(t, servicePass, string(special))
	}
}

func TestChange(t *testing.T) {
	c := newConsole(t, mock.Env{})
	for target, want := range map[string]bool{
		"POST /rest/users/a@example.com": true, "PUT /rest/users/a@example.com": true, "DELETE /rest/users/a@example.com": true,
		"PUT /rest/users/reset": true, "GET /rest/users": false, "GET /rest/users/a@example.com": false,
		"POST /login.html": false, "POST /": false, "POST /logout": false, "GET /logout": false, "PUT /rest/groups": false,
		"POST /rest/usersX": false, "POST /?originalurl=/current?": true,
	} {
		method, path, _ := strings.Cut(target, " ")
		assert.Equal(t, want, c.api.Change(httptest.NewRequest(method, path, nil)), target)
	}
}

func TestFail(t *testing.T) {
	c := newConsole(t, mock.Env{})
	fail := func(path string, status int, after time.Duration) *http.Response {
		w := httptest.NewRecorder()
		c.api.Fail(w, httptest.NewRequest(http.MethodGet, path, nil), status, after)
		return w.Result()
	}
	for status, kind := range map[int]string{
		400: "application/json", 401: "application/json", 403: "application/json", 412: "application/json",
		429: "application/json", 500: "text/html", 503: "text/html",
	} {
		r := fail("/rest/users", status, 0)
		assert.Equal(t, status, r.StatusCode)
		assert.True(t, strings.HasPrefix(r.Header.Get("Content-Type"), kind), status)
		assert.Empty(t, r.Header.Get("Retry-After"))
		assert.Equal(t, "DENY", r.Header.Get("X-Frame-Options"))
		require.NoError(t, r.Body.Close())
	}
	r := fail("/rest/users", 429, 2500*time.Millisecond)
	assert.Equal(t, "3", r.Header.Get("Retry-After"))
	require.NoError(t, r.Body.Close())
	r = fail("/login.html", 403, 0)
	assert.True(t, strings.HasPrefix(r.Header.Get("Content-Type"), "text/html"))
	require.NoError(t, r.Body.Close())
	r = fail("/rest/users", 302, 0)
	assert.Equal(t, "/login.html", r.Header.Get("Location"))
	require.NoError(t, r.Body.Close())
	c.set("error-body", "json")
	r = fail("/rest/users", 503, 0)
	assert.True(t, strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"))
	require.NoError(t, r.Body.Close())
}

func TestBodyTooLarge(t *testing.T) {
	c := signedIn(t)
	r := c.send(http.MethodPost, userPath(ada), strings.Repeat(" ", 1<<20+1))
	assert.Equal(t, http.StatusRequestEntityTooLarge, r.status)
	assert.Equal(t, http.StatusOK, c.get("/rest/users").status)
}

func TestManyAtOnce(t *testing.T) {
	c := signedIn(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				w := httptest.NewRecorder()
				r := httptest.NewRequest(http.MethodGet, "/rest/users", nil)
				r.Header.Set("Cookie", "JSESSIONID="+c.cookie)
				c.api.ServeHTTP(w, r)
				assert.Equal(t, http.StatusOK, w.Code)
				_, err := json.Marshal(c.api.State())
				assert.NoError(t, err)
				assert.NoError(t, c.api.Set("stale", "once"))
				c.api.Switches()
			}
		})
	}
	wg.Wait()
}
