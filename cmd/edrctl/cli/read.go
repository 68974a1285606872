package cli

import (
	"context"

	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
)

// read asks every selected tenant at once and shows the items in the order of
// the tenants. A tenant that fails stops none of the others.
func (a *app) read(ctx context.Context, kind, login string, ask func(ctx context.Context, t plan.Target, item func(any) error) error) error {
	targets, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer a.signOut(targets)
	answers := make([]answer, len(targets))
	bar := a.newProgress("read", 0)
	eachTarget(targets, func(i int, t plan.Target) {
		answers[i].err = ask(ctx, t, func(item any) error {
			answers[i].items = append(answers[i].items, item)
			bar.add()
			return nil
		})
	})
	bar.close()
	return a.show(kind, login, targets, answers)
}

// eachTarget works on all tenants at once.
func eachTarget(targets []plan.Target, work func(i int, t plan.Target)) {
	plan.SideBySide(len(targets), func(i int) { work(i, targets[i]) })
}

// answer is what one tenant had to say.
type answer struct {
	items []any
	err   error
}

func (a *app) show(kind, login string, targets []plan.Target, answers []answer) error {
	w, err := render.NewWriter(a.Out, render.Document{Kind: kind}, a.renderOptions())
	if err != nil {
		return err
	}
	for i, t := range targets {
		for _, item := range answers[i].items {
			if err := w.Item(item); err != nil {
				return err
			}
		}
		if answers[i].err == nil {
			continue
		}
		if err := w.Fail(itemError(t, login, answers[i].err)); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return silently(a.complainAnswers(targets, answers))
}

func itemError(t plan.Target, login string, err error) render.ItemError {
	return render.ItemError{Tenant: t.Tenant, Vendor: t.Vendor.Name, Login: login, Error: render.ErrorOf(err)}
}

// complainAnswers writes to stderr which tenants could not be read, and returns
// the status of all of them together.
func (a *app) complainAnswers(targets []plan.Target, answers []answer) int {
	statuses := make([]int, len(targets))
	for i, t := range targets {
		err := answers[i].err
		statuses[i] = exitStatus(err)
		if err != nil {
			a.complain(inTenant(t.Tenant, t.Vendor.Name, err, err))
		}
	}
	return combined(statuses)
}
