package plan

import (
	"context"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"edrctl/internal/provision"
)

// perBatch is how many role changes are handed to an adapter at once; between
// batches a run can be stopped.
const perBatch = 200

// batch carries out the role changes of a tenant together, where its adapter
// can. Everything else is left for one by one.
func (r *run) batch(ctx context.Context, t *tenant) {
	batcher, ok := t.Provisioner.(provision.RoleBatcher)
	if !ok || r.o.DryRun {
		return
	}
	jobs := slices.DeleteFunc(slices.Clone(t.jobs), func(j *job) bool { return j.settled || !j.rolesOnly() })
	if len(jobs) < 2 {
		return
	}
	for chunk := range slices.Chunk(jobs, perBatch) {
		r.batchOf(ctx, batcher, r.beginAll(ctx, chunk))
	}
}

// rolesOnly reports a change that is one of roles and nothing else.
func (j *job) rolesOnly() bool {
	switch j.Action {
	case GrantRoles, RevokeRoles, SetRoles:
		return true
	case CreateUser:
		return !j.t.Vendor.Can(provision.CanCreateUser)
	}
	return false
}

// beginAll records the changes, side by side so that they share writes to the
// disk, and returns those that may be sent.
func (r *run) beginAll(ctx context.Context, jobs []*job) []*job {
	ready := make([]bool, len(jobs))
	var all errgroup.Group
	all.SetLimit(16)
	for i, j := range jobs {
		all.Go(func() error {
			var res Result
			if res, ready[i] = r.begin(ctx, j); !ready[i] {
				r.finish(j, res)
			}
			return nil
		})
	}
	_ = all.Wait() // none returns an error
	var begun []*job
	for i, j := range jobs {
		if ready[i] {
			begun = append(begun, j)
		}
	}
	return begun
}

func (r *run) batchOf(ctx context.Context, batcher provision.RoleBatcher, jobs []*job) {
	changes := make([]provision.UserRoleChange, len(jobs))
	for i, j := range jobs {
		changes[i] = provision.UserRoleChange{Login: j.Login, Change: j.roleChange()}
		if j.Action == CreateUser {
			changes[i].Change = j.adoption()
		}
	}
	if len(changes) == 0 {
		return
	}
	var receipt atomic.Value
	outcomes := batcher.ChangeRolesOf(provision.WithReceipts(ctx, func(id string) { receipt.Store(id) }), changes)
	var all errgroup.Group
	all.SetLimit(16)
	for i, j := range jobs {
		all.Go(func() error {
			res := r.settleRoles(ctx, j, changes[i].Change, outcomes[i].Result, outcomes[i].Err)
			if j.Action == CreateUser {
				res = r.adopted(ctx, j, res)
			}
			res.RequestID, _ = receipt.Load().(string)
			r.finish(j, r.conclude(j, res)())
			return nil
		})
	}
	_ = all.Wait() // none returns an error
}
