package plan

import (
	"context"
	"errors"
	"slices"
	"time"

	"edrctl/internal/provision"
)

// maxCreates is how often a create is sent when its answer is lost each time.
const maxCreates = 3

// settleCreate finds out what became of a create whose answer was lost. It
// sends the create again only when reading has shown that it did not happen.
func (r *run) settleCreate(ctx context.Context, j *job, lost error) Result {
	began := r.o.Now()
	for sent := 1; ; sent++ {
		u, err := r.look(ctx, j)
		switch {
		case err == nil && j.existedBefore(u, began) && j.IfNotExists:
			return r.found(ctx, j, u)
		case err == nil && j.existedBefore(u, began):
			return failed(&provision.Error{
				Vendor: j.t.Vendor.Name, Op: "create user", Kind: provision.ErrExists, Message: "the account was there before this command",
			})
		case err == nil:
			return r.complete(ctx, j, u, lost)
		case !errors.Is(err, provision.ErrNotFound), errors.Is(lost, provision.ErrExists), sent == maxCreates:
			return r.unsettled(lost, err)
		case !j.t.Vendor.ListsPending:
			return r.unsettled(lost, errors.New("an invitation that is pending is in no list"))
		}
		u, err = j.t.Provisioner.CreateUser(ctx, j.spec())
		switch provision.KindOf(err) {
		case provision.ErrUncertain, provision.ErrExists:
			lost = err
		case provision.ErrPartial:
			return r.complete(ctx, j, u, err)
		default:
			if err != nil {
				return failed(err)
			}
			return j.created(u)
		}
	}
}

// existedBefore reports an account that was there before this command asked
// for it, as far as the vendor tells. Clocks may differ by a few minutes. Where
// the vendor does not say when an account was made, its roles tell: a new one
// has none but those that were asked for, and all of them if they travelled with
// the request. An apply has read that there was nobody.
func (j *job) existedBefore(u provision.User, began time.Time) bool {
	const slack = 5 * time.Minute
	if !u.Created.IsZero() {
		return u.Created.Before(began.Add(-slack))
	}
	if j.Converge {
		return false
	}
	held := u.DirectRoles()
	isNot := func(in []string) func(string) bool {
		return func(id string) bool { return !slices.Contains(in, id) }
	}
	travelled := !j.t.Vendor.ListsPending // with the invitation
	return slices.ContainsFunc(held, isNot(j.grant)) || travelled && slices.ContainsFunc(j.grant, isNot(held))
}

// look reads a user until it is there, or every look has found nothing.
func (r *run) look(ctx context.Context, j *job) (provision.User, error) {
	var u provision.User
	var err error
	for _, pause := range r.o.Looks {
		if sleep(ctx, pause) != nil {
			return u, errors.Join(err, ctx.Err())
		}
		if u, err = j.t.Provisioner.User(ctx, j.Login); err == nil {
			return u, nil
		}
	}
	return u, err
}

// again repeats a change that begins by reading, until its outcome is known or
// the looks are used up. An attempt that could not even read leaves open what
// became of the first.
func (r *run) again(ctx context.Context, lost error, change func() error) error {
	err := lost
	for _, pause := range r.o.Looks {
		if sleep(ctx, pause) != nil {
			return lost
		}
		if err = change(); err == nil {
			return nil
		}
		switch provision.KindOf(err) {
		case provision.ErrUncertain, provision.ErrUnavailable, provision.ErrInternal:
		case provision.ErrRateLimited, provision.ErrUnauthenticated, provision.ErrForbidden, provision.ErrUntrusted, provision.ErrInterrupted:
			return errors.Join(lost, err) // so will the next
		default:
			return err
		}
	}
	if provision.KindOf(err) != provision.ErrUncertain {
		return errors.Join(lost, err)
	}
	return err
}

func (r *run) unsettled(lost, reading error) Result {
	res := failed(&provision.Error{
		Kind: provision.ErrUncertain, Message: "it may have happened, and reading back did not settle it",
		Hint: "look at the user in the console, then run the command again with --if-not-exists",
		Err:  errors.Join(lost, reading),
	})
	return res
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
