package config

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"edrctl/internal/provision"
)

// validate holds a file against the schema, as an editor does.
func validate(t *testing.T, text string) error {
	t.Helper()
	data, err := Schema(testVendors())
	require.NoError(t, err)
	var schema jsonschema.Schema
	require.NoError(t, json.Unmarshal(data, &schema))
	resolved, err := schema.Resolve(nil)
	require.NoError(t, err)
	var tree any
	require.NoError(t, yaml.Unmarshal([]byte(text), &tree))
	data, err = json.Marshal(tree)
	require.NoError(t, err)
	var value any
	require.NoError(t, json.Unmarshal(data, &value))
	return resolved.Validate(value)
}

// The schema and Load agree.
func TestSchema(t *testing.T) {
	tests := []struct {
		name, text string
		good       bool
	}{
		{"example", exampleFile, true},
		{"empty", "version: 1\n", true},
		{"template", string(Template(testVendors())), true},
		{"common keys", "version: 1\ntenants: {a: {vendor: cortex, timeout: 5s, insecure-skip-verify: false, requests-per-minute: 60}}\n", true},
		{"no version", "output: json\n", false},
		{"other version", "version: 2\n", false},
		{"unknown key", "version: 1\noutptu: json\n", false},
		{"unknown vendor", "version: 1\ntenants: {a: {vendor: x}}\n", false},
		{"unknown key of a tenant", "version: 1\ntenants: {a: {vendor: cortex, x: y}}\n", false},
		{"key of another vendor", "version: 1\ntenants: {a: {vendor: cortex, client-id: y}}\n", false},
		{"name of a tenant", "version: 1\ntenants: {A: {vendor: cortex}}\n", false},
		{"word of a list", "version: 1\ntenants: {a: {vendor: crowdstrike, region: mars}}\n", false},
		{"roles of an unknown vendor", "version: 1\nroles: {a: {x: [y]}}\n", false},
		{"roles are a list", "version: 1\nroles: {a: {cortex: y}}\n", false},
		{"session cache", "version: 1\nsession-cache: ram\n", false},
		{"guards", "version: 1\nguards: {max-deletes: -1}\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, loadErr := load(t, tt.text)
			schemaErr := validate(t, tt.text)
			if tt.good {
				require.NoError(t, loadErr)
				require.NoError(t, schemaErr)
				return
			}
			require.Error(t, loadErr)
			require.Error(t, schemaErr)
		})
	}
}

func TestSchemaHasEveryKey(t *testing.T) {
	data, err := Schema(testVendors())
	require.NoError(t, err)
	var schema jsonschema.Schema
	require.NoError(t, json.Unmarshal(data, &schema))
	assert.ElementsMatch(t, topKeys(), slices.Collect(maps.Keys(schema.Properties)))
}

func TestTemplate(t *testing.T) {
	text := string(Template(testVendors()))
	f := mustLoad(t, text)
	assert.Empty(t, f.Names())

	// With the first "#" gone from each example, it is valid too.
	var opened []string
	examples, _, found := strings.Cut(text, "# Every tenant")
	require.True(t, found)
	for line := range strings.SplitSeq(examples, "\n") {
		if strings.HasPrefix(line, "#  ") {
			line = line[1:]
		}
		opened = append(opened, line)
	}
	f = mustLoad(t, strings.Join(opened, "\n"))
	assert.Equal(t, []string{"crowdstrike", "cortex", "cybereason"}, f.Names())
	assert.Equal(t, []string{
		"tenant crowdstrike: client-id is missing; set it in the file or as EDRCTL_CROWDSTRIKE_CLIENT_ID",
		"tenant cortex: api-key-id is missing; set it in the file or as EDRCTL_CORTEX_API_KEY_ID",
		"tenant cybereason: username is missing; set it in the file or as EDRCTL_CYBEREASON_USERNAME",
	}, faultsOf(t, f.Validate()), "what is left to fill in")
}

func TestInit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "edrctl", "config.yaml")
	require.NoError(t, Init(path, []byte("version: 1\n")))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing is left beside it")

	err = Init(path, []byte("version: 2\n"))
	require.ErrorIs(t, err, provision.ErrUsage)
	require.ErrorContains(t, err, "exists already")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "version: 1\n", string(data))

	require.ErrorIs(t, Init("", nil), provision.ErrUsage)
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink("elsewhere", link))
	require.ErrorIs(t, Init(link, nil), provision.ErrUsage)
}
