package carbonblack_test

import (
	"encoding/json"
	"testing"

	"edrctl/internal/carbonblack"
	"edrctl/internal/mock"
	fake "edrctl/internal/mock/carbonblack"
	"edrctl/internal/provision"
	"edrctl/internal/provision/provisiontest"
)

// target is the default state of the fake, with grants of invited users in one
// of the two forms.
func target(form string) provisiontest.Target {
	v := carbonblack.Vendor()
	console := provisiontest.Console{
		Vendor: &v, Maker: fake.Maker(),
		// Without the penalty, the suite may look while the adapter is blocked.
		Switches: map[string]string{"grant-form": form, "rate-penalty": "off"},
		Forbid:   func(s *mock.Server) { _ = s.Set("permission", "none") },
		Twins:    twins,
	}
	return provisiontest.Target{
		Vendor: &v, Open: console.Open,
		Listed: []string{
			"vera.lindqvist@example.com", "ines.duarte@example.com", "lea.brandt@example.com", "marek.novak@soc.example",
			"priya.raman@example.com", "Jonas.Weber@My-Company.com",
		},
		Mixed:       "Jonas.Weber@My-Company.com",
		RoleA:       provision.Role{ID: viewAll, Name: "View All"},
		RoleB:       provision.Role{ID: level1, Name: "Level 1 Analyst"},
		UnknownRole: "psc:role:" + org + ":NO_SUCH_ROLE",
	}
}

// twins gives Lea Brandt the address of Ines Duarte, in capitals.
func twins(s *mock.Server) string {
	raw, _ := json.Marshal(s.State())
	var state map[string]any
	_ = json.Unmarshal(raw, &state)
	state["users"].([]any)[2].(map[string]any)["email"] = "INES.DUARTE@EXAMPLE.COM"
	raw, _ = json.Marshal(state)
	if err := s.API().Load(raw); err != nil {
		panic(err)
	}
	return "ines.duarte@example.com"
}

func TestContractProfiles(t *testing.T) {
	x := target("as-sent")
	x.Plain = "ines.duarte@example.com"
	x.Holder, x.HolderRoles = "ines.duarte@example.com", []string{level2, socTriage}
	provisiontest.Run(t, x)
}

func TestContractRoles(t *testing.T) {
	x := target("roles")
	x.Plain = "lea.brandt@example.com"
	x.Holder, x.HolderRoles = "Jonas.Weber@My-Company.com", []string{viewOnly, socTriage, unlisted}
	provisiontest.Run(t, x)
}
