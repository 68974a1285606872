package cybereason_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/cybereason"
	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

func TestRoles(t *testing.T) {
	c := newConsole(t)
	roles, err := c.adapter().Roles(t.Context())
	require.NoError(t, err)
	assert.Len(t, roles, 16)
	assert.Empty(t, c.requests())
	for name, want := range map[string]string{
		"system_admin": "sys_admin", "responder_l1": "responder", "policy_admin": "policies_admin", "sensor_viewer": "sensors_viewer",
		"API_user": "api", "System Admin": "sys_admin", "responder l2": "responder_l2", "hdl analyst": "analyst_hdl",
	} {
		r, err := provision.FindRole(roles, name)
		require.NoError(t, err, name)
		assert.Equal(t, want, r.ID)
	}
	_, err = provision.FindRole(roles, "super_custom_7")
	assert.ErrorIs(t, err, provision.ErrNotFound)
}

func TestChangeRoles(t *testing.T) {
	for name, tt := range map[string]struct {
		login            string
		change           provision.RoleChange
		want             []any
		granted, revoked []string
	}{
		"grant":       {fieldTeam, grant("executive"), []any{"local_analyst_l1", "super_custom_7", "executive"}, []string{"executive"}, []string{}},
		"grant two":   {fieldTeam, grant("sys_admin", "api", "sys_admin"), []any{"local_analyst_l1", "super_custom_7", "sys_admin", "api"}, []string{"api", "sys_admin"}, []string{}},
		"revoke":      {fieldTeam, revoke("local_analyst_l1", "api"), []any{"super_custom_7"}, []string{}, []string{"local_analyst_l1"}},
		"revoke last": {"new.starter@my-company.com", revoke("analyst_l1"), []any{}, []string{}, []string{"analyst_l1"}},
		"revoke all":  {fieldTeam, provision.RoleChange{All: true}, []any{}, []string{}, []string{"local_analyst_l1", "super_custom_7"}},
		"set":         {fieldTeam, provision.RoleChange{Exact: true, Grant: []string{"api"}}, []any{"api"}, []string{"api"}, []string{"local_analyst_l1", "super_custom_7"}},
		"swap what excludes each other": {
			irLead,
			provision.RoleChange{Exact: true, Grant: []string{"sensor_admin_l1"}},
			[]any{"sensor_admin_l1"},
			[]string{"sensor_admin_l1"},
			[]string{"executive", "responder_l2"},
		},
		"escaped plus": {night, grant("api"), []any{"analyst_l3", "sensors_viewer", "api"}, []string{"api"}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, "put-unsent", "default", "stale", "check")
			a := c.signedIn()
			before := c.record(tt.login)
			got, err := a.ChangeRoles(t.Context(), tt.login, tt.change)
			require.NoError(t, err)
			assert.Equal(t, tt.granted, append([]string{}, got.Granted...))
			assert.Equal(t, tt.revoked, append([]string{}, got.Revoked...))
			assert.Equal(t, []string{"GET /rest/users", "PUT /rest/users/" + tt.login, "GET /rest/users"}, c.requests())
			before["roles"] = tt.want
			assert.Equal(t, before, c.record(tt.login), "nothing else is touched")

			got, err = a.ChangeRoles(t.Context(), tt.login, tt.change)
			require.NoError(t, err)
			assert.False(t, got.Changed())
			assert.Equal(t, 1, c.count("writes"))
		})
	}
}

