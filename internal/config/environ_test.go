package config

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		variable, tenant, key string
	}{
		{"EDRCTL_LAB_TWO_URL", "lab-two", "url"},
		{"EDRCTL_LAB_API_KEY_ID", "lab", "api-key-id"},
		{"EDRCTL_LAB_API_KEY", "lab", "api-key"},
		{"EDRCTL_CR_INSECURE_SKIP_VERIFY", "cr", "insecure-skip-verify"},
		{"EDRCTL_7_VENDOR", "7", "vendor"},
		{"EDRCTL_A__URL", "a-", "url"},
		{"EDRCTL_A__B_URL", "a--b", "url"},
		{"EDRCTL_URL_URL", "url", "url"},
		{"EDRCTL_URL", "", ""},
		{"EDRCTL__URL", "", ""},
		{"EDRCTL_API_KEY", "", ""},
		{"EDRCTL_LAB-TWO_URL", "", ""},
		{"EDRCTL_lab_URL", "", ""},
		{"EDRCTL_LAB_", "", ""},
		{"EDRCTL_", "", ""},
		{"LAB_URL", "", ""},
	}
	c := newCatalog(testVendors())
	for _, tt := range tests {
		t.Run(tt.variable, func(t *testing.T) {
			tenant, key, ok := c.split(tt.variable)
			assert.Equal(t, []any{tt.tenant, tt.key, tt.key != ""}, []any{tenant, key, ok})
		})
	}
}

// A variable splits into the tenant and key it is made of, unless the end of
// the tenant's name and the key together are a longer key.
func TestSplitUndoesVariable(t *testing.T) {
	c := newCatalog(testVendors())
	keys := slices.Sorted(maps.Keys(c.secret))
	rapid.Check(t, func(t *rapid.T) {
		tenant := rapid.OneOf(
			rapid.StringMatching(`[a-z0-9][a-z0-9-]{0,12}`),
			rapid.Map(rapid.SampledFrom(keys), func(key string) string { return "x-" + key }),
		).Draw(t, "tenant")
		key := rapid.SampledFrom(keys).Draw(t, "key")
		gotTenant, gotKey, ok := c.split(variable(tenant, key))
		if !ok || variable(gotTenant, gotKey) != variable(tenant, key) {
			t.Fatalf("%s became %q and %q", variable(tenant, key), gotTenant, gotKey)
		}
		if gotTenant == tenant && gotKey == key {
			return
		}
		if len(gotKey) <= len(key) || !strings.HasSuffix(gotKey, key) {
			t.Fatalf("%s became %q and %q without need", variable(tenant, key), gotTenant, gotKey)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add("EDRCTL_LAB_TWO_URL")
	f.Add("EDRCTL_É_URL")
	f.Add("EDRCTL_ı_URL")
	c := newCatalog(testVendors())
	f.Fuzz(func(t *testing.T, name string) {
		tenant, key, ok := c.split(name)
		if !ok {
			return
		}
		assert.True(t, validTenant(tenant), tenant)
		assert.Contains(t, c.secret, key)
		assert.Equal(t, name, variable(tenant, key))
	})
}

func TestVariablesOfTheEnvironment(t *testing.T) {
	vars := newVariables([]string{"A=1", "A=2", "B=x=y", "C=", "=D=1", "E"})
	assert.Equal(t, variables{"A": "1", "B": "x=y", "C": ""}, vars)
	_, ok := vars.get("C")
	assert.False(t, ok, "set to nothing is not set")
}

func TestSearchPathIsAbsolute(t *testing.T) {
	vars := newVariables([]string{"PATH=:.:bin:/usr/bin:../x:/bin:"})
	assert.Equal(t, []string{"/usr/bin", "/bin"}, vars.searchPath())
}
