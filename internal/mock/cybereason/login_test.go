package cybereason_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/mock/cybereason"
)

func TestLoginAccepted(t *testing.T) {
	for _, plain := range []bool{false, true} {
		c := newConsole(t, mock.Env{Plain: plain})
		r := c.login(service, servicePass)
		assert.Equal(t, http.StatusFound, r.status)
		assert.Equal(t, "/#/current?", r.header.Get("Location"))
		assert.Empty(t, r.body)
		assert.Equal(t, "max-age=0", r.header.Get("Strict-Transport-Security"))
		cookies := r.header.Values("Set-Cookie")
		assert.Len(t, cookies, 2)
		assert.Equal(t, !plain, strings.Contains(cookies[0], "; Secure;"))
		assert.Contains(t, cookies[0], "; Path=/; ")
		assert.Contains(t, cookies[0], "HttpOnly; Max-Age=28800; Expires=Thu, 20 Nov 2025 18:00:00 GMT")
		assert.Equal(t, "rememberMe=deleteMe; Path=/; Max-Age=0; Expires=Wed, 19 Nov 2025 10:00:00 GMT", cookies[1])

		c.take(r)
		page := c.get("/")
		assert.Contains(t, page.body, "<title>Cybereason</title>")
		assert.Contains(t, page.body, "<app ")
		assert.Equal(t, http.StatusOK, c.get("/rest/users/current").status)
		assert.Equal(t, 1, c.count("logins"))
		assert.Zero(t, c.count("loginsUnencoded"))
	}
}

func TestLoginAcceptedSwitches(t *testing.T) {
	c := signedIn(t)
	c.set("login-accepted", "two")
	c.set("app-page", "bare")
	hop := c.get("/")
	assert.Equal(t, http.StatusFound, hop.status)
	page := c.get(hop.header.Get("Location"))
	assert.Equal(t, http.StatusOK, page.status)
	assert.Contains(t, page.body, "<title>Cybereason</title>")
	assert.NotContains(t, page.body, "<app")

	// In any case of its letters a login is the same at the door.
	c.cookie = ""
	assert.Equal(t, "/#/current?", c.login(strings.ToUpper(service), servicePass).header.Get("Location"))
}

func TestLoginRejected(t *testing.T) {
	for value, want := range map[string]string{
		"error-query":    "/login.html?error",
		"error-fragment": "/login.html#error",
		"plain":          "/login.html",
		"page":           "",
	} {
		c := newConsole(t, mock.Env{})
		c.set("login-rejected", value)
		r := c.login(service, "guess")
		assert.Equal(t, want, r.header.Get("Location"), value)
		if value == "page" {
			assert.Equal(t, http.StatusOK, r.status)
			assert.Contains(t, r.body, "<app-login>")
		} else {
			assert.Equal(t, http.StatusFound, r.status)
			page := c.get("/login.html?error")
			assert.Contains(t, page.body, "<title>Cybereason | Login</title>")
			sessionCookie(t, page)
		}
		// The cookie is there, and good for nothing.
		c.take(r)
		assert.Equal(t, http.StatusFound, c.get("/rest/users").status)
		assert.Equal(t, 1, c.count("loginsRejected"))
		assert.Zero(t, c.count("logins"))
		assert.Zero(t, c.count("loginsAfterRejection"))
	}
}

func TestLoginRejectedWithoutAForm(t *testing.T) {
	c := newConsole(t, mock.Env{})
	body := url.Values{"username": {service}, "password": {servicePass}}.Encode()
	for name, r := range map[string]reply{
		"unknown user":  c.login("nobody@example.com", servicePass),
		"no fields":     c.send(http.MethodPost, "/login.html", ""),
		"in the query":  c.send(http.MethodPost, "/login.html?"+body, ""),
		"as JSON":       c.send(http.MethodPost, "/login.html", body, "Content-Type", "application/json"),
		"password nil":  c.send(http.MethodPost, "/login.html", "username="+url.QueryEscape(service)),
		"not decodable": c.send(http.MethodPost, "/login.html", "username=%zz&password=x"),
	} {
		assert.Equal(t, "/login.html?error", r.header.Get("Location"), name)
	}
}

