package provisiontest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edrctl/internal/provision"
	"edrctl/internal/provision/provisiontest"
)

func TestMain(m *testing.M) {
	flag.String("mutant", "", "the broken adapter that TestMutantProcess holds to the contract")
	goleak.VerifyTestMain(m)
}

// TestMutantProcess is run by TestTheContractCanFail in a process of its own.
func TestMutantProcess(t *testing.T) {
	name := flag.Lookup("mutant").Value.String()
	if name == "" {
		t.Skip("a part of TestTheContractCanFail")
	}
	provisiontest.Run(t, mutants()[name].target())
}

// TestTheContractCanFail holds broken adapters to the contract. A suite that
// passes everybody proves nothing.
func TestTheContractCanFail(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for name, m := range mutants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test := "TestMutantProcess/" + strings.ReplaceAll(m.breaks, " ", "_")
			pattern := "^" + strings.Replace(test, "/", "$/^", 1) + "$"
			cmd := exec.CommandContext(t.Context(), self, "-test.run="+pattern, "-test.v", "-mutant="+name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "it keeps the promise %q:\n%s", m.breaks, out)
			assert.Contains(t, string(out), "--- FAIL: "+test)
			assert.NotContains(t, string(out), "panic:")
		})
	}
}

// mutant is a fake with a fault of the kind that adapters have.
type mutant struct {
	breaks  string
	options provisiontest.FakeOptions
	// declare changes what the vendor declares, but not what it does.
	declare func(v *provision.Vendor)
	// configure spoils the adapter's configuration.
	configure func(c *provision.Config)
	// tenant spoils what the suite sees of the tenant.
	tenant func(x *provisiontest.Tenant)
	// twist replaces methods.
	twist func(w *twisted)
}

func (m mutant) target() provisiontest.Target {
	target := m.options.Target()
	if m.declare != nil {
		v := *target.Vendor
		v.Capabilities = map[provision.CapabilityName]provision.Capability{}
		for name, c := range target.Vendor.Capabilities {
			v.Capabilities[name] = c
		}
		m.declare(&v)
		target.Vendor = &v
	}
	target.Open = func(*testing.T) *provisiontest.Tenant {
		f := provisiontest.NewFake(m.options)
		tenant := f.Tenant()
		tenant.P = m.spoil(f)
		healthy := tenant.Connect
		first := true
		tenant.Connect = func(tweak func(*provision.Config)) provision.Provisioner {
			if first { // the suite's own eyes
				first = false
				return healthy(tweak)
			}
			return m.spoil(healthy(tweak).(*provisiontest.Fake))
		}
		if m.tenant != nil {
			m.tenant(tenant)
		}
		return tenant
	}
	return target
}

func (m mutant) spoil(f *provisiontest.Fake) provision.Provisioner {
	if m.configure != nil {
		f = f.Connect(m.configure)
	}
	w := &twisted{Fake: f}
	if m.twist != nil {
		m.twist(w)
	}
	return w
}

// twisted is a fake some of whose methods are replaced.
type twisted struct {
	*provisiontest.Fake
	check    func(ctx context.Context) (provision.Identity, error)
	users    func(ctx context.Context, f provision.Filter) iter.Seq2[provision.User, error]
	user     func(ctx context.Context, login string) (provision.User, error)
	create   func(ctx context.Context, spec provision.UserSpec) (provision.User, error)
	validate func(ctx context.Context, spec provision.UserSpec) error
	update   func(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error)
	remove   func(ctx context.Context, login string) (provision.Removal, error)
	roles    func(ctx context.Context) ([]provision.Role, error)
	change   func(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error)
	reset    func(ctx context.Context, login string, what provision.Credential) error
	guard    func(ctx context.Context, login string, c provision.RoleChange) error
}

func (w *twisted) Check(ctx context.Context) (provision.Identity, error) {
	if w.check != nil {
		return w.check(ctx)
	}
	return w.Fake.Check(ctx)
}

