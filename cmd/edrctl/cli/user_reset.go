package cli

import (
	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

func newUserResetCmd(a *app, what provision.Credential) *cobra.Command {
	use, short, action := "reset-mfa", "Make a user enrol the second factor anew", plan.ResetMFA
	if what == provision.CredentialPassword {
		use, short, action = "reset-password", "Make a user choose a new password", plan.ResetPassword
	}
	return &cobra.Command{
		Use:               use + " <email>",
		Short:             short,
		Long:              short + ", where the vendor can.",
		Example:           "  edrctl user " + use + " ines.duarte@example.com",
		Args:              wants(1, 1),
		ValidArgsFunction: a.completeArgs(false),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			return a.change(cmd.Context(), args, func(plan.Target, string) (plan.Change, error) {
				return plan.Change{Action: action}, nil
			})
		}),
	}
}
