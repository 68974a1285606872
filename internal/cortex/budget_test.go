package cortex_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

// TestRequests shows what everything costs.
func TestRequests(t *testing.T) {
	const editBo, editAda, editCy = editUser5 + bo, editUser5 + ada, editUser5 + cy
	roles := func(action plan.Action, login string, c provision.RoleChange) plan.Change {
		return plan.Change{Action: action, Login: login, Roles: c}
	}
	viewerToBo := roles(plan.GrantRoles, bo, grant("id:viewer"))
	for _, tt := range []struct {
		name       string
		generation string
		setting    string
		change     plan.Change
		// kept is true when an earlier run has left the list of roles.
		kept    bool
		outcome plan.Outcome
		want    []string
	}{
		{
			name: "a role by id, generation unknown", generation: "platform5", setting: "auto",
			change: viewerToBo, outcome: plan.Granted, want: []string{listUsers5, editBo, listUsers5},
		},
		{
			name: "a role by id", generation: "platform5", setting: "platform5",
			change: viewerToBo, outcome: plan.Granted, want: []string{listUsers5, editBo, listUsers5},
		},
		{
			name: "a role by name, from a kept list", generation: "platform5", setting: "auto", kept: true,
			change:  roles(plan.GrantRoles, bo, grant("Viewer")),
			outcome: plan.Granted, want: []string{listUsers5, editBo, listUsers5},
		},
		{
			name: "a role by name", generation: "platform5", setting: "auto",
			change:  roles(plan.GrantRoles, bo, grant("Viewer")),
			outcome: plan.Granted, want: []string{listRoles5, listUsers5, editBo, listUsers5},
		},
		{
			name: "a role in the place of another, from a kept list", generation: "platform5", setting: "auto", kept: true,
			change:  roles(plan.SetRoles, ada, set("Viewer")),
			outcome: plan.Updated, want: []string{listUsers5, editAda, listUsers5},
		},
		{
			name: "a role by id in the place of another", generation: "platform5", setting: "auto",
			change:  roles(plan.SetRoles, ada, set("id:viewer")),
			outcome: plan.Updated, want: []string{listUsers5, listRoles5, editAda, listUsers5},
		},
		{
			name: "a role taken, guard included, from a kept list", generation: "platform5", setting: "auto", kept: true,
			change:  roles(plan.RevokeRoles, ada, revoke("Investigator")),
			outcome: plan.Revoked, want: []string{listUsers5, editAda, listUsers5},
		},
		{
			name: "all roles taken, from a kept list", generation: "platform5", setting: "auto", kept: true,
			change:  roles(plan.RevokeRoles, ada, provision.RoleChange{All: true}),
			outcome: plan.Revoked, want: []string{listUsers5, editAda, listUsers5},
		},
		{
			name: "a role that is held", generation: "platform5", setting: "auto", kept: true,
			change: roles(plan.GrantRoles, ada, grant("Investigator")), outcome: plan.Unchanged, want: []string{listUsers5},
		},
		{
			name: "somebody deleted, from a kept list", generation: "platform5", setting: "auto", kept: true,
			change:  plan.Change{Action: plan.DeleteUser, Login: ada},
			outcome: plan.Revoked, want: []string{listUsers5, editAda, listUsers5},
		},
		{
			name: "somebody adopted and made active", generation: "platform5", setting: "auto", kept: true,
			change:  plan.Change{Action: plan.CreateUser, Login: cy, Spec: provision.UserSpec{Roles: []string{"Viewer"}}},
			outcome: plan.Granted, want: []string{listUsers5, editCy, listUsers5},
		},
		{
			name: "a role by id", generation: "xdr3", setting: "xdr3",
			change:  roles(plan.GrantRoles, bo, grant("id:Viewer")),
			outcome: plan.Granted, want: []string{listUsers3, setRole3, listUsers3},
		},
		{
			name: "a role by id, generation unknown", generation: "xdr3", setting: "auto",
			change:  roles(plan.GrantRoles, bo, grant("id:Viewer")),
			outcome: plan.Granted, want: []string{listUsers5, listUsers3, setRole3, listUsers3},
		},
		{
			name: "a role by id in the place of another, guard included", generation: "xdr3", setting: "xdr3",
			change:  roles(plan.SetRoles, ada, set("id:Viewer")),
			outcome: plan.Updated, want: []string{listUsers3, setRole3, listUsers3},
		},
		{
			name: "a role by name", generation: "xdr3", setting: "xdr3",
			change:  roles(plan.GrantRoles, bo, grant("Viewer")),
			outcome: plan.Granted, want: []string{listUsers3, getRoles3, setRole3, listUsers3},
		},
		{
			name: "a role taken", generation: "xdr3", setting: "xdr3",
			change:  roles(plan.RevokeRoles, ada, revoke("id:Investigator")),
			outcome: plan.Revoked, want: []string{listUsers3, setRole3, listUsers3},
		},
		{
			name: "somebody deleted", generation: "xdr3", setting: "xdr3",
			change:  plan.Change{Action: plan.DeleteUser, Login: cy},
			outcome: plan.Revoked, want: []string{listUsers3, setRole3, listUsers3},
		},
	} {
		t.Run(tt.generation+": "+tt.name, func(t *testing.T) {
			x := open(t, tt.setting, "generation", tt.generation)
			var kept plan.RoleCache
			if tt.kept {
				roles, err := x.p.Roles(t.Context())
				require.NoError(t, err)
				x.p = x.connect(func(c *provision.Config) { c.Settings["generation"] = tt.setting })
				kept = keptRoles(roles)
			}
			var results []plan.Result
			got := x.sent(func() {
				var err error
				results, err = x.tryApply(plan.Options{}, kept, tt.change)
				require.NoError(t, err)
			})
			assert.Equal(t, tt.want, got)
			require.NoError(t, results[0].Err)
			assert.Equal(t, tt.outcome, results[0].Outcome)
			assert.NotContains(t, x.log.String(), "trying again")
		})
	}
}

