package provisiontest

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func roleCases() []contract {
	change := []provision.CapabilityName{provision.CanChangeRoles, provision.CanListUsers}
	expire := append(slices.Clone(change), provision.CanExpireRoles)
	return []contract{
		{name: "ChangeRoles grants and revokes", needs: change, run: rolesChanged},
		{name: "ChangeRoles finds a login in any case", needs: change, run: rolesFold},
		{name: "ChangeRoles of an unknown login is ErrNotFound", needs: change, run: rolesUnknownLogin},
		{name: "ChangeRoles sends nothing for a role that is held", needs: change, run: rolesHeld},
		{name: "ChangeRoles sends nothing for revoking a role that is not held", needs: change, run: rolesNotHeld},
		{name: "ChangeRoles sends nothing for the zero change", needs: change, run: rolesZero},
		{name: "ChangeRoles with Exact makes the direct roles exactly these", needs: change, run: rolesExact},
		{name: "ChangeRoles with All takes every direct role", needs: change, run: rolesAll},
		{name: "ChangeRoles never leaves a moment without roles in a swap", needs: change, run: rolesSwap},
		{name: "ChangeRoles with an unknown role changes nothing", needs: change, run: rolesUnknown},
		{name: "ChangeRoles refuses what PlanRoles refuses before anything changes", needs: change, run: rolesRefused},
		{name: "ChangeRoles with Expires keeps the end", needs: expire, run: rolesExpire},
		{name: "ChangeRoles with Exact leaves temporary roles alone, and All takes them", needs: expire, run: rolesTemporary},
		{name: "ChangeRoles refuses Expires where roles cannot end", needs: change, run: rolesEndless},
		{name: "ChangeRoles keeps roles that it was not asked about", needs: change, run: rolesKept},
		{
			name: "GuardRemoval only reads", run: guardReads,
			needs: []provision.CapabilityName{provision.CanListUsers},
		},
	}
}

// changed makes a change that must work and returns what it did, after
// comparing it with what the console then shows.
func (s *scene) changed(login string, c provision.RoleChange) provision.RoleResult {
	s.Helper()
	got, err := s.p.ChangeRoles(s.Context(), login, c)
	require.NoError(s, err, "%+v", c)
	stored := s.look(login)
	assert.Equal(s, stored.Login, got.User.Login)
	assert.Equal(s, stored.ID, got.User.ID)
	assert.Equal(s, stored.DirectRoles(), got.User.DirectRoles(), "roles as read, and as returned")
	assert.Equal(s, len(got.Granted)+len(got.Revoked) > 0, got.Changed(), "%+v", got)
	return got
}

func rolesChanged(s *scene) {
	if s.OneRole {
		s.give(s.Plain)
		got := s.changed(s.Plain, provision.RoleChange{Grant: []string{s.RoleB.ID}})
		assert.Equal(s, []string{s.RoleB.ID}, got.Granted)
		assert.Equal(s, []string{s.RoleB.ID}, s.look(s.Plain).DirectRoles())
		got = s.changed(s.Plain, provision.RoleChange{Revoke: []string{s.RoleB.ID}})
		assert.Equal(s, []string{s.RoleB.ID}, got.Revoked)
		assert.Empty(s, s.look(s.Plain).DirectRoles())
		return
	}
	s.give(s.Plain, s.RoleA.ID)
	got := s.changed(s.Plain, provision.RoleChange{Grant: []string{s.RoleB.ID}})
	assert.Equal(s, []string{s.RoleB.ID}, got.Granted)
	assert.Empty(s, got.Revoked)
	assert.ElementsMatch(s, []string{s.RoleA.ID, s.RoleB.ID}, s.look(s.Plain).DirectRoles())

	got = s.changed(s.Plain, provision.RoleChange{Revoke: []string{s.RoleA.ID}})
	assert.Equal(s, []string{s.RoleA.ID}, got.Revoked)
	assert.Empty(s, got.Granted)
	assert.Equal(s, []string{s.RoleB.ID}, s.look(s.Plain).DirectRoles())

	got = s.changed(s.Plain, provision.RoleChange{Grant: []string{s.RoleA.ID}, Revoke: []string{s.RoleB.ID}})
	assert.Equal(s, []string{s.RoleA.ID}, got.Granted)
	assert.Equal(s, []string{s.RoleB.ID}, got.Revoked)
	assert.Equal(s, []string{s.RoleA.ID}, s.look(s.Plain).DirectRoles())

	for _, r := range s.look(s.Plain).Roles {
		assert.Equal(s, s.RoleA.Name, r.Name, "name of the role held")
	}
}

