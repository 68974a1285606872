package provision_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func optionVendor() *provision.Vendor {
	return &provision.Vendor{Name: "acme", Options: []provision.Option{
		{Name: "cid", Kind: provision.KindString, OnCreate: true, OnRoles: true},
		{Name: "totp-enabled", Kind: provision.KindBool, OnCreate: true, OnUpdate: true},
		{Name: "groups", Kind: provision.KindList, OnCreate: true, OnUpdate: true, Values: []string{"suggested"}},
	}}
}

func TestCheckOptions(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts provision.Options
		verb string
		want provision.Options
		says string
	}{
		{name: "none", verb: "create"},
		{name: "text as it is", opts: provision.Options{"cid": " As Is "}, verb: "roles", want: provision.Options{"cid": " As Is "}},
		{name: "empty text", opts: provision.Options{"cid": ""}, verb: "create", want: provision.Options{"cid": ""}},
		{name: "true", opts: provision.Options{"totp-enabled": "true"}, verb: "update", want: provision.Options{"totp-enabled": "true"}},
		{name: "another spelling of true", opts: provision.Options{"totp-enabled": "1"}, verb: "update", want: provision.Options{"totp-enabled": "true"}},
		{name: "another spelling of false", opts: provision.Options{"totp-enabled": "F"}, verb: "create", want: provision.Options{"totp-enabled": "false"}},
		{name: "list", opts: provision.Options{"groups": " a, b c ,,d"}, verb: "create", want: provision.Options{"groups": "a,b c,d"}},
		{name: "empty list", opts: provision.Options{"groups": " , "}, verb: "create", want: provision.Options{"groups": ""}},
		{name: "no boolean", opts: provision.Options{"totp-enabled": "yes"}, verb: "create", says: `option acme.totp-enabled is true or false, not "yes"`},
		{name: "an empty boolean", opts: provision.Options{"totp-enabled": ""}, verb: "create", says: "true or false"},
		{name: "unknown", opts: provision.Options{"totp": "true"}, verb: "create", says: `acme has no option "totp"; known are acme.cid, acme.totp-enabled, acme.groups`},
		{name: "another verb", opts: provision.Options{"cid": "x"}, verb: "update", says: "option acme.cid does not apply"},
		{name: "no verb", opts: provision.Options{"cid": "x"}, verb: "", says: "does not apply"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := optionVendor().CheckOptions(tt.opts, tt.verb)
			if tt.says != "" {
				require.ErrorIs(t, err, provision.ErrUsage)
				assert.ErrorContains(t, err, tt.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, tt.opts)
		})
	}
	err := (&provision.Vendor{Name: "bare"}).CheckOptions(provision.Options{"x": "y"}, "create")
	assert.EqualError(t, err, `bare has no option "x"; it has none`)
}

func TestCapability(t *testing.T) {
	v := &provision.Vendor{Name: "acme", Capabilities: map[provision.CapabilityName]provision.Capability{
		provision.CanListUsers:  {Level: provision.Native},
		provision.CanDeleteUser: {Level: provision.Emulated, Note: "roles are taken"},
		provision.CanCreateUser: {Level: provision.Unsupported, Note: "invite them in the portal"},
	}}
	assert.True(t, v.Can(provision.CanListUsers))
	assert.True(t, v.Can(provision.CanDeleteUser))
	assert.False(t, v.Can(provision.CanCreateUser))
	assert.False(t, v.Can(provision.CanResetMFA), "not declared")
	assert.Equal(t, "native", v.Capability(provision.CanListUsers).String())
	assert.Equal(t, "emulated (roles are taken)", v.Capability(provision.CanDeleteUser).String())
	assert.Equal(t, provision.Capability{Level: provision.Unsupported, Note: "not declared"}, v.Capability(provision.CanResetMFA))
	err := v.Refuse(provision.CanCreateUser, "create user")
	require.ErrorIs(t, err, provision.ErrUnsupported)
	require.EqualError(t, err, "acme: create user: unsupported: invite them in the portal")

	seen := map[provision.CapabilityName]bool{}
	for _, name := range provision.CapabilityNames() {
		assert.False(t, seen[name], "%s twice", name)
		seen[name] = true
	}
	assert.Len(t, seen, 12)
}

