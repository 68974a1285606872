package transport_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// TestOriginLock tries paths that would take a request, and the credentials on
// it, somewhere else.
func TestOriginLock(t *testing.T) {
	for _, tt := range []struct {
		name   string
		origin string
		path   string
		goesTo string // empty when it must not go anywhere
	}{
		{name: "plain", origin: "https://acme.example", path: "/users", goesTo: "https://acme.example/users"},
		{name: "port", origin: "https://acme.example:8443", path: "/users", goesTo: "https://acme.example:8443/users"},
		{name: "prefix", origin: "https://acme.example/console/", path: "/users", goesTo: "https://acme.example/console/users"},
		{name: "escaped", origin: "https://acme.example", path: "/users/a%2Fb%3Fc", goesTo: "https://acme.example/users/a%2Fb%3Fc"},
		{name: "two slashes", origin: "https://acme.example", path: "//evil.example/x", goesTo: "https://acme.example//evil.example/x"},
		{name: "address in the path", origin: "https://acme.example", path: "/http://evil.example", goesTo: "https://acme.example/http://evil.example"},
		{name: "longer host", origin: "https://acme.example", path: ".evil.example/users"},
		{name: "host after an at", origin: "https://acme.example", path: "@evil.example/users"},
		{name: "own host after an at", origin: "https://acme.example", path: "@acme.example/users"},
		{name: "another port", origin: "https://acme.example", path: ":8443/users"},
		{name: "another port after a port", origin: "https://acme.example:8443", path: "1/users"},
		{name: "colon and at", origin: "https://acme.example", path: ":x@evil.example/users"},
		{name: "backslash", origin: "https://acme.example", path: `\@evil.example/users`},
		{name: "line break", origin: "https://acme.example", path: "/users\r\nHost: evil.example"},
		{name: "parent folder", origin: "https://acme.example", path: "/users/../roles"},
		{name: "parent folder at the end", origin: "https://acme.example", path: "/users/.."},
		{name: "parent folder, escaped", origin: "https://acme.example", path: "/users/%2e%2E/roles"},
		{name: "the folder itself", origin: "https://acme.example", path: "/users/./roles"},
		{name: "dots in a name", origin: "https://acme.example", path: "/users/a..b", goesTo: "https://acme.example/users/a..b"},
		{name: "broken escape", origin: "https://acme.example", path: "/users/%zz"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := play(answer(200, `{}`))
			req := read()
			req.Path = tt.path
			signed := false
			req.Sign = func(*http.Request) error { signed = true; return nil }
			_, err := client(t, tt.origin, config(s)).Do(t.Context(), req)
			if tt.goesTo == "" {
				failure(t, err, provision.ErrInternal)
				assert.Zero(t, s.attempts(), "requests sent")
				assert.False(t, signed, "credentials were put on it")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.goesTo, s.seen[0].URL.String())
		})
	}
}

func TestRequestAsSent(t *testing.T) {
	s := play(answer(200, `{}`))
	req := change()
	req.Query = map[string][]string{"b": {"2", "3"}, "a": {"x y&z"}}
	req.Header = http.Header{"X-Extra": {"1"}, "Content-Type": {"application/x-www-form-urlencoded"}}
	c := client(t, "https://acme.example", config(s))
	_, err := c.Do(t.Context(), req)
	require.NoError(t, err)
	_, err = c.At(parse(t, "https://eu.acme.example")).Do(t.Context(), read())
	require.NoError(t, err)

	first, second := s.seen[0], s.seen[1]
	assert.Equal(t, "https://acme.example/users?a=x+y%26z&b=2&b=3", first.URL.String())
	assert.Equal(t, http.MethodPost, first.Method)
	assert.Equal(t, http.Header{
		"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"},
		"User-Agent": {"edrctl"}, "X-Extra": {"1"},
	}, first.Header)
	assert.Equal(t, "https://eu.acme.example/users", second.URL.String())
	assert.Empty(t, second.Header.Get("Content-Type"), "without a body")
}

// TestRedirectsAreNotFollowed has a second listener that must see nothing.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var strangers atomic.Int64
	stranger, _ := serve(t, func(http.ResponseWriter, *http.Request) { strangers.Add(1) })
	plain := strings.Replace(stranger.URL, "https:", "http:", 1)
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{stranger.URL + "/users", plain + "/users", "//" + stranger.Listener.Addr().String() + "/", "/elsewhere"} {
			t.Run(strconv.Itoa(status)+" to "+to[:min(len(to), 7)], func(t *testing.T) {
				var visits atomic.Int64
				server, base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					visits.Add(1)
					w.Header().Set("Location", to)
					w.WriteHeader(status)
				})
				for _, req := range []*transport.Request{read(), change()} {
					req.Sign = func(r *http.Request) error {
						r.Header.Set("Authorization", "Bearer "+canary)
						r.AddCookie(&http.Cookie{Name: "JSESSIONID", Value: canary})
						return nil
					}
					visits.Store(0)
					resp, err := client(t, server.URL, config(base)).Do(t.Context(), req)
					require.NoError(t, err)
					assert.False(t, resp.OK())
					assert.EqualValues(t, 1, visits.Load(), "requests to the server")
				}
			})
		}
	}
	assert.Zero(t, strangers.Load(), "requests to the other listener")
}
