package cybereason_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/cybereason"
	"edrctl/internal/mock"
	fake "edrctl/internal/mock/cybereason"
	"edrctl/internal/provision"
)

const step = 30 * time.Second

func newFactorConsole(t *testing.T, switches ...string) *console {
	t.Helper()
	return startConsole(t, mock.Options{TOTP: true}, switches...)
}

func TestCodeOnce(t *testing.T) {
	c := newFactorConsole(t)
	for range 3 {
		cfg := c.adapter(c.sharing, func(cfg *provision.Config) { cfg.Store = onlyCodes{cfg.Store} })
		_, err := cfg.Check(t.Context())
		require.NoError(t, err)
	}
	assert.Equal(t, 3, c.count("codesAccepted"))
	assert.Zero(t, c.count("codesRejected"))
	require.Len(t, c.clock.sleeps(), 2, "the second and the third wait for a code of their own")
	for _, d := range c.clock.sleeps() {
		assert.LessOrEqual(t, d, step)
	}
	assert.Contains(t, c.log.String(), "waiting for the next one")
}

// onlyCodes keeps no sessions.
type onlyCodes struct{ provision.Store }

func (onlyCodes) Get(string) ([]byte, error) { return nil, nil }

// Four runs at once, on a clock that only passes while all of them wait.
func TestCodeOnceSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := fake.Maker().New(mock.Env{Now: time.Now, TOTP: true, Plain: true})
		settings, codes := api.Settings("http://127.0.0.1"), onlyCodes{provision.MemoryStore()}
		began := time.Now()
		var runs sync.WaitGroup
		for range 4 {
			p, err := cybereason.New(t.Context(), provision.Config{
				HTTP: inside{api}, Now: time.Now, Store: codes, Log: slog.New(slog.DiscardHandler),
				Settings: map[string]string{"url": settings["url"], "username": settings["username"]},
				Secrets: map[string]provision.Secret{
					"password": provision.NewSecret(settings["password"]), "totp-secret": provision.NewSecret(settings["totp-secret"]),
				},
			})
			require.NoError(t, err)
			runs.Go(func() {
				_, err := p.Check(t.Context())
				assert.NoError(t, err)
			})
		}
		runs.Wait()
		assert.Greater(t, time.Since(began), 2*step)
		assert.LessOrEqual(t, time.Since(began), 3*step)
		state, err := json.Marshal(api.State())
		require.NoError(t, err)
		assert.Contains(t, string(state), `"codesAccepted":4,"codesRejected":0,"codesReused":0`)
	})
}

// inside hands requests to a fake without a network.
type inside struct{ http.Handler }

func (h inside) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestCodeOfTheConsolesClock(t *testing.T) {
	for _, offset := range []string{"90", "-90", "4000"} {
		c := newFactorConsole(t, "clock-offset", offset)
		_, err := c.adapter().Check(t.Context())
		require.NoError(t, err)
		assert.Zero(t, c.count("codesRejected"), offset)
		assert.Empty(t, c.clock.sleeps())
	}
}

func TestCodeRefused(t *testing.T) {
	for _, form := range []string{"error-query", "error-fragment", "page"} {
		t.Run(form, func(t *testing.T) {
			c := newFactorConsole(t, "wrong-code", form)
			a := c.adapter(secret("totp-secret", "JBSWY3DPEHPK3PXP"))
			for range 2 {
				_, err := a.Check(t.Context())
				e := asError(t, err)
				assert.Equal(t, provision.ErrUnauthenticated, e.Kind)
				assert.Contains(t, e.Hint, "totp-secret")
			}
			assert.Equal(t, []string{"POST /login.html", "POST /", "POST /"}, c.requests(), "two attempts, and one password")
			assert.Equal(t, 2, c.count("codesRejected"))
			assert.Len(t, c.clock.sleeps(), 1)
		})
	}
}

// A code that somebody else has used up, on a computer that shares no store.
func TestCodeUsedElsewhere(t *testing.T) {
	c := newFactorConsole(t)
	_, err := c.adapter().Check(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.server.Reset()) }) // the reuse below is what is wanted
	_, err = c.adapter().Check(t.Context())
	require.NoError(t, err, "the next code does")
	assert.Equal(t, []int{2, 1}, []int{c.count("codesAccepted"), c.count("codesRejected")})
}

func TestCodeAnswerLost(t *testing.T) {
	c := newFactorConsole(t)
	c.fault(mock.Fault{Method: http.MethodPost, Path: "/login.html", Action: "delay", Delay: "1ms"})
	c.fault(mock.Fault{Method: http.MethodPost, Path: "/", Action: "drop-after"})
	a := c.adapter()
	_, err := a.Check(t.Context())
	require.ErrorIs(t, err, provision.ErrUnavailable)
	assert.Equal(t, []string{"POST /login.html", "POST /"}, c.requests())
	_, err = a.Check(t.Context())
	require.NoError(t, err, "with another code")
}

func TestCodeAfterTheSessionEnds(t *testing.T) {
	c := newFactorConsole(t)
	a := c.signedIn()
	c.server.API().ExpireSessions()
	_, err := a.User(t.Context(), mara)
	require.NoError(t, err)
	assert.Len(t, c.clock.sleeps(), 1, "a code of another time step")
}

func TestCodeWithoutKey(t *testing.T) {
	for _, first := range []string{"off", "on"} {
		c := newFactorConsole(t, "tfa-first-time", first)
		a := c.adapter(func(cfg *provision.Config) { delete(cfg.Secrets, "totp-secret") })
		_, err := a.Check(t.Context())
		e := asError(t, err)
		assert.Equal(t, provision.ErrUnauthenticated, e.Kind)
		assert.Contains(t, e.Message, "totp-secret")
		assert.Contains(t, e.Hint, "first sign-in only")
		_, err = a.Check(t.Context())
		require.Error(t, err)
		assert.Equal(t, []string{"POST /login.html"}, c.requests())
	}
	_, err := newFactorConsole(t, "tfa-first-time", "on").adapter().Check(t.Context())
	assert.NoError(t, err, "a key that is known already")
}

func TestKey(t *testing.T) {
	c := newFactorConsole(t)
	key := c.server.Settings()["totp-secret"]
	spaced := strings.ToLower(key[:4] + " " + key[4:8] + "-" + key[8:] + "\n")
	_, err := c.adapter(secret("totp-secret", spaced)).Check(t.Context())
	require.NoError(t, err)

	cfg := c.config()
	cfg.Secrets["totp-secret"] = provision.NewSecret("123189")
	_, err = cybereason.New(t.Context(), cfg)
	require.ErrorIs(t, err, provision.ErrUsage)
	assert.NotContains(t, err.Error(), "123189")
}

func TestAddress(t *testing.T) {
	c := newConsole(t)
	for _, address := range []string{"", "acme.cybereason.net", "ftp://acme.cybereason.net", "https://u:p@acme.example", "https://acme.example/#/current?"} {
		cfg := c.config()
		cfg.Settings["url"] = address
		_, err := cybereason.New(t.Context(), cfg)
		require.ErrorIs(t, err, provision.ErrUsage, "%q", address)
	}
	u, err := url.Parse(c.server.URL)
	require.NoError(t, err)
	u.Path = "/"
	_, err = c.adapter(func(cfg *provision.Config) { cfg.Settings["url"] = u.String() }).User(t.Context(), mara)
	assert.NoError(t, err)
}
