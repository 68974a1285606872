package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// testVendors take the keys of the example below.
func testVendors() []provision.Vendor {
	return []provision.Vendor{
		{
			Name: "crowdstrike", Title: "CrowdStrike Falcon", CloudHosts: []string{"crowdstrike.com"},
			Settings: []provision.Setting{
				{Name: "url", Help: "the address", OneOf: "address", Required: true, Address: true},
				{
					Name: "region", Help: "the cloud", OneOf: "address", Required: true,
					Values: []string{"auto", "us-1", "us-2", "eu-1"}, Default: "auto",
				},
				{Name: "client-id", Help: "the id", Required: true},
				{Name: "client-secret", Help: "the secret", Required: true, Secret: true},
				{Name: "member-cid", Help: "a child"},
				{Name: "api", Help: "the family", Values: []string{"auto", "modern", "legacy"}, Default: "auto"},
			},
		},
		{
			Name: "cortex", Title: "Cortex XDR", CloudHosts: []string{"paloaltonetworks.com"},
			Settings: []provision.Setting{
				{Name: "fqdn", Help: "the host", Required: true, OneOf: "address", Address: true},
				{Name: "url", Help: "the address", Required: true, OneOf: "address", Address: true},
				{Name: "api-key-id", Help: "the number", Required: true},
				{Name: "api-key", Help: "the key", Required: true, Secret: true},
			},
		},
		{
			Name: "cybereason", Title: "Cybereason", CloudHosts: []string{"cybereason.net"},
			Settings: []provision.Setting{
				{Name: "url", Help: "the address", Required: true, Address: true},
				{Name: "username", Help: "the account", Required: true},
				{Name: "password", Help: "its password", Required: true, Secret: true},
				{Name: "totp-secret", Help: "its second factor", Secret: true},
			},
		},
	}
}

const exampleFile = `version: 1
default-tenants: [falcon-prod]
session-cache: file
tenants:
  falcon-prod:
    vendor: crowdstrike
    region: us-2
    client-id: 0f1e2d3c4b5a69788796a5b4c3d2e1f0
    client-secret: env:FALCON_CLIENT_SECRET
    member-cid: ""
    api: auto
  xdr:
    vendor: cortex
    fqdn: acme.xdr.us.paloaltonetworks.com
    api-key-id: 017
    api-key: keyring:edrctl/xdr
  cr:
    vendor: cybereason
    url: https://acme.cybereason.net:8443
    username: svc-edrctl@acme.example
    password: exec:["op","read","op://it/cybereason/password"]
    totp-secret: "prompt:"
    ca-file: acme-ca.pem
roles:
  analyst:
    crowdstrike: [falconhost_read_only]
    cortex: [Viewer]
    cybereason: [analyst_l1]
  Lead:
    crowdstrike: [View All, falconhost_read_only]
guards:
  protected: [break-glass@acme.example]
  max-deletes: 10
`

// writeConfig puts a file where only the user can read it.
func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func load(t *testing.T, text string, environ ...string) (*File, error) {
	t.Helper()
	return Load(Environment{Environ: environ}, testVendors(), writeConfig(t, text))
}

func mustLoad(t *testing.T, text string, environ ...string) *File {
	t.Helper()
	f, err := load(t, text, environ...)
	require.NoError(t, err)
	return f
}

func mustTenant(t *testing.T, f *File, name string) *Tenant {
	t.Helper()
	tenant, err := f.Tenant(name)
	require.NoError(t, err)
	return tenant
}

// faultsOf are the faults of an error without the folder of the file.
func faultsOf(t *testing.T, err error) []string {
	t.Helper()
	require.ErrorIs(t, err, provision.ErrUsage)
	var faults Faults
	require.ErrorAs(t, err, &faults)
	var texts []string
	for _, f := range faults {
		if i := strings.LastIndex(f.Where, string(filepath.Separator)); i >= 0 {
			f.Where = f.Where[i+1:]
		}
		texts = append(texts, f.String())
	}
	return texts
}

