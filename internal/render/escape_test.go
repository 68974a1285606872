package render

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestEscape(t *testing.T) {
	tests := []struct{ name, in, line, text string }{
		{"plain", `Inês 東京 C:\tmp "x"`, `Inês 東京 C:\tmp "x"`, `Inês 東京 C:\tmp "x"`},
		{"combining mark", "e\u0301", "e\u0301", "e\u0301"},
		{"layout", "a\tb\nc", `a\tb\nc`, "a\tb\nc"},
		{"carriage return", "a\rb", `a\rb`, `a\rb`},
		{"escape sequence", "\x1b[31mred\x07", `\x1b[31mred\x07`, `\x1b[31mred\x07`},
		{"nul and delete", "\x00\x7f", `\x00\x7f`, `\x00\x7f`},
		{"C1", "\u0080\u009b", `\u0080\u009b`, `\u0080\u009b`},
		{"bidi", "\u202e\u2066\u200f\u061c", `\u202e\u2066\u200f\u061c`, `\u202e\u2066\u200f\u061c`},
		{"zero width", "a\u200bb\u200d\u2060\ufeff\u00ad", `a\u200bb\u200d\u2060\ufeff\u00ad`, `a\u200bb\u200d\u2060\ufeff\u00ad`},
		{"separators", "\u2028\u2029", `\u2028\u2029`, `\u2028\u2029`},
		{"invisible letters", "\u3164\u115f\ufe0f", `\u3164\u115f\ufe0f`, `\u3164\u115f\ufe0f`},
		{"tags", "\U000e0041", `\U000e0041`, `\U000e0041`},
		{"format with a shape", "\u0600\u06dd", "\u0600\u06dd", "\u0600\u06dd"},
		{"not UTF-8", "a\x9bb\xff", `a\x9bb\xff`, `a\x9bb\xff`},
		{"replacement character", "\ufffd", "\ufffd", "\ufffd"},
		{"cut character", "é\xc3", `é\xc3`, `é\xc3`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, [2]string{tt.line, tt.text}, [2]string{Escape(tt.in), EscapeText(tt.in)})
		})
	}
}

// isHarmful says by the tables of Unicode what isHidden must say of a character,
// which hides more.
func isHarmful(r rune) bool {
	format := unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
	return format || unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp,
		unicode.Bidi_Control, unicode.Join_Control, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

func TestEveryRune(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		s := "a" + string(r) + "b"
		if isHarmful(r) && !isHidden(r) {
			t.Fatalf("%U is not hidden", r)
		}
		if shown := Escape(s); strings.ContainsFunc(shown, isHidden) {
			t.Fatalf("%U is shown as it is", r)
		} else if isHidden(r) == (shown == s) {
			t.Fatalf("%U: %q", r, shown)
		}
		encoded := appendString(nil, s)
		if bytes.ContainsFunc(encoded, isHidden) {
			t.Fatalf("%U is in JSON as it is", r)
		}
		var back string
		if err := json.Unmarshal(encoded, &back); err != nil || back != s {
			t.Fatalf("%U: %s reads %q, %v", r, encoded, back, err)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b]0;x\x07", "\u202eabc", "\xe2\x80", "a\x80\u200b", "\U000e0001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		shown := Escape(s)
		if !utf8.ValidString(shown) || strings.ContainsFunc(shown, isHidden) || strings.ContainsFunc(shown, isHarmful) {
			t.Fatalf("%q is shown as %q", s, shown)
		}
		if again := Escape(shown); again != shown {
			t.Fatalf("%q, and again %q", shown, again)
		}
		if !json.Valid(appendString(nil, s)) {
			t.Fatalf("%q is no JSON", appendString(nil, s))
		}
	})
}

func TestEscapingWriterSplits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.SampledFrom([]byte("a\n\t\x1b\xe2\x80\xae\xc3\xa9\xf0\xf3\xa0\x81"))).Draw(t, "text"))
		var out bytes.Buffer
		w := NewEscapingWriter(&out)
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			taken, err := w.Write([]byte(rest[:n]))
			require.NoError(t, err)
			require.Equal(t, n, taken)
			rest = rest[n:]
		}
		require.NoError(t, w.Flush())
		require.Equal(t, EscapeText(text), out.String())
	})
}

func TestEscapingWriterDoesNotWait(t *testing.T) {
	var out bytes.Buffer
	_, err := NewEscapingWriter(&out).Write([]byte("password: é\xff"))
	require.NoError(t, err)
	assert.Equal(t, `password: é\xff`, out.String())
}

func TestEscapeJSON(t *testing.T) {
	text := "{\n  \"a\": \"Zofia Łoś \u202e \u009b \u200b \U000e0041\"\n}\n"
	safe := EscapeJSON([]byte(text))
	assert.Contains(t, string(safe), `"Zofia Łoś \u202e \u009b \u200b \udb40\udc41"`)
	var before, after any
	require.NoError(t, json.Unmarshal([]byte(text), &before))
	require.NoError(t, json.Unmarshal(safe, &after))
	assert.Equal(t, before, after)
}