func (w *twisted) Users(ctx context.Context, f provision.Filter) iter.Seq2[provision.User, error] {
	if w.users != nil {
		return w.users(ctx, f)
	}
	return w.Fake.Users(ctx, f)
}

func (w *twisted) User(ctx context.Context, login string) (provision.User, error) {
	if w.user != nil {
		return w.user(ctx, login)
	}
	return w.Fake.User(ctx, login)
}

func (w *twisted) CreateUser(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
	if w.create != nil {
		return w.create(ctx, spec)
	}
	return w.Fake.CreateUser(ctx, spec)
}

func (w *twisted) ValidateCreate(ctx context.Context, spec provision.UserSpec) error {
	if w.validate != nil {
		return w.validate(ctx, spec)
	}
	return w.Fake.ValidateCreate(ctx, spec)
}

func (w *twisted) UpdateUser(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error) {
	if w.update != nil {
		return w.update(ctx, login, p)
	}
	return w.Fake.UpdateUser(ctx, login, p)
}

func (w *twisted) DeleteUser(ctx context.Context, login string) (provision.Removal, error) {
	if w.remove != nil {
		return w.remove(ctx, login)
	}
	return w.Fake.DeleteUser(ctx, login)
}

func (w *twisted) Roles(ctx context.Context) ([]provision.Role, error) {
	if w.roles != nil {
		return w.roles(ctx)
	}
	return w.Fake.Roles(ctx)
}

func (w *twisted) ChangeRoles(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
	if w.change != nil {
		return w.change(ctx, login, c)
	}
	return w.Fake.ChangeRoles(ctx, login, c)
}

func (w *twisted) Reset(ctx context.Context, login string, what provision.Credential) error {
	if w.reset != nil {
		return w.reset(ctx, login, what)
	}
	return w.Fake.Reset(ctx, login, what)
}

func (w *twisted) GuardRemoval(ctx context.Context, login string, c provision.RoleChange) error {
	if w.guard != nil {
		return w.guard(ctx, login, c)
	}
	return w.Fake.GuardRemoval(ctx, login, c)
}

// each passes a list on through a function, which returns false to leave a user
// out.
func each(list iter.Seq2[provision.User, error], f func(i int, u *provision.User) bool) iter.Seq2[provision.User, error] {
	return func(yield func(provision.User, error) bool) {
		i := 0
		for u, err := range list {
			keep := err != nil || f(i, &u)
			i++
			if keep && !yield(u, err) {
				return
			}
		}
	}
}

// The promises that several mutants break.
const (
	sentOnce   = "a lost answer is ErrUncertain and the change is sent once"
	lostSteps  = "a lost answer to any of several steps ends them"
	stored     = "CreateUser returns the user as the vendor stored it"
	unknown    = "CreateUser with an unknown role changes nothing or says ErrPartial"
	taken      = "CreateUser of a taken login is ErrExists and changes nothing"
	firstError = "Users stops at the first error and yields it last"
	yieldsOnce = "Users yields each user once"
	restStays  = "UpdateUser changes what the patch names and nothing else"
)

func mutants() map[string]mutant {
	all := map[string]mutant{}
	for _, group := range []map[string]mutant{readMutants(), changeMutants(), roleMutants(), troubleMutants(), vendorMutants()} {
		for name, m := range group {
			all[name] = m
		}
	}
	return all
}

