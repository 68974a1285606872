package cortex

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// The calls of the platform. (Cortex XSIAM Platform APIs.)
const (
	iamUser  = platformPath + "iam/v1/user"
	iamRole  = platformPath + "iam/v1/role"
	iamGroup = platformPath + "iam/v1/user-group"
)

// iam is the platform: Cortex XDR 5.x, XSIAM and Cortex Cloud.
type iam struct {
	*adapter
	op string
}

// people implements generation. (List all users.)
func (g iam) people(ctx context.Context) ([]person, error) {
	return listPeople(ctx, g.api, call{op: g.op, method: http.MethodGet, path: iamUser})
}

// readRoles reads all roles, those that cannot be given included. (List all
// roles.)
func (g iam) readRoles(ctx context.Context) ([]provision.Role, error) {
	found, err := list[wireRole](ctx, g.api, call{op: g.op, method: http.MethodGet, path: iamRole})
	if err != nil {
		return nil, err
	}
	var roles []provision.Role
	for _, w := range found {
		if w.ID == "" {
			continue
		}
		roles = append(roles, provision.Role{
			ID: string(w.ID), Name: cmp.Or(string(w.Name), string(w.ID)), Description: string(w.Description),
			Custom: w.IsCustom != nil && *w.IsCustom,
		})
	}
	roles = sortedRoles(roles)
	g.known.set(roles)
	return roles, nil
}

// roles implements generation.
func (g iam) roles(ctx context.Context) ([]provision.Role, error) {
	roles, err := g.readRoles(ctx)
	return givable(roles), err
}

// resolve implements generation.
func (g iam) resolve(ctx context.Context, _ []string) ([]provision.Role, bool, error) {
	roles, err := g.roles(ctx)
	return roles, err == nil, err
}

// naming implements generation. It reads the list of roles unless one that has
// all the names is at hand.
func (g iam) naming(ctx context.Context, people []person) (naming, error) {
	n := naming{roles: g.known.get()}
	if !slices.ContainsFunc(people, func(p person) bool { return p.role != "" && len(n.ids(p.role)) == 0 }) {
		return n, nil
	}
	roles, err := g.readRoles(ctx)
	return naming{roles: roles}, err
}

// groups reads all user groups. (List all user groups.)
func (g iam) groups(ctx context.Context) ([]wireGroup, error) {
	return list[wireGroup](ctx, g.api, call{op: g.op, method: http.MethodGet, path: iamGroup})
}

// inherited implements generation. A key that may not see groups still sees
// people: what they inherit is left out then.
func (g iam) inherited(ctx context.Context, people []person) (func(person) []provision.HeldRole, error) {
	if !slices.ContainsFunc(people, func(p person) bool { return len(p.groups) > 0 }) {
		return noRoles, nil
	}
	groups, err := g.groups(ctx)
	if errors.Is(err, provision.ErrForbidden) {
		g.unseen(ctx, err)
		return noRoles, nil
	}
	return func(p person) []provision.HeldRole { return rolesOf(p, groups) }, err
}

// rolesOf are the roles somebody has through groups: those somebody is in, and
// those these are nested in.
func rolesOf(p person, groups []wireGroup) []provision.HeldRole {
	var held []provision.HeldRole
	seen := map[text]bool{}
	for inside := slices.Clone(p.groups); len(inside) > 0; inside = inside[1:] {
		for _, w := range groups {
			if !w.is(inside[0]) && !slices.ContainsFunc(w.NestedGroups, inside[0].same) || seen[w.ID] {
				continue
			}
			seen[w.ID] = true
			inside = append(inside, groupRef{ID: w.ID, Name: w.Name})
			if id := w.role(); id != "" {
				held = append(held, provision.HeldRole{ID: id, Name: cmp.Or(string(w.RoleName), id), Via: string(w.Name)})
			}
		}
	}
	return held
}

// role is the id of the role a group gives.
func (w wireGroup) role() string { return string(cmp.Or(w.RoleID, w.OtherRoleID)) }

func (w wireGroup) is(ref groupRef) bool { return ref.same(groupRef{ID: w.ID, Name: w.Name}) }

// same compares by id where both have one.
func (r groupRef) same(other groupRef) bool {
	if r.ID != "" && other.ID != "" {
		return r.ID == other.ID
	}
	return r.Name == other.Name
}

// canEdit implements generation.
func (iam) canEdit() error { return nil }

// join implements generation. What is sent replaces all memberships, so that
// the old ones have to be sent again; if the id of one is not to be found, it
// stops.
func (g iam) join(ctx context.Context, p person, option string) (ids, brought []string, err error) {
	groups, err := g.groups(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, ref := range p.groups {
		i := slices.IndexFunc(groups, func(w wireGroup) bool { return w.is(ref) })
		if id := ref.ID; id != "" {
			ids = append(ids, string(id))
		} else if i >= 0 {
			ids = append(ids, string(groups[i].ID))
		} else {
			return nil, nil, &provision.Error{
				Vendor: name, Op: g.op, Kind: provision.ErrInternal,
				Message: fmt.Sprintf("%s is in the group %q, whose id the vendor does not tell; joining another would end that", p.email, ref.Name),
			}
		}
	}
	before := len(ids)
	for _, one := range provision.SplitList(option) {
		w, err := findGroup(groups, one)
		if err != nil {
			return nil, nil, err
		}
		if slices.Contains(ids, string(w.ID)) {
			continue
		}
		ids = append(ids, string(w.ID))
		brought = append(brought, cmp.Or(w.role(), "group:"+string(w.Name)))
	}
	if len(ids) == before {
		return nil, nil, nil
	}
	return ids, brought, nil
}

// findGroup finds a group by id or name, in the way in which roles are found.
func findGroup(groups []wireGroup, wanted string) (wireGroup, error) {
	var as []provision.Role
	for _, w := range groups {
		as = append(as, provision.Role{ID: string(w.ID), Name: string(w.Name)})
	}
	found, err := provision.FindRole(as, wanted)
	if err != nil {
		e := &provision.Error{
			Vendor: name, Op: "find group", Kind: provision.ErrInvalid, Message: fmt.Sprintf("there is no user group %q", wanted),
		}
		if provision.KindOf(err) == provision.ErrUsage {
			e.Kind, e.Message = provision.ErrUsage, fmt.Sprintf("several user groups are called %q; name the one by its id", wanted)
		}
		return wireGroup{}, e
	}
	i := slices.IndexFunc(groups, func(w wireGroup) bool { return string(w.ID) == found.ID })
	return groups[i], nil
}

// strip implements generation.
func (iam) strip(p person) *edit {
	if p.role == "" && len(p.groups) == 0 && p.status == provision.StatusDisabled {
		return nil
	}
	return &edit{Role: new(""), Groups: &[]string{}, Status: new(statusDisabled)}
}

// write implements generation. (Edit an existing user.)
func (g iam) write(ctx context.Context, p person, e edit) (claim, error) {
	_, err := g.api.do(ctx, call{
		op: g.op, method: http.MethodPatch, path: iamUser + "/" + transport.Segment(p.email), data: e, change: true,
	})
	return claimsDone, err
}
