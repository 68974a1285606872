package cli

import (
	"context"
	"fmt"
	"sync"

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
	ctx, _, cancel := a.interruptible(ctx)
	defer cancel()
	answers := make([]answer, len(targets))
	bar := a.newProgress("read", 0)
	var wg sync.WaitGroup
	for i, t := range targets {
		wg.Go(func() {
			answers[i].err = ask(ctx, t, func(item any) error {
				answers[i].items = append(answers[i].items, item)
				bar.add()
				return nil
			})
		})
	}
	wg.Wait()
	bar.close()
	return a.show(kind, login, targets, answers)
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
	var statuses []int
	for i, t := range targets {
		for _, item := range answers[i].items {
			if err := w.Item(item); err != nil {
				return err
			}
		}
		statuses = append(statuses, exitStatus(answers[i].err))
		if answers[i].err == nil {
			continue
		}
		if err := w.Fail(render.ItemError{
			Tenant: t.Tenant, Vendor: t.Vendor.Name, Login: login, Error: render.ErrorOf(answers[i].err),
		}); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	for i, t := range targets {
		if answers[i].err != nil {
			err := answers[i].err
			if t.Tenant != t.Vendor.Name { // the error names the vendor
				err = fmt.Errorf("%s: %w", t.Tenant, err)
			}
			a.complain(err)
		}
	}
	return silently(combined(statuses))
}
