package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

// check refuses what can be refused without a request, and sorts the changes
// by tenant.
func (r *run) check(changes []Change) error {
	seen := map[string]bool{}
	for i, c := range changes {
		t, ok := r.tenants[c.Tenant]
		if !ok {
			return &provision.Error{Kind: provision.ErrInternal, Message: fmt.Sprintf("no target for tenant %q", c.Tenant)}
		}
		if err := provision.CheckLogin(c.Login); err != nil {
			return err
		}
		key := c.Tenant + "\x00" + provision.FoldLogin(c.Login)
		if seen[key] {
			return provision.Usagef("%s is named twice", c.Login)
		}
		seen[key] = true
		if r.protected(c.Login) {
			return &provision.Error{
				Kind: provision.ErrRefused, Message: fmt.Sprintf("%s is protected", c.Login),
				Hint: "guards.protected of the configuration lists logins that no command changes",
			}
		}
		if err := t.Vendor.CheckOptions(c.options()); err != nil {
			return err
		}
		t.jobs = append(t.jobs, &job{Change: c, index: i, t: t})
	}
	if n := countRemovals(changes); r.o.Guards.MaxDeletes >= 0 && n > r.o.Guards.MaxDeletes {
		return &provision.Error{
			Kind:    provision.ErrRefused,
			Message: fmt.Sprintf("this would take all access from %d accounts; max-deletes is %d", n, r.o.Guards.MaxDeletes),
			Hint:    "split the command, or raise guards.max-deletes",
		}
	}
	return nil
}

func (c Change) options() (provision.Options, string) {
	switch c.Action {
	case CreateUser:
		return c.Spec.Options, "create"
	case UpdateUser:
		return c.Patch.Options, "update"
	default:
		return c.Roles.Options, "roles"
	}
}

// removesAll reports a change that takes everything from somebody.
func (c Change) removesAll() bool { return c.Action == DeleteUser || c.Roles.All || c.TakesAll }

func countRemovals(changes []Change) int {
	n := 0
	for _, c := range changes {
		if c.removesAll() {
			n++
		}
	}
	return n
}

func (r *run) protected(login string) bool {
	return slices.ContainsFunc(r.o.Guards.Protected, func(p string) bool { return provision.SameLogin(p, login) })
}

func (r *run) question() Question {
	var q Question
	for _, t := range r.tenants {
		for _, j := range t.jobs {
			switch {
			case j.settled:
			case j.Action == DeleteUser:
				q.Deletes = append(q.Deletes, j.Change)
			case j.removesAll():
				q.Revokes = append(q.Revokes, j.Change)
			}
		}
	}
	return q
}

// prepare settles what a vendor cannot do, turns role names into ids and asks
// the guards that need reading, for all tenants at once. Its error is a
// guard's.
func (r *run) prepare(ctx context.Context) error {
	refusals := make(chan error, len(r.results))
	tenants := slices.Collect(maps.Values(r.tenants))
	SideBySide(len(tenants), func(i int) {
		r.refuseUnsupported(tenants[i])
		r.resolveRoles(ctx, tenants[i])
		r.guard(ctx, tenants[i], refusals)
	})
	select {
	case err := <-refusals:
		return err
	default:
		return nil
	}
}

// refuseUnsupported settles changes that the vendor declares it cannot make.
func (r *run) refuseUnsupported(t *tenant) {
	for _, j := range t.jobs {
		if err := j.unsupported(); err != nil {
			r.finish(j, failed(err))
		}
	}
}

func (j *job) unsupported() error {
	v := j.t.Vendor
	need := func(name provision.CapabilityName, op string) error {
		if v.Can(name) {
			return nil
		}
		return v.Refuse(name, op)
	}
	expires := j.Roles.Expires
	switch j.Action {
	case CreateUser:
		// A vendor without accounts to create gives roles to listed ones.
		expires = j.Spec.Expires
		if !v.Can(provision.CanCreateUser) && len(j.Spec.Roles) == 0 {
			return v.Refuse(provision.CanCreateUser, "create user")
		}
	case UpdateUser:
		if err := need(provision.CanUpdateUser, "update user"); err != nil {
			return err
		}
		if j.Patch.FirstName != nil || j.Patch.LastName != nil {
			if err := need(provision.CanStoreName, "change name"); err != nil {
				return err
			}
		}
		if j.Patch.Phone != nil {
			return need(provision.CanStorePhone, "change phone")
		}
	case DeleteUser:
		return need(provision.CanDeleteUser, "delete user")
	case ResetMFA:
		return need(provision.CanResetMFA, "reset second factor")
	case ResetPassword:
		return need(provision.CanResetPassword, "reset password")
	default:
		if err := need(provision.CanChangeRoles, "change roles"); err != nil {
			return err
		}
	}
	if !expires.IsZero() {
		return need(provision.CanExpireRoles, "give a role for a limited time")
	}
	return nil
}