func TestLoadExample(t *testing.T) {
	f := mustLoad(t, exampleFile)
	assert.True(t, f.Found)
	assert.Equal(t, []string{"falcon-prod", "xdr", "cr"}, f.Names())
	assert.Equal(t, []string{"falcon-prod"}, f.DefaultTenants)
	assert.Equal(t, SessionFile, f.SessionCache)
	assert.Equal(t, "table", f.Output)
	assert.Equal(t, Guards{Protected: []string{"break-glass@acme.example"}, MaxDeletes: 10}, f.Guards)
	assert.Empty(t, f.Warnings)
	require.NoError(t, f.Validate())

	falcon := mustTenant(t, f, "falcon-prod")
	assert.Equal(t, "crowdstrike", falcon.Vendor.Name)
	assert.Equal(t, "us-2", falcon.Address())
	assert.Equal(t, 30*time.Second, falcon.Timeout)
	assert.Equal(t, 2*time.Minute, falcon.MaxWait)
	assert.Equal(t, 0, falcon.RequestsPerMinute)
	xdr := mustTenant(t, f, "xdr")
	assert.Equal(t, "017", xdr.Setting("api-key-id"), "numbers are taken as written")
	assert.Equal(t, "acme.xdr.us.paloaltonetworks.com", xdr.Address())
}

func TestLoadNothing(t *testing.T) {
	f, err := Load(Environment{ConfigDir: t.TempDir()}, testVendors(), "")
	require.NoError(t, err)
	assert.False(t, f.Found)
	assert.Empty(t, f.Names())
	assert.Equal(t, NoLimit, f.Guards.MaxDeletes)
	_, err = f.Tenant("x")
	require.ErrorIs(t, err, provision.ErrUsage)
	require.ErrorContains(t, err, "none is configured")

	f, err = Load(Environment{}, testVendors(), "")
	require.NoError(t, err, "without a home folder there is no file, and that is all")
	assert.Empty(t, f.Path)
}

