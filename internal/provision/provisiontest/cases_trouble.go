package provisiontest

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func troubleCases() []contract {
	list := []provision.CapabilityName{provision.CanListUsers}
	roles := []provision.CapabilityName{provision.CanListUsers, provision.CanChangeRoles}
	return []contract{
		{name: "a lost answer is ErrUncertain and the change is sent once", needs: list, run: lostOnce},
		{name: "a lost answer to any of several steps ends them", needs: list, run: lostSteps},
		{name: "a refusal of a later step is ErrPartial", needs: list, run: refusedStep},
		{name: "a lost answer is settled by asking again", needs: list, run: lostAgain},
		{name: "a change stopped while its answer is awaited is ErrUncertain", needs: list, run: stoppedLate},
		{name: "a context that has ended sends nothing", run: stoppedEarly},
		{name: "refused credentials are ErrUnauthenticated after one attempt", run: wrongSecret},
		{name: "a missing permission is ErrForbidden and changes nothing", needs: list, run: forbidden},
		{name: "a session that has ended is renewed", needs: roles, run: expired},
		{name: "short throttling is waited for and the change made once", needs: roles, run: throttledShort},
		{name: "throttling beyond MaxWait is ErrRateLimited at once", needs: roles, run: throttledLong},
		{name: "a read-only adapter sends no change", run: readOnly},
		{name: "an adapter is safe for concurrent use", needs: roles, run: concurrent},
		{name: "SignOut changes nothing", run: signOut},
	}
}

// deed is one of the changes that an adapter can make.
type deed struct {
	// do makes the change. It is prepared already.
	do func(ctx context.Context, p watched) error
	// settled checks the outcome after the change was made for sure.
	settled func()
}

// deeds are the changes that this vendor can make, by name. Each is called on
// a scene of its own and prepares what it needs there.
func (s *scene) deeds() map[string]func(s *scene) deed {
	all := map[string]func(s *scene) deed{}
	if s.Vendor.Can(provision.CanCreateUser) {
		all["create"] = func(s *scene) deed {
			spec := s.Spec(s.NewLogin())
			return deed{do: func(ctx context.Context, p watched) error {
				_, err := p.CreateUser(ctx, spec)
				return err
			}}
		}
	}
	if s.Vendor.Can(provision.CanUpdateUser) {
		all["update"] = func(s *scene) deed {
			return deed{
				do: func(ctx context.Context, p watched) error {
					_, _, err := p.UpdateUser(ctx, s.Plain, s.Patch)
					return err
				},
				settled: func() { assert.True(s, s.Patch.Satisfied(s.look(s.Plain)), "details of %s", s.Plain) },
			}
		}
	}
	if s.Vendor.Can(provision.CanDeleteUser) {
		all["delete"] = func(s *scene) deed {
			login := s.victim().Login
			return deed{
				do: func(ctx context.Context, p watched) error {
					_, err := p.DeleteUser(ctx, login)
					return err
				},
				settled: func() {
					u, err := s.observer.User(s.Context(), login)
					if err != nil {
						assert.ErrorIs(s, err, provision.ErrNotFound)
						return
					}
					assert.Empty(s, u.DirectRoles(), "roles of %s", login)
				},
			}
		}
	}
	if s.Vendor.Can(provision.CanChangeRoles) {
		roles := func(begin []string, c provision.RoleChange, end ...string) func(s *scene) deed {
			return func(s *scene) deed {
				s.give(s.Plain, begin...)
				return deed{
					do: func(ctx context.Context, p watched) error {
						_, err := p.ChangeRoles(ctx, s.Plain, c)
						return err
					},
					settled: func() { assert.ElementsMatch(s, end, s.look(s.Plain).DirectRoles(), "roles of %s", s.Plain) },
				}
			}
		}
		a, b := s.RoleA.ID, s.RoleB.ID
		all["grant"] = roles(nil, provision.RoleChange{Grant: []string{a}}, a)
		all["revoke"] = roles([]string{a}, provision.RoleChange{Revoke: []string{a}})
		all["swap"] = roles([]string{a}, provision.RoleChange{Grant: []string{b}, Exact: true}, b)
	}
	for _, what := range []provision.Credential{provision.CredentialMFA, provision.CredentialPassword} {
		need := map[provision.Credential]provision.CapabilityName{
			provision.CredentialMFA: provision.CanResetMFA, provision.CredentialPassword: provision.CanResetPassword,
		}[what]
		if s.Vendor.Can(need) {
			all[string(need)] = func(s *scene) deed {
				return deed{do: func(ctx context.Context, p watched) error { return p.Reset(ctx, s.Plain, what) }}
			}
		}
	}
	if len(all) == 0 {
		s.Skipf("%s changes nothing", s.Vendor.Name)
	}
	return all
}

