package roster

import (
	"maps"
	"slices"

	"edrctl/internal/provision"
)

// joinLogins makes one user of several with the same login, if they differ in
// tenants and roles only.
func joinLogins(r *Roster, users []User) ([]User, error) {
	var joined []User
	for len(users) > 0 {
		n := 1
		for n < len(users) && provision.SameLogin(users[n].Login, users[0].Login) {
			n++
		}
		u, err := joinUsers(r, users[:n])
		if err != nil {
			return nil, err
		}
		joined = append(joined, u)
		users = users[n:]
	}
	return joined, nil
}

func joinUsers(r *Roster, users []User) (User, error) {
	u := users[0]
	if len(users) == 1 {
		return u, nil
	}
	roles := map[string][]string{}
	for i := range users {
		other := &users[i]
		if what := differing(&users[0], other); what != "" {
			return User{}, provision.Usagef("write roster: %s stands several times with different %s, which only CSV can hold", u.Login, what)
		}
		for _, tenant := range r.TenantsOf(other) {
			if _, twice := roles[tenant]; twice {
				return User{}, provision.Usagef("write roster: %s stands several times for tenant %s", u.Login, tenant)
			}
			roles[tenant] = other.RolesIn(tenant)
		}
	}
	if len(roles) == 0 {
		return User{}, provision.Usagef("write roster: %s stands several times, and without tenants", u.Login)
	}
	u.Tenants = slices.Sorted(maps.Keys(roles))
	u.Roles = slices.DeleteFunc(slices.Clone(roles[u.Tenants[0]]), func(role string) bool {
		return slices.ContainsFunc(u.Tenants, func(tenant string) bool { return !contains(roles[tenant], role) })
	})
	u.TenantRoles = map[string][]string{}
	for tenant, all := range roles {
		further := slices.DeleteFunc(all, func(role string) bool { return contains(u.Roles, role) })
		if len(further) > 0 {
			u.TenantRoles[tenant] = further
		}
	}
	return u, nil
}

// differing names what is not the same in two users of a login.
func differing(a, b *User) string {
	same := func(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }
	switch {
	case !same(a.FirstName, b.FirstName):
		return keyFirstName
	case !same(a.LastName, b.LastName):
		return keyLastName
	case !same(a.Phone, b.Phone):
		return keyPhone
	case a.Password != b.Password:
		return keyPassword
	case !a.Expires.Equal(b.Expires):
		return keyExpires
	case a.State != b.State:
		return keyState
	case !maps.EqualFunc(a.Options, b.Options, maps.Equal):
		return keyOptions
	}
	return ""
}

// spread makes users of which each has the same roles in all its tenants, as
// rows have, and names its tenants.
func spread(r *Roster, users []User) []User {
	var rows []User
	for i := range users {
		u := &users[i]
		row := *u
		row.Tenants, row.TenantRoles = r.TenantsOf(u), nil
		if len(u.TenantRoles) == 0 {
			rows = append(rows, row)
			continue
		}
		var groups []User
		for _, tenant := range row.Tenants {
			roles := u.RolesIn(tenant)
			j := slices.IndexFunc(groups, func(g User) bool { return slices.Equal(g.Roles, roles) })
			if j < 0 {
				j = len(groups)
				groups = append(groups, row)
				groups[j].Roles, groups[j].Tenants = roles, nil
			}
			groups[j].Tenants = append(groups[j].Tenants, tenant)
		}
		rows = append(rows, groups...)
	}
	return rows
}
