package cortex

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

// Roles that are special.
const (
	// instanceAdmin may manage the users of a tenant.
	instanceAdmin = "Instance Administrator"
	// accountAdmin stands above the tenant.
	accountAdmin = "Account Admin"
)

// isAccountAdmin recognises the role by display name or by id.
func isAccountAdmin(role string) bool {
	return strings.EqualFold(strings.NewReplacer("_", "", "-", "", " ", "").Replace(role), "accountadmin")
}

// givable leaves out what the API does not hand out.
func givable(roles []provision.Role) []provision.Role {
	return slices.DeleteFunc(slices.Clone(roles), func(r provision.Role) bool {
		return isAccountAdmin(r.ID) || isAccountAdmin(r.Name)
	})
}

// sortedRoles sorts by id and keeps each id once.
func sortedRoles(roles []provision.Role) []provision.Role {
	roles = slices.Clone(roles)
	slices.SortStableFunc(roles, func(a, b provision.Role) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(roles, func(a, b provision.Role) bool { return a.ID == b.ID })
}

// Roles implements provision.Provisioner.
func (a *adapter) Roles(ctx context.Context) ([]provision.Role, error) {
	var roles []provision.Role
	err := a.with("list roles", func(g generation) (err error) {
		roles, err = g.roles(ctx)
		return err
	})
	return roles, err
}

// ResolveRoles implements provision.RoleResolver. Account Admin is in the list
// when it is asked for, although it cannot be given: that there is no such role
// would be the wrong reason.
func (a *adapter) ResolveRoles(ctx context.Context, names []string) (roles []provision.Role, whole bool, err error) {
	err = a.with("look up roles", func(g generation) error {
		roles, whole, err = g.resolve(ctx, names)
		if err != nil || !slices.ContainsFunc(names, isAccountAdmin) {
			return err
		}
		n, err := g.naming(ctx, nil)
		roles, whole = append(roles, provision.Role{ID: n.id(accountAdmin), Name: accountAdmin}), false
		return err
	})
	return roles, whole, err
}

// LearnRoles implements provision.RoleLearner. A list in which all ids are names
// comes from Cortex XDR 3.x, or from a run that took a platform in trouble for it.
// Any other comes from the platform, whatever its calls answer now.
func (a *adapter) LearnRoles(roles []provision.Role) bool {
	if !slices.ContainsFunc(roles, func(r provision.Role) bool { return r.ID != r.Name }) {
		return a.api.chosen.current() == xdr3
	}
	a.known.learn(roles)
	a.api.chosen.platform()
	return a.api.chosen.current() == platform5
}

// ChangeRoles implements provision.Provisioner: it reads everybody, sets the
// role, and reads everybody again. On the platform the id of the role that is
// held is needed too; for that the list of roles is read, unless it is known.
func (a *adapter) ChangeRoles(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
	const op = "change roles"
	if err := checkChange(c); err != nil {
		return provision.RoleResult{}, err
	}
	var done provision.RoleResult
	err := a.with(op, func(g generation) error {
		s, err := a.prepare(ctx, g, op, login, c)
		if err != nil || s.edit == (edit{}) {
			done.User = s.user
			return err
		}
		done, err = a.carryOut(ctx, g, op, s)
		return err
	})
	return done, err
}

// step is a role change that has been thought through.
type step struct {
	before person
	user   provision.User
	naming naming
	// granted and revoked are ids, and groups all ids of groups after joining.
	granted, revoked []string
	groups           []string
	// role is the id of the direct role to be held, empty for none.
	role string
	// edit is what to send, if anything.
	edit edit
}

// prepare reads what a change needs to know, refuses what cannot be, and says
// what to send.
func (a *adapter) prepare(ctx context.Context, g generation, op, login string, c provision.RoleChange) (step, error) {
	var s step
	var err error
	if s.before, err = a.locate(ctx, g, login); err != nil {
		return s, err
	}
	if s.naming, err = g.naming(ctx, []person{s.before}); err != nil {
		return s, err
	}
	roles := s.before.direct(s.naming)
	if revokesOther(roles, c) {
		// Whether that is nothing to do depends on what is inherited.
		inherited, err := g.inherited(ctx, []person{s.before})
		if err != nil {
			return s, err
		}
		roles = slices.Concat(roles, inherited(s.before))
	}
	s.user = s.before.user(roles)
	if err := s.unambiguous(c); err != nil {
		return s, err
	}
	d, err := planRoles(s.user, c)
	if err != nil {
		return s, err
	}
	if c.Activate && s.before.status == provision.StatusDisabled {
		s.edit.Status = new(statusActive)
	}
	if option := c.Options[optionGroups]; option != "" {
		var brought []string
		if s.groups, brought, err = g.join(ctx, s.before, option); err != nil {
			return s, withOp(err, op)
		}
		if s.groups != nil {
			s.edit.Groups = &s.groups
			s.granted = brought
		}
	}
	return s, s.setRole(d)
}

// setRole puts what becomes of the direct role into the step.
func (s *step) setRole(d provision.RoleDiff) error {
	s.granted = slices.Compact(slices.Sorted(slices.Values(slices.Concat(d.Grant, s.granted))))
	s.revoked = d.Revoke
	switch {
	case len(d.Grant) > 0:
		s.role = d.Grant[0]
	case len(d.Revoke) == 0 && s.before.role != "":
		s.role = s.naming.id(s.before.role)
	}
	if display, _ := s.naming.display(s.role); len(d.Grant) > 0 && isAccountAdmin(display) {
		return notGivable()
	}
	if !d.Empty() {
		s.edit.Role = new(s.role)
	}
	return nil
}

// carryOut sends a change. With ErrUncertain its result is what was sent.
func (a *adapter) carryOut(ctx context.Context, g generation, op string, s step) (provision.RoleResult, error) {
	sent := provision.RoleResult{User: s.user, Granted: s.granted, Revoked: s.revoked, Activated: s.edit.Status != nil}
	after, said, err := a.write(ctx, g, op, s.before, s.edit)
	if err == nil && !s.shows(after) {
		// The role may have been renamed since the list at hand was read.
		s.naming, err = g.naming(ctx, []person{after})
		if err != nil {
			err = unread(op, err)
		} else if !s.shows(after) {
			err = notShown(op, after, said)
		}
	}
	switch {
	case provision.KindOf(err) == provision.ErrUncertain:
		return sent, err
	case err != nil:
		return provision.RoleResult{User: s.user}, err
	}
	var roles []provision.HeldRole
	if s.role != "" {
		roles = []provision.HeldRole{{ID: s.role, Name: after.role, Direct: true}}
	}
	sent.User = after.user(roles)
	return sent, nil
}

// shows reports whether somebody is as the step wanted it. The list has the
// display name of the role that was set by id. Where that is not known, it must
// do that there is one, and another than before.
func (s step) shows(after person) bool {
	if s.edit.Role != nil {
		display, known := s.naming.display(s.role)
		switch {
		case s.role == "" && after.role != "",
			s.role != "" && known && after.role != display,
			s.role != "" && !known && (after.role == "" || after.role == s.before.role):
			return false
		}
	}
	if s.edit.Status != nil && after.status != provision.StatusActive {
		return false
	}
	return !slices.ContainsFunc(s.groups, func(id string) bool {
		return !slices.ContainsFunc(after.groups, func(ref groupRef) bool { return string(ref.ID) == id })
	})
}

// revokesOther reports whether a change revokes a role that is not among those
// held directly.
func revokesOther(held []provision.HeldRole, c provision.RoleChange) bool {
	return slices.ContainsFunc(c.Revoke, func(id string) bool {
		return !slices.ContainsFunc(held, func(r provision.HeldRole) bool { return r.ID == id })
	})
}
