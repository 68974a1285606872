package plan

import (
	"context"
	"errors"

	"edrctl/internal/provision"
)

// preview says what a change would do. It only reads.
func (r *run) preview(ctx context.Context, j *job) Result {
	u, err := j.t.Provisioner.User(ctx, j.Login)
	if j.Action == CreateUser {
		return r.previewCreate(ctx, j, u, err)
	}
	if err != nil {
		if j.Action == DeleteUser && j.IfExists && errors.Is(err, provision.ErrNotFound) {
			return Result{Outcome: Absent}
		}
		return failed(err)
	}
	switch j.Action {
	case UpdateUser:
		if j.Patch.Satisfied(u) {
			return unchanged(u, "")
		}
		return planned(u, provision.RoleDiff{})
	case DeleteUser:
		if _, err := j.t.Vendor.Plan(u, provision.RoleChange{All: true}); provision.KindOf(err) == provision.ErrRefused {
			return failed(err)
		}
		return planned(u, provision.RoleDiff{Revoke: u.DirectRoles()})
	case ResetMFA, ResetPassword:
		return planned(u, provision.RoleDiff{})
	}
	return j.previewRoles(u, j.roleChange())
}

func (r *run) previewCreate(ctx context.Context, j *job, u provision.User, err error) Result {
	v := j.t.Vendor
	switch {
	case err == nil && !v.Can(provision.CanCreateUser):
		return j.previewRoles(u, provision.RoleChange{Grant: j.grant, Activate: true, Options: j.Spec.Options})
	case err == nil && j.IfNotExists:
		return unchanged(u, j.missing(u))
	case err == nil:
		return failed(&provision.Error{Vendor: v.Name, Op: "create user", Kind: provision.ErrExists, Message: u.Login + " is taken"})
	case !errors.Is(err, provision.ErrNotFound):
		return failed(err)
	case !v.Can(provision.CanCreateUser):
		return failed(v.Refuse(provision.CanCreateUser, "create user"))
	}
	spec := j.spec()
	if v.CheckSpec != nil {
		if err := v.CheckSpec(spec); err != nil {
			return failed(err)
		}
	}
	if validator, ok := j.t.Provisioner.(provision.CreateValidator); ok {
		if err := validator.ValidateCreate(ctx, spec); err != nil {
			return failed(err)
		}
	}
	return Result{Outcome: Planned, RolesAdded: union(j.grant, nil), Message: join("would be created", j.notStored())}
}

func (j *job) previewRoles(u provision.User, c provision.RoleChange) Result {
	d, err := j.t.Vendor.Plan(u, c)
	if err != nil {
		return failed(err)
	}
	activates := c.Activate && u.Status == provision.StatusDisabled
	if d.Empty() && !activates {
		return unchanged(u, "")
	}
	return planned(u, d)
}

func planned(u provision.User, d provision.RoleDiff) Result {
	return Result{Outcome: Planned, ID: u.ID, Login: u.Login, RolesAdded: d.Grant, RolesRemoved: d.Revoke}
}
