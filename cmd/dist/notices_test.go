package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNotices(t *testing.T) {
	t.Chdir("../..")
	text, err := notices([]target{{runtime.GOOS, runtime.GOARCH}})
	require.NoError(t, err)
	for _, want := range []string{
		"\nGo 1.", "\ngithub.com/spf13/cobra v1.", ": LICENSE.txt\n", "\ngo.yaml.in/yaml/v3 v3.", ": NOTICE\n",
		"Redistributions in binary form must reproduce",
	} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "testify", "which only the tests use")
}

func TestNoticeDemandsALicence(t *testing.T) {
	dir := t.TempDir()
	var text strings.Builder
	require.NoError(t, os.WriteFile(filepath.Join(dir, "NOTICE"), []byte("by us"), 0o600))
	require.EqualError(t, notice(&text, "example.com/a v1.0.0", dir), "example.com/a v1.0.0 has no licence")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Licence.md"), []byte("do as you like"), 0o600))
	require.NoError(t, notice(&text, "example.com/a v1.0.0", dir))
	assert.Contains(t, text.String(), "example.com/a v1.0.0: Licence.md\n")
	assert.Contains(t, text.String(), "\ndo as you like\n")
}
