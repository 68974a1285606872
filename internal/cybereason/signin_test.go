package cybereason_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

func TestSignIn(t *testing.T) {
	short := []string{"POST /login.html", "GET /", "GET /rest/users/current", "GET /rest/users"}
	for name, tt := range map[string]struct {
		options  mock.Options
		switches []string
		want     []string
	}{
		"over TLS":           {want: short},
		"over loopback":      {options: mock.Options{Plain: true}, want: short},
		"page of other make": {switches: []string{"app-page", "bare"}, want: short},
		"two redirects":      {switches: []string{"login-accepted", "two"}, want: []string{"POST /login.html", "GET /", "GET /index.html", "GET /rest/users/current", "GET /rest/users"}},
		"no current user":    {switches: []string{"current", "missing"}, want: []string{"POST /login.html", "GET /", "GET /rest/users/current", "GET /rest/users", "GET /rest/users"}},
		"with a second factor": {
			options: mock.Options{TOTP: true},
			want:    []string{"POST /login.html", "POST /", "GET /", "GET /rest/users/current", "GET /rest/users"},
		},
		"second factor after a redirect": {
			options: mock.Options{TOTP: true}, switches: []string{"login-accepted", "two"},
			want: []string{"POST /login.html", "GET /", "POST /", "GET /", "GET /index.html", "GET /rest/users/current", "GET /rest/users"},
		},
		"second factor with a new session": {
			options: mock.Options{TOTP: true}, switches: []string{"tfa-cookie", "new"},
			want: []string{"POST /login.html", "POST /", "GET /", "GET /rest/users/current", "GET /rest/users"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := startConsole(t, tt.options, tt.switches...)
			users, err := all(c.adapter().Users(t.Context(), provision.Filter{}))
			require.NoError(t, err)
			assert.Len(t, users, 6)
			assert.Equal(t, tt.want, c.requests())
			assert.Equal(t, 1, c.count("logins"))
		})
	}
}

func TestSignInRefused(t *testing.T) {
	for _, form := range []string{"error-query", "error-fragment", "plain", "page"} {
		t.Run(form, func(t *testing.T) {
			c := newConsole(t, "login-rejected", form)
			a := c.adapter(secret("password", "wrong &+%"))
			_, err := a.Check(t.Context())
			e := asError(t, err)
			assert.Equal(t, provision.ErrUnauthenticated, e.Kind)
			assert.Contains(t, e.Hint, "lock")
			assert.Equal(t, []string{"POST /login.html"}, c.requests())

			_, err = a.User(t.Context(), mara)
			require.ErrorIs(t, err, provision.ErrUnauthenticated)
			require.NoError(t, a.SignOut(t.Context()))
			assert.Empty(t, c.requests(), "it is not tried again")
			assert.Equal(t, 1, c.count("loginsRejected"))
		})
	}
}

func TestSignInElsewhere(t *testing.T) {
	var seen atomic.Int32
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }))
	defer stranger.Close()
	for name, tt := range map[string]struct {
		switches []string
		says     string
	}{
		"single sign-on": {[]string{"sso-only", "on"}, "idp.sso.example"},
		"another port":   {[]string{"sso-only", stranger.URL + "/current?"}, strings.TrimPrefix(stranger.URL, "http://")},
		"its name":       {[]string{"sso-only", strings.Replace(stranger.URL, "127.0.0.1", "localhost", 1) + "/reset?error"}, "localhost"},
		"expired":        {[]string{"password-expired", "on"}, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, tt.switches...)
			a := c.adapter()
			for range 2 {
				_, err := a.Check(t.Context())
				e := asError(t, err)
				assert.Equal(t, provision.ErrUnauthenticated, e.Kind)
				assert.Contains(t, e.Message, tt.says)
				assert.NotEmpty(t, e.Hint)
			}
			assert.Equal(t, []string{"POST /login.html"}, c.requests())
		})
	}
	assert.Zero(t, seen.Load(), "requests to other addresses")
}

