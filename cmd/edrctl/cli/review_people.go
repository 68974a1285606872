package cli

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
)

// inspected is a tenant that was read, as a review sees it.
type inspected struct {
	tenant  string
	address string
	vendor  *provision.Vendor
	users   []provision.User
	// kinds are the roles of each alias here, by id as far as that is known.
	kinds map[string][]string
}

// inspection puts what all consoles say together.
type inspection struct {
	consoles []*inspected
	// listed are the people of the file, by folded login; nil without a file.
	listed  map[string]bool
	invited map[invitation]bool
}

// items are the people, sorted by login, with their marks.
func (in *inspection) items() []render.ReviewItem {
	people := map[string]map[string]render.ReviewTenant{}
	of := func(login string) map[string]render.ReviewTenant {
		if people[login] == nil {
			people[login] = map[string]render.ReviewTenant{}
		}
		return people[login]
	}
	for _, c := range in.consoles {
		for _, u := range c.users {
			// An account without a login is an account all the same.
			at := of(cmp.Or(provision.FoldLogin(u.Login), u.ID))
			one := held(u)
			if other, again := at[c.tenant]; again {
				one = together(other, one)
			}
			at[c.tenant] = one
		}
	}
	for i := range in.invited {
		for _, c := range in.consoles {
			if _, there := people[i.login][c.tenant]; !there && i.tenant == c.tenant && i.address == c.address {
				of(i.login)[c.tenant] = render.ReviewTenant{Status: provision.StatusInvited}
			}
		}
	}
	if len(in.consoles) > 0 { // otherwise nobody knows who is missing
		for login := range in.listed {
			of(login)
		}
	}
	items := make([]render.ReviewItem, 0, len(people))
	for _, login := range slices.Sorted(maps.Keys(people)) {
		items = append(items, render.ReviewItem{Login: login, Tenants: people[login], Marks: in.marks(login, people[login])})
	}
	return items
}

// held is what a person has in a tenant.
func held(u provision.User) render.ReviewTenant {
	at := render.ReviewTenant{
		Name: strings.TrimSpace(u.FirstName + " " + u.LastName), Status: u.Status, Roles: u.Roles, LastLogin: u.LastLogin,
	}
	for _, r := range u.Roles {
		at.ExpiresAt = earlier(at.ExpiresAt, r.ExpiresAt)
	}
	return at
}

// together is what somebody has by two accounts whose logins differ in case
// only.
func together(a, b render.ReviewTenant) render.ReviewTenant {
	if b.Status == provision.StatusActive {
		a.Status = b.Status
	}
	a.Name = cmp.Or(a.Name, b.Name)
	a.Roles = slices.Concat(a.Roles, b.Roles)
	provision.SortRoles(a.Roles)
	if a.LastLogin == nil || b.LastLogin != nil && b.LastLogin.After(*a.LastLogin) {
		a.LastLogin = b.LastLogin
	}
	a.ExpiresAt = earlier(a.ExpiresAt, b.ExpiresAt)
	return a
}

// earlier is the first of two moments; nil is none.
func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// rolesOf lists the roles of a tenant, as far as they can be had: they give what
// people hold better names, but a review does without.
func rolesOf(ctx context.Context, t plan.Target) []provision.Role {
	if known, young := t.Roles.Load(); young {
		return known
	}
	known, err := t.Provisioner.Roles(ctx)
	if err != nil {
		return nil
	}
	t.Roles.Save(known)
	return known
}

// named gives held roles the names of the list.
func named(held []provision.HeldRole, known []provision.Role) []provision.HeldRole {
	held = slices.Clone(held)
	for i, r := range held {
		for _, k := range known {
			if k.ID == r.ID {
				held[i].Name = cmp.Or(k.Name, r.Name)
			}
		}
	}
	return held
}

// kindsIn are the roles that each alias stands for in a tenant. Names that are
// not known are left to be compared as they are.
func (a *app) kindsIn(t plan.Target, known []provision.Role) map[string][]string {
	kinds := map[string][]string{}
	for _, alias := range a.file.Aliases() {
		roles, err := a.file.ExpandRoles(t.Vendor.Name, []string{alias})
		if err != nil {
			continue // it has none for this vendor
		}
		for i, name := range roles {
			id, raw := strings.CutPrefix(name, provision.RawRolePrefix)
			if found, err := provision.FindRole(known, name); !raw && err == nil {
				id = found.ID
			}
			roles[i] = id
		}
		kinds[alias] = roles
	}
	return kinds
}
