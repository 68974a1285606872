package plan_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/provision/provisiontest"
)

// batching is a fake that takes several role changes at once.
type batching struct {
	*provisiontest.Fake
	sizes []int
	lose  bool
}

func (b *batching) ChangeRolesOf(ctx context.Context, changes []provision.UserRoleChange) []provision.RoleOutcome {
	b.sizes = append(b.sizes, len(changes))
	out := make([]provision.RoleOutcome, len(changes))
	for i, c := range changes {
		out[i].Result, out[i].Err = b.ChangeRoles(ctx, c.Login, c.Change)
		if b.lose && out[i].Err == nil {
			out[i].Err = &provision.Error{Kind: provision.ErrUncertain}
		}
	}
	return out
}

func TestRoleChangesGoTogether(t *testing.T) {
	cases := []struct {
		name   string
		lose   bool
		dryRun bool
		sizes  []int
		want   []plan.Outcome
	}{
		{name: "together", sizes: []int{3}, want: []plan.Outcome{plan.Granted, plan.Unchanged, plan.Failed, plan.Deleted}},
		{name: "lost", lose: true, sizes: []int{3}, want: []plan.Outcome{plan.Granted, plan.Unchanged, plan.Failed, plan.Deleted}},
		{name: "dry run", dryRun: true, want: []plan.Outcome{plan.Planned, plan.Unchanged, plan.Failed, plan.Planned}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := provisiontest.NewFake(provisiontest.FakeOptions{})
				b := &batching{Fake: f, lose: c.lose}
				one := target(f)
				one.Provisioner = b
				o := unbounded()
				o.DryRun = c.dryRun
				grant := provision.RoleChange{Grant: []string{"analyst"}}
				results, err := plan.Apply(t.Context(), []plan.Target{one}, []plan.Change{
					{Tenant: "one", Action: plan.GrantRoles, Login: "ada@example.com", Roles: grant},
					{Tenant: "one", Action: plan.GrantRoles, Login: "lin@example.com", Roles: provision.RoleChange{Grant: []string{"reader"}}},
					{Tenant: "one", Action: plan.GrantRoles, Login: newcomer, Roles: grant},
					{Tenant: "one", Action: plan.DeleteUser, Login: "zuse@example.com"},
				}, o)
				require.NoError(t, err)
				var got []plan.Outcome
				for _, r := range results {
					got = append(got, r.Outcome)
				}
				assert.Equal(t, c.want, got)
				assert.Equal(t, c.sizes, b.sizes)
				if !c.dryRun {
					assert.Equal(t, []string{"analyst"}, results[0].RolesAdded)
				}
			})
		})
	}
}

// A role whose revocation was lost and that is inherited as well is not revoked
// from the group.
func TestLostRevocationOfARoleThatIsInheritedToo(t *testing.T) {
	f := provisiontest.NewFake(provisiontest.FakeOptions{})
	u, _ := f.Stored("joan@example.com")
	u.Roles = append(u.Roles, provision.HeldRole{ID: "auditor", Name: "Auditor", Direct: true})
	f.Put(u)
	f.LoseNext(provisiontest.OpChangeRoles, true)
	got := do(t, f, roles(plan.RevokeRoles, "joan@example.com", provision.RoleChange{Revoke: []string{"auditor"}}), unbounded())
	require.NoError(t, got.Err)
	assert.Equal(t, plan.Revoked, got.Outcome)
	assert.Equal(t, []string{"auditor"}, got.RolesRemoved)
}
