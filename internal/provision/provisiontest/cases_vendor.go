package provisiontest

import (
	"regexp"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func vendorCases() []contract {
	return []contract{
		{name: "the vendor describes itself", run: vendorComplete},
		{name: "every capability is declared, with a note unless it is native", run: vendorNotes},
		{name: "what is declared unsupported is refused without a request", run: vendorRefuses},
		{name: "what is declared supported is not refused", run: vendorDoes},
		{name: "PlanRoles keeps to one role where the target says so", run: vendorPlans},
		{name: "New sends nothing", run: vendorNew},
	}
}

func vendorComplete(s *scene) {
	v, word := s.Vendor, regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	assert.Regexp(s, word, v.Name)
	assert.NotEmpty(s, v.Title)
	assert.NotEmpty(s, v.About)
	for line := range strings.Lines(v.About) {
		assert.LessOrEqual(s, len(strings.TrimRight(line, "\n")), 78, "line of About: %s", line)
	}
	assert.GreaterOrEqual(s, v.InFlight, 1, "InFlight")
	require.NotNil(s, v.New)
	address := false
	for _, setting := range v.Settings {
		assert.Regexp(s, word, setting.Name, "setting")
		assert.NotEmpty(s, setting.Help, "help of setting %s", setting.Name)
		address = address || setting.Address
		if setting.Secret {
			assert.Empty(s, setting.Default, "default of secret %s", setting.Name)
		}
		if len(setting.Values) > 0 && setting.Default != "" {
			assert.Contains(s, setting.Values, setting.Default, "default of setting %s", setting.Name)
		}
	}
	assert.True(s, address, "one setting names the host")
	for _, o := range v.Options {
		assert.Regexp(s, word, o.Name, "option")
		assert.NotEmpty(s, o.Help, "help of option %s", o.Name)
		assert.Contains(s, []provision.OptionKind{provision.KindString, provision.KindBool, provision.KindList}, o.Kind, "kind of option %s", o.Name)
		assert.True(s, o.OnCreate || o.OnUpdate || o.OnRoles, "some verb takes option %s", o.Name)
	}
	if v.PasswordRule != nil {
		assert.NotEmpty(s, v.PasswordRule.Help)
		assert.NotEmpty(s, v.PasswordRule.Classes)
		assert.GreaterOrEqual(s, v.PasswordRule.Length, 12)
	}
	if v.CheckSpec != nil {
		s.mute(func() { assert.NoError(s, v.CheckSpec(s.Spec(s.NewLogin())), "a spec without fault") })
	}
}

func vendorNotes(s *scene) {
	known := provision.CapabilityNames()
	for name := range s.Vendor.Capabilities {
		assert.Contains(s, known, name)
	}
	for _, name := range known {
		c, ok := s.Vendor.Capabilities[name]
		assert.True(s, ok, "%s is not declared", name)
		assert.Contains(s, []provision.Level{provision.Native, provision.Emulated, provision.Unsupported}, c.Level, "level of %s", name)
		if c.Level != provision.Native {
			assert.NotEmpty(s, c.Note, "%s is %s: why, or how?", name, c.Level)
		}
	}
}

// attempts calls what each capability stands for, for somebody who does not
// exist where that is possible.
func (s *scene) attempts() map[provision.CapabilityName]func() error {
	ctx, nobody, name := s.Context(), s.NewLogin(), "Somebody"
	return map[provision.CapabilityName]func() error{
		provision.CanListUsers: func() error {
			if _, err := collect(s.p.Users(ctx, provision.Filter{})); err != nil {
				return err
			}
			_, err := s.p.User(ctx, nobody)
			return err
		},
		provision.CanCreateUser: func() error {
			_, err := s.p.CreateUser(ctx, s.Spec(nobody))
			return err
		},
		provision.CanUpdateUser: func() error {
			_, _, err := s.p.UpdateUser(ctx, s.NewLogin(), s.Patch)
			return err
		},
		provision.CanDeleteUser: func() error {
			_, err := s.p.DeleteUser(ctx, s.NewLogin())
			return err
		},
		provision.CanListRoles: func() error {
			_, err := s.p.Roles(ctx)
			return err
		},
		provision.CanChangeRoles: func() error {
			_, err := s.p.ChangeRoles(ctx, s.NewLogin(), provision.RoleChange{Grant: []string{s.RoleA.ID}})
			return err
		},
		provision.CanExpireRoles: func() error {
			_, err := s.p.ChangeRoles(ctx, s.NewLogin(), provision.RoleChange{
				Grant: []string{s.RoleA.ID}, Expires: time.Now().Add(time.Hour),
			})
			return err
		},
		provision.CanResetMFA:      func() error { return s.p.Reset(ctx, s.NewLogin(), provision.CredentialMFA) },
		provision.CanResetPassword: func() error { return s.p.Reset(ctx, s.NewLogin(), provision.CredentialPassword) },
		provision.CanStoreName: func() error {
			_, _, err := s.p.UpdateUser(ctx, s.NewLogin(), provision.UserPatch{FirstName: &name})
			return err
		},
		provision.CanStorePhone: func() error {
			_, _, err := s.p.UpdateUser(ctx, s.NewLogin(), provision.UserPatch{Phone: &name})
			return err
		},
		provision.CanDryRunCreate: func() error {
			validator, ok := s.p.Provisioner.(provision.CreateValidator)
			if !ok {
				return s.Vendor.Refuse(provision.CanDryRunCreate, "validate user")
			}
			return validator.ValidateCreate(ctx, s.Spec(s.NewLogin()))
		},
	}
}

// whole are the capabilities that a method of its own stands for.
func whole() []provision.CapabilityName {
	return []provision.CapabilityName{
		provision.CanListUsers, provision.CanCreateUser, provision.CanUpdateUser, provision.CanDeleteUser, provision.CanListRoles,
		provision.CanChangeRoles, provision.CanResetMFA, provision.CanResetPassword, provision.CanDryRunCreate,
	}
}

func vendorRefuses(s *scene) {
	attempts, tried := s.attempts(), false
	for _, name := range whole() {
		if s.Vendor.Can(name) {
			continue
		}
		tried = true
		s.mute(func() {
			err := attempts[name]()
			require.Error(s, err, "%s is unsupported", name)
			require.ErrorIs(s, err, provision.ErrUnsupported, "%s", name)
			assert.ErrorContains(s, err, s.Vendor.Capability(name).Note, "%s: the reason", name)
		})
	}
	if !tried {
		s.Skipf("%s can do everything", s.Vendor.Name)
	}
}

func vendorDoes(s *scene) {
	for name, attempt := range s.attempts() {
		if !s.Vendor.Can(name) {
			continue
		}
		// A detail that can be given on create only is stored all the same.
		if !s.Vendor.Can(provision.CanUpdateUser) && (name == provision.CanStoreName || name == provision.CanStorePhone) {
			continue
		}
		assert.NotErrorIs(s, attempt(), provision.ErrUnsupported, "%s is declared", name)
	}
}

func vendorPlans(s *scene) {
	both := provision.RoleChange{Grant: []string{s.RoleA.ID, s.RoleB.ID}}
	diff, err := s.Vendor.Plan(provision.User{}, both)
	if s.OneRole {
		assert.Error(s, err, "%+v", diff)
		return
	}
	require.NoError(s, err)
	assert.ElementsMatch(s, both.Grant, diff.Grant)
}

func vendorNew(s *scene) {
	s.mute(func() { s.Connect(nil) })
}
