package crowdstrike

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// fixture is an exchange written by hand from the vendor's documentation.
type fixture struct {
	Request struct {
		Method, Path, Query string
		Body                json.RawMessage
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    any
	}
}

func load(t *testing.T, file string) fixture {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "crowdstrike", file+".json"))
	require.NoError(t, err)
	var f fixture
	require.NoError(t, json.Unmarshal(data, &f))
	return f
}

const (
	nora   = "5d3c2b1a-0f9e-4d8c-b7a6-958473625140"
	ravi   = "27c1f6a8-3b90-4e5d-9d42-6a0b8c7e1f35"
	sam    = "416d9e07-ac53-4d8e-8b70-5c2f1a96e3d4"
	omar   = "e09b3d51-64f2-47c8-b6a1-f82c7d504e93"
	nobody = "00000000-0000-4000-8000-000000000000"
	child  = "7be2f0c45d6a4c1b9a3e8d5f60718293"
	shift  = "9b8a7f6e5d4c3b2a190817263544f0e1"
)

// TestFixtures sends each request as the fixture has it and takes its answer.
func TestFixtures(t *testing.T) {
	ctx := t.Context()
	nela := provision.UserSpec{Login: testLogin, FirstName: "Nela", LastName: "Kos"}
	weak := nela
	weak.Password = provision.NewSecret("short")
	user := func(u provision.User, err error) (any, error) { return u.Login + " " + u.LastName, err }
	none := func(err error) (any, error) { return nil, err }
	read := func(ctx context.Context, f family, ids ...string) (any, error) {
		users, err := f.records(ctx, ids)
		var list []string
		for _, u := range users {
			list = append(list, u.Login)
		}
		return list, err
	}
	held := func(ctx context.Context, f family, id string) (any, error) {
		roles, err := f.held(ctx, provision.User{ID: id, Extra: map[string]any{"cid": testCID}})
		var list []string
		for _, r := range roles {
			list = append(list, r.ID+" "+r.Scope[:2]+" "+r.Via)
		}
		return list, err
	}
	names := func(roles []provision.Role, err error) (any, error) {
		var list []string
		for _, r := range roles {
			list = append(list, r.Name)
		}
		return list, err
	}
	none2 := func(_ any, err error) (any, error) { return nil, err }
	ids := func(list []string, err error) (any, error) { return list, err }

	tests := []struct {
		file   string
		legacy bool
		do     func(f family) (any, error)
		want   any
		kind   provision.Kind
	}{
		{"users-query-email", false, func(f family) (any, error) { return ids(f.lookup(ctx, "Ravi.McKenna@Example.com")) }, []string{ravi}, ""},
		{"users-query-nobody", false, func(f family) (any, error) { return ids(f.lookup(ctx, "nobody@example.com")) }, []string{}, ""},
		{"users-read", false, func(f family) (any, error) { return read(ctx, f, nora, "8f2a5c7e-d146-4b03-a9f8-31e0c5d7b269") }, []string{"nora.vance@example.com", "li.tran@my-company.com"}, ""},
		{"users-read-unknown", false, func(f family) (any, error) { return read(ctx, f, nobody) }, []string(nil), ""},
		{"user-create", false, func(f family) (any, error) { return user(f.create(ctx, nela, testCID)) }, testLogin + " Kos", ""},
		{"create-empty", false, func(f family) (any, error) { return none2(f.create(ctx, nela, testCID)) }, nil, provision.ErrUncertain},
		{"scope-missing", false, func(f family) (any, error) { return none2(f.create(ctx, nela, testCID)) }, nil, provision.ErrForbidden},
		{"user-create-weak-password", false, func(f family) (any, error) { return none2(f.create(ctx, weak, "")) }, nil, provision.ErrUncertain},
		{"user-create-exists", false, func(f family) (any, error) {
			return none2(f.create(ctx, provision.UserSpec{Login: "nora.vance@example.com", FirstName: "Nora", LastName: "Vance"}, ""))
		}, nil, provision.ErrExists},
		{"user-create-foreign-domain", false, func(f family) (any, error) {
			return none2(f.create(ctx, provision.UserSpec{Login: "someone@nowhere.com", FirstName: "Some", LastName: "One"}, ""))
		}, nil, provision.ErrInvalid},
		{"user-create-validate-only", false, func(f family) (any, error) { return none(f.validate(ctx, nela, testCID)) }, nil, ""},
		{"user-update", false, func(f family) (any, error) {
			return user(f.rename(ctx, provision.User{ID: nora, FirstName: "Nora", LastName: "Vance-Ito"}))
		}, "nora.vance@example.com Vance-Ito", ""},
		{"user-update-unknown", false, func(f family) (any, error) {
			return none2(f.rename(ctx, provision.User{ID: nobody, FirstName: "No", LastName: "Body"}))
		}, nil, provision.ErrNotFound},
		{"user-delete", false, func(f family) (any, error) { return none(f.remove(ctx, omar)) }, nil, ""},
		{"user-delete-unknown", false, func(f family) (any, error) { return none(f.remove(ctx, nobody)) }, nil, provision.ErrNotFound},
		{"user-reset-2fa", false, func(f family) (any, error) { return none(f.reset(ctx, nora, provision.CredentialMFA)) }, nil, ""},
		{"user-reset-password", false, func(f family) (any, error) { return none(f.reset(ctx, nora, provision.CredentialPassword)) }, nil, ""},
		{"user-reset-unknown", false, func(f family) (any, error) { return none(f.reset(ctx, nobody, provision.CredentialMFA)) }, nil, provision.ErrUncertain},
		{"grants", false, func(f family) (any, error) { return held(ctx, f, sam) }, []string{"event_viewer 0a SOC", "help_desk 0a "}, ""},
		{"grants-two-cids", false, func(f family) (any, error) { return held(ctx, f, ravi) }, []string{"event_viewer 0a ", "help_desk 0a ", "security_lead 7b "}, ""},
		{"roles-read", false, func(f family) (any, error) { return names(f.roles(ctx, []string{"event_viewer", shift})) }, []string{"Event Viewer", "Night shift"}, ""},
		{"roles-read-unknown", false, func(f family) (any, error) { return names(f.roles(ctx, []string{"no_such_role"})) }, []string{"no_such_role"}, ""},
		{"role-grant", false, func(f family) (any, error) {
			return none(f.grant(ctx, nora, testCID, []string{"help_desk", "event_viewer"}, time.Time{}))
		}, nil, ""},
		{"role-grant-temporary", false, func(f family) (any, error) {
			return none(f.grant(ctx, nora, testCID, []string{"help_desk"}, time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)))
		}, nil, ""},
		{"role-grant-unknown-role", false, func(f family) (any, error) {
			return none(f.grant(ctx, nora, testCID, []string{"help_desk", "no_such_role"}, time.Time{}))
		}, nil, provision.ErrNotFound},
		{"role-grant-unknown-user", false, func(f family) (any, error) {
			return none(f.grant(ctx, nobody, testCID, []string{"help_desk"}, time.Time{}))
		}, nil, provision.ErrNotFound},
		{"role-grant-custom-of-another-cid", false, func(f family) (any, error) {
			return none(f.grant(ctx, nora, child, []string{"1e0f4453627180910a2b3c4d5e6f7a8b"}, time.Time{}))
		}, nil, provision.ErrNotFound},
		{"role-grant-foreign-cid", false, func(f family) (any, error) {
			return none(f.grant(ctx, nora, otherCID, []string{"help_desk"}, time.Time{}))
		}, nil, provision.ErrForbidden},
		{"errors-on-2xx", false, func(f family) (any, error) {
			return none(f.grant(ctx, nora, testCID, []string{"help_desk"}, time.Time{}))
		}, nil, provision.ErrUncertain},
		{"role-revoke", false, func(f family) (any, error) { return none(f.revoke(ctx, nora, testCID, []string{"falconhost_admin"})) }, nil, ""},

		{"legacy-uuid-by-email", true, func(f family) (any, error) { return ids(f.lookup(ctx, "Sam.O'Tieno@example.com")) }, []string{sam}, ""},
		{"legacy-uuid-by-email", false, func(f family) (any, error) { return ids(f.lookup(ctx, "Sam.O'Tieno@example.com")) }, []string{sam}, ""},
		{"legacy-uuid-by-email-unknown", true, func(f family) (any, error) { return ids(f.lookup(ctx, "nobody@example.com")) }, []string(nil), ""},
		{"legacy-users", true, func(f family) (any, error) { return read(ctx, f, nora) }, []string{"nora.vance@example.com"}, ""},
		{"legacy-users-unknown", true, func(f family) (any, error) { return read(ctx, f, nobody) }, []string(nil), ""},
		{"legacy-emails", true, func(f family) (any, error) { return none(f.probe(ctx)) }, nil, ""},
		{"legacy-create", true, func(f family) (any, error) { return user(f.create(ctx, nela, "")) }, testLogin + " Kos", ""},
		{"legacy-create-exists", true, func(f family) (any, error) {
			return none2(f.create(ctx, provision.UserSpec{Login: "Nora.Vance@example.com", FirstName: "Nora", LastName: "Vance"}, ""))
		}, nil, provision.ErrExists},
		{"legacy-delete", true, func(f family) (any, error) { return none(f.remove(ctx, omar)) }, nil, ""},
		{"legacy-grant", true, func(f family) (any, error) {
			return none(f.grant(ctx, nora, testCID, []string{"help_desk", "event_viewer"}, time.Time{}))
		}, nil, ""},
		{"legacy-grant-unknown-role", true, func(f family) (any, error) {
			return none(f.grant(ctx, nora, testCID, []string{"no_such_role"}, time.Time{}))
		}, nil, provision.ErrNotFound},
		{"legacy-revoke", true, func(f family) (any, error) {
			return none(f.revoke(ctx, ravi, testCID, []string{"help_desk", "event_viewer"}))
		}, nil, ""},
		{"legacy-user-role-ids", true, func(f family) (any, error) { return held(ctx, f, ravi) }, []string{"event_viewer 0a ", "help_desk 0a "}, ""},
		{"legacy-roles", true, func(f family) (any, error) { return names(f.roles(ctx, []string{"event_viewer", shift})) }, []string{"Event Viewer", "Night shift"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			f := load(t, tt.file)
			c := newConsole(t).always(f.Request.Method+" "+f.Request.Path, reply{f.Response.Status, f.Response.Headers, f.Response.Body})
			a := c.connect()
			var in family = modern{a.api, "test"}
			if tt.legacy {
				in = legacy{a.api, "test"}
			}
			got, err := tt.do(in)
			require.Len(t, c.asked(), 1)
			f.matches(t, c.log[len(c.log)-1])
			if tt.kind == "" {
				require.NoError(t, err)
				assert.Equal(t, tt.want, got)
				return
			}
			e := problem(t, err)
			assert.Equal(t, tt.kind, e.Kind, "%v", err)
			assert.Equal(t, f.Response.Headers["X-Cs-Traceid"], e.RequestID)
		})
	}
}