// resolveRoles turns the role names of a tenant's changes into ids. A change
// that names an unknown role fails, and nothing of it is sent.
func (r *run) resolveRoles(ctx context.Context, t *tenant) {
	names := map[string]bool{}
	for _, j := range t.jobs {
		for _, n := range j.roleNames() {
			if !j.settled && !strings.HasPrefix(n, provision.RawRolePrefix) {
				names[n] = true
			}
		}
	}
	ids, err := t.lookUp(ctx, names)
	for _, j := range t.jobs {
		if j.settled {
			continue
		}
		if err != nil && len(j.roleNames()) > 0 {
			r.finish(j, failed(err))
			continue
		}
		if err := j.resolve(ids); err != nil {
			r.finish(j, failed(err))
		}
	}
}

func (j *job) roleNames() []string {
	return slices.Concat(j.Spec.Roles, j.Roles.Grant, j.Roles.Revoke)
}

// roleChange is the change of roles with ids for names.
func (j *job) roleChange() provision.RoleChange {
	c := j.Roles
	c.Grant, c.Revoke = j.grant, j.revoke
	return c
}

// resolution is a role id, or why a name has none.
type resolution struct {
	id  string
	err error
}

func (j *job) resolve(ids map[string]resolution) error {
	var err error
	all := func(names []string) []string {
		var out []string
		for _, n := range names {
			if raw, ok := strings.CutPrefix(n, provision.RawRolePrefix); ok {
				out = append(out, raw)
				continue
			}
			if ids[n].err != nil && err == nil {
				err = ids[n].err
			}
			out = append(out, ids[n].id)
		}
		return out
	}
	j.grant = all(slices.Concat(j.Spec.Roles, j.Roles.Grant))
	j.revoke = all(j.Roles.Revoke)
	return err
}

// lookUp finds the ids of role names: in the kept list, through the adapter's
// own cheap look-up, or in the whole list. Its error is that of reading.
func (t *tenant) lookUp(ctx context.Context, names map[string]bool) (map[string]resolution, error) {
	kept, ok := t.keptRoles()
	if len(names) == 0 {
		return nil, nil
	}
	if ok {
		if found, complete := findAll(kept, names); complete {
			return found, nil
		}
	}
	roles, whole, err := t.readRoles(ctx, names)
	if err != nil {
		return nil, err
	}
	if t.Roles != nil && whole {
		t.Roles.Save(roles)
	}
	found, _ := findAll(roles, names)
	return found, nil
}

// keptRoles is the list of an earlier run, if there is one. The adapter is told
// of it too, and may turn it down.
func (t *tenant) keptRoles() ([]provision.Role, bool) {
	if t.Roles == nil {
		return nil, false
	}
	roles, ok := t.Roles.Load()
	if learner, can := t.Provisioner.(provision.RoleLearner); ok && can {
		ok = learner.LearnRoles(roles)
	}
	return roles, ok
}

func (t *tenant) readRoles(ctx context.Context, names map[string]bool) (roles []provision.Role, whole bool, err error) {
	if resolver, ok := t.Provisioner.(provision.RoleResolver); ok {
		return resolver.ResolveRoles(ctx, slices.Sorted(maps.Keys(names)))
	}
	roles, err = t.Provisioner.Roles(ctx)
	return roles, true, err
}

// ResolveRoles turns role names into ids, as for a change: in the kept list, or
// by asking the vendor. id:VALUE is taken as written. An unknown name is
// ErrNotFound.
func ResolveRoles(ctx context.Context, target Target, names []string) ([]string, error) {
	set := map[string]bool{}
	for _, n := range names {
		if !strings.HasPrefix(n, provision.RawRolePrefix) {
			set[n] = true
		}
	}
	found, err := (&tenant{Target: target}).lookUp(ctx, set)
	if err != nil {
		return nil, err
	}
	j := &job{Change: Change{Roles: provision.RoleChange{Grant: names}}}
	err = j.resolve(found)
	return j.grant, err
}

func findAll(roles []provision.Role, names map[string]bool) (found map[string]resolution, complete bool) {
	found, complete = map[string]resolution{}, true
	for name := range names {
		role, err := provision.FindRole(roles, name)
		found[name] = resolution{id: role.ID, err: err}
		complete = complete && err == nil
	}
	return found, complete
}

// guard asks the adapter about changes that may lock somebody out.
func (r *run) guard(ctx context.Context, t *tenant, refusals chan<- error) {
	g, ok := t.Provisioner.(provision.Guard)
	if !ok || r.o.Guards.AllowLockout {
		return
	}
	for _, j := range t.jobs {
		takes := j.removesAll() || j.Roles.Exact || len(j.revoke) > 0
		if j.settled || !takes {
			continue
		}
		change := j.roleChange()
		change.All = change.All || j.Action == DeleteUser
		err := g.GuardRemoval(ctx, j.Login, change)
		switch {
		case err == nil:
		case provision.KindOf(err) == provision.ErrRefused:
			refusals <- err
		default:
			r.finish(j, failed(err))
		}
	}
}
