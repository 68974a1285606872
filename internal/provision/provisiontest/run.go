package provisiontest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// Run holds an adapter to the contract. Each promise of provision.Provisioner
// is a subtest; what the vendor declares it cannot do is skipped with the
// reason it gives.
func Run(t *testing.T, target Target) {
	target.fill()
	for _, c := range slices.Concat(
		vendorCases(), readCases(), createCases(), updateCases(), deleteCases(), resetCases(), roleCases(), troubleCases(),
	) {
		t.Run(c.name, func(t *testing.T) {
			for _, need := range c.needs {
				target.require(t, need)
			}
			c.run(target.open(t))
		})
	}
}

// contract is one promise.
type contract struct {
	name string
	// needs are capabilities without which there is nothing to promise.
	needs []provision.CapabilityName
	run   func(s *scene)
}

func (x *Target) fill() {
	if x.NewLogin == nil {
		var n atomic.Int64
		x.NewLogin = func() string { return fmt.Sprintf("new-person-%d@example.com", n.Add(1)) }
	}
	if x.Spec == nil {
		x.Password = examplePassword(x.Vendor.PasswordRule)
		x.Spec = x.spec
	}
	if x.Patch.Empty() {
		x.Patch = x.patch()
	}
}

// spec describes a person with all that the vendor can store or asks for.
func (x *Target) spec(login string) provision.UserSpec {
	spec := provision.UserSpec{Login: login, Roles: []string{x.RoleA.ID}}
	if x.Vendor.Can(provision.CanStoreName) {
		spec.FirstName, spec.LastName = "Emmy", "Noether"
	}
	if x.Vendor.Can(provision.CanStorePhone) {
		spec.Phone = "+49 9131 5550100"
	}
	if x.Password != "" {
		spec.Password = provision.NewSecret(x.Password)
	}
	return spec
}

func (x *Target) patch() provision.UserPatch {
	first, phone := "Renamed", "+44 20 5550199"
	switch {
	case x.Vendor.Can(provision.CanStoreName):
		return provision.UserPatch{FirstName: &first}
	case x.Vendor.Can(provision.CanStorePhone):
		return provision.UserPatch{Phone: &phone}
	}
	return provision.UserPatch{}
}

// examplePassword satisfies a rule, always in the same way.
func examplePassword(rule *provision.PasswordRule) string {
	if rule == nil {
		return ""
	}
	var b strings.Builder
	for i := range max(rule.Length, 16) {
		class := rule.Classes[i%len(rule.Classes)]
		b.WriteByte(class[(i*7)%len(class)])
	}
	return b.String()
}

// require skips a case that is about something the vendor cannot do.
func (x *Target) require(t *testing.T, need provision.CapabilityName) {
	t.Helper()
	if c := x.Vendor.Capability(need); !x.Vendor.Can(need) {
		t.Skipf("%s: %s is %s", x.Vendor.Name, need, c)
	}
}

// scene is one case at work: a console of its own, watched.
type scene struct {
	*testing.T
	Target
	*Tenant
	// p is the adapter of the tenant, and observer another one that looks at
	// the console without taking part.
	p, observer watched
}

func (x *Target) open(t *testing.T) *scene {
	t.Helper()
	tenant := x.Open(t)
	s := &scene{T: t, Target: *x, Tenant: tenant}
	s.p = watched{s, tenant.P}
	s.observer = watched{s, tenant.Connect(nil)}
	t.Cleanup(func() {
		s.innocent("the log", tenant.Output())
	})
	return s
}

// another returns a further adapter for the same console.
func (s *scene) another(tweak func(*provision.Config)) watched {
	return watched{s, s.Connect(tweak)}
}

// sub runs a part of a case under a name and with a console of its own.
func (s *scene) sub(name string, run func(s *scene)) {
	s.Run(name, func(t *testing.T) { run(s.open(t)) })
}

// people are all users as another adapter sees them, by login. Times of
// sign-ins are left out, since the suite's own may be among them.
func (s *scene) people() []provision.User {
	s.Helper()
	users, err := collect(s.observer.Users(s.Context(), provision.Filter{}))
	require.NoError(s, err, "list users")
	for i := range users {
		users[i].LastLogin = nil
	}
	slices.SortFunc(users, func(a, b provision.User) int {
		return cmp.Compare(provision.FoldLogin(a.Login), provision.FoldLogin(b.Login))
	})
	return users
}

// look is one user as another adapter sees it.
func (s *scene) look(login string) provision.User {
	s.Helper()
	u, err := s.observer.User(s.Context(), login)
	require.NoError(s, err, "look at %s", login)
	return u
}

// unknown requires that nobody has the login.
func (s *scene) unknown(login string) {
	s.Helper()
	_, err := s.observer.User(s.Context(), login)
	require.ErrorIs(s, err, provision.ErrNotFound, "%s", login)
}

// unchanged runs something that must leave everybody as they were.
func (s *scene) unchanged(run func()) {
	s.Helper()
	before := s.people()
	run()
	assert.Equal(s, before, s.people(), "the console's users, before and after")
}

// silent runs something that must not send a change.
func (s *scene) silent(run func()) {
	s.Helper()
	before := len(s.Changes())
	run()
	assert.Empty(s, s.Changes()[before:], "changes sent")
}

// mute runs something that must not send anything.
func (s *scene) mute(run func()) {
	s.Helper()
	before := len(s.Requests())
	run()
	assert.Empty(s, s.Requests()[before:], "requests sent")
}

// give makes the direct roles of a user exactly these.
func (s *scene) give(login string, roles ...string) {
	s.Helper()
	_, err := s.observer.ChangeRoles(s.Context(), login, provision.RoleChange{All: len(roles) == 0, Exact: true, Grant: roles})
	require.NoError(s, err, "give %s the roles %v", login, roles)
	require.ElementsMatch(s, roles, s.look(login).DirectRoles(), "roles of %s to begin with", login)
}

// newcomer creates a user and has the invitation, if there is one, taken up.
func (s *scene) newcomer() provision.User {
	s.Helper()
	login := s.NewLogin()
	u, err := s.observer.CreateUser(s.Context(), s.Spec(login))
	require.NoError(s, err, "create %s", login)
	if u.Status == provision.StatusInvited {
		require.NoError(s, s.Activate(login), "activate %s", login)
	}
	return s.look(login)
}

// victim is somebody whom a case may delete: a newcomer where the vendor can
// create, else Plain with a role.
func (s *scene) victim() provision.User {
	s.Helper()
	if s.Vendor.Can(provision.CanCreateUser) {
		return s.newcomer()
	}
	s.give(s.Plain, s.RoleA.ID)
	return s.look(s.Plain)
}

// collect reads a list to its end. It is an error of the adapter, and returned
// as one, to go on after an error.
func collect(list func(func(provision.User, error) bool)) ([]provision.User, error) {
	var users []provision.User
	var failure error
	list(func(u provision.User, err error) bool {
		switch {
		case failure != nil:
			failure = fmt.Errorf("the list goes on after its error: %w", failure)
			return false
		case err != nil:
			failure = err
		default:
			users = append(users, u)
		}
		return true
	})
	return users, failure
}

func logins(users []provision.User) []string {
	var list []string
	for _, u := range users {
		list = append(list, u.Login)
	}
	return list
}
