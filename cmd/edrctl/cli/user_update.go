package cli

import (
	"context"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

type userUpdateOptions struct {
	firstName, lastName, phone *string
	sets                       []string
}

func newUserUpdateCmd(a *app) *cobra.Command {
	var first, last, phone string
	var opts userUpdateOptions
	cmd := &cobra.Command{
		Use:   "update <email>",
		Short: "Change a user's details",
		Example: `  edrctl user update ines.duarte@example.com --last-name "Duarte Reis"
  edrctl user update ines.duarte@example.com -t cbc --phone ""`,
		Args:              wants(1, 1),
		ValidArgsFunction: a.completeArgs(false),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			given := func(name string, value *string) *string {
				if cmd.Flags().Changed(name) {
					return value
				}
				return nil
			}
			opts.firstName, opts.lastName = given("first-name", &first), given("last-name", &last)
			opts.phone = given("phone", &phone)
			return runUserUpdate(cmd.Context(), a, args[0], opts)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&first, "first-name", "", "new first name")
	f.StringVar(&last, "last-name", "", "new last name")
	f.StringVar(&phone, "phone", "", "new phone number")
	f.StringArrayVar(&opts.sets, "set", nil, "vendor option, as `vendor.option=value`; repeatable")
	return cmd
}

func runUserUpdate(ctx context.Context, a *app, login string, opts userUpdateOptions) error {
	if opts.firstName == nil && opts.lastName == nil && opts.phone == nil && len(opts.sets) == 0 {
		return provision.Usagef("nothing to change; give --first-name, --last-name, --phone or --set")
	}
	return a.change(ctx, []string{login}, func(t plan.Target, _ string) (plan.Change, error) {
		options, err := a.optionsFor(t.Vendor.Name, opts.sets)
		return plan.Change{Action: plan.UpdateUser, Patch: provision.UserPatch{
			FirstName: opts.firstName, LastName: opts.lastName, Phone: opts.phone, Options: options,
		}}, err
	})
}
