package cli

import (
	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

func newRoleSetCmd(a *app) *cobra.Command {
	var sets []string
	cmd := &cobra.Command{
		Use:   "set <email> <role>...",
		Short: "Make a user's direct roles exactly these",
		Long: `Make a user's direct roles exactly these, in one step where the vendor allows,
otherwise granting before revoking. Temporary and inherited roles stay.`,
		Example:           `  edrctl role set ines.duarte@example.com event_viewer help_desk`,
		Args:              wants(2, -1),
		ValidArgsFunction: a.completeArgs(true),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			return a.changeRoles(cmd.Context(), args[0], plan.SetRoles, provision.RoleChange{Grant: args[1:], Exact: true}, sets)
		}),
	}
	addSetFlag(cmd, &sets)
	return cmd
}
