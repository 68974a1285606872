package cortex

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

// GuardRemoval implements provision.Guard. It refuses to take Instance
// Administrator from the last one in the list who holds it. The list shows
// direct roles only, and holders who are disabled do not count.
func (a *adapter) GuardRemoval(ctx context.Context, login string, c provision.RoleChange) error {
	if !c.All && !c.Exact && len(c.Revoke) == 0 {
		return nil
	}
	const op = "look for other administrators"
	return a.with(op, func(g generation) error {
		people, err := a.glance(ctx, g)
		if err != nil {
			return err
		}
		p, err := find(people, login)
		switch {
		case errors.Is(err, provision.ErrNotFound), errors.Is(err, provision.ErrConflict):
			return nil // for the change to say
		case !p.manages():
			return nil
		case slices.ContainsFunc(people, func(o person) bool {
			_, leaves := a.leaving.Load(o.email)
			return o.email != p.email && o.manages() && !leaves
		}):
			a.leaving.Store(p.email, true)
			return nil
		}
		n, err := g.naming(ctx, []person{p})
		if err != nil {
			return err
		}
		d, err := planRoles(p.user(p.direct(n)), c)
		if err != nil || !slices.Contains(d.Revoke, n.id(p.role)) {
			return nil //nolint:nilerr // what cannot be planned takes nothing
		}
		return &provision.Error{
			Vendor: name, Op: op, Kind: provision.ErrRefused,
			Message: fmt.Sprintf("%s is the last %s in the list of users", p.email, instanceAdmin),
			Hint:    "give that role to somebody else first; --allow-lockout lifts this guard",
		}
	})
}

// manages reports whether somebody can manage users by a direct role.
func (p person) manages() bool {
	return strings.EqualFold(p.role, instanceAdmin) && p.status != provision.StatusDisabled
}
