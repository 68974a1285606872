package carbonblack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

const opChange = "change roles"

// ChangeRoles implements provision.Provisioner. The vendor keeps no version of a
// grant, so that the last writer wins: it is read moments before it is written,
// no more of it is written than changes, and it is read again afterwards.
func (a *adapter) ChangeRoles(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
	c.Expires = wholeSeconds(c.Expires)
	if err := a.ahead(opChange, c.Expires); err != nil {
		return provision.RoleResult{}, err
	}
	r, err := a.row(ctx, opChange, login)
	if err != nil {
		return provision.RoleResult{}, err
	}
	g, err := a.recentGrant(ctx, opChange, r)
	if err != nil {
		return provision.RoleResult{}, err
	}
	result, err := a.change(ctx, r, g, c)
	if g == nil && errors.Is(err, provision.ErrConflict) {
		// Somebody has made a grant since, which is there to be changed.
		if g, err = a.fetchGrant(ctx, opChange, r); err != nil {
			return provision.RoleResult{}, err
		}
		result, err = a.change(ctx, r, g, c)
	}
	return result, err
}

// change carries out a change of a grant, nil for none, as it was read.
func (a *adapter) change(ctx context.Context, r row, g *grant, c provision.RoleChange) (provision.RoleResult, error) {
	result := provision.RoleResult{User: a.user(r, g)}
	d, err := planRoles(result.User, c)
	if err != nil {
		return result, err
	}
	h := holder{key: a.api.key, row: r, now: a.cfg.Now()}
	steps, err := h.steps(g, d, c)
	if err != nil || len(steps) == 0 {
		return result, err
	}
	defer a.seen.omit(r.id())
	for i, s := range steps {
		err := a.write(ctx, s)
		sent := err == nil || errors.Is(err, provision.ErrUncertain)
		if sent {
			result.Granted, result.Revoked = d.Grant, without(d.Revoke, pending(steps[i+1:]))
		}
		switch {
		case err == nil:
		case i == 0 || sent:
			return result, a.explain(ctx, err, d.Grant)
		default:
			return result, &provision.Error{
				Vendor: name, Op: opChange, Kind: provision.ErrPartial, Err: err,
				Message: fmt.Sprintf("%d of %d changes of the grant were made", i, len(steps)), Hint: "run it again",
			}
		}
	}
	if provision.LooksLater(ctx) {
		return result, nil
	}
	after, err := a.getGrant(ctx, opChange, r)
	if err != nil {
		return result, &provision.Error{
			Vendor: name, Op: opChange, Kind: provision.ErrUncertain, Message: "it was accepted, but cannot be read back", Err: err,
		}
	}
	result.User = a.user(r, after)
	return result, compare(result.User, d, c)
}

// write carries out one step. What is to go and is not there has gone.
func (a *adapter) write(ctx context.Context, s step) error {
	_, err := a.api.do(ctx, call{op: opChange, kind: s.kind, method: s.method, path: s.path, body: s.body, change: true})
	if s.kind == callGrant && errors.Is(err, provision.ErrNotFound) {
		return nil
	}
	return err
}

// pending are the roles that steps have still to take.
func pending(steps []step) []string {
	var roles []string
	for _, s := range steps {
		roles = append(roles, s.takes...)
	}
	return roles
}

// compare holds a user as read back against what was sent.
func compare(u provision.User, d provision.RoleDiff, c provision.RoleChange) error {
	var differ []string
	for _, id := range d.Grant {
		i := slices.IndexFunc(u.Roles, func(r provision.HeldRole) bool { return r.ID == id })
		switch {
		case i < 0:
			differ = append(differ, id+" is not held")
		case !expiry{c.Expires}.same(end(u.Roles[i])):
			differ = append(differ, id+" has another end")
		}
	}
	for _, id := range d.Revoke {
		if slices.ContainsFunc(u.Roles, func(r provision.HeldRole) bool { return r.ID == id }) {
			differ = append(differ, id+" is still held")
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return &provision.Error{
		Vendor: name, Op: opChange, Kind: provision.ErrUncertain,
		Message: "it was accepted, but reads back otherwise: " + strings.Join(differ, ", "),
		Hint:    "look at the user again",
	}
}

func end(r provision.HeldRole) expiry {
	if r.ExpiresAt == nil {
		return expiry{}
	}
	return expiry{*r.ExpiresAt}
}

// explain finds out whether a refusal is due to a role that does not exist for
// this key: the vendor answers that as it answers any missing permission.
func (a *adapter) explain(ctx context.Context, err error, roles []string) error {
	var refusal *provision.Error
	if len(roles) == 0 || !errors.As(err, &refusal) || refusal.Kind != provision.ErrForbidden {
		return err
	}
	names := a.seen.known()
	if names == nil {
		if _, reading := a.permitted(ctx, refusal.Op); reading != nil {
			return err
		}
		names = a.seen.known()
	}
	for _, id := range roles {
		if _, ok := names[id]; !ok {
			e := *refusal
			e.Kind, e.Message = provision.ErrNotFound, fmt.Sprintf("there is no role %q that this API key may hand out", id)
			e.Hint = "`edrctl role list` shows them; the key needs every permission of a role to hand it out"
			return &e
		}
	}
	return err
}
