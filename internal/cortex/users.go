package cortex

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

// listPeople reads everybody, each once.
func listPeople(ctx context.Context, a *api, c call) ([]person, error) {
	found, err := list[wireUser](ctx, a, c)
	if err != nil {
		return nil, err
	}
	people, seen := []person{}, map[string]bool{}
	for _, w := range found {
		if p := w.person(); p.email != "" && !seen[p.email] {
			seen[p.email] = true
			people = append(people, p)
		}
	}
	return people, nil
}

// Check implements provision.Provisioner by reading the users.
func (a *adapter) Check(ctx context.Context) (provision.Identity, error) {
	id := provision.Identity{Name: a.api.key.id, MayManage: true}
	err := a.with("check", func(g generation) error {
		_, err := g.people(ctx)
		return err
	})
	var e *provision.Error
	switch {
	case err == nil:
		id.Note = "generation " + a.api.chosen.current()
	case errors.As(err, &e) && e.Kind == provision.ErrForbidden:
		id.MayManage, id.Note = false, fmt.Sprintf("%v; %s", e, e.Hint)
	default:
		return provision.Identity{}, err
	}
	return id, nil
}

// Users implements provision.Provisioner.
func (a *adapter) Users(ctx context.Context, f provision.Filter) iter.Seq2[provision.User, error] {
	return func(yield func(provision.User, error) bool) {
		var users []provision.User
		err := a.with("list users", func(g generation) error {
			people, err := g.people(ctx)
			if err != nil {
				return err
			}
			if f.Only != nil {
				// Fewer people may take fewer requests for what they hold.
				people = slices.DeleteFunc(people, func(p person) bool { return !f.Only(p.email) })
			}
			if !f.NoRoles {
				users, err = complete(ctx, g, people...)
				return err
			}
			for _, p := range people {
				users = append(users, p.user(nil))
			}
			return nil
		})
		if err != nil {
			yield(provision.User{}, err)
			return
		}
		for _, u := range users {
			if !yield(u, nil) {
				return
			}
		}
	}
}

// User implements provision.Provisioner.
func (a *adapter) User(ctx context.Context, login string) (provision.User, error) {
	var u provision.User
	err := a.with("get user", func(g generation) error {
		people, err := g.people(ctx)
		if err != nil {
			return err
		}
		p, err := find(people, login)
		if err != nil {
			return err
		}
		users, err := complete(ctx, g, p)
		if err == nil {
			u = users[0]
		}
		return err
	})
	return u, err
}

// complete puts the roles on people, direct and inherited. On the platform that
// costs a request for the ids of roles, unless they are known, and one for the
// groups, unless nobody is in one.
func complete(ctx context.Context, g generation, people ...person) ([]provision.User, error) {
	n, err := g.naming(ctx, people)
	if err != nil {
		return nil, err
	}
	inherited, err := g.inherited(ctx, people)
	if err != nil {
		return nil, err
	}
	users := []provision.User{}
	for _, p := range people {
		users = append(users, p.user(slices.Concat(p.direct(n), inherited(p))))
	}
	return users, nil
}

// direct is the direct role, if there is one.
func (p person) direct(n naming) []provision.HeldRole {
	if p.role == "" {
		return nil
	}
	return []provision.HeldRole{{ID: n.id(p.role), Name: p.role, Direct: true}}
}

// extraKind is where a user shows how they sign in.
const extraKind = "user-type"

func (p person) user(roles []provision.HeldRole) provision.User {
	provision.SortRoles(roles)
	u := provision.User{
		ID: p.email, Login: p.email, FirstName: p.first, LastName: p.last, Phone: p.phone, Status: p.status,
		LastLogin: p.lastLogin, Roles: roles, Extra: map[string]any{},
	}
	if p.kind != "" {
		u.Extra[extraKind] = p.kind
	}
	if names := p.groups.names(); len(names) > 0 {
		u.Extra[optionGroups] = names
	}
	if p.hidden != nil {
		u.Extra[optionHidden] = *p.hidden
	}
	if p.rawStatus != "" {
		u.Extra["status"] = p.rawStatus
	}
	return u
}

func noRoles(person) []provision.HeldRole { return nil }

// unseen tells that inherited roles are left out.
func (a *adapter) unseen(ctx context.Context, why error) {
	a.cfg.Log.InfoContext(ctx, "the API key may not see user groups; roles that come through groups are left out",
		"tenant", a.cfg.Tenant, "error", why)
}

// find finds a user among all.
func find(people []person, login string) (person, error) {
	var fits []person
	var spellings []string
	for _, p := range people {
		if provision.SameLogin(p.email, login) {
			fits = append(fits, p)
			spellings = append(spellings, p.email)
		}
	}
	switch len(fits) {
	case 0:
		return person{}, &provision.Error{
			Vendor: name, Op: "find user", Kind: provision.ErrNotFound, Message: fmt.Sprintf("there is no user %q", login),
			Hint: "accounts appear once an invitation from the Customer Support Portal is accepted, or at the first sign-in through SSO",
		}
	case 1:
		return fits[0], nil
	}
	return person{}, &provision.Error{
		Vendor: name, Op: "find user", Kind: provision.ErrConflict,
		Message: fmt.Sprintf("%d users have the login %q: %s", len(fits), login, strings.Join(spellings, ", ")),
	}
}

// glance reads people for a question that precedes a change, which then need
// not read them again.
func (a *adapter) glance(ctx context.Context, g generation) ([]person, error) {
	if people := a.recent.get(); people != nil {
		return people, nil
	}
	writes, at := a.recent.begin()
	people, err := g.people(ctx)
	if err == nil {
		a.recent.put(people, writes, at)
	}
	return people, err
}

// locate finds the user of a change, in what a question just before it has
// read or else anew.
func (a *adapter) locate(ctx context.Context, g generation, login string) (person, error) {
	people := a.recent.get()
	if people == nil {
		var err error
		if people, err = g.people(ctx); err != nil {
			return person{}, err
		}
	}
	return find(people, login)
}
