package transport_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// TestNotTheAPI is about answers of captive portals, proxies and sign-in pages,
// which come with the status of a success.
func TestNotTheAPI(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind string
		body string
		says string
	}{
		{name: "page with a title", kind: "text/html; charset=utf-8", body: "<html><head><TITLE>\n Sign in &amp; \x1b[31mpay </title>", says: `the answer is text/html titled "Sign in & [31mpay"`},
		{name: "page without a title", kind: "text/html", body: "<html>", says: `the answer is "text/html" and not JSON`},
		{name: "nothing", kind: "application/json", says: "the answer is empty"},
		{name: "half", kind: "application/json", body: `{"a":[1,`, says: "the answer is broken JSON"},
		{name: "two documents", kind: "application/json", body: `{}{}`, says: "broken JSON"},
		{name: "no type", body: "OK", says: `"" and not JSON`},
		{name: "deep", kind: "application/json", body: strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), says: "broken JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := client(t, "https://acme.example:8443", config(play(answer(200, tt.body, "Content-Type", tt.kind))))
				req := read()
				req.JSON = true
				_, err := c.Do(t.Context(), req)
				e := failure(t, err, provision.ErrInternal)
				require.ErrorContains(t, err, "not the API: ")
				require.ErrorContains(t, err, tt.says)
				assert.Contains(t, e.Hint, "check url (acme.example:8443)")

				_, err = c.Do(t.Context(), change())
				failure(t, err, provision.ErrUncertain)
				require.ErrorContains(t, err, tt.says)

				req.JSON = false
				resp, err := c.Do(t.Context(), req)
				require.NoError(t, err, "where another form is expected")
				assert.Equal(t, tt.body, string(resp.Body))
			})
		})
	}
}

func TestDecode(t *testing.T) {
	var v struct {
		N int `json:"n"`
	}
	require.NoError(t, (&transport.Response{Status: 200, Body: []byte(`{"n":1,"more":null}`)}).Decode("acme", "list users", &v))
	assert.Equal(t, 1, v.N)
	for changed, kind := range map[bool]provision.Kind{false: provision.ErrInternal, true: provision.ErrUncertain} {
		for _, body := range []string{`{"n":"text"}`, `[]`, `{"n":1e99}`, `{`, ``} {
			err := (&transport.Response{Status: 201, Body: []byte(body), Change: changed}).Decode("acme", "list users", &v)
			e := failure(t, err, kind)
			assert.Equal(t, 201, e.Status)
		}
	}
}

func TestStatusKind(t *testing.T) {
	for _, tt := range []struct {
		name         string
		status       int
		read, change provision.Kind
	}{
		{name: "bad request", status: 400, read: provision.ErrInvalid, change: provision.ErrInvalid},
		{name: "unauthorized", status: 401, read: provision.ErrUnauthenticated, change: provision.ErrUnauthenticated},
		{name: "payment required", status: 402, read: provision.ErrForbidden, change: provision.ErrForbidden},
		{name: "forbidden", status: 403, read: provision.ErrForbidden, change: provision.ErrForbidden},
		{name: "not found", status: 404, read: provision.ErrNotFound, change: provision.ErrNotFound},
		{name: "conflict", status: 409, read: provision.ErrConflict, change: provision.ErrConflict},
		{name: "precondition", status: 412, read: provision.ErrConflict, change: provision.ErrConflict},
		{name: "unprocessable", status: 422, read: provision.ErrInvalid, change: provision.ErrInvalid},
		{name: "too many", status: 429, read: provision.ErrRateLimited, change: provision.ErrRateLimited},
		{name: "internal", status: 500, read: provision.ErrUnavailable, change: provision.ErrUncertain},
		{name: "gateway", status: 502, read: provision.ErrUnavailable, change: provision.ErrUncertain},
		{name: "beyond", status: 599, read: provision.ErrUnavailable, change: provision.ErrUncertain},
		{name: "redirect", status: 302, read: provision.ErrInternal, change: provision.ErrInternal},
		{name: "teapot", status: 418, read: provision.ErrInternal, change: provision.ErrInternal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.read, transport.StatusKind(tt.status, false))
			assert.Equal(t, tt.change, transport.StatusKind(tt.status, true))
		})
	}
}

func TestExcerpt(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		limit            int
	}{
		{name: "plain", text: "no such user", limit: 80, want: "no such user"},
		{name: "white space", text: " a\r\n\tb\u00a0 c ", limit: 80, want: "a b c"},
		{name: "tags", text: "<h1>502</h1><p>Bad gateway", limit: 80, want: "502 Bad gateway"},
		{name: "entities", text: "a &lt;b&gt; &amp;", limit: 80, want: "a <b> &"},
		{name: "escape sequence", text: "\x1b]0;title\x07red", limit: 80, want: "]0;title red"},
		{name: "escaped escape", text: "&#27;[31m", limit: 80, want: "[31m"},
		{name: "C1 and DEL", text: "a\u009bb\x7fc", limit: 80, want: "a b c"},
		{name: "not UTF-8", text: "a\xff\xfeb", limit: 80, want: "a b"},
		{name: "long", text: strings.Repeat("ü", 100), limit: 5, want: "üüüüü…"},
		{name: "as long as allowed", text: "abcde", limit: 5, want: "abcde"},
		{name: "empty", limit: 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, transport.Excerpt([]byte(tt.text), tt.limit))
		})
	}
}

func FuzzExcerpt(f *testing.F) {
	f.Add([]byte("<title>x\x1b</title>"), 3)
	f.Add([]byte("&#x1b;&#155;\xff"), 0)
	f.Fuzz(func(t *testing.T, text []byte, limit int) {
		limit = max(0, limit%1000)
		got := transport.Excerpt(text, limit)
		assert.LessOrEqual(t, len([]rune(got)), limit+1)
		for _, c := range got {
			assert.False(t, unicode.IsControl(c), "%q in %q", c, got)
		}
		assert.NotPanics(t, func() { transport.Title(text) })
	})
}

func TestTitle(t *testing.T) {
	assert.Equal(t, "Cybereason | Login", transport.Title([]byte(`<html><title lang="en">Cybereason | Login</title><title>2</title>`)))
	assert.Empty(t, transport.Title([]byte(`<html><body>`)))
	assert.Empty(t, transport.Title(nil))
	assert.Len(t, []rune(transport.Title([]byte("<title>"+strings.Repeat("x", 500)+"</title>"))), 81)
}

func TestSegment(t *testing.T) {
	for _, value := range []string{"ada+edr@example.com", "a/b", "..", "psc:user:7KQ2M9XD:1", "50%", "a b", "o'neil@example.com", "ü", "?#", "%2F", ""} {
		segment := transport.Segment(value)
		assert.NotContains(t, segment, "+")
		u, err := url.Parse("https://acme.example/users/" + segment)
		require.NoError(t, err, "%q", value)
		parts := strings.Split(u.EscapedPath(), "/")
		require.Len(t, parts, 3, "%q", value)
		back, err := url.PathUnescape(parts[2])
		require.NoError(t, err, "%q", value)
		assert.Equal(t, value, back)
	}
}

func TestOK(t *testing.T) {
	for status, want := range map[int]bool{199: false, 200: true, 204: true, 299: true, 300: false, http.StatusNotFound: false} {
		assert.Equal(t, want, (&transport.Response{Status: status}).OK(), "%d", status)
	}
}
