package audit_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"edrctl/internal/audit"
)

// FuzzRecord reads records of any content. What is read is as it was sealed; what
// can be appended to, still tells all of it, and one entry more.
func FuzzRecord(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "audit.jsonl")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		previous := ""
		err := audit.Read(path, func(e audit.Entry) error {
			require.NoError(t, e.Check())
			require.Equal(t, previous, e.Previous)
			previous = e.Hash
			return nil
		})
		before, _ := read(path)
		if newLog(path).Append(entry(1)) != nil {
			kept, readErr := os.ReadFile(path)
			require.NoError(t, readErr)
			require.LessOrEqual(t, len(kept), len(data), "what is refused is not written to")
			return
		}
		if err != nil {
			return // the damage lies further up, and stays to be found
		}
		after, err := read(path)
		require.NoError(t, err)
		require.Len(t, after, len(before)+1)
	})
}
