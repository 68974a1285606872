package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExplain(t *testing.T) {
	env := Environment{
		Environ: []string{"EDRCTL_CR_USERNAME=svc", "EDRCTL_OUTPUT=json", "EDRCTL_XDR_API_KEY=" + canary},
		Flags:   map[string]string{keyTimeout: "5s"},
	}
	f, err := Load(env, testVendors(), writeConfig(t, exampleFile))
	require.NoError(t, err)
	var lines []string
	for _, e := range f.Explain() {
		lines = append(lines, fmt.Sprintf("%s = %s (%s)", e.Key, e.Value, e.Source))
	}
	assert.Equal(t, []string{
		"default-tenants = falcon-prod (config.yaml:2)",
		"session-cache = file (config.yaml:3)",
		"output = json (env EDRCTL_OUTPUT)",
		"allow-plaintext-secrets = false (default)",
		"guards.protected = break-glass@acme.example (config.yaml:32)",
		"guards.max-deletes = 10 (config.yaml:33)",
		"roles.Lead.crowdstrike = View All,falconhost_read_only (config.yaml:30)",
		"roles.analyst.cortex = Viewer (config.yaml:27)",
		"roles.analyst.crowdstrike = falconhost_read_only (config.yaml:26)",
		"roles.analyst.cybereason = analyst_l1 (config.yaml:28)",
		"tenants.falcon-prod.vendor = crowdstrike (config.yaml:6)",
		"tenants.falcon-prod.region = us-2 (config.yaml:7)",
		"tenants.falcon-prod.client-id = 0f1e2d3c4b5a69788796a5b4c3d2e1f0 (config.yaml:8)",
		"tenants.falcon-prod.client-secret = set (env:FALCON_CLIENT_SECRET) (config.yaml:9)",
		"tenants.falcon-prod.api = auto (config.yaml:11)",
		"tenants.falcon-prod.timeout = 5s (flag)",
		"tenants.falcon-prod.max-wait = 2m (default)",
		"tenants.falcon-prod.insecure-skip-verify = false (default)",
		"tenants.falcon-prod.requests-per-minute = 0 (default)",
		"tenants.xdr.vendor = cortex (config.yaml:13)",
		"tenants.xdr.fqdn = acme.xdr.us.paloaltonetworks.com (config.yaml:14)",
		"tenants.xdr.api-key-id = 017 (config.yaml:15)",
		"tenants.xdr.api-key = set (env EDRCTL_XDR_API_KEY)",
		"tenants.xdr.timeout = 5s (flag)",
		"tenants.xdr.max-wait = 2m (default)",
		"tenants.xdr.insecure-skip-verify = false (default)",
		"tenants.xdr.requests-per-minute = 0 (default)",
		"tenants.cr.vendor = cybereason (config.yaml:18)",
		"tenants.cr.url = https://acme.cybereason.net:8443 (config.yaml:19)",
		"tenants.cr.username = svc (env EDRCTL_CR_USERNAME)",
		`tenants.cr.password = set (exec:["op",...]) (config.yaml:21)`,
		"tenants.cr.totp-secret = set (prompt:) (config.yaml:22)",
		"tenants.cr.ca-file = acme-ca.pem (config.yaml:23)",
		"tenants.cr.timeout = 5s (flag)",
		"tenants.cr.max-wait = 2m (default)",
		"tenants.cr.insecure-skip-verify = false (default)",
		"tenants.cr.requests-per-minute = 0 (default)",
	}, lines)
	assert.NotContains(t, strings.Join(lines, "\n"), canary)
}
