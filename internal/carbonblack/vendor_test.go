package carbonblack_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/carbonblack"
	"edrctl/internal/provision"
)

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name, setting, value string
		want                 provision.Kind
		says                 string
	}{
		{"good", "url", "https://defense-prod05.conferdeploy.net", "", ""},
		{"a slash at the end", "url", "https://defense-prod05.conferdeploy.net/", "", ""},
		{"a lookalike of Prod UK", "url", "https://not-ew2.carbonblackcloud.vmware.com.example", "", ""},
		{"Prod UK", "url", "https://ew2.carbonblackcloud.vmware.com", provision.ErrUnsupported, "VMware Cloud Services"},
		{"Prod UK, spelled otherwise", "url", "https://EW2.CarbonBlackCloud.vmware.com.:443/", provision.ErrUnsupported, "Prod UK"},
		{"GovCloud", "url", "https://gprd1usgw1.carbonblack-us-gov.vmware.com", provision.ErrUnsupported, "GovCloud"},
		{"no scheme", "url", "defense-prod05.conferdeploy.net", provision.ErrUsage, "url"},
		{"credentials", "url", "https://me:pw@defense-prod05.conferdeploy.net", provision.ErrUsage, "url"},
		{"a query", "url", "https://defense-prod05.conferdeploy.net/?a=b", provision.ErrUsage, "url"},
		{"an organisation with a slash", "org-key", "7KQ2M9XD/..", provision.ErrUsage, "org-key"},
		{"no organisation", "org-key", "", provision.ErrUsage, "org-key"},
		{"an id with a colon", "api-id", "psc:cnn", provision.ErrUsage, "api-id"},
		{"the whole token", "api-secret", "CANARY/Q7W8E9R0TY", provision.ErrUsage, "before the slash"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config("https://defense-prod05.conferdeploy.net")
			cfg.Settings[tt.setting] = tt.value
			if tt.setting == "api-secret" {
				cfg.Secrets[tt.setting] = provision.NewSecret(tt.value)
			}
			_, err := carbonblack.New(t.Context(), cfg)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, tt.says)
			assert.NotContains(t, err.Error(), "CANARY")
		})
	}
}

func TestOptions(t *testing.T) {
	v := carbonblack.Vendor()
	require.NoError(t, v.CheckOptions(provision.Options{"auth-method": "OAUTH"}, "create"), "passed on")
	require.NoError(t, v.CheckOptions(provision.Options{"auth-method": "saml"}, "update"))
	require.ErrorIs(t, v.CheckOptions(provision.Options{"auth-method": "SAML"}, "roles"), provision.ErrUsage)
	assert.False(t, v.ListsPending)
	assert.Equal(t, 4, v.InFlight)
}
