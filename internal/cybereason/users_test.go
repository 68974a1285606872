package cybereason_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

func TestUser(t *testing.T) {
	c := newConsole(t)
	u, err := c.adapter().User(t.Context(), "FIELD.team@north.example")
	require.NoError(t, err)
	assert.Equal(t, provision.User{
		ID: fieldTeam, Login: fieldTeam, Status: provision.StatusUnknown,
		Roles: []provision.HeldRole{
			{ID: "local_analyst_l1", Name: "Local Analyst L1", Direct: true}, {ID: "super_custom_7", Name: "super_custom_7", Direct: true},
		},
		Created: time.UnixMilli(1722000000000).UTC(),
		Extra: map[string]any{
			"totp-enabled": false, "change-password-on-next-login": false, "daily-notifications": false, "allowed-login-method": "PASSWORD",
			"groups": []string{"3f0c7a52-8d1e-4b7e-9f6a-2c5d90e1ab34", "b81d4f06-52c9-4f0a-8e37-d6a9c0174e25"},
		},
	}, u)
}

func TestUsersWithoutKeys(t *testing.T) {
	c := newConsole(t)
	users, err := all(c.adapter().Users(t.Context(), provision.Filter{}))
	require.NoError(t, err)
	assert.NotContains(t, fmt.Sprintf("%+v", users), canary)
}

func TestUsersMany(t *testing.T) {
	c := newConsole(t, "list-size", "5000")
	users, err := all(c.adapter().Users(t.Context(), provision.Filter{}))
	require.NoError(t, err)
	assert.Len(t, users, 5000)
}

func TestUsersInTwoSpellings(t *testing.T) {
	c := newConsole(t, "list-two-spellings", "on")
	a := c.adapter()
	users, err := all(a.Users(t.Context(), provision.Filter{}))
	require.NoError(t, err)
	assert.Len(t, users, 7)
	_, err = a.User(t.Context(), mara)
	require.ErrorIs(t, err, provision.ErrConflict)
	_, _, err = a.UpdateUser(t.Context(), mara, options("daily-notifications", "false"))
	require.ErrorIs(t, err, provision.ErrConflict)
	require.NoError(t, a.GuardRemoval(t.Context(), mara, provision.RoleChange{All: true}), "the change itself says so")
	assert.Zero(t, c.count("writes"))
}

func options(name, value string) provision.UserPatch {
	return provision.UserPatch{Options: provision.Options{name: value}}
}

// The vendor's own example, as one command.
func TestCreateResponder(t *testing.T) {
	c := newConsole(t)
	a := c.signedIn()
	u, err := a.CreateUser(t.Context(), newSpec("ir.lead+night@My-Company.com", "responder_l2"))
	require.NoError(t, err)
	assert.Equal(t, []map[string]any{{
		"username": "ir.lead+night@my-company.com", "password": "***", "roles": []any{"responder_l2"}, "changePasswordOnNextLogin": false,
		"totpEnabled": true, "isDailyNotifications": false, "allowedLoginMethod": "PASSWORD",
	}}, c.bodies(http.MethodPost))
	assert.Equal(t, []string{"POST /rest/users/ir.lead+night@my-company.com", "GET /rest/users"}, c.requests())
	assert.Equal(t, "ir.lead+night@my-company.com", u.Login)
	assert.Equal(t, []string{"responder_l2"}, u.DirectRoles())
	assert.False(t, u.Created.IsZero())
}

func TestCreateWithOptions(t *testing.T) {
	c := newConsole(t)
	spec := newSpec("Ada.L@example.com", "local_analyst_l1", "executive", "local_analyst_l1")
	spec.Options = provision.Options{
		"totp-enabled": "false", "allowed-login-method": "SSO", "change-password-on-next-login": "1", "daily-notifications": "true",
		"groups": "b81d4f06, 3f0c7a52,",
	}
	u, err := c.adapter().CreateUser(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, "Ada.L@example.com", u.Login, "case of the part before the @ is kept")
	assert.Equal(t, map[string]any{
		"totp-enabled": false, "allowed-login-method": "SSO", "change-password-on-next-login": true, "daily-notifications": true,
		"groups": []string{"b81d4f06", "3f0c7a52"},
	}, u.Extra)
	assert.Equal(t, []string{"executive", "local_analyst_l1"}, u.DirectRoles())
}

