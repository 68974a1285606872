package cybereason_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
)

func TestWithoutSession(t *testing.T) {
	c := newConsole(t, mock.Env{})
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		for _, path := range []string{"/rest/users", "/rest/users/a@example.com", "/rest/ping", "/rest/nothing", "/rest"} {
			r := c.send(method, path, "")
			assert.Equal(t, http.StatusFound, r.status, method+path)
			assert.Equal(t, "/login.html", r.header.Get("Location"))
			assert.Empty(t, r.body)
			if path == "/rest/nothing" || path == "/rest" {
				assert.Equal(t, "1", r.header.Get("X-Mock-Unknown"), "for the log, which takes it away")
			}
			sessionCookie(t, r)
		}
	}
	anonymous := c.get("/rest/users")
	c.take(anonymous)
	again := c.get("/rest/users")
	assert.NotEqual(t, c.cookie, sessionCookie(t, again), "a new one each time")

	c.set("session-gone", "page")
	r := c.get("/rest/users")
	assert.Equal(t, http.StatusOK, r.status)
	assert.Contains(t, r.body, "<app-login>")
	sessionCookie(t, r)
	c.set("session-gone", "401")
	r = c.get("/rest/users")
	assert.Equal(t, http.StatusUnauthorized, r.status)
	assert.JSONEq(t, `{"failedValues":[],"message":"Unauthorized"}`, r.body)
}

func TestSessionExpires(t *testing.T) {
	c := signedIn(t)
	c.set("session-requests", "2")
	assert.Equal(t, http.StatusOK, c.get("/rest/users").status)
	assert.Equal(t, http.StatusOK, c.get("/rest/users").status)
	assert.Equal(t, http.StatusFound, c.get("/rest/users").status)
	c.set("session-requests", "0")
	assert.Equal(t, http.StatusFound, c.get("/rest/users").status, "gone is gone")

	c.signIn()
	c.now = c.now.Add(8*time.Hour - time.Second)
	assert.Equal(t, http.StatusOK, c.get("/rest/users").status)
	c.now = c.now.Add(time.Second)
	assert.Equal(t, http.StatusFound, c.get("/rest/users").status)

	c.set("session-seconds", "5")
	c.signIn()
	c.now = c.now.Add(5 * time.Second)
	assert.Equal(t, http.StatusFound, c.get("/rest/users").status)

	c.signIn()
	c.api.ExpireSessions()
	assert.Equal(t, http.StatusFound, c.get("/rest/users").status)
}

func TestLogout(t *testing.T) {
	c := signedIn(t)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		c.signIn()
		r := c.send(method, "/logout", "")
		assert.Equal(t, http.StatusFound, r.status)
		assert.Equal(t, "/login.html", r.header.Get("Location"))
		assert.Equal(t, http.StatusFound, c.get("/rest/users").status)
	}
	assert.Equal(t, 2, c.count("logouts"))
	c.get("/logout")
	assert.Equal(t, 1, c.count("logoutsWithoutSession"))
}

func TestLoginsInARow(t *testing.T) {
	c := signedIn(t)
	c.signIn()
	c.signIn()
	c.get("/rest/users")
	c.signIn()
	assert.Equal(t, 1, c.count("loginsInARow"))
	assert.Equal(t, 3, c.count("mostLoginsInARow"))
}

func TestPages(t *testing.T) {
	c := newConsole(t, mock.Env{})
	r := c.get("/login.html")
	assert.Contains(t, r.body, "<app-login>")
	c.take(r)
	assert.Empty(t, c.get("/login.html").header.Values("Set-Cookie"), "a cookie is kept")
	for _, path := range []string{"/", "/index.html", "/reset.html"} {
		assert.Equal(t, "/login.html", c.get(path).header.Get("Location"), path)
	}
	assert.Equal(t, "/login.html", c.send(http.MethodPost, "/", "x=y").header.Get("Location"))
	r = c.get("/favicon.ico")
	assert.Equal(t, http.StatusNotFound, r.status)
	assert.Equal(t, "1", r.header.Get("X-Mock-Unknown"))
	assert.Equal(t, http.StatusNotFound, c.send(http.MethodPut, "/login.html", "").status)
}

func TestDeletedUserIsSignedOut(t *testing.T) {
	c := signedIn(t)
	admin := c.cookie
	c.take(c.login(mara, seedPass))
	require.Contains(t, c.list(), mara)
	own := c.cookie
	c.cookie = admin
	assert.Equal(t, `"success"`, c.write(http.MethodDelete, userPath(mara), nil))
	c.cookie = own
	assert.Equal(t, http.StatusFound, c.get("/rest/users").status)
}
