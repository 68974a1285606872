package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
)

type applyOptions struct {
	rosterOptions
	maxDeletes        int
	expectSHA         string
	results           string
	ignoreUnsupported bool
	generate          bool
	passwordOut       string
}

func newApplyCmd(a *app) *cobra.Command {
	var opts applyOptions
	cmd := &cobra.Command{
		Use:   "apply (-f <roster> | <planfile>)",
		Short: "Make tenants as a roster says",
		Long: `Make the tenants as a roster says, or carry out a plan that was made before. A
second run finds nothing to do. Whoever has changed since a plan was made is left
alone and reported as stale.

Asks on a terminal when somebody is deleted or loses the last role; without a
terminal that needs --yes.`,
		Example: `  edrctl apply -f team.yaml
  edrctl apply -f team.yaml --prune --max-deletes 5 --yes
  edrctl apply team.plan.json --results results.csv`,
		Args: wants(0, 1),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			if (opts.file == "") == (len(args) == 0) {
				return provision.Usagef("name a roster with -f, or a plan file")
			}
			opts.maxDeletes = a.maxDeletes(cmd, opts.maxDeletes)
			return runApply(cmd.Context(), a, strings.Join(args, ""), opts)
		}),
	}
	opts.add(cmd)
	f := cmd.Flags()
	f.IntVar(&opts.maxDeletes, "max-deletes", 0, "most deletions and full revocations together (default: guards.max-deletes)")
	f.StringVar(&opts.expectSHA, "expect-sha", "", "refuse a plan with another `SHA-256`")
	f.StringVar(&opts.results, "results", "", "write a row per login and tenant to this `file`: CSV, or JSON lines by its name")
	f.BoolVar(&opts.ignoreUnsupported, "ignore-unsupported", false, "do not count what a vendor cannot do as a failure")
	f.BoolVar(&opts.generate, "generate-passwords", false, "generate first passwords where a vendor wants one")
	f.StringVar(&opts.passwordOut, "password-out", "", "new `file` that generated passwords are written to")
	return cmd
}

// maxDeletes is the flag where it is given, else noFlag.
func (a *app) maxDeletes(cmd *cobra.Command, value int) int {
	if cmd.Flags().Changed("max-deletes") {
		return value
	}
	return noFlag
}

// noFlag stands for a number that no flag has given.
const noFlag = -2

func runApply(ctx context.Context, a *app, planPath string, opts applyOptions) error {
	if opts.maxDeletes < 0 && opts.maxDeletes != noFlag {
		return provision.Usagef("--max-deletes is a number from 0 on")
	}
	generated, err := a.newPasswords(ctx, "", opts.generate, opts.passwordOut)
	if err != nil {
		return err
	}
	results, err := newResultsFile(opts.results)
	if err != nil {
		return err
	}
	targets, diffs, err := a.toApply(ctx, planPath, opts)
	if err != nil {
		return err
	}
	defer a.signOut(targets)
	dir, err := rosterDir(opts.file)
	if err != nil {
		return err
	}
	byTenant := map[string]plan.Target{}
	for _, t := range targets {
		byTenant[t.Tenant] = t
	}
	first := func(ctx context.Context, d plan.Difference, reference string) (provision.Secret, error) {
		if reference != "" {
			return a.file.Secret(ctx, reference, dir, "first password of "+d.Login)
		}
		return generated.first(byTenant[d.Tenant], d.Login)
	}
	all, err := a.carryOut(ctx, targets, len(diffs), opts.maxDeletes, func(ctx context.Context, o plan.Options) ([]plan.Result, error) {
		return plan.Enact(ctx, targets, diffs, first, o)
	})
	if err != nil {
		return err
	}
	if err := errors.Join(results.write(all), a.showResults(all)); err != nil {
		return err
	}
	return silently(a.applyStatus(all, opts.ignoreUnsupported))
}

// toApply is what is to be done: what a plan file says, as far as nobody has
// changed since, or what comparing with a roster finds.
func (a *app) toApply(ctx context.Context, planPath string, opts applyOptions) ([]plan.Target, []plan.Difference, error) {
	if planPath == "" {
		targets, diffs, err := a.compare(ctx, opts.rosterOptions)
		if err != nil {
			return nil, nil, err
		}
		p, err := newPlanFile(diffs)
		if err != nil {
			return nil, nil, err
		}
		return targets, diffs, expectSHA(opts.expectSHA, p.SHA256)
	}
	p, err := readPlan(planPath)
	if err != nil {
		return nil, nil, err
	}
	if err := expectSHA(opts.expectSHA, p.SHA256); err != nil {
		return nil, nil, err
	}
	planned, err := p.differences()
	if err != nil {
		return nil, nil, provision.Usagef("%s: %v", planPath, err)
	}
	if _, err := a.load(); err != nil {
		return nil, nil, err
	}
	var names []string
	var wanted []plan.Wanted
	seen := map[string]bool{}
	for _, d := range planned {
		if d.Outcome == plan.Failed {
			continue // nothing is to be done about them
		}
		if !seen[d.Tenant] {
			seen[d.Tenant] = true
			names = append(names, d.Tenant)
		}
		wanted = append(wanted, plan.Wanted{Tenant: d.Tenant, Login: d.Login})
	}
	targets, err := a.openNamed(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	now, err := a.compareWith(ctx, targets, wanted, false, nil)
	if err != nil {
		return nil, nil, err
	}
	return targets, plan.MarkStale(planned, now), nil
}

func expectSHA(want, is string) error {
	if want == "" || strings.EqualFold(want, is) {
		return nil
	}
	return &provision.Error{
		Kind: provision.ErrConflict, Message: fmt.Sprintf("the plan's SHA-256 is %s, not the one expected", is),
		Hint: "look at the plan again; the tenants or the roster have changed",
	}
}

func (a *app) applyStatus(results []plan.Result, ignoreUnsupported bool) int {
	var statuses []int
	for _, r := range results {
		if r.Outcome == plan.Unsupported && ignoreUnsupported {
			statuses = append(statuses, exitOK)
			continue
		}
		statuses = append(statuses, resultStatus(r))
	}
	return combined(statuses)
}

// resultsFile is what --results names; nil for none.
type resultsFile struct {
	f      *os.File
	format render.Format
}

// newResultsFile makes the file before anything is changed, so that one that
// cannot be written is found out in time.
func newResultsFile(path string) (*resultsFile, error) {
	if path == "" {
		return nil, nil
	}
	formats := map[string]render.Format{".csv": render.CSV, ".jsonl": render.JSONL, ".json": render.JSONL, ".ndjson": render.JSONL}
	format, ok := formats[strings.ToLower(filepath.Ext(path))]
	if !ok {
		return nil, provision.Usagef("--results takes a file whose name ends with .csv or .jsonl")
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // a file the user named
	if err != nil {
		return nil, provision.Usagef("--results: %v", err)
	}
	return &resultsFile{f, format}, nil
}

func (r *resultsFile) write(results []plan.Result) error {
	if r == nil {
		return nil
	}
	items := make([]render.ResultItem, len(results))
	for i, res := range results {
		items[i] = resultItem(res)
	}
	err := render.Write(r.f, render.Document{Kind: render.KindResultList, Items: items}, render.Options{Format: r.format})
	return errors.Join(err, r.f.Close())
}
