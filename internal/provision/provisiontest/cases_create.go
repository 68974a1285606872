package provisiontest

import (
	"errors"
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func createCases() []contract {
	create := []provision.CapabilityName{provision.CanCreateUser, provision.CanListUsers}
	return []contract{
		{name: "CreateUser returns the user as the vendor stored it", needs: create, run: createStored},
		{name: "CreateUser gives the roles of the spec", needs: create, run: createRoles},
		{name: "CreateUser makes a person who is found in any case", needs: create, run: createFolds},
		{name: "CreateUser of a taken login is ErrExists and changes nothing", needs: create, run: createTaken},
		{name: "CreateUser with an unknown role changes nothing or says ErrPartial", needs: create, run: createUnknownRole},
		{name: "CreateUser says ErrPartial when a role was not given", needs: create, run: createPartial},
		{
			name: "ValidateCreate stores nothing", run: createValidated,
			needs: append(create, provision.CanDryRunCreate),
		},
	}
}

func createStored(s *scene) {
	spec := s.Spec(s.NewLogin())
	got, err := s.p.CreateUser(s.Context(), spec)
	require.NoError(s, err)
	assert.Equal(s, spec.Login, got.Login)
	assert.Equal(s, spec.Roles, got.DirectRoles(), "roles")
	if s.Vendor.Can(provision.CanStoreName) {
		assert.Equal(s, []string{spec.FirstName, spec.LastName}, []string{got.FirstName, got.LastName}, "names")
	}
	if s.Vendor.Can(provision.CanStorePhone) {
		assert.Equal(s, spec.Phone, got.Phone, "phone")
	}
	if got.Status == provision.StatusInvited {
		if !s.Vendor.ListsPending {
			s.unknown(spec.Login)
		}
		require.NoError(s, s.Activate(spec.Login), "take up the invitation")
		stored := s.look(spec.Login)
		got.ID, got.Status, got.Roles = stored.ID, stored.Status, stored.Roles // known since activation
		assert.Equal(s, spec.Roles, stored.DirectRoles(), "roles once the invitation is taken up")
	}
	stored := s.look(spec.Login)
	for i := range min(len(stored.Roles), len(got.Roles)) {
		got.Roles[i].Name = stored.Roles[i].Name // ids are given, and a name may cost a request
	}
	assert.Equal(s, stored, got, "the user as read, and as returned")
	assert.Contains(s, logins(s.people()), spec.Login)
}

func createRoles(s *scene) {
	sets := map[string][]string{"one": {s.RoleB.ID}}
	if !s.OneRole {
		sets["two"] = []string{s.RoleA.ID, s.RoleB.ID}
	}
	for name, roles := range inOrder(sets) {
		s.sub(name, func(s *scene) {
			spec := s.Spec(s.NewLogin())
			spec.Roles = roles
			got, err := s.p.CreateUser(s.Context(), spec)
			require.NoError(s, err)
			assert.ElementsMatch(s, roles, got.DirectRoles(), "roles as returned")
			if got.Status == provision.StatusInvited {
				require.NoError(s, s.Activate(spec.Login))
			}
			assert.ElementsMatch(s, roles, s.look(spec.Login).DirectRoles(), "roles as read")
		})
	}
}

func createFolds(s *scene) {
	login := "Anna." + strings.ToUpper(s.NewLogin()[:1]) + s.NewLogin()
	got, err := s.p.CreateUser(s.Context(), s.Spec(login))
	require.NoError(s, err)
	assert.True(s, provision.SameLogin(login, got.Login), "%s is returned for %s", got.Login, login)
	if got.Status == provision.StatusInvited {
		require.NoError(s, s.Activate(login))
	}
	for _, spelling := range []string{login, strings.ToLower(login), strings.ToUpper(login)} {
		assert.True(s, provision.SameLogin(login, s.look(spelling).Login), "%s", spelling)
	}
}

func createTaken(s *scene) {
	for _, login := range []string{s.Plain, strings.ToUpper(s.Plain), s.Mixed, strings.ToLower(s.Mixed)} {
		s.unchanged(func() {
			_, err := s.p.CreateUser(s.Context(), s.Spec(login))
			assert.ErrorIs(s, err, provision.ErrExists, "%s", login)
		})
	}
	login := s.NewLogin()
	_, err := s.p.CreateUser(s.Context(), s.Spec(login))
	require.NoError(s, err)
	s.unchanged(func() {
		_, err := s.p.CreateUser(s.Context(), s.Spec(strings.ToUpper(login)))
		assert.ErrorIs(s, err, provision.ErrExists, "somebody who was just created")
	})
}

func createUnknownRole(s *scene) {
	good := s.Spec(s.NewLogin()).Roles
	mixtures := [][]string{{s.UnknownRole}}
	if !s.OneRole {
		mixtures = append(mixtures, append([]string{s.UnknownRole}, good...), append(slices.Clone(good), s.UnknownRole))
	}
	for _, roles := range mixtures {
		spec := s.Spec(s.NewLogin())
		spec.Roles = roles
		before, changes := s.people(), len(s.Changes())
		got, err := s.p.CreateUser(s.Context(), spec)
		require.Error(s, err, "roles %v", roles)
		if errors.Is(err, provision.ErrPartial) {
			// Only where the vendor takes account and roles apart.
			assert.GreaterOrEqual(s, len(s.sent(changes)), 2, "changes sent")
			assert.True(s, errors.Is(err, provision.ErrNotFound) || errors.Is(err, provision.ErrInvalid), "the cause: %v", err)
			assert.Equal(s, spec.Login, got.Login, "the user that was made")
			assert.NotContains(s, s.look(spec.Login).DirectRoles(), s.UnknownRole)
			continue
		}
		assert.Contains(s, []provision.Kind{provision.ErrNotFound, provision.ErrInvalid}, provision.KindOf(err), "%v", err)
		assert.Equal(s, before, s.people(), "the console's users, before and after")
		s.unknown(spec.Login)
		spec.Roles = good
		_, err = s.p.CreateUser(s.Context(), spec)
		require.NoError(s, err, "with a known role: is an invitation left over?")
	}
}

func createPartial(s *scene) {
	s.Disturb(Fault{Skip: 1, Count: -1, Effect: Refuse})
	spec := s.Spec(s.NewLogin())
	got, err := s.p.CreateUser(s.Context(), spec)
	if s.Disturbed() == 0 {
		require.NoError(s, err)
		s.Skipf("%s creates a user with roles in one request", s.Vendor.Name)
	}
	require.ErrorIs(s, err, provision.ErrPartial)
	require.ErrorIs(s, err, provision.ErrForbidden, "the cause")
	assert.Equal(s, provision.ErrPartial, provision.KindOf(err))
	assert.Equal(s, spec.Login, got.Login, "the user that was made")
	assert.Empty(s, s.look(spec.Login).DirectRoles(), "roles as read")
	assert.Empty(s, got.DirectRoles(), "roles as returned")
}

func createValidated(s *scene) {
	validator, ok := s.p.Provisioner.(provision.CreateValidator)
	require.True(s, ok, "%s declares %s", s.Vendor.Name, provision.CanDryRunCreate)
	spec := s.Spec(s.NewLogin())
	s.unchanged(func() {
		err := validator.ValidateCreate(s.Context(), spec)
		s.sound(s.Context(), "ValidateCreate", nil, err)
		assert.NoError(s, err, "a spec without fault")
	})
	s.unknown(spec.Login)

	err := validator.ValidateCreate(s.Context(), s.Spec(strings.ToUpper(s.Plain)))
	s.sound(s.Context(), "ValidateCreate", nil, err)
	require.ErrorIs(s, err, provision.ErrExists, "a taken login")

	cautious, ok := s.another(func(c *provision.Config) { c.ReadOnly = true }).Provisioner.(provision.CreateValidator)
	require.True(s, ok)
	require.NoError(s, cautious.ValidateCreate(s.Context(), spec), "during a dry run")

	_, err = s.p.CreateUser(s.Context(), spec)
	assert.NoError(s, err, "creating it afterwards")
}
