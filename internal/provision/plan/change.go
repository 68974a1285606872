package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

// change sends one change and settles what became of it.
func (r *run) change(ctx context.Context, j *job) Result {
	switch j.Action {
	case CreateUser:
		if j.t.Vendor.Can(provision.CanCreateUser) {
			return r.create(ctx, j)
		}
		return r.adopt(ctx, j)
	case UpdateUser:
		return r.updateAll(ctx, j)
	case DeleteUser:
		return r.remove(ctx, j)
	case ResetMFA:
		return r.reset(ctx, j, provision.CredentialMFA)
	case ResetPassword:
		return r.reset(ctx, j, provision.CredentialPassword)
	default:
		return r.changeRoles(ctx, j)
	}
}

// create makes an account with its roles.
func (r *run) create(ctx context.Context, j *job) Result {
	u, err := j.t.Provisioner.CreateUser(ctx, j.spec())
	switch {
	case err == nil:
		return j.created(u)
	case errors.Is(err, provision.ErrExists) && j.IfNotExists:
		return r.existing(ctx, j, err)
	case provision.KindOf(err) == provision.ErrPartial:
		return r.complete(ctx, j, u, err)
	case provision.KindOf(err) == provision.ErrUncertain:
		return r.settleCreate(ctx, j, err)
	}
	return failed(err)
}

// spec is the user to create, with ids for role names and without details that
// the vendor cannot store.
func (j *job) spec() provision.UserSpec {
	s := j.Spec
	s.Login, s.Roles = strings.TrimSpace(j.Login), j.grant
	if !j.t.Vendor.Can(provision.CanStoreName) {
		s.FirstName, s.LastName = "", ""
	}
	if !j.t.Vendor.Can(provision.CanStorePhone) {
		s.Phone = ""
	}
	return s
}

// notStored warns of details that the vendor cannot keep.
func (j *job) notStored() string {
	var lost []string
	add := func(can provision.CapabilityName, name string, given bool) {
		if given && !j.t.Vendor.Can(can) {
			lost = append(lost, name)
		}
	}
	add(provision.CanStoreName, "first name", j.Spec.FirstName != "")
	add(provision.CanStoreName, "last name", j.Spec.LastName != "")
	add(provision.CanStorePhone, "phone", j.Spec.Phone != "")
	if len(lost) == 0 {
		return ""
	}
	return fmt.Sprintf("%s does not store: %s", j.t.Vendor.Name, strings.Join(lost, ", "))
}

func (j *job) created(u provision.User) Result {
	res := Result{
		Outcome: Created, ID: u.ID, Login: u.Login, RolesAdded: slices.Sorted(slices.Values(j.grant)),
		Message: j.notStored(),
	}
	if u.Status == provision.StatusInvited {
		res.Outcome = Invited
		if !j.t.Vendor.ListsPending {
			res.Message = join("invited; not listed until the invitation is taken up", res.Message)
		}
	}
	return res
}

// existing reports somebody who is there already, and gives or names the roles
// that are missing.
func (r *run) existing(ctx context.Context, j *job, taken error) Result {
	u, err := j.t.Provisioner.User(ctx, j.Login)
	if errors.Is(err, provision.ErrNotFound) && !j.t.Vendor.ListsPending {
		return Result{Outcome: Invited, Message: "registered but not listed: the invitation is pending, " +
			"or the address belongs to another organisation"}
	}
	if err != nil {
		return failed(errors.Join(taken, err))
	}
	return r.found(ctx, j, u)
}

// found reports somebody who is there already, see existing.
func (r *run) found(ctx context.Context, j *job, u provision.User) Result {
	if j.Converge && j.missing(u) != "" {
		return r.roles(ctx, j, provision.RoleChange{Grant: j.grant, Expires: j.Spec.Expires, Options: j.Spec.Options})
	}
	return unchanged(u, j.missing(u))
}

// missing names the roles that were asked for and are not held.
func (j *job) missing(u provision.User) string {
	d, err := j.t.Vendor.Plan(u, provision.RoleChange{Grant: j.grant, Expires: j.Spec.Expires, Options: j.Spec.Options})
	if err != nil || len(d.Grant) == 0 {
		return ""
	}
	return "exists; roles not held: " + strings.Join(d.Grant, ", ")
}

func unchanged(u provision.User, message string) Result {
	return Result{Outcome: Unchanged, ID: u.ID, Login: u.Login, Message: message}
}

