package provisiontest

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func updateCases() []contract {
	update := []provision.CapabilityName{provision.CanUpdateUser, provision.CanListUsers}
	return []contract{
		{name: "UpdateUser changes what the patch names and nothing else", needs: update, run: updateOne},
		{name: "UpdateUser sends nothing when the user is like that already", needs: update, run: updateNothing},
		{name: "UpdateUser finds a login in any case", needs: update, run: updateFolds},
		{name: "UpdateUser of an unknown login is ErrNotFound", needs: update, run: updateUnknown},
		{name: "UpdateUser refuses details that the vendor does not store", needs: update, run: updateUnstorable},
	}
}

// patched is what a user should be after a patch.
func patched(u provision.User, p provision.UserPatch) provision.User {
	if p.FirstName != nil {
		u.FirstName = *p.FirstName
	}
	if p.LastName != nil {
		u.LastName = *p.LastName
	}
	if p.Phone != nil {
		u.Phone = *p.Phone
	}
	extra := map[string]any{}
	for name, value := range u.Extra {
		extra[name] = value
	}
	for name, value := range p.Options {
		switch extra[name].(type) {
		case bool:
			extra[name] = value == "true"
		case []string:
			extra[name] = strings.Split(value, ",")
		default:
			extra[name] = value
		}
	}
	if u.Extra != nil || len(extra) > 0 {
		u.Extra = extra
	}
	return u
}

func updateOne(s *scene) {
	require.False(s, s.Patch.Empty(), "the target names a patch")
	before := s.look(s.Plain)
	require.False(s, s.Patch.Satisfied(before), "%s is not like the patch yet", s.Plain)
	others := s.people()
	want := patched(before, s.Patch)

	got, changed, err := s.p.UpdateUser(s.Context(), s.Plain, s.Patch)
	require.NoError(s, err)
	assert.True(s, changed)
	assert.Equal(s, want, got, "the user as returned")
	assert.Equal(s, want, s.look(s.Plain), "the user as read")
	for i := range others {
		if others[i].Login == s.Plain {
			others[i] = patched(others[i], s.Patch)
		}
	}
	assert.Equal(s, others, s.people(), "everybody")

	for name, p := range inOrder(s.singlePatches()) {
		before := s.look(s.Plain)
		_, _, err := s.p.UpdateUser(s.Context(), s.Plain, p)
		require.NoError(s, err, "%s", name)
		assert.Equal(s, patched(before, p), s.look(s.Plain), "after changing the %s alone", name)
	}
}

// singlePatches change one of the details that the vendor stores each.
func (s *scene) singlePatches() map[string]provision.UserPatch {
	first, last, phone := "Emilia", "Castle", "+1 212 5550123"
	patches := map[string]provision.UserPatch{}
	if s.Vendor.Can(provision.CanStoreName) {
		patches["first name"] = provision.UserPatch{FirstName: &first}
		patches["last name"] = provision.UserPatch{LastName: &last}
	}
	if s.Vendor.Can(provision.CanStorePhone) {
		patches["phone"] = provision.UserPatch{Phone: &phone}
	}
	return patches
}

func updateNothing(s *scene) {
	_, _, err := s.p.UpdateUser(s.Context(), s.Plain, s.Patch)
	require.NoError(s, err)
	want := s.look(s.Plain)
	s.silent(func() {
		got, changed, err := s.p.UpdateUser(s.Context(), s.Plain, s.Patch)
		require.NoError(s, err)
		assert.False(s, changed)
		assert.Equal(s, want, got)
	})
}

func updateFolds(s *scene) {
	got, _, err := s.p.UpdateUser(s.Context(), strings.ToUpper(s.Mixed), s.Patch)
	require.NoError(s, err)
	assert.Equal(s, s.Mixed, got.Login, "the vendor's spelling")
	assert.True(s, s.Patch.Satisfied(s.look(s.Mixed)), "%s as read", s.Mixed)
}

func updateUnknown(s *scene) {
	s.silent(func() {
		_, _, err := s.p.UpdateUser(s.Context(), s.NewLogin(), s.Patch)
		assert.ErrorIs(s, err, provision.ErrNotFound)
	})
}

func updateUnstorable(s *scene) {
	text := "Somebody"
	patches := map[provision.CapabilityName][]provision.UserPatch{
		provision.CanStoreName:  {{FirstName: &text}, {LastName: &text}},
		provision.CanStorePhone: {{Phone: &text}},
	}
	tried := false
	for name, list := range patches {
		if s.Vendor.Can(name) {
			continue
		}
		for _, p := range list {
			tried = true
			s.silent(func() {
				_, _, err := s.p.UpdateUser(s.Context(), s.Plain, p)
				assert.ErrorIs(s, err, provision.ErrUnsupported, "%s is not declared", name)
			})
		}
	}
	if !tried {
		s.Skipf("%s stores names and phone numbers", s.Vendor.Name)
	}
}

