package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/cmd/edrctl/cli"
)

// hostileRunes are the characters that must not reach a terminal. The list is
// the test's own, and not that of the package that escapes.
func hostileRunes() []rune {
	var all []rune
	for _, span := range [][2]rune{
		{0x00, 0x08},
		{0x0b, 0x1f},
		{0x7f, 0x9f},
		{0xad, 0xad},
		{0x61c, 0x61c},
		{0x200b, 0x200f},
		{0x2028, 0x202e},
		{0x2060, 0x206f},
		{0xfe00, 0xfe0f},
		{0xfeff, 0xfeff},
		{0xfff9, 0xfffb},
		{0xe0001, 0xe0001},
		{0xe0020, 0xe007f},
	} {
		for r := span[0]; r <= span[1]; r++ {
			all = append(all, r)
		}
	}
	return all
}

// hostile is a text with all of them, with sequences that move, colour and
// overwrite, with a line of its own, and with HTML.
func hostile() string {
	return string(hostileRunes()) + "\x1b[2J\x1b[31m\x1b]0;title\x07\x1b]8;;https://evil.example\x1b\\" +
		"\redrctl: FORGED\nFORGED line\r\nedrctl: FORGED\t</script><script>FORGED</script>"
}

// harmful names what must not be in what edrctl prints; empty for nothing.
func harmful(text string) string {
	bad := hostileRunes()
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			return fmt.Sprintf("a byte that is not UTF-8 at %q", text[max(0, i-20):min(len(text), i+20)])
		case slices.Contains(bad, r):
			return fmt.Sprintf("%U at %q", r, text[max(0, i-20):min(len(text), i+20)])
		}
	}
	return ""
}

// forged finds a line that a vendor has begun.
func forged(text string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "FORGED") || strings.HasPrefix(line, "edrctl: FORGED") {
			return line
		}
	}
	return ""
}

func assertHarmless(t *testing.T, r run, what string) {
	t.Helper()
	assert.Empty(t, harmful(r.out), "%s: stdout", what)
	assert.Empty(t, harmful(r.err), "%s: stderr", what)
	assert.Empty(t, forged(r.err), "%s: stderr", what)
	assert.NotContains(t, r.all(), "goroutine ", "%s: a panic", what)
	assert.Less(t, r.status, 131, what)
}

// assertHarmlessOut also judges stdout by its format.
func assertHarmlessOut(t *testing.T, r run, format, what string) {
	t.Helper()
	assertHarmless(t, r, what)
	switch format {
	case "csv":
		rows, err := csv.NewReader(strings.NewReader(r.out)).ReadAll()
		require.NoError(t, err, what)
		for _, row := range rows {
			for _, cell := range row {
				assert.NotRegexp(t, "^ *[=+@\t\r\n-]", cell, what)
			}
		}
	case "html":
		assert.NotContains(t, r.out, "<script>FORGED", what)
	default:
		assert.Empty(t, forged(r.out), "%s: stdout", what)
	}
}

// answered is what the fake says to a request.
func answered(r *http.Request, fake http.Handler) *httptest.ResponseRecorder {
	r.Header.Del("Accept-Encoding") // or the body may be compressed
	rec := httptest.NewRecorder()
	fake.ServeHTTP(rec, r)
	return rec
}

// send passes an answer on with another body.
func send(w http.ResponseWriter, rec *httptest.ResponseRecorder, body []byte) {
	maps.Copy(w.Header(), rec.Header())
	w.Header().Del("Content-Length")
	w.WriteHeader(rec.Code)
	_, _ = w.Write(body)
}

// altered is JSON in which each string is what change makes of it; what is no
// JSON stays. Numbers keep their spelling.
func altered(body []byte, change func(key, value string) string) []byte {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var tree any
	if dec.Decode(&tree) != nil {
		return body
	}
	out, err := json.Marshal(walk("", tree, change))
	if err != nil {
		return body
	}
	return out
}

func walk(key string, v any, change func(key, value string) string) any {
	switch v := v.(type) {
	case string:
		return change(key, v)
	case []any:
		for i := range v {
			v[i] = walk(key, v[i], change)
		}
	case map[string]any:
		for k := range v {
			v[k] = walk(k, v[k], change)
		}
	}
	return v
}

// show are commands that show what a vendor says.
func (c console) show() [][]string {
	return [][]string{
		{"user", "list"}, {"user", "get", c.listed}, {"role", "list"}, {"review"}, {"doctor"},
	}
}

