package crowdstrike

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"edrctl/internal/provision"
)

// Check implements provision.Provisioner with a read of one user.
func (a *adapter) Check(ctx context.Context) (provision.Identity, error) {
	id := provision.Identity{Name: a.cfg.Setting("client-id"), MayManage: true}
	err := a.with(ctx, "check", func(f family) error { return f.probe(ctx) })
	var e *provision.Error
	switch {
	case err == nil:
		id.Note = a.families.current() + " API"
	case errors.As(err, &e) && e.Kind == provision.ErrForbidden:
		id.MayManage, id.Note = false, fmt.Sprintf("%v; %s", e, e.Hint)
	default:
		return provision.Identity{}, err
	}
	if t, err := a.api.session.token(ctx); err == nil {
		id.Note = a.api.session.where(t) + ", " + id.Note
	}
	return id, nil
}

// Users implements provision.Provisioner.
func (a *adapter) Users(ctx context.Context, filter provision.Filter) iter.Seq2[provision.User, error] {
	return func(yield func(provision.User, error) bool) {
		enough := false
		err := a.with(ctx, "list users", func(f family) error {
			for ids, err := range f.pages(ctx) {
				if err != nil {
					return err
				}
				users, err := listed(ctx, f, ids, filter)
				if err != nil {
					return err
				}
				for _, u := range users {
					if enough = !yield(u, nil); enough {
						return nil
					}
				}
			}
			return nil
		})
		if err != nil && !enough {
			yield(provision.User{}, err)
		}
	}
}

// listed reads a page of users in the order of their ids, without those who
// have been deleted since and those whom the filter turns down.
func listed(ctx context.Context, f family, ids []string, filter provision.Filter) ([]provision.User, error) {
	found, err := f.records(ctx, ids)
	if err != nil {
		return nil, err
	}
	byID := map[string]provision.User{}
	for _, u := range found {
		byID[u.ID] = u
	}
	var users []provision.User
	for _, id := range ids {
		if u, ok := byID[id]; ok && (filter.Only == nil || filter.Only(u.Login)) {
			users = append(users, u)
		}
	}
	if filter.NoRoles {
		return users, nil
	}
	if users, err = readHeld(ctx, f, users); err != nil {
		return nil, err
	}
	return users, f.nameRoles(ctx, users)
}

// readHeld reads the roles of many users, who cost a request each.
func readHeld(ctx context.Context, f family, users []provision.User) ([]provision.User, error) {
	gone := make([]bool, len(users))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(inFlight)
	for i := range users {
		work.Go(func() (err error) {
			users[i].Roles, err = f.held(ctx, users[i])
			if errors.Is(err, provision.ErrNotFound) {
				gone[i] = true
				return nil
			}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	var left []provision.User
	for i, u := range users {
		if !gone[i] {
			left = append(left, u)
		}
	}
	return left, nil
}

// User implements provision.Provisioner.
func (a *adapter) User(ctx context.Context, login string) (provision.User, error) {
	var u provision.User
	err := a.with(ctx, "get user", func(f family) (err error) {
		u, err = findNamed(ctx, f, login)
		return err
	})
	if err != nil {
		return provision.User{}, err
	}
	return u, nil
}

// find reads the user of a login, without roles. What the look-up returns
// counts only if the record has that login.
func find(ctx context.Context, f family, login string) (provision.User, error) {
	fail := func(kind provision.Kind, format string, args ...any) error {
		return &provision.Error{Vendor: name, Op: f.doing(), Kind: kind, Message: fmt.Sprintf(format, args...)}
	}
	ids, err := f.lookup(ctx, login)
	if err != nil {
		return provision.User{}, err
	}
	var fits []provision.User
	if len(ids) > 0 {
		if fits, err = f.records(ctx, ids); err != nil {
			return provision.User{}, err
		}
	}
	fits = slices.DeleteFunc(fits, func(u provision.User) bool {
		return u.ID == "" || !provision.SameLogin(u.Login, login)
	})
	switch len(fits) {
	case 0:
		return provision.User{}, fail(provision.ErrNotFound, "there is no user %q", login)
	case 1:
		return fits[0], nil
	}
	var spellings []string
	for _, u := range fits {
		spellings = append(spellings, u.Login+" ("+u.ID+")")
	}
	return provision.User{}, fail(provision.ErrConflict, "%d users have the login %q: %s", len(fits), login, strings.Join(spellings, ", "))
}

func findWithRoles(ctx context.Context, f family, login string) (provision.User, error) {
	u, err := find(ctx, f, login)
	if err != nil {
		return u, err
	}
	u.Roles, err = f.held(ctx, u)
	return u, err
}

// findNamed is findWithRoles with names on all roles.
func findNamed(ctx context.Context, f family, login string) (provision.User, error) {
	u, err := findWithRoles(ctx, f, login)
	if err != nil {
		return u, err
	}
	return u, f.nameRoles(ctx, []provision.User{u})
}

// UpdateUser implements provision.Provisioner. Only the names can be changed.
func (a *adapter) UpdateUser(ctx context.Context, login string, p provision.UserPatch) (provision.User, bool, error) {
	const op = "update user"
	if p.Phone != nil {
		return provision.User{}, false, a.V.Refuse(provision.CanStorePhone, op)
	}
	if err := a.V.CheckOptions(p.Options, "update"); err != nil {
		return provision.User{}, false, err
	}
	var u provision.User
	changed := false
	err := a.with(ctx, op, func(f family) (err error) {
		if u, err = findNamed(ctx, f, login); err != nil || p.Satisfied(u) {
			return err
		}
		wanted := u
		if p.FirstName != nil {
			wanted.FirstName = *p.FirstName
		}
		if p.LastName != nil {
			wanted.LastName = *p.LastName
		}
		now, err := f.rename(ctx, wanted)
		u.FirstName, u.LastName, changed = now.FirstName, now.LastName, true
		return err
	})
	if err != nil {
		return provision.User{}, false, err
	}
	return u, changed, nil
}

// DeleteUser implements provision.Provisioner.
func (a *adapter) DeleteUser(ctx context.Context, login string) (provision.Removal, error) {
	var gone provision.Removal
	err := a.with(ctx, "delete user", func(f family) error {
		u, err := find(ctx, f, login)
		if err != nil {
			return err
		}
		if err := f.remove(ctx, u.ID); err != nil {
			return err
		}
		gone = provision.Removal{ID: u.ID, Deleted: true}
		return nil
	})
	return gone, err
}

// Reset implements provision.Provisioner.
func (a *adapter) Reset(ctx context.Context, login string, what provision.Credential) error {
	op := "reset second factor"
	if what == provision.CredentialPassword {
		op = "reset password"
	}
	return a.with(ctx, op, func(f family) error {
		if err := f.canReset(); err != nil {
			return err
		}
		u, err := find(ctx, f, login)
		if err != nil {
			return err
		}
		return f.reset(ctx, u.ID, what)
	})
}