// inOrder is a map by its sorted keys.
func inOrder[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(name, m[name]) {
				return
			}
		}
	}
}

// sent is what the console received since.
func (s *scene) sent(since int) []string { return s.Changes()[since:] }

// once checks that no change was sent twice.
func (s *scene) once(changes []string) {
	s.Helper()
	seen := map[string]bool{}
	for _, c := range changes {
		assert.False(s, seen[c], "sent twice: %s", c)
		seen[c] = true
	}
}

func lostOnce(s *scene) {
	for name, prepare := range inOrder(s.deeds()) {
		for _, effect := range []Effect{Cut, Truncate, BadGateway, Unplug} {
			s.sub(name+"/"+string(effect), func(s *scene) {
				d := prepare(s)
				before := len(s.Changes())
				s.Disturb(Fault{Effect: effect})
				err := d.do(s.Context(), s.p)
				require.ErrorIs(s, err, provision.ErrUncertain)
				assert.Len(s, s.sent(before), 1, "changes sent")
			})
		}
	}
}

// steps is how many requests one change is made of at most.
const steps = 8

func lostSteps(s *scene) {
	for name, prepare := range inOrder(s.deeds()) {
		for lost := range steps {
			done := false
			s.sub(name, func(s *scene) {
				d := prepare(s)
				before := len(s.Changes())
				s.Disturb(Fault{Skip: lost, Effect: Cut})
				err := d.do(s.Context(), s.p)
				if done = s.Disturbed() == 0; done {
					require.NoError(s, err)
					require.Positive(s, lost, "changes sent")
					if d.settled != nil {
						d.settled()
					}
					return
				}
				require.ErrorIs(s, err, provision.ErrUncertain, "answer %d of %v was lost", lost+1, s.sent(before))
				assert.Len(s, s.sent(before), lost+1, "nothing is sent after a lost answer: %v", s.sent(before))
				s.once(s.sent(before))
			})
			if done {
				break
			}
		}
	}
	s.sub("the result of ChangeRoles", func(s *scene) {
		s.require(s.T, provision.CanChangeRoles)
		s.give(s.Plain)
		s.Disturb(Fault{Effect: Cut})
		got, err := s.p.ChangeRoles(s.Context(), s.Plain, provision.RoleChange{Grant: []string{s.RoleA.ID}})
		require.ErrorIs(s, err, provision.ErrUncertain)
		assert.Equal(s, []string{s.RoleA.ID}, got.Granted, "what was sent")
	})
}

func refusedStep(s *scene) {
	for name, prepare := range inOrder(s.deeds()) {
		s.sub(name, func(s *scene) {
			d := prepare(s)
			s.Disturb(Fault{Skip: 1, Effect: Refuse})
			err := d.do(s.Context(), s.p)
			if s.Disturbed() == 0 {
				require.NoError(s, err, "it is one step")
				return
			}
			require.Equal(s, provision.ErrPartial, provision.KindOf(err), "%v", err)
			assert.ErrorIs(s, err, provision.ErrForbidden, "the cause")
		})
	}
}

func lostAgain(s *scene) {
	for _, name := range []string{"update", "delete", "grant", "revoke", "swap"} {
		prepare, ok := s.deeds()[name]
		if !ok {
			continue
		}
		for _, effect := range []Effect{Cut, Unplug} {
			s.sub(name+"/"+string(effect), func(s *scene) {
				d := prepare(s)
				s.Disturb(Fault{Effect: effect})
				require.ErrorIs(s, d.do(s.Context(), s.p), provision.ErrUncertain)
				err := d.do(s.Context(), s.p)
				if name == "delete" && effect == Cut && err != nil {
					require.ErrorIs(s, err, provision.ErrNotFound, "the account that is gone")
				} else {
					require.NoError(s, err, "again")
				}
				d.settled()
			})
		}
	}
}

func stoppedLate(s *scene) {
	for name, prepare := range inOrder(s.deeds()) {
		s.sub(name, func(s *scene) {
			d := prepare(s)
			before := len(s.Changes())
			ctx, cancel := context.WithCancel(s.Context())
			defer cancel()
			s.AfterChange(cancel)
			err := d.do(ctx, s.p)
			s.AfterChange(nil)
			require.ErrorIs(s, err, provision.ErrUncertain)
			assert.Len(s, s.sent(before), 1, "changes sent")
		})
	}
}