func TestRoleRules(t *testing.T) {
	v := cybereason.Vendor()
	user := func(totp bool, method string, ids ...string) provision.User {
		u := provision.User{Extra: map[string]any{"totp-enabled": totp, "allowed-login-method": method}}
		for _, id := range ids {
			u.Roles = append(u.Roles, provision.HeldRole{ID: id, Direct: true})
		}
		return u
	}
	for name, tt := range map[string]struct {
		user   provision.User
		change provision.RoleChange
		kind   provision.Kind
		hint   string
	}{
		"beside what is held":      {user(true, "PASSWORD", "sensor_admin_l1"), grant("responder_l2"), provision.ErrInvalid, "revoke sensor_admin_l1 first"},
		"the other way round":      {user(true, "PASSWORD", "responder_l2"), grant("api", "local_analyst_l2"), provision.ErrInvalid, "revoke responder_l2 first"},
		"both at once":             {user(true, "PASSWORD"), grant("responder_l2", "local_analyst_l1"), provision.ErrInvalid, "one of them"},
		"one for the other":        {user(true, "PASSWORD", "sensor_admin_l1"), provision.RoleChange{Grant: []string{"responder_l2"}, Exact: true}, "", ""},
		"held both already":        {user(true, "PASSWORD", "responder_l2", "sensor_admin_l1"), grant("api"), "", ""},
		"no second factor":         {user(false, "PASSWORD"), grant("responder_l2"), provision.ErrInvalid, "--set cybereason.totp-enabled=true"},
		"single sign-on":           {user(false, "SSO"), grant("responder_l2"), "", ""},
		"held without a factor":    {user(false, "PASSWORD", "responder_l2"), grant("api"), "", ""},
		"nothing told of a factor": {provision.User{}, grant("responder_l2"), "", ""},
		"roles that end":           {user(true, "PASSWORD"), provision.RoleChange{Grant: []string{"api"}, Expires: time.Now()}, provision.ErrUnsupported, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Plan(tt.user, tt.change)
			if tt.kind == "" {
				require.NoError(t, err)
				return
			}
			e := asError(t, err)
			assert.Equal(t, tt.kind, e.Kind)
			assert.Contains(t, e.Hint, tt.hint)
		})
	}
	c := newConsole(t)
	_, err := c.adapter().ChangeRoles(t.Context(), irLead, grant("local_analyst_l1"))
	require.ErrorIs(t, err, provision.ErrInvalid)
	assert.NotContains(t, c.requests(), "PUT /rest/users/"+irLead)
}

// What the console rules out and edrctl does not know of.
func TestRolesRuledOut(t *testing.T) {
	for _, code := range []string{"actionNotAllowed", "actionFailed"} {
		c := newConsole(t, "next-code", code)
		_, err := c.adapter().ChangeRoles(t.Context(), night, grant("api"))
		e := asError(t, err)
		assert.Equal(t, provision.ErrInvalid, e.Kind)
		assert.Contains(t, e.Hint, "exclude each other")
	}
	c := newConsole(t)
	_, err := c.adapter().ChangeRoles(t.Context(), night, grant("analyst_l9"))
	e := asError(t, err)
	assert.Equal(t, provision.ErrNotFound, e.Kind)
	assert.Contains(t, e.Message, "unknown role analyst_l9")

	c = newConsole(t, "unknown-role", "accept")
	got, err := c.adapter().ChangeRoles(t.Context(), night, grant("analyst_l9"))
	require.NoError(t, err)
	assert.Contains(t, got.User.DirectRoles(), "analyst_l9")
}

func TestRolesReplies(t *testing.T) {
	for _, form := range []string{"quoted", "bare", "empty", "204", "400"} {
		c := newConsole(t, "write-reply", form)
		got, err := c.adapter().ChangeRoles(t.Context(), night, grant("api"))
		require.NoError(t, err, form)
		assert.Equal(t, []string{"api"}, got.Granted)
	}
	c := newConsole(t, "write-reply", "500")
	got, err := c.adapter().ChangeRoles(t.Context(), night, grant("api"))
	require.ErrorIs(t, err, provision.ErrUncertain)
	assert.Equal(t, []string{"api"}, got.Granted, "what was sent")

	c = newConsole(t, "write-reply", "empty", "next-code", "actionFailed")
	_, err = c.adapter().ChangeRoles(t.Context(), night, grant("api"))
	require.ErrorIs(t, err, provision.ErrUncertain)

	c = newConsole(t, "next-code", "userNotChanged")
	_, err = c.adapter().ChangeRoles(t.Context(), night, grant("api"))
	require.ErrorIs(t, err, provision.ErrConflict, "the console contradicts itself")

	for reads, kind := range map[string]provision.Kind{"2": provision.ErrInternal, "3": provision.ErrUncertain} {
		c = newConsole(t, "visibility-reads", reads)
		got, err = c.adapter().ChangeRoles(t.Context(), night, grant("api"))
		if err != nil {
			assert.Equal(t, kind, provision.KindOf(err))
		}
		assert.Equal(t, []string{"api"}, got.Granted)
	}
}

