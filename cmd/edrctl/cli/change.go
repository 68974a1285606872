package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
)

// change makes the same change to each login in each selected tenant and shows
// the results. The build function gives the change for one tenant; tenant and
// login are filled in.
func (a *app) change(ctx context.Context, logins []string, build func(t plan.Target, login string) (plan.Change, error)) error {
	targets, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer a.signOut(targets)
	var changes []plan.Change
	for _, login := range logins {
		login = strings.TrimSpace(login)
		for _, t := range targets {
			c, err := build(t, login)
			if err != nil {
				return err
			}
			c.Tenant, c.Login = t.Tenant, login
			changes = append(changes, c)
		}
	}
	return a.apply(ctx, targets, changes)
}

func (a *app) apply(ctx context.Context, targets []plan.Target, changes []plan.Change) error {
	results, err := a.carryOut(ctx, targets, len(changes), noFlag, func(ctx context.Context, o plan.Options) ([]plan.Result, error) {
		return plan.Apply(ctx, targets, changes, o)
	})
	if err != nil {
		return err
	}
	if err := a.showResults(results); err != nil {
		return err
	}
	return silently(resultsStatus(results))
}

// carryOut has changes made, with guards, record, confirmation and progress.
func (a *app) carryOut(
	ctx context.Context, targets []plan.Target, total, maxDeletes int,
	work func(ctx context.Context, o plan.Options) ([]plan.Result, error),
) ([]plan.Result, error) {
	ctx, stop, cancel := a.interruptible(ctx)
	defer cancel()
	record, err := a.newJournal(targets)
	if err != nil {
		return nil, err
	}
	guards := plan.Guards{Protected: a.file.Guards.Protected, MaxDeletes: a.file.Guards.MaxDeletes, AllowLockout: a.flags.lockout}
	if maxDeletes != noFlag {
		guards.MaxDeletes = maxDeletes
	}
	bar := a.newProgress("changes done", total)
	results, err := work(ctx, plan.Options{
		DryRun: a.flags.dryRun, Parallel: a.flags.parallel, Stop: stop, Guards: guards, Journal: record, Now: a.Now, Looks: a.Looks,
		Done: func(plan.Result) { bar.add() },
		Confirm: func(ctx context.Context, q plan.Question) error {
			bar.close()
			defer func() { bar = a.newProgress("changes done", total) }()
			return a.confirm(ctx, q)
		},
	})
	bar.close()
	if trouble := a.passwords.settle(results); trouble != nil {
		a.say("warning: %v; it also has passwords that are nobody's", trouble)
	}
	return results, err
}

// showResults writes results to stdout, and what went wrong to stderr.
func (a *app) showResults(results []plan.Result) error {
	items := make([]render.ResultItem, len(results))
	for i, res := range results {
		items[i] = resultItem(res)
	}
	err := render.Write(a.Out, render.Document{Kind: render.KindResultList, Items: items}, a.renderOptions())
	if errors.Is(err, provision.ErrUsage) && !a.flags.dryRun {
		// Status 2 would say that nothing was changed.
		err = &provision.Error{
			Kind: provision.ErrInternal, Message: "the changes were made, but cannot be shown", Err: err,
			Hint: "`edrctl audit list` shows them",
		}
	}
	a.complainResults(results)
	return err
}

func resultItem(r plan.Result) render.ResultItem {
	return render.ResultItem{
		Tenant: r.Tenant, Vendor: r.Vendor, Login: r.Login, Action: string(r.Action), Outcome: string(r.Outcome),
		ID: r.ID, RolesAdded: r.RolesAdded, RolesRemoved: r.RolesRemoved, ResidualAccess: r.Residual,
		Message: r.Message, Error: render.ErrorOf(r.Err),
	}
}

// complainResults writes what went wrong, with hints, to stderr. The structured
// formats carry it too; people read stderr all the same.
func (a *app) complainResults(results []plan.Result) {
	for _, r := range results {
		if r.Err == nil {
			continue
		}
		a.complain(inTenant(r.Tenant, r.Vendor, r.Err, fmt.Errorf("%s: %w", r.Login, r.Err)))
	}
}

// inTenant puts the tenant before an error, as it is shown, unless it is named
// like its vendor and the error names that.
func inTenant(tenant, vendor string, err, shown error) error {
	if tenant == vendor && strings.Contains(err.Error(), vendor+": ") {
		return shown
	}
	return fmt.Errorf("%s: %w", tenant, shown)
}

// optionsFor picks a vendor's options out of --set vendor.name=value.
func (a *app) optionsFor(vendor string, sets []string) (provision.Options, error) {
	options := provision.Options{}
	for _, s := range sets {
		key, value, ok := strings.Cut(s, "=")
		owner, name, dotted := strings.Cut(key, ".")
		if !ok || !dotted {
			return nil, provision.Usagef("--set takes vendor.option=value, not %q", key)
		}
		if !slices.ContainsFunc(a.Vendors, func(v provision.Vendor) bool { return v.Name == owner }) {
			return nil, provision.Usagef("--set %s: there is no vendor %q; there are %s", key, owner, strings.Join(a.vendorNames(), ", "))
		}
		if owner == vendor {
			options[name] = value
		}
	}
	return options, nil
}

func (a *app) vendorNames() []string {
	var names []string
	for _, v := range a.Vendors {
		names = append(names, v.Name)
	}
	return names
}

func joinSorted(set map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(set)), ", ")
}
