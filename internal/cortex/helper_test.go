package cortex_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	mockcortex "edrctl/internal/mock/cortex"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/transport"
)

const (
	ada  = "ada.quist@northwind.example"
	bo   = "Bo.Lindqvist@northwind.example"
	root = "root.admin@northwind.example"
	cy   = "cy.okafor@example.com"
	dana = "dana.reyes@contractors.example"
	ivo  = "ivo.novak+soc@my-company.com"

	triageID = "tier_1_triage_4821"
	socTier1 = "9f0c6a1e"
	duty     = "3c51b7d0"

	listUsers5 = "GET /platform/iam/v1/user"
	listRoles5 = "GET /platform/iam/v1/role"
	listGroup5 = "GET /platform/iam/v1/user-group"
	editUser5  = "PATCH /platform/iam/v1/user/"
	listUsers3 = "POST /public_api/v1/rbac/get_users"
	setRole3   = "POST /public_api/v1/rbac/set_user_role"
	getRoles3  = "POST /public_api/v1/rbac/get_roles"
	getGroups3 = "POST /public_api/v1/rbac/get_user_group"
)

// tenant is a fake behind TLS, and an adapter with a key for it.
type tenant struct {
	*testing.T
	*mock.Server
	p      provision.Provisioner
	vendor *provision.Vendor
	roots  *x509.CertPool
	log    bytes.Buffer
}

// open starts a fake with its switches turned. The setting generation is what
// the adapter is told.
func open(t *testing.T, setting string, switches ...string) *tenant {
	t.Helper()
	servers, err := mock.Start(t.Context(), mock.Options{Makers: []mock.Maker{mockcortex.Maker()}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = servers.Close() })
	v := unhurried()
	x := &tenant{T: t, Server: servers.All()[0], vendor: &v, roots: x509.NewCertPool()}
	require.True(t, x.roots.AppendCertsFromPEM(servers.CAPEM()))
	for i := 0; i < len(switches); i += 2 {
		require.NoError(t, x.Set(switches[i], switches[i+1]))
	}
	x.p = x.connect(func(c *provision.Config) { c.Settings["generation"] = setting })
	return x
}

// connect makes another adapter for the same fake.
func (x *tenant) connect(tweak func(*provision.Config)) provision.Provisioner {
	x.Helper()
	base := transport.Base(transport.BaseOptions{Roots: x.roots})
	x.Cleanup(base.CloseIdleConnections)
	given := x.Settings()
	cfg := provision.Config{
		Tenant:   "xdr",
		Settings: map[string]string{"url": given["url"], "api-key-id": given["api-key-id"], "key-type": given["key-type"]},
		Secrets:  map[string]provision.Secret{"api-key": provision.NewSecret(given["api-key"])},
		HTTP:     base, Now: time.Now, Store: provision.MemoryStore(),
		Log:     slog.New(slog.NewTextHandler(&x.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Timeout: 5 * time.Second, MaxWait: 5 * time.Second,
	}
	if tweak != nil {
		tweak(&cfg)
	}
	p, err := x.vendor.New(x.Context(), cfg)
	require.NoError(x, err)
	return p
}

// sent runs something and returns the requests it took.
func (x *tenant) sent(run func()) []string {
	x.Helper()
	before := len(x.Requests())
	run()
	var lines []string
	for _, r := range x.Requests()[before:] {
		lines = append(lines, r.Method+" "+r.Path)
	}
	return lines
}

// bodies are those of the changes so far.
func (x *tenant) bodies() []string {
	var list []string
	for _, r := range x.Requests() {
		if r.Write {
			list = append(list, r.Body)
		}
	}
	return list
}

// apply carries out changes as a command does.
func (x *tenant) apply(o plan.Options, changes ...plan.Change) []plan.Result {
	x.Helper()
	results, err := x.tryApply(o, nil, changes...)
	require.NoError(x, err)
	return results
}

func (x *tenant) tryApply(o plan.Options, kept plan.RoleCache, changes ...plan.Change) ([]plan.Result, error) {
	o.Guards.MaxDeletes = -1
	o.Looks = []time.Duration{0, 0, 0}
	for i := range changes {
		changes[i].Tenant = "xdr"
	}
	return plan.Apply(x.Context(), []plan.Target{{Tenant: "xdr", Vendor: x.vendor, Provisioner: x.p, Roles: kept}}, changes, o)
}

// user is one as a further adapter reads it.
func (x *tenant) user(login string) provision.User {
	x.Helper()
	u, err := x.p.User(x.Context(), login)
	require.NoError(x, err)
	return u
}

func (x *tenant) users() map[string]provision.User {
	x.Helper()
	all := map[string]provision.User{}
	for u, err := range x.p.Users(x.Context(), provision.Filter{}) {
		require.NoError(x, err)
		all[u.Login] = u
	}
	return all
}

func (x *tenant) change(login string, c provision.RoleChange) (provision.RoleResult, error) {
	return x.p.ChangeRoles(x.Context(), login, c)
}

// stateOf is everything a fake holds.
func stateOf(t *testing.T, api interface{ State() any }) map[string]any {
	t.Helper()
	encoded, err := json.Marshal(api.State())
	require.NoError(t, err)
	var state map[string]any
	require.NoError(t, json.Unmarshal(encoded, &state))
	return state
}

// load puts a state into the fake.
func load(t *testing.T, x *tenant, state map[string]any) {
	t.Helper()
	encoded, err := json.Marshal(state)
	require.NoError(t, err)
	require.NoError(t, x.API().Load(encoded))
}

// keptRoles is a list of an earlier run.
type keptRoles []provision.Role

func (k keptRoles) Load() ([]provision.Role, bool) { return k, true }
func (keptRoles) Save([]provision.Role)            {}

func grant(id string) provision.RoleChange { return provision.RoleChange{Grant: []string{id}} }

func set(id string) provision.RoleChange {
	return provision.RoleChange{Grant: []string{id}, Exact: true}
}

func revoke(id string) provision.RoleChange { return provision.RoleChange{Revoke: []string{id}} }