// matches compares a request with that of the fixture. Lists of ids are sets.
func (f fixture) matches(t *testing.T, got asked) {
	t.Helper()
	assert.Equal(t, f.Request.Method+" "+f.Request.Path, got.method+" "+got.path)
	assert.Equal(t, sortedQuery(t, f.Request.Query), sortedQuery(t, got.query))
	var form string
	switch {
	case string(f.Request.Body) == "null":
		assert.Empty(t, got.body)
	case json.Unmarshal(f.Request.Body, &form) == nil:
		assert.Equal(t, parse(t, form), got.form)
	default:
		assert.Equal(t, sortedBody(t, string(f.Request.Body)), sortedBody(t, got.body))
	}
}

func sortedQuery(t *testing.T, text string) url.Values {
	t.Helper()
	q := parse(t, text)
	for _, values := range q {
		slices.Sort(values)
	}
	return q
}

func sortedBody(t *testing.T, text string) map[string]any {
	t.Helper()
	var body map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &body))
	for key, value := range body {
		if list, isList := value.([]any); isList {
			var texts []string
			for _, item := range list {
				texts = append(texts, item.(string))
			}
			slices.Sort(texts)
			body[key] = texts
		}
	}
	return body
}

// TestTokenFixtures signs in and out as the fixtures have it.
func TestTokenFixtures(t *testing.T) {
	const secret = "mock_falcon_secret_not_a_real_one_000000"
	for file, tt := range map[string]struct {
		client, secret, member string
		kind                   provision.Kind
	}{
		"token":               {testClient, secret, "", ""},
		"token-member-cid":    {testClient, secret, strings.ToUpper(child) + "-2A", ""},
		"token-bad-client-id": {"falcon", "nothing", "", provision.ErrUnauthenticated},
		"token-wrong-secret":  {testClient, "wrong", "", provision.ErrUnauthenticated},
		"token-ip-allowlist":  {testClient, secret, "", provision.ErrUnauthenticated},
		"token-redirect":      {testClient, secret, "", provision.ErrUnauthenticated},
	} {
		t.Run(file, func(t *testing.T) {
			f, out := load(t, file), load(t, "revoke")
			c := newConsole(t).
				always("POST /oauth2/token", reply{f.Response.Status, f.Response.Headers, f.Response.Body}).
				always("POST /oauth2/revoke", reply{out.Response.Status, out.Response.Headers, out.Response.Body})
			a := c.connect(set("client-id", tt.client), set("member-cid", tt.member), func(cfg *provision.Config) {
				cfg.Secrets["client-secret"] = provision.NewSecret(tt.secret)
			})
			_, err := a.api.session.token(t.Context())
			require.Len(t, c.log, 1)
			f.matches(t, c.log[0])
			if tt.kind != "" {
				e := problem(t, err)
				assert.Equal(t, tt.kind, e.Kind)
				assert.Equal(t, f.Response.Headers["X-Cs-Traceid"], e.RequestID)
				return
			}
			require.NoError(t, err)
			require.NoError(t, a.SignOut(t.Context()))
			if file == "token" {
				out.matches(t, c.log[1])
			}
		})
	}
}