func TestCreateRefusedBeforeSending(t *testing.T) {
	c := newConsole(t)
	a := c.adapter()
	with := func(change func(*provision.UserSpec)) provision.UserSpec {
		spec := newSpec("ada@example.com", "responder_l2")
		change(&spec)
		return spec
	}
	for name, tt := range map[string]struct {
		spec provision.UserSpec
		kind provision.Kind
		hint string
	}{
		"no password":      {with(func(s *provision.UserSpec) { s.Password = provision.Secret{} }), provision.ErrUsage, "--generate-password"},
		"roles that end":   {with(func(s *provision.UserSpec) { s.Expires = time.Now().Add(time.Hour) }), provision.ErrUnsupported, ""},
		"excluding roles":  {with(func(s *provision.UserSpec) { s.Roles = append(s.Roles, "sensor_admin_l1") }), provision.ErrInvalid, "one of them"},
		"no second factor": {with(func(s *provision.UserSpec) { s.Options = provision.Options{"totp-enabled": "false"} }), provision.ErrInvalid, "--set cybereason.totp-enabled=true"},
		"strange method":   {with(func(s *provision.UserSpec) { s.Options = provision.Options{"allowed-login-method": "sso"} }), provision.ErrUsage, ""},
		"strange bool":     {with(func(s *provision.UserSpec) { s.Options = provision.Options{"totp-enabled": "on"} }), provision.ErrUsage, ""},
		"strange option":   {with(func(s *provision.UserSpec) { s.Options = provision.Options{"locale": "de"} }), provision.ErrUsage, ""},
		"other endpoint":   {with(func(s *provision.UserSpec) { s.Login = "current" }), provision.ErrInvalid, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.CreateUser(t.Context(), tt.spec)
			e := asError(t, err)
			assert.Equal(t, tt.kind, e.Kind)
			assert.Contains(t, e.Hint, tt.hint)
			assert.Empty(t, c.requests())
		})
	}
	spec := with(func(s *provision.UserSpec) {
		s.Options = provision.Options{"totp-enabled": "false", "allowed-login-method": "SSO"}
	})
	_, err := a.CreateUser(t.Context(), spec)
	assert.NoError(t, err, "single sign-on will do")
}

func TestCreateRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		switches []string
		login    string
		password string
		kind     provision.Kind
		code     string
	}{
		"taken":          {nil, "mara.holt@example.com", firstPassword, provision.ErrExists, "userExists"},
		"foreign domain": {nil, "ada@example.org", firstPassword, provision.ErrInvalid, "badUsername"},
		"weak":           {nil, "ada@example.com", "weak-canary", provision.ErrInvalid, "badStrictPassword"},
		"short":          {[]string{"password-rule", "basic"}, "ada@example.com", "canary", provision.ErrInvalid, "badBasicPassword"},
		"not allowed":    {[]string{"next-code", "actionNotAllowed"}, "ada@example.com", firstPassword, provision.ErrInvalid, "actionNotAllowed"},
		"failed":         {[]string{"next-code", "actionFailed"}, "ada@example.com", firstPassword, provision.ErrInvalid, "actionFailed"},
		"general error":  {[]string{"next-code", "errorOccured"}, "ada@example.com", firstPassword, provision.ErrUncertain, "errorOccured"},
		"other case":     {[]string{"next-code", "USEREXISTS"}, "ada@example.com", firstPassword, provision.ErrExists, "userExists"},
		"other spelling": {[]string{"next-code", "errorOccurred"}, "ada@example.com", firstPassword, provision.ErrUncertain, "errorOccured"},
		"unknown code":   {[]string{"next-code", "licence\x1b[2J used up"}, "ada@example.com", firstPassword, provision.ErrInternal, "licence [2J used up"},
		"unknown role":   {nil, "unknown-role@example.com", firstPassword, provision.ErrNotFound, ""},
		"echo":           {[]string{"next-code", "bad " + firstPassword}, "ada@example.com", firstPassword, provision.ErrInternal, "bad [redacted]"},
	} {
		for _, form := range []string{"quoted", "bare", "400"} {
			t.Run(name+" "+form, func(t *testing.T) {
				c := newConsole(t, append(tt.switches, "write-reply", form)...)
				if tt.kind == provision.ErrInternal && form != "quoted" {
					t.Skip("only a string is a result for sure")
				}
				a := c.signedIn()
				spec := newSpec(tt.login, "analyst_l1")
				if name == "unknown role" {
					spec.Roles = []string{"analyst_l1", "analyst_l9"}
				}
				spec.Password = provision.NewSecret(tt.password)
				_, err := a.CreateUser(t.Context(), spec)
				e := asError(t, err)
				assert.Equal(t, tt.kind, e.Kind, "%v", err)
				assert.Equal(t, tt.code, e.Code)
				assert.NotContains(t, err.Error(), tt.password)
				assert.Equal(t, []string{"POST /rest/users/" + tt.login}, c.requests())
				assert.Zero(t, c.count("writes"))
			})
		}
	}
}

