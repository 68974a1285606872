package cybereason_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"edrctl/internal/mock"
	"edrctl/internal/mock/cybereason"
)

func TestSecondFactor(t *testing.T) {
	c := newConsole(t, mock.Env{TOTP: true})
	secret := c.api.Settings(c.url)["totp-secret"]
	r := c.login(service, servicePass)
	assert.Equal(t, http.StatusOK, r.status)
	assert.Contains(t, r.body, "Two factor authentication")
	assert.NotContains(t, r.body, "<app-login")
	assert.NotContains(t, r.body, secret)
	c.take(r)
	assert.Equal(t, http.StatusFound, c.get("/rest/users").status, "half a session is none")
	assert.Contains(t, c.get("/").body, "Two factor authentication")

	code := cybereason.TOTPCode(secret, c.now)
	c.cookie = ""
	assert.Equal(t, "/login.html", c.code(code).header.Get("Location"), "another cookie")
	assert.Equal(t, 1, c.count("codesWithoutSession"))
	c.take(r)
	assert.Equal(t, http.StatusOK, c.send(http.MethodPost, "/", "totpCode="+code).status, "no submit")
	r = c.code(code)
	assert.Equal(t, http.StatusFound, r.status)
	assert.Equal(t, "/#/current?", r.header.Get("Location"))
	assert.Empty(t, r.header.Values("Set-Cookie"))
	assert.Contains(t, c.list(), service)
	assert.Equal(t, 1, c.count("codesAccepted"))
	assert.Equal(t, 1, c.count("logins"))

	// The same code once more, then the next one.
	c.take(c.login(service, servicePass))
	assert.Equal(t, "/?error", c.code(code).header.Get("Location"))
	assert.Equal(t, 1, c.count("codesReused"))
	assert.Equal(t, 1, c.count("codesRejected"))
	c.now = c.now.Add(30 * time.Second)
	assert.Equal(t, "/#/current?", c.code(cybereason.TOTPCode(secret, c.now)).header.Get("Location"))
}

func TestSecondFactorSwitches(t *testing.T) {
	c := newConsole(t, mock.Env{TOTP: true})
	secret := c.api.Settings(c.url)["totp-secret"]
	c.take(c.login(service, servicePass))
	for value, want := range map[string]string{"error-query": "/?error", "error-fragment": "/#error", "page": ""} {
		c.set("wrong-code", value)
		r := c.code("12345")
		assert.Equal(t, want, r.header.Get("Location"), value)
	}
	assert.Contains(t, c.get("/?error").body, "Two factor authentication", "another try is possible")
	c.set("tfa-cookie", "new")
	before := c.cookie
	c.take(c.code(cybereason.TOTPCode(secret, c.now)))
	assert.NotEqual(t, before, c.cookie)
	assert.Contains(t, c.list(), service)

	c.set("tfa", "off")
	assert.NotContains(t, c.api.Settings(c.url), "totp-secret")
	assert.Equal(t, "/#/current?", c.login(service, servicePass).header.Get("Location"))
	assert.Equal(t, true, c.list()[service]["totpEnabled"], "the flag alone asks nobody")

	c.set("tfa", "on")
	c.set("login-accepted", "two")
	r := c.login(service, servicePass)
	assert.Equal(t, "/", r.header.Get("Location"))
	c.take(r)
	assert.Contains(t, c.get("/").body, "Two factor authentication")
}

func TestFirstTimeKey(t *testing.T) {
	c := newConsole(t, mock.Env{})
	c.set("tfa", "on")
	c.set("tfa-first-time", "on")
	secret := c.api.Settings(c.url)["totp-secret"]
	r := c.login(service, servicePass)
	assert.Contains(t, r.body, secret)
	assert.Equal(t, "off", c.switched("tfa-first-time"))
	assert.NotContains(t, c.login(service, servicePass).body, secret)
	c.take(r)
	assert.Equal(t, "/#/current?", c.code(cybereason.TOTPCode(secret, c.now)).header.Get("Location"))

	// Users made over the API see theirs at the first sign-in too.
	login := "ada@example.com"
	assert.Equal(t, `"success"`, c.write(http.MethodPost, userPath(login), with(newUser(login), "totpEnabled", true)))
	key, _ := c.list()[login]["totpSid"].(string)
	assert.True(t, strings.HasPrefix(key, "CANARYTOTPSID"))
	assert.Contains(t, c.login(login, goodPassword).body, key)
	assert.NotContains(t, c.login(login, goodPassword).body, key)
}

func TestClockOffset(t *testing.T) {
	c := newConsole(t, mock.Env{TOTP: true})
	secret := c.api.Settings(c.url)["totp-secret"]
	c.set("clock-offset", "-90")
	r := c.login(service, servicePass)
	assert.Equal(t, "Thu, 20 Nov 2025 09:58:30 GMT", r.header.Get("Date"))
	c.take(r)
	assert.Equal(t, "/?error", c.code(cybereason.TOTPCode(secret, c.now)).header.Get("Location"))
	theirs := cybereason.TOTPCode(secret, c.now.Add(-90*time.Second))
	assert.Equal(t, "/#/current?", c.code(theirs).header.Get("Location"))
}
