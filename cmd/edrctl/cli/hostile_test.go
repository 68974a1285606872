package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

// hostile carries requests to a fake and spoils the answers of its API, each as
// chance has it: any part of the JSON may become anything else.
type hostile struct {
	api mock.API

	mu     sync.Mutex
	chance *rand.Rand // nil while it behaves
	lossy  bool       // it loses answers instead of spoiling them
	last   string     // the last answer that was spoiled
	// asked are the requests, and done the changes that were carried out.
	asked, done int
	// replayed is true once a request has a header that makes net/http send it
	// a second time by itself.
	replayed bool
}

func (h *hostile) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.replayed = h.replayed || r.Header["Idempotency-Key"] != nil || r.Header["X-Idempotency-Key"] != nil
	h.mu.Unlock()
	change, err := h.changes(r)
	if err != nil {
		return nil, err
	}
	before := ""
	if change {
		before = lasting(h.api)
	}
	kind := h.choose()
	rec := httptest.NewRecorder()
	switch kind {
	case "refused":
		return nil, &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	case "500", "429", "401", "503":
		status, err := strconv.Atoi(kind)
		if err != nil {
			return nil, err
		}
		h.api.Fail(rec, r, status, 0)
		return rec.Result(), nil
	}
	h.api.ServeHTTP(rec, r)
	resp := rec.Result()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	if change && lasting(h.api) != before {
		h.done++
	}
	if h.lossy {
		return h.lose(kind, resp, r)
	}
	var tree any
	if h.chance == nil || json.Unmarshal(rec.Body.Bytes(), &tree) != nil || h.chance.IntN(3) == 0 {
		return resp, nil
	}
	spoiled, err := json.Marshal(h.spoil(tree))
	if err != nil {
		return nil, err
	}
	spoiled = h.damage(spoiled)
	h.last = r.Method + " " + r.URL.Path + ": " + string(spoiled[:min(len(spoiled), 2000)])
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(spoiled)), int64(len(spoiled))
	return resp, nil
}

// lasting is the part of a fake's state that requests change on purpose.
func lasting(api mock.API) string {
	data, err := json.Marshal(api.State())
	if err != nil {
		panic(err)
	}
	state := object{}
	if err := json.Unmarshal(data, &state); err != nil {
		panic(err)
	}
	return fmt.Sprint(state["users"], state["grants"], state["pending"], state["groups"])
}

// changes reports whether a request may change something.
func (h *hostile) changes(r *http.Request) (bool, error) {
	if r.Body == nil {
		return h.api.Change(r), nil
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	change := h.api.Change(r)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return change, err
}

// choose is what becomes of a request, if chance has it that something does.
func (h *hostile) choose() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.lossy || h.chance == nil || h.chance.IntN(4) > 0 {
		return ""
	}
	kinds := []string{"refused", "500", "429", "401", "503", "lost", "lost", "502", "page", "half"}
	return kinds[h.chance.IntN(len(kinds))]
}

// lose takes the answer to what was carried out away.
func (h *hostile) lose(kind string, resp *http.Response, r *http.Request) (*http.Response, error) {
	if kind != "" {
		h.last = r.Method + " " + r.URL.Path + ": " + kind
	}
	instead := httptest.NewRecorder()
	switch kind {
	case "lost":
		return nil, io.ErrUnexpectedEOF
	case "502":
		h.api.Fail(instead, r, http.StatusBadGateway, 0)
		return instead.Result(), nil
	case "page":
		instead.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(instead, "<html><title>Sign in to the network</title></html>")
		return instead.Result(), nil
	case "half":
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), iotest.ErrReader(io.ErrUnexpectedEOF)))
	}
	return resp, nil
}

// spoil replaces one part of a document.
func (h *hostile) spoil(node any) any {
	if h.chance.IntN(4) == 0 {
		return h.nonsense(node)
	}
	switch n := node.(type) {
	case map[string]any:
		if len(n) == 0 {
			return h.nonsense(node)
		}
		keys := slices.Sorted(maps.Keys(n))
		k := keys[h.chance.IntN(len(keys))]
		if h.chance.IntN(5) == 0 {
			delete(n, k)
			return n
		}
		n[k] = h.spoil(n[k])
	case []any:
		if len(n) == 0 {
			return h.nonsense(node)
		}
		i := h.chance.IntN(len(n))
		n[i] = h.spoil(n[i])
		if h.chance.IntN(5) == 0 {
			return append(n, n...)
		}
	default:
		return h.nonsense(node)
	}
	return node
}

