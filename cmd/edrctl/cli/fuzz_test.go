package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// FuzzPlanFile reads plans of any content. What is read says of itself that it
// was not altered, and writing it again gives the same plan.
func FuzzPlanFile(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "plan.json")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		p, err := readPlan(path)
		if err != nil {
			require.ErrorIs(t, err, provision.ErrUsage)
			return
		}
		hash, err := p.hash()
		require.NoError(t, err)
		require.Equal(t, p.SHA256, hash)
		again, err := json.Marshal(p)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, again, 0o600))
		same, err := readPlan(path)
		require.NoError(t, err)
		require.Equal(t, hash, same.SHA256)
		if _, err := p.differences(); err != nil {
			require.ErrorIs(t, err, provision.ErrUsage)
		}
	})
}

// FuzzSealedPlan makes the hash of a plan right, as somebody would who means to
// mislead, and reads its items.
func FuzzSealedPlan(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		var p planFile
		if json.Unmarshal(data, &p) != nil {
			return
		}
		var err error
		p.SHA256, err = p.hash()
		require.NoError(t, err)
		diffs, err := p.differences()
		if err != nil {
			require.ErrorIs(t, err, provision.ErrUsage)
			return
		}
		for _, d := range diffs {
			require.NoError(t, provision.CheckLogin(d.Login))
		}
	})
}

// FuzzEvidence checks evidence of any content.
func FuzzEvidence(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, "evidence.json")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		a := &app{Env: Env{HomeDir: dir}}
		if _, err := a.verifyEvidence(path); err != nil {
			var own *provision.Error
			require.ErrorAs(t, err, &own)
		}
	})
}