// change are commands that change something and show what came of it.
func (c console) change() [][]string {
	create := []string{"user", "create", "new.person@example.com", "--role", c.role}
	if c.firstPassword != "" {
		create = append(create, "--password", "env:FIRST")
	}
	update := []string{"user", "update", c.listed, "--first-name", "Renamed"}
	if c.vendor.Name == "cybereason" {
		update = []string{"user", "update", c.listed, "--set", "cybereason.daily-notifications=false"}
	}
	return [][]string{
		create, update,
		{"role", "set", c.listed, c.other, "--allow-lockout"},
		{"role", "grant", c.listed, "no such role"},
		{"role", "revoke", c.listed, c.other, "--allow-lockout"},
		{"user", "reset-mfa", c.listed},
		{"user", "delete", c.listed, "--yes", "--allow-lockout"},
		{"offboard", c.listed, "--yes", "--allow-lockout", "--wait", "0s"},
	}
}

func terminalStage(t *testing.T, c console) (*stage, *home) {
	t.Helper()
	// HTTP/2 would keep odd headers from edrctl.
	s := newStage(t, c, func(s *stage) { s.server.EnableHTTP2 = false })
	h := newHome(t)
	h.environ = append(h.environ, "FIRST="+c.firstPassword)
	h.configure(t, s)
	return s, h
}

// keysOf are the keys of all strings in the answers to commands.
func (s *stage) keysOf(t *testing.T, h *home, commands [][]string) []string {
	t.Helper()
	var mu sync.Mutex
	keys := map[string]bool{}
	s.reset(t)
	s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
		rec := answered(r, fake)
		mu.Lock()
		altered(rec.Body.Bytes(), func(key, value string) string {
			keys[key] = keys[key] || key != "access_token" // which is sent back, or not at all
			return value
		})
		mu.Unlock()
		send(w, rec, rec.Body.Bytes())
	})
	for _, args := range commands {
		r := h.edrctl(args...)
		require.NotEqual(t, 1, r.status, "%s: %s", args, r.err)
	}
	return slices.Sorted(maps.Keys(keys))
}

// TestHostileStrings puts hostile characters into the strings of a vendor's
// answers: into all of them, and into those of one key after the other, so that
// the rest still makes sense.
func TestHostileStrings(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		s, h := terminalStage(t, c)
		keys := s.keysOf(t, h, c.show())
		require.Greater(t, len(keys), 3)
		formats := []string{"table", "wide", "json", "jsonl", "yaml", "csv", "name"}
		n := 0
		for _, key := range append(keys, "*") {
			for form, change := range map[string]func(string) string{
				"behind": func(v string) string { return v + hostile() },
				"before": func(v string) string { return "\u200b=cmd|' /C calc'!A0" + v },
			} {
				s.reset(t)
				s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
					rec := answered(r, fake)
					send(w, rec, altered(rec.Body.Bytes(), func(k, v string) string {
						if k != "access_token" && (k == key || key == "*") {
							return change(v)
						}
						return v
					}))
				})
				for i, args := range c.show() {
					for j, format := range append(formats, "html") {
						if format == "html" && args[0] != "review" || key != "*" && (i+j+n)%len(formats) != 0 {
							continue // each format has its turn with each command
						}
						what := fmt.Sprintf("%s of %s %s, %v -o %s", form, c.vendor.Name, key, args, format)
						r := h.edrctl(append(args, "-o", format, "--trace")...)
						assertHarmlessOut(t, r, format, what)
					}
				}
				n++
				for _, args := range [][]string{{"export"}, {"__complete", "user", "get", ""}, {"__complete", "role", "grant", c.listed, ""}} {
					assertHarmlessOut(t, h.edrctl(args...), "", fmt.Sprintf("%s of %s, %v", form, key, args))
				}
				if t.Failed() {
					t.FailNow() // one example says enough
				}
			}
		}
	})
}

// TestHostileChanges does the same to the answers that come after a change, all
// strings at once but those by which people and roles are found.
func TestHostileChanges(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		s, h := terminalStage(t, c)
		for i, args := range c.change() {
			s.reset(t)
			changed := false
			s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
				changed = changed || s.api.Change(withBody(r))
				rec := answered(r, fake)
				body := rec.Body.Bytes()
				if changed {
					body = altered(body, func(k, v string) string {
						if strings.Contains(v, "@") || strings.Contains(k, "role") || strings.Contains(k, "id") {
							return v
						}
						return v + hostile()
					})
				}
				send(w, rec, body)
			})
			format := []string{"table", "json", "csv", "yaml"}[i%4]
			assertHarmlessOut(t, h.edrctl(append(args, "-o", format, "--trace")...), format, fmt.Sprint(args))
		}
		assertHarmlessOut(t, h.edrctl("audit", "list", "-o", "wide"), "wide", "the record")
		assertHarmlessOut(t, h.edrctl("audit", "list", "-o", "csv"), "csv", "the record")
	})
}