// nonsense is anything in the place of a part of a document. What says yes does
// not come to say no: then nobody could tell.
func (h *hostile) nonsense(node any) any {
	deep := any("deep")
	for range 2000 {
		deep = []any{deep}
	}
	choices := []any{
		true, false, nil, 0, -1, 1, 1e308, 9223372036854775807, json.Number("1e400"), "", "7", "-1", "true", "null", "\x00", "a\nb\x1b[31m",
		"../../current", "9e18", strings.Repeat("x", 100_000),
		[]any{},
		map[string]any{},
		[]any{nil},
		[]any{[]any{}},
		[]any{"x", 1, nil},
		map[string]any{"": nil},
		[]any{map[string]any{}},
		[]any{node, node},
		map[string]any{"value": node},
		fmt.Sprint(node), deep,
	}
	if _, word := node.(bool); word {
		choices = slices.DeleteFunc(choices, func(c any) bool { return c == true || c == false })
	}
	return choices[h.chance.IntN(len(choices))]
}

// damage spoils a document as text, if chance has it.
func (h *hostile) damage(text []byte) []byte {
	switch h.chance.IntN(12) {
	case 0:
		return text[:h.chance.IntN(len(text)+1)]
	case 1:
		return append(text, text...)
	case 2: // every key of the object twice, in another spelling
		if object, ok := bytes.CutPrefix(text, []byte("{")); ok && len(object) > 1 {
			return slices.Concat(text[:len(text)-1], []byte(","), bytes.ToUpper(object))
		}
	case 3:
		return bytes.ReplaceAll(text, []byte("e"), []byte("\xff"))
	case 4:
		return []byte(strings.Repeat("[", 200_000))
	case 5:
		return bytes.ReplaceAll(text, []byte("e"), []byte{0})
	}
	return text
}

// TestHostileAnswers calls everything that an adapter can do while the answers
// are spoiled. Whatever comes, the call ends, with a result or with an error of
// a kind that has an exit status, and nothing panics.
func TestHostileAnswers(t *testing.T) {
	const rounds = 40
	for _, pair := range supported() {
		v, maker := pair.adapter(), pair.fake()
		for name, lossy := range map[string]bool{"spoiled": false, "lost": true} {
			t.Run(v.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				began := uint64(time.Now().UnixNano())
				for seed := began; seed < began+rounds; seed++ {
					synctest.Test(t, func(t *testing.T) {
						h := &hostile{api: maker.New(mock.Env{Now: time.Now, Plain: true}), lossy: lossy}
						p := h.connect(t, v)
						var logins []string
						for u, err := range h.connect(t, v).Users(t.Context(), provision.Filter{}) {
							require.NoError(t, err)
							logins = append(logins, u.Login)
						}
						roles, err := h.connect(t, v).Roles(t.Context())
						require.NoError(t, err)
						h.chance = rand.New(rand.NewPCG(seed, 0))
						if lossy {
							h.carryOut(t, plan.Target{Tenant: "lab", Vendor: &v, Provisioner: h.connect(t, v)}, seed, logins, roles)
						}
						h.everything(t, p, seed, logins, roles)
					})
				}
			})
		}
	}
}

func (h *hostile) connect(t *testing.T, v provision.Vendor) provision.Provisioner {
	t.Helper()
	given := h.api.Settings("http://127.0.0.1:80")
	cfg := provision.Config{
		Tenant: "lab", Settings: map[string]string{}, Secrets: map[string]provision.Secret{}, HTTP: h, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Store: provision.MemoryStore(), Timeout: 30 * time.Second, MaxWait: time.Minute,
	}
	for _, s := range v.Settings {
		if s.Secret {
			cfg.Secrets[s.Name] = provision.NewSecret(given[s.Name])
			continue
		}
		if cfg.Settings[s.Name] = given[s.Name]; given[s.Name] == "" {
			cfg.Settings[s.Name] = s.Default
		}
	}
	p, err := v.New(t.Context(), cfg)
	require.NoError(t, err)
	return p
}