func readMutants() map[string]mutant {
	return map[string]mutant{
		"checks by changing": {breaks: "Check says who we are", twist: func(w *twisted) {
			w.check = func(ctx context.Context) (provision.Identity, error) {
				_ = w.Fake.Reset(ctx, provisiontest.FakePlain, provision.CredentialMFA)
				return w.Fake.Check(ctx)
			}
		}},
		"lists somebody twice": {breaks: yieldsOnce, twist: func(w *twisted) {
			w.users = func(ctx context.Context, f provision.Filter) iter.Seq2[provision.User, error] {
				return func(yield func(provision.User, error) bool) {
					for u, err := range w.Fake.Users(ctx, f) {
						if !yield(u, err) || u.Login == provisiontest.FakePlain && !yield(u, err) {
							return
						}
					}
				}
			}
		}},
		"lists the first page": {breaks: "Users yields everybody over several pages", twist: func(w *twisted) {
			w.users = func(ctx context.Context, f provision.Filter) iter.Seq2[provision.User, error] {
				before := len(w.Requests())
				return each(w.Fake.Users(ctx, f), func(int, *provision.User) bool {
					pages := 0
					for _, r := range w.Requests()[before:] {
						if r == "GET users" {
							pages++
						}
					}
					return pages < 2
				})
			}
		}},
		"lists no roles": {breaks: "Users comes with roles", twist: func(w *twisted) {
			w.users = func(ctx context.Context, _ provision.Filter) iter.Seq2[provision.User, error] {
				return w.Fake.Users(ctx, provision.Filter{NoRoles: true})
			}
		}},
		"lists inherited roles as direct": {breaks: "Users comes with roles", twist: func(w *twisted) {
			w.users = func(ctx context.Context, f provision.Filter) iter.Seq2[provision.User, error] {
				return each(w.Fake.Users(ctx, f), func(_ int, u *provision.User) bool {
					for i := range u.Roles {
						u.Roles[i].Direct = true
					}
					return true
				})
			}
		}},
		"lists holders only": {
			breaks: "Users with NoRoles yields the same people for no more requests",
			twist: func(w *twisted) {
				w.users = func(ctx context.Context, f provision.Filter) iter.Seq2[provision.User, error] {
					return each(w.Fake.Users(ctx, f), func(_ int, u *provision.User) bool { return len(u.Roles) > 0 })
				}
			},
		},
		"keeps the list's error to itself": {breaks: firstError, twist: func(w *twisted) {
			w.users = func(ctx context.Context, f provision.Filter) iter.Seq2[provision.User, error] {
				return func(yield func(provision.User, error) bool) {
					for u, err := range w.Fake.Users(ctx, f) {
						if err != nil || !yield(u, err) {
							return
						}
					}
				}
			}
		}},
		"goes on after the list's error": {breaks: firstError, twist: func(w *twisted) {
			w.users = func(ctx context.Context, f provision.Filter) iter.Seq2[provision.User, error] {
				return func(yield func(provision.User, error) bool) {
					for u, err := range w.Fake.Users(ctx, f) {
						if !yield(u, err) || err != nil && !yield(provision.User{Login: "more@example.com", ID: "1"}, nil) {
							return
						}
					}
				}
			}
		}},
		"looks one user up without roles": {breaks: "User returns one user with roles", twist: func(w *twisted) {
			w.user = func(ctx context.Context, login string) (provision.User, error) {
				u, err := w.Fake.User(ctx, login)
				u.Roles = []provision.HeldRole{}
				return u, err
			}
		}},
		"compares logins exactly": {breaks: "User finds a login in any case", twist: func(w *twisted) {
			w.user = func(ctx context.Context, login string) (provision.User, error) {
				u, err := w.Fake.User(ctx, login)
				if err == nil && u.Login != login {
					return provision.User{}, &provision.Error{Kind: provision.ErrNotFound}
				}
				return u, err
			}
		}},
		"answers with somebody else": {breaks: "User is ErrNotFound for an unknown login", twist: func(w *twisted) {
			w.user = func(ctx context.Context, login string) (provision.User, error) {
				u, err := w.Fake.User(ctx, login)
				if errors.Is(err, provision.ErrNotFound) {
					return w.Fake.User(ctx, provisiontest.FakePlain)
				}
				return u, err
			}
		}},
		"fails without a provision.Error": {breaks: "User is ErrNotFound for an unknown login", twist: func(w *twisted) {
			w.user = func(ctx context.Context, login string) (provision.User, error) {
				u, err := w.Fake.User(ctx, login)
				if err != nil {
					err = fmt.Errorf("somehow: %w", provision.KindOf(err))
				}
				return u, err
			}
		}},
		"takes the first of two": {breaks: "User is ErrConflict where two logins differ in case only", twist: func(w *twisted) {
			w.user = func(ctx context.Context, login string) (provision.User, error) {
				for u, err := range w.Fake.Users(ctx, provision.Filter{}) {
					if err != nil || provision.SameLogin(u.Login, login) {
						return u, err
					}
				}
				return provision.User{}, &provision.Error{Kind: provision.ErrNotFound}
			}
		}},
		"believes an old list of roles": {breaks: "LearnRoles may be told a list that is out of date", twist: func(w *twisted) {
			w.roles = func(ctx context.Context) ([]provision.Role, error) {
				if old := w.Learned(); old != nil {
					return old, nil
				}
				return w.Fake.Roles(ctx)
			}
		}},
		"lists roles in any order": {breaks: "Roles lists what can be given, sorted by id", twist: func(w *twisted) {
			w.roles = func(ctx context.Context) ([]provision.Role, error) {
				roles, err := w.Fake.Roles(ctx)
				slices.Reverse(roles)
				return roles, err
			}
		}},
	}
}