// Whatever the form of the answer, what was done is reported as done.
func TestCreateReplies(t *testing.T) {
	for _, form := range []string{"quoted", "bare", "empty", "204", "400"} {
		t.Run(form, func(t *testing.T) {
			c := newConsole(t, "write-reply", form)
			u, err := c.adapter().CreateUser(t.Context(), newSpec("ada@example.com", "analyst_l1"))
			require.NoError(t, err)
			assert.Equal(t, "ada@example.com", u.Login)
		})
	}
	c := newConsole(t, "write-reply", "500")
	_, err := c.adapter().CreateUser(t.Context(), newSpec("ada@example.com", "analyst_l1"))
	require.ErrorIs(t, err, provision.ErrUncertain)

	c = newConsole(t, "write-reply", "empty")
	a := c.adapter()
	_, err = a.CreateUser(t.Context(), newSpec(night, "analyst_l3", "sensors_viewer"))
	require.ErrorIs(t, err, provision.ErrExists, "an empty answer does not say whose account it is, its age does")
	_, err = a.CreateUser(t.Context(), newSpec("ada@example.org", "analyst_l1"))
	require.ErrorIs(t, err, provision.ErrUncertain)
	assert.Equal(t, []time.Duration{time.Second, time.Second}, c.clock.sleeps(), "it is looked for three times")

	c = newConsole(t)
	c.fault(mock.Fault{Method: http.MethodPost, Path: "/rest/", Action: "html"})
	_, err = c.adapter().CreateUser(t.Context(), newSpec("ada@example.com", "analyst_l1"))
	e := asError(t, err)
	assert.Equal(t, provision.ErrUncertain, e.Kind)
	assert.Contains(t, e.Message, "Sign in to the network")
}

func TestCreateShownLate(t *testing.T) {
	for reads, want := range map[string]provision.Kind{"1": "", "2": "", "3": provision.ErrUncertain} {
		c := newConsole(t, "visibility-reads", reads)
		u, err := c.adapter().CreateUser(t.Context(), newSpec("ada@example.com", "analyst_l1"))
		assert.Equal(t, 1, c.count("writes"))
		if want != "" {
			assert.Equal(t, want, asError(t, err).Kind)
			assert.Contains(t, err.Error(), "does not show it")
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, "ada@example.com", u.ID)
	}
}

// Once the console has said "success", that it cannot be read is no failure.
func TestCreateUnread(t *testing.T) {
	c := newConsole(t)
	a := c.signedIn()
	c.fault(mock.Fault{Method: http.MethodGet, Path: "/rest/users", Action: "403", Count: -1})
	u, err := a.CreateUser(t.Context(), newSpec("ada@example.com", "analyst_l1"))
	require.NoError(t, err)
	assert.Equal(t, []string{"analyst_l1"}, u.DirectRoles())
	assert.Contains(t, c.log.String(), "could not be read afterwards")
	c.set("write-reply", "empty")
	_, err = a.CreateUser(t.Context(), newSpec("eve@example.com", "analyst_l1"))
	require.ErrorIs(t, err, provision.ErrUncertain)
	assert.ErrorIs(t, err, provision.ErrForbidden, "and why")
}

