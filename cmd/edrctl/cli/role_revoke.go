package cli

import (
	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

func newRoleRevokeCmd(a *app) *cobra.Command {
	var all bool
	var sets []string
	cmd := &cobra.Command{
		Use:   "revoke <email> (<role>... | --all)",
		Short: "Take roles from a user",
		Example: `  edrctl role revoke ines.duarte@example.com help_desk
  edrctl role revoke ines.duarte@example.com --all --yes`,
		Args:              wants(1, -1),
		ValidArgsFunction: a.completeArgs(true),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			roles := args[1:]
			if all == (len(roles) > 0) {
				return provision.Usagef("name the roles to revoke, or give --all")
			}
			return a.changeRoles(cmd.Context(), args[0], plan.RevokeRoles, provision.RoleChange{Revoke: roles, All: all}, sets)
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "revoke every direct role, temporary ones included")
	addSetFlag(cmd, &sets)
	return cmd
}