// everything calls each method once, in a way that would work or that the
// vendor refuses, and hands the errors on by name.
func (s *scene) everything(ctx context.Context, p watched, check func(name string, change bool, err error)) {
	_, err := p.Check(ctx)
	check("Check", false, err)
	_, err = collect(p.Users(ctx, provision.Filter{}))
	check("Users", false, err)
	_, err = p.User(ctx, s.Plain)
	check("User", false, err)
	_, err = p.Roles(ctx)
	check("Roles", false, err)
	_, err = p.CreateUser(ctx, s.Spec(s.NewLogin()))
	check("CreateUser", true, err)
	_, _, err = p.UpdateUser(ctx, s.Plain, s.Patch)
	check("UpdateUser", true, err)
	_, err = p.ChangeRoles(ctx, s.Plain, provision.RoleChange{Grant: []string{s.RoleB.ID}, Exact: true})
	check("ChangeRoles", true, err)
	check("Reset mfa", true, p.Reset(ctx, s.Plain, provision.CredentialMFA))
	check("Reset password", true, p.Reset(ctx, s.Plain, provision.CredentialPassword))
	_, err = p.DeleteUser(ctx, s.Plain)
	check("DeleteUser", true, err)
}

func stoppedEarly(s *scene) {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	for name, p := range map[string]watched{"signed in": s.p, "not signed in": s.another(nil)} {
		if name == "signed in" {
			_, err := p.Check(s.Context())
			require.NoError(s, err)
		}
		s.mute(func() {
			s.everything(ctx, p, func(method string, _ bool, err error) {
				ended := errors.Is(err, context.Canceled) || errors.Is(err, provision.ErrInterrupted)
				assert.True(s, ended || errors.Is(err, provision.ErrUnsupported), "%s, %s: %v", method, name, err)
			})
		})
	}
}

// wrong is a value of the same form.
func wrong(secret string) string {
	last := secret[len(secret)-1]
	switch {
	case last == 'a' || last == 'A' || last == '2':
		last++
	case 'a' <= last && last <= 'z':
		last = 'a'
	case 'A' <= last && last <= 'Z':
		last = 'A'
	case '0' <= last && last <= '9':
		last = '2'
	default:
		last = 'x'
	}
	return secret[:len(secret)-1] + string(last)
}

func wrongSecret(s *scene) {
	stranger := func() watched {
		return s.another(func(c *provision.Config) {
			for name, secret := range c.Secrets {
				c.Secrets[name] = provision.NewSecret(wrong(secret.Reveal()))
			}
		})
	}
	p, before := stranger(), len(s.Requests())
	_, err := p.Check(s.Context())
	require.ErrorIs(s, err, provision.ErrUnauthenticated)
	s.once(s.Requests()[before:])

	if s.Vendor.Can(provision.CanListUsers) {
		p, before = stranger(), len(s.Requests())
		_, err = p.User(s.Context(), s.Plain)
		require.ErrorIs(s, err, provision.ErrUnauthenticated)
		s.once(s.Requests()[before:])
	}
	if s.Vendor.Can(provision.CanChangeRoles) {
		s.silent(func() {
			_, err = stranger().ChangeRoles(s.Context(), s.Plain, provision.RoleChange{Grant: []string{s.RoleB.ID}, Exact: true})
			assert.ErrorIs(s, err, provision.ErrUnauthenticated)
		})
	}
}

func forbidden(s *scene) {
	for name, prepare := range inOrder(s.deeds()) {
		s.sub(name, func(s *scene) {
			d := prepare(s)
			s.unchanged(func() {
				before := len(s.Changes())
				s.Disturb(Fault{Count: -1, Effect: Refuse})
				require.ErrorIs(s, d.do(s.Context(), s.p), provision.ErrForbidden)
				s.once(s.sent(before))
			})
			if s.Forbid != nil {
				s.Forbid()
				assert.ErrorIs(s, d.do(s.Context(), s.p), provision.ErrForbidden, "without the permission")
			}
		})
	}
	if s.Forbid != nil {
		s.Forbid()
		id, err := s.p.Check(s.Context())
		if err != nil {
			assert.ErrorIs(s, err, provision.ErrForbidden, "Check")
		} else {
			assert.False(s, id.MayManage, "Check: %+v", id)
		}
	}
}

func expired(s *scene) {
	s.give(s.Plain, s.RoleA.ID)
	_, err := s.p.User(s.Context(), s.Plain)
	require.NoError(s, err)

	s.ExpireSessions()
	_, err = s.p.User(s.Context(), s.Plain)
	require.NoError(s, err, "a read after the session ended")

	s.ExpireSessions()
	_, err = s.p.ChangeRoles(s.Context(), s.Plain, provision.RoleChange{Grant: []string{s.RoleB.ID}, Exact: true})
	require.NoError(s, err, "a change after the session ended")
	assert.Equal(s, []string{s.RoleB.ID}, s.look(s.Plain).DirectRoles())

	_, err = s.p.User(s.Context(), s.Plain)
	require.NoError(s, err)
	s.ExpireSessions()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := s.p.User(s.Context(), s.Plain)
			assert.NoError(s, err, "several reads after the session ended")
		})
	}
	wg.Wait()
}

