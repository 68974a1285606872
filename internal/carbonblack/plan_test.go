package carbonblack_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/carbonblack"
	"edrctl/internal/mock"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

// TestThroughPlan counts what whole commands cost.
func TestThroughPlan(t *testing.T) {
	create := plan.Change{
		Action: plan.CreateUser, Login: tomas, Spec: provision.UserSpec{Roles: []string{"level 1 analyst", "SOC_TRIAGE"}},
	}
	tests := []struct {
		name   string
		fault  string
		change plan.Change
		want   []string
		ends   plan.Outcome
	}{
		{"create", "", create, []string{"GET permitted", "POST users", "GET users"}, plan.Invited},
		{
			"create, lost", "drop-after", create,
			[]string{"GET permitted", "POST users", "GET users", "GET users", "GET users"},
			plan.Unknown,
		},
		{
			"grant", "",
			plan.Change{Action: plan.GrantRoles, Login: ines, Roles: provision.RoleChange{Grant: []string{"beta_view_all"}}},
			[]string{"GET permitted", "GET users", "POST _fetch", "PUT profile", "GET grant"},
			plan.Granted,
		},
		{
			"revoke", "",
			plan.Change{Action: plan.RevokeRoles, Login: ines, Roles: provision.RoleChange{Revoke: []string{"SOC Triage"}}},
			[]string{"GET permitted", "GET users", "POST _fetch", "PUT profile", "GET grant"},
			plan.Revoked,
		},
		{
			"revoke all", "",
			plan.Change{Action: plan.RevokeRoles, Login: jonas, Roles: provision.RoleChange{All: true}},
			[]string{"GET users", "POST _fetch", "DELETE grant", "GET grant"},
			plan.Revoked,
		},
		{
			"delete", "",
			plan.Change{Action: plan.DeleteUser, Login: jonas},
			[]string{"GET users", "POST _fetch", "DELETE grant", "DELETE user"},
			plan.Deleted,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := open(t)
			if tt.fault != "" {
				require.NoError(t, x.server.Fault(mock.Fault{Method: "POST", Path: "/users", Action: tt.fault}))
			}
			v := carbonblack.Vendor()
			tt.change.Tenant = "cbc"
			results, err := plan.Apply(t.Context(), []plan.Target{{Tenant: "cbc", Vendor: &v, Provisioner: x.Provisioner}},
				[]plan.Change{tt.change}, plan.Options{Guards: plan.Guards{MaxDeletes: -1}, Looks: make([]time.Duration, 3)})
			require.NoError(t, err)
			assert.Equal(t, tt.ends, results[0].Outcome, "%v", results[0].Err)
			assert.Equal(t, tt.want, x.sent())
		})
	}
}