func TestRolesWithAPassword(t *testing.T) {
	for _, form := range []string{"quoted", "bare", "400"} {
		c := newConsole(t, "put-password", "required", "write-reply", form)
		_, err := c.adapter().ChangeRoles(t.Context(), night, grant("api"))
		e := asError(t, err)
		assert.Equal(t, provision.ErrInvalid, e.Kind)
		assert.Contains(t, e.Message, "wants a password with every change")
		assert.Contains(t, e.Hint, "in the console")
	}
}

func TestRolesStale(t *testing.T) {
	c := newConsole(t, "stale", "once")
	a := c.signedIn()
	_, err := a.ChangeRoles(t.Context(), night, grant("api"))
	require.NoError(t, err)
	put := "PUT /rest/users/" + night
	assert.Equal(t, []string{"GET /rest/users", put, "GET /rest/users", put, "GET /rest/users"}, c.requests())

	// Somebody else is always faster.
	c = newConsole(t, "stale", "once")
	a = c.adapter(func(cfg *provision.Config) { cfg.HTTP = &meddler{c} })
	_, err = a.ChangeRoles(t.Context(), night, grant("api"))
	require.ErrorIs(t, err, provision.ErrConflict)
	assert.Zero(t, c.count("writes"))
}

// meddler makes every update stale.
type meddler struct{ *console }

func (m *meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut {
		_ = m.server.Set("stale", "once")
	}
	return m.http.RoundTrip(r)
}

// A record that lacks something is not written back.
func TestRolesOfAnIncompleteRecord(t *testing.T) {
	for _, how := range []string{"on", "null"} {
		c := newConsole(t, "list-missing-roles", how)
		a := c.adapter()
		u, err := a.User(t.Context(), mara)
		require.NoError(t, err)
		assert.Empty(t, u.Roles)
		assert.Contains(t, c.log.String(), "shown without roles")
		_, err = a.ChangeRoles(t.Context(), mara, grant("api"))
		e := asError(t, err)
		assert.Equal(t, provision.ErrInvalid, e.Kind)
		assert.Contains(t, e.Message, "no roles")
		_, _, err = a.UpdateUser(t.Context(), mara, options("daily-notifications", "false"))
		require.ErrorIs(t, err, provision.ErrInvalid)
		assert.Zero(t, c.count("writes"))
	}
}

func TestGuard(t *testing.T) {
	everything := provision.RoleChange{All: true}
	c := newConsole(t)
	a := c.signedIn()
	for name, tt := range map[string]struct {
		login   string
		change  provision.RoleChange
		refused bool
	}{
		"delete ourselves":           {"SVC-edrctl@example.com", everything, true},
		"take our user_admin":        {service, revoke("user_admin"), true},
		"take our sys_admin":         {service, provision.RoleChange{Exact: true, Grant: []string{"user_admin"}}, true},
		"leave our administration":   {service, provision.RoleChange{Exact: true, Grant: []string{"user_admin", "sys_admin"}}, false},
		"give us more":               {service, grant("api"), false},
		"another administrator":      {mara, everything, false},
		"somebody":                   {night, everything, false},
		"nobody":                     {"nobody@example.com", everything, false},
		"somebody without such role": {night, revoke("user_admin"), false},
	} {
		err := a.GuardRemoval(t.Context(), tt.login, tt.change)
		if tt.refused {
			require.ErrorIs(t, err, provision.ErrRefused, name)
		} else {
			require.NoError(t, err, name)
		}
	}
	assert.Equal(t, []string{"GET /rest/users"}, c.requests(), "one list for all")
	_, err := a.ChangeRoles(t.Context(), mara, revoke("user_admin"))
	require.NoError(t, err)
	assert.Len(t, c.requests(), 2, "and for the change that follows")
}

