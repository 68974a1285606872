package carbonblack_test

import (
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edrctl/internal/carbonblack"
	"edrctl/internal/mock"
	fake "edrctl/internal/mock/carbonblack"
	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

const (
	org    = "7KQ2M9XD"
	orgURN = "psc:org:" + org

	viewAll    = "psc:role::BETA_VIEW_ALL"
	level1     = "psc:role::BETA_LEVEL_1_ANALYST"
	level2     = "psc:role::BETA_LEVEL_2_ANALYST"
	level3     = "psc:role::BETA_LEVEL_3_ANALYST"
	superAdmin = "psc:role::BETA_SUPER_ADMIN"
	viewOnly   = "psc:role::VIEW_ONLY"
	socTriage  = "psc:role:" + org + ":SOC_TRIAGE"
	unlisted   = "psc:role::CONTAINER_IMAGE_CLI_TOOL"

	// vera is the only Super Admin, in a grant with roles.
	vera = "vera.lindqvist@example.com"
	// ines has level2 and socTriage in one profile.
	ines = "ines.duarte@example.com"
	// lea has no grant.
	lea = "lea.brandt@example.com"
	// marek has level1 in a profile that another organisation shares.
	marek = "marek.novak@soc.example"
	// priya has viewAll in a profile, beside a disabled one with level3.
	priya = "priya.raman@example.com"
	// jonas has viewOnly, socTriage and unlisted in a grant with roles.
	jonas = "Jonas.Weber@My-Company.com"
	// nadia is invited.
	nadia = "nadia.rossi@example.com"
)

// tenant is an adapter connected to a fake of its own.
type tenant struct {
	provision.Provisioner
	t      *testing.T
	server *mock.Server
	seen   int
}

func open(t *testing.T, switches ...string) *tenant {
	t.Helper()
	servers, err := mock.Start(t.Context(), mock.Options{Makers: []mock.Maker{fake.Maker()}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = servers.Close() })
	server := servers.All()[0]
	for _, s := range switches {
		name, value, _ := strings.Cut(s, "=")
		require.NoError(t, server.Set(name, value))
	}
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(servers.CAPEM()))
	base := transport.Base(transport.BaseOptions{Roots: roots})
	t.Cleanup(base.CloseIdleConnections)

	cfg := config(server.URL)
	cfg.HTTP = base
	given := server.Settings()
	cfg.Secrets["api-secret"] = provision.NewSecret(given["api-secret"])
	p, err := carbonblack.New(t.Context(), cfg)
	require.NoError(t, err)
	return &tenant{Provisioner: p, t: t, server: server}
}

// config is a tenant's, with everything but a connection.
func config(url string) provision.Config {
	return provision.Config{
		Tenant:   "cbc",
		Settings: map[string]string{"url": url, "org-key": org, "api-id": "Q7W8E9R0TY"},
		Secrets:  map[string]provision.Secret{"api-secret": provision.NewSecret("CANARY0SECRET0CANARY0SEC")},
		Now:      time.Now, Log: slog.New(slog.DiscardHandler), Store: provision.MemoryStore(),
		Timeout: 10 * time.Second, MaxWait: 10 * time.Second,
	}
}

// sent are the requests since it was last asked, without the organisation and
// the ids of users and profiles.
func (x *tenant) sent() []string {
	log := x.server.Requests()
	var list []string
	for _, r := range log[x.seen:] {
		list = append(list, r.Method+" "+short(r.Path))
		require.Empty(x.t, r.Notes, "%s %s", r.Method, r.Path)
		require.False(x.t, r.Unknown, "%s %s", r.Method, r.Path)
	}
	x.seen = len(log)
	return list
}

// short is the path of a request in a word or two.
func short(path string) string {
	parts := strings.Split(path, "/")
	last := parts[len(parts)-1]
	switch {
	case strings.Contains(path, "/profiles/"):
		return "profile"
	case last == "users", last == "profiles", last == "_fetch", last == "google-auth", last == "permitted":
		return last
	case strings.Contains(path, "/users/"):
		return "user"
	case last == "grants":
		return last
	}
	return "grant"
}

// state is a part of what the fake holds.
func (x *tenant) state() (state struct {
	Grants []struct {
		Principal string
		Roles     []string
		Profiles  []struct {
			Orgs       struct{ Allow []string }
			Roles      []string
			Conditions struct {
				Expiration any
				Disabled   bool
			}
		}
	}
	Pending []struct {
		Email    string
		RoleURN  string `json:"role_urn"`
		Profiles []struct{ Roles []string }
	}
	GoogleAuth     []int
	EffectiveRoles map[string][]string
},
) {
	x.t.Helper()
	raw, err := json.Marshal(x.server.State())
	require.NoError(x.t, err)
	require.NoError(x.t, json.Unmarshal(raw, &state))
	return state
}

// load replaces what the fake holds by a change of it.
func (x *tenant) load(change func(state map[string]any)) {
	x.t.Helper()
	raw, err := json.Marshal(x.server.State())
	require.NoError(x.t, err)
	state := map[string]any{}
	require.NoError(x.t, json.Unmarshal(raw, &state))
	change(state)
	raw, err = json.Marshal(state)
	require.NoError(x.t, err)
	require.NoError(x.t, x.server.API().Load(raw))
}
