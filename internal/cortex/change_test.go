package cortex_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

// bothGenerations runs a test on each, with the id of Viewer there.
func bothGenerations(t *testing.T, test func(x *tenant, viewer string)) {
	for generation, viewer := range map[string]string{"platform5": "viewer", "xdr3": "Viewer"} {
		t.Run(generation, func(t *testing.T) { test(open(t, "auto", "generation", generation), viewer) })
	}
}

func create(login string, roles ...string) plan.Change {
	return plan.Change{Action: plan.CreateUser, Login: login, Spec: provision.UserSpec{Roles: roles}}
}

func TestAdoption(t *testing.T) {
	x := open(t, "auto")
	given := create(bo, "SOC Lead")
	given.Spec.FirstName, given.Spec.Phone = "Robert", "+1 555 0101"
	res := x.apply(plan.Options{}, given)[0]
	require.NoError(t, res.Err)
	assert.Equal(t, []string{"Robert", "+1 555 0101"}, []string{x.user(bo).FirstName, x.user(bo).Phone})
	assert.Equal(t, plan.Failed, x.apply(plan.Options{}, create(ada, "Viewer"))[0].Outcome, "who has another role")
	assert.Equal(t, plan.Unchanged, x.apply(plan.Options{}, create(ada, "Investigator"))[0].Outcome)

	x = open(t, "auto")
	require.NoError(t, x.Activate("new.person@example.com"))
	res = x.apply(plan.Options{}, create("New.Person@example.com", "Viewer"))[0]
	require.NoError(t, res.Err)
	assert.Equal(t, plan.Granted, res.Outcome)
	assert.Equal(t, []string{"viewer"}, res.RolesAdded)

	res = x.apply(plan.Options{}, create("nobody@example.com", "Viewer"))[0]
	assert.Equal(t, plan.Unsupported, res.Outcome)
	require.ErrorContains(t, res.Err, "Customer Support Portal")
	assert.ErrorContains(t, res.Err, "SSO")
}

func TestAdoptionWithWhatIsNotThere(t *testing.T) {
	bothGenerations(t, func(x *tenant, _ string) {
		res := x.apply(plan.Options{}, create(bo, "id:nope"))[0]
		assert.Equal(x, plan.Failed, res.Outcome, "the role is unknown, not the person")
		require.ErrorIs(x, res.Err, provision.ErrNotFound)
		given := create(bo, "Viewer")
		given.Spec.Options = provision.Options{"groups": "Night Watch"}
		res = x.apply(plan.Options{}, given)[0]
		require.Error(x, res.Err)
		assert.NotContains(x, res.Err.Error(), "makes no accounts")
	})
}

func TestAdoptionOfTheDisabled(t *testing.T) {
	x := open(t, "auto")
	for _, dry := range []bool{true, false} {
		res := x.apply(plan.Options{DryRun: dry}, create(cy, "Viewer"))[0]
		require.NoError(t, res.Err)
		assert.Equal(t, map[bool]plan.Outcome{true: plan.Planned, false: plan.Granted}[dry], res.Outcome)
		assert.Empty(t, res.RolesAdded, "the role is held")
	}
	assert.Equal(t, provision.StatusActive, x.user(cy).Status)
	assert.Equal(t, []string{`{"request_data":{"status":"Active"}}`}, x.bodies())
	assert.Equal(t, plan.Unchanged, x.apply(plan.Options{}, create(cy, "Viewer"))[0].Outcome)

	_, err := x.p.DeleteUser(t.Context(), cy)
	require.NoError(t, err)
	got, err := x.change(cy, grant("viewer"))
	require.NoError(t, err)
	assert.False(t, got.Activated)
	assert.Equal(t, provision.StatusDisabled, got.User.Status, "a grant alone activates nobody")
}

