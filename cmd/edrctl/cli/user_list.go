package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
)

type userListOptions struct {
	role    string
	status  string
	noRoles bool
}

func newUserListCmd(a *app) *cobra.Command {
	var opts userListOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List users with their roles",
		Example: `  edrctl user list
  edrctl user list -A --role analyst -o csv
  edrctl user list --status disabled -o name
  edrctl user list --no-roles --jq '.items[].login'`,
		Args: wants(0, 0),
		RunE: a.run(func(cmd *cobra.Command, _ []string) error { return runUserList(cmd.Context(), a, opts) }),
	}
	f := cmd.Flags()
	f.StringVar(&opts.role, "role", "", "only users who hold this `role`: an id, a display name or an alias")
	f.StringVar(&opts.status, "status", "", "only users of this `status`: active, disabled, invited, locked or unknown")
	f.BoolVar(&opts.noRoles, "no-roles", false, "leave roles out, which is faster where each user's are read alone")
	return cmd
}

func runUserList(ctx context.Context, a *app, opts userListOptions) error {
	statuses := []provision.Status{
		provision.StatusActive, provision.StatusDisabled, provision.StatusInvited, provision.StatusLocked, provision.StatusUnknown,
	}
	if opts.status != "" && !slices.Contains(statuses, provision.Status(opts.status)) {
		return provision.Usagef("--status is one of %s, not %q", strings.Trim(fmt.Sprint(statuses), "[]"), opts.status)
	}
	if opts.role != "" && opts.noRoles {
		return provision.Usagef("--role needs roles; leave out --no-roles")
	}
	return a.read(ctx, render.KindUserList, "", func(ctx context.Context, t plan.Target, item func(any) error) error {
		roles, err := a.wantedRoles(ctx, t, opts.role)
		if err != nil {
			return err
		}
		var logins []string
		for u, err := range t.Provisioner.Users(ctx, provision.Filter{NoRoles: opts.noRoles}) {
			if err != nil {
				return err
			}
			logins = append(logins, u.Login)
			if opts.status != "" && u.Status != provision.Status(opts.status) || roles != nil && !holdsAll(u, roles) {
				continue
			}
			if err := item(userItem(t, u)); err != nil {
				return err
			}
		}
		keptLogins(a.stores[t.Tenant], a.Now).Save(logins)
		return nil
	})
}

// wantedRoles are the ids that a role or an alias stands for; nil without one.
func (a *app) wantedRoles(ctx context.Context, t plan.Target, role string) ([]string, error) {
	if role == "" {
		return nil, nil
	}
	names, err := a.file.ExpandRoles(t.Vendor.Name, []string{role})
	if err != nil {
		return nil, err
	}
	return plan.ResolveRoles(ctx, t, names)
}

// holdsAll reports whether a user holds every one of these roles.
func holdsAll(u provision.User, ids []string) bool {
	for _, id := range ids {
		if !slices.ContainsFunc(u.Roles, func(r provision.HeldRole) bool { return r.ID == id }) {
			return false
		}
	}
	return true
}
