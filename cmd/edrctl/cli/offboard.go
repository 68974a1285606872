package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

type offboardOptions struct {
	logins      []string
	keepAccount bool
	evidence    string
	wait        time.Duration
}

func newOffboardCmd(a *app) *cobra.Command {
	var opts offboardOptions
	cmd := &cobra.Command{
		Use:   "offboard <email>...",
		Short: "Take all access from people, everywhere",
		Long: `Take all access from people in all tenants: roles first, then the account. Then
read back until it shows, or the wait is over, and say what remains and has to be
removed by hand. Ends with 0 only when nothing is left. Sessions that are open end
when the console ends them: no vendor has a call for that.

On a terminal the login, or the number of people, must be typed; without one it
needs --yes.`,
		Example: `  edrctl offboard tomas.keller@example.com
  edrctl offboard tomas.keller@example.com --evidence tomas.json --yes
  edrctl offboard tomas.keller@example.com --keep-account --wait 5m --yes`,
		Args:              wants(1, -1),
		ValidArgsFunction: a.completeArgs(false),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			opts.logins = args
			return runOffboard(cmd.Context(), a, opts)
		}),
	}
	f := cmd.Flags()
	f.BoolVar(&opts.keepAccount, "keep-account", false, "stop after the roles")
	f.StringVar(&opts.evidence, "evidence", "", "write what was there before and after to this new `file`")
	f.DurationVar(&opts.wait, "wait", 90*time.Second, "how long to wait until the vendors show it")
	return cmd
}

// departure is one person in one tenant, on the way out.
type departure struct {
	t     plan.Target
	login string
	// before and after are what was read, nil for nobody; the times say when, and
	// are zero where it could not be read.
	before, after     *provision.User
	beforeAt, afterAt time.Time
	// unread is why the last look failed.
	unread error
	result plan.Result
}

func runOffboard(ctx context.Context, a *app, opts offboardOptions) error {
	if opts.wait < 0 {
		return provision.Usagef("--wait is no negative time")
	}
	if len(a.flags.tenants) == 0 {
		a.flags.allTenants = true
	}
	logins, err := distinctLogins(opts.logins)
	if err != nil {
		return err
	}
	targets, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer a.signOut(targets)
	invited, err := a.invitations()
	if err != nil {
		return err
	}
	report, err := a.newEvidence(opts.evidence)
	if err != nil {
		return err
	}
	var all []*departure
	for _, login := range logins {
		for _, t := range targets {
			all = append(all, &departure{t: t, login: login})
		}
	}
	a.lookAtAll(ctx, all, func(d *departure, u *provision.User, err error) {
		if err != nil {
			d.result = failedDeparture(d, err)
			return
		}
		d.before, d.beforeAt = u, a.Now().UTC()
	})
	if err := a.takeAccess(ctx, targets, all, logins, opts); err != nil {
		return errors.Join(err, report.discard())
	}
	if !a.flags.dryRun {
		a.readBack(ctx, all, opts)
	}
	var results []plan.Result
	for _, d := range all {
		d.note(opts.keepAccount, a.flags.dryRun, invited(d.t.Tenant, d.login))
		results = append(results, d.result)
	}
	if err := errors.Join(report.write(a, all), a.showResults(results)); err != nil {
		return err
	}
	return silently(resultsStatus(results))
}

func distinctLogins(given []string) ([]string, error) {
	var logins []string
	for _, login := range given {
		login = strings.TrimSpace(login)
		if err := provision.CheckLogin(login); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(logins, func(l string) bool { return provision.SameLogin(l, login) }) {
			logins = append(logins, login)
		}
	}
	return logins, nil
}

// lookAtAll reads each person in each tenant, the tenants side by side. Somebody
// who is not listed is nil.
func (a *app) lookAtAll(ctx context.Context, all []*departure, found func(d *departure, u *provision.User, err error)) {
	var tenants []plan.Target
	byTenant := map[string][]*departure{}
	for _, d := range all {
		if byTenant[d.t.Tenant] == nil {
			tenants = append(tenants, d.t)
		}
		byTenant[d.t.Tenant] = append(byTenant[d.t.Tenant], d)
	}
	eachTarget(tenants, func(_ int, t plan.Target) {
		for _, d := range byTenant[t.Tenant] {
			u, err := t.Provisioner.User(ctx, d.login)
			switch {
			case err == nil:
				found(d, &u, nil)
			case errors.Is(err, provision.ErrNotFound):
				found(d, nil, nil)
			default:
				found(d, nil, err)
			}
		}
	})
}

