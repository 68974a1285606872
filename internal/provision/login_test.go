package provision_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func TestCheckLogin(t *testing.T) {
	label := strings.Repeat("d", 63)
	for _, tt := range []struct {
		name  string
		login string
		why   string // empty for a login
	}{
		{name: "plain", login: "ada@example.com"},
		{name: "capitals", login: "Ada.Lovelace@Example.COM"},
		{name: "plus", login: "ada+edr@example.com"},
		{name: "quote", login: "o'neil@example.com"},
		{name: "percent", login: "50%off@example.com"},
		{name: "encoded slash", login: "a%2fb@example.com"},
		{name: "underscore and hyphen", login: "_a-b_@example.com"},
		{name: "hyphens at the ends", login: "-a-@example.com"},
		{name: "digits", login: "42@7.de"},
		{name: "one letter", login: "a@b.c"},
		{name: "many labels", login: "a@b.c.d.e.f"},
		{name: "inner dots", login: "a.b.c@example.com"},
		{name: "punycode", login: "a@xn--bcher-kva.example"},
		{name: "longest label", login: "a@" + label + ".de"},
		{name: "longest", login: strings.Repeat("a", 254-len("@example.com")) + "@example.com"},

		{name: "empty", login: "", why: `no "@"`},
		{name: "no at", login: "ada", why: `no "@"`},
		{name: "current", login: "current", why: `no "@"`},
		{name: "two ats", login: "a@b@c.de", why: `more than one "@"`},
		{name: "nobody", login: "@example.com", why: `before the "@"`},
		{name: "nowhere", login: "ada@", why: "no dot"},
		{name: "no dot", login: "ada@localhost", why: "no dot"},
		{name: "leading dot", login: ".ada@example.com", why: "a dot"},
		{name: "trailing dot", login: "ada.@example.com", why: "a dot"},
		{name: "dot dot", login: "a..b@example.com", why: "two in a row"},
		{name: "parent folder", login: "../ada@example.com", why: "a dot"},
		{name: "slash", login: "a/b@example.com", why: `"/" is not allowed before`},
		{name: "backslash", login: `a\b@example.com`, why: "not allowed before"},
		{name: "blank", login: "a b@example.com", why: `" " is not allowed before`},
		{name: "leading blank", login: " a@example.com", why: `" " is not allowed before`},
		{name: "trailing line break", login: "a@example.com\n", why: `"\n" is not allowed in the domain`},
		{name: "line break", login: "a\r\nX-Evil: b@example.com", why: "not allowed before"},
		{name: "NUL", login: "a\x00@example.com", why: `"\x00" is not allowed before`},
		{name: "double quote", login: `"a"@example.com`, why: "not allowed before"},
		{name: "brackets", login: "Ada <ada@example.com>", why: "not allowed before"},
		{name: "comma", login: "a,b@example.com", why: "not allowed before"},
		{name: "query", login: "a?b=c@example.com", why: "not allowed before"},
		{name: "fragment", login: "a#b@example.com", why: "not allowed before"},
		{name: "ampersand", login: "a&b@example.com", why: "not allowed before"},
		{name: "umlaut", login: "jürgen@example.com", why: `"ü" is not allowed before`},
		{name: "umlaut in the domain", login: "a@bücher.example", why: `"ü" is not allowed in the domain`},
		{name: "right-to-left override", login: "a\u202e@example.com", why: `"\u202e" is not allowed`},
		{name: "not UTF-8", login: "a\xff@example.com", why: "not allowed before"},
		{name: "underscore in the domain", login: "a@ex_ample.com", why: "not allowed in the domain"},
		{name: "address literal", login: "a@[127.0.0.1]", why: "not allowed in the domain"},
		{name: "port", login: "a@example.com:443", why: "not allowed in the domain"},
		{name: "path in the domain", login: "a@example.com/..", why: "not allowed in the domain"},
		{name: "domain with a leading dot", login: "a@.example.com", why: "misformed label"},
		{name: "domain with a trailing dot", login: "a@example.com.", why: "misformed label"},
		{name: "domain with two dots", login: "a@example..com", why: "misformed label"},
		{name: "label with a leading hyphen", login: "a@-example.com", why: "misformed label"},
		{name: "label with a trailing hyphen", login: "a@example-.com", why: "misformed label"},
		{name: "label too long", login: "a@" + label + "d.de", why: "misformed label"},
		{name: "too long", login: strings.Repeat("a", 255-len("@example.com")) + "@example.com", why: "at most 254 bytes, this one has 255"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := provision.CheckLogin(tt.login)
			if tt.why == "" {
				require.NoError(t, err)
				safeLogin(t, tt.login)
				return
			}
			require.ErrorIs(t, err, provision.ErrUsage)
			assert.ErrorContains(t, err, tt.why)
		})
	}
}

// safeLogin checks what callers rely on where a login was accepted.
func safeLogin(t *testing.T, login string) {
	t.Helper()
	assert.LessOrEqual(t, len(login), provision.MaxLogin)
	assert.Equal(t, 1, strings.Count(login, "@"))
	assert.Equal(t, strings.ToLower(login), provision.FoldLogin(login), "folding an accepted login only lowers it")
	for _, escaped := range []string{url.PathEscape(login), strings.ReplaceAll(url.PathEscape(login), "+", "%2B")} {
		u, err := url.Parse("https://host.example/rest/users/" + escaped)
		require.NoError(t, err)
		segments := strings.Split(u.EscapedPath(), "/")
		require.Len(t, segments, 4, "segments of the path")
		back, err := url.PathUnescape(segments[3])
		require.NoError(t, err)
		assert.Equal(t, login, back)
		assert.Empty(t, u.RawQuery)
		assert.Empty(t, u.Fragment)
	}
	values, err := url.ParseQuery(url.Values{"uid": {login}}.Encode())
	require.NoError(t, err)
	assert.Equal(t, login, values.Get("uid"))
	for _, c := range login {
		assert.False(t, c <= ' ' || c >= 0x7f || strings.ContainsRune(`/\"<>()[]{};:,?#&=*$!|^~`+"`", c), "%q", c)
	}
}

func FuzzCheckLogin(f *testing.F) {
	for _, login := range []string{"ada@example.com", "a+b%2F'c@x.y", "@", "a@b@c.d", "jürgen@example.com", "a@-b.c", "a..b@c.d"} {
		f.Add(login)
	}
	f.Fuzz(func(t *testing.T, login string) {
		err := provision.CheckLogin(login)
		if err == nil {
			safeLogin(t, login)
			return
		}
		assert.ErrorIs(t, err, provision.ErrUsage)
	})
}

func TestFoldLogin(t *testing.T) {
	assert.Equal(t, "ada@example.com", provision.FoldLogin(" Ada@Example.COM\n"))
	assert.True(t, provision.SameLogin("ADA@example.com", "ada@EXAMPLE.com"))
	assert.False(t, provision.SameLogin("ada@example.com", "ada@example.org"))
	assert.False(t, provision.SameLogin("ada@example.com", "a.da@example.com"))
}
