package provisiontest

import (
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func readCases() []contract {
	list := []provision.CapabilityName{provision.CanListUsers}
	roles := []provision.CapabilityName{provision.CanListRoles}
	return []contract{
		{name: "Check says who we are", run: checkIdentity},
		{name: "Users yields each user once", needs: list, run: usersOnce},
		{name: "Users yields everybody over several pages", needs: list, run: usersPages},
		{
			name: "Users yields nobody twice while somebody is added", run: usersMoving,
			needs: []provision.CapabilityName{provision.CanListUsers, provision.CanCreateUser},
		},
		{name: "Users comes with roles", needs: list, run: usersRoles},
		{name: "Users with NoRoles yields the same people for no more requests", needs: list, run: usersNoRoles},
		{name: "Users stops at the first error and yields it last", needs: list, run: usersError},
		{name: "Users ends when the caller has seen enough", needs: list, run: usersBreak},
		{name: "User returns one user with roles", needs: list, run: userWithRoles},
		{name: "User finds a login in any case", needs: list, run: userFolds},
		{name: "User is ErrNotFound for an unknown login", needs: list, run: userUnknown},
		{name: "User is ErrConflict where two logins differ in case only", needs: list, run: userTwins},
		{name: "Roles lists what can be given, sorted by id", needs: roles, run: rolesSorted},
		{name: "ResolveRoles agrees with the list of roles", needs: roles, run: rolesResolved},
		{
			name: "LearnRoles may be told a list that is out of date", run: rolesLearnt,
			needs: []provision.CapabilityName{provision.CanListRoles, provision.CanListUsers, provision.CanChangeRoles},
		},
	}
}

func checkIdentity(s *scene) {
	s.silent(func() {
		id, err := s.p.Check(s.Context())
		require.NoError(s, err)
		assert.NotEmpty(s, id.Name)
		assert.True(s, id.MayManage, "the default credentials may manage users")
		assert.Equal(s, provision.FoldLogin(id.Account), id.Account, "the account is folded")
	})
}

func usersOnce(s *scene) {
	users, err := collect(s.p.Users(s.Context(), provision.Filter{}))
	require.NoError(s, err)
	assert.ElementsMatch(s, s.Listed, logins(users))
	ids := map[string]bool{}
	for _, u := range users {
		assert.False(s, ids[u.ID], "%s comes twice", u.Login)
		ids[u.ID] = true
	}
	assert.Empty(s, s.Changes(), "changes sent by reading")
}

func usersPages(s *scene) {
	if s.PageSize == nil {
		s.Skipf("the console of %s has no pages", s.Vendor.Name)
	}
	count := func(size int) int {
		s.PageSize(size)
		before := len(s.Requests())
		users, err := collect(s.another(nil).Users(s.Context(), provision.Filter{}))
		require.NoError(s, err, "pages of %d", size)
		assert.ElementsMatch(s, s.Listed, logins(users), "pages of %d", size)
		return len(s.Requests()) - before
	}
	whole := count(len(s.Listed) + 1)
	for _, size := range []int{len(s.Listed), len(s.Listed) - 1, 2, 1} {
		assert.GreaterOrEqual(s, count(size), whole, "requests for pages of %d", size)
	}
	assert.Greater(s, count(1), whole, "requests for pages of 1: are there pages at all?")
}

// usersMoving adds somebody at the front once the first user is out, which
// moves everybody on the pages still to come by one.
func usersMoving(s *scene) {
	if s.PageSize == nil {
		s.Skipf("the console of %s has no pages", s.Vendor.Name)
	}
	s.PageSize(1)
	seen := map[string]int{}
	for u, err := range s.p.Users(s.Context(), provision.Filter{}) {
		require.NoError(s, err)
		if len(seen) == 0 {
			_, err := s.observer.CreateUser(s.Context(), s.Spec("aaa-"+s.NewLogin()))
			require.NoError(s, err, "add somebody")
		}
		seen[u.Login]++
	}
	for login, n := range seen {
		assert.Equal(s, 1, n, "how often %s is yielded", login)
	}
	for _, login := range s.Listed {
		assert.Contains(s, seen, login)
	}
}

func usersRoles(s *scene) {
	for u, err := range s.p.Users(s.Context(), provision.Filter{}) {
		require.NoError(s, err)
		if u.Login == s.Holder {
			assert.ElementsMatch(s, s.HolderRoles, u.DirectRoles(), "direct roles of %s", u.Login)
		}
		if u.Login == s.Inheritor {
			assert.Contains(s, inherited(u), s.InheritedRole, "inherited roles of %s", u.Login)
			assert.NotContains(s, u.DirectRoles(), s.InheritedRole, "direct roles of %s", u.Login)
		}
	}
}

func inherited(u provision.User) []string {
	var ids []string
	for _, r := range u.Roles {
		if !r.Direct {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func usersNoRoles(s *scene) {
	count := func(f provision.Filter) ([]string, int) {
		before := len(s.Requests())
		users, err := collect(s.another(nil).Users(s.Context(), f))
		require.NoError(s, err)
		return logins(users), len(s.Requests()) - before
	}
	with, all := count(provision.Filter{})
	without, fewer := count(provision.Filter{NoRoles: true})
	assert.ElementsMatch(s, with, without)
	assert.LessOrEqual(s, fewer, all, "requests without roles, and with them")
}

// usersError unplugs the console before the last request that the list takes.
func usersError(s *scene) {
	if s.PageSize != nil {
		s.PageSize(2)
	}
	before := len(s.Requests())
	whole, err := collect(s.another(nil).Users(s.Context(), provision.Filter{}))
	require.NoError(s, err)
	takes := len(s.Requests()) - before
	require.Positive(s, takes, "requests for the list")

	p := s.another(nil)
	s.Disturb(Fault{Reads: true, Skip: takes - 1, Count: -1, Effect: Unplug})
	users, err := collect(p.Users(s.Context(), provision.Filter{}))
	require.Error(s, err, "the list of an unplugged console")
	require.ErrorIs(s, err, provision.ErrUnavailable)
	assert.NotContains(s, err.Error(), "goes on after its error")
	for _, u := range users {
		assert.Contains(s, logins(whole), u.Login)
	}
}

func usersBreak(s *scene) {
	n := 0
	for _, err := range s.p.Users(s.Context(), provision.Filter{}) {
		require.NoError(s, err)
		n++
		break
	}
	assert.Equal(s, 1, n)
	_, err := s.p.User(s.Context(), s.Plain)
	assert.NoError(s, err, "the adapter still works")
}

func userWithRoles(s *scene) {
	users, err := collect(s.p.Users(s.Context(), provision.Filter{}))
	require.NoError(s, err)
	for _, login := range []string{s.Plain, s.Mixed, s.Holder} {
		i := slices.IndexFunc(users, func(u provision.User) bool { return u.Login == login })
		require.GreaterOrEqual(s, i, 0, "%s is listed", login)
		u, err := s.p.User(s.Context(), login)
		require.NoError(s, err)
		users[i].LastLogin, u.LastLogin = nil, nil
		assert.Equal(s, users[i], u, "%s in the list, and asked for", login)
	}
	u, err := s.p.User(s.Context(), s.Holder)
	require.NoError(s, err)
	assert.ElementsMatch(s, s.HolderRoles, u.DirectRoles(), "direct roles of %s", s.Holder)
}

func userFolds(s *scene) {
	want, err := s.p.User(s.Context(), s.Mixed)
	require.NoError(s, err)
	require.Equal(s, s.Mixed, want.Login, "the vendor's spelling") //nolint:testifylint // Mixed is what is expected
	for _, login := range []string{strings.ToLower(s.Mixed), strings.ToUpper(s.Mixed)} {
		u, err := s.p.User(s.Context(), login)
		require.NoError(s, err, "%s", login)
		assert.Equal(s, want.ID, u.ID, "%s", login)
		assert.Equal(s, s.Mixed, u.Login, "the vendor's spelling")
	}
	u, err := s.p.User(s.Context(), strings.ToUpper(s.Plain))
	require.NoError(s, err)
	assert.Equal(s, s.Plain, u.Login, "the vendor's spelling")
}

func userUnknown(s *scene) {
	for _, login := range []string{s.NewLogin(), "x" + s.Plain, "o'brien+edr%20@example.com"} {
		_, err := s.p.User(s.Context(), login)
		assert.ErrorIs(s, err, provision.ErrNotFound, "%s", login)
	}
}

func userTwins(s *scene) {
	if s.Twins == nil {
		s.Skipf("the console of %s cannot hold two such users", s.Vendor.Name)
	}
	login := s.Twins()
	_, err := s.p.User(s.Context(), login)
	require.ErrorIs(s, err, provision.ErrConflict)
	if s.Vendor.Can(provision.CanChangeRoles) {
		s.silent(func() {
			_, err := s.p.ChangeRoles(s.Context(), login, provision.RoleChange{Grant: []string{s.RoleA.ID}})
			assert.ErrorIs(s, err, provision.ErrConflict, "ChangeRoles")
		})
	}
	if s.Vendor.Can(provision.CanDeleteUser) {
		s.silent(func() {
			_, err := s.p.DeleteUser(s.Context(), login)
			assert.ErrorIs(s, err, provision.ErrConflict, "DeleteUser")
		})
	}
}

func rolesSorted(s *scene) {
	roles, err := s.p.Roles(s.Context())
	require.NoError(s, err)
	names := map[string]string{}
	var ids []string
	for _, r := range roles {
		assert.NotContains(s, names, r.ID, "each role once")
		assert.NotEmpty(s, r.Name, "name of %s", r.ID)
		names[r.ID] = r.Name
		ids = append(ids, r.ID)
	}
	assert.True(s, slices.IsSorted(ids), "sorted by id: %v", ids)
	for _, want := range []provision.Role{s.RoleA, s.RoleB} {
		assert.Equal(s, want.Name, names[want.ID], "name of %s", want.ID)
	}
	assert.NotContains(s, names, s.UnknownRole)
}

func rolesResolved(s *scene) {
	resolver, ok := s.p.Provisioner.(provision.RoleResolver)
	if !ok {
		s.Skipf("%s looks roles up in the list", s.Vendor.Name)
	}
	all, err := s.p.Roles(s.Context())
	require.NoError(s, err)
	names := []string{
		s.RoleB.ID, s.RoleA.ID, s.RoleA.Name, strings.ToLower(s.RoleB.Name), strings.ToUpper(s.RoleA.ID), s.UnknownRole,
	}
	some, whole, err := resolver.ResolveRoles(s.Context(), names)
	require.NoError(s, err)
	if whole {
		assert.Equal(s, all, some, "the whole list")
	}
	for _, name := range names {
		want, wantErr := provision.FindRole(all, name)
		got, gotErr := provision.FindRole(some, name)
		assert.Equal(s, want, got, "%q", name)
		if wantErr == nil {
			require.NoError(s, gotErr, "%q", name)
			continue
		}
		assert.ErrorIs(s, gotErr, provision.KindOf(wantErr), "%q", name)
	}
}

// rolesLearnt tells an adapter a list without RoleB, and with a role that is no
// more.
func rolesLearnt(s *scene) {
	learner, ok := s.p.Provisioner.(provision.RoleLearner)
	if !ok {
		s.Skipf("%s has no use for an earlier list of roles", s.Vendor.Name)
	}
	all, err := s.observer.Roles(s.Context())
	require.NoError(s, err)
	s.give(s.Plain, s.RoleB.ID)
	want := s.look(s.Plain)

	old := slices.DeleteFunc(slices.Clone(all), func(r provision.Role) bool { return r.ID == s.RoleB.ID })
	old = append(old, provision.Role{ID: s.UnknownRole, Name: "No More"})
	learner.LearnRoles(old)
	got, err := s.p.User(s.Context(), s.Plain)
	require.NoError(s, err)
	assert.Equal(s, want, got, "a user with a role that the old list lacks")
	roles, err := s.p.Roles(s.Context())
	require.NoError(s, err)
	assert.Equal(s, all, roles, "the list of roles")

	learner.LearnRoles(nil)
	learner.LearnRoles(old)
	s.unchanged(func() {
		_, err := s.p.ChangeRoles(s.Context(), s.Plain, provision.RoleChange{Grant: []string{s.UnknownRole}, Exact: true})
		require.Error(s, err)
		assert.Contains(s, []provision.Kind{provision.ErrNotFound, provision.ErrInvalid}, provision.KindOf(err), "%v", err)
	})
	s.changed(s.Plain, provision.RoleChange{Grant: []string{s.RoleA.ID}, Exact: true})
	s.changed(s.Plain, provision.RoleChange{Grant: []string{s.RoleB.ID}, Exact: true})
	assert.Equal(s, []string{s.RoleB.ID}, s.look(s.Plain).DirectRoles())
}
