package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
)

type planOptions struct {
	rosterOptions
	out      string
	exitCode bool
}

func newPlanCmd(a *app) *cobra.Command {
	var opts planOptions
	cmd := &cobra.Command{
		Use:   "plan -f <roster>",
		Short: "Show what apply would do",
		Long: `Read a roster and the tenants it names, and show what apply would do. Nothing is
changed at any vendor, and no file is written but --out.`,
		Example: `  edrctl plan -f team.yaml
  edrctl plan -f team.yaml --prune --out team.plan.json
  edrctl plan -f team.csv -t falcon-prod --exit-code`,
		Args: wants(0, 0),
		RunE: a.run(func(cmd *cobra.Command, _ []string) error { return runPlan(cmd.Context(), a, opts) }),
	}
	opts.add(cmd)
	cmd.Flags().StringVar(&opts.out, "out", "", "write the plan to this `file`, for `edrctl apply FILE`")
	cmd.Flags().BoolVar(&opts.exitCode, "exit-code", false, "end with 8 when there is something to do")
	return cmd
}

func runPlan(ctx context.Context, a *app, opts planOptions) error {
	a.flags.dryRun = true // no tenant is opened for writing
	targets, diffs, err := a.compare(ctx, opts.rosterOptions)
	if err != nil {
		return err
	}
	defer a.signOut(targets)
	p, err := newPlanFile(diffs)
	if err != nil {
		return err
	}
	if opts.out != "" {
		if err := writePlan(opts.out, p); err != nil {
			return err
		}
	}
	if err := render.Write(a.Out, p.document(), a.renderOptions()); err != nil {
		return err
	}
	a.noteCounts(diffs)
	return silently(planStatus(diffs, opts.exitCode, a.complainDifference))
}

// planStatus is that of the tenants that could not be read, else whether there
// is something to do. What a vendor cannot do is not a failure of planning.
func planStatus(diffs []plan.Difference, exitCode bool, complain func(plan.Difference)) int {
	var failures []int
	fine, changes := false, false
	alike := map[string]int{}
	for _, d := range diffs {
		if d.Outcome == plan.Failed {
			alike[d.Tenant+d.Err.Error()]++
		}
	}
	for _, d := range diffs {
		changes = changes || d.Outcome == plan.Planned
		if d.Outcome != plan.Failed {
			fine = true
			continue
		}
		failures = append(failures, kindStatus(provision.KindOf(d.Err)))
		switch text := d.Tenant + d.Err.Error(); alike[text] {
		case 0: // said already
		default: // what meets several people is about the tenant
			d.Login = ""
			fallthrough
		case 1:
			alike[text] = 0
			complain(d)
		}
	}
	switch {
	case len(failures) > 0 && fine:
		return exitPartial
	case len(failures) > 0:
		return combined(failures)
	case changes && exitCode:
		return exitChanges
	}
	return exitOK
}

func (a *app) complainDifference(d plan.Difference) {
	err := d.Err
	if d.Login != "" {
		err = fmt.Errorf("%s: %w", d.Login, err)
	}
	a.complain(inTenant(d.Tenant, d.Vendor, d.Err, err))
}

// noteCounts says on stderr what is to be done in each tenant.
func (a *app) noteCounts(diffs []plan.Difference) {
	var order []string
	counts := map[string]map[string]int{}
	for _, d := range diffs {
		if counts[d.Tenant] == nil {
			counts[d.Tenant] = map[string]int{}
			order = append(order, d.Tenant)
		}
		what := d.Action
		if d.Outcome != plan.Planned {
			what = string(d.Outcome)
		}
		counts[d.Tenant][what]++
	}
	for _, t := range order {
		c := counts[t]
		line := fmt.Sprintf("%s: %d to create, %d to change, %d to delete, %d unchanged",
			t, c[plan.DiffCreate], c[plan.DiffUpdate]+c[plan.DiffRoles], c[plan.DiffDelete], c[string(plan.Unchanged)])
		for _, more := range []plan.Outcome{plan.Invited, plan.Unsupported, plan.Failed} {
			if n := c[string(more)]; n > 0 {
				line += fmt.Sprintf(", %d %s", n, more)
			}
		}
		a.note("%s", line)
	}
}

func writePlan(path string, p planFile) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // a file the user named
	if err != nil {
		return provision.Usagef("--out: %v", err)
	}
	if err := render.Write(f, p.document(), render.Options{Format: render.JSON}); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