func changeMutants() map[string]mutant {
	return map[string]mutant{
		"echoes the spec": {breaks: stored, twist: func(w *twisted) {
			w.create = func(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
				u, err := w.Fake.CreateUser(ctx, spec)
				u.Extra = nil
				return u, err
			}
		}},
		"forgets the roles of a new user": {breaks: "CreateUser gives the roles of the spec", twist: func(w *twisted) {
			w.create = func(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
				spec.Roles = spec.Roles[:1]
				return w.Fake.CreateUser(ctx, spec)
			}
		}},
		"adopts whoever is there": {breaks: taken, twist: func(w *twisted) {
			w.create = func(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
				u, err := w.Fake.CreateUser(ctx, spec)
				if errors.Is(err, provision.ErrExists) {
					return w.Fake.User(ctx, spec.Login)
				}
				return u, err
			}
		}},
		"overwrites whoever is there": {breaks: taken, twist: func(w *twisted) {
			w.create = func(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
				u, err := w.Fake.CreateUser(ctx, spec)
				if errors.Is(err, provision.ErrExists) {
					_, _, _ = w.Fake.UpdateUser(ctx, spec.Login, provision.UserPatch{FirstName: &spec.FirstName})
				}
				return u, err
			}
		}},
		"creates before it looks at the roles": {breaks: unknown, twist: func(w *twisted) {
			w.create = func(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
				roles := spec.Roles
				spec.Roles = nil
				u, err := w.Fake.CreateUser(ctx, spec)
				if err != nil {
					return u, err
				}
				result, err := w.Fake.ChangeRoles(ctx, spec.Login, provision.RoleChange{Grant: roles})
				return result.User, err
			}
		}},
		"calls half a user a success": {breaks: "CreateUser says ErrPartial when a role was not given", twist: func(w *twisted) {
			w.create = func(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
				u, err := w.Fake.CreateUser(ctx, spec)
				if errors.Is(err, provision.ErrPartial) {
					return u, nil
				}
				return u, err
			}
		}},
		"validates by creating": {breaks: "ValidateCreate stores nothing", twist: func(w *twisted) {
			w.validate = func(ctx context.Context, spec provision.UserSpec) error {
				_, err := w.Fake.CreateUser(ctx, spec)
				return err
			}
		}},
		"blanks what the patch does not name": {breaks: restStays, twist: func(w *twisted) {
			w.update = func(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error) {
				for _, detail := range []**string{&p.FirstName, &p.LastName, &p.Phone} {
					if *detail == nil {
						*detail = new(string)
					}
				}
				return w.Fake.UpdateUser(ctx, login, p)
			}
		}},
		"writes what is there already": {breaks: "UpdateUser sends nothing when the user is like that already", twist: func(w *twisted) {
			w.update = func(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error) {
				other := "something else"
				_, _, _ = w.Fake.UpdateUser(ctx, login, provision.UserPatch{FirstName: &other})
				return w.Fake.UpdateUser(ctx, login, p)
			}
		}},
		"creates whom it cannot update": {breaks: "UpdateUser of an unknown login is ErrNotFound", twist: func(w *twisted) {
			w.update = func(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error) {
				u, changed, err := w.Fake.UpdateUser(ctx, login, p)
				if errors.Is(err, provision.ErrNotFound) {
					_, _ = w.Fake.CreateUser(ctx, provision.UserSpec{Login: login})
				}
				return u, changed, err
			}
		}},
		"deletes roles only": {breaks: "DeleteUser removes the account or all access", twist: func(w *twisted) {
			w.remove = func(ctx context.Context, login string) (provision.Removal, error) {
				got, err := w.Fake.ChangeRoles(ctx, login, provision.RoleChange{All: true})
				return provision.Removal{ID: got.User.ID, Deleted: true, Revoked: got.Revoked}, err
			}
		}},
		"leaves roles": {
			breaks: "DeleteUser removes the account or all access", options: provisiontest.FakeOptions{KeepsAccounts: true},
			twist: func(w *twisted) {
				w.remove = func(ctx context.Context, login string) (provision.Removal, error) {
					u, err := w.Fake.User(ctx, login)
					return provision.Removal{ID: u.ID, Revoked: u.DirectRoles()}, err
				}
			},
		},
		"deletes nobody with success": {breaks: "DeleteUser of an unknown login is ErrNotFound", twist: func(w *twisted) {
			w.remove = func(ctx context.Context, login string) (provision.Removal, error) {
				gone, err := w.Fake.DeleteUser(ctx, login)
				if errors.Is(err, provision.ErrNotFound) {
					return provision.Removal{Deleted: true}, nil
				}
				return gone, err
			}
		}},
		"hides what remains": {
			breaks: "DeleteUser says what access remains", options: provisiontest.FakeOptions{KeepsAccounts: true},
			twist: func(w *twisted) {
				w.remove = func(ctx context.Context, login string) (provision.Removal, error) {
					gone, err := w.Fake.DeleteUser(ctx, login)
					gone.Residual = nil
					return gone, err
				}
			},
		},
		"resets twice": {breaks: "Reset sends one change", twist: func(w *twisted) {
			w.reset = func(ctx context.Context, login string, what provision.Credential) error {
				return errors.Join(w.Fake.Reset(ctx, login, what), w.Fake.Reset(ctx, login, what))
			}
		}},
	}
}