// complete finishes a create whose account is there. Roles that were refused
// are not asked for again.
func (r *run) complete(ctx context.Context, j *job, u provision.User, cause error) Result {
	res := j.created(u)
	if len(j.grant) == 0 {
		return res
	}
	var partial *provision.Error
	if errors.As(cause, &partial) && partial.Kind == provision.ErrPartial && !mayPass(partial.Err) {
		res.RolesAdded, res.Err = nil, cause
		return res
	}
	got := r.roles(ctx, j, provision.RoleChange{Grant: j.grant, Expires: j.Spec.Expires, Options: j.Spec.Options})
	if got.Err == nil {
		return res
	}
	res.RolesAdded = got.RolesAdded
	res.Err = &provision.Error{
		Vendor: j.t.Vendor.Name, Op: "create user", Kind: provision.ErrPartial,
		Message: "the account was made, but not all roles were given", Err: got.Err,
		Hint: fmt.Sprintf("edrctl -t %s role grant %s %s", j.Tenant, j.Login, strings.Join(j.grant, " ")),
	}
	return res
}

// mayPass reports a failure that another attempt may not meet.
func mayPass(err error) bool {
	return provision.KindOf(err) == provision.ErrUncertain || provision.Retryable(err)
}

// adopt gives the roles to an account that is listed already, on a vendor that
// has no call to create one.
func (r *run) adopt(ctx context.Context, j *job) Result {
	return r.adopted(ctx, j, r.roles(ctx, j, j.adoption()))
}

// adoption is the role change that takes the place of making an account.
func (j *job) adoption() provision.RoleChange {
	return provision.RoleChange{Grant: j.grant, Expires: j.Spec.Expires, Options: j.Spec.Options, Activate: true}
}

// adopted completes an adoption whose roles were changed.
func (r *run) adopted(ctx context.Context, j *job, res Result) Result {
	if errors.Is(res.Err, provision.ErrNotFound) {
		// It may be the role that is not there.
		if _, err := j.t.Provisioner.User(ctx, j.Login); errors.Is(err, provision.ErrNotFound) {
			return failed(j.t.Vendor.Refuse(provision.CanCreateUser, "create user"))
		}
	}
	res.Message = join(res.Message, j.notStored())
	if res.Err == nil && j.Spec.Expires.IsZero() {
		return r.adoptDetails(ctx, j, res)
	}
	return res
}

// adoptDetails stores the names and phone of an adopted account where the
// vendor can.
func (r *run) adoptDetails(ctx context.Context, j *job, res Result) Result {
	p := j.detailPatch()
	if p.Empty() || !j.t.Vendor.Can(provision.CanUpdateUser) {
		return res
	}
	_, changed, err := j.t.Provisioner.UpdateUser(ctx, j.Login, p)
	switch {
	case errors.Is(err, provision.ErrUnsupported):
		res.Message = join(res.Message, err.Error())
	case err != nil:
		res.Err = &provision.Error{
			Vendor: j.t.Vendor.Name, Op: "create user", Kind: provision.ErrPartial,
			Message: "the roles were given, but the details were not stored", Err: err,
		}
	case changed && res.Outcome == Unchanged:
		res.Outcome = Updated
	}
	return res
}

func (j *job) detailPatch() provision.UserPatch {
	var p provision.UserPatch
	set := func(can provision.CapabilityName, value string, field **string) {
		if value != "" && j.t.Vendor.Can(can) {
			*field = &value
		}
	}
	set(provision.CanStoreName, j.Spec.FirstName, &p.FirstName)
	set(provision.CanStoreName, j.Spec.LastName, &p.LastName)
	set(provision.CanStorePhone, j.Spec.Phone, &p.Phone)
	return p
}

func (r *run) changeRoles(ctx context.Context, j *job) Result {
	return r.roles(ctx, j, j.roleChange())
}

// roles changes roles. When the answer is lost it asks again, which is safe
// because ChangeRoles reads before it sends.
func (r *run) roles(ctx context.Context, j *job, c provision.RoleChange) Result {
	got, err := j.t.Provisioner.ChangeRoles(ctx, j.Login, c)
	return r.settleRoles(ctx, j, c, got, err)
}