func throttledShort(s *scene) {
	s.give(s.Plain, s.RoleA.ID)
	_, err := s.p.User(s.Context(), s.Plain)
	require.NoError(s, err)

	before := len(s.Changes())
	s.Disturb(Fault{Effect: Throttle, Wait: time.Second})
	_, err = s.p.ChangeRoles(s.Context(), s.Plain, provision.RoleChange{Grant: []string{s.RoleB.ID}, Exact: true})
	require.NoError(s, err)
	assert.Equal(s, 1, s.Disturbed(), "changes throttled")
	assert.Equal(s, []string{s.RoleB.ID}, s.look(s.Plain).DirectRoles())
	sent := s.sent(before)
	assert.GreaterOrEqual(s, len(sent), 2, "changes sent, the refused one included")
	s.once(sent[1:])

	s.Disturb(Fault{Reads: true, Effect: Throttle, Wait: time.Second})
	_, err = s.p.User(s.Context(), s.Plain)
	require.NoError(s, err, "a read")
	assert.Equal(s, 2, s.Disturbed(), "requests throttled")
}

func throttledLong(s *scene) {
	s.give(s.Plain, s.RoleA.ID)
	hasty := s.another(func(c *provision.Config) { c.MaxWait = 3 * time.Second })
	before, started := len(s.Changes()), time.Now()
	s.unchanged(func() {
		s.Disturb(Fault{Count: -1, Effect: Throttle, Wait: 10 * time.Minute})
		_, err := hasty.ChangeRoles(s.Context(), s.Plain, provision.RoleChange{Grant: []string{s.RoleB.ID}, Exact: true})
		var e *provision.Error
		require.ErrorAs(s, err, &e)
		assert.Equal(s, provision.ErrRateLimited, e.Kind)
		assert.Greater(s, e.RetryAfter, 3*time.Second, "how long the vendor wants us to wait")
	})
	assert.Less(s, time.Since(started), 30*time.Second, "it fails at once")
	assert.Len(s, s.sent(before), 1, "changes sent")
}

func readOnly(s *scene) {
	if s.Vendor.Can(provision.CanChangeRoles) {
		s.give(s.Plain, s.RoleA.ID)
	}
	p := s.another(func(c *provision.Config) { c.ReadOnly = true })
	s.silent(func() {
		s.everything(s.Context(), p, func(method string, change bool, err error) {
			if change {
				require.Error(s, err, "%s during a dry run", method)
				return
			}
			require.NotErrorIs(s, err, provision.ErrInternal, "%s during a dry run", method)
		})
	})
}

// concurrent is for the race detector, and for adapters that deadlock or sign
// in once for each caller.
func concurrent(s *scene) {
	s.give(s.Plain, s.RoleA.ID)
	s.give(s.Mixed, s.RoleA.ID)
	p := s.another(nil)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			users, err := collect(p.Users(s.Context(), provision.Filter{}))
			if assert.NoError(s, err) {
				assert.Len(s, users, len(s.Listed))
			}
		})
		wg.Go(func() {
			_, err := p.Check(s.Context())
			assert.NoError(s, err)
		})
		wg.Go(func() {
			login := []string{s.Plain, s.Mixed}[i%2]
			u, err := p.User(s.Context(), login)
			if assert.NoError(s, err) {
				assert.Equal(s, login, u.Login)
			}
		})
	}
	for _, login := range []string{s.Plain, s.Mixed} {
		wg.Go(func() {
			_, err := p.ChangeRoles(s.Context(), login, provision.RoleChange{Grant: []string{s.RoleB.ID}, Exact: true})
			assert.NoError(s, err, "%s", login)
		})
	}
	wg.Wait()
	for _, login := range []string{s.Plain, s.Mixed} {
		assert.Equal(s, []string{s.RoleB.ID}, s.look(login).DirectRoles(), "%s", login)
	}
}

func signOut(s *scene) {
	session, ok := s.p.Provisioner.(provision.Session)
	if !ok {
		s.Skipf("%s has no sessions", s.Vendor.Name)
	}
	_, err := s.p.Check(s.Context())
	require.NoError(s, err)
	s.silent(func() {
		err := session.SignOut(s.Context())
		s.sound(s.Context(), "SignOut", nil, err)
		assert.NoError(s, err)
		assert.NoError(s, session.SignOut(s.Context()), "again")
	})
	if slices.Contains([]provision.Level{provision.Native, provision.Emulated}, s.Vendor.Capability(provision.CanListUsers).Level) {
		_, err = s.p.User(s.Context(), s.Plain)
		assert.NoError(s, err, "afterwards")
	}
}
