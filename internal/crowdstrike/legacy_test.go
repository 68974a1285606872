package crowdstrike

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// old is a console that has the legacy operations only.
func old(t *testing.T) *console {
	t.Helper()
	record := map[string]any{"customer": testCID, "firstName": "Nela", "lastName": "Kos", "uid": testLogin, "uuid": testUUID}
	return newConsole(t).
		always("GET "+pathLegacyRoleIDs, ok("help_desk", "event_viewer")).
		always("GET "+pathLegacyUserRoleID, ok("help_desk")).
		always("GET "+pathLegacyUserRoles, ok(
			map[string]any{"id": "help_desk", "display_name": "Help Desk", "description": "d"},
			map[string]any{"id": "event_viewer", "display_name": "Event Viewer", "description": "d", "cid": testCID})).
		always("POST "+pathLegacyUserRoles, ok("event_viewer")).
		always("DELETE "+pathLegacyUserRoles, ok("help_desk")).
		always("GET "+pathLegacyUsers, ok(record)).
		always("POST "+pathLegacyUsers, made(record)).
		always("PATCH "+pathLegacyUsers, ok(record)).
		always("DELETE "+pathLegacyUsers, reply{status: 200, body: map[string]any{"meta": meta(0), "errors": nil}}).
		always("GET "+pathLegacyEmails, ok(testLogin)).
		always("GET "+pathLegacyUserIDs, ok(testUUID)).
		always("GET "+pathLegacyUserID, ok(testUUID))
}

const (
	oldID     = "GET " + pathLegacyUserID + "?uid=nela.kos%40acme.example"
	oldRecord = "GET " + pathLegacyUsers + "?ids=" + testUUID
	oldHeld   = "GET " + pathLegacyUserRoleID + "?user_uuid=" + testUUID
	oldNames  = "GET " + pathLegacyUserRoles + "?ids=help_desk"
)

func TestLegacyOperations(t *testing.T) {
	last := "Kos-Vuk"
	tests := []struct {
		name string
		do   func(a *adapter) error
		want []string
	}{
		{
			"check", func(a *adapter) error { _, err := a.Check(t.Context()); return err },
			[]string{"GET " + pathLegacyEmails},
		},
		{
			"list", func(a *adapter) error {
				for u, err := range a.Users(t.Context(), provision.Filter{}) {
					if err != nil {
						return err
					}
					assert.Equal(t, []provision.HeldRole{{ID: "help_desk", Name: "Help Desk", Direct: true, Scope: testCID}}, u.Roles)
				}
				return nil
			},
			[]string{"GET " + pathLegacyUserIDs, oldRecord, oldHeld, oldNames},
		},
		{
			"get", func(a *adapter) error {
				u, err := a.User(t.Context(), testLogin)
				assert.Equal(t, provision.User{
					ID: testUUID, Login: testLogin, FirstName: "Nela", LastName: "Kos", Status: provision.StatusUnknown,
					Roles: []provision.HeldRole{{ID: "help_desk", Name: "Help Desk", Direct: true, Scope: testCID}},
					Extra: map[string]any{"cid": testCID},
				}, u)
				return err
			},
			[]string{oldID, oldRecord, oldHeld, oldNames},
		},
		{
			"create", func(a *adapter) error {
				_, err := a.CreateUser(t.Context(), provision.UserSpec{
					Login: testLogin, FirstName: "Nela", LastName: "Kos", Roles: []string{"help_desk", "event_viewer"},
				})
				return err
			},
			[]string{
				"POST " + pathLegacyUsers + ` {"uid":"nela.kos@acme.example","firstName":"Nela","lastName":"Kos"}`,
				"POST " + pathLegacyUserRoles + "?user_uuid=" + testUUID + ` {"roleIds":["event_viewer","help_desk"]}`,
			},
		},
		{
			"update", func(a *adapter) error {
				_, _, err := a.UpdateUser(t.Context(), testLogin, provision.UserPatch{LastName: &last})
				return err
			},
			[]string{
				oldID, oldRecord, oldHeld, oldNames,
				"PATCH " + pathLegacyUsers + "?user_uuid=" + testUUID + ` {"firstName":"Nela","lastName":"Kos-Vuk"}`,
			},
		},
		{
			"delete", func(a *adapter) error { _, err := a.DeleteUser(t.Context(), testLogin); return err },
			[]string{oldID, oldRecord, "DELETE " + pathLegacyUsers + "?user_uuid=" + testUUID},
		},
		{
			"roles", func(a *adapter) error {
				roles, err := a.Roles(t.Context())
				assert.Equal(t, []provision.Role{
					{ID: "event_viewer", Name: "Event Viewer", Description: "d", Custom: true},
					{ID: "help_desk", Name: "Help Desk", Description: "d"},
				}, roles)
				return err
			},
			[]string{"GET " + pathLegacyRoleIDs, "GET " + pathLegacyUserRoles + "?ids=event_viewer&ids=help_desk"},
		},
		{
			"swap", func(a *adapter) error {
				got, err := a.ChangeRoles(t.Context(), testLogin, provision.RoleChange{
					Grant: []string{"event_viewer"}, Exact: true, Options: provision.Options{"cid": testCID},
				})
				assert.Equal(t, []string{"event_viewer"}, got.User.DirectRoles())
				return err
			},
			[]string{
				oldID, oldRecord, oldHeld, "POST " + pathLegacyUserRoles + "?user_uuid=" + testUUID + ` {"roleIds":["event_viewer"]}`,
				"DELETE " + pathLegacyUserRoles + "?ids=help_desk&user_uuid=" + testUUID,
			},
		},
		{
			"validate", func(a *adapter) error {
				err := a.ValidateCreate(t.Context(), provision.UserSpec{Login: testLogin})
				assert.ErrorIs(t, err, provision.ErrExists)
				return nil
			},
			[]string{oldID},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := old(t)
			require.NoError(t, tt.do(c.connect(set("api", "legacy"))))
			assert.Equal(t, tt.want, c.asked())
		})
		t.Run(tt.name+", found out", func(t *testing.T) {
			c := old(t)
			a := c.connect()
			require.NoError(t, tt.do(a))
			assert.Contains(t, c.asked()[0], "/user-management/")
			assert.Equal(t, tt.want, c.asked()[1:])
			c.forget()
			require.NoError(t, tt.do(a))
			assert.Equal(t, tt.want, c.asked(), "once found out it stays so")
		})
	}
}

