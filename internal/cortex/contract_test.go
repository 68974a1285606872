package cortex_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"edrctl/internal/cortex"
	"edrctl/internal/mock"
	mockcortex "edrctl/internal/mock/cortex"
	"edrctl/internal/provision"
	"edrctl/internal/provision/provisiontest"
)

// TestContract runs side by side, since it is mostly waiting.
func TestContract(t *testing.T) {
	for _, keyType := range []string{"advanced", "standard"} {
		t.Run("platform5, "+keyType+" key", func(t *testing.T) {
			t.Parallel()
			setting := map[string]string{"advanced": "auto", "standard": "platform5"}[keyType]
			provisiontest.Run(t, platform(t, setting, keyType))
		})
		t.Run("xdr3, "+keyType+" key", func(t *testing.T) {
			t.Parallel()
			provisiontest.Run(t, older(t, keyType))
		})
	}
}

func platform(t *testing.T, setting, keyType string) provisiontest.Target {
	v := unhurried()
	return provisiontest.Target{
		Vendor: &v, Open: console(t, &v, setting, keyType, "platform5").Open,
		Listed: everybody(), Plain: ivo, Mixed: bo,
		Holder: ada, HolderRoles: []string{"investigator"}, Inheritor: ada, InheritedRole: triageID,
		RoleA: provision.Role{ID: "viewer", Name: "Viewer"}, RoleB: provision.Role{ID: "soc_lead_5190", Name: "SOC Lead"},
		UnknownRole: "tier_9", OneRole: true,
	}
}

// older is Cortex XDR 3.x, which cannot change users. What the vendor declares
// is about all generations, so that it is narrowed down here.
func older(t *testing.T, keyType string) provisiontest.Target {
	v := unhurried()
	no := provision.Capability{Level: provision.Unsupported, Note: "Cortex XDR 3.x has no call to change a user"}
	for _, can := range []provision.CapabilityName{provision.CanUpdateUser, provision.CanStoreName, provision.CanStorePhone} {
		v.Capabilities[can] = no
	}
	hidden := provision.UserPatch{Options: provision.Options{"hidden": "true"}}
	return provisiontest.Target{
		Vendor: &v, Open: console(t, &v, "xdr3", keyType, "xdr3").Open,
		Listed: everybody(), Plain: ivo, Mixed: bo, Patch: hidden,
		Holder: ada, HolderRoles: []string{"Investigator"}, Inheritor: ada, InheritedRole: "Tier 1 Triage",
		RoleA:       provision.Role{ID: "Viewer", Name: "Viewer"},
		RoleB:       provision.Role{ID: "Privileged Investigator", Name: "Privileged Investigator"},
		UnknownRole: "Tier 9", OneRole: true,
	}
}

// unhurried is the vendor without its limit of requests a second, which would
// make the suite take minutes.
func unhurried() provision.Vendor {
	v := cortex.Vendor()
	v.New = func(ctx context.Context, cfg provision.Config) (provision.Provisioner, error) {
		cfg.RequestsPerMinute = 60_000
		return cortex.New(ctx, cfg)
	}
	return v
}

func console(t *testing.T, v *provision.Vendor, setting, keyType, generation string) provisiontest.Console {
	return provisiontest.Console{
		Vendor: v, Maker: withSSO(t),
		Settings: map[string]string{"generation": setting},
		Switches: map[string]string{"generation": generation, "key-type": keyType},
		Forbid:   func(s *mock.Server) { require.NoError(t, s.Set("permission", "none")) },
	}
}

// withSSO is the fake with Ada signing in through SSO as well, so that access
// remains to her after everything was taken that can be.
func withSSO(t *testing.T) mock.Maker {
	m := mockcortex.Maker()
	return mock.Maker{Vendor: m.Vendor, New: func(env mock.Env) mock.API {
		api := m.New(env)
		state := stateOf(t, api)
		state["users"].([]any)[0].(map[string]any)["user_type"] = "CSP / SSO"
		encoded, err := json.Marshal(state)
		require.NoError(t, err)
		require.NoError(t, api.Load(encoded))
		return api
	}}
}

func everybody() []string { return []string{ada, bo, root, cy, dana, ivo} }