func TestDetailsOnXDR3(t *testing.T) {
	x := open(t, "auto", "generation", "xdr3")
	given := create(bo, "Viewer")
	given.Spec.FirstName = "Robert"
	res := x.apply(plan.Options{}, given)[0]
	require.NoError(t, res.Err)
	assert.Equal(t, plan.Granted, res.Outcome)
	assert.Contains(t, res.Message, "has no call to change a user")

	name := "Robert"
	sent := x.sent(func() {
		_, _, err := x.p.UpdateUser(t.Context(), bo, provision.UserPatch{FirstName: &name})
		require.ErrorIs(t, err, provision.ErrUnsupported)
		assert.ErrorContains(t, err, "update user")
	})
	assert.Empty(t, sent)
}

func TestOneRole(t *testing.T) {
	bothGenerations(t, func(x *tenant, viewer string) {
		res := x.apply(plan.Options{}, plan.Change{Action: plan.GrantRoles, Login: ada, Roles: grant("Viewer")})[0]
		require.ErrorIs(x, res.Err, provision.ErrConflict)
		assert.Contains(x, hint(res.Err), "edrctl role set "+ada)
		res = x.apply(plan.Options{}, plan.Change{Action: plan.SetRoles, Login: ada, Roles: set("Viewer")})[0]
		require.NoError(x, res.Err)
		assert.Equal(x, []string{viewer}, res.RolesAdded)
		assert.Len(x, res.RolesRemoved, 1)
		both := provision.RoleChange{Grant: []string{"Viewer", "Investigator"}}
		res = x.apply(plan.Options{}, plan.Change{Action: plan.GrantRoles, Login: bo, Roles: both})[0]
		assert.Equal(x, plan.Unsupported, res.Outcome)
	})
}

func TestAccountAdmin(t *testing.T) {
	bothGenerations(t, func(x *tenant, viewer string) {
		for _, role := range []string{"Account Admin", "account admin", "id:account_admin", "id:Account Admin"} {
			for _, dry := range []bool{true, false} {
				results := x.apply(plan.Options{DryRun: dry},
					plan.Change{Action: plan.GrantRoles, Login: bo, Roles: grant(role)},
					plan.Change{Action: plan.GrantRoles, Login: cy, Roles: grant("Viewer")})
				assert.Equal(x, plan.Unsupported, results[0].Outcome, role)
				require.NoError(x, results[1].Err, "another in the same command")
			}
		}
		for _, c := range []provision.RoleChange{grant(viewer), set(viewer), {All: true}} {
			_, err := x.change(root, c)
			require.ErrorIs(x, err, provision.ErrUnsupported, "%+v", c)
		}
		_, err := x.p.DeleteUser(x.Context(), root)
		require.ErrorIs(x, err, provision.ErrUnsupported)
		assert.Empty(x, x.bodies(), "changes sent")
	})
}

func TestRolesWithOneName(t *testing.T) {
	const twin = triageID + "_gateway"
	x := open(t, "auto", "role-duplicate", "on")
	res := x.apply(plan.Options{}, plan.Change{Action: plan.GrantRoles, Login: bo, Roles: grant("Tier 1 Triage")})[0]
	require.ErrorIs(t, res.Err, provision.ErrUsage)
	require.ErrorContains(t, res.Err, twin)

	for _, c := range []provision.RoleChange{revoke(triageID), grant(twin)} {
		_, err := x.change(dana, c)
		require.ErrorIs(t, err, provision.ErrConflict, "%+v: which of them she has is not told", c)
	}
	assert.Empty(t, x.bodies(), "changes sent")
	assert.Equal(t, []string{"Tier 1 Triage"}, x.user(dana).DirectRoles(), "an id that is not known")

	for _, c := range []provision.RoleChange{set(twin), {Grant: []string{triageID}, Revoke: []string{"Tier 1 Triage"}}} {
		got, err := x.change(dana, c)
		require.NoError(t, err)
		assert.Equal(t, c.Grant, got.Granted, "whichever she had")
	}
	got, err := x.change(dana, provision.RoleChange{All: true})
	require.NoError(t, err)
	assert.Equal(t, []string{"Tier 1 Triage"}, got.Revoked)
}