func roleMutants() map[string]mutant {
	change := func(breaks string, f func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error)) mutant {
		return mutant{breaks: breaks, twist: func(w *twisted) {
			w.change = func(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
				return f(w, ctx, login, c)
			}
		}}
	}
	const (
		both  = "ChangeRoles grants and revokes"
		swap  = "ChangeRoles never leaves a moment without roles in a swap"
		role  = "ChangeRoles with an unknown role changes nothing"
		held  = "ChangeRoles sends nothing for a role that is held"
		exact = "ChangeRoles with Exact makes the direct roles exactly these"
	)
	all := map[string]mutant{
		"revokes before granting": change(swap, func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
			u, err := w.Fake.User(ctx, login)
			if err != nil {
				return provision.RoleResult{}, err
			}
			diff, err := w.Vendor().Plan(u, c)
			if err != nil {
				return provision.RoleResult{}, err
			}
			if _, err := w.Fake.ChangeRoles(ctx, login, provision.RoleChange{Revoke: diff.Revoke}); err != nil {
				return provision.RoleResult{}, err
			}
			return w.Fake.ChangeRoles(ctx, login, c)
		}),
		"returns the user as it was": change(both, func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
			u, err := w.Fake.User(ctx, login)
			if err != nil {
				return provision.RoleResult{}, err
			}
			result, err := w.Fake.ChangeRoles(ctx, login, c)
			result.User = u
			return result, err
		}),
		"counts what was asked for": change("ChangeRoles sends nothing for revoking a role that is not held",
			func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
				result, err := w.Fake.ChangeRoles(ctx, login, c)
				result.Granted, result.Revoked = c.Grant, c.Revoke
				return result, err
			}),
		"grants what is held": change(held, func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
			if _, err := w.Fake.ChangeRoles(ctx, login, provision.RoleChange{Revoke: c.Grant}); err != nil {
				return provision.RoleResult{}, err
			}
			return w.Fake.ChangeRoles(ctx, login, c)
		}),
		"adds for exact": change(exact, func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
			c.Exact = false
			return w.Fake.ChangeRoles(ctx, login, c)
		}),
		"grants what is known of an unknown lot": change(role, func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
			for _, id := range c.Grant {
				if _, err := w.Fake.ChangeRoles(ctx, login, provision.RoleChange{Grant: []string{id}}); err != nil {
					return provision.RoleResult{}, err
				}
			}
			return w.Fake.ChangeRoles(ctx, login, c)
		}),
		"knows everybody": change("ChangeRoles of an unknown login is ErrNotFound", func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
			result, err := w.Fake.ChangeRoles(ctx, login, c)
			if errors.Is(err, provision.ErrNotFound) {
				return provision.RoleResult{}, nil
			}
			return result, err
		}),
		"forgets the end": change("ChangeRoles with Expires keeps the end", func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
			c.Expires = time.Time{}
			return w.Fake.ChangeRoles(ctx, login, c)
		}),
		"takes temporary roles for exact": change("ChangeRoles with Exact leaves temporary roles alone, and All takes them",
			func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
				c.All = c.All || c.Exact
				return w.Fake.ChangeRoles(ctx, login, c)
			}),
		"leaves temporary roles for all": change("ChangeRoles with Exact leaves temporary roles alone, and All takes them",
			func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
				c.Exact, c.All = c.Exact || c.All, false
				return w.Fake.ChangeRoles(ctx, login, c)
			}),
		"takes roles that nobody named": change("ChangeRoles keeps roles that it was not asked about",
			func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
				c.Exact = true
				return w.Fake.ChangeRoles(ctx, login, c)
			}),
		"guards by trying": {breaks: "GuardRemoval only reads", twist: func(w *twisted) {
			w.guard = func(ctx context.Context, login string, c provision.RoleChange) error {
				_, _ = w.Fake.ChangeRoles(ctx, login, c)
				return nil
			}
		}},
	}
	oneRole := change("ChangeRoles refuses what PlanRoles refuses before anything changes",
		func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
			c.Exact = true
			return w.Fake.ChangeRoles(ctx, login, c)
		})
	oneRole.options = provisiontest.FakeOptions{OneRole: true, Swaps: true}
	all["replaces the only role unasked"] = oneRole
	endless := change("ChangeRoles refuses Expires where roles cannot end",
		func(w *twisted, ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
			c.Expires = time.Time{}
			return w.Fake.ChangeRoles(ctx, login, c)
		})
	endless.options.Capabilities = map[provision.CapabilityName]provision.Capability{
		provision.CanExpireRoles: {Level: provision.Unsupported, Note: "roles have no end"},
	}
	all["grants for ever where it cannot end"] = endless
	return all
}

