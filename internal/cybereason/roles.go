package cybereason

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

const (
	userAdmin   = "user_admin"
	systemAdmin = "sys_admin"
	responderL2 = "responder_l2"
)

// roles are those with a published name, by id. (Cybereason API documentation,
// Retrieve a List of Users; the names are those of the console.) There is no
// request for them, and a console may have others.
func roles() []provision.Role {
	const local = "for the sensor groups of the user; cloud consoles only"
	return []provision.Role{
		{ID: "analyst_hdl", Name: "HDL Analyst"},
		{ID: "analyst_l1", Name: "Analyst L1"},
		{ID: "analyst_l2", Name: "Analyst L2"},
		{ID: "analyst_l3", Name: "Analyst L3", Description: "may remediate"},
		{ID: "api", Name: "API user", Description: "Cybereason advises against it for work with the API", Aliases: []string{"api_user"}},
		{ID: "executive", Name: "Executive"},
		{ID: "local_analyst_l1", Name: "Local Analyst L1", Description: local},
		{ID: "local_analyst_l2", Name: "Local Analyst L2", Description: local},
		{ID: "local_responder", Name: "Local Responder"},
		{ID: "policies_admin", Name: "Policy Admin", Aliases: []string{"policy_admin"}},
		{
			ID: "responder", Name: "Responder L1", Aliases: []string{"responder_l1"},
			Description: "needs a second factor for an unrestricted remote shell",
		},
		{ID: responderL2, Name: "Responder L2", Description: "needs a second factor or single sign-on; from version 21.1.81"},
		{ID: "sensor_admin_l1", Name: "Sensor Admin L1"},
		{
			ID: "sensors_viewer", Name: "Sensor Viewer", Aliases: []string{"sensor_viewer"},
			Description: "off by default; Cybereason's support switches it on",
		},
		{ID: systemAdmin, Name: "System Admin", Aliases: []string{"system_admin"}},
		{ID: userAdmin, Name: "User Admin", Description: "manages users and their second factors"},
	}
}

func published(id string) bool {
	return slices.ContainsFunc(roles(), func(r provision.Role) bool { return r.ID == id })
}

// roleName is the console's name of a role, or its id.
func roleName(id string) string {
	for _, r := range roles() {
		if r.ID == id {
			return r.Name
		}
	}
	return id
}

// Roles implements provision.Provisioner.
func (a *adapter) Roles(ctx context.Context) ([]provision.Role, error) {
	if ctx.Err() != nil {
		return nil, &provision.Error{
			Vendor: name, Op: "list roles", Kind: provision.ErrInterrupted, Message: "stopped", Err: context.Cause(ctx),
		}
	}
	return roles(), nil
}

// planRoles is the package's PlanRoles with the vendor's rules for roles.
func planRoles(u provision.User, c provision.RoleChange) (provision.RoleDiff, error) {
	if !c.Expires.IsZero() {
		return provision.RoleDiff{}, &provision.Error{
			Vendor: name, Op: opRoles, Kind: provision.ErrUnsupported, Message: capabilities()[provision.CanExpireRoles].Note,
		}
	}
	d, err := provision.PlanRoles(u, c)
	if err != nil {
		return d, err
	}
	after := u
	after.Roles = nil
	for _, r := range u.Roles {
		if !slices.Contains(d.Revoke, r.ID) {
			after.Roles = append(after.Roles, r)
		}
	}
	for _, id := range d.Grant {
		after.Roles = append(after.Roles, provision.HeldRole{ID: id, Direct: true})
	}
	if err := rolesAllowed(opRoles, after, d.Grant); err != nil {
		return provision.RoleDiff{}, err
	}
	return d, nil
}

