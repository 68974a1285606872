package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision/plan"
)

// TestDamagedPlan flips bits of every byte of a plan in turn and cuts it short
// at every byte. What is read is what was written, or nothing.
func TestDamagedPlan(t *testing.T) {
	t.Parallel()
	p, err := newPlanFile([]plan.Difference{
		{
			Tenant: "falcon", Vendor: "crowdstrike", Login: "ines.duarte@example.com", Action: plan.DiffCreate, Outcome: plan.Planned,
			RolesAdded: []string{"event_viewer"}, Details: map[string]string{"first-name": "Ines"}, Seen: "absent",
		},
		{Tenant: "cr", Vendor: "cybereason", Login: "omar@example.com", Action: plan.DiffDelete, Outcome: plan.Planned, TakesAll: true, Seen: "x", Details: map[string]string{}},
	})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "plan.json")
	require.NoError(t, writePlan(path, p))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	want, err := readPlan(path)
	require.NoError(t, err)
	try := func(text []byte, what string, at int) {
		require.NoError(t, os.WriteFile(path, text, 0o600))
		got, err := readPlan(path)
		if err != nil {
			require.Equal(t, exitUsage, exitStatus(err), "%s %d: %v", what, at, err)
			return
		}
		require.Equal(t, want, got, "%s %d", what, at)
	}
	for at := range whole {
		for _, bits := range []byte{0x01, 0x20, 0x80} {
			flipped := bytes.Clone(whole)
			flipped[at] ^= bits
			try(flipped, "byte", at)
		}
		try(whole[:at], "cut", at)
	}
}

// TestDamagedRecordStopsApply holds up whoever would read the record for what
// was done before.
func TestDamagedRecordStopsApply(t *testing.T) {
	t.Parallel()
	s := openScene(t, carbonBlack())
	roster := filepath.Join(s.dir, "team.csv")
	require.NoError(t, os.WriteFile(roster, []byte("login,roles,tenants\nnia.okoro@example.com,View All,carbonblack\n"), 0o600))
	require.Zero(t, s.run("role grant {ben} id:{role-id}").status)
	require.Zero(t, s.run("role grant {ben} id:{other-id}").status)
	record := filepath.Join(s.dir, "edrctl", "audit.jsonl")
	text, err := os.ReadFile(record)
	require.NoError(t, err)
	text[len(text)/2] ^= 1
	require.NoError(t, os.WriteFile(record, text, 0o600))
	s.server(carbonBlack()).ClearRequests()
	for _, command := range []string{"apply -f " + roster, "plan -f " + roster, "offboard {ada} --yes"} {
		r := s.run(command)
		assert.Equal(t, exitInternal, r.status, r.String())
		assert.Contains(t, r.stderr, "damaged")
	}
	assert.Empty(t, s.writes(carbonBlack()))
}