func failedDeparture(d *departure, err error) plan.Result {
	return plan.Result{
		Tenant: d.t.Tenant, Vendor: d.t.Vendor.Name, Login: d.login, Action: plan.DeleteUser, Outcome: plan.Failed, Err: err,
	}
}

// takeAccess revokes all roles, so that access ends even if the account cannot
// be deleted, then deletes the accounts. Who could not be read is left alone.
func (a *app) takeAccess(ctx context.Context, targets []plan.Target, all []*departure, logins []string, opts offboardOptions) error {
	var present []*departure
	var removals []plan.Change
	for _, d := range all {
		switch {
		case d.result.Err != nil:
		case d.before == nil:
			d.result = plan.Result{
				Tenant: d.t.Tenant, Vendor: d.t.Vendor.Name, Login: d.login, Action: plan.DeleteUser, Outcome: plan.Absent,
			}
		default:
			present = append(present, d)
			removals = append(removals, plan.Change{
				Tenant: d.t.Tenant, Login: d.login, Action: plan.RevokeRoles, Roles: provision.RoleChange{All: true},
			})
		}
	}
	confirm := func(context.Context, plan.Question) error { return a.confirmOffboard(logins, opts.keepAccount) }
	revoked, err := a.carryOutConfirmed(ctx, targets, removals, confirm)
	if err != nil {
		return err
	}
	for i, r := range revoked {
		present[i].result = r
	}
	if opts.keepAccount {
		return nil
	}
	deletions := slices.Clone(removals)
	for i := range deletions {
		deletions[i].Action, deletions[i].Roles, deletions[i].IfExists = plan.DeleteUser, provision.RoleChange{}, true
	}
	deleted, err := a.carryOutConfirmed(ctx, targets, deletions, nil)
	for i, d := range present {
		if err != nil { // roles have gone already, which has to be told
			d.merge(failedDeparture(d, err))
			continue
		}
		d.merge(deleted[i])
	}
	return nil
}

func (a *app) carryOutConfirmed(
	ctx context.Context, targets []plan.Target, changes []plan.Change, confirm func(context.Context, plan.Question) error,
) ([]plan.Result, error) {
	return a.carryOut(ctx, targets, len(changes), noFlag, func(ctx context.Context, o plan.Options) ([]plan.Result, error) {
		o.Confirm = confirm
		return plan.Apply(ctx, targets, changes, o)
	})
}

// confirmOffboard wants the login, or the number of people, typed.
func (a *app) confirmOffboard(logins []string, keep bool) error {
	want, who := strconv.Itoa(len(logins)), strconv.Itoa(len(logins))+" people"
	if len(logins) == 1 {
		want, who = logins[0], logins[0]
	}
	what := "take all access from " + who + " and delete the accounts"
	if keep {
		what = "take all roles from " + who
	}
	return a.confirmTyped(what, want)
}

// merge takes over how the deletion ended. A role that went before the account
// counts as removed.
func (d *departure) merge(r plan.Result) {
	roles := slices.Concat(d.result.RolesRemoved, r.RolesRemoved)
	slices.Sort(roles)
	if r.RequestID == "" {
		r.RequestID = d.result.RequestID
	}
	if r.ID == "" {
		r.ID = d.result.ID
	}
	switch {
	case len(roles) == 0:
	case r.Outcome == plan.Unchanged:
		r.Outcome = plan.Revoked
	case r.Outcome == plan.Failed || r.Outcome == plan.Skipped:
		r.Message = "the roles are gone, the account is not"
	}
	r.RolesRemoved = slices.Compact(roles)
	d.result = r
}

// readBack looks until what was taken is gone, or the wait is over. What the
// console shows goes before what it answered. Whoever has pressed Ctrl-C is not
// kept waiting.
func (a *app) readBack(ctx context.Context, all []*departure, opts offboardOptions) {
	if a.interrupts.isStopped() {
		return
	}
	deadline := a.Now().Add(opts.wait)
	left := slices.DeleteFunc(slices.Clone(all), func(d *departure) bool { return d.before == nil })
	for pause := time.Second; len(left) > 0; pause = min(2*pause, 10*time.Second) {
		a.lookAtAll(ctx, left, func(d *departure, u *provision.User, err error) {
			if d.unread = err; err == nil {
				d.after, d.afterAt = u, a.Now().UTC()
			}
		})
		left = slices.DeleteFunc(left, func(d *departure) bool { return d.settled(opts) })
		if len(left) == 0 || a.Now().Add(pause).After(deadline) {
			break
		}
		a.log.InfoContext(ctx, "still shown; looking again", "people", len(left), "in", pause)
		if err := waitFor(ctx, pause); err != nil {
			for _, d := range left {
				d.unread = &provision.Error{Kind: provision.ErrInterrupted, Message: "stopped by the user", Err: err}
			}
			break
		}
	}
	for _, d := range left {
		d.unsettled(opts.wait)
	}
}