func TestSignInTrouble(t *testing.T) {
	for name, tt := range map[string]struct {
		fault mock.Fault
		kind  provision.Kind
		sent  int
	}{
		"forbidden":      {mock.Fault{Action: "403"}, provision.ErrForbidden, 1},
		"unauthorized":   {mock.Fault{Action: "401"}, provision.ErrForbidden, 1},
		"not there":      {mock.Fault{Action: "404"}, provision.ErrInternal, 1},
		"out of order":   {mock.Fault{Action: "502"}, provision.ErrUnavailable, 1},
		"answer lost":    {mock.Fault{Action: "drop-after"}, provision.ErrUnavailable, 1},
		"never arrived":  {mock.Fault{Action: "drop-before"}, provision.ErrUnavailable, 1},
		"portal":         {mock.Fault{Action: "html"}, provision.ErrInternal, 1},
		"long throttled": {mock.Fault{Action: "429", RetryAfter: 600}, provision.ErrRateLimited, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t)
			tt.fault.Method, tt.fault.Path = http.MethodPost, "/login.html"
			c.fault(tt.fault)
			a := c.adapter()
			_, err := a.Check(t.Context())
			assert.Equal(t, tt.kind, asError(t, err).Kind, "%v", err)
			posts := 0
			for _, r := range c.requests() {
				if strings.HasPrefix(r, http.MethodPost) {
					posts++
				}
			}
			assert.Equal(t, tt.sent, posts, "passwords sent")
		})
	}
	c := newConsole(t)
	c.fault(mock.Fault{Method: http.MethodPost, Path: "/login.html", Action: "429", RetryAfter: 1})
	_, err := c.adapter().Check(t.Context())
	assert.NoError(t, err, "a short pause")
}

func TestSignInUnreachable(t *testing.T) {
	c := newConsole(t)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	_, err := c.adapter(func(cfg *provision.Config) { cfg.Settings["url"] = closed.URL }).Check(t.Context())
	e := asError(t, err)
	assert.Equal(t, provision.ErrUnavailable, e.Kind)
	assert.Contains(t, e.Hint, "source addresses")
}

func TestCheck(t *testing.T) {
	c := newConsole(t)
	a := c.adapter()
	id, err := a.Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, provision.Identity{Name: service, Account: service, MayManage: true, Note: "version 21.2.43"}, id)
	c.set("admin-role", "off", "server-version", "missing")
	id, err = a.Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, provision.Identity{Name: service, Account: service}, id, "it is asked anew")

	for _, current := range []string{"present", "missing"} {
		c = newConsole(t, "admin-role", "off", "current", current)
		a = c.adapter()
		id, err = a.Check(t.Context())
		require.NoError(t, err)
		assert.False(t, id.MayManage)
		_, err = a.User(t.Context(), mara)
		e := asError(t, err)
		assert.Equal(t, provision.ErrForbidden, e.Kind)
		assert.Contains(t, e.Hint, "user_admin")
		assert.Equal(t, 1, c.count("logins"), "a missing permission is no ended session")
	}
}

func TestSessionIsKept(t *testing.T) {
	c := newConsole(t)
	run := func() []string {
		_, err := c.adapter(c.sharing).User(t.Context(), mara)
		require.NoError(t, err)
		return c.requests()
	}
	assert.Len(t, run(), 4)
	assert.Equal(t, []string{"GET /rest/users"}, run(), "the next run needs no sign-in")

	c.server.API().ExpireSessions()
	assert.Equal(t, []string{
		"GET /rest/users", "POST /login.html", "GET /", "GET /rest/users/current", "GET /rest/users",
	}, run(), "unless the session is gone")
	assert.Len(t, run(), 1)

	_ = c.clock.pause(t.Context(), 8*time.Hour)
	assert.Len(t, run(), 4, "or too old to be tried")

	other := c.adapter(c.sharing, func(cfg *provision.Config) { cfg.Settings["username"] = mara })
	_, err := other.User(t.Context(), mara)
	require.ErrorIs(t, err, provision.ErrUnauthenticated, "another account has another session")
	c.requests()

	require.NoError(t, c.adapter(c.sharing).SignOut(t.Context()))
	assert.Equal(t, []string{"GET /logout"}, c.requests())
	require.NoError(t, c.adapter(c.sharing).SignOut(t.Context()))
	assert.Empty(t, c.requests(), "it is forgotten")
	assert.Len(t, run(), 4)
}

