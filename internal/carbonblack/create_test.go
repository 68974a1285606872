package carbonblack_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

const tomas = "Tomas.Keller@example.com"

func TestCreateInvites(t *testing.T) {
	x := open(t)
	end := time.Now().Add(48 * time.Hour)
	u, err := x.CreateUser(t.Context(), provision.UserSpec{
		Login: tomas, FirstName: "Tomas", Roles: []string{level1, socTriage}, Expires: end,
		Options: provision.Options{"auth-method": "saml"},
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"POST users", "GET users"}, x.sent())
	assert.Equal(t, provision.StatusInvited, u.Status)
	assert.Empty(t, u.ID)
	assert.Equal(t, tomas, u.Login)
	assert.Equal(t, "SAML", u.Extra["auth-method"])

	pending := x.state().Pending[1]
	assert.Equal(t, tomas, pending.Email)
	assert.Equal(t, level1, pending.RoleURN, "the first role")
	assert.Equal(t, []string{level1, socTriage}, pending.Profiles[0].Roles, "all roles")

	require.NoError(t, x.server.Activate(tomas))
	got := x.user(tomas)
	assert.Equal(t, u.Roles, got.Roles, "roles as announced, their end included")
	assert.Equal(t, end.UTC().Truncate(time.Second), *got.Roles[0].ExpiresAt)
}

func TestCreateListed(t *testing.T) {
	x := open(t, "instant-activation=on")
	u, err := x.CreateUser(t.Context(), provision.UserSpec{Login: tomas, Roles: []string{level1}})
	require.NoError(t, err)
	assert.Equal(t, []string{"POST users", "GET users", "POST _fetch"}, x.sent())
	assert.Equal(t, provision.StatusActive, u.Status)
	assert.Equal(t, x.user(tomas), u)

	x = open(t, "instant-activation=with-id")
	u, err = x.CreateUser(t.Context(), provision.UserSpec{Login: tomas})
	require.NoError(t, err)
	assert.Equal(t, []string{"POST users", "GET users"}, x.sent(), "without roles there is no grant to look at")
	assert.Equal(t, "6100601", u.ID)
}

// TestCreateStandsWithoutALook is about looks that fail after the invitation
// was accepted.
func TestCreateStandsWithoutALook(t *testing.T) {
	x := open(t)
	require.NoError(t, x.server.Fault(mock.Fault{Method: "GET", Path: "/users", Action: "403"}))
	u, err := x.CreateUser(t.Context(), provision.UserSpec{Login: tomas, Roles: []string{level1}})
	require.NoError(t, err)
	assert.Equal(t, provision.StatusInvited, u.Status)

	x = open(t, "instant-activation=on")
	require.NoError(t, x.server.Fault(mock.Fault{Method: "POST", Path: "/_fetch", Action: "403"}))
	u, err = x.CreateUser(t.Context(), provision.UserSpec{Login: tomas, Roles: []string{level1}})
	require.NoError(t, err)
	assert.Equal(t, provision.StatusActive, u.Status)
	assert.Equal(t, []string{level1}, u.DirectRoles())
}

// TestCreateWithoutTheRole is about a vendor that takes the invitation and
// leaves the roles behind.
func TestCreateWithoutTheRole(t *testing.T) {
	p := newReplay(t)
	p.answer("POST", usersPath, 201, `{"success":true,"registration_status":"SUCCESS","login_id":"6100502"}`)
	p.list(leaRow)
	p.answer("POST", fetchPath, 200, none)
	u, err := p.adapter(nil).CreateUser(t.Context(), provision.UserSpec{Login: lea, Roles: []string{level1}})
	require.ErrorIs(t, err, provision.ErrPartial)
	require.ErrorIs(t, err, provision.ErrUncertain, "asking for the role again may help")
	assert.Equal(t, "6100502", u.ID)
	assert.Empty(t, u.Roles)
}

func TestCreateRefused(t *testing.T) {
	tests := []struct {
		name, login string
		switches    []string
		want        provision.Kind
		says        string
	}{
		{"listed", "INES.duarte@example.com", nil, provision.ErrExists, "pending here"},
		{"listed, 201", ines, []string{"duplicate-status=201"}, provision.ErrExists, "another organisation"},
		{"confirmed, 200", ines, []string{"duplicate-status=200", "duplicate-code=REGISTRATION_ALREADY_CONFIRMED"}, provision.ErrExists, ""},
		{"invited", nadia, nil, provision.ErrExists, ""},
		{"elsewhere", "guest.auditor@example.com", nil, provision.ErrExists, ""},
		{"domain", "a@elsewhere.test", nil, provision.ErrInvalid, "domain"},
		{"domain, 400", "a@elsewhere.test", []string{"rejected-status=400"}, provision.ErrInvalid, "domain"},
		{"device", tomas, []string{"create-failure=DEVICE_ALREADY_REGISTERED"}, provision.ErrConflict, ""},
		{"vendor's fault", tomas, []string{"create-failure=ERROR"}, provision.ErrUncertain, ""},
		{"unknown", tomas, []string{"create-failure=FAILURE"}, provision.ErrUncertain, ""},
		{"errorMessage", tomas, []string{"error-message-on-2xx=writes"}, provision.ErrUncertain, "not carried out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := open(t, tt.switches...)
			_, err := x.CreateUser(t.Context(), provision.UserSpec{Login: tt.login, Roles: []string{level1}})
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, tt.says)
			assert.Equal(t, []string{"POST users"}, x.sent())
			assert.Len(t, x.state().Pending, 1)
		})
	}
}

// TestCreateForbidden tells a role that the key cannot hand out from a
// permission that is missing.
func TestCreateForbidden(t *testing.T) {
	x := open(t, "role-scope="+viewAll)
	_, err := x.CreateUser(t.Context(), provision.UserSpec{Login: tomas, Roles: []string{viewAll, level1}})
	require.ErrorIs(t, err, provision.ErrNotFound)
	require.ErrorContains(t, err, level1)
	assert.Equal(t, []string{"POST users", "GET permitted"}, x.sent())

	_, err = x.CreateUser(t.Context(), provision.UserSpec{Login: tomas, Roles: []string{level1}})
	require.ErrorIs(t, err, provision.ErrNotFound)
	assert.Equal(t, []string{"POST users"}, x.sent(), "the roles are known by now")

	require.NoError(t, x.server.Fault(mock.Fault{Method: "POST", Path: "/users", Action: "403"}))
	_, err = x.CreateUser(t.Context(), provision.UserSpec{Login: tomas, Roles: []string{viewAll}})
	require.ErrorIs(t, err, provision.ErrForbidden)
}

func TestEndThatHasPassed(t *testing.T) {
	x := open(t)
	end := time.Now().Add(-time.Hour)
	_, err := x.CreateUser(t.Context(), provision.UserSpec{Login: tomas, Roles: []string{level1}, Expires: end})
	require.ErrorIs(t, err, provision.ErrInvalid)
	_, err = x.ChangeRoles(t.Context(), lea, provision.RoleChange{Grant: []string{level1}, Expires: end})
	require.ErrorIs(t, err, provision.ErrInvalid)
	assert.Empty(t, x.sent())
}
