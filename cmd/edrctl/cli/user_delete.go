package cli

import (
	"github.com/spf13/cobra"

	"edrctl/internal/provision/plan"
)

func newUserDeleteCmd(a *app) *cobra.Command {
	var ifExists bool
	cmd := &cobra.Command{
		Use:   "delete <email>...",
		Short: "Delete users",
		Long: `Delete users. On a vendor that cannot delete, take all access away and say what
remains. Asks on a terminal; without one it needs --yes.`,
		Example: `  edrctl user delete tomas.keller@example.com
  edrctl user delete -A tomas.keller@example.com --if-exists --yes`,
		Args:              wants(1, -1),
		ValidArgsFunction: a.completeArgs(false),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			return a.change(cmd.Context(), args, func(plan.Target, string) (plan.Change, error) {
				return plan.Change{Action: plan.DeleteUser, IfExists: ifExists}, nil
			})
		}),
	}
	cmd.Flags().BoolVar(&ifExists, "if-exists", false, "succeed if there is no such user")
	return cmd
}
