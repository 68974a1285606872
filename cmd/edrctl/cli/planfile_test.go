package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

// The hash of a plan can be made from its JSON by the rule that the help gives.
func TestPlanHashFromItsJSON(t *testing.T) {
	p, err := newPlanFile([]plan.Difference{
		{
			Tenant: "cbc", Vendor: "carbonblack", Login: "o'neil@example.com", Action: plan.DiffCreate, Seen: "absent",
			RolesAdded: []string{"psc:role::BETA_VIEW_ALL"}, Outcome: plan.Planned,
			Details: map[string]string{"last-name": "O'Neil <&> Łoś", "first-name": "Ann\t\"A\""},
		},
		{
			Tenant: "cbc", Vendor: "carbonblack", Login: "marek@example.com", Action: plan.DiffRoles, Outcome: plan.Failed,
			Err: &provision.Error{Kind: provision.ErrRefused, Message: "too far"},
		},
	})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "plan.json")
	require.NoError(t, writePlan(path, p))
	data, err := os.ReadFile(path)
	require.NoError(t, err)

	var b bytes.Buffer
	require.NoError(t, json.Compact(&b, data))
	bare := regexp.MustCompile(`"sha256":"[0-9a-f]{64}",`).ReplaceAll(b.Bytes(), nil)
	sum := sha256.Sum256(bytes.TrimSpace(bare))
	assert.Equal(t, p.SHA256, hex.EncodeToString(sum[:]))

	read, err := readPlan(path)
	require.NoError(t, err)
	assert.Equal(t, p.Errors, read.Errors)
	assert.Equal(t, map[string]int{"planned": 1}, read.Summary)
}