func troubleMutants() map[string]mutant {
	kind := func(err error, from, to provision.Kind) error {
		if errors.Is(err, from) {
			return &provision.Error{Kind: to}
		}
		return err
	}
	var expired bool
	return map[string]mutant{
		"sends a lost create again": {breaks: sentOnce, twist: func(w *twisted) {
			w.create = func(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
				u, err := w.Fake.CreateUser(ctx, spec)
				if errors.Is(err, provision.ErrUncertain) {
					return w.Fake.CreateUser(ctx, spec)
				}
				return u, err
			}
		}},
		"sends a lost delete again": {breaks: sentOnce, twist: func(w *twisted) {
			w.remove = func(ctx context.Context, login string) (provision.Removal, error) {
				gone, err := w.Fake.DeleteUser(ctx, login)
				if errors.Is(err, provision.ErrUncertain) {
					return w.Fake.DeleteUser(ctx, login)
				}
				return gone, err
			}
		}},
		"goes on after a lost step": {breaks: lostSteps, twist: func(w *twisted) {
			w.change = func(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
				result, err := w.Fake.ChangeRoles(ctx, login, c)
				if errors.Is(err, provision.ErrUncertain) {
					return w.Fake.ChangeRoles(ctx, login, c)
				}
				return result, err
			}
		}},
		"takes an error status for a refusal": {breaks: sentOnce, twist: func(w *twisted) {
			w.change = func(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
				result, err := w.Fake.ChangeRoles(ctx, login, c)
				return result, kind(err, provision.ErrUncertain, provision.ErrUnavailable)
			}
		}},
		"calls half a change refused": {breaks: "a refusal of a later step is ErrPartial", twist: func(w *twisted) {
			w.change = func(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
				result, err := w.Fake.ChangeRoles(ctx, login, c)
				return result, kind(err, provision.ErrPartial, provision.ErrForbidden)
			}
		}},
		"calls a lost change done": {breaks: lostSteps, twist: func(w *twisted) {
			w.update = func(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error) {
				u, changed, err := w.Fake.UpdateUser(ctx, login, p)
				if errors.Is(err, provision.ErrUncertain) {
					return u, true, nil
				}
				return u, changed, err
			}
		}},
		"remembers instead of reading": {breaks: "a lost answer is settled by asking again", twist: func(w *twisted) {
			asked := map[string]bool{}
			w.change = func(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
				key := fmt.Sprint(login, c)
				if asked[key] {
					u, err := w.Fake.User(ctx, login)
					return provision.RoleResult{User: u}, err
				}
				asked[key] = true
				return w.Fake.ChangeRoles(ctx, login, c)
			}
		}},
		"calls a stopped change interrupted": {breaks: "a change stopped while its answer is awaited is ErrUncertain", twist: func(w *twisted) {
			w.remove = func(ctx context.Context, login string) (provision.Removal, error) {
				gone, err := w.Fake.DeleteUser(ctx, login)
				if ctx.Err() != nil {
					return gone, &provision.Error{Kind: provision.ErrInterrupted}
				}
				return gone, err
			}
		}},
		"does not listen to the context": {breaks: "a context that has ended sends nothing", twist: func(w *twisted) {
			w.user = func(ctx context.Context, login string) (provision.User, error) {
				return w.Fake.User(context.WithoutCancel(ctx), login)
			}
		}},
		"tries a refused password again": {breaks: "refused credentials are ErrUnauthenticated after one attempt", twist: func(w *twisted) {
			w.check = func(ctx context.Context) (provision.Identity, error) {
				id, err := w.Fake.Check(ctx)
				if errors.Is(err, provision.ErrUnauthenticated) {
					return w.Fake.Check(ctx)
				}
				return id, err
			}
		}},
		"takes a missing permission for a bad value": {breaks: "a missing permission is ErrForbidden and changes nothing", twist: func(w *twisted) {
			w.create = func(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
				u, err := w.Fake.CreateUser(ctx, spec)
				return u, kind(err, provision.ErrForbidden, provision.ErrInvalid)
			}
		}},
		"does not sign in again": {
			breaks: "a session that has ended is renewed",
			tenant: func(x *provisiontest.Tenant) { expired, x.ExpireSessions = false, func() { expired = true } },
			twist: func(w *twisted) {
				w.user = func(ctx context.Context, login string) (provision.User, error) {
					if expired {
						return provision.User{}, &provision.Error{Kind: provision.ErrUnauthenticated}
					}
					return w.Fake.User(ctx, login)
				}
			},
		},
		"does not wait": {
			breaks:    "short throttling is waited for and the change made once",
			configure: func(c *provision.Config) { c.MaxWait = 0 },
		},
		"waits too long": {
			breaks:    "throttling beyond MaxWait is ErrRateLimited at once",
			configure: func(c *provision.Config) { c.MaxWait = time.Hour },
		},
		"writes during a dry run": {
			breaks:    "a read-only adapter sends no change",
			configure: func(c *provision.Config) { c.ReadOnly = false },
		},
		"shows the password of a new user": {breaks: taken, options: passwords(), twist: func(w *twisted) {
			w.create = func(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
				u, err := w.Fake.CreateUser(ctx, spec)
				if err != nil {
					err = &provision.Error{Kind: provision.KindOf(err), Err: fmt.Errorf("sent %s", spec.Password.Reveal())}
				}
				return u, err
			}
		}},
		"shows its own password": {breaks: "refused credentials are ErrUnauthenticated after one attempt", twist: func(w *twisted) {
			w.check = func(ctx context.Context) (provision.Identity, error) {
				id, err := w.Fake.Check(ctx)
				if err != nil {
					err = &provision.Error{Kind: provision.KindOf(err), Message: "not " + provisiontest.FakePassword}
				}
				return id, err
			}
		}},
		"logs its password": {
			breaks: "Check says who we are",
			tenant: func(x *provisiontest.Tenant) {
				x.Output = func() string { return "token=" + provisiontest.FakePassword }
			},
		},
	}
}

