package cli

import (
	"context"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
)

func newRoleCmd(a *app) *cobra.Command {
	return group("role", "List, grant and revoke roles",
		newRoleListCmd(a), newRoleGrantCmd(a), newRoleRevokeCmd(a), newRoleSetCmd(a))
}

func newRoleListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the roles that this credential can give",
		Example: `  edrctl role list
  edrctl role list -A -o csv`,
		Args: wants(0, 0),
		RunE: a.run(func(cmd *cobra.Command, _ []string) error {
			return a.read(cmd.Context(), render.KindRoleList, "", func(ctx context.Context, t plan.Target, item func(any) error) error {
				roles, err := t.Provisioner.Roles(ctx)
				if err != nil {
					return err
				}
				t.Roles.Save(roles)
				for _, r := range roles {
					if err := item(render.RoleItem{Tenant: t.Tenant, Vendor: t.Vendor.Name, Role: r}); err != nil {
						return err
					}
				}
				return nil
			})
		}),
	}
}

// changeRoles makes a role change for one person. Names in it may be aliases.
func (a *app) changeRoles(ctx context.Context, login string, action plan.Action, c provision.RoleChange, sets []string) error {
	return a.change(ctx, []string{login}, func(t plan.Target, _ string) (plan.Change, error) {
		var err error
		one := c
		if one.Grant, err = a.file.ExpandRoles(t.Vendor.Name, c.Grant); err != nil {
			return plan.Change{}, err
		}
		if one.Revoke, err = a.file.ExpandRoles(t.Vendor.Name, c.Revoke); err != nil {
			return plan.Change{}, err
		}
		one.Options, err = a.optionsFor(t.Vendor.Name, sets)
		return plan.Change{Action: action, Roles: one}, err
	})
}

func addSetFlag(cmd *cobra.Command, sets *[]string) {
	cmd.Flags().StringArrayVar(sets, "set", nil, "vendor option, as `vendor.option=value`; repeatable")
}
