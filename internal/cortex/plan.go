package cortex

import (
	"fmt"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

// checkChange refuses what no user can be given.
func checkChange(c provision.RoleChange) error {
	grant := slices.Compact(slices.Sorted(slices.Values(c.Grant)))
	switch {
	case !c.Expires.IsZero() && len(grant) > 0:
		v := Vendor()
		return v.Refuse(provision.CanExpireRoles, "grant role")
	case slices.ContainsFunc(grant, isAccountAdmin):
		return notGivable()
	case len(grant) > 1:
		return &provision.Error{
			Vendor: name, Op: "grant role", Kind: provision.ErrUnsupported,
			Message: fmt.Sprintf("a user has one direct role; %s are %d", strings.Join(grant, ", "), len(grant)),
			Hint:    "further roles come through user groups",
		}
	}
	return nil
}

// planRoles is the vendor's PlanRoles: one direct role per user, and Account
// Admin is out of reach.
func planRoles(u provision.User, c provision.RoleChange) (provision.RoleDiff, error) {
	if err := checkChange(beyond(u, c)); err != nil {
		return provision.RoleDiff{}, err
	}
	d, err := provision.PlanRoles(u, c)
	if err != nil || d.Empty() {
		return d, err
	}
	for _, r := range u.Roles {
		switch {
		case !r.Direct:
		case isAccountAdmin(r.ID), isAccountAdmin(r.Name):
			return provision.RoleDiff{}, notTakable(u.Login)
		case len(d.Grant) > 0 && !slices.Contains(d.Revoke, r.ID):
			return provision.RoleDiff{}, &provision.Error{
				Vendor: name, Op: "grant role", Kind: provision.ErrConflict,
				Message: fmt.Sprintf("%s has the role %q, and a user has one direct role", u.Login, r.Name),
				Hint:    fmt.Sprintf("to replace it: edrctl role set %s %q", u.Login, d.Grant[0]),
			}
		}
	}
	return d, nil
}

// beyond is the change without an Account Admin role that is held already: to
// keep it asks nothing of the API.
func beyond(u provision.User, c provision.RoleChange) provision.RoleChange {
	held := u.DirectRoles()
	c.Grant = slices.DeleteFunc(slices.Clone(c.Grant), func(id string) bool {
		return isAccountAdmin(id) && slices.Contains(held, id)
	})
	return c
}

// unambiguous refuses a change that names a role which may or may not be the
// one held, since two roles have the name that the vendor tells. Setting the
// role, or taking whatever it is, needs no answer to that.
func (s step) unambiguous(c provision.RoleChange) error {
	ids := s.naming.ids(s.before.role)
	if s.before.role == "" || len(ids) < 2 || c.Exact || c.All || slices.Contains(c.Revoke, s.before.role) {
		return nil
	}
	if !slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(c.Grant, id) || slices.Contains(c.Revoke, id) }) {
		return nil
	}
	return &provision.Error{
		Vendor: name, Op: "change roles", Kind: provision.ErrConflict,
		Message: fmt.Sprintf("%s has the role %q, and %d roles have that name: %s", s.before.email, s.before.role, len(ids), strings.Join(ids, ", ")),
		Hint:    "`edrctl role set` makes it the one you name, `edrctl role revoke --all` takes it whichever it is",
	}
}

func notGivable() error {
	return &provision.Error{
		Vendor: name, Op: "grant role", Kind: provision.ErrUnsupported,
		Message: accountAdmin + " cannot be given through the API", Hint: "it is given in the Cortex Gateway",
	}
}

func notTakable(login string) error {
	return &provision.Error{
		Vendor: name, Op: "change roles", Kind: provision.ErrUnsupported,
		Message: fmt.Sprintf("%s has the role %s, which cannot be changed through the API", login, accountAdmin),
		Hint:    "it is changed in the Cortex Gateway",
	}
}
