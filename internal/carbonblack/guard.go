package carbonblack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

// GuardRemoval implements provision.Guard. It keeps the last Super Admin, and
// the last holder of any built-in role that manages users. What it reads serves
// the change that follows.
func (a *adapter) GuardRemoval(ctx context.Context, login string, c provision.RoleChange) error {
	const op = "guard"
	rows, _, err := a.recentRows(ctx, op)
	if err != nil {
		return err
	}
	r, err := find(rows, op, login)
	if err != nil {
		return nil //nolint:nilerr // the change itself will say so
	}
	grants, err := a.recentGrants(ctx, op, rows)
	if err != nil {
		return err
	}
	u := a.user(r, grants[r.id()])
	d, err := planRoles(u, c)
	if err != nil {
		return nil //nolint:nilerr // nothing will be taken
	}
	left := append(without(u.DirectRoles(), d.Revoke), d.Grant...)
	for _, circle := range []struct {
		name string
		in   func(role string) bool
	}{{"Super Admin", superAdmin}, {"user with a built-in role that manages users", userAdmin}} {
		if !slices.ContainsFunc(u.DirectRoles(), circle.in) || slices.ContainsFunc(left, circle.in) {
			continue
		}
		if !a.another(rows, grants, r, circle.in) {
			return &provision.Error{
				Vendor: name, Op: op, Kind: provision.ErrRefused,
				Message: fmt.Sprintf("%s is the last %s in the list", u.Login, circle.name),
				Hint:    "give the role to somebody else first, or use --allow-lockout",
			}
		}
		a.leaving.Store(r.id(), true)
	}
	return nil
}

// another reports whether anybody else, who is not leaving too, holds such a
// role without end.
func (a *adapter) another(rows []row, grants map[string]*grant, but row, in func(role string) bool) bool {
	for _, r := range rows {
		if _, leaves := a.leaving.Load(r.id()); leaves || r.id() == but.id() {
			continue
		}
		if slices.ContainsFunc(a.held(grants[r.id()]), func(h provision.HeldRole) bool { return in(h.ID) && !h.Temporary() }) {
			return true
		}
	}
	return false
}

// superAdmin reports a form of the built-in role that can do everything; which
// of them a tenant has depends on its age.
func superAdmin(role string) bool { return builtInOf(role, "SUPER_ADMIN") }

// userAdmin reports a built-in role that manages users: those of the console,
// and the administrators of before, with live response and without. Custom
// roles may do so too, but nothing tells which.
func userAdmin(role string) bool {
	return superAdmin(role) || builtInOf(role, "SYSTEM_ADMIN") || builtInOf(role, "ALL_AND_LR") || builtInOf(role, "ALL")
}

func builtInOf(role, last string) bool {
	return builtIn(role) && strings.TrimPrefix(lastPart(role), "BETA_") == last
}

// recentGrants are the grants of all users as they were a moment ago, else as
// they are now.
func (a *adapter) recentGrants(ctx context.Context, op string, rows []row) (map[string]*grant, error) {
	if grants, ok := a.seen.grants.get(); ok && !slices.ContainsFunc(rows, func(r row) bool { _, ok := grants[r.id()]; return !ok }) {
		return grants, nil
	}
	return a.seen.grants.fill(func() (map[string]*grant, error) {
		all := map[string]*grant{}
		for batch := range slices.Chunk(rows, perFetch) {
			found, err := a.api.grants(ctx, op, ids(batch))
			if err != nil {
				return nil, err
			}
			for _, r := range batch {
				all[r.id()] = found[r.id()] // nil is worth knowing too
			}
		}
		return all, nil
	})
}