func rolesFold(s *scene) {
	s.give(s.Mixed, s.RoleA.ID)
	got, err := s.p.ChangeRoles(s.Context(), strings.ToUpper(s.Mixed), provision.RoleChange{Exact: true, Grant: []string{s.RoleB.ID}})
	require.NoError(s, err)
	assert.Equal(s, s.Mixed, got.User.Login, "the vendor's spelling")
	assert.Equal(s, []string{s.RoleB.ID}, s.look(s.Mixed).DirectRoles())
}

func rolesUnknownLogin(s *scene) {
	for _, c := range []provision.RoleChange{
		{Grant: []string{s.RoleA.ID}},
		{Revoke: []string{s.RoleA.ID}},
		{Exact: true, Grant: []string{s.RoleA.ID}},
		{All: true},
	} {
		s.silent(func() {
			_, err := s.p.ChangeRoles(s.Context(), s.NewLogin(), c)
			assert.ErrorIs(s, err, provision.ErrNotFound, "%+v", c)
		})
	}
}

func rolesHeld(s *scene) {
	s.give(s.Plain, s.RoleA.ID)
	for _, c := range []provision.RoleChange{
		{Grant: []string{s.RoleA.ID}},
		{Grant: []string{s.RoleA.ID, s.RoleA.ID}},
		{Grant: []string{s.RoleA.ID}, Exact: true},
	} {
		s.silent(func() {
			got := s.changed(s.Plain, c)
			assert.False(s, got.Changed(), "%+v", c)
		})
	}
	assert.Equal(s, []string{s.RoleA.ID}, s.look(s.Plain).DirectRoles())
}

func rolesNotHeld(s *scene) {
	s.give(s.Plain, s.RoleA.ID)
	s.silent(func() {
		got := s.changed(s.Plain, provision.RoleChange{Revoke: []string{s.RoleB.ID}})
		assert.False(s, got.Changed())
	})
	s.give(s.Plain)
	s.silent(func() {
		got := s.changed(s.Plain, provision.RoleChange{Revoke: []string{s.RoleA.ID}})
		assert.False(s, got.Changed(), "from somebody without roles")
	})
}

func rolesZero(s *scene) {
	s.give(s.Plain, s.RoleA.ID)
	s.silent(func() {
		assert.False(s, s.changed(s.Plain, provision.RoleChange{}).Changed())
	})
}

func rolesExact(s *scene) {
	begin := []string{s.RoleA.ID}
	if !s.OneRole {
		begin = append(begin, s.RoleB.ID)
	}
	s.give(s.Plain, begin...)
	got := s.changed(s.Plain, provision.RoleChange{Exact: true, Grant: []string{s.RoleB.ID}})
	assert.Equal(s, []string{s.RoleA.ID}, got.Revoked)
	assert.Equal(s, []string{s.RoleB.ID}, s.look(s.Plain).DirectRoles())
	if !s.OneRole {
		s.changed(s.Plain, provision.RoleChange{Exact: true, Grant: []string{s.RoleA.ID, s.RoleB.ID}})
		assert.ElementsMatch(s, []string{s.RoleA.ID, s.RoleB.ID}, s.look(s.Plain).DirectRoles())
	}
	s.changed(s.Plain, provision.RoleChange{Exact: true})
	assert.Empty(s, s.look(s.Plain).DirectRoles(), "exactly none")
}