func TestRefusedInSilence(t *testing.T) {
	x := open(t, "auto", "generation", "xdr3", "set-role-silent-refusal", "on")
	got, err := x.change(bo, grant("Viewer"))
	require.ErrorIs(t, err, provision.ErrInvalid)
	assert.Empty(t, got.Granted)
	gone, err := x.p.DeleteUser(t.Context(), cy)
	require.ErrorIs(t, err, provision.ErrInvalid)
	assert.Empty(t, gone.Revoked)
}

// TestCountOfNone has another hand make the same change between our reading
// and our writing, so that nobody is counted.
func TestCountOfNone(t *testing.T) {
	x := open(t, "xdr3", "generation", "xdr3")
	require.NoError(t, x.p.(provision.Guard).GuardRemoval(t.Context(), bo, provision.RoleChange{All: true}))
	_, err := x.connect(func(c *provision.Config) { c.Settings["generation"] = "xdr3" }).ChangeRoles(t.Context(), bo, grant("Viewer"))
	require.NoError(t, err)
	sent := x.sent(func() {
		got, err := x.change(bo, grant("Viewer"))
		require.NoError(t, err)
		assert.Equal(t, []string{"Viewer"}, got.Granted)
	})
	assert.Equal(t, []string{setRole3, listUsers3}, sent, "beginning with what the guard read")
	assert.Equal(t, []string{listUsers3}, x.sent(func() { _, _ = x.change(bo, grant("Viewer")) }), "which a change makes old")
}

func TestLostAnswers(t *testing.T) {
	bothGenerations(t, func(x *tenant, viewer string) {
		for _, fault := range []string{"drop-after", "after-502", "drop-before", "after-500"} {
			require.NoError(x, x.Fault(mock.Fault{Method: "PATCH", Action: fault}))
			require.NoError(x, x.Fault(mock.Fault{Path: "set_user_role", Action: fault}))
			res := x.apply(plan.Options{}, plan.Change{Action: plan.GrantRoles, Login: bo, Roles: grant(viewer)})[0]
			require.NoError(x, res.Err, fault)
			assert.Equal(x, plan.Granted, res.Outcome, fault)
			assert.Equal(x, []string{viewer}, res.RolesAdded, fault)
			x.ClearFaults()

			require.NoError(x, x.Fault(mock.Fault{Method: "PATCH", Action: fault}))
			require.NoError(x, x.Fault(mock.Fault{Path: "set_user_role", Action: fault}))
			res = x.apply(plan.Options{}, plan.Change{Action: plan.DeleteUser, Login: bo})[0]
			require.NoError(x, res.Err, fault)
			assert.Equal(x, plan.Revoked, res.Outcome, fault)
			assert.Equal(x, []string{viewer}, res.RolesRemoved, fault)
			x.ClearFaults()
		}
	})
}

func TestReadBackFails(t *testing.T) {
	x := open(t, "platform5")
	require.NoError(t, x.p.(provision.Guard).GuardRemoval(t.Context(), bo, provision.RoleChange{All: true}))
	require.NoError(t, x.Fault(mock.Fault{Method: "GET", Action: "403"}))
	got, err := x.change(bo, grant("viewer"))
	require.ErrorIs(t, err, provision.ErrUncertain)
	assert.Equal(t, []string{"viewer"}, got.Granted, "what was sent")
	assert.ErrorIs(t, err, provision.ErrForbidden, "the cause")
}

