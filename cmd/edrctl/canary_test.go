package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/cmd/edrctl/cli"
	"edrctl/internal/provision"
)

// secretKeys are keys under which vendors send what nobody asked for. Some are
// real: Cybereason's list of users has totpSid and password, and Cortex tells
// the private key of its single sign-on.
func secretKeys() []string {
	return []string{
		"totpSid", "password", "passwordHash", "secret", "secret_key", "clientSecret", "client_secret", "token", "refresh_token", "id_token",
		"sessionToken", "api_key", "apiKey", "private_key", "privateKey", "sp_private_key", "s1_private_key", "x509_key", "seed", "otpauth",
		"mfaSecret", "recovery_codes", "hash", "salt", "cookie", "authorization", "credentials",
	}
}

// spellingsOf are the forms in which a secret could turn up.
func spellingsOf(secret string) []string {
	quoted, _ := json.Marshal(secret)
	forms := []string{
		secret, strings.Trim(string(quoted), `"`), url.QueryEscape(secret), url.PathEscape(secret),
		hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	for offset := range 3 { // base64 within more of it
		padded := append(bytes.Repeat([]byte("x"), offset), secret...)
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString(padded)
			forms = append(forms, text[[]int{0, 2, 3}[offset]:len(text)-1])
		}
	}
	return forms
}

// leakIn is the first spelling of a secret that a text has in it.
func leakIn(text string, secrets ...string) string {
	for _, secret := range secrets {
		for _, form := range spellingsOf(secret) {
			if i := strings.Index(text, form); i >= 0 {
				return text[max(0, i-80):min(len(text), i+len(form)+20)]
			}
		}
	}
	return ""
}

// leakInFiles looks through the files of a person.
func (h *home) leakInFiles(t *testing.T, skip func(path string) bool, secrets ...string) string {
	t.Helper()
	found := ""
	for _, dir := range []string{h.dir, h.work} {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || skip(path) {
				return err
			}
			data, err := os.ReadFile(path)
			if leak := leakIn(string(data), secrets...); leak != "" {
				found = path + ": " + leak
			}
			return err
		}))
	}
	return found
}

// everything are commands that read, change and write files.
func (c console) everything(h *home) [][]string {
	roster := h.path("team.yaml")
	commands := append(c.show(), c.change()...)
	return append(commands,
		[]string{"review", "-o", "html"}, []string{"export", "--out", roster}, []string{"export", "--out", h.path("team.csv")},
		[]string{"plan", "-f", roster, "--out", h.path("plan.json")}, []string{"apply", h.path("plan.json"), "--results", h.path("results.csv")},
		[]string{"offboard", c.listed, "--yes", "--allow-lockout", "--wait", "0s", "--evidence", h.path("evidence.json")},
		[]string{"audit", "list", "-o", "json"}, []string{"__complete", "user", "get", ""},
	)
}

// TestSecretsOfVendors adds secrets to every object that a vendor sends.
func TestSecretsOfVendors(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		s, h := terminalStage(t, c)
		var mu sync.Mutex
		var canaries []string
		canary := func(key string) string {
			mu.Lock()
			defer mu.Unlock()
			canaries = append(canaries, fmt.Sprintf("canary+%d/%s", len(canaries), key))
			return canaries[len(canaries)-1]
		}
		var plant func(v any)
		plant = func(v any) {
			switch v := v.(type) {
			case []any:
				for _, item := range v {
					plant(item)
				}
			case map[string]any:
				for key, item := range v {
					if plant(item); strings.Contains(key, ":") {
						return // it has names for keys
					}
				}
				for i, key := range secretKeys() {
					switch old := v[key].(type) {
					case nil:
						v[key] = canary(key)
						if i%5 == 4 {
							v[key] = []string{v[key].(string)}
						}
					case string:
						if old != "" {
							v[key] = canary(key) // as Cybereason has them
						}
					}
				}
			}
		}
		s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
			rec := answered(r, fake)
			body := rec.Body.Bytes()
			dec := json.NewDecoder(bytes.NewReader(body))
			dec.UseNumber()
			var tree any
			if dec.Decode(&tree) == nil {
				plant(tree)
				body, _ = json.Marshal(tree)
			}
			send(w, rec, body)
		})
		for i, args := range c.everything(h) {
			format := []string{"wide", "json", "csv", "yaml", "jsonl"}[i%5]
			if args[0] != "review" && args[0] != "__complete" && args[0] != "export" {
				args = append(args, "-o", format)
			}
			r := h.edrctl(append(args, "--trace", "-v")...)
			assert.NotContains(t, []int{1, 2, 9}, r.status, "%v: %s", args, r.err)
			assert.Empty(t, leakIn(r.all(), canaries...), args)
		}
		require.NotEmpty(t, canaries)
		assert.Empty(t, h.leakInFiles(t, func(string) bool { return false }, canaries...))
	})
}