func TestUpdate(t *testing.T) {
	for name, tt := range map[string]struct{ value, key string }{
		"daily-notifications":           {"true", "isDailyNotifications"},
		"change-password-on-next-login": {"true", "changePasswordOnNextLogin"},
		"totp-enabled":                  {"true", "totpEnabled"},
		"allowed-login-method":          {"SSO", "allowedLoginMethod"},
		"groups":                        {"b81d4f06-52c9-4f0a-8e37-d6a9c0174e25", "groups"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, "put-unsent", "default", "stale", "check")
			a := c.signedIn()
			before := c.record(fieldTeam)
			u, changed, err := a.UpdateUser(t.Context(), fieldTeam, options(name, tt.value))
			require.NoError(t, err)
			assert.True(t, changed)
			assert.Equal(t, []string{"GET /rest/users", "PUT /rest/users/" + fieldTeam, "GET /rest/users"}, c.requests())
			after := c.record(fieldTeam)
			assert.NotEqual(t, before[tt.key], after[tt.key])
			for _, key := range []string{tt.key, "totpSid", "totpKeyShown"} {
				delete(before, key)
				delete(after, key)
			}
			assert.Equal(t, before, after, "everything else")
			assert.Equal(t, []string{"local_analyst_l1", "super_custom_7"}, u.DirectRoles())

			_, changed, err = a.UpdateUser(t.Context(), fieldTeam, options(name, tt.value))
			require.NoError(t, err)
			assert.False(t, changed)
			assert.Equal(t, 1, c.count("writes"))
		})
	}
}

func TestUpdateRefused(t *testing.T) {
	c := newConsole(t)
	a := c.adapter()
	_, _, err := a.UpdateUser(t.Context(), irLead, options("totp-enabled", "false"))
	e := asError(t, err)
	assert.Equal(t, provision.ErrInvalid, e.Kind)
	assert.Contains(t, e.Hint, "responder_l2")
	both := provision.UserPatch{Options: provision.Options{"totp-enabled": "false", "allowed-login-method": "SSO"}}
	_, _, err = a.UpdateUser(t.Context(), irLead, both)
	assert.NoError(t, err)
}

func TestDelete(t *testing.T) {
	for _, form := range []string{"quoted", "bare", "empty", "204", "400"} {
		c := newConsole(t, "write-reply", form)
		a := c.signedIn()
		gone, err := a.DeleteUser(t.Context(), "SOC+night@example.com")
		require.NoError(t, err)
		assert.Equal(t, provision.Removal{ID: night, Deleted: true, Revoked: []string{"analyst_l3", "sensors_viewer"}}, gone)
		assert.Equal(t, []string{"GET /rest/users", "DELETE /rest/users/" + night, "GET /rest/users"}, c.requests())
		assert.Nil(t, c.record(night))
	}
	c := newConsole(t, "next-code", "userNotFound")
	_, err := c.adapter().DeleteUser(t.Context(), night)
	require.ErrorIs(t, err, provision.ErrNotFound, "somebody was faster")

	c = newConsole(t, "visibility-reads", "3")
	_, err = c.adapter().DeleteUser(t.Context(), night)
	require.ErrorIs(t, err, provision.ErrUncertain)
}

// Many changes cost two requests each once a list is there.
func TestRequestsOfMany(t *testing.T) {
	c := newConsole(t, "list-size", "12")
	a := c.signedIn()
	users, err := all(a.Users(t.Context(), provision.Filter{}))
	require.NoError(t, err)
	c.requests()
	for _, u := range users[6:] {
		require.NoError(t, a.GuardRemoval(t.Context(), u.Login, provision.RoleChange{All: true}))
	}
	for _, u := range users[6:] {
		_, err := a.DeleteUser(t.Context(), u.Login)
		require.NoError(t, err)
	}
	assert.Len(t, c.requests(), 1+2*6)
}