func TestKeptListOutOfDate(t *testing.T) {
	x := open(t, "platform5")
	learner := x.p.(provision.RoleLearner)
	learner.LearnRoles([]provision.Role{
		{ID: "viewer", Name: "Onlooker"}, {ID: "soc_lead_5190", Name: "SOC Lead"}, {ID: "investigator", Name: "Investigator"},
	})
	got, err := x.change(bo, grant("viewer"))
	require.NoError(t, err, "a role that has another name now")
	assert.Equal(t, []provision.HeldRole{{ID: "viewer", Name: "Viewer", Direct: true}}, got.User.Roles)

	x = open(t, "platform5")
	x.p.(provision.RoleLearner).LearnRoles([]provision.Role{{ID: "Viewer", Name: "Viewer"}, {ID: "Investigator", Name: "Investigator"}})
	assert.Equal(t, []string{"investigator"}, x.user(ada).DirectRoles(), "a list of Cortex XDR 3.x is no use")
}

// A list of roles that an earlier run has kept is used where it is known to be
// this tenant's, and tells a platform that is in trouble from Cortex XDR 3.x.
func TestKeptListOfTheOtherGeneration(t *testing.T) {
	byName := keptRoles{{ID: "Viewer", Name: "Viewer"}, {ID: "Investigator", Name: "Investigator"}}
	byID := keptRoles{{ID: "viewer", Name: "Viewer"}, {ID: "investigator", Name: "Investigator"}}
	viewer := plan.Change{Action: plan.SetRoles, Login: bo, Roles: provision.RoleChange{Grant: []string{"Viewer"}, Exact: true}}

	x := open(t, "auto")
	results, err := x.tryApply(plan.Options{}, byName, viewer)
	require.NoError(t, err)
	require.NoError(t, results[0].Err)
	assert.Equal(t, []string{"viewer"}, results[0].RolesAdded, "not the name that the other generation takes")

	x = open(t, "auto")
	require.NoError(t, x.Fault(mock.Fault{Path: "/platform/", Action: "500", Count: -1}))
	var failed []plan.Result
	sent := x.sent(func() { failed, err = x.tryApply(plan.Options{}, byID, viewer) })
	require.NoError(t, err)
	require.ErrorIs(t, failed[0].Err, provision.ErrUnavailable)
	assert.NotContains(t, sent, setRole3)

	x = open(t, "xdr3", "generation", "xdr3")
	sent = x.sent(func() { results, err = x.tryApply(plan.Options{}, byName, viewer) })
	require.NoError(t, err)
	require.NoError(t, results[0].Err)
	assert.NotContains(t, sent, getRoles3, "told the generation, the list is good")
}

func TestUpdate(t *testing.T) {
	x := open(t, "auto")
	u, changed, err := x.p.UpdateUser(t.Context(), ada, provision.UserPatch{Options: provision.Options{"hidden": "TRUE"}})
	require.NoError(t, err)
	assert.True(t, changed)
	assert.Equal(t, true, u.Extra["hidden"])
	assert.Equal(t, []string{`{"request_data":{"is_hidden":true}}`}, x.bodies())
	_, changed, err = x.p.UpdateUser(t.Context(), ada, provision.UserPatch{Options: provision.Options{"hidden": "1"}})
	require.NoError(t, err)
	assert.False(t, changed)

	empty := ""
	u, _, err = x.p.UpdateUser(t.Context(), ada, provision.UserPatch{LastName: &empty})
	require.NoError(t, err)
	assert.Empty(t, u.LastName)
	assert.JSONEq(t, `{"request_data":{"user_last_name":""}}`, x.bodies()[1], "only what is named, also when it is empty")

	p := replay(t, "platform5", "iam-list-users", "*iam-edit-user-grant", "iam-list-users")
	_, _, err = p.UpdateUser(t.Context(), ada, provision.UserPatch{FirstName: &empty})
	require.ErrorIs(t, err, provision.ErrUncertain, "the list does not show it")

	for _, options := range []provision.Options{{"hidden": "perhaps"}, {"groups": "x"}, {"other": "x"}} {
		_, _, err = x.p.UpdateUser(t.Context(), ada, provision.UserPatch{Options: options})
		assert.ErrorIs(t, err, provision.ErrUsage, "%v", options)
	}
}
