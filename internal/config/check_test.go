package config

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func TestCheckURL(t *testing.T) {
	good := []string{
		"https://acme.cybereason.net:8443", "https://x.example/", "https://x.example/prefix/y", "https://192.0.2.1",
		"http://127.0.0.1:8080", "http://127.8.9.1", "http://[::1]:1", "http://localhost", "http://LOCALHOST:9/x",
	}
	for _, address := range good {
		assert.Empty(t, checkURL(address), address)
	}
	bad := []string{
		"", "x.example", "//x.example", "https://", "https:///path", "https:x.example", "https://:443", "ftp://x.example",
		"https://x.example?a=b", "https://x.example?", "https://x.example#f", "https://x.example#", "https://x.example:70000",
		"https://x.example:0", "https://x.example:port", "https://u@x.example", "https://u:p@x.example", "https://x y.example",
		"http://x.example", "http://127.0.0.1.x.example", "http://localhost.x.example", "http://10.0.0.1", "http://[fe80::1]",
		"http://127.1", "http://2130706433", "http://0x7f000001", "http://0.0.0.0", "http://[::]", "http://127.0.0.1@x.example",
	}
	for _, address := range bad {
		assert.NotEmpty(t, checkURL(address), address)
	}
}

func TestCheckValue(t *testing.T) {
	common := map[string]provision.Setting{}
	for _, s := range commonSettings() {
		common[s.Name] = s
	}
	fqdn := provision.Setting{Name: "fqdn", Address: true}
	tests := []struct {
		setting provision.Setting
		good    []string
		bad     []string
	}{
		{common[keyTimeout], []string{"1ms", "30s", "2m"}, []string{"0s", "-1s", "30", "x", ""}},
		{common[keyMaxWait], []string{"0s", "1h"}, []string{"-1s", "2"}},
		{common[keyInsecure], []string{"true", "false", "1"}, []string{"yes", "on", ""}},
		{common[keyPerMinute], []string{"0", "600"}, []string{"-1", "1.5", "many"}},
		{
			common[keyProxy],
			[]string{"http://proxy.example:3128", "https://p.example", "socks5://127.0.0.1:1080", "http://p.example/"},
			[]string{"proxy.example:3128", "http://u:p@p.example", "http://p.example/x", "http://p.example?x", "ftp://p.example", "http://p.example:99999"},
		},
		{fqdn, []string{"acme.example", "https://acme.example/", "127.0.0.1:80", "http://127.0.0.1:80"}, []string{"http://acme.example", "u:p@acme.example", "a b"}},
		{provision.Setting{Name: "region", Values: []string{"auto", "us-1"}, Address: true}, []string{"auto"}, []string{"us1", "Auto"}},
		{provision.Setting{Name: "org-key"}, []string{"anything at all"}, []string{"a\nb", "a\x1bb", "a\u0085b"}},
	}
	for _, tt := range tests {
		t.Run(tt.setting.Name, func(t *testing.T) {
			for _, text := range tt.good {
				assert.Empty(t, checkValue(tt.setting, text), text)
			}
			for _, text := range tt.bad {
				assert.NotEmpty(t, checkValue(tt.setting, text), text)
			}
		})
	}
}

func TestInsecureIsRefusedInTheCloud(t *testing.T) {
	tests := []struct {
		name, vendor, address string
		refused               bool
	}{
		{"own host", "cybereason", "url: https://edr.acme.example", false},
		{"loopback", "cybereason", "url: https://127.0.0.1:8443", false},
		{"cloud", "cybereason", "url: https://acme.cybereason.net:8443", true},
		{"cloud in other letters", "cybereason", "url: https://acme.CyberReason.NET", false},
		{"cloud in capitals", "cybereason", "url: https://ACME.CYBEREASON.NET", true},
		{"cloud with a final dot", "cybereason", "url: https://acme.cybereason.net.", true},
		{"looks alike", "cybereason", "url: https://notcybereason.net", false},
		{"bare host in the cloud", "cortex", "fqdn: acme.xdr.us.paloaltonetworks.com/", true},
		{"bare host of one's own", "cortex", "fqdn: xdr.acme.example:8443", false},
		{"region", "crowdstrike", "region: us-2", true},
		{"default region", "crowdstrike", "api: auto", true},
		{"address before region", "crowdstrike", "{region: us-2, url: https://127.0.0.1:1}", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var address, rest string
			if address = tt.address; address[0] == '{' {
				rest = ", " + address[1:len(address)-1]
			} else {
				rest = ", " + address
			}
			f, err := load(t, fmt.Sprintf("version: 1\ntenants:\n  a: {vendor: %s, insecure-skip-verify: true%s}\n", tt.vendor, rest))
			if !tt.refused {
				require.NoError(t, err)
				require.Len(t, f.Warnings, 1)
				assert.Contains(t, f.Warnings[0], "tenant a: insecure-skip-verify is on")
				return
			}
			require.ErrorIs(t, err, provision.ErrUsage)
			assert.ErrorContains(t, err, "config.yaml:3: insecure-skip-verify is refused")
		})
	}
}

func TestCheckNamesWhatIsMissing(t *testing.T) {
	f := mustLoad(t, "version: 1\ntenants:\n  a: {vendor: cortex, client-cert: x.pem}\n  b: {vendor: cybereason, url: 'https://b.example', username: u, password: env:P}\n")
	err := f.Validate()
	assert.Equal(t, []string{
		"tenant a: fqdn or url is missing; set it in the file or as EDRCTL_A_FQDN",
		"tenant a: api-key-id is missing; set it in the file or as EDRCTL_A_API_KEY_ID",
		"tenant a: api-key is missing; set it in the file or as EDRCTL_A_API_KEY",
		"tenant a: client-cert and client-key go together",
	}, faultsOf(t, err))
	require.NoError(t, mustTenant(t, f, "b").Check(), "one tenant's faults are not another's")
	_, _, err = mustTenant(t, f, "a").Resolve(t.Context())
	require.ErrorIs(t, err, provision.ErrUsage)
}