// What another process has kept meanwhile stays.
func TestSessionOfAnother(t *testing.T) {
	c := newConsole(t)
	one, other := c.adapter(c.sharing), c.adapter(c.sharing)
	_, err := one.User(t.Context(), mara)
	require.NoError(t, err)
	require.NoError(t, c.adapter(c.sharing).SignOut(t.Context()))
	_, err = other.User(t.Context(), mara)
	require.NoError(t, err)
	c.fault(mock.Fault{Path: "/logout", Action: "302"})
	require.NoError(t, one.SignOut(t.Context()))
	c.requests()
	_, err = c.adapter(c.sharing).User(t.Context(), mara)
	require.NoError(t, err)
	assert.Len(t, c.requests(), 1)
}

func TestSignOut(t *testing.T) {
	c := newConsole(t)
	a := c.adapter()
	require.NoError(t, a.SignOut(t.Context()))
	assert.Empty(t, c.requests(), "nothing to end")
	for range 2 {
		_, err := a.User(t.Context(), mara)
		require.NoError(t, err)
		require.NoError(t, a.SignOut(t.Context()))
	}
	assert.Equal(t, []int{2, 2}, []int{c.count("logins"), c.count("logouts")})
}

func TestSessionEnds(t *testing.T) {
	for _, form := range []string{"302", "page", "401"} {
		t.Run(form, func(t *testing.T) {
			c := newConsole(t, "session-gone", form)
			a := c.signedIn()
			c.server.API().ExpireSessions()
			_, err := a.User(t.Context(), mara)
			require.NoError(t, err)
			again := []string{"POST /login.html", "GET /", "GET /rest/users/current"}
			assert.Equal(t, append(append([]string{"GET /rest/users"}, again...), "GET /rest/users"), c.requests())

			c.fault(mock.Fault{Method: http.MethodPost, Path: "/rest/users/", Action: "expire-session"})
			u, err := a.CreateUser(t.Context(), newSpec("ada@example.com", "analyst_l1"))
			require.NoError(t, err, "what a session that is gone asked for was not done")
			assert.Equal(t, "ada@example.com", u.Login)
			post := "POST /rest/users/ada@example.com"
			assert.Equal(t, append(append([]string{post}, again...), post, "GET /rest/users"), c.requests())
			assert.Equal(t, 3, c.count("logins"))
		})
	}
}

func TestSessionEndsAtOnce(t *testing.T) {
	c := newConsole(t, "session-requests", "1")
	a := c.adapter()
	for range 3 {
		_, err := a.User(t.Context(), mara)
		require.ErrorIs(t, err, provision.ErrUnauthenticated)
	}
	assert.Equal(t, 2, c.count("logins"))
	c.set("session-requests", "2")
	a = c.adapter()
	for range 3 {
		_, err := a.User(t.Context(), mara)
		require.NoError(t, err, "each session is of use once")
	}
}

func TestOneSignInForAll(t *testing.T) {
	c := newConsole(t)
	a := c.adapter()
	work := func() {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				_, err := a.User(t.Context(), mara)
				assert.NoError(t, err)
			})
		}
		wg.Wait()
	}
	work()
	assert.Equal(t, 1, c.count("logins"))
	c.server.API().ExpireSessions()
	work()
	assert.Equal(t, 2, c.count("logins"))
}