func TestVendorPlan(t *testing.T) {
	u := provision.User{Roles: []provision.HeldRole{direct("a")}}
	c := provision.RoleChange{Revoke: []string{"a"}}
	got, err := (&provision.Vendor{}).Plan(u, c)
	require.NoError(t, err)
	assert.Equal(t, provision.RoleDiff{Revoke: []string{"a"}}, got, "by the rule all share")

	want := provision.RoleDiff{Grant: []string{"own rule"}}
	v := &provision.Vendor{PlanRoles: func(provision.User, provision.RoleChange) (provision.RoleDiff, error) { return want, nil }}
	got, err = v.Plan(u, c)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

// TestBase makes sure that a method nobody wrote is not a success.
func TestBase(t *testing.T) {
	v := &provision.Vendor{Name: "acme", Capabilities: map[provision.CapabilityName]provision.Capability{}}
	for _, name := range provision.CapabilityNames() {
		v.Capabilities[name] = provision.Capability{Level: provision.Unsupported, Note: "no " + string(name)}
	}
	var p provision.Provisioner = provision.Base{V: v}
	ctx := t.Context()
	check := func(err error, name provision.CapabilityName) {
		t.Helper()
		require.ErrorIs(t, err, provision.ErrUnsupported)
		assert.ErrorContains(t, err, "no "+string(name))
	}
	_, err := p.Check(ctx)
	check(err, provision.CanListUsers)
	n := 0
	for _, err := range p.Users(ctx, provision.Filter{}) {
		n++
		check(err, provision.CanListUsers)
	}
	assert.Equal(t, 1, n, "errors of the list")
	_, err = p.User(ctx, "a@b.c")
	check(err, provision.CanListUsers)
	_, err = p.CreateUser(ctx, provision.UserSpec{})
	check(err, provision.CanCreateUser)
	_, _, err = p.UpdateUser(ctx, "a@b.c", provision.UserPatch{})
	check(err, provision.CanUpdateUser)
	_, err = p.DeleteUser(ctx, "a@b.c")
	check(err, provision.CanDeleteUser)
	_, err = p.Roles(ctx)
	check(err, provision.CanListRoles)
	_, err = p.ChangeRoles(ctx, "a@b.c", provision.RoleChange{})
	check(err, provision.CanChangeRoles)
	check(p.Reset(ctx, "a@b.c", provision.CredentialMFA), provision.CanResetMFA)
	check(p.Reset(ctx, "a@b.c", provision.CredentialPassword), provision.CanResetPassword)
}

func TestSatisfied(t *testing.T) {
	ada, none := "Ada", ""
	u := provision.User{FirstName: "Ada", Extra: map[string]any{"totp-enabled": true, "groups": []string{"b", "a"}, "method": "SSO", "empty": []string{}}}
	for _, tt := range []struct {
		name  string
		patch provision.UserPatch
		want  bool
	}{
		{name: "nothing", want: true},
		{name: "same name", patch: provision.UserPatch{FirstName: &ada}, want: true},
		{name: "another name", patch: provision.UserPatch{LastName: &ada}},
		{name: "no phone", patch: provision.UserPatch{Phone: &none}, want: true},
		{name: "no name", patch: provision.UserPatch{FirstName: &none}},
		{name: "boolean", patch: provision.UserPatch{Options: provision.Options{"totp-enabled": "true"}}, want: true},
		{name: "another boolean", patch: provision.UserPatch{Options: provision.Options{"totp-enabled": "false"}}},
		{name: "text", patch: provision.UserPatch{Options: provision.Options{"method": "SSO"}}, want: true},
		{name: "another text", patch: provision.UserPatch{Options: provision.Options{"method": "sso"}}},
		{name: "list in another order", patch: provision.UserPatch{Options: provision.Options{"groups": "a,b"}}, want: true},
		{name: "longer list", patch: provision.UserPatch{Options: provision.Options{"groups": "a,b,c"}}},
		{name: "shorter list", patch: provision.UserPatch{Options: provision.Options{"groups": "a"}}},
		{name: "empty list", patch: provision.UserPatch{Options: provision.Options{"empty": ""}}, want: true},
		{name: "list to be emptied", patch: provision.UserPatch{Options: provision.Options{"groups": ""}}},
		{name: "not shown", patch: provision.UserPatch{Options: provision.Options{"other": "x"}}},
		{name: "one of two differs", patch: provision.UserPatch{FirstName: &ada, Options: provision.Options{"method": "x"}}},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, tt.patch.Satisfied(u)) })
	}
	assert.True(t, provision.UserPatch{}.Empty())
	assert.False(t, provision.UserPatch{Phone: &none}.Empty())
	assert.False(t, provision.UserPatch{Options: provision.Options{"x": ""}}.Empty())
	end := time.Now()
	assert.True(t, provision.HeldRole{ExpiresAt: &end}.Temporary())
	assert.False(t, provision.HeldRole{}.Temporary())
}

func TestReceipts(t *testing.T) {
	var got []string
	ctx := provision.WithReceipts(t.Context(), func(id string) { got = append(got, id) })
	provision.Receipt(ctx, "r-1")
	provision.Receipt(ctx, "")
	provision.Receipt(context.WithoutCancel(ctx), "r-2")
	provision.Receipt(t.Context(), "nobody listens")
	assert.Equal(t, []string{"r-1", "r-2"}, got)
}

func TestConfigSetting(t *testing.T) {
	assert.Equal(t, "v", provision.Config{Settings: map[string]string{"k": "v"}}.Setting("k"))
	assert.Empty(t, provision.Config{}.Setting("k"))
}

func TestAccess(t *testing.T) {
	u := provision.User{Roles: []provision.HeldRole{
		{ID: "a", Name: "Analyst", Direct: true, Scope: "one"},
		{ID: "a", Name: "Analyst", Direct: true, Scope: "two"},
		{ID: "b", Direct: true},
		{ID: "c", Name: "Viewer", Via: "SOC"},
		{ID: "d", Name: "Reader", Via: "SOC"},
		{ID: "e", Name: "Inherited"},
	}}
	v := provision.Vendor{}
	held := []provision.Residual{
		{Kind: "role", Name: "Analyst"}, {Kind: "role", Name: "b"}, {Kind: "group", Name: "SOC"}, {Kind: "role", Name: "Inherited"},
	}
	assert.Equal(t, held, v.Access(u))
	v.Remains = func(provision.User) []provision.Residual {
		return []provision.Residual{{Kind: "group", Name: "SOC"}, {Kind: "group", Name: "Idle"}}
	}
	assert.Equal(t, append(held, provision.Residual{Kind: "group", Name: "Idle"}), v.Access(u))
	assert.Equal(t, []provision.Residual{}, (&provision.Vendor{}).Access(provision.User{}))
}