func TestReadingCosts(t *testing.T) {
	read := map[string]func(x *tenant){
		"check": func(x *tenant) {
			_, err := x.p.Check(x.Context())
			require.NoError(x, err)
		},
		"roles": func(x *tenant) {
			_, err := x.p.Roles(x.Context())
			require.NoError(x, err)
		},
		"user": func(x *tenant) { x.user(ada) },
		"user without role and group": func(x *tenant) {
			_, err := x.p.User(x.Context(), bo)
			require.NoError(x, err)
		},
		"users": func(x *tenant) { x.users() },
		"users among whom one matters": func(x *tenant) {
			for u, err := range x.p.Users(x.Context(), provision.Filter{Only: func(login string) bool { return login == bo }}) {
				require.NoError(x, err)
				assert.Equal(x, bo, u.Login)
			}
		},
		"users without roles": func(x *tenant) {
			for _, err := range x.p.Users(x.Context(), provision.Filter{NoRoles: true}) {
				require.NoError(x, err)
			}
		},
	}
	for generation, want := range map[string]map[string][]string{
		"platform5": {
			"check": {listUsers5}, "roles": {listRoles5}, "user": {listUsers5, listRoles5, listGroup5},
			"user without role and group": {listUsers5},
			"users":                       {listUsers5, listRoles5, listGroup5}, "users without roles": {listUsers5},
			"users among whom one matters": {listUsers5},
		},
		"xdr3": {
			"check": {listUsers3}, "roles": {listUsers3, getRoles3}, "user": {listUsers3, getGroups3},
			"user without role and group": {listUsers3},
			"users":                       {listUsers3, getGroups3}, "users without roles": {listUsers3},
			"users among whom one matters": {listUsers3},
		},
	} {
		for name, run := range read {
			t.Run(generation+": "+name, func(t *testing.T) {
				x := open(t, generation, "generation", generation)
				assert.Equal(t, want[name], x.sent(func() { run(x) }))
			})
		}
	}
}