func rolesAll(s *scene) {
	held := []string{s.RoleA.ID}
	if !s.OneRole {
		held = append(held, s.RoleB.ID)
	}
	s.give(s.Plain, held...)
	got := s.changed(s.Plain, provision.RoleChange{All: true})
	assert.ElementsMatch(s, held, got.Revoked)
	assert.Empty(s, s.look(s.Plain).DirectRoles())
	s.silent(func() {
		assert.False(s, s.changed(s.Plain, provision.RoleChange{All: true}).Changed(), "again")
	})
}

// rolesSwap looks at the user after each change that the console carries out.
func rolesSwap(s *scene) {
	for name, c := range inOrder(map[string]provision.RoleChange{
		"grant and revoke": {Grant: []string{s.RoleB.ID}, Revoke: []string{s.RoleA.ID}},
		"exact":            {Grant: []string{s.RoleB.ID}, Exact: true},
		"all and grant":    {Grant: []string{s.RoleB.ID}, All: true},
	}) {
		s.sub(name, func(s *scene) {
			s.give(s.Plain, s.RoleA.ID)
			moments := 0
			s.AfterChange(func() {
				moments++
				u, err := s.observer.User(s.Context(), s.Plain)
				if assert.NoError(s, err, "look after change %d", moments) {
					assert.NotEmpty(s, u.DirectRoles(), "roles after change %d", moments)
				}
			})
			_, err := s.p.ChangeRoles(s.Context(), s.Plain, c)
			s.AfterChange(nil)
			require.NoError(s, err)
			assert.Positive(s, moments, "changes")
			assert.Equal(s, []string{s.RoleB.ID}, s.look(s.Plain).DirectRoles())
		})
	}
}

func rolesUnknown(s *scene) {
	s.give(s.Plain, s.RoleA.ID)
	changes := []provision.RoleChange{
		{Grant: []string{s.UnknownRole}},
		{Grant: []string{s.UnknownRole}, Exact: true},
		{Grant: []string{s.UnknownRole}, Revoke: []string{s.RoleA.ID}},
	}
	if !s.OneRole {
		changes = append(changes,
			provision.RoleChange{Grant: []string{s.RoleB.ID, s.UnknownRole}},
			provision.RoleChange{Grant: []string{s.UnknownRole, s.RoleB.ID}, Exact: true},
		)
	}
	for _, c := range changes {
		if _, err := s.Vendor.Plan(s.look(s.Plain), c); err != nil {
			continue // refused for another reason
		}
		s.unchanged(func() {
			_, err := s.p.ChangeRoles(s.Context(), s.Plain, c)
			require.Error(s, err, "%+v", c)
			assert.Contains(s, []provision.Kind{provision.ErrNotFound, provision.ErrInvalid}, provision.KindOf(err), "%v", err)
		})
	}
}

func rolesRefused(s *scene) {
	tried := false
	try := func(login string, c provision.RoleChange) {
		_, want := s.Vendor.Plan(s.look(login), c)
		require.Error(s, want, "PlanRoles of %s: %+v", s.Vendor.Name, c)
		tried = true
		s.silent(func() {
			_, err := s.p.ChangeRoles(s.Context(), login, c)
			assert.ErrorIs(s, err, provision.KindOf(want), "%+v", c)
		})
	}
	if s.OneRole {
		s.give(s.Plain, s.RoleA.ID)
		try(s.Plain, provision.RoleChange{Grant: []string{s.RoleB.ID}})
		try(s.Plain, provision.RoleChange{Grant: []string{s.RoleA.ID, s.RoleB.ID}, Exact: true})
	}
	if s.Inheritor != "" {
		try(s.Inheritor, provision.RoleChange{Revoke: []string{s.InheritedRole}})
	}
	if !tried {
		s.Skipf("%s has no rule that could refuse anything here", s.Vendor.Name)
	}
}

