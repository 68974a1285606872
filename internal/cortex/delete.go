package cortex

import (
	"context"
	"strings"

	"edrctl/internal/provision"
)

// DeleteUser implements provision.Provisioner: it takes the direct role and, on
// the platform, all groups, and disables the account. Accounts themselves are
// removed in the Customer Support Portal or by the identity provider.
func (a *adapter) DeleteUser(ctx context.Context, login string) (provision.Removal, error) {
	const op = "delete user"
	var gone provision.Removal
	err := a.with(op, func(g generation) error {
		before, err := a.locate(ctx, g, login)
		if err != nil {
			return err
		}
		gone = provision.Removal{ID: before.email}
		e := g.strip(before)
		if e == nil {
			gone.Unchanged, gone.Residual = true, residual(before)
			return nil
		}
		if isAccountAdmin(before.role) {
			return notTakable(before.email)
		}
		if before.role != "" {
			n, err := g.naming(ctx, []person{before})
			if err != nil {
				return err
			}
			gone.Revoked = []string{n.id(before.role)}
		}
		after, said, err := a.write(ctx, g, op, before, *e)
		if err == nil && (after.role != "" || after.status == provision.StatusActive) {
			err = notShown(op, after, said)
		}
		if err != nil && provision.KindOf(err) != provision.ErrUncertain {
			gone.Revoked = nil
		}
		gone.Residual = residual(after)
		return err
	})
	return gone, err
}

// residual is access that may remain with somebody who has no direct role:
// groups, which identity providers fill again at the next sign-in, and for
// people who sign in through SSO the role that the tenant's settings give to
// everybody who does. The settings are not read for that: they are for Instance
// Administrators, and the provider can change what they amount to.
func residual(p person) []provision.Residual { return remains(p.user(nil)) }

// remains is residual for a user as others see it.
func remains(u provision.User) []provision.Residual {
	var left []provision.Residual
	groups, _ := u.Extra[optionGroups].([]string)
	for _, group := range groups {
		left = append(left, provision.Residual{Kind: "group", Name: group})
	}
	if kind, _ := u.Extra[extraKind].(string); strings.Contains(strings.ToUpper(kind), "SSO") {
		left = append(left, provision.Residual{Kind: "role", Name: "SSO default role"})
	}
	return left
}