func TestLegacyRefusesBeforeAnythingIsSent(t *testing.T) {
	later := time.Now().Add(time.Hour)
	elsewhere := provision.Options{"cid": otherCID}
	for name, do := range map[string]func(a *adapter) error{
		"grant for a while": func(a *adapter) error {
			_, err := a.ChangeRoles(t.Context(), testLogin, provision.RoleChange{Grant: []string{"x"}, Expires: later})
			return err
		},
		"create for a while": func(a *adapter) error {
			_, err := a.CreateUser(t.Context(), provision.UserSpec{Login: testLogin, Roles: []string{"x"}, Expires: later})
			return err
		},
		"create in a CID": func(a *adapter) error {
			_, err := a.CreateUser(t.Context(), provision.UserSpec{Login: testLogin, Options: elsewhere})
			return err
		},
		"reset": func(a *adapter) error { return a.Reset(t.Context(), testLogin, provision.CredentialMFA) },
	} {
		c := old(t)
		require.ErrorIs(t, do(c.connect(set("api", "legacy"))), provision.ErrUnsupported, name)
		assert.Empty(t, c.asked(), name)
		require.ErrorIs(t, do(c.connect()), provision.ErrUnsupported, "%s, found out", name)
		for _, a := range c.asked() {
			assert.Contains(t, a, "/user-management/", "%s: the only thing sent", name)
		}
	}
	c := old(t)
	_, err := c.connect(set("api", "legacy")).ChangeRoles(t.Context(), testLogin, provision.RoleChange{Grant: []string{"x"}, Options: elsewhere})
	require.ErrorIs(t, err, provision.ErrUnsupported)
	assert.Len(t, c.asked(), 3, "reads only")
}

func TestLegacyNotFound(t *testing.T) {
	c := old(t).always("GET "+pathLegacyUserID, no(404, "not found"))
	_, err := c.connect(set("api", "legacy")).User(t.Context(), testLogin)
	require.ErrorIs(t, err, provision.ErrNotFound)
	require.NoError(t, c.connect(set("api", "legacy")).ValidateCreate(t.Context(), provision.UserSpec{Login: testLogin}))
}

func TestLegacyListsInChunks(t *testing.T) {
	var all []any
	for i := range 250 {
		all = append(all, fmt.Sprintf("00000000-0000-4000-8000-%012d", i))
	}
	c := old(t).always("GET "+pathLegacyUserIDs, ok(all...)).on("GET "+pathLegacyUsers, func(a asked) reply {
		var list []any
		for _, id := range parse(t, a.query)["ids"] {
			list = append(list, map[string]any{"customer": testCID, "uid": id + "@acme.example", "uuid": id})
		}
		return ok(list...)
	})
	n := 0
	for _, err := range c.connect(set("api", "legacy")).Users(t.Context(), provision.Filter{NoRoles: true}) {
		require.NoError(t, err)
		n++
	}
	assert.Equal(t, 250, n)
	assert.Len(t, c.asked(), 1+3)
}

// The families are not mixed: a tenant that has shown the modern one is not
// asked for the legacy one, and a setting is kept to.
func TestFamilyIsSettledOnce(t *testing.T) {
	c := one(t).always("POST "+pathUsers, made(person(testUUID, testLogin)))
	delete(c.routes, "POST "+pathRoleActions)
	for route, answer := range old(t).routes {
		c.on(route, answer)
	}
	u, err := c.connect().CreateUser(t.Context(), provision.UserSpec{Login: testLogin, Roles: []string{"help_desk"}})
	require.ErrorIs(t, err, provision.ErrPartial)
	require.ErrorIs(t, err, provision.ErrInternal)
	assert.Equal(t, testUUID, u.ID)
	assert.Len(t, c.asked(), 2)

	c = old(t)
	_, err = c.connect(set("api", "modern")).User(t.Context(), testLogin)
	e := problem(t, err)
	assert.Equal(t, provision.ErrInternal, e.Kind)
	assert.Contains(t, err.Error(), "no such operation")
	assert.Contains(t, e.Hint, "api")
	assert.Len(t, c.asked(), 1)

	c = old(t).always("GET "+pathUserIDs, no(404, "user not found"))
	_, err = c.connect().User(t.Context(), testLogin)
	require.ErrorIs(t, err, provision.ErrNotFound, "a 404 of the service is no missing route")
	assert.Len(t, c.asked(), 1)

	c = old(t).always("GET "+pathUserIDs, reply{status: 404, body: "<html>"})
	_, err = c.connect().User(t.Context(), testLogin)
	require.NoError(t, err, "a 404 that is not JSON is one")
}
