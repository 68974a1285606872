package provisiontest_test

import (
	"testing"

	"edrctl/internal/provision"
	"edrctl/internal/provision/provisiontest"
)

// kinds are fakes of several kinds of vendor.
func kinds() map[string]provisiontest.FakeOptions {
	cannot := func(note string) provision.Capability {
		return provision.Capability{Level: provision.Unsupported, Note: note}
	}
	return map[string]provisiontest.FakeOptions{
		"can do everything": {},
		"swaps":             {Swaps: true},
		"one role":          {OneRole: true, Swaps: true},
		"invites":           {Invites: true},
		"keeps accounts":    {KeepsAccounts: true},
		"wants passwords": {PasswordRule: &provision.PasswordRule{
			Help: "long", Length: 20, Classes: []string{"abcdefghijk", "ABCDEFGHIJK", "23456789", "!?-_"},
		}},
		"can do little": {Capabilities: map[provision.CapabilityName]provision.Capability{
			provision.CanCreateUser:    cannot("people come through single sign-on"),
			provision.CanDeleteUser:    cannot("people leave through single sign-on"),
			provision.CanExpireRoles:   cannot("roles have no end"),
			provision.CanResetMFA:      cannot("the identity provider does that"),
			provision.CanResetPassword: cannot("the identity provider has them"),
			provision.CanStoreName:     cannot("the identity provider has them"),
			provision.CanDryRunCreate:  cannot("nobody can be created"),
		}},
		"only reads": {Capabilities: map[provision.CapabilityName]provision.Capability{
			provision.CanCreateUser:    cannot("people come through single sign-on"),
			provision.CanUpdateUser:    cannot("people keep their names"),
			provision.CanDeleteUser:    cannot("people stay"),
			provision.CanChangeRoles:   cannot("roles stay"),
			provision.CanExpireRoles:   cannot("roles have no end"),
			provision.CanResetMFA:      cannot("there is no second factor"),
			provision.CanResetPassword: cannot("there are no passwords"),
			provision.CanStoreName:     cannot("people have no names"),
			provision.CanStorePhone:    cannot("people have no phones"),
			provision.CanDryRunCreate:  cannot("nobody can be created"),
		}},
	}
}

func TestFakeKeepsTheContract(t *testing.T) {
	for name, options := range kinds() {
		t.Run(name, func(t *testing.T) { provisiontest.Run(t, options.Target()) })
	}
}