func passwords() provisiontest.FakeOptions {
	return provisiontest.FakeOptions{PasswordRule: &provision.PasswordRule{
		Help: "long", Length: 20, Classes: []string{"abcdefghijk", "ABCDEFGHIJK", "23456789", "!?-_"},
	}}
}

func vendorMutants() map[string]mutant {
	level := func(name provision.CapabilityName, c provision.Capability) func(v *provision.Vendor) {
		return func(v *provision.Vendor) { v.Capabilities[name] = c }
	}
	no := provision.Capability{Level: provision.Unsupported, Note: "the vendor cannot"}
	only := func(name provision.CapabilityName) provisiontest.FakeOptions {
		return provisiontest.FakeOptions{Capabilities: map[provision.CapabilityName]provision.Capability{name: no}}
	}
	const refuses = "what is declared unsupported is refused without a request"
	return map[string]mutant{
		"can do more than it declares": {breaks: refuses, declare: level(provision.CanDeleteUser, no)},
		"tries what it cannot do": {breaks: refuses, options: only(provision.CanResetMFA), twist: func(w *twisted) {
			w.reset = func(ctx context.Context, login string, what provision.Credential) error {
				_, _ = w.Fake.User(ctx, login)
				return w.Fake.Reset(ctx, login, what)
			}
		}},
		"can do less than it declares": {
			breaks: "what is declared supported is not refused", options: only(provision.CanResetPassword),
			declare: level(provision.CanResetPassword, provision.Capability{Level: provision.Native}),
		},
		"gives no reason": {
			breaks:  "every capability is declared, with a note unless it is native",
			declare: level(provision.CanDeleteUser, provision.Capability{Level: provision.Emulated}),
		},
		"has no title": {breaks: "the vendor describes itself", declare: func(v *provision.Vendor) { v.Title = "" }},
		"signs in too early": {
			breaks: "New sends nothing",
			twist:  func(w *twisted) { _, _ = w.Fake.Check(context.Background()) },
		},
	}
}