// rolesAllowed refuses what the vendor rules out, as far as the added roles
// bring it about: what a console has put up with so far, it may keep.
// (Cybereason API documentation, Create an L2 Responder User.)
func rolesAllowed(op string, after provision.User, added []string) error {
	held := after.DirectRoles()
	for _, other := range []string{"sensor_admin_l1", "local_analyst_l1", "local_analyst_l2"} {
		isNew, otherIsNew := slices.Contains(added, responderL2), slices.Contains(added, other)
		if !slices.Contains(held, responderL2) || !slices.Contains(held, other) || !isNew && !otherIsNew {
			continue
		}
		e := &provision.Error{
			Vendor: name, Op: op, Kind: provision.ErrInvalid, Message: fmt.Sprintf("roles %s and %s exclude each other", responderL2, other),
		}
		switch {
		case isNew && otherIsNew:
			e.Hint = "give one of them"
		case isNew:
			e.Hint = fmt.Sprintf("revoke %s first, or make the change in one step with `role set`", other)
		default:
			e.Hint = fmt.Sprintf("revoke %s first, or make the change in one step with `role set`", responderL2)
		}
		return e
	}
	if slices.Contains(added, responderL2) && needsFactor(after) {
		return factorNeeded(op, "add --set "+name+"."+optTOTP+"=true, with `user update` if the account is there already")
	}
	return nil
}

// needsFactor reports a user who lacks the second factor, or the single sign-on,
// that a role asks for. What the console does not tell is not held against it.
func needsFactor(u provision.User) bool {
	factor, told := u.Extra[optTOTP].(bool)
	return slices.Contains(u.DirectRoles(), responderL2) && told && !factor && u.Extra[optMethod] == passwordMethod
}

func factorNeeded(op, hint string) error {
	return &provision.Error{
		Vendor: name, Op: op, Kind: provision.ErrInvalid, Hint: hint,
		Message: fmt.Sprintf("role %s needs a second factor or single sign-on", responderL2),
	}
}

// unknownRole finds the likely reason of a refusal that calls the request wrong
// and has no code: a role that is not among those published and was to be added.
func unknownRole(err error, added []string) error {
	var refusal *provision.Error
	if !errors.As(err, &refusal) || refusal.Kind != provision.ErrInvalid || refusal.Status == 0 || refusal.Code != "" {
		return err
	}
	for _, id := range added {
		if !published(id) {
			e := *refusal
			e.Kind = provision.ErrNotFound
			e.Message = strings.TrimSuffix(fmt.Sprintf("the console seems to have no role %q: %s", id, e.Message), ": ")
			e.Hint = "`edrctl role list` shows the published roles; one that is not among them is written as the console spells it"
			return &e
		}
	}
	return err
}

// ChangeRoles implements provision.Provisioner. All of a change is one request.
// A user may be left without any role.
func (a *adapter) ChangeRoles(ctx context.Context, login string, c provision.RoleChange) (provision.RoleResult, error) {
	if !c.Expires.IsZero() {
		return provision.RoleResult{}, a.V.Refuse(provision.CanExpireRoles, opRoles)
	}
	var d provision.RoleDiff
	u, changed, err := a.rewrite(ctx, opRoles, login, func(u wireUser) (wireUser, error) {
		held, err := u.roles()
		if err != nil {
			return u, incomplete(opRoles, u.Username, []string{"roles"})
		}
		if d, err = planRoles(u.user(), c); err != nil || d.Empty() {
			return u, err
		}
		held = slices.DeleteFunc(held, func(id string) bool { return slices.Contains(d.Revoke, id) })
		for _, id := range c.Grant { // in the order asked for
			if slices.Contains(d.Grant, id) {
				held = append(held, id)
			}
		}
		u.Roles = raw(distinct(held))
		return u, nil
	})
	if err != nil && provision.KindOf(err) != provision.ErrUncertain {
		return provision.RoleResult{}, unknownRole(err, d.Grant)
	}
	result := provision.RoleResult{User: u.user()}
	if changed || err != nil {
		result.Granted, result.Revoked = d.Grant, d.Revoke
	}
	if changed && len(result.User.Roles) == 0 {
		a.cfg.Log.InfoContext(ctx, u.Username+" has no role left; `edrctl user delete` removes the account", "tenant", a.cfg.Tenant)
	}
	return result, err
}
