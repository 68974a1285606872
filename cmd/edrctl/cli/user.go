package cli

import (
	"github.com/spf13/cobra"

	"edrctl/internal/provision"
)

func newUserCmd(a *app) *cobra.Command {
	return group("user", "Create, show, change and delete users",
		newUserCreateCmd(a), newUserGetCmd(a), newUserListCmd(a), newUserUpdateCmd(a), newUserDeleteCmd(a),
		newUserResetCmd(a, provision.CredentialMFA), newUserResetCmd(a, provision.CredentialPassword))
}