func rolesExpire(s *scene) {
	s.give(s.Plain)
	end := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	got := s.changed(s.Plain, provision.RoleChange{Grant: []string{s.RoleA.ID}, Expires: end})
	assert.Equal(s, []string{s.RoleA.ID}, got.Granted)
	for _, u := range []provision.User{got.User, s.look(s.Plain)} {
		require.Len(s, u.Roles, 1)
		require.NotNil(s, u.Roles[0].ExpiresAt, "end of the role")
		assert.True(s, end.Equal(*u.Roles[0].ExpiresAt), "the role ends at %s, not at %s", u.Roles[0].ExpiresAt, end)
	}
	s.silent(func() {
		got := s.changed(s.Plain, provision.RoleChange{Grant: []string{s.RoleA.ID}, Expires: end})
		assert.False(s, got.Changed(), "the same end again")
	})
	s.silent(func() {
		got := s.changed(s.Plain, provision.RoleChange{Grant: []string{s.RoleA.ID}})
		assert.False(s, got.Changed(), "a temporary role counts as held")
	})
}

func rolesTemporary(s *scene) {
	s.give(s.Plain)
	end := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	s.changed(s.Plain, provision.RoleChange{Grant: []string{s.RoleA.ID}, Expires: end})
	if !s.OneRole {
		s.changed(s.Plain, provision.RoleChange{Grant: []string{s.RoleB.ID}, Exact: true})
		assert.ElementsMatch(s, []string{s.RoleA.ID, s.RoleB.ID}, s.look(s.Plain).DirectRoles(), "after Exact")
	}
	s.changed(s.Plain, provision.RoleChange{All: true})
	assert.Empty(s, s.look(s.Plain).DirectRoles(), "after All")
}

func rolesEndless(s *scene) {
	if s.Vendor.Can(provision.CanExpireRoles) {
		s.Skipf("roles of %s can end", s.Vendor.Name)
	}
	s.give(s.Plain)
	s.silent(func() {
		_, err := s.p.ChangeRoles(s.Context(), s.Plain, provision.RoleChange{
			Grant: []string{s.RoleA.ID}, Expires: time.Now().Add(time.Hour),
		})
		assert.ErrorIs(s, err, provision.ErrUnsupported)
	})
}

// rolesKept uses somebody whose roles come from the default state, in whatever
// form the vendor keeps them there.
func rolesKept(s *scene) {
	i := slices.IndexFunc([]provision.Role{s.RoleA, s.RoleB}, func(r provision.Role) bool {
		return !slices.Contains(s.HolderRoles, r.ID)
	})
	if s.OneRole || i < 0 {
		s.Skipf("%s can be given no further role", s.Holder)
	}
	extra := []string{s.RoleA.ID, s.RoleB.ID}[i]
	s.changed(s.Holder, provision.RoleChange{Grant: []string{extra}})
	assert.ElementsMatch(s, append(slices.Clone(s.HolderRoles), extra), s.look(s.Holder).DirectRoles(), "after a grant")
	s.changed(s.Holder, provision.RoleChange{Revoke: []string{extra}})
	assert.ElementsMatch(s, s.HolderRoles, s.look(s.Holder).DirectRoles(), "after revoking it")
}

func guardReads(s *scene) {
	guard, ok := s.p.Provisioner.(provision.Guard)
	if !ok {
		s.Skipf("%s cannot tell who its administrators are", s.Vendor.Name)
	}
	for _, login := range append(slices.Clone(s.Listed), s.NewLogin()) {
		for _, c := range []provision.RoleChange{{All: true}, {Exact: true}, {Revoke: []string{s.RoleA.ID}}, {Grant: []string{s.RoleA.ID}}} {
			s.silent(func() {
				err := guard.GuardRemoval(s.Context(), login, c)
				s.sound(s.Context(), "GuardRemoval", nil, err)
				if err != nil {
					assert.ErrorIs(s, err, provision.ErrRefused, "%s: %+v", login, c)
				}
			})
		}
	}
	err := guard.GuardRemoval(s.Context(), s.NewLogin(), provision.RoleChange{All: true})
	require.NoError(s, err, "a login that is not there")
	err = guard.GuardRemoval(s.Context(), s.Plain, provision.RoleChange{Grant: []string{s.RoleA.ID}})
	assert.NoError(s, err, "a change that takes nothing")
}
