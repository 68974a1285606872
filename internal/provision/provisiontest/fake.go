package provisiontest

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// Fake is an adapter whose console is in memory. Higher layers are tested with
// it: it keeps all the promises of provision.Provisioner, records what is asked
// of it, and goes wrong when told to.
//
// It waits no real time: where a vendor throttles, only the configured MaxWait
// is compared. Beside Provisioner it implements CreateValidator, Guard,
// RoleLearner and Session.
type Fake struct {
	provision.Base
	console *fakeConsole
	cfg     provision.Config
	session *fakeSession
}

// FakeOptions choose what kind of vendor the fake is. The zero value is one
// that can do everything.
type FakeOptions struct {
	// Name is the vendor's name; "fake" by default.
	Name string
	// Capabilities replace those declared, which are all native.
	Capabilities map[provision.CapabilityName]provision.Capability
	// Options are declared beside the option "badge".
	Options []provision.Option
	// PasswordRule makes new users need a password.
	PasswordRule *provision.PasswordRule
	// OneRole lets a person hold one direct role only.
	OneRole bool
	// Invites keeps a created person out of every list until Activate.
	Invites bool
	// KeepsAccounts makes DeleteUser take roles and leave the account.
	KeepsAccounts bool
	// Swaps grants and revokes in one request.
	Swaps bool
	// Users and Roles replace the default state.
	Users []provision.User
	Roles []provision.Role
	// Now tells the time; time.Now by default.
	Now func() time.Time
}

