package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"edrctl/internal/audit"
	"edrctl/internal/provision"
	"edrctl/internal/render"
)

func newAuditCmd(a *app) *cobra.Command {
	return group("audit", "Show and check the record of changes", newAuditListCmd(a), newAuditVerifyCmd(a))
}

type auditListOptions struct {
	login  string
	action string
	since  string
}

func newAuditListCmd(a *app) *cobra.Command {
	var opts auditListOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the changes that were made from this account",
		Long: `List the changes that were made from this account, oldest first. A change that
was about to be sent and whose end was not recorded, as after a crash, is shown
as unknown.`,
		Example: `  edrctl audit list
  edrctl audit list --login ines.duarte@example.com --since 30d
  edrctl audit list -t falcon-prod --action user.delete -o csv`,
		Args: wants(0, 0),
		RunE: a.run(func(*cobra.Command, []string) error { return runAuditList(a, opts) }),
	}
	f := cmd.Flags()
	f.StringVar(&opts.login, "login", "", "only changes of this `login`")
	f.StringVar(&opts.action, "action", "", "only this `action`, such as user.create")
	f.StringVar(&opts.since, "since", "", "only changes since a `time` (RFC 3339), a date, or a duration ago such as 8h or 30d")
	return cmd
}

func runAuditList(a *app, opts auditListOptions) error {
	since, err := parseSince(opts.since, a.Now())
	if err != nil {
		return err
	}
	path, err := a.auditPath()
	if err != nil {
		return err
	}
	items := []render.AuditItem{}
	at := map[string]int{} // the item of each change
	err = audit.Read(path, func(e audit.Entry) error {
		if e.Evidence != "" {
			return nil // no change
		}
		item := auditItem(e)
		if i, ok := at[e.Change]; ok {
			items[i] = item
			return nil
		}
		at[e.Change] = len(items)
		items = append(items, item)
		return nil
	})
	var damage *audit.Damage
	if err != nil && !errors.As(err, &damage) {
		return err
	}
	shown := items[:0]
	for _, item := range items {
		if a.auditShown(item, opts, since) {
			shown = append(shown, item)
		}
	}
	if err := render.Write(a.Out, render.Document{Kind: render.KindAuditList, Items: shown}, a.renderOptions()); err != nil {
		return err
	}
	if damage != nil {
		a.complain(damaged(path, damage))
		return silently(exitInternal)
	}
	return nil
}

func (a *app) auditShown(item render.AuditItem, opts auditListOptions, since time.Time) bool {
	tenant := len(a.flags.tenants) == 0
	for _, t := range a.flags.tenants {
		tenant = tenant || t == item.Tenant
	}
	return tenant && !item.Time.Before(since) &&
		(opts.login == "" || provision.SameLogin(opts.login, item.Login)) &&
		(opts.action == "" || opts.action == item.Action)
}

func auditItem(e audit.Entry) render.AuditItem {
	outcome := e.Outcome
	if outcome == audit.Intent {
		outcome = "unknown"
	}
	return render.AuditItem{
		Time: e.Time, Tenant: e.Tenant, Vendor: e.Vendor, Login: e.Login, Action: e.Action, Outcome: outcome,
		RolesAdded: e.RolesAdded, RolesRemoved: e.RolesRemoved, RequestID: e.RequestID,
		OSUser: e.OSUser, Host: e.Host, Version: e.Version, Hash: e.Hash,
	}
}

// parseSince reads a moment in the past; empty is the beginning of time.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, nil
	}
	age, err := parseDuration(text)
	if err != nil {
		return time.Time{}, provision.Usagef("--since %q is no RFC 3339 time, date or duration", text)
	}
	return now.Add(-age), nil
}

func newAuditVerifyCmd(a *app) *cobra.Command {
	var evidencePath string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that nothing in the record was altered",
		Long: `Check the chain of hashes of the record. It ends with status 1 and names the
first line that was altered, taken out or moved.

With --evidence it is the file that is checked, which needs no configuration.
Where the record that the file was made with is at hand, the record must know of
it; otherwise damage is found, but not a forgery.`,
		Example: `  edrctl audit verify
  edrctl audit verify --evidence tomas.json`,
		Args: wants(0, 0),
		RunE: a.run(func(*cobra.Command, []string) error {
			if evidencePath != "" {
				said, err := a.verifyEvidence(evidencePath)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(a.Out, said)
				return err
			}
			path, err := a.auditPath()
			if err != nil {
				return err
			}
			n := 0
			err = audit.Read(path, func(audit.Entry) error { n++; return nil })
			if err != nil {
				return damaged(path, err)
			}
			_, err = fmt.Fprintf(a.Out, "%s: %d lines, the chain is intact\n", path, n)
			return err
		}),
	}
	cmd.Flags().StringVar(&evidencePath, "evidence", "", "check this evidence `file` of an offboarding instead")
	return cmd
}

func damaged(path string, err error) error {
	var d *audit.Damage
	if !errors.As(err, &d) {
		return err
	}
	return &provision.Error{
		Kind: provision.ErrInternal, Message: "the record " + path + " is damaged", Err: d,
		Hint: "keep the file as evidence; moved away, a new record begins",
	}
}
