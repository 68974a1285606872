package cortex

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func config(settings map[string]string) provision.Config {
	all := map[string]string{"url": "https://api-acme.example", "api-key-id": "17"}
	for name, value := range settings {
		all[name] = value
	}
	return provision.Config{
		Settings: all, Secrets: map[string]provision.Secret{"api-key": provision.NewSecret("canary-key")},
		Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
}

func TestAddress(t *testing.T) {
	const host = "https://api-acme.xdr.us.paloaltonetworks.com"
	for fqdn, want := range map[string]string{
		"acme.xdr.us.paloaltonetworks.com":              host,
		"api-acme.xdr.us.paloaltonetworks.com":          host,
		"https://acme.xdr.us.paloaltonetworks.com/":     host,
		"https://api-acme.xdr.us.paloaltonetworks.com/": host,
		" http://acme.xdr.us.paloaltonetworks.com// ":   host,
		"xdr.acme.example:8443":                         "https://api-xdr.acme.example:8443",
		"":                                              "",
		"api-":                                          "",
		"acme.example/login":                            "",
		"user:pass@acme.example":                        "",
		"acme.example?x":                                "",
		"acme.example#x":                                "",
	} {
		origin, setting, err := address(config(map[string]string{"url": "", "fqdn": fqdn}))
		if want == "" {
			require.ErrorIs(t, err, provision.ErrUsage, "%q", fqdn)
			continue
		}
		if assert.NoError(t, err, "%q", fqdn) {
			assert.Equal(t, want, origin.String(), "%q", fqdn)
			assert.Equal(t, "fqdn", setting)
		}
	}
	for url, ok := range map[string]bool{
		"https://acme.example": true, "http://127.0.0.1:8443": true, "https://acme.example/prefix": true,
		"acme.example": false, "ftp://acme.example": false, "https://": false, "https://u:p@acme.example": false,
	} {
		origin, setting, err := address(config(map[string]string{"url": url, "fqdn": "other.example"}))
		if !ok {
			require.ErrorIs(t, err, provision.ErrUsage, "%q", url)
			continue
		}
		if assert.NoError(t, err, "%q", url) {
			assert.Equal(t, url, origin.String(), "used as it is")
			assert.Equal(t, "url", setting)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"a key id that is no number": {"api-key-id": "17\r\nX: y"},
		"no key id":                  {"api-key-id": ""},
		"an unknown key type":        {"key-type": "extra"},
		"an unknown generation":      {"generation": "xdr4"},
		"no address":                 {"url": ""},
	} {
		_, err := New(t.Context(), config(settings))
		require.ErrorIs(t, err, provision.ErrUsage, name)
		assert.NotContains(t, err.Error(), "canary", name)
	}
	cfg := config(nil)
	cfg.Secrets = nil
	_, err := New(t.Context(), cfg)
	assert.ErrorIs(t, err, provision.ErrUsage, "no key")
}

func TestIsAccountAdmin(t *testing.T) {
	for _, role := range []string{"Account Admin", "account admin", "account_admin", "ACCOUNT-ADMIN"} {
		assert.True(t, isAccountAdmin(role), role)
	}
	for _, role := range []string{"", "Administrator", "Account Administrator's Helper", "instance_admin"} {
		assert.False(t, isAccountAdmin(role), role)
	}
}

// TestRemains is about access that a user shows beside the roles.
func TestRemains(t *testing.T) {
	v := Vendor()
	for kind, want := range map[string][]provision.Residual{
		"":    {{Kind: "group", Name: "SOC Tier 1"}},
		"CSP": {{Kind: "group", Name: "SOC Tier 1"}},
		"sso": {{Kind: "group", Name: "SOC Tier 1"}, {Kind: "role", Name: "SSO default role"}},
	} {
		u := provision.User{Extra: map[string]any{"user-type": kind, "groups": []string{"SOC Tier 1"}}}
		assert.Equal(t, want, v.Access(u), kind)
	}
	assert.Empty(t, v.Access(provision.User{Extra: map[string]any{"groups": []string{}}}))
}
