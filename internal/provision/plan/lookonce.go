package plan

import (
	"context"
	"errors"
	"fmt"

	"edrctl/internal/provision"
)

// lookOnce reads a tenant after many changes that were not looked at one by one,
// and corrects the results: somebody who was invited may be listed already, and
// what the vendor accepted and does not show is unknown.
func (r *run) lookOnce(ctx context.Context, t *tenant) {
	left := map[string]*job{}
	for _, j := range t.jobs {
		if j.end != nil && r.results[j.index].unseen() {
			left[provision.FoldLogin(j.Login)] = j
		}
	}
	var reading error
	for _, pause := range r.o.Looks {
		if len(left) == 0 || sleep(ctx, pause) != nil {
			break
		}
		var users map[string]provision.User
		if users, reading = listed(ctx, t, left); reading != nil {
			continue
		}
		var records []func() error
		for key, j := range left {
			if u, there := users[key]; j.shows(u, there) {
				records = append(records, r.seen(j, u, there))
				delete(left, key)
			}
		}
		for _, written := range records {
			_ = written() // the change itself is on record
		}
	}
	for _, j := range left {
		r.notSeen(j, reading)
	}
}

// unseen reports a result that stands on the vendor's word alone.
func (res Result) unseen() bool {
	switch res.Outcome {
	case Created, Invited, Updated, Granted, Revoked, Deleted:
		return res.Err == nil
	}
	return false
}

// listed are the people of some changes as the tenant shows them, by folded
// login.
func listed(ctx context.Context, t *tenant, changed map[string]*job) (map[string]provision.User, error) {
	users := map[string]provision.User{}
	only := func(login string) bool { return changed[provision.FoldLogin(login)] != nil }
	for u, err := range t.Provisioner.Users(ctx, provision.Filter{Only: only}) {
		if err != nil {
			return nil, err
		}
		if only(u.Login) {
			users[provision.FoldLogin(u.Login)] = u
		}
	}
	return users, nil
}

// shows reports whether a user is as the change was to make it.
func (j *job) shows(u provision.User, there bool) bool {
	v := j.t.Vendor
	switch {
	case j.Action == DeleteUser:
		return !there || v.Capability(provision.CanDeleteUser).Level == provision.Emulated && len(u.DirectRoles()) == 0
	case j.Action == CreateUser && !there:
		return !v.ListsPending // an invitation that is pending
	case !there:
		return false
	}
	c := j.roleChange()
	if j.Action == CreateUser {
		c = provision.RoleChange{Grant: j.grant, Expires: j.Spec.Expires, Options: j.Spec.Options}
	}
	if j.Action == UpdateUser && !j.Patch.Satisfied(u) {
		return false
	}
	d, err := v.Plan(u, c)
	return err == nil && d.Empty()
}

// seen completes the result of somebody who was invited and is listed already.
// What it returns waits for the record.
func (r *run) seen(j *job, u provision.User, there bool) (written func() error) {
	res := &r.results[j.index]
	if !there || res.Outcome != Invited {
		return func() error { return nil }
	}
	res.Outcome, res.ID, res.Login, res.Message = Created, u.ID, u.Login, j.notStored()
	return j.end(*res)
}

func (r *run) notSeen(j *job, reading error) {
	res := &r.results[j.index]
	message := fmt.Sprintf("%s accepted it, but does not show it", j.t.Vendor.Name)
	if reading != nil {
		message = fmt.Sprintf("%s accepted it, but could not be read afterwards", j.t.Vendor.Name)
	}
	res.Outcome = Unknown
	res.Err = errors.Join(&provision.Error{
		Vendor: j.t.Vendor.Name, Op: string(j.Action), Kind: provision.ErrUncertain, Message: message, Err: reading,
		Hint: "run it again; what is done is left as it is",
	}, j.end(*res)())
}
