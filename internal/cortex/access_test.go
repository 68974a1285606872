package cortex_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

func TestDelete(t *testing.T) {
	x := open(t, "auto")
	gone, err := x.p.DeleteUser(t.Context(), ada)
	require.NoError(t, err)
	assert.Equal(t, provision.Removal{ID: ada, Revoked: []string{"investigator"}}, gone)
	assert.Equal(t, []string{`{"request_data":{"status":"Disabled","role_id":"","user_groups":[]}}`}, x.bodies())
	u := x.user(ada)
	assert.Equal(t, provision.StatusDisabled, u.Status)
	assert.Empty(t, u.Roles)
	assert.Equal(t, []string{listUsers5}, x.sent(func() {
		gone, err := x.p.DeleteUser(t.Context(), ada)
		require.NoError(t, err)
		assert.Equal(t, provision.Removal{ID: ada, Unchanged: true}, gone)
	}), "again")
}

func TestWhatRemains(t *testing.T) {
	sso := provision.Residual{Kind: "role", Name: "SSO default role"}
	group := provision.Residual{Kind: "group", Name: "SOC Tier 1"}

	x := open(t, "auto", "sso-residual", "on")
	res := x.apply(plan.Options{}, plan.Change{Action: plan.DeleteUser, Login: dana})[0]
	require.NoError(t, res.Err)
	assert.Equal(t, plan.Revoked, res.Outcome)
	assert.Equal(t, []provision.Residual{group, sso}, res.Residual, "the identity provider puts her back")

	x = open(t, "auto")
	gone, err := x.p.DeleteUser(t.Context(), dana)
	require.NoError(t, err)
	assert.Equal(t, provision.Removal{ID: dana, Revoked: []string{triageID}, Residual: []provision.Residual{sso}}, gone)
	before := len(x.bodies())
	gone, err = x.p.DeleteUser(t.Context(), dana)
	require.NoError(t, err)
	assert.Equal(t, provision.Removal{ID: dana, Unchanged: true, Residual: []provision.Residual{sso}}, gone, "nothing left to take")
	assert.Len(t, x.bodies(), before)

	x = open(t, "auto", "generation", "xdr3")
	for _, revoked := range [][]string{{"Investigator"}, nil} {
		gone, err = x.p.DeleteUser(t.Context(), ada)
		require.NoError(t, err)
		assert.Equal(t, provision.Removal{ID: ada, Unchanged: revoked == nil, Revoked: revoked, Residual: []provision.Residual{group}}, gone)
	}
	assert.Equal(t, []string{`{"request_data":{"user_emails":["` + ada + `"],"role_name":""}}`}, x.bodies())
}

func TestGroups(t *testing.T) {
	join := func(groups, role string) provision.RoleChange {
		return provision.RoleChange{Grant: []string{role}, Options: provision.Options{"groups": groups}}
	}
	x := open(t, "auto")
	got, err := x.change(ada, join("Duty Managers, soc tier 1", "investigator"))
	require.NoError(t, err)
	assert.Equal(t, []string{"viewer"}, got.Granted, "what comes with the new group")
	assert.Equal(t, []string{`{"request_data":{"user_groups":["` + socTier1 + `","` + duty + `"]}}`}, x.bodies(), "the old one is kept")
	assert.Equal(t, []string{"SOC Tier 1", "Duty Managers"}, x.user(ada).Extra["groups"])

	got, err = x.change(ada, join(duty, "investigator"))
	require.NoError(t, err)
	assert.False(t, got.Changed(), "she is in it")
	assert.Len(t, x.bodies(), 1)

	got, err = x.change(bo, join(duty, "soc_lead_5190"))
	require.NoError(t, err)
	assert.Equal(t, []string{"soc_lead_5190", "viewer"}, got.Granted)
	assert.Len(t, x.bodies(), 2, "role and group at once")

	_, err = x.change(bo, join("Night Watch", "soc_lead_5190"))
	require.ErrorIs(t, err, provision.ErrInvalid)
	assert.Len(t, x.bodies(), 2)

	x = open(t, "auto", "generation", "xdr3")
	_, err = x.change(bo, join("Duty Managers", "Viewer"))
	require.ErrorIs(t, err, provision.ErrUnsupported)
	require.ErrorContains(t, err, "change roles")
	assert.Empty(t, x.bodies())

	x = open(t, "auto")
	state := stateOf(t, x)
	for _, g := range state["groups"].([]any) {
		g.(map[string]any)["role_id"] = ""
	}
	load(t, x, state)
	got, err = x.change(cy, join("Duty Managers", "viewer"))
	require.NoError(t, err)
	assert.Equal(t, []string{"group:Duty Managers"}, got.Granted, "a group without a role")
}

func TestLastAdministrator(t *testing.T) {
	bothGenerations(t, func(x *tenant, viewer string) {
		for name, c := range map[string]plan.Change{
			"delete":     {Action: plan.DeleteUser, Login: ivo},
			"revoke":     {Action: plan.RevokeRoles, Login: ivo, Roles: revoke("Instance Administrator")},
			"revoke all": {Action: plan.RevokeRoles, Login: ivo, Roles: provision.RoleChange{All: true}},
			"set":        {Action: plan.SetRoles, Login: ivo, Roles: set("Viewer")},
		} {
			_, err := x.tryApply(plan.Options{}, nil, c)
			require.ErrorIs(x, err, provision.ErrRefused, name)
		}
		for name, c := range map[string]plan.Change{
			"the same role": {Action: plan.SetRoles, Login: ivo, Roles: set("Instance Administrator")},
			"another role":  {Action: plan.RevokeRoles, Login: ivo, Roles: revoke("Viewer")},
			"somebody else": {Action: plan.SetRoles, Login: bo, Roles: set("Viewer")},
			"nobody":        {Action: plan.RevokeRoles, Login: "nobody@example.com", Roles: provision.RoleChange{All: true}},
		} {
			_, err := x.tryApply(plan.Options{}, nil, c)
			require.NoError(x, err, name)
		}
		assert.Len(x, x.bodies(), 1, "changes sent")

		owner := map[string]string{"viewer": "instance_admin", "Viewer": "Instance Administrator"}[viewer]
		_, err := x.change(ada, set(owner))
		require.NoError(x, err)
		res := x.apply(plan.Options{}, plan.Change{Action: plan.SetRoles, Login: ivo, Roles: set("Viewer")})[0]
		assert.NoError(x, res.Err, "there is another one now")
	})

	x := open(t, "auto")
	_, err := x.change(cy, set("instance_admin"))
	require.NoError(t, err)
	_, err = x.tryApply(plan.Options{}, nil, plan.Change{Action: plan.DeleteUser, Login: ivo})
	require.ErrorIs(t, err, provision.ErrRefused, "the other one is disabled")

	guards := plan.Options{Guards: plan.Guards{AllowLockout: true}}
	results, err := x.tryApply(guards, nil, plan.Change{Action: plan.DeleteUser, Login: ivo})
	require.NoError(t, err)
	assert.NoError(t, results[0].Err)
}