// settleRoles makes a result of what a role change returned.
func (r *run) settleRoles(ctx context.Context, j *job, c provision.RoleChange, got provision.RoleResult, err error) Result {
	if provision.KindOf(err) == provision.ErrUncertain {
		sent := got
		err = r.again(ctx, err, func() error {
			left, again := j.stillToRevoke(ctx, c)
			if again == nil {
				got, again = j.t.Provisioner.ChangeRoles(ctx, j.Login, left)
			}
			return again
		})
		got.Granted = union(sent.Granted, got.Granted)
		got.Revoked = union(sent.Revoked, got.Revoked)
		got.Activated = got.Activated || sent.Activated
	}
	if err != nil {
		res := failed(err)
		if provision.KindOf(err) == provision.ErrPartial {
			res.RolesAdded, res.RolesRemoved = got.Granted, got.Revoked
		}
		return res
	}
	res := unchanged(got.User, "")
	res.RolesAdded, res.RolesRemoved = got.Granted, got.Revoked
	if got.Changed() {
		res.Outcome = j.roleOutcome(got)
	}
	return res
}

// stillToRevoke is a change without the roles that have gone already. Of such a
// role something inherited may be left, which it would be wrong to revoke.
func (j *job) stillToRevoke(ctx context.Context, c provision.RoleChange) (provision.RoleChange, error) {
	if len(c.Revoke) == 0 {
		return c, nil
	}
	u, err := j.t.Provisioner.User(ctx, j.Login)
	held := u.DirectRoles()
	c.Revoke = slices.DeleteFunc(slices.Clone(c.Revoke), func(id string) bool { return !slices.Contains(held, id) })
	return c, err
}

func (j *job) roleOutcome(got provision.RoleResult) Outcome {
	switch {
	case j.Action == SetRoles:
		return Updated
	case len(got.Granted) > 0 || got.Activated:
		return Granted
	default:
		return Revoked
	}
}

// updateAll changes details, then roles where the change has any.
func (r *run) updateAll(ctx context.Context, j *job) Result {
	res := r.update(ctx, j)
	if res.Err != nil || len(j.grant)+len(j.revoke) == 0 {
		return res
	}
	then := r.changeRoles(ctx, j)
	if then.Err != nil {
		then.Err = &provision.Error{
			Vendor: j.t.Vendor.Name, Op: "update user", Kind: provision.ErrPartial,
			Message: "the details were changed, but not the roles", Err: then.Err,
		}
		return then
	}
	then.Outcome = Updated
	return then
}

func (r *run) update(ctx context.Context, j *job) Result {
	u, changed, err := j.t.Provisioner.UpdateUser(ctx, j.Login, j.Patch)
	if provision.KindOf(err) == provision.ErrUncertain {
		err = r.again(ctx, err, func() error {
			var again error
			u, _, again = j.t.Provisioner.UpdateUser(ctx, j.Login, j.Patch)
			changed = true // by the first attempt or by this one
			return again
		})
	}
	if err != nil {
		return failed(err)
	}
	res := unchanged(u, "")
	if changed {
		res.Outcome = Updated
	}
	return res
}

func (r *run) remove(ctx context.Context, j *job) Result {
	got, err := j.t.Provisioner.DeleteUser(ctx, j.Login)
	switch provision.KindOf(err) {
	case provision.ErrUncertain:
		err = r.again(ctx, err, func() error {
			again, err := j.t.Provisioner.DeleteUser(ctx, j.Login)
			if errors.Is(err, provision.ErrNotFound) {
				got.Deleted = true
				return nil
			}
			again.Revoked = union(got.Revoked, again.Revoked)
			again.Unchanged = false // what is gone went with the first attempt
			got = again
			return err
		})
	case provision.ErrNotFound:
		if j.IfExists {
			return Result{Outcome: Absent}
		}
	}
	if err != nil {
		res := failed(err)
		res.RolesRemoved = got.Revoked
		return res
	}
	res := Result{Outcome: Revoked, ID: got.ID, RolesRemoved: got.Revoked, Residual: got.Residual}
	switch {
	case got.Deleted:
		res.Outcome = Deleted
	case got.Unchanged && len(got.Residual) == 0:
		res.Outcome = Unchanged
	}
	return res
}

// reset is never repeated: each one sends another mail.
func (r *run) reset(ctx context.Context, j *job, what provision.Credential) Result {
	if err := j.t.Provisioner.Reset(ctx, j.Login, what); err != nil {
		return failed(err)
	}
	return Result{Outcome: Updated}
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func join(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return strings.Join(parts, "; ")
}