// NewFake returns a fake with a console of its own.
func NewFake(o FakeOptions) *Fake {
	if o.Name == "" {
		o.Name = "fake"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Users == nil {
		o.Users = fakeUsers(o.OneRole)
	}
	if o.Roles == nil {
		o.Roles = fakeRoles()
	}
	c := &fakeConsole{o: o, pageSize: 100, password: FakePassword}
	c.v = c.vendor()
	for _, u := range o.Users {
		c.add(u)
	}
	return c.connect(provision.Config{
		Tenant:  "fake",
		Secrets: map[string]provision.Secret{"password": provision.NewSecret(FakePassword)},
		MaxWait: 2 * time.Minute,
	})
}

// Vendor describes the fake. Adapters it makes share the fake's console.
func (f *Fake) Vendor() *provision.Vendor { return f.console.v }

// Connect returns another adapter for the same console, whose configuration
// tweak has changed.
func (f *Fake) Connect(tweak func(*provision.Config)) *Fake {
	cfg := f.cfg
	cfg.Secrets = maps.Clone(cfg.Secrets)
	if tweak != nil {
		tweak(&cfg)
	}
	return f.console.connect(cfg)
}

// Check implements provision.Provisioner.
func (f *Fake) Check(ctx context.Context) (provision.Identity, error) {
	var id provision.Identity
	err := f.call(OpCheck, FakeAccount, func() error {
		return f.read(ctx, OpCheck, "GET me", func() error {
			id = provision.Identity{Name: FakeAccount, Account: FakeAccount, MayManage: !f.console.forbidden}
			return nil
		})
	})
	return id, err
}

// Users implements provision.Provisioner.
func (f *Fake) Users(ctx context.Context, filter provision.Filter) iter.Seq2[provision.User, error] {
	return func(yield func(provision.User, error) bool) {
		if !f.Vendor().Can(provision.CanListUsers) {
			f.Base.Users(ctx, filter)(yield)
			return
		}
		if err := f.call(OpList, "", func() error { return nil }); err != nil {
			yield(provision.User{}, err)
			return
		}
		seen := map[string]bool{}
		for offset := 0; ; {
			var page []provision.User
			err := f.read(ctx, OpList, "GET users", func() error {
				page = f.console.page(offset)
				return nil
			})
			if err != nil {
				yield(provision.User{}, err)
				return
			}
			if len(page) == 0 {
				return
			}
			offset += len(page)
			for _, u := range page {
				if seen[u.ID] {
					continue
				}
				seen[u.ID] = true
				if filter.NoRoles {
					u.Roles = nil
				} else if err := f.read(ctx, OpList, "GET users/"+u.ID+"/roles", func() error { return nil }); err != nil {
					yield(provision.User{}, err)
					return
				}
				if !yield(u, nil) {
					return
				}
			}
		}
	}
}

// User implements provision.Provisioner.
func (f *Fake) User(ctx context.Context, login string) (provision.User, error) {
	if !f.Vendor().Can(provision.CanListUsers) {
		return f.Base.User(ctx, login)
	}
	var u provision.User
	err := f.call(OpGet, login, func() (err error) {
		u, err = f.find(ctx, OpGet, login)
		return err
	})
	return u, err
}

// CreateUser implements provision.Provisioner.
func (f *Fake) CreateUser(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
	if !f.Vendor().Can(provision.CanCreateUser) {
		return f.Base.CreateUser(ctx, spec)
	}
	var u provision.User
	err := f.call(OpCreate, spec.Login, func() (err error) {
		u, err = f.create(ctx, spec)
		return err
	})
	return u, err
}

// ValidateCreate implements provision.CreateValidator.
func (f *Fake) ValidateCreate(ctx context.Context, spec provision.UserSpec) error {
	if !f.Vendor().Can(provision.CanDryRunCreate) {
		return f.Vendor().Refuse(provision.CanDryRunCreate, "validate user")
	}
	return f.call(OpValidate, spec.Login, func() error { return f.mayCreate(ctx, OpValidate, spec) })
}

// UpdateUser implements provision.Provisioner.
func (f *Fake) UpdateUser(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error) {
	v := f.Vendor()
	switch {
	case !v.Can(provision.CanUpdateUser):
		return f.Base.UpdateUser(ctx, login, p)
	case (p.FirstName != nil || p.LastName != nil) && !v.Can(provision.CanStoreName):
		return provision.User{}, false, v.Refuse(provision.CanStoreName, OpUpdate)
	case p.Phone != nil && !v.Can(provision.CanStorePhone):
		return provision.User{}, false, v.Refuse(provision.CanStorePhone, OpUpdate)
	}
	var u provision.User
	changed := false
	err := f.call(OpUpdate, login, func() (err error) {
		if u, err = f.find(ctx, OpUpdate, login); err != nil || p.Satisfied(u) {
			return err
		}
		changed = true
		return f.change(ctx, OpUpdate, "PATCH users/"+u.ID, func() error {
			u, err = f.console.patch(u.ID, p)
			return err
		})
	})
	return u, changed && err == nil, err
}

// DeleteUser implements provision.Provisioner.
func (f *Fake) DeleteUser(ctx context.Context, login string) (provision.Removal, error) {
	if !f.Vendor().Can(provision.CanDeleteUser) {
		return f.Base.DeleteUser(ctx, login)
	}
	var gone provision.Removal
	err := f.call(OpDelete, login, func() error {
		u, err := f.find(ctx, OpDelete, login)
		if err != nil {
			return err
		}
		gone = provision.Removal{ID: u.ID, Deleted: !f.console.o.KeepsAccounts, Revoked: u.DirectRoles()}
		if f.console.o.KeepsAccounts {
			for _, r := range u.Roles {
				if !r.Direct {
					gone.Residual = append(gone.Residual, provision.Residual{Kind: "group", Name: r.Via})
				}
			}
			if gone.Unchanged = len(gone.Revoked) == 0; gone.Unchanged {
				return nil
			}
		}
		return f.change(ctx, OpDelete, "DELETE users/"+u.ID, func() error { return f.console.remove(u.ID) })
	})
	return gone, err
}

// Roles implements provision.Provisioner.
func (f *Fake) Roles(ctx context.Context) ([]provision.Role, error) {
	if !f.Vendor().Can(provision.CanListRoles) {
		return f.Base.Roles(ctx)
	}
	var roles []provision.Role
	err := f.call(OpListRoles, "", func() (err error) {
		roles, err = f.roles(ctx, OpListRoles)
		return err
	})
	return roles, err
}

// ChangeRoles implements provision.Provisioner.
func (f *Fake) ChangeRoles(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
	v := f.Vendor()
	switch {
	case !v.Can(provision.CanChangeRoles):
		return f.Base.ChangeRoles(ctx, login, c)
	case !c.Expires.IsZero() && !v.Can(provision.CanExpireRoles):
		return provision.RoleResult{}, v.Refuse(provision.CanExpireRoles, OpChangeRoles)
	}
	var result provision.RoleResult
	err := f.call(OpChangeRoles, login, func() (err error) {
		result, err = f.changeRoles(ctx, login, c)
		return err
	})
	return result, err
}

// Reset implements provision.Provisioner.
func (f *Fake) Reset(ctx context.Context, login string, what provision.Credential) error {
	need := provision.CanResetMFA
	if what == provision.CredentialPassword {
		need = provision.CanResetPassword
	}
	if !f.Vendor().Can(need) {
		return f.Base.Reset(ctx, login, what)
	}
	return f.call(OpReset, login, func() error {
		u, err := f.find(ctx, OpReset, login)
		if err != nil {
			return err
		}
		return f.change(ctx, OpReset, "POST users/"+u.ID+"/reset "+string(what), func() error { return nil })
	})
}

// GuardRemoval implements provision.Guard: nobody takes FakeAdminRole from its
// last holder, or from the account in use.
func (f *Fake) GuardRemoval(ctx context.Context, login string, c provision.RoleChange) error {
	return f.call(OpGuard, login, func() error {
		var found []provision.User
		var holders []string
		err := f.read(ctx, OpGuard, "GET users", func() error {
			found, holders = f.console.find(login), f.console.holders(FakeAdminRole)
			return nil
		})
		if err != nil || len(found) != 1 {
			return err
		}
		diff, err := f.Vendor().Plan(found[0], c)
		if err != nil || !slices.Contains(diff.Revoke, FakeAdminRole) {
			return nil //nolint:nilerr // what cannot be judged is not refused
		}
		if provision.SameLogin(login, FakeAccount) || len(holders) == 1 {
			return f.fail(OpGuard, provision.ErrRefused, "it would lock the administrators out")
		}
		return nil
	})
}

// LearnRoles implements provision.RoleLearner. Learned returns what was told; the
// fake makes no other use of it.
func (f *Fake) LearnRoles(roles []provision.Role) bool {
	f.console.mu.Lock()
	defer f.console.mu.Unlock()
	f.console.learned = slices.Clone(roles)
	return true
}

// SignOut implements provision.Session.
func (f *Fake) SignOut(context.Context) error {
	return f.call(OpSignOut, FakeAccount, func() error {
		f.session.mu.Lock()
		defer f.session.mu.Unlock()
		f.session.generation = 0
		return nil
	})
}

func (f *Fake) create(ctx context.Context, spec provision.UserSpec) (provision.User, error) {
	if err := f.mayCreate(ctx, OpCreate, spec); err != nil {
		return provision.User{}, err
	}
	u := provision.User{
		Login: spec.Login, FirstName: spec.FirstName, LastName: spec.LastName, Phone: spec.Phone,
		Status: provision.StatusActive, Roles: []provision.HeldRole{}, Extra: map[string]any{"badge": spec.Options["badge"]},
	}
	var stored provision.User
	err := f.change(ctx, OpCreate, "POST users "+provision.FoldLogin(spec.Login), func() (err error) {
		if f.console.o.Invites {
			u.Status = provision.StatusInvited
			u.Roles = f.console.held(spec.Roles, spec.Expires)
		}
		stored, err = f.console.insert(u)
		return err
	})
	if err != nil || f.console.o.Invites || len(spec.Roles) == 0 {
		return stored, err
	}
	err = f.change(ctx, OpCreate, grantRequest(stored.ID, spec.Roles), func() error {
		stored = f.console.setRoles(stored.ID, provision.RoleDiff{Grant: spec.Roles}, spec.Expires)
		return nil
	})
	if err != nil {
		return stored, &provision.Error{
			Vendor: f.V.Name, Op: OpCreate, Kind: provision.ErrPartial,
			Message: "the account was made without its roles", Err: err,
		}
	}
	return stored, nil
}

// mayCreate reads whatever could stand against a create.
func (f *Fake) mayCreate(ctx context.Context, op string, spec provision.UserSpec) error {
	if f.console.o.PasswordRule != nil && spec.Password.Empty() {
		return f.fail(op, provision.ErrInvalid, "a first password is needed")
	}
	if err := f.knownRoles(ctx, op, spec.Roles); err != nil {
		return err
	}
	return f.read(ctx, op, "GET users", func() error {
		if f.console.taken(spec.Login) {
			return f.fail(op, provision.ErrExists, "the login is taken")
		}
		return nil
	})
}

func (f *Fake) changeRoles(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
	u, err := f.find(ctx, OpChangeRoles, login)
	if err != nil {
		return provision.RoleResult{}, err
	}
	result := provision.RoleResult{User: u}
	diff, err := f.Vendor().Plan(u, c)
	if err != nil {
		return result, err
	}
	if err := f.knownRoles(ctx, OpChangeRoles, c.Grant); err != nil {
		return result, err
	}
	type step struct {
		request  string
		diff     provision.RoleDiff
		activate bool
	}
	var steps []step
	switch {
	case f.console.o.Swaps && !diff.Empty():
		steps = append(steps, step{request: "PUT users/" + u.ID + "/roles", diff: diff})
	default:
		if len(diff.Grant) > 0 {
			steps = append(steps, step{request: grantRequest(u.ID, diff.Grant), diff: provision.RoleDiff{Grant: diff.Grant}})
		}
		if len(diff.Revoke) > 0 {
			steps = append(steps, step{
				request: "DELETE users/" + u.ID + "/roles " + strings.Join(diff.Revoke, ","),
				diff:    provision.RoleDiff{Revoke: diff.Revoke},
			})
		}
	}
	if c.Activate && u.Status == provision.StatusDisabled {
		steps = append(steps, step{request: "POST users/" + u.ID + "/activate", activate: true})
	}
	for i, s := range steps {
		err := f.change(ctx, OpChangeRoles, s.request, func() error {
			result.User = f.console.setRoles(u.ID, s.diff, c.Expires)
			if s.activate {
				result.User = f.console.activate(u.ID)
			}
			return nil
		})
		if err == nil || errors.Is(err, provision.ErrUncertain) {
			result.Granted = append(result.Granted, s.diff.Grant...)
			result.Revoked = append(result.Revoked, s.diff.Revoke...)
			result.Activated = result.Activated || s.activate
		}
		switch {
		case err == nil:
		case errors.Is(err, provision.ErrUncertain), i == 0:
			return result, err
		default:
			return result, &provision.Error{
				Vendor: f.Vendor().Name, Op: OpChangeRoles, Kind: provision.ErrPartial, Message: "a step was not done", Err: err,
			}
		}
	}
	return result, nil
}

func grantRequest(id string, roles []string) string {
	return "POST users/" + id + "/roles " + strings.Join(roles, ",")
}

// find is the user of a login, ErrNotFound or ErrConflict.
func (f *Fake) find(ctx context.Context, op, login string) (provision.User, error) {
	var u provision.User
	err := f.read(ctx, op, "GET users "+provision.FoldLogin(login), func() error {
		found := f.console.find(login)
		switch len(found) {
		case 0:
			return f.fail(op, provision.ErrNotFound, "there is no user "+login)
		case 1:
			u = found[0]
			return nil
		}
		return f.fail(op, provision.ErrConflict, "several users have the login "+login)
	})
	return u, err
}

func (f *Fake) roles(ctx context.Context, op string) ([]provision.Role, error) {
	var roles []provision.Role
	err := f.read(ctx, op, "GET roles", func() error {
		roles = slices.Clone(f.console.o.Roles)
		return nil
	})
	slices.SortFunc(roles, func(a, b provision.Role) int { return strings.Compare(a.ID, b.ID) })
	return roles, err
}

// knownRoles is an error if one of the ids is no role's.
func (f *Fake) knownRoles(ctx context.Context, op string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	roles, err := f.roles(ctx, op)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(roles, func(r provision.Role) bool { return r.ID == id }) {
			return f.fail(op, provision.ErrNotFound, "there is no role "+id)
		}
	}
	return nil
}

func (f *Fake) fail(op string, kind provision.Kind, message string) *provision.Error {
	return &provision.Error{Vendor: f.V.Name, Op: op, Kind: kind, Message: message}
}