// Reads by people are never answered from memory.
func TestReadsAreFresh(t *testing.T) {
	c := newConsole(t)
	a, other := c.adapter(), c.adapter()
	_, err := a.ChangeRoles(t.Context(), night, grant("api"))
	require.NoError(t, err)
	_, err = other.ChangeRoles(t.Context(), night, revoke("api"))
	require.NoError(t, err)
	u, err := a.User(t.Context(), night)
	require.NoError(t, err)
	assert.NotContains(t, u.DirectRoles(), "api")
	users, err := all(a.Users(t.Context(), provision.Filter{}))
	require.NoError(t, err)
	i := slices.IndexFunc(users, func(u provision.User) bool { return u.Login == night })
	assert.NotContains(t, users[i].DirectRoles(), "api")
}

func TestReadTrouble(t *testing.T) {
	for name, tt := range map[string]struct {
		fault mock.Fault
		kind  provision.Kind
		says  string
	}{
		"forbidden":    {mock.Fault{Action: "403"}, provision.ErrForbidden, ""},
		"denied":       {mock.Fault{Action: "412"}, provision.ErrForbidden, ""},
		"no such path": {mock.Fault{Action: "404"}, provision.ErrInternal, "no such operation"},
		"portal":       {mock.Fault{Action: "html", Count: -1}, provision.ErrInternal, "Sign in to the network"},
		"out of order": {mock.Fault{Action: "503", Count: -1}, provision.ErrUnavailable, "Service Unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t)
			a := c.signedIn()
			tt.fault.Path = "/rest/users"
			c.fault(tt.fault)
			_, err := a.User(t.Context(), night)
			e := asError(t, err)
			assert.Equal(t, tt.kind, e.Kind)
			assert.Contains(t, err.Error(), tt.says)
			assert.Equal(t, 1, c.count("logins"))
		})
	}
	c := newConsole(t)
	a := c.signedIn()
	for _, action := range []string{"503", "drop-before", "truncate", "html"} {
		c.fault(mock.Fault{Path: "/rest/users", Action: action})
		_, err := a.User(t.Context(), night)
		assert.NoError(t, err, "a read is tried again after %s", action)
	}
}

// After a lost answer nothing that was read before counts.
func TestLostAnswer(t *testing.T) {
	c := newConsole(t)
	a := c.signedIn()
	require.NoError(t, a.GuardRemoval(t.Context(), mara, revoke("user_admin")))
	c.fault(mock.Fault{Method: http.MethodPut, Action: "drop-after"})
	_, err := a.ChangeRoles(t.Context(), mara, revoke("user_admin"))
	require.ErrorIs(t, err, provision.ErrUncertain)
	got, err := a.ChangeRoles(t.Context(), mara, revoke("user_admin"))
	require.NoError(t, err)
	assert.False(t, got.Changed())
	assert.Equal(t, []string{"GET /rest/users", "PUT /rest/users/" + mara, "GET /rest/users"}, c.requests())
}

// TestLostAmongMany loses a deletion that was not carried out, among others that
// are looked at together later. Whoever asks again is not told of a user who is
// gone by a list from which the lost deletion had taken that user.
func TestLostAmongMany(t *testing.T) {
	c := newConsole(t)
	a := c.signedIn()
	ctx := provision.LookLater(t.Context())
	require.NoError(t, a.GuardRemoval(ctx, mara, grant()))
	c.fault(mock.Fault{Method: http.MethodDelete, Action: "drop-before"})
	_, err := a.DeleteUser(ctx, mara)
	require.ErrorIs(t, err, provision.ErrUncertain)
	got, err := a.DeleteUser(ctx, mara)
	require.NoError(t, err)
	assert.True(t, got.Deleted)
	assert.Nil(t, c.record(mara))
}