// TestEchoes has a vendor repeat what it was sent, credentials and all, in errors
// and in the midst of successes.
func TestEchoes(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		s, h := terminalStage(t, c)
		var secrets []string
		given := s.api.Settings(s.server.URL)
		for _, setting := range c.vendor.Settings {
			if value := given[setting.Name]; setting.Secret && value != "" {
				secrets = append(secrets, value)
			}
		}
		require.NotEmpty(t, secrets)
		if c.firstPassword != "" {
			secrets = append(secrets, c.firstPassword)
		}
		var mu sync.Mutex
		live := map[string]bool{} // tokens, cookies and digests
		echo := func(r *http.Request) []string {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			sent := []string{string(body)}
			for _, name := range []string{"Authorization", "X-Auth-Token", "Cookie", "X-Xdr-Auth-Id"} {
				if value := r.Header.Get(name); value != "" {
					sent = append(sent, value)
					if name != "X-Xdr-Auth-Id" {
						_, bare, ok := strings.Cut(value, map[string]string{"Authorization": " ", "Cookie": "="}[name])
						if !ok || bare == "" {
							bare = value
						}
						mu.Lock()
						live[bare] = c.vendor.Name != "cortex" // whose digests are good once
						mu.Unlock()
					}
				}
			}
			form, _ := url.ParseQuery(string(body))
			for _, values := range form {
				sent = append(sent, values...)
			}
			for _, text := range sent {
				sent = append(sent, base64.StdEncoding.EncodeToString([]byte(text)), url.QueryEscape(text), hex.EncodeToString([]byte(text)))
			}
			return sent
		}
		check := func(r run, what string) {
			t.Helper()
			mu.Lock()
			defer mu.Unlock()
			assert.Empty(t, leakIn(r.all(), secrets...), what)
			for value, lasts := range live {
				if lasts {
					assert.Empty(t, leakIn(r.all(), value), "%s: what was made of a credential", what)
				}
			}
		}
		i := 0
		commands := append(c.show()[:3:3], append(c.change(), []string{"doctor"})...)
		for _, args := range commands {
			for after := range 3 {
				i++
				s.reset(t)
				require.NoError(t, h.clear())
				seen := 0
				s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
					sent := echo(r)
					mu.Lock()
					seen++
					pass := seen <= after
					mu.Unlock()
					if pass {
						fake.ServeHTTP(w, r)
						return
					}
					words := strings.Join(sent, " | ")
					rec := httptest.NewRecorder()
					s.api.Fail(rec, r, []int{400, 403, 409, 404, 422}[i%5], 0)
					body := altered(rec.Body.Bytes(), func(_, v string) string { return words + v })
					switch i % 3 {
					case 1:
						body = []byte("<html><title>" + words + "</title>" + words)
					case 2:
						body = []byte(words)
					}
					for j, name := range []string{"X-Cs-Traceid", "X-Request-Id", "X-Correlation-Id", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Cs-Region"} {
						rec.Header()[name] = []string{sent[j%len(sent)]}
					}
					send(w, rec, body)
				})
				format := []string{"table", "json", "csv"}[i%3]
				check(h.edrctl(append(args, "-o", format, "--trace", "-v")...), fmt.Sprintf("%v after %d", args, after))
			}
		}
		assert.NotEmpty(t, live)
		// What was echoed may be in the record as a request's id.
		assert.Empty(t, h.leakInFiles(t, func(path string) bool { return path == h.path(".config/edrctl/config.yaml") }, secrets...))
		if c.vendor.Can(provision.CanListUsers) {
			s.reset(t)
			require.NoError(t, h.clear())
			s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
				words := strings.Join(echo(r), " | ")
				rec := answered(r, fake)
				send(w, rec, altered(rec.Body.Bytes(), func(k, v string) string {
					if strings.Contains(strings.ToLower(k), "name") && !strings.Contains(v, "@") {
						return v + words
					}
					return v
				}))
			})
			for _, args := range c.show() {
				check(h.edrctl(append(args, "-o", "json", "--trace")...), fmt.Sprint(args))
			}
		}
	})
}

// panicking is a vendor whose adapter panics with a secret in hand.
type panicking struct {
	provision.Provisioner
	secret string
}

func (p panicking) panic() { panic("cannot handle " + p.secret + " and \x1b[31m" + p.secret) }

func (p panicking) Check(context.Context) (provision.Identity, error) {
	p.panic()
	return provision.Identity{}, nil
}

func (p panicking) Users(context.Context, provision.Filter) iter.Seq2[provision.User, error] {
	return func(func(provision.User, error) bool) { p.panic() }
}

func (p panicking) User(context.Context, string) (provision.User, error) {
	p.panic()
	return provision.User{}, nil
}

func (p panicking) Roles(context.Context) ([]provision.Role, error) {
	p.panic()
	return nil, nil
}

func (p panicking) ChangeRoles(context.Context, string, provision.RoleChange) (provision.RoleResult, error) {
	p.panic()
	return provision.RoleResult{}, nil
}

// TestPanics has an adapter panic in each command: the report is without the
// secret and harmless, and the status is that of a fault in edrctl.
func TestPanics(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		s := newStage(t, c, nil)
		h := newHome(t)
		h.configure(t, s)
		var secret string
		broken := c.vendor
		broken.New = func(ctx context.Context, cfg provision.Config) (provision.Provisioner, error) {
			for _, value := range cfg.Secrets {
				secret = value.Reveal()
			}
			p, err := c.vendor.New(ctx, cfg)
			return panicking{p, secret}, err
		}
		roster := h.write(t, "team.yaml", "apiVersion: edrctl/v1\nkind: Roster\ndefaults: {tenants: ["+c.vendor.Name+"]}\n"+
			"users:\n  - login: a@example.com\n    roles: ['id:x']\n")
		for _, args := range [][]string{
			{"user", "list"},
			{"user", "get", c.listed},
			{"role", "list"},
			{"doctor"},
			{"review"},
			{"export"},
			{"plan", "-f", roster},
			{"role", "grant", c.listed, "x"},
			{"role", "grant", c.listed, "id:x"},
			{"offboard", c.listed, "--yes"},
		} {
			r := h.edrctlIn(func(env *cli.Env) { env.Vendors = []provision.Vendor{broken} }, args...)
			assert.Contains(t, []int{1, 11}, r.status, args)
			assert.Contains(t, r.err, "cannot handle [redacted]", args)
			assert.Empty(t, leakIn(r.all(), secret), args)
			assert.Empty(t, harmful(r.all()), args)
		}
	})
}
