package provision

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Role is a role that can be given.
type Role struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Custom      bool   `json:"custom"`
	// Aliases are further names that FindRole takes for it. They are never
	// shown or sent.
	Aliases []string `json:"-"`
}

// RoleChange says how the direct roles of one user shall change. Ids are as the
// vendor spells them. The zero value changes nothing.
type RoleChange struct {
	Grant  []string
	Revoke []string
	// Exact revokes every direct role that is not in Grant, temporary roles
	// excepted.
	Exact bool
	// All revokes every direct role, temporary roles included.
	All bool
	// Expires ends what is granted; zero for never.
	Expires time.Time
	// Activate makes a disabled account active, where the vendor can.
	Activate bool
	// Options are vendor options by name, such as "cid".
	Options Options
}

// RoleResult is what ChangeRoles did.
type RoleResult struct {
	// User is the user after the change. Its roles are what the vendor
	// accepted, which may be visible at the vendor only later.
	User User
	// Granted and Revoked are the ids that changed, sorted.
	Granted, Revoked []string
	// Activated is true when a disabled account was made active.
	Activated bool
}

// Changed reports whether anything was changed.
func (r RoleResult) Changed() bool {
	return len(r.Granted) > 0 || len(r.Revoked) > 0 || r.Activated
}

// RoleDiff is what a RoleChange amounts to for one user.
type RoleDiff struct {
	Grant, Revoke []string
}

// Empty reports whether there is nothing to do.
func (d RoleDiff) Empty() bool { return len(d.Grant) == 0 && len(d.Revoke) == 0 }

// PlanRoles reports what a change amounts to for a user who holds these roles.
// It is the rule all vendors share; Vendor.PlanRoles adds a vendor's own.
//
// A role held directly is not granted again, unless the change gives it another
// end. Revoking a role that is held only through a group is ErrUnsupported and
// says where it comes from; revoking one that is not held is nothing to do. A
// role that is to be granted and revoked at once is ErrUsage.
func PlanRoles(u User, c RoleChange) (RoleDiff, error) {
	var d RoleDiff
	direct := map[string][]HeldRole{} // the same role may be held in several scopes
	inherited := map[string]HeldRole{}
	for _, r := range u.Roles {
		if r.Direct {
			direct[r.ID] = append(direct[r.ID], r)
		} else {
			inherited[r.ID] = r
		}
	}
	for _, id := range c.Grant {
		if !slices.ContainsFunc(direct[id], func(r HeldRole) bool { return sameEnd(r, c.Expires) }) {
			d.Grant = append(d.Grant, id)
		}
	}
	for _, id := range c.Revoke {
		if slices.Contains(c.Grant, id) {
			return RoleDiff{}, Usagef("role %q is to be granted and revoked at once", id)
		}
		if len(direct[id]) > 0 {
			d.Revoke = append(d.Revoke, id)
			continue
		}
		if r, ok := inherited[id]; ok {
			return RoleDiff{}, &Error{
				Op: "revoke role", Kind: ErrUnsupported,
				Message: fmt.Sprintf("role %q is inherited%s and cannot be revoked from the user", id, viaText(r.Via)),
				Hint:    "take the person out of the group in the console",
			}
		}
	}
	if c.Exact || c.All {
		for id, held := range direct {
			lasting := slices.ContainsFunc(held, func(r HeldRole) bool { return !r.Temporary() })
			if !slices.Contains(c.Grant, id) && (lasting || c.All) {
				d.Revoke = append(d.Revoke, id)
			}
		}
	}
	d.Grant, d.Revoke = sortedSet(d.Grant), sortedSet(d.Revoke)
	return d, nil
}

// sameEnd reports whether a held role satisfies a grant that ends at the given
// time. A temporary role counts as held for a grant without end.
func sameEnd(r HeldRole, end time.Time) bool {
	if end.IsZero() {
		return true
	}
	return r.ExpiresAt != nil && r.ExpiresAt.Equal(end)
}

func viaText(via string) string {
	if via == "" {
		return ""
	}
	return " through " + via
}

func sortedSet(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return slices.Compact(s)
}

// SortRoles orders held roles by id, then scope.
func SortRoles(roles []HeldRole) {
	slices.SortFunc(roles, func(a, b HeldRole) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Scope, b.Scope))
	})
}

// DirectRoles are the ids of the direct roles of a user, sorted.
func (u User) DirectRoles() []string {
	var ids []string
	for _, r := range u.Roles {
		if r.Direct {
			ids = append(ids, r.ID)
		}
	}
	return sortedSet(ids)
}

// RawRolePrefix marks a role that is sent as written, without being looked up.
const RawRolePrefix = "id:"

// FindRole finds the role a person means by a name: by exact id, exact display
// name, either without regard to case, then a role's aliases. Two that fit are
// ErrUsage with both named, none is ErrNotFound with the closest named.
func FindRole(roles []Role, name string) (Role, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return Role{}, &Error{Op: "find role", Kind: ErrUsage, Message: "the name of a role is empty"}
	}
	steps := []func(Role) bool{
		func(r Role) bool { return r.ID == name },
		func(r Role) bool { return r.Name == name },
		func(r Role) bool { return strings.EqualFold(r.ID, name) || strings.EqualFold(r.Name, name) },
		func(r Role) bool {
			return slices.ContainsFunc(r.Aliases, func(a string) bool { return strings.EqualFold(a, name) })
		},
	}
	for _, fits := range steps {
		var found []Role
		for _, r := range roles {
			if fits(r) && !slices.ContainsFunc(found, func(f Role) bool { return f.ID == r.ID }) {
				found = append(found, r)
			}
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0], nil
		}
		var ids []string
		for _, r := range found {
			ids = append(ids, fmt.Sprintf("%s (%s)", r.ID, r.Name))
		}
		return Role{}, &Error{
			Op: "find role", Kind: ErrUsage,
			Message: fmt.Sprintf("%d roles are called %q: %s", len(found), name, strings.Join(ids, ", ")),
			Hint:    "name the one you mean by its id",
		}
	}
	err := &Error{Op: "find role", Kind: ErrNotFound, Message: fmt.Sprintf("there is no role %q", name)}
	var known []string
	for _, r := range roles {
		known = append(known, r.ID, r.Name)
	}
	if near := Nearest(known, name); near != "" {
		err.Hint = fmt.Sprintf("did you mean %q? `edrctl role list` shows all", near)
	} else {
		err.Hint = "`edrctl role list` shows the roles that can be given; id:VALUE sends a role as written"
	}
	return Role{}, err
}
