package carbonblack_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

func (x *tenant) users(f provision.Filter) ([]provision.User, error) {
	var list []provision.User
	for u, err := range x.Users(x.t.Context(), f) {
		if err != nil {
			return list, err
		}
		list = append(list, u)
	}
	return list, nil
}

func (x *tenant) user(login string) provision.User {
	x.t.Helper()
	u, err := x.User(x.t.Context(), login)
	require.NoError(x.t, err)
	return u
}

func TestReadCounts(t *testing.T) {
	x := open(t)
	id, err := x.Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, provision.Identity{Name: "Q7W8E9R0TY", MayManage: true, Note: "organisation 7KQ2M9XD"}, id)
	assert.Equal(t, []string{"GET users"}, x.sent(), "check")

	u := x.user("INES.duarte@Example.com")
	assert.Equal(t, "6100417", u.ID)
	assert.Equal(t, []string{"GET users", "POST _fetch"}, x.sent(), "user")

	_, err = x.User(t.Context(), nadia)
	require.ErrorIs(t, err, provision.ErrNotFound)
	var e *provision.Error
	require.ErrorAs(t, err, &e)
	assert.Contains(t, e.Hint, "perhaps invited and not activated yet")
	assert.Equal(t, []string{"GET users"}, x.sent(), "somebody invited")

	_, err = x.users(provision.Filter{NoRoles: true})
	require.NoError(t, err)
	assert.Equal(t, []string{"GET users"}, x.sent(), "list without roles")

	users, err := x.users(provision.Filter{})
	require.NoError(t, err)
	assert.Len(t, users, 6)
	assert.Equal(t, []string{"GET users", "POST _fetch"}, x.sent(), "list")

	_, err = x.Roles(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"GET permitted"}, x.sent(), "roles")
}

// TestManyUsers reads 300 users with 4 requests.
func TestManyUsers(t *testing.T) {
	x := open(t)
	x.load(func(state map[string]any) {
		users := state["users"].([]any)
		for i := len(users); i < 300; i++ {
			u := map[string]any{}
			for k, v := range users[2].(map[string]any) {
				u[k] = v
			}
			u["login_id"], u["email"], u["login_name"] = 7000000+i, fmt.Sprintf("u%d@example.com", i), fmt.Sprintf("u%d@example.com", i)
			users = append(users, u)
		}
		state["users"] = users
	})
	users, err := x.users(provision.Filter{})
	require.NoError(t, err)
	assert.Len(t, users, 300)
	assert.Equal(t, []string{"GET users", "POST _fetch", "POST _fetch", "POST _fetch"}, x.sent())

	users, err = x.users(provision.Filter{Only: func(login string) bool { return login == ines || login == "u299@example.com" }})
	require.NoError(t, err)
	assert.Len(t, users, 2)
	assert.Equal(t, []string{"GET users", "POST _fetch"}, x.sent())
}

func TestRolesOfUsers(t *testing.T) {
	for _, switches := range [][]string{
		nil, {"null-lists=on"}, {"grant-expires-form=datetime"}, {"profile-expiration-form=datetime"}, {"results-key=bare"},
	} {
		x := open(t, switches...)
		_, err := x.Roles(t.Context())
		require.NoError(t, err)
		users, err := x.users(provision.Filter{})
		require.NoError(t, err)
		held := map[string][]string{}
		for _, u := range users {
			for _, r := range u.Roles {
				held[u.Login] = append(held[u.Login], r.Name+" "+r.Via)
				assert.Nil(t, r.ExpiresAt)
				assert.Equal(t, org, r.Scope)
				assert.True(t, r.Direct)
			}
		}
		assert.Equal(t, map[string][]string{
			vera:  {"Super Admin "},
			ines:  {"SOC Triage ", "Level 2 Analyst "},
			marek: {"Level 1 Analyst a profile that also reaches psc:org:3HF8W2LC"},
			priya: {"View All "},
			jonas: {"SOC Triage ", "CONTAINER_IMAGE_CLI_TOOL ", "View Only "},
		}, held, "%v", switches)
	}
}

func TestLoginName(t *testing.T) {
	x := open(t)
	x.load(func(state map[string]any) {
		users := state["users"].([]any)
		users[2].(map[string]any)["email"] = "lea.castle@example.com"
	})
	u := x.user("lea.castle@example.com")
	assert.Equal(t, "lea.castle@example.com", u.Login)
	assert.Equal(t, "lea.brandt@example.com", u.Extra["login-name"])
	assert.Equal(t, u, x.user("Lea.Brandt@example.com"), "by the login name")

	x.load(func(state map[string]any) {
		users := state["users"].([]any)
		users[4].(map[string]any)["login_name"] = "lea.brandt@example.com"
	})
	_, err := x.User(t.Context(), "lea.brandt@example.com")
	require.ErrorIs(t, err, provision.ErrConflict)
	require.ErrorContains(t, err, "6100502, 6100561")
}

