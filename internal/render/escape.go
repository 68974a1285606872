package render

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes text from outside safe to show on one line: characters that
// drive a terminal, turn the direction of text, or cannot be seen come out as
// escapes (\x1b, \n, \u202e, \U000e0041), and so do bytes that are not UTF-8.
// A backslash stays as it is; the result is for eyes, not for reading back.
func Escape(s string) string { return escape(s, false) }

// EscapeText is Escape for running text: line breaks and tabs stay.
func EscapeText(s string) string { return escape(s, true) }

func escape(s string, keepLayout bool) string {
	if !needsEscape(s, keepLayout) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			writeEscaped(&b, r, keepLayout)
		}
		i += size
	}
	return b.String()
}

func needsEscape(s string, keepLayout bool) bool {
	for i, r := range s {
		switch {
		case keepLayout && isLayout(r):
		case isHidden(r):
			return true
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return true
			}
		}
	}
	return false
}

func writeEscaped(b *strings.Builder, r rune, keepLayout bool) {
	switch {
	case !isHidden(r), keepLayout && isLayout(r):
		b.WriteRune(r)
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case r <= unicode.MaxASCII:
		fmt.Fprintf(b, `\x%02x`, r)
	case r <= 0xffff:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

func isLayout(r rune) bool { return r == '\n' || r == '\t' }

// isHidden reports whether a character must not reach a terminal as it is:
// controls (C0, DEL, C1), format characters such as bidi controls and
// zero-width joiners, line and paragraph separators, and whatever else Unicode
// says to draw as nothing, since two names that differ in it look the same.
// Combining marks and the few format characters with a shape are not hidden.
func isHidden(r rune) bool {
	switch {
	case r < 0x20, 0x7f <= r && r < 0xa0, r == 0xad:
		return true
	case r < 0x300:
		return false
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
