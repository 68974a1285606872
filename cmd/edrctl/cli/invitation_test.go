package cli

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/audit"
	"edrctl/internal/provision/plan"
)

// TestInvitationsOnRecord shows whom edrctl takes for invited: not somebody who
// was listed since and whose deletion may have been carried out, else that person
// would never be invited again.
func TestInvitationsOnRecord(t *testing.T) {
	t.Parallel()
	const change = "c0ffee"
	for _, x := range []struct {
		name    string
		action  plan.Action
		ends    []string
		planned string
	}{
		{"nothing since", "", nil, "invited"},
		{"deleted, and killed before the end", plan.DeleteUser, []string{audit.Intent}, "planned"},
		{"deleted, perhaps", plan.DeleteUser, []string{audit.Intent, string(plan.Unknown)}, "planned"},
		{"deleted", plan.DeleteUser, []string{audit.Intent, string(plan.Deleted)}, "planned"},
		{"not deleted", plan.DeleteUser, []string{audit.Intent, string(plan.Failed)}, "invited"},
		{"not there to be deleted", plan.DeleteUser, []string{audit.Intent, string(plan.Absent)}, "invited"},
		{"changed, and so listed", plan.SetRoles, []string{audit.Intent, string(plan.Updated)}, "planned"},
		{"not changed", plan.SetRoles, []string{audit.Intent, string(plan.Failed)}, "invited"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := carbonBlack()
			s := openScene(t, c)
			require.Equal(t, "invited", s.run("user create {nobody} --role analyst").outcome())
			state := stateOf(t, s.server(c))
			state["pending"] = []any{} // taken up, and deleted
			load(t, s.server(c), state)
			record := audit.New(filepath.Join(s.dir, "edrctl", "audit.jsonl"), audit.Entry{}, time.Now)
			for _, outcome := range x.ends {
				require.NoError(t, record.Append(audit.Entry{
					Change: change, Tenant: c.vendor, Vendor: c.vendor, Address: s.server(c).URL, Login: personNobody,
					Action: string(x.action), Outcome: outcome,
				}))
			}
			roster := filepath.Join(s.dir, "team.csv")
			require.NoError(t, os.WriteFile(roster, []byte("login,roles,tenants\n"+personNobody+",analyst,carbonblack\n"), 0o600))
			r := s.run("plan -f " + roster)
			require.Zero(t, r.status, r.String())
			assert.Equal(t, x.planned, r.outcome(), r.String())
		})
	}
}
