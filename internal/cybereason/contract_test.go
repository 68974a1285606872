package cybereason_test

import (
	"context"
	"strings"
	"testing"

	"edrctl/internal/cybereason"
	"edrctl/internal/mock"
	fake "edrctl/internal/mock/cybereason"
	"edrctl/internal/provision"
	"edrctl/internal/provision/provisiontest"
)

func target(console provisiontest.Console) provisiontest.Target {
	console.Forbid = func(s *mock.Server) { _ = s.Set("admin-role", "off") }
	console.Twins = func(s *mock.Server) string {
		_ = s.Set("list-two-spellings", "on")
		return "Mara.Holt@Example.com"
	}
	return provisiontest.Target{
		Vendor: console.Vendor,
		Open:   console.Open,
		Listed: []string{
			"svc-edrctl@example.com", "Mara.Holt@Example.com", "field.team@north.example", "ir.lead@my-company.com",
			"new.starter@my-company.com", "soc+night@example.com",
		},
		Plain: "soc+night@example.com", Mixed: "Mara.Holt@Example.com",
		Holder: "field.team@north.example", HolderRoles: []string{"local_analyst_l1", "super_custom_7"},
		RoleA: provision.Role{ID: "executive", Name: "Executive"}, RoleB: provision.Role{ID: "analyst_l1", Name: "Analyst L1"},
		UnknownRole: "analyst_l9",
		Patch:       provision.UserPatch{Options: provision.Options{"daily-notifications": "false"}},
	}
}

func TestContract(t *testing.T) {
	v := cybereason.Vendor()
	provisiontest.Run(t, target(provisiontest.Console{Vendor: &v, Maker: fake.Maker()}))
}

// With a second factor, the adapters of a console remember the codes that were
// used together, and waiting for the next code takes no time.
func TestContractWithTOTP(t *testing.T) {
	clock := &clock{}
	maker := fake.Maker()
	maker.New = func(env mock.Env) mock.API {
		env.Now = clock.now
		return fake.Maker().New(env)
	}
	codes := provision.MemoryStore()
	v := cybereason.Vendor()
	create := v.New
	v.New = func(ctx context.Context, cfg provision.Config) (provision.Provisioner, error) {
		cfg.Now, cfg.Store = clock.now, splitStore{cfg.Store, codes}
		p, err := create(ctx, cfg)
		if err == nil {
			cybereason.SetPause(p, clock.pause)
		}
		return p, err
	}
	provisiontest.Run(t, target(provisiontest.Console{
		Vendor: &v, Maker: maker, Switches: map[string]string{"tfa": "on"},
	}))
}

// splitStore keeps the codes that were used in another store.
type splitStore struct {
	provision.Store
	codes provision.Store
}

func (s splitStore) Update(ctx context.Context, name string, change func([]byte) ([]byte, error)) error {
	if strings.HasPrefix(name, "totp-") {
		return s.codes.Update(ctx, name, change)
	}
	return s.Store.Update(ctx, name, change)
}
