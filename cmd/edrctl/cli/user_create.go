package cli

import (
	"context"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
)

type userCreateOptions struct {
	logins      []string
	firstName   string
	lastName    string
	phone       string
	roles       []string
	password    string
	generate    bool
	passwordOut string
	sets        []string
	ifNotExists bool
}

func newUserCreateCmd(a *app) *cobra.Command {
	var opts userCreateOptions
	cmd := &cobra.Command{
		Use:   "create <email>...",
		Short: "Create users, with roles",
		Long: `Create users and give them roles. A login that is taken is an error, unless
--if-not-exists is given. On a vendor that cannot create accounts, the roles are
given to an account that is already listed.`,
		Example: `  edrctl user create ines.duarte@example.com --role "Event Viewer"
  edrctl user create ines.duarte@example.com --first-name Ines --last-name Duarte --role event_viewer,help_desk
  edrctl user create ines.duarte@example.com --role id:event_viewer --if-not-exists --dry-run`,
		Args: wants(1, -1),
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			opts.logins = args
			return runUserCreate(cmd.Context(), a, opts)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&opts.firstName, "first-name", "", "first name")
	f.StringVar(&opts.lastName, "last-name", "", "last name")
	f.StringVar(&opts.phone, "phone", "", "phone number")
	f.StringSliceVar(&opts.roles, "role", nil, "`role` to give: an id, a display name, an alias, or id:VALUE; repeatable")
	f.StringVar(&opts.password, "password", "", "where the first password comes from, as a `reference`: env:NAME, file:PATH, keyring:SERVICE/ACCOUNT, exec:[...] or prompt:")
	f.BoolVar(&opts.generate, "generate-password", false, "generate a first password where the vendor wants one")
	f.StringVar(&opts.passwordOut, "password-out", "", "new `file` that generated passwords are written to")
	f.StringArrayVar(&opts.sets, "set", nil, "vendor option, as `vendor.option=value`; repeatable")
	f.BoolVar(&opts.ifNotExists, "if-not-exists", false, "succeed if the user is there already")
	return cmd
}

func runUserCreate(ctx context.Context, a *app, opts userCreateOptions) error {
	passwords, err := a.newPasswords(ctx, opts.password, opts.generate, opts.passwordOut)
	if err != nil {
		return err
	}
	return a.change(ctx, opts.logins, func(t plan.Target, login string) (plan.Change, error) {
		roles, err := a.file.ExpandRoles(t.Vendor.Name, opts.roles)
		if err != nil {
			return plan.Change{}, err
		}
		options, err := a.optionsFor(t.Vendor.Name, opts.sets)
		if err != nil {
			return plan.Change{}, err
		}
		password, err := passwords.first(t, login)
		if err != nil {
			return plan.Change{}, err
		}
		return plan.Change{
			Action: plan.CreateUser, IfNotExists: opts.ifNotExists,
			Spec: provision.UserSpec{
				FirstName: opts.firstName, LastName: opts.lastName, Phone: opts.phone,
				Roles: roles, Password: password, Options: options,
			},
		}, nil
	})
}