func TestLoginEncoding(t *testing.T) {
	c := newConsole(t, mock.Env{})
	half := "username=" + strings.ReplaceAll(service, "@", "%40") + "&password=" + servicePass
	assert.Equal(t, "/login.html?error", c.send(http.MethodPost, "/login.html", half).header.Get("Location"))
	assert.Equal(t, 1, c.count("loginsUnencoded"))

	raw := "username=" + service + "&password=" + url.QueryEscape(servicePass)
	assert.Equal(t, "/#/current?", c.send(http.MethodPost, "/login.html", raw).header.Get("Location"))
	assert.Equal(t, 2, c.count("loginsUnencoded"))
	assert.Equal(t, 1, c.count("loginsAfterRejection"))
}

func TestLockout(t *testing.T) {
	c := newConsole(t, mock.Env{})
	c.set("lockout-after", "2")
	c.login(service, "guess")
	assert.Equal(t, "/#/current?", c.login(service, servicePass).header.Get("Location"), "one failure is forgiven")
	c.login(service, "guess")
	c.login(service, "guess")
	assert.Equal(t, "/login.html?error", c.login(service, servicePass).header.Get("Location"))
	assert.Equal(t, "/#/current?", c.login(mara, seedPass).header.Get("Location"), "nobody else is locked")
	assert.Equal(t, 3, c.count("loginsAfterRejection"))
	c.set("lockout-after", "0")
	assert.Equal(t, "/#/current?", c.login(service, servicePass).header.Get("Location"))
}

func TestSingleSignOn(t *testing.T) {
	c := newConsole(t, mock.Env{})
	c.set("sso-only", "on")
	r := c.login(service, servicePass)
	target, err := url.Parse(r.header.Get("Location"))
	require.NoError(t, err)
	assert.NotEmpty(t, target.Host)
	c.take(r)
	assert.Equal(t, http.StatusFound, c.get("/rest/users").status)
	c.set("sso-only", "http://127.0.0.1:9/idp")
	assert.Equal(t, "http://127.0.0.1:9/idp", c.login(service, servicePass).header.Get("Location"))
	c.set("sso-only", "off")
	c.signIn()

	// A user who may not use a password is refused like any other.
	user := with(newUser("sso.only@example.com"), "allowedLoginMethod", "SSO")
	assert.Equal(t, `"success"`, c.write(http.MethodPost, userPath("sso.only@example.com"), user))
	assert.Equal(t, "/login.html?error", c.login("sso.only@example.com", goodPassword).header.Get("Location"))
}

func TestPasswordExpired(t *testing.T) {
	c := newConsole(t, mock.Env{})
	c.set("password-expired", "on")
	r := c.login(service, servicePass)
	assert.Equal(t, "/reset.html?originalurl=/current", r.header.Get("Location"))
	c.take(r)
	assert.Contains(t, c.get("/reset.html?originalurl=/current").body, "newPassword")
	assert.Contains(t, c.get("/").header.Get("Location"), "reset")
	assert.Equal(t, http.StatusFound, c.get("/rest/users").status)

	change := func(old, password, again string) string {
		form := url.Values{"oldPassword": {old}, "newPassword": {password}, "confirmNewPassword": {again}, "submit": {"Login"}}
		return c.send(http.MethodPost, "/?originalurl=/current?", form.Encode()).header.Get("Location")
	}
	assert.Equal(t, "/reset.html?error", change("guess", goodPassword, goodPassword))
	assert.Equal(t, "/reset.html?error", change(servicePass, goodPassword, "other"))
	assert.Equal(t, "/reset.html?error", change(servicePass, "short", "short"))
	assert.Equal(t, "/reset.html?error", change(servicePass, servicePass, servicePass))
	assert.Equal(t, "/#/current?", change(servicePass, goodPassword, goodPassword))
	assert.Contains(t, c.list(), service)
	assert.Equal(t, "off", c.switched("password-expired"))
	assert.Equal(t, "/#/current?", c.login(service, goodPassword).header.Get("Location"))
}

func TestForcedPasswordChange(t *testing.T) {
	c := newConsole(t, mock.Env{})
	assert.Contains(t, c.login(starter, seedPass).header.Get("Location"), "reset")

	// After the code, not in its place, whether the cookie stays or not.
	for i, cookie := range []string{"same", "new"} {
		c = newConsole(t, mock.Env{TOTP: true})
		c.set("password-expired", "on")
		c.set("tfa-cookie", cookie)
		c.take(c.login(service, servicePass))
		r := c.code(cybereason.TOTPCode(c.api.Settings(c.url)["totp-secret"], c.now))
		assert.Contains(t, r.header.Get("Location"), "reset")
		if i == 1 {
			c.take(r)
		}
		assert.Equal(t, http.StatusOK, c.get("/reset.html").status)
		assert.Zero(t, c.count("logins"))
	}
}