func TestCheckWithoutPermission(t *testing.T) {
	x := open(t, "permission=roles")
	id, err := x.Check(t.Context())
	require.NoError(t, err)
	assert.False(t, id.MayManage)
	assert.Contains(t, id.Note, "Manage Users")
}

func TestWrongOrganisation(t *testing.T) {
	x := open(t)
	require.NoError(t, x.server.Fault(mock.Fault{Method: "GET", Path: "/users", Action: "404"}))
	_, err := x.User(t.Context(), ines)
	require.ErrorIs(t, err, provision.ErrInvalid)
	require.NotErrorIs(t, err, provision.ErrNotFound)
}

func TestListWithoutUsers(t *testing.T) {
	for body, want := range map[string]provision.Kind{
		`{"success":true,"message":"Success"}`:         provision.ErrInternal,
		`{"success":true,"users":{}}`:                  provision.ErrInternal,
		`{"success":true,"users":[{"email":"a@b.c"}]}`: provision.ErrInternal,
		`{"success":false,"message":"broken"}`:         provision.ErrUnavailable,
		`{"errorMessage":"broken"}`:                    provision.ErrUnavailable,
		`[]`:                                           provision.ErrInternal,
		`<html><title>Gate</title>`:                    provision.ErrInternal,
		``:                                             provision.ErrInternal,
		`{"success":true,"users":null}`:                provision.ErrNotFound,
	} {
		p := newReplay(t)
		p.answer("GET", usersPath, 200, body)
		_, err := p.adapter(nil).User(t.Context(), ines)
		assert.ErrorIs(t, err, want, "%s", body)
	}
}

func TestUpdateCounts(t *testing.T) {
	x := open(t)
	first, method := "Inês", "saml"
	patch := provision.UserPatch{FirstName: &first, Options: provision.Options{"auth-method": method}}
	u, changed, err := x.UpdateUser(t.Context(), ines, patch)
	require.NoError(t, err)
	assert.True(t, changed)
	assert.Equal(t, "SAML", u.Extra["auth-method"])
	assert.Equal(t, []string{"GET users", "POST _fetch", "PUT user"}, x.sent())
	assert.Equal(t, u, x.user(ines))

	x.sent()
	_, changed, err = x.UpdateUser(t.Context(), ines, patch)
	require.NoError(t, err)
	assert.False(t, changed)
	assert.Equal(t, []string{"GET users", "POST _fetch"}, x.sent())
}

func TestUpdateModifiedByAnother(t *testing.T) {
	phone := "+351 555 0142"
	x := open(t, "modified-by-another=1")
	_, changed, err := x.UpdateUser(t.Context(), ines, provision.UserPatch{Phone: &phone})
	require.NoError(t, err)
	assert.True(t, changed)
	assert.Equal(t, []string{"GET users", "POST _fetch", "PUT user", "GET users", "POST _fetch", "PUT user"}, x.sent())

	x = open(t, "modified-by-another=2")
	_, _, err = x.UpdateUser(t.Context(), ines, provision.UserPatch{Phone: &phone})
	require.ErrorIs(t, err, provision.ErrConflict)
	assert.Len(t, x.sent(), 6)
}

// TestUpdateIncompleteRow stops where the user could lose what is not sent.
func TestUpdateIncompleteRow(t *testing.T) {
	phone := "+351 555 0142"
	p := newReplay(t)
	p.list(`{"login_id":1,"login_name":"a@example.com","email":"a@example.com","role":"DEPRECATED","org_id":1,"contact_id":null}`)
	p.answer("POST", fetchPath, 200, none)
	_, _, err := p.adapter(nil).UpdateUser(t.Context(), "a@example.com", provision.UserPatch{Phone: &phone})
	require.ErrorContains(t, err, "contact_id")
}

func TestReset(t *testing.T) {
	x := open(t)
	require.NoError(t, x.Reset(t.Context(), ines, provision.CredentialMFA))
	assert.Equal(t, []string{"GET users", "DELETE google-auth"}, x.sent())
	assert.Equal(t, []int{6100001}, x.state().GoogleAuth)

	require.ErrorIs(t, x.Reset(t.Context(), ines, provision.CredentialPassword), provision.ErrUnsupported)
	assert.Empty(t, x.sent())
}
