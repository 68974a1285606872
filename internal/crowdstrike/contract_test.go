package crowdstrike_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"edrctl/internal/crowdstrike"
	"edrctl/internal/mock"
	fake "edrctl/internal/mock/crowdstrike"
	"edrctl/internal/provision"
	"edrctl/internal/provision/provisiontest"
)

const childCID = "7be2f0c45d6a4c1b9a3e8d5f60718293"

func TestContract(t *testing.T) {
	t.Run("modern", func(t *testing.T) {
		v := crowdstrike.Vendor()
		console := provisiontest.Console{
			Vendor: &v, Maker: atHome(t), PageSwitch: "page-size", Forbid: forbid,
			Settings: map[string]string{"api": "modern"}, Switches: map[string]string{"families": "modern"},
		}
		target := people(&v)
		target.Open = console.Open
		target.Inheritor, target.InheritedRole = "sam.o'tieno@example.com", "event_viewer"
		provisiontest.Run(t, target)
	})
	t.Run("modern, where it may differ", func(t *testing.T) {
		v := crowdstrike.Vendor()
		console := provisiontest.Console{
			Vendor: &v, Maker: atHome(t), PageSwitch: "page-size", Forbid: forbid,
			Switches: map[string]string{
				"grants-unknown": "404", "bulk-unknown": "error", "duplicate-status": "400", "delete-unknown": "400",
				"uid-case": "kept", "retry-after-unit": "ms", "validate-only": "empty", "update-missing-name": "blank", "region": "eu-1",
			},
		}
		target := people(&v)
		target.Open = console.Open
		provisiontest.Run(t, target)
	})
	t.Run("legacy", func(t *testing.T) {
		v := crowdstrike.Vendor()
		for _, name := range []provision.CapabilityName{
			provision.CanExpireRoles, provision.CanResetMFA, provision.CanResetPassword,
		} {
			v.Capabilities[name] = provision.Capability{Level: provision.Unsupported, Note: "the legacy API"}
		}
		console := provisiontest.Console{
			Vendor: &v, Maker: atHome(t), Forbid: forbid,
			Settings: map[string]string{"api": "legacy"}, Switches: map[string]string{"families": "legacy"},
		}
		target := people(&v)
		target.Open = console.Open
		provisiontest.Run(t, target)
	})
}

// people are those of the fake's default state.
func people(v *provision.Vendor) provisiontest.Target {
	return provisiontest.Target{
		Vendor: v,
		Listed: []string{
			"nora.vance@example.com", "Ravi.McKenna@Example.com", "zofia.wisniewska@acme.example",
			"li.tran@my-company.com", "omar.haddad@example.com", "sam.o'tieno@example.com",
		},
		Plain: "li.tran@my-company.com", Mixed: "Ravi.McKenna@Example.com",
		Holder: "nora.vance@example.com", HolderRoles: []string{"falconhost_admin", "remote_responder", "user_admin"},
		RoleA:       provision.Role{ID: "event_viewer", Name: "Event Viewer"},
		RoleB:       provision.Role{ID: "help_desk", Name: "Help Desk"},
		UnknownRole: "no_such_role",
	}
}

// atHome is the fake without roles in the child CID, which a change at home
// leaves alone.
func atHome(t *testing.T) mock.Maker {
	t.Helper()
	maker := fake.Maker()
	plain := maker.New
	maker.New = func(e mock.Env) mock.API {
		api := plain(e)
		var state map[string]any
		data, err := json.Marshal(api.State())
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &state))
		grants, isList := state["grants"].([]any)
		require.True(t, isList)
		var home []any
		for _, g := range grants {
			if g.(map[string]any)["cid"] != childCID {
				home = append(home, g)
			}
		}
		require.Less(t, len(home), len(grants))
		state["grants"] = home
		data, err = json.Marshal(state)
		require.NoError(t, err)
		require.NoError(t, api.Load(data))
		return api
	}
	return maker
}

func forbid(s *mock.Server) { _ = s.Set("scope", "none") }