// TestHostileErrors refuses requests in words that are hostile: in the vendor's
// form, as a page, as text, and in headers.
func TestHostileErrors(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		s, h := terminalStage(t, c)
		fail := func(w http.ResponseWriter, r *http.Request, status int, form string) {
			rec := httptest.NewRecorder()
			s.api.Fail(rec, r, status, 0)
			body := altered(rec.Body.Bytes(), func(_, v string) string { return hostile() + v + hostile() })
			switch form {
			case "page":
				rec.Header().Set("Content-Type", "text/html"+header(hostile()))
				body = []byte("<html><title>Gateway " + hostile() + "</title></html>")
			case "text":
				rec.Header().Set("Content-Type", "text/plain")
				body = []byte("FORGED" + hostile() + "\xff\xfe\x9b31m")
			}
			for _, name := range []string{
				"X-Cs-Traceid", "X-Request-Id", "X-Correlation-Id", "X-Cs-Region", "X-Ratelimit-Limit", "X-Ratelimit-Remaining",
				"Server", "Www-Authenticate", "Set-Cookie", "Content-Language",
			} {
				rec.Header()[name] = []string{"id" + header(hostile())}
			}
			send(w, rec, body)
		}
		i := 0
		for _, args := range append(c.show()[:3:3], append(c.change(), []string{"doctor"})...) {
			for _, status := range []int{400, 403, 404, 409, 422, 200} {
				i++
				if status == 200 && i%5 != 0 {
					continue // reads are tried again then, with pauses
				}
				s.reset(t)
				require.NoError(t, h.clear())
				var seen atomic.Int64
				form := []string{"own", "page", "text"}[i%3]
				s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
					if int(seen.Add(1)) <= i%4 {
						fake.ServeHTTP(w, r)
						return
					}
					fail(w, r, status, form)
				})
				format := []string{"table", "json", "csv"}[i/3%3]
				r := h.edrctl(append(args, "-o", format, "--trace", "--max-wait", "1ms")...)
				assertHarmlessOut(t, r, format, fmt.Sprintf("%v: %d as %s after %d", args, status, form, i%4))
			}
		}
	})
}

// header is a text as far as a header can carry it: net/http takes no answer
// with ASCII controls in a header.
func header(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, text)
}

// TestHostileCertificates shows what is in a certificate that is not trusted, and
// in one that is.
func TestHostileCertificates(t *testing.T) {
	name := "evil" + hostile()
	for _, trusted := range []bool{true, false} {
		c := consoles()[1]
		s := newStage(t, c, func(s *stage) {
			s.ca = newAuthority(t, name)
			s.server.TLS = &tls.Config{Certificates: []tls.Certificate{s.ca.issue(t, func(x *x509.Certificate) {
				x.Subject.CommonName = name
				x.Subject.Organization = []string{name}
				if !trusted {
					x.DNSNames, x.IPAddresses = nil, nil
				}
			})}}
		})
		h := newHome(t)
		h.configure(t, s)
		for _, format := range []string{"table", "json", "csv"} {
			for _, args := range [][]string{{"doctor"}, {"user", "list"}} {
				r := h.edrctl(append(args, "-o", format, "--trace")...)
				assertHarmlessOut(t, r, format, fmt.Sprint(args))
				if !trusted || args[0] == "doctor" {
					assert.Contains(t, r.all(), "evil")
				}
				assert.Equal(t, map[bool]int{true: 0, false: 3}[trusted], r.status)
			}
		}
	}
}

// TestPromptsAreHarmless answers the questions of commands about somebody whom
// the vendor spells in a hostile way.
func TestPromptsAreHarmless(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		s, h := terminalStage(t, c)
		s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
			rec := answered(r, fake)
			send(w, rec, altered(rec.Body.Bytes(), func(k, v string) string {
				if strings.Contains(strings.ToLower(k), "name") && !strings.Contains(v, "@") {
					return v + hostile()
				}
				return v
			}))
		})
		terminal := func(answer string) func(*cli.Env) {
			return func(env *cli.Env) {
				env.In, env.InTTY, env.OutTTY, env.ErrTTY, env.Width = strings.NewReader(answer), true, true, true, 80
				env.Environ = append(env.Environ, "NO_COLOR=1")
			}
		}
		for _, args := range [][]string{
			{"user", "delete", c.listed}, {"role", "revoke", c.listed, "--all"}, {"offboard", c.listed}, {"user", "list"}, {"role", "list"},
		} {
			r := h.edrctlIn(terminal("n\n"), args...)
			assertHarmlessOut(t, r, "", fmt.Sprint(args))
			if args[1] != "list" {
				assert.Equal(t, 9, r.status, "%v: %s", args, r.err)
			}
		}
	})
}
