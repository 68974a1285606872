package render

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edrctl/internal/provision"
)

func redactor(secrets ...string) *Redactor {
	r := NewRedactor()
	for _, s := range secrets {
		r.Add(provision.NewSecret(s))
	}
	return r
}

func TestRedactor(t *testing.T) {
	const secret = `p@ss/w+rd "ü\<&~ÿ>`
	jsonText, err := json.Marshal(secret)
	require.NoError(t, err)
	basic := base64.StdEncoding.EncodeToString([]byte("svc:" + secret))
	tests := []struct{ name, in, want string }{
		{"plain", "x" + secret + "y", "x[redacted]y"},
		{"twice", secret + secret, "[redacted][redacted]"},
		{"query", url.QueryEscape(secret), "[redacted]"},
		{"query, lower case", strings.ToLower(url.QueryEscape("P")) + url.QueryEscape(secret), "p[redacted]"},
		{"path", url.PathEscape(secret), "[redacted]"},
		{"base64", base64.StdEncoding.EncodeToString([]byte(secret)), "[redacted]"},
		{"base64, raw", base64.RawStdEncoding.EncodeToString([]byte(secret)), "[redacted]"},
		{"base64 for URLs", base64.URLEncoding.EncodeToString([]byte(secret)), "[redacted]"},
		{"base64 for URLs, raw", base64.RawURLEncoding.EncodeToString([]byte(secret)), "[redacted]"},
		{"json", string(jsonText), `"[redacted]"`},
		{"go", fmt.Sprintf("%q", secret), `"[redacted]"`},
		{"hex", hex.EncodeToString([]byte(secret)), "[redacted]"},
		{"HEX", fmt.Sprintf("%X", secret), "[redacted]"},
		{"basic authentication", basic, basic[:6] + "[redacted]"},
		{"nothing", "nothing to see", "nothing to see"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, redactor(secret).String(tt.in))
		})
	}
}

func TestRedactorOverlaps(t *testing.T) {
	r := redactor("abcdef", "defghi", "cdef", "tiny", "abc")
	assert.Equal(t, "x[redacted]y [redacted] abc", r.String("xabcdefghiy tiny abc"))
	assert.Equal(t, "unchanged abcdef", (*Redactor)(nil).String("unchanged abcdef"))
}

func TestRedactorIgnoresShortSecrets(t *testing.T) {
	assert.Equal(t, "a 17 b abc", redactor("", "17", "abc").String("a 17 b abc"))
}

func TestRedactingWriterHoldsBackOnlyWhatItMust(t *testing.T) {
	var out bytes.Buffer
	w := redactor("hunter22").Writer(&out)
	write := func(s, want string) {
		t.Helper()
		_, err := w.Write([]byte(s))
		require.NoError(t, err)
		assert.Equal(t, want, out.String())
	}
	write("key: hun", "key: ")
	write("gry hunter2", "key: hungry ")
	write("2!", "key: hungry [redacted]!")
	write(" hunter", "key: hungry [redacted]! ")
	require.NoError(t, w.Flush())
	assert.Equal(t, "key: hungry [redacted]! hunter", out.String())
}

func TestRedactingWriterSplits(t *testing.T) {
	piece := rapid.StringOf(rapid.SampledFrom([]rune("abé\"/ ")))
	rapid.Check(t, func(t *rapid.T) {
		secrets := rapid.SliceOfN(rapid.StringOfN(rapid.SampledFrom([]rune("abé\"/")), 4, 9, -1), 1, 4).Draw(t, "secrets")
		r := redactor(secrets...)
		var text string
		for _, s := range rapid.SliceOf(rapid.OneOf(piece, rapid.SampledFrom(append(secrets, spellings(secrets[0])...)))).Draw(t, "text") {
			text += s
		}
		var out bytes.Buffer
		w := r.Writer(&out)
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			_, err := w.Write([]byte(rest[:n]))
			require.NoError(t, err)
			rest = rest[n:]
		}
		require.NoError(t, w.Flush())
		require.Equal(t, r.String(text), out.String())
		for _, s := range secrets {
			require.NotContains(t, out.String(), s)
		}
	})
}

func FuzzRedactingWriter(f *testing.F) {
	f.Add("hunter22", "say hunter22 twice: hunter22", 7, 3)
	f.Add("aaaa", "aaaaaaaaa", 1, 1)
	f.Add("abab", "abababab ab", 2, 5)
	f.Add("\x1b[1m", "\x1b[1m\\x1b[1m", 3, 2)
	f.Fuzz(func(t *testing.T, secret, text string, first, step int) {
		// The mark itself may be, or with its surroundings become, a secret
		// only if the secret shares a character with it.
		if len(secret) < minSecret || strings.ContainsAny(secret, redacted) || step < 1 {
			return
		}
		text = strings.ReplaceAll(text, "%s", secret)
		r := redactor(secret)
		var out bytes.Buffer
		w := r.Writer(&out)
		for i := min(max(first, 0), len(text)); text != ""; i = min(step, len(text)) {
			if _, err := w.Write([]byte(text[:i])); err != nil {
				t.Fatal(err)
			}
			text = text[i:]
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		for _, spelling := range spellings(secret) {
			if len(spelling) >= minSecret && !strings.ContainsAny(spelling, redacted) && strings.Contains(out.String(), spelling) {
				t.Fatalf("%q survives in %q", spelling, out.String())
			}
		}
	})
}

// FuzzRedactor hides two secrets, which may overlap or hold each other, in all
// their spellings. What is left of a text is what belongs to none of them: no
// part of a secret survives.
func FuzzRedactor(f *testing.F) {
	f.Fuzz(func(t *testing.T, one, other, text string) {
		if strings.ContainsAny(text, "[]") { // the mark itself is not what is looked for
			return
		}
		r := redactor(one, other)
		secret := make([]bool, len(text))
		for _, s := range []string{one, other} {
			if len(s) < minSecret {
				continue
			}
			for _, spelling := range spellings(s) {
				for at := 0; len(spelling) >= minSecret; at++ {
					next := strings.Index(text[at:], spelling)
					if next < 0 {
						break
					}
					at += next
					for i := range spelling {
						secret[at+i] = true
					}
				}
			}
		}
		var want []byte
		for i := range secret {
			if !secret[i] {
				want = append(want, text[i])
			}
		}
		if got := strings.ReplaceAll(r.String(text), redacted, ""); got != string(want) {
			t.Fatalf("%q is left of %q, and not %q", got, text, want)
		}
	})
}
