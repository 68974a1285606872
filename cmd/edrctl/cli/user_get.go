package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
)

func newUserGetCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "get <email>",
		Short: "Show a user, roles included",
		Example: `  edrctl user get ines.duarte@example.com
  edrctl user get -A ines.duarte@example.com -o json --jq '.items[].roles[].id'`,
		Args:              wants(1, 1),
		ValidArgsFunction: a.completeArgs(false),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			return runUserGet(cmd.Context(), a, strings.TrimSpace(args[0]))
		}),
	}
}

func runUserGet(ctx context.Context, a *app, login string) error {
	if err := provision.CheckLogin(login); err != nil {
		return err
	}
	return a.read(ctx, render.KindUserList, login, func(ctx context.Context, t plan.Target, item func(any) error) error {
		u, err := t.Provisioner.User(ctx, login)
		if err != nil {
			return err
		}
		return item(userItem(t, u))
	})
}

func userItem(t plan.Target, u provision.User) render.UserItem {
	return render.UserItem{Tenant: t.Tenant, Vendor: t.Vendor.Name, User: u}
}
