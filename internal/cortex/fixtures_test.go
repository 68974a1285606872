package cortex_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/cortex"
	"edrctl/internal/provision"
)

// exchange is a request and its answer as the vendor's pages have them.
type exchange struct {
	Request struct {
		Method, Path string
		Body         json.RawMessage
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
}

func fixture(t *testing.T, name string) exchange {
	t.Helper()
	data, err := os.ReadFile("../../testdata/cortex/" + name + ".json")
	require.NoError(t, err)
	var x exchange
	require.NoError(t, json.Unmarshal(data, &x))
	return x
}

// replay serves fixtures in their order to an adapter, and compares what is
// sent with what they have. A name with a * before it is not compared.
func replay(t *testing.T, generation string, names ...string) provision.Provisioner {
	t.Helper()
	next := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !assert.Less(t, next, len(names), "%s %s is one request too many", r.Method, r.URL) {
			http.Error(w, "no more", http.StatusTeapot)
			return
		}
		name := names[next]
		next++
		free := name[0] == '*'
		if free {
			name = name[1:]
		}
		x := fixture(t, name)
		sent, _ := io.ReadAll(r.Body)
		assert.Equal(t, x.Request.Method, r.Method, name)
		if !free {
			assert.Equal(t, x.Request.Path, r.URL.Path, name)
			if string(x.Request.Body) == "null" {
				assert.Empty(t, sent, name)
				assert.Empty(t, r.Header.Get("Content-Type"), name)
			} else {
				assert.JSONEq(t, string(x.Request.Body), string(sent), name)
				assert.Equal(t, "application/json", r.Header.Get("Content-Type"), name)
			}
		}
		for key, value := range x.Response.Headers {
			w.Header().Set(key, value)
		}
		body := []byte(x.Response.Body)
		var page string
		if json.Unmarshal(body, &page) == nil {
			body = []byte(page)
		}
		w.WriteHeader(x.Response.Status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { assert.Equal(t, len(names), next, "requests") })
	p, err := cortex.New(t.Context(), provision.Config{
		Settings: map[string]string{"url": server.URL, "api-key-id": "17", "generation": generation},
		Secrets:  map[string]provision.Secret{"api-key": provision.NewSecret("k")},
		Now:      time.Now, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return p
}

func collect(t *testing.T, p provision.Provisioner, f provision.Filter) []provision.User {
	t.Helper()
	var users []provision.User
	for u, err := range p.Users(t.Context(), f) {
		require.NoError(t, err)
		users = append(users, u)
	}
	return users
}

func TestUsersOfThePlatform(t *testing.T) {
	seen := time.UnixMilli(1767012345678).UTC()
	p := replay(t, "platform5", "iam-list-users", "iam-list-roles", "iam-list-groups")
	assert.Equal(t, []provision.User{
		{
			ID: ada, Login: ada, FirstName: "Ada", LastName: "Quist", Status: provision.StatusActive, LastLogin: &seen,
			Roles: []provision.HeldRole{
				{ID: "Investigator", Name: "Investigator", Direct: true}, // which the list of roles does not have
				{ID: triageID, Name: "Tier 1 Triage", Via: "SOC Tier 1"},
			},
			Extra: map[string]any{"user-type": "CSP", "groups": []string{"SOC Tier 1"}, "hidden": false},
		},
		{
			ID: cy, Login: cy, FirstName: "Cy", LastName: "Okafor", Status: provision.StatusDisabled,
			Extra: map[string]any{"user-type": "CSP", "hidden": true},
		},
	}, collect(t, p, provision.Filter{}))
}

func TestHiddenFlagByItsOldName(t *testing.T) {
	users := collect(t, replay(t, "platform5", "iam-list-users-hidden"), provision.Filter{NoRoles: true})
	require.Len(t, users, 1)
	assert.Equal(t, true, users[0].Extra["hidden"])
	assert.Equal(t, "SSO", users[0].Extra["user-type"])
}

func TestUsersOfXDR3(t *testing.T) {
	for list, groups := range map[string]string{
		"rbac-get-users": "rbac-get-user-group", "rbac-get-users-groups-objects": "rbac-get-user-group-data",
	} {
		users := collect(t, replay(t, "xdr3", list, groups), provision.Filter{})
		assert.Equal(t, []provision.HeldRole{
			{ID: "Investigator", Name: "Investigator", Direct: true}, {ID: "Tier 1 Triage", Name: "Tier 1 Triage", Via: "SOC Tier 1"},
		}, users[0].Roles, list)
		assert.Equal(t, provision.StatusUnknown, users[0].Status, list)
		assert.Equal(t, map[string]any{"user-type": "CSP", "groups": []string{"SOC Tier 1"}}, users[0].Extra, list)
	}
	users := collect(t, replay(t, "xdr3", "rbac-get-users"), provision.Filter{NoRoles: true})
	require.Len(t, users, 3)
	assert.Equal(t, bo, users[1].Login)
	assert.Nil(t, users[1].LastLogin, "null is never")
	assert.Empty(t, users[1].Roles)
}

func TestRolesOfThePlatform(t *testing.T) {
	roles, err := replay(t, "platform5", "iam-list-roles").Roles(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []provision.Role{
		{ID: triageID, Name: "Tier 1 Triage", Description: "first line", Custom: true}, {ID: "viewer", Name: "Viewer"},
	}, roles)
}

func TestRolesOfXDR3(t *testing.T) {
	roles, err := replay(t, "xdr3", "rbac-get-users", "*rbac-get-roles").Roles(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []provision.Role{
		{ID: "Tier 1 Triage", Name: "Tier 1 Triage", Description: "first line", Custom: true}, {ID: "Viewer", Name: "Viewer"},
	}, roles)
}

func TestDeleteOnThePlatform(t *testing.T) {
	p := replay(t, "platform5", "iam-list-users", "iam-list-roles", "iam-edit-user-revoke", "iam-list-users")
	_, err := p.DeleteUser(t.Context(), ada)
	assert.ErrorIs(t, err, provision.ErrUncertain, "the fixture's list still has the role")
}

func TestSetRoleOfXDR3(t *testing.T) {
	p := replay(t, "xdr3", "rbac-get-users", "rbac-set-user-role-remove", "rbac-get-users")
	got, err := p.ChangeRoles(t.Context(), ada, revoke("Investigator"))
	require.ErrorIs(t, err, provision.ErrUncertain, "counted as changed, and still in the list")
	assert.Equal(t, []string{"Investigator"}, got.Revoked)

	p = replay(t, "xdr3", "rbac-get-users", "*rbac-set-user-role-unchanged", "rbac-get-users")
	got, err = p.ChangeRoles(t.Context(), bo, grant("Viewer"))
	require.ErrorIs(t, err, provision.ErrInvalid, "not counted, and not in the list")
	assert.Empty(t, got.Granted)

	p = replay(t, "xdr3", "rbac-get-users")
	got, err = p.ChangeRoles(t.Context(), ada, grant("Investigator"))
	require.NoError(t, err)
	assert.False(t, got.Changed())
}
