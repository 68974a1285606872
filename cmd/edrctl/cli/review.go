package cli

import (
	"context"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
	"edrctl/internal/roster"
)

// formatHTML is a format of review alone.
const formatHTML = "html"

type reviewOptions struct {
	against  string
	exitCode bool
	html     bool
}

func newReviewCmd(a *app) *cobra.Command {
	var opts reviewOptions
	cmd := &cobra.Command{
		Use:   "review",
		Short: "Show who has what, in all tenants side by side",
		Long: `Show who has what: a row for each person and a column for each tenant, all of
them without -t. With -o html it is one page for auditors, which needs no network
and can be sorted, filtered and printed.

People are marked:

  orphan    in a console, and not in the file of --against
  missing   in the file, and in no console
  admin     holds a built-in role of administrators
  invited   has yet to take up an invitation
  never     has not signed in, to any console whose vendor tells
  partial   in one console, and not in another
  unlike    no role alias, or set of them, covers the roles in every console
            (only if aliases are configured)
  group     has a role through a group or the like

The file is CSV with a column "login" or "email"; other columns are not looked
at. Consoles that cannot be read do not count, and are reported.

With --exit-code the status is 8 when anybody is marked; with --against as well,
when anybody is an orphan or missing, whatever the other marks are.`,
		Example: `  edrctl review
  edrctl review --against people.csv -o csv
  edrctl review --against people.csv --jq '.items[] | select(.marks[] == "orphan") | .login'
  edrctl review -o html > review.html`,
		Args: wants(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.html = a.flags.output == formatHTML; opts.html {
				a.flags.output = string(render.Table) // for what goes wrong before there is a page
			}
			return a.run(func(cmd *cobra.Command, _ []string) error { return runReview(cmd.Context(), a, opts) })(cmd, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.against, "against", "", "compare with the people in this CSV `file`")
	f.BoolVar(&opts.exitCode, "exit-code", false, "end with 8 when anybody is marked")
	return cmd
}

func runReview(ctx context.Context, a *app, opts reviewOptions) error {
	if opts.html && a.flags.jq != "" {
		return provision.Usagef("--jq filters JSON; leave out -o %s", formatHTML)
	}
	if len(a.flags.tenants) == 0 {
		a.flags.allTenants = true
	}
	listed, err := readListed(opts.against)
	if err != nil {
		return err
	}
	targets, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer a.signOut(targets)
	consoles, answers := a.readConsoles(ctx, targets)
	in := inspection{consoles: consoles, listed: listed, invited: a.openInvitations()}
	items := in.items()
	status, err := a.showReview(targets, answers, in, items, opts)
	if err != nil {
		return err
	}
	if status == exitOK && opts.exitCode && slices.ContainsFunc(items, in.counts) {
		status = exitChanges
	}
	return silently(status)
}

// readListed reads the people of --against; nil without it.
func readListed(path string) (map[string]bool, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path) //nolint:gosec // a file the user named
	if err != nil {
		return nil, provision.Usagef("--against: %v", err)
	}
	defer func() { _ = f.Close() }()
	logins, err := roster.ReadLogins(f, path)
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	for _, l := range logins {
		listed[l] = true
	}
	return listed, nil
}

// readConsoles reads all tenants side by side. Of one that fails halfway nothing
// is kept: whoever did not come up would look as if they were not there.
func (a *app) readConsoles(ctx context.Context, targets []plan.Target) ([]*inspected, []answer) {
	bar := a.newProgress("accounts read", 0)
	defer bar.close()
	all, answers := make([]*inspected, len(targets)), make([]answer, len(targets))
	eachTarget(targets, func(i int, t plan.Target) {
		all[i], answers[i].err = a.readConsole(ctx, t, bar)
	})
	return slices.DeleteFunc(all, func(c *inspected) bool { return c == nil }), answers
}

func (a *app) readConsole(ctx context.Context, t plan.Target, bar *progress) (*inspected, error) {
	c := &inspected{tenant: t.Tenant, vendor: t.Vendor}
	if tenant, err := a.file.Tenant(t.Tenant); err == nil {
		c.address = tenant.Address()
	}
	var logins []string
	for u, err := range t.Provisioner.Users(ctx, provision.Filter{}) {
		if err != nil {
			return nil, err
		}
		c.users = append(c.users, u)
		logins = append(logins, u.Login)
		bar.add()
	}
	keptLogins(a.stores[t.Tenant], a.Now).Save(logins)
	known := rolesOf(ctx, t)
	for i := range c.users {
		c.users[i].Roles = named(c.users[i].Roles, known)
	}
	c.kinds = a.kindsIn(t, known)
	return c, nil
}

// openInvitations are those that edrctl knows of, as far as the record can be
// read: a review changes nothing, and is worth having without them too.
func (a *app) openInvitations() map[invitation]bool {
	invited, err := a.invited()
	if err != nil {
		a.note("warning: invitations are left out: %v", err)
	}
	return invited
}

// showReview writes the review, says which tenants could not be read, and
// returns their status.
func (a *app) showReview(
	targets []plan.Target, answers []answer, in inspection, items []render.ReviewItem, opts reviewOptions,
) (int, error) {
	doc := render.Document{Kind: render.KindReview, Items: items}
	var read []string
	for i, t := range targets {
		if err := answers[i].err; err != nil {
			doc.Errors = append(doc.Errors, itemError(t, "", err))
			continue
		}
		read = append(read, t.Tenant)
	}
	doc.Columns = render.ReviewColumns(read)
	write := func() error { return render.Write(a.Out, doc, a.renderOptions()) }
	if opts.html {
		write = func() error { return a.writePage(targets, answers, in, items, opts) }
	}
	if err := write(); err != nil {
		return exitInternal, err
	}
	return a.complainAnswers(targets, answers), nil
}
