package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/session"
)

func newAuthCmd(a *app) *cobra.Command {
	return group("auth", "Store secrets and forget sessions", newAuthSetCmd(a), newAuthClearCmd(a))
}

func newAuthSetCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "set <tenant> <key>",
		Short: "Store a secret of a tenant in the OS keyring",
		Long: `Store a secret of a tenant in the OS keyring. It is read from standard input, or
asked for on a terminal; it is never an argument.`,
		Example: `  edrctl auth set falcon-prod client-secret
  pass show falcon | edrctl auth set falcon-prod client-secret`,
		Args:              wants(2, 2),
		ValidArgsFunction: a.completeSecret,
		RunE:              a.run(func(cmd *cobra.Command, args []string) error { return runAuthSet(cmd.Context(), a, args[0], args[1]) }),
	}
}

func runAuthSet(ctx context.Context, a *app, tenant, key string) error {
	file, err := a.load()
	if err != nil {
		return err
	}
	t, err := file.Tenant(tenant)
	if err != nil {
		return err
	}
	if !slices.Contains(t.SecretKeys(), key) {
		return provision.Usagef("%s has no secret %q; it has %s", t.Vendor.Name, key, strings.Join(t.SecretKeys(), ", "))
	}
	secret, err := a.readNewSecret(ctx, fmt.Sprintf("%s of %s", key, tenant))
	if err != nil {
		return err
	}
	if a.flags.dryRun {
		a.note("would store it in the keyring")
		return nil
	}
	ref, configured, err := t.StoreSecret(ctx, key, secret)
	if err != nil {
		return err
	}
	a.note("stored as %s", ref)
	if !configured {
		a.note("now write this into the tenant's configuration: %s: %s", key, ref)
	}
	return nil
}

// maxSecret bounds what is read from standard input, in bytes.
const maxSecret = 64 << 10

func (a *app) readNewSecret(ctx context.Context, what string) (provision.Secret, error) {
	if a.mayAsk() {
		return a.promptSecret(ctx, what)
	}
	if a.InTTY {
		return provision.Secret{}, provision.Usagef("pipe the secret into standard input, or leave out --no-input")
	}
	data, err := io.ReadAll(io.LimitReader(a.In, maxSecret+1))
	switch {
	case err != nil:
		return provision.Secret{}, provision.Usagef("reading the secret: %v", err)
	case len(data) > maxSecret:
		return provision.Secret{}, provision.Usagef("the secret is longer than %d bytes", maxSecret)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if value == "" {
		return provision.Secret{}, provision.Usagef("standard input holds no secret")
	}
	secret := provision.NewSecret(value)
	a.redactor.Add(secret)
	return secret, nil
}

func newAuthClearCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "clear [tenant]",
		Short: "Forget the sessions that are kept between runs",
		Example: `  edrctl auth clear
  edrctl auth clear falcon-prod`,
		Args:              wants(0, 1),
		ValidArgsFunction: a.completeSecret,
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			dir, err := a.cacheDir()
			if err != nil {
				return err
			}
			tenant := strings.Join(args, "")
			if a.flags.dryRun {
				a.note("would forget what is kept in %s", dir)
				return nil
			}
			n, err := session.Clear(cmd.Context(), dir, tenant)
			if err != nil {
				return err
			}
			a.note("forgot what was kept for %d consoles", n)
			return nil
		}),
	}
}