func deleteCases() []contract {
	remove := []provision.CapabilityName{provision.CanDeleteUser, provision.CanListUsers}
	return []contract{
		{name: "DeleteUser removes the account or all access", needs: remove, run: deleteOne},
		{name: "DeleteUser finds a login in any case", needs: remove, run: deleteFolds},
		{name: "DeleteUser of an unknown login is ErrNotFound", needs: remove, run: deleteUnknown},
		{name: "DeleteUser says what access remains", needs: remove, run: deleteResidual},
	}
}

func deleteOne(s *scene) {
	before := s.victim()
	others := s.people()
	gone, err := s.p.DeleteUser(s.Context(), before.Login)
	require.NoError(s, err)
	assert.Equal(s, before.ID, gone.ID)
	if s.Vendor.Capability(provision.CanDeleteUser).Level == provision.Native {
		assert.True(s, gone.Deleted, "%s declares to delete", s.Vendor.Name)
	}
	var rest []provision.User
	for _, u := range others {
		if u.Login != before.Login {
			rest = append(rest, u)
		}
	}
	if gone.Deleted {
		s.unknown(before.Login)
		assert.Equal(s, rest, s.people(), "everybody else")
		assert.Empty(s, gone.Residual, "access to an account that is gone")
		_, err := s.p.DeleteUser(s.Context(), before.Login)
		assert.ErrorIs(s, err, provision.ErrNotFound, "deleting again")
		return
	}
	after := s.look(before.Login)
	assert.Empty(s, after.DirectRoles(), "direct roles that remain")
	assert.ElementsMatch(s, before.DirectRoles(), gone.Revoked)
	s.silent(func() {
		again, err := s.p.DeleteUser(s.Context(), before.Login)
		require.NoError(s, err, "deleting again")
		assert.Empty(s, again.Revoked)
	})
}

func deleteFolds(s *scene) {
	gone, err := s.p.DeleteUser(s.Context(), strings.ToLower(s.Mixed))
	require.NoError(s, err)
	if gone.Deleted {
		s.unknown(s.Mixed)
	} else {
		assert.Empty(s, s.look(s.Mixed).DirectRoles())
	}
}

func deleteUnknown(s *scene) {
	login := s.NewLogin()
	s.silent(func() {
		_, err := s.p.DeleteUser(s.Context(), login)
		assert.ErrorIs(s, err, provision.ErrNotFound)
	})
}

func deleteResidual(s *scene) {
	if s.Inheritor == "" {
		s.Skip("nobody in the default state has a role through a group")
	}
	gone, err := s.p.DeleteUser(s.Context(), s.Inheritor)
	require.NoError(s, err)
	if gone.Deleted {
		s.Skipf("%s deletes the account", s.Vendor.Name)
	}
	require.NotEmpty(s, gone.Residual, "%s still has %s", s.Inheritor, s.InheritedRole)
	for _, r := range gone.Residual {
		assert.Contains(s, []string{"group", "role", "invitation"}, r.Kind)
		assert.NotEmpty(s, r.Name)
	}
}

func resetCases() []contract {
	list := []provision.CapabilityName{provision.CanListUsers}
	return []contract{
		{name: "Reset sends one change", needs: list, run: resetOne},
		{name: "Reset of an unknown login is ErrNotFound", needs: list, run: resetUnknown},
	}
}

// credentials are what the vendor can reset.
func (s *scene) credentials() []provision.Credential {
	var list []provision.Credential
	if s.Vendor.Can(provision.CanResetMFA) {
		list = append(list, provision.CredentialMFA)
	}
	if s.Vendor.Can(provision.CanResetPassword) {
		list = append(list, provision.CredentialPassword)
	}
	if len(list) == 0 {
		s.Skipf("%s: reset-mfa is %s, reset-password is %s", s.Vendor.Name,
			s.Vendor.Capability(provision.CanResetMFA), s.Vendor.Capability(provision.CanResetPassword))
	}
	return list
}

func resetOne(s *scene) {
	for _, what := range s.credentials() {
		for _, login := range []string{s.Plain, strings.ToUpper(s.Mixed)} {
			before := len(s.Changes())
			require.NoError(s, s.p.Reset(s.Context(), login, what), "%s of %s", what, login)
			assert.Len(s, s.Changes()[before:], 1, "changes sent for the %s of %s", what, login)
		}
	}
	assert.ElementsMatch(s, s.Listed, logins(s.people()), "everybody is still there")
}

func resetUnknown(s *scene) {
	for _, what := range s.credentials() {
		s.silent(func() {
			err := s.p.Reset(s.Context(), s.NewLogin(), what)
			assert.ErrorIs(s, err, provision.ErrNotFound, fmt.Sprint(what))
		})
	}
}
