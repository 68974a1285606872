package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

// TestSupplyChain looks for what is promised of releases in their recipes.
func TestSupplyChain(t *testing.T) {
	for name, wants := range map[string][]string{
		"../Makefile":                      {"CGO_ENABLED ?= 0", "-trimpath", "-buildid=", "le 35"},
		"../.goreleaser.yaml":              {"CGO_ENABLED=0", "-trimpath", "-buildid=", "checksums.txt", "sboms:"},
		"../.github/workflows/release.yml": {"attest-build-provenance", "attestations: write"},
		"../.github/workflows/test.yml":    {"govulncheck", "./.ci/run"},
		"../.ci/run":                       {"make reproducible", "make sizes", "make dist-test"},
	} {
		for _, want := range wants {
			assert.Contains(t, read(t, name), want, name)
		}
	}
	workflows, err := filepath.Glob("../.github/workflows/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, workflows)
	for _, name := range workflows {
		for _, used := range regexp.MustCompile(`uses: .*`).FindAllString(read(t, name), -1) {
			assert.Regexp(t, `^uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`, used, "%s: not a commit", name)
		}
	}
	pages, err := filepath.Glob("man/*.1")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	for _, page := range pages { // the only list that takes no pattern
		assert.Contains(t, read(t, "../.goreleaser.yaml"), "      - "+filepath.ToSlash(page)+"\n")
	}
	version := regexp.MustCompile(`(?m)^go 1\.(\d+)\.(\d+)$`).FindStringSubmatch(read(t, "../go.mod"))
	require.NotNil(t, version)
	minor, _ := strconv.Atoi(version[1])
	patch, _ := strconv.Atoi(version[2])
	assert.True(t, minor > 26 || minor == 26 && patch >= 6, version[0])
}
