package crowdstrike

import (
	"context"
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// maxActions is how many roles one request grants or revokes.
const maxActions = 100

// Roles implements provision.Provisioner.
func (a *adapter) Roles(ctx context.Context) ([]provision.Role, error) {
	var roles []provision.Role
	err := a.with(ctx, "list roles", func(f family) error {
		ids, err := f.roleIDs(ctx)
		if err != nil {
			return err
		}
		roles, err = f.roles(ctx, ids)
		return err
	})
	return roles, err
}

// ResolveRoles implements provision.RoleResolver. Names that are all ids need
// no more than the list of ids.
func (a *adapter) ResolveRoles(ctx context.Context, names []string) (roles []provision.Role, whole bool, err error) {
	err = a.with(ctx, "look up roles", func(f family) error {
		ids, err := f.roleIDs(ctx)
		if err != nil {
			return err
		}
		roles = nil
		for _, n := range names {
			if id := strings.TrimSpace(n); slices.Contains(ids, id) {
				roles = append(roles, bareRole(id))
			}
		}
		if len(roles) == len(names) {
			return nil
		}
		whole = true
		roles, err = f.roles(ctx, ids)
		return err
	})
	return roles, whole && err == nil, err
}

// ChangeRoles implements provision.Provisioner. The roles it returns are those
// held before with the change applied: Falcon shows a change only after a
// while.
func (a *adapter) ChangeRoles(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
	cid, err := cidOption(c.Options)
	if err != nil {
		return provision.RoleResult{}, err
	}
	c.Expires = c.Expires.Truncate(time.Second)
	if len(c.Grant) == 0 {
		c.Expires = time.Time{}
	}
	var done provision.RoleResult
	err = a.with(ctx, "change roles", func(f family) error {
		if err := f.carries("", "", c.Expires); err != nil {
			return err
		}
		u, err := findWithRoles(ctx, f, login)
		if err != nil {
			return err
		}
		done.User = u
		if err := f.carries(cid, home(u), c.Expires); err != nil {
			return err
		}
		steps, err := plan(u, c)
		if err != nil {
			return err
		}
		done, err = carryOut(ctx, f, u, steps, c.Expires)
		return err
	})
	return done, err
}

// action is one request of a role change.
type action struct {
	cid, verb string
	roles     []string
}

// carryOut sends the steps, all grants before all revokes. The result has what
// was sent with success, and what was sent last if its outcome is unknown.
func carryOut(ctx context.Context, f family, u provision.User, steps []step, expires time.Time) (provision.RoleResult, error) {
	var actions []action
	for _, s := range steps {
		for roles := range slices.Chunk(s.grant, maxActions) {
			actions = append(actions, action{s.cid, "grant", roles})
		}
	}
	for _, s := range steps {
		for roles := range slices.Chunk(s.revoke, maxActions) {
			actions = append(actions, action{s.cid, "revoke", roles})
		}
	}
	done := provision.RoleResult{User: u}
	done.User.Roles = append([]provision.HeldRole{}, u.Roles...)
	for i, act := range actions {
		var err error
		if act.verb == "grant" {
			err = f.grant(ctx, u.ID, act.cid, act.roles, expires)
		} else {
			err = f.revoke(ctx, u.ID, act.cid, act.roles)
		}
		switch uncertain := provision.KindOf(err) == provision.ErrUncertain; {
		case err == nil:
			act.apply(&done, expires)
		case uncertain:
			act.note(&done)
			return done, err
		case i > 0:
			return done, &provision.Error{
				Vendor: name, Op: f.doing(), Kind: provision.ErrPartial, Message: "some roles were changed, others not", Err: err,
			}
		default:
			return done, err
		}
	}
	return done, nil
}

// note adds the action to the list of what was sent.
func (act action) note(done *provision.RoleResult) {
	if act.verb == "grant" {
		done.Granted = sortedSet(append(done.Granted, act.roles...))
		return
	}
	done.Revoked = sortedSet(append(done.Revoked, act.roles...))
}

// apply makes an action that was carried out part of the result.
func (act action) apply(done *provision.RoleResult, expires time.Time) {
	act.note(done)
	names := map[string]string{}
	for _, r := range done.User.Roles {
		names[r.ID] = r.Name
	}
	roles := slices.DeleteFunc(done.User.Roles, func(r provision.HeldRole) bool {
		return r.Direct && r.Scope == act.cid && slices.Contains(act.roles, r.ID)
	})
	if act.verb == "grant" {
		for _, id := range act.roles {
			r := provision.HeldRole{ID: id, Name: first(names[id], id), Direct: true, Scope: act.cid}
			if !expires.IsZero() {
				end := expires.UTC()
				r.ExpiresAt = &end
			}
			roles = append(roles, r)
		}
	}
	provision.SortRoles(roles)
	done.User.Roles = roles
}