func TestPath(t *testing.T) {
	dir := t.TempDir()
	join := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	tests := []struct {
		name    string
		environ []string
		flag    string
		want    string
	}{
		{"default", nil, "", join("os", "edrctl", "config.yaml")},
		{"xdg", []string{"XDG_CONFIG_HOME=" + join("xdg")}, "", join("xdg", "edrctl", "config.yaml")},
		{"relative xdg", []string{"XDG_CONFIG_HOME=xdg"}, "", join("os", "edrctl", "config.yaml")},
		{"variable", []string{"XDG_CONFIG_HOME=" + join("xdg"), "EDRCTL_CONFIG=" + join("v.yaml")}, "", join("v.yaml")},
		{"empty variable", []string{"EDRCTL_CONFIG="}, "", join("os", "edrctl", "config.yaml")},
		{"flag", []string{"EDRCTL_CONFIG=" + join("v.yaml")}, join("f.yaml"), join("f.yaml")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := Environment{Environ: tt.environ, ConfigDir: join("os")}
			assert.Equal(t, tt.want, Path(env, tt.flag))
			f, err := Load(env, testVendors(), tt.flag)
			if strings.HasSuffix(tt.want, "config.yaml") {
				require.NoError(t, err, "the default file may be missing")
				assert.Equal(t, tt.want, f.Path)
				return
			}
			require.ErrorIs(t, err, provision.ErrUsage, "a file that somebody named may not")
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestLoadRefusesWhatIsNoFile(t *testing.T) {
	_, err := Load(Environment{}, testVendors(), t.TempDir())
	require.ErrorIs(t, err, provision.ErrUsage)
	require.ErrorContains(t, err, "no regular file")

	large := writeConfig(t, "version: 1\n#"+strings.Repeat("x", maxFile))
	_, err = Load(Environment{}, testVendors(), large)
	require.ErrorIs(t, err, provision.ErrUsage)
	require.ErrorContains(t, err, "too large")

	dangling := filepath.Join(t.TempDir(), "edrctl", "config.yaml")
	require.NoError(t, os.MkdirAll(filepath.Dir(dangling), 0o700))
	require.NoError(t, os.Symlink("nowhere", dangling))
	_, err = Load(Environment{ConfigDir: filepath.Dir(filepath.Dir(dangling))}, testVendors(), "")
	assert.ErrorIs(t, err, provision.ErrUsage, "a link to nothing is no missing file")
}

func TestPrecedence(t *testing.T) {
	const text = "version: 1\nsession-cache: file\noutput: json\ntenants:\n  cr: {vendor: cybereason, url: 'https://a.example', username: f, timeout: 5s, max-wait: 6s}\n"
	env := Environment{
		Environ: []string{
			"EDRCTL_CR_USERNAME=e", "EDRCTL_CR_TIMEOUT=7s", "EDRCTL_CR_MAX_WAIT=8s", "EDRCTL_OUTPUT=yaml",
			"EDRCTL_SESSION_CACHE=off", "EDRCTL_CR_URL=",
		},
		Flags: map[string]string{"timeout": "9s", "output": "html", "tenant": "x", "config": "y"},
	}
	f, err := Load(env, testVendors(), writeConfig(t, text))
	require.NoError(t, err)
	cr := mustTenant(t, f, "cr")
	assert.Equal(t, "e", cr.Setting("username"), "environment before file")
	assert.Equal(t, "https://a.example", cr.Setting("url"), "a variable set to nothing is not set")
	assert.Equal(t, 9*time.Second, cr.Timeout, "flag before environment")
	assert.Equal(t, 8*time.Second, cr.MaxWait)
	assert.Equal(t, SessionOff, f.SessionCache)
	assert.Equal(t, "html", f.Output, "commands judge their flag")
	assert.Equal(t, "false", cr.Setting(keyInsecure), "default")
}

func TestEnvironmentAlone(t *testing.T) {
	f, err := Load(Environment{Environ: []string{
		"EDRCTL_LAB_TWO_VENDOR=cortex", "EDRCTL_LAB_TWO_URL=http://127.0.0.1:9000", "EDRCTL_LAB_TWO_API_KEY_ID=7",
		"EDRCTL_LAB_TWO_API_KEY=env:literal\n", "EDRCTL_DEFAULT_TENANTS=lab-two, lab-two",
	}}, testVendors(), "")
	require.NoError(t, err)
	assert.Equal(t, []string{"lab-two"}, f.Names())
	assert.Equal(t, []string{"lab-two"}, f.DefaultTenants)
	lab := mustTenant(t, f, "lab-two")
	settings, secrets, err := lab.Resolve(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"url": "http://127.0.0.1:9000", "api-key-id": "7"}, settings)
	assert.Equal(t, "env:literal\n", secrets["api-key"].Reveal(), "taken as it is")
	assert.NoError(t, f.Validate())
}

func TestWarnings(t *testing.T) {
	text := strings.ReplaceAll(exampleFile, "env:FALCON_CLIENT_SECRET", "env:EDRCTL_FALCON")
	f := mustLoad(t, text,
		"EDRCTL_TYPO_URL=https://x.example", "EDRCTL_XDR_USERNAME=u", "EDRCTL_NONSENSE=1", "EDRCTL_URL=x",
		"EDRCTL_FALCON=referred to", "EDRCTL_xdr_fqdn=lower", "PATH=/bin", "EDRCTL_EMPTY=")
	assert.Equal(t, []string{
		"EDRCTL_NONSENSE is ignored: it ends in no key of a tenant",
		"EDRCTL_URL is ignored: it ends in no key of a tenant",
		"EDRCTL_xdr_fqdn is ignored: it ends in no key of a tenant",
		`EDRCTL_TYPO_URL is ignored: there is no tenant "typo", and no EDRCTL_TYPO_VENDOR to make it one`,
		"EDRCTL_XDR_USERNAME is ignored: tenant xdr is cortex, which has no key username",
	}, f.Warnings)
}

func TestTenantUnknown(t *testing.T) {
	f := mustLoad(t, exampleFile)
	_, err := f.Tenant("falcon_prod")
	require.ErrorIs(t, err, provision.ErrUsage)
	require.EqualError(t, err, `unknown tenant "falcon_prod"; did you mean "falcon-prod"?`)
	_, err = f.Tenant("elsewhere")
	assert.EqualError(t, err, `unknown tenant "elsewhere"; known are falcon-prod, xdr, cr`)
}

func TestExpandRoles(t *testing.T) {
	f := mustLoad(t, exampleFile)
	assert.Equal(t, []string{"Lead", "analyst"}, f.Aliases())
	roles, err := f.ExpandRoles("crowdstrike", []string{"Lead", "analyst", "other", "id:Lead", "LEAD"})
	require.NoError(t, err)
	assert.Equal(t, []string{"View All", "falconhost_read_only", "other", "id:Lead", "LEAD"}, roles)
	_, err = f.ExpandRoles("cortex", []string{"Lead"})
	require.ErrorIs(t, err, provision.ErrUsage)
	require.EqualError(t, err, `role alias "Lead" has no role for cortex`)
	var e *provision.Error
	require.ErrorAs(t, err, &e)
	assert.Contains(t, e.Hint, "roles.Lead.cortex")
}