func (h *hostile) everything(t *testing.T, p provision.Provisioner, seed uint64, logins []string, roles []provision.Role) {
	t.Helper()
	defer func() { assert.False(t, h.replayed, "no vendor knows a key of idempotency") }()
	first := "Augusta"
	pick := func() string { return logins[h.number(len(logins))] }
	role := func() string { return roles[h.number(len(roles))].ID }
	calls := []struct {
		name string
		call func(ctx context.Context) error
	}{
		{"Check", func(ctx context.Context) error { _, err := p.Check(ctx); return err }},
		{"Users", func(ctx context.Context) error {
			for _, err := range p.Users(ctx, provision.Filter{}) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"User", func(ctx context.Context) error { _, err := p.User(ctx, pick()); return err }},
		{"Roles", func(ctx context.Context) error { _, err := p.Roles(ctx); return err }},
		{"CreateUser", func(ctx context.Context) error {
			_, err := p.CreateUser(ctx, provision.UserSpec{
				Login: "nia.okoro@example.com", Roles: []string{role()}, Password: provision.NewSecret(firstPassword),
			})
			return err
		}},
		{"UpdateUser", func(ctx context.Context) error {
			_, _, err := p.UpdateUser(ctx, pick(), provision.UserPatch{FirstName: &first})
			return err
		}},
		{"ChangeRoles", func(ctx context.Context) error {
			_, err := p.ChangeRoles(ctx, pick(), provision.RoleChange{Grant: []string{role()}, Exact: true})
			return err
		}},
		{"Reset", func(ctx context.Context) error { return p.Reset(ctx, pick(), provision.CredentialMFA) }},
		{"DeleteUser", func(ctx context.Context) error { _, err := p.DeleteUser(ctx, pick()); return err }},
	}
	for _, c := range calls {
		name, began, asked, done := c.name, time.Now(), h.asked, h.done
		err := c.call(t.Context())
		assert.Less(t, time.Since(began), time.Hour, "seed %d: %s", seed, name)
		assert.Less(t, h.asked-asked, 2000, "seed %d: %s asks without end", seed, name)
		if err == nil {
			continue
		}
		var own *provision.Error
		if assert.ErrorAs(t, err, &own, "seed %d: %s after %s", seed, name, h.last) {
			assert.NotEmpty(t, own.Kind, "seed %d: %s", seed, name)
			assert.NotContains(t, err.Error(), "\x1b", "seed %d: %s", seed, name)
			// What has a code of its own is the vendor's word on it.
			if h.done > done && own.Code == "" {
				assert.Contains(t, []provision.Kind{provision.ErrUncertain, provision.ErrPartial}, own.Kind,
					"seed %d: %s was carried out: %v\nafter %s", seed, name, err, h.last)
			}
		}
	}
}

// carryOut makes changes as commands do. What is said not to have happened has
// not happened, and what is said to have happened has.
func (h *hostile) carryOut(t *testing.T, target plan.Target, seed uint64, logins []string, roles []provision.Role) {
	t.Helper()
	first := "Grace"
	role := func() []string { return []string{"id:" + roles[h.number(len(roles))].ID} }
	pick := func() string { return logins[h.number(len(logins))] }
	for _, c := range []plan.Change{
		{
			Action: plan.CreateUser, Login: "omar.reyes@example.com",
			Spec: provision.UserSpec{Roles: role(), Password: provision.NewSecret(firstPassword)},
		},
		{Action: plan.UpdateUser, Login: pick(), Patch: provision.UserPatch{FirstName: &first}},
		{Action: plan.GrantRoles, Login: pick(), Roles: provision.RoleChange{Grant: role()}},
		{Action: plan.SetRoles, Login: pick(), Roles: provision.RoleChange{Grant: role(), Exact: true}},
		{Action: plan.RevokeRoles, Login: pick(), Roles: provision.RoleChange{All: true}},
		{Action: plan.DeleteUser, Login: pick()},
	} {
		c.Tenant = "lab"
		done := h.done
		results, err := plan.Apply(t.Context(), []plan.Target{target}, []plan.Change{c}, plan.Options{Guards: plan.Guards{MaxDeletes: -1}})
		if provision.KindOf(err) == provision.ErrRefused && err != nil {
			continue // a guard
		}
		require.NoError(t, err)
		r := results[0]
		said := fmt.Sprintf("seed %d: %s %s: %s %v\nafter %s", seed, c.Action, c.Login, r.Outcome, r.Err, h.last)
		switch r.Outcome {
		case plan.Unknown:
		case plan.Failed, plan.Unsupported, plan.Skipped, plan.Absent, plan.Unchanged:
			if provision.KindOf(r.Err) != provision.ErrPartial || r.Err == nil {
				assert.Equal(t, done, h.done, "changes: %s", said)
			}
		case plan.Revoked: // perhaps of somebody who had nothing, as far as the answers told
			assert.True(t, h.done > done || len(r.RolesRemoved) == 0, "changes: %s", said)
		default:
			assert.Greater(t, h.done, done, "changes: %s", said)
		}
	}
}

func (h *hostile) number(n int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.chance.IntN(n)
}
