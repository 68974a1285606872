package render

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"edrctl/internal/provision"
)

const (
	redacted = "[redacted]"
	// minSecret is the shortest secret that is looked for. Shorter ones would
	// be found everywhere.
	minSecret = 4
	// minInner is the shortest secret that is looked for inside longer base64.
	minInner = 8
)

// Redactor knows the secrets of a run and takes them out of text, also where
// they are URL-, base64-, hex- or JSON-encoded. It is safe for concurrent use,
// and secrets may be added while its writers are in use.
type Redactor struct {
	mu    sync.RWMutex
	known map[string]bool
	// byStart are the spellings by their first bytes, and begins has what is
	// shorter than that and may become one of them.
	byStart map[[minSecret]byte][]string
	begins  map[string]bool
}

// NewRedactor returns a Redactor that knows no secret.
func NewRedactor() *Redactor {
	return &Redactor{known: map[string]bool{}, byStart: map[[minSecret]byte][]string{}, begins: map[string]bool{}}
}

// Add makes secrets known. Those shorter than four bytes are ignored.
func (r *Redactor) Add(secrets ...provision.Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range secrets {
		if len(s.Reveal()) < minSecret {
			continue
		}
		for _, spelling := range spellings(s.Reveal()) {
			if len(spelling) < minSecret || r.known[spelling] {
				continue
			}
			r.known[spelling] = true
			start := [minSecret]byte([]byte(spelling))
			r.byStart[start] = append(r.byStart[start], spelling)
			for n := range minSecret {
				r.begins[spelling[:n]] = true
			}
		}
	}
}

// String is s with every secret replaced by [redacted]. A nil Redactor changes
// nothing.
func (r *Redactor) String(s string) string {
	if r == nil {
		return s
	}
	var scan scanner
	out, _ := scan.run(r, []byte(s), true)
	return string(out)
}

// scanner replaces secrets in a text that comes in pieces.
type scanner struct {
	// covered is how many of the next bytes belong to a secret already replaced.
	covered int
}

// run returns what may be passed on, and what has to wait because it could be
// the beginning of a secret. With final nothing waits. Secrets that overlap are
// replaced together, so that no part of either is left.
func (sc *scanner) run(r *Redactor, text []byte, final bool) (out, rest []byte) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for i := range text {
		longest, open := r.match(text[i:])
		if open && !final {
			return out, text[i:]
		}
		if longest > 0 && sc.covered == 0 {
			out = append(out, redacted...)
		}
		sc.covered = max(sc.covered, longest)
		if sc.covered > 0 {
			sc.covered--
			continue
		}
		out = append(out, text[i])
	}
	return out, nil
}

// match is the length of the longest secret that text begins with, and whether
// more text could make it a longer one.
func (r *Redactor) match(text []byte) (longest int, open bool) {
	if len(text) < minSecret {
		return 0, r.begins[string(text)]
	}
	for _, s := range r.byStart[[minSecret]byte(text)] {
		switch {
		case len(s) <= len(text):
			if len(s) > longest && string(text[:len(s)]) == s {
				longest = len(s)
			}
		case strings.HasPrefix(s, string(text)):
			open = true
		}
	}
	return longest, open
}

// spellings are the forms in which a secret may turn up.
func spellings(s string) []string {
	forms := []string{
		s, Escape(s), EscapeText(s), hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))),
		inner(strconv.Quote(s)), inner(string(appendString(nil, s))),
	}
	for _, escaped := range []string{url.QueryEscape(s), url.PathEscape(s), strings.ReplaceAll(url.QueryEscape(s), "+", "%20")} {
		forms = append(forms, escaped, lowerPercent(escaped))
	}
	for _, html := range []bool{true, false} {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(html)
		if enc.Encode(s) == nil {
			forms = append(forms, inner(strings.TrimSuffix(b.String(), "\n")))
		}
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		padded := enc.EncodeToString([]byte(s))
		forms = append(forms, padded, strings.TrimRight(padded, "="))
		if len(s) >= minInner {
			forms = append(forms, innerBase64(enc, s)...)
		}
	}
	return forms
}

// inner is a quoted string without its quotes.
func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// lowerPercent is a percent-encoded text with its hexadecimal digits in lower case.
func lowerPercent(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
			i += 2
		}
	}
	return string(b)
}

// innerBase64 is what base64 makes of a secret in the midst of other bytes, as
// in the header of basic authentication: for each place it can have in a group
// of three bytes, the characters that depend on the secret alone.
func innerBase64(enc *base64.Encoding, s string) []string {
	var forms []string
	for offset := range 3 {
		encoded := enc.EncodeToString(append(make([]byte, offset), s...))
		from, to := (offset*8+5)/6, (offset+len(s))*8/6
		forms = append(forms, encoded[from:to])
	}
	return forms
}
