package plan

import (
	"context"
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// The names of details in a Difference.
const (
	detailFirstName = "first-name"
	detailLastName  = "last-name"
	detailPhone     = "phone"
	detailExpires   = "expires"
	detailPassword  = "password"
)

// Passwords gives the first password of a new account: what the reference means
// or, without one, a generated password.
type Passwords func(ctx context.Context, d Difference, reference string) (provision.Secret, error)

// Enact carries out differences and returns a result for each, in their order.
// It is Apply, with its errors, for what Compare found.
func Enact(ctx context.Context, targets []Target, differences []Difference, passwords Passwords, o Options) ([]Result, error) {
	vendors := map[string]*provision.Vendor{}
	for _, t := range targets {
		vendors[t.Tenant] = t.Vendor
	}
	results := make([]Result, len(differences))
	var changes []Change
	var where []int
	for i, d := range differences {
		results[i] = d.result()
		if d.Outcome != Planned {
			continue
		}
		c, err := d.change(ctx, vendors[d.Tenant], passwords)
		if err != nil {
			return nil, err
		}
		changes = append(changes, c)
		where = append(where, i)
	}
	if o.Done != nil {
		for _, r := range results {
			if r.Outcome != Planned {
				o.Done(r)
			}
		}
	}
	done, err := Apply(ctx, targets, changes, o)
	if err != nil {
		return nil, err
	}
	for n, i := range where {
		message := results[i].Message
		results[i] = done[n]
		results[i].Message = join(done[n].Message, message)
	}
	return results, nil
}

// result is what becomes of a difference that is not carried out.
func (d Difference) result() Result {
	action := SetRoles
	switch d.Action {
	case DiffCreate:
		action = CreateUser
	case DiffUpdate:
		action = UpdateUser
	case DiffDelete:
		action = DeleteUser
	}
	outcome := d.Outcome
	if outcome == Unchanged && d.Seen == fingerprint(nil) {
		action, outcome = DeleteUser, Absent // nobody is there, and nobody is wanted
	}
	return Result{
		Tenant: d.Tenant, Vendor: d.Vendor, Login: d.Login, Action: action,
		Outcome: outcome, Message: d.Message, Err: d.Err,
	}
}

// change is the change that a difference asks for.
func (d Difference) change(ctx context.Context, v *provision.Vendor, passwords Passwords) (Change, error) {
	c := Change{Tenant: d.Tenant, Login: d.Login, Action: d.result().Action, TakesAll: d.TakesAll}
	expires, err := d.expires()
	if err != nil {
		return c, err
	}
	options := provision.Options{}
	for name, value := range d.Details {
		if option, ok := strings.CutPrefix(name, v.Name+"."); ok {
			options[option] = value
		}
	}
	switch d.Action {
	case DiffCreate:
		c.IfNotExists, c.Converge = true, true
		c.Spec = provision.UserSpec{
			FirstName: d.Details[detailFirstName], LastName: d.Details[detailLastName], Phone: d.Details[detailPhone],
			Roles: raw(d.RolesAdded), Expires: expires, Options: options,
		}
		if v.PasswordRule != nil {
			c.Spec.Password, err = passwords(ctx, d, d.Details[detailPassword])
		}
		return c, err
	case DiffDelete:
		c.IfExists = true
		return c, nil
	}
	c.Roles = provision.RoleChange{Grant: raw(d.RolesAdded), Revoke: raw(d.RolesRemoved), Expires: expires, Activate: true}
	if d.Action == DiffUpdate {
		detail := func(name string) *string {
			if value, ok := d.Details[name]; ok {
				return &value
			}
			return nil
		}
		c.Patch = provision.UserPatch{
			FirstName: detail(detailFirstName), LastName: detail(detailLastName), Phone: detail(detailPhone), Options: options,
		}
	}
	return c, nil
}

func (d Difference) expires() (time.Time, error) {
	text := d.Details[detailExpires]
	if text == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, text)
}

// raw marks ids to be sent as they are.
func raw(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = provision.RawRolePrefix + id
	}
	return out
}

// MarkStale marks the differences whose account is no longer as it was seen. Both
// lists are about the same people; now comes from wanting nothing of them.
func MarkStale(planned, now []Difference) []Difference {
	present := map[string]Difference{}
	for _, d := range now {
		present[d.Tenant+"\x00"+provision.FoldLogin(d.Login)] = d
	}
	out := make([]Difference, len(planned))
	for i, d := range planned {
		key := d.Tenant + "\x00" + provision.FoldLogin(d.Login)
		out[i] = d
		is := present[key]
		// Wanting nothing of somebody takes all there is to take.
		out[i].TakesAll = d.Action == DiffDelete ||
			len(d.RolesAdded) == 0 && len(d.RolesRemoved) > 0 && slices.Equal(d.RolesRemoved, is.RolesRemoved)
		switch {
		case d.Outcome != Planned:
		case is.Outcome == Failed && is.Seen == fingerprint(nil): // nothing could be read
			out[i].Outcome, out[i].Err = Failed, is.Err
		case d.Action == DiffCreate && is.Outcome == Invited: // since the plan was made
			out[i].Outcome, out[i].Message = Invited, is.Message
		case is.Seen != d.Seen:
			out[i].Outcome = Stale
			out[i].Err = &provision.Error{
				Vendor: d.Vendor, Op: "apply", Kind: provision.ErrConflict, Message: d.Login + " has changed since it was planned",
				Hint: "plan again",
			}
		}
	}
	return out
}
