package cybereason_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/cybereason"
	"edrctl/internal/provision"
)

// fixture is a request and its answer as the vendor's pages have them.
type fixture struct {
	Request struct {
		Method  string            `json:"method"`
		Path    string            `json:"path"`
		Headers map[string]string `json:"headers"`
		Body    any               `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    any               `json:"body"`
	} `json:"response"`
}

func readFixture(t *testing.T, name string) fixture {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata/cybereason", name+".json"))
	require.NoError(t, err)
	var f fixture
	require.NoError(t, json.Unmarshal(data, &f))
	return f
}

// scene is a fixture, and the user whose record an earlier fixture has changed
// by then: nil for one who is gone.
type scene struct {
	fixture string
	changes map[string]map[string]any
}

// script expects the scenes in their order and nothing else.
type script struct {
	*testing.T
	scenes []scene
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !assert.NotEmpty(s, s.scenes, "unexpected %s %s", r.Method, r.URL) {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	next := s.scenes[0]
	s.scenes = s.scenes[1:]
	f := readFixture(s.T, next.fixture)
	assert.Equal(s, f.Request.Method+" "+f.Request.Path, r.Method+" "+r.URL.EscapedPath(), next.fixture)
	for name, want := range f.Request.Headers {
		if name == "Accept" {
			continue
		}
		assert.Equal(s, want, r.Header.Get(name), "%s: %s", next.fixture, name)
	}
	body, err := io.ReadAll(r.Body)
	assert.NoError(s, err)
	assert.Equal(s, f.Request.Body, decoded(s.T, r.Header.Get("Content-Type"), string(body)), next.fixture)

	for name, value := range f.Response.Headers {
		w.Header()[name] = strings.Split(value, "\n")
	}
	w.Header().Set("Date", fixtureTime().Format(http.TimeFormat))
	w.WriteHeader(f.Response.Status)
	text, isText := f.Response.Body.(string)
	if !isText || strings.HasPrefix(f.Response.Headers["Content-Type"], "application/json") {
		data, err := json.Marshal(changed(f.Response.Body, next.changes))
		assert.NoError(s, err)
		text = string(data)
	}
	_, _ = io.WriteString(w, text)
}

// decoded is a body in the form that fixtures have it in; the order of a form
// means nothing.
func decoded(t *testing.T, kind, body string) any {
	t.Helper()
	if body == "" {
		return nil
	}
	if kind == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(body)
		require.NoError(t, err)
		if name := form.Get("username"); name != "" {
			return "username=" + url.QueryEscape(name) + "&password=" + url.QueryEscape(form.Get("password"))
		}
		return "totpCode=" + form.Get("totpCode") + "&submit=" + form.Get("submit")
	}
	var v any
	require.NoError(t, json.Unmarshal([]byte(body), &v))
	return v
}

// changed is a list of users with some of them changed, new or gone.
func changed(body any, changes map[string]map[string]any) any {
	list, ok := body.([]any)
	if !ok {
		return body
	}
	list = slices.Clone(list)
	for login, change := range changes {
		i := slices.IndexFunc(list, func(u any) bool { return u.(map[string]any)["username"] == login })
		switch {
		case i < 0:
			list = append(list, change)
		case change == nil:
			list = slices.Delete(list, i, i+1)
		default:
			u := list[i].(map[string]any)
			for k, v := range change {
				u[k] = v
			}
		}
	}
	return list
}

func TestFixtures(t *testing.T) {
	const ada, lead = "mara.holt@soc.example", "ir.lead+night@soc.example"
	signIn := []string{"login-accepted", "app-page", "users-current"}
	scenes := func(names ...string) []scene {
		var list []scene
		for _, n := range names {
			list = append(list, scene{fixture: n})
		}
		return list
	}
	then := func(changes map[string]map[string]any) scene { return scene{"users-list", changes} }
	created := readFixture(t, "create").Request.Body.(map[string]any)

	for name, tt := range map[string]struct {
		scenes []scene
		run    func(t *testing.T, a adapter) error
		kind   provision.Kind
		tweak  func(*provision.Config)
	}{
		"list": {
			scenes: scenes(append(signIn, "users-list")...),
			run: func(t *testing.T, a adapter) error {
				users, err := all(a.Users(t.Context(), provision.Filter{}))
				require.Len(t, users, 3)
				assert.Equal(t, []string{"analyst_l2", "policies_admin"}, users[1].DirectRoles())
				return err
			},
		},
		"create": {
			scenes: append(scenes(append(signIn, "create")...), then(map[string]map[string]any{lead: created})),
			run:    creates(lead),
		},
		"create somebody who is there":  {scenes: scenes(append(signIn, "create-exists")...), run: createsLike("create-exists"), kind: provision.ErrExists},
		"create with a weak password":   {scenes: scenes(append(signIn, "create-weak-password")...), run: createsLike("create-weak-password"), kind: provision.ErrInvalid},
		"create with a foreign address": {scenes: scenes(append(signIn, "create-bad-username")...), run: createsLike("create-bad-username"), kind: provision.ErrInvalid},
		"grant": {
			scenes: append(scenes(append(signIn, "users-list", "update-grant")...),
				then(map[string]map[string]any{ada: {"roles": []string{"analyst_l2", "policies_admin", "executive"}}})),
			run: changes(ada, grant("executive")),
		},
		"revoke, but somebody was faster": {
			scenes: append(append(scenes(signIn...), then(map[string]map[string]any{ada: {"lastUpdateTime": 1731000000000}})),
				scene{fixture: "update-stale"}, then(map[string]map[string]any{ada: {"roles": []string{"analyst_l2"}}})),
			run: changes(ada, revoke("policies_admin")),
		},
		"delete": {
			scenes: append(scenes(append(signIn, "users-list", "delete")...), then(map[string]map[string]any{ada: nil})),
			run: func(t *testing.T, a adapter) error {
				_, err := a.DeleteUser(t.Context(), ada)
				return err
			},
		},
		"session gone": {
			scenes: append(scenes("login-accepted", "app-page", "users-current", "users-list", "session-gone"), scenes(append(signIn, "users-list")...)...),
			run: func(t *testing.T, a adapter) error {
				_, err := a.User(t.Context(), ada)
				require.NoError(t, err)
				_, err = a.User(t.Context(), ada)
				return err
			},
		},
		"sign out": {
			scenes: scenes(append(signIn, "version", "logout")...),
			run: func(t *testing.T, a adapter) error {
				id, err := a.Check(t.Context())
				require.NoError(t, err)
				assert.Equal(t, "svc-edrctl@soc.example", id.Account)
				return a.SignOut(t.Context())
			},
		},
		"sign-in refused": {
			scenes: scenes("login-rejected"), run: checks, kind: provision.ErrUnauthenticated, tweak: secret("password", "guess+1"),
		},
		"password expired": {scenes: scenes("login-expired"), run: checks, kind: provision.ErrUnauthenticated},
		"second factor": {
			scenes: scenes("login-tfa", "tfa-accepted", "app-page", "users-current", "version"), run: checks, tweak: secret("totp-secret", "CANARYTOTPSIDFIXTURESVCEDRCTLAAA"),
		},
		"second factor, first time": {scenes: scenes("login-tfa-first"), run: checks, kind: provision.ErrUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{T: t, scenes: tt.scenes}
			server := httptest.NewServer(s)
			defer server.Close()
			log := &safeBuffer{}
			err := tt.run(t, soc(t, server, log, tt.tweak))
			if tt.kind == "" {
				require.NoError(t, err)
			} else {
				assert.Equal(t, tt.kind, asError(t, err).Kind, "%v", err)
			}
			assert.Empty(t, s.scenes, "not asked for")
			assert.NotContains(t, log.String(), canary)
		})
	}
}

// soc is an adapter for the console of the fixtures, at its time.
func soc(t *testing.T, server *httptest.Server, log io.Writer, tweak func(*provision.Config)) adapter {
	t.Helper()
	own := readFixture(t, "reset-own").Request.Body.([]any)[0].(string)
	cfg := provision.Config{
		HTTP: server.Client().Transport, Store: provision.MemoryStore(), Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:      fixtureTime,
		Settings: map[string]string{"url": server.URL, "username": "svc-edrctl@soc.example"},
		Secrets:  map[string]provision.Secret{"password": provision.NewSecret(own)},
	}
	if tweak != nil {
		tweak(&cfg)
	}
	p, err := cybereason.New(t.Context(), cfg)
	require.NoError(t, err)
	cybereason.SetPause(p, (&clock{}).pause)
	return p.(adapter)
}

func fixtureTime() time.Time { return time.Date(2025, 11, 20, 10, 0, 0, 0, time.UTC) }

func checks(t *testing.T, a adapter) error {
	t.Helper()
	_, err := a.Check(t.Context())
	return err
}

func creates(login string) func(*testing.T, adapter) error {
	return func(t *testing.T, a adapter) error {
		u, err := a.CreateUser(t.Context(), newSpec(login, "responder_l2"))
		assert.Equal(t, login, u.Login)
		return err
	}
}

func createsLike(name string) func(*testing.T, adapter) error {
	return func(t *testing.T, a adapter) error {
		body := readFixture(t, name).Request.Body.(map[string]any)
		spec := provision.UserSpec{Login: body["username"].(string), Password: provision.NewSecret(body["password"].(string)), Options: provision.Options{}}
		for _, r := range body["roles"].([]any) {
			spec.Roles = append(spec.Roles, r.(string))
		}
		data, err := json.Marshal(body["totpEnabled"])
		require.NoError(t, err)
		spec.Options["totp-enabled"] = string(data)
		_, err = a.CreateUser(t.Context(), spec)
		return err
	}
}

func changes(login string, c provision.RoleChange) func(*testing.T, adapter) error {
	return func(t *testing.T, a adapter) error {
		_, err := a.ChangeRoles(t.Context(), login, c)
		return err
	}
}
