package cortex

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"edrctl/internal/provision"
)

// The calls that Cortex XDR 3.x has. (Cortex XDR REST API: Get Users, Set a
// User Role, Get Roles, Get User Groups.)
const (
	rbacUsers   = "/public_api/v1/rbac/get_users"
	rbacSetRole = "/public_api/v1/rbac/set_user_role"
	rbacRoles   = "/public_api/v1/rbac/get_roles"
	rbacGroups  = "/public_api/v1/rbac/get_user_group"
)

// maxNames is how many roles or groups are asked about at once.
const maxNames = 20

// noEdits says what Cortex XDR 3.x cannot do.
const noEdits = "Cortex XDR 3.x has no call to change a user, only one to set the role"

// builtIn are the roles that come with the product and can be given.
func builtIn() []string {
	return []string{"Viewer", "Investigator", "Privileged Investigator", "Administrator", instanceAdmin}
}

// rbac is Cortex XDR 3.x.
type rbac struct {
	*adapter
	op string
}

// people implements generation.
func (g rbac) people(ctx context.Context) ([]person, error) {
	return listPeople(ctx, g.api, call{op: g.op, method: http.MethodPost, path: rbacUsers, data: struct{}{}})
}

// naming implements generation.
func (rbac) naming(context.Context, []person) (naming, error) { return naming{byName: true}, nil }

// roles implements generation. There is no call for all roles. Those that come
// with the product and those that somebody holds are asked about by name.
func (g rbac) roles(ctx context.Context) ([]provision.Role, error) {
	people, err := g.glance(ctx, g)
	if err != nil {
		return nil, err
	}
	names := builtIn()
	for _, p := range people {
		if p.role != "" && !isAccountAdmin(p.role) && !slices.Contains(names, p.role) {
			names = append(names, p.role)
		}
	}
	return g.named(ctx, names)
}

func (g rbac) named(ctx context.Context, names []string) ([]provision.Role, error) {
	found, err := describe[wireNamedRole](ctx, g, rbacRoles, "role_names", names)
	if err != nil {
		return nil, err
	}
	var roles []provision.Role
	for _, w := range found {
		roles = append(roles, provision.Role{
			ID: string(w.Name), Name: string(w.Name), Description: string(w.Description),
			Custom: !slices.Contains(builtIn(), string(w.Name)),
		})
	}
	return givable(sortedRoles(roles)), nil
}

// resolve implements generation. A role that nobody holds is found by asking
// for it.
func (g rbac) resolve(ctx context.Context, names []string) ([]provision.Role, bool, error) {
	roles, err := g.roles(ctx)
	if err != nil {
		return nil, false, err
	}
	var missing []string
	for _, n := range names {
		n = strings.TrimSpace(n)
		if _, err := provision.FindRole(roles, n); errors.Is(err, provision.ErrNotFound) && n != "" && !isAccountAdmin(n) {
			missing = append(missing, n)
		}
	}
	found, err := g.named(ctx, missing)
	if err != nil {
		return nil, false, err
	}
	return sortedRoles(slices.Concat(roles, found)), len(found) == 0, nil
}

// inherited implements generation.
func (g rbac) inherited(ctx context.Context, people []person) (func(person) []provision.HeldRole, error) {
	var names []string
	for _, p := range people {
		names = append(names, p.groups.names()...)
	}
	slices.Sort(names)
	groups, err := describe[wireNamedGroup](ctx, g, rbacGroups, "group_names", slices.Compact(names))
	if errors.Is(err, provision.ErrForbidden) {
		g.unseen(ctx, err)
		return noRoles, nil
	}
	return func(p person) []provision.HeldRole {
		var held []provision.HeldRole
		for _, w := range groups {
			if role := string(w.RoleName); role != "" && slices.Contains(p.groups.names(), string(w.Name)) {
				held = append(held, provision.HeldRole{ID: role, Name: role, Via: string(w.Name)})
			}
		}
		return held
	}, err
}

// describe asks about things by name. One unknown name fails the whole call and
// is named in the answer; it is left out and the others are asked about again.
func describe[T any](ctx context.Context, g rbac, path, field string, names []string) ([]T, error) {
	var all []T
	for batch := range slices.Chunk(names, maxNames) {
		for batch = slices.Clone(batch); len(batch) > 0; {
			found, err := list[T](ctx, g.api, call{
				op: g.op, method: http.MethodPost, path: path, data: map[string][]string{field: batch},
			})
			if i := unknownIn(batch, err); i >= 0 {
				batch = slices.Delete(batch, i, i+1)
				continue
			}
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
			break
		}
	}
	return all, nil
}

// unknownIn is the index of the name that an error calls unknown, -1 for none.
func unknownIn(names []string, err error) int {
	var e *provision.Error
	if !errors.As(err, &e) || e.Kind != provision.ErrNotFound {
		return -1
	}
	if len(names) == 1 {
		return 0
	}
	message := strings.ReplaceAll(e.Message, `\'`, "'")
	return slices.IndexFunc(names, func(n string) bool { return strings.Contains(message, "'"+n+"'") })
}

// canEdit implements generation.
func (rbac) canEdit() error {
	return &provision.Error{Vendor: name, Kind: provision.ErrUnsupported, Message: noEdits}
}

// join implements generation.
func (g rbac) join(context.Context, person, string) (ids, brought []string, err error) {
	return nil, nil, g.canEdit()
}

// strip implements generation.
func (rbac) strip(p person) *edit {
	if p.role == "" {
		return nil
	}
	return &edit{Role: new("")}
}

// write implements generation for a role, by name; an empty name takes it. The
// answer counts the users that were changed, as a string or, often for none, as
// a number. (Set a User Role.)
func (g rbac) write(ctx context.Context, p person, e edit) (claim, error) {
	if e.Role == nil {
		return claimsNothing, g.canEdit()
	}
	content, err := g.api.do(ctx, call{
		op: g.op, method: http.MethodPost, path: rbacSetRole, change: true,
		data: struct {
			Emails []string `json:"user_emails"`
			Role   string   `json:"role_name"`
		}{[]string{p.email}, *e.Role},
	})
	if err != nil {
		return claimsNothing, err
	}
	var reply struct {
		Count text `json:"update_count"`
	}
	_ = json.Unmarshal(content, &reply) // without a count, what is read back counts
	if n, err := strconv.Atoi(string(reply.Count)); err == nil && n > 0 {
		return claimsDone, nil
	}
	return claimsNothing, nil
}
