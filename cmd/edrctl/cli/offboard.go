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
removed by hand. Ends with 0 only when nothing is left.

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
	t      plan.Target
	login  string
	before *provision.User
	after  *provision.User
	result plan.Result
}

func runOffboard(ctx context.Context, a *app, opts offboardOptions) error {
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
		d.before = u
		if err != nil {
			d.result = failedDeparture(d, err)
		}
	})
	if err := a.takeAccess(ctx, targets, all, logins, opts); err != nil {
		return err
	}
	if !a.flags.dryRun {
		a.readBack(ctx, all, opts)
	}
	var results []plan.Result
	for _, d := range all {
		d.note(opts.keepAccount, invited(d.t.Tenant, d.login))
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
	if err != nil {
		return err
	}
	for i, r := range deleted {
		present[i].merge(r)
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
	if r.Outcome == plan.Revoked && d.result.Outcome == plan.Failed && r.Err == nil {
		d.result.Err = nil
	}
	r.RolesRemoved = slices.Compact(roles)
	d.result = r
}

// readBack looks until what was taken is gone, or the wait is over.
func (a *app) readBack(ctx context.Context, all []*departure, opts offboardOptions) {
	deadline := a.Now().Add(opts.wait)
	left := slices.DeleteFunc(slices.Clone(all), func(d *departure) bool { return d.before == nil || d.result.Err != nil })
	for pause := time.Second; len(left) > 0; pause = min(2*pause, 10*time.Second) {
		a.lookAtAll(ctx, left, func(d *departure, u *provision.User, err error) {
			d.after = u
			if err != nil {
				d.result.Err = err
			}
		})
		left = slices.DeleteFunc(left, func(d *departure) bool { return d.result.Err != nil || d.gone(opts.keepAccount) })
		if len(left) == 0 || a.Now().Add(pause).After(deadline) {
			break
		}
		a.log.InfoContext(ctx, "still shown; looking again", "people", len(left), "in", pause)
		if waitFor(ctx, pause) != nil {
			break
		}
	}
	for _, d := range left {
		d.result.Outcome = plan.Unknown
		d.result.Err = &provision.Error{
			Vendor: d.t.Vendor.Name, Op: "offboard", Kind: provision.ErrUncertain,
			Message: fmt.Sprintf("accepted, but still shown after %s", opts.wait), Hint: "run it again in a while",
		}
	}
}

// gone reports whether nothing is left that could have been taken.
func (d *departure) gone(keep bool) bool {
	switch {
	case d.after == nil:
		return true
	case keep || d.result.Outcome != plan.Deleted:
		return len(d.after.DirectRoles()) == 0
	}
	return false
}

// note adds what remains to the result: roles through groups, and an invitation
// that is pending.
func (d *departure) note(keep, invited bool) {
	if d.result.Err != nil {
		return
	}
	if d.before == nil && invited {
		d.result.Outcome = plan.Revoked
		d.result.Residual = []provision.Residual{{Kind: "invitation", Name: d.login}}
		d.result.Message = "an invitation is pending; withdraw it in the console, or offboard again once it is taken up"
		return
	}
	if d.after == nil || d.result.Outcome == plan.Deleted {
		return
	}
	if d.result.Outcome == plan.Unchanged {
		d.result.Outcome = plan.Revoked
	}
	for _, r := range d.after.Roles {
		one := provision.Residual{Kind: "role", Name: r.Name}
		if r.Via != "" {
			one = provision.Residual{Kind: "group", Name: r.Via}
		}
		if !slices.Contains(d.result.Residual, one) {
			d.result.Residual = append(d.result.Residual, one)
		}
	}
	if keep {
		d.result.Message = "the account remains"
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