// settled takes over what the last look has shown, and reports whether another
// look is of no use.
func (d *departure) settled(opts offboardOptions) bool {
	certain := d.result.Err != nil && !errors.Is(d.result.Err, provision.ErrUncertain)
	switch provision.KindOf(d.unread) {
	case provision.ErrUnauthenticated, provision.ErrForbidden, provision.ErrUntrusted, provision.ErrInterrupted:
		if !certain {
			d.unsettled(opts.wait)
		}
		return true
	}
	if d.unread != nil {
		return certain
	}
	gone := d.gone(opts.keepAccount)
	if d.result.Err != nil {
		d.result.RolesRemoved = d.removed()
	}
	if !gone {
		return certain
	}
	switch {
	case d.after == nil:
		d.result.Outcome = plan.Deleted
	case d.result.Err != nil:
		d.result.Outcome = plan.Revoked
	}
	if d.result.Err != nil {
		d.result.Err, d.result.Message = nil, ""
	}
	return true
}

// gone reports whether nothing is left that could have been taken.
func (d *departure) gone(keep bool) bool {
	switch {
	case d.after == nil:
		return true
	case keep:
		return len(d.after.DirectRoles()) == 0
	case d.t.Vendor.Capability(provision.CanDeleteUser).Level == provision.Emulated:
		return len(d.after.DirectRoles()) == 0 && d.after.Status != provision.StatusActive
	}
	return false
}

// removed are the direct roles that were there before and are not now.
func (d *departure) removed() []string {
	roles := d.before.DirectRoles()
	if d.after == nil {
		return roles
	}
	held := d.after.DirectRoles()
	return slices.DeleteFunc(roles, func(id string) bool { return slices.Contains(held, id) })
}

// unsettled says that the wait was not long enough.
func (d *departure) unsettled(wait time.Duration) {
	d.result.Outcome = plan.Unknown
	e := &provision.Error{
		Vendor: d.t.Vendor.Name, Op: "offboard", Kind: provision.ErrUncertain, Err: d.unread,
		Message: fmt.Sprintf("accepted, but still shown after %s", wait), Hint: "run it again in a while",
	}
	switch {
	case errors.Is(d.unread, provision.ErrInterrupted):
		e.Kind, e.Message = provision.ErrInterrupted, "stopped before it could be read back"
	case d.result.Err != nil && d.unread != nil:
		e.Message = "the answer was lost, and it could not be read back"
	case d.result.Err != nil:
		e.Message, e.Err = fmt.Sprintf("the answer was lost, and it is still shown after %s", wait), d.result.Err
	case d.unread != nil:
		e.Message = "accepted, but it could not be read back"
	}
	d.result.Err = e
}

// note adds what remains to the result, and where to remove it: roles, groups,
// and an invitation that is pending.
func (d *departure) note(keep, dryRun, invited bool) {
	if d.beforeAt.IsZero() {
		return
	}
	if d.before == nil && invited {
		d.result.Residual = []provision.Residual{{Kind: "invitation", Name: d.login}}
		d.result.Message = "an invitation is pending; withdraw it in the console, or offboard again once it is taken up"
		if !dryRun {
			d.result.Outcome = plan.Revoked
		}
		return
	}
	if d.after != nil {
		d.result.Residual = d.t.Vendor.Access(*d.after)
		if d.result.Outcome == plan.Unchanged && len(d.result.Residual) > 0 {
			d.result.Outcome = plan.Revoked
		}
	}
	var message []string
	if keep && d.after != nil && d.result.Err == nil {
		message = append(message, "the account remains")
	}
	if len(d.result.Residual) > 0 && d.t.Vendor.ByHand != "" {
		message = append(message, "remove by hand "+d.t.Vendor.ByHand)
	}
	if len(message) > 0 {
		d.result.Message = strings.Join(message, "; ")
	}
}

func waitFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
