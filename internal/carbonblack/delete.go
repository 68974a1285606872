package carbonblack

import (
	"context"
	"errors"
	"net/http"

	"edrctl/internal/provision"
)

const opDelete = "delete user"

// DeleteUser implements provision.Provisioner. A user goes only after the
// grant, and a grant goes as a whole: one that reaches other organisations, in
// force or not, is ErrRefused, for access there would go too.
func (a *adapter) DeleteUser(ctx context.Context, login string) (provision.Removal, error) {
	r, err := a.row(ctx, opDelete, login)
	if err != nil {
		return provision.Removal{}, err
	}
	g, err := a.recentGrant(ctx, opDelete, r)
	if err != nil {
		return provision.Removal{}, err
	}
	gone, err := a.remove(ctx, r, g)
	if g == nil && errors.Is(err, provision.ErrConflict) {
		// Somebody has made a grant since, which has to go first.
		if g, err = a.fetchGrant(ctx, opDelete, r); err != nil {
			return gone, err
		}
		gone, err = a.remove(ctx, r, g)
	}
	return gone, err
}

// remove deletes a user with a grant, nil for none, as it was read.
func (a *adapter) remove(ctx context.Context, r row, g *grant) (provision.Removal, error) {
	gone := provision.Removal{ID: r.id()}
	defer a.seen.omit(r.id())
	if g != nil {
		if reach := g.elsewhere(a.api.key.orgURN()); reach != "" {
			return gone, &provision.Error{
				Vendor: name, Op: opDelete, Kind: provision.ErrRefused,
				Message: "the grant of " + r.Email + " also reaches " + reach + ", where access would be lost",
				Hint:    "take those organisations out of the user's access profiles in the console first",
			}
		}
		c := call{op: opDelete, kind: callGrant, method: http.MethodDelete, path: a.api.key.grantPath(r.id()), change: true}
		_, err := a.api.do(ctx, c)
		if err == nil || errors.Is(err, provision.ErrUncertain) {
			gone.Revoked = a.user(r, g).DirectRoles()
		}
		if err != nil && !errors.Is(err, provision.ErrNotFound) {
			return gone, err
		}
	}
	_, err := a.api.do(ctx, call{op: opDelete, kind: callUser, method: http.MethodDelete, path: a.api.key.userPath(r.id()), change: true})
	switch {
	case err == nil, errors.Is(err, provision.ErrNotFound):
		gone.Deleted = true
		return gone, nil
	case g == nil:
		return gone, err
	}
	e := &provision.Error{
		Vendor: name, Op: opDelete, Kind: provision.ErrPartial, Err: err,
		Message: "the user's access is gone, but the account is still listed", Hint: "run it again to finish",
	}
	if errors.Is(err, provision.ErrUncertain) {
		e.Kind, e.Message = provision.ErrUncertain, "the user's access is gone, but perhaps not the account"
	}
	return gone, e
}
