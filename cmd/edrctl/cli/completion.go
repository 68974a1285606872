package cli

import (
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"edrctl/internal/config"
	"edrctl/internal/provision"
	"edrctl/internal/render"
)

// Completion reads the configuration and what earlier commands kept on disk. It
// asks nobody: no vendor, no keyring, no person.

type completer = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective)

// completeFlags completes the flags of a command and of all below it.
func (a *app) completeFlags(cmd *cobra.Command) {
	completers := map[string]completer{
		"tenant": listOf(a.completeTenants),
		"output": fixed(formats()...),
		"color":  fixed("auto", "always", "never"),
		"status": fixed("active", "disabled", "invited", "locked", "unknown"),
		"role":   listOf(a.completeRoles),
		"vendor": listOf(func() []string { return a.vendorNames() }),
		"set":    a.completeSet,
	}
	for name, complete := range completers {
		if cmd.Flags().Lookup(name) != nil || cmd.PersistentFlags().Lookup(name) != nil {
			_ = cmd.RegisterFlagCompletionFunc(name, complete)
		}
	}
	for _, sub := range cmd.Commands() {
		a.completeFlags(sub)
	}
}

func formats() []string {
	var names []string
	for _, f := range render.Formats() {
		names = append(names, string(f))
	}
	return names
}

func fixed(values ...string) completer {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values, cobra.ShellCompDirectiveNoFileComp
	}
}

// listOf completes the last of several values that are separated by commas.
func listOf(values func() []string) completer {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		done := typed[:strings.LastIndexByte(typed, ',')+1]
		var all []string
		for _, v := range values() {
			all = append(all, done+v)
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeArgs completes a login and, for commands that take them, roles.
func (a *app) completeArgs(roles bool) completer {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if roles && len(args) > 0 {
			return a.completeRoles(), cobra.ShellCompDirectiveNoFileComp
		}
		return a.completeLogins(), cobra.ShellCompDirectiveNoFileComp
	}
}

// quietly loads the configuration without a word about what is wrong with it.
func (a *app) quietly() *config.File {
	a.flags.quiet = true
	file, err := a.load()
	if err != nil {
		return nil
	}
	return file
}

func (a *app) completeTenants() []string {
	if file := a.quietly(); file != nil {
		return file.Names()
	}
	return nil
}

// completeSecret completes a tenant and the key of one of its secrets.
func (a *app) completeSecret(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeTenants(), cobra.ShellCompDirectiveNoFileComp
	}
	if file := a.quietly(); file != nil && len(args) == 1 {
		if t, err := file.Tenant(args[0]); err == nil {
			return t.SecretKeys(), cobra.ShellCompDirectiveNoFileComp
		}
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// eachStore calls f with the store of each selected tenant.
func (a *app) eachStore(f func(provision.Store)) {
	if a.quietly() == nil {
		return
	}
	tenants, err := a.selected()
	if err != nil {
		return
	}
	for _, t := range tenants {
		if store, err := a.store(t); err == nil {
			f(store)
		}
	}
}

func (a *app) completeRoles() []string {
	var names []string
	if file := a.quietly(); file != nil {
		names = file.Aliases()
	}
	a.eachStore(func(s provision.Store) {
		roles, _ := keptRoles(s, a.Now).Load()
		for _, r := range roles {
			if harmless(r.ID) {
				names = append(names, r.ID)
			}
		}
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// harmless reports a name that a shell can be given. It is shown, and put on the
// command line, as it is, and it is the vendor who has chosen it.
func harmless(name string) bool {
	return !strings.ContainsFunc(name, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune(" ._:/+-", c)
	})
}

func (a *app) completeLogins() []string {
	var logins []string
	a.eachStore(func(s provision.Store) {
		some, _ := keptLogins(s, a.Now).Load()
		for _, login := range some {
			if provision.CheckLogin(login) == nil {
				logins = append(logins, login)
			}
		}
	})
	slices.Sort(logins)
	return slices.Compact(logins)
}

func (a *app) completeSet(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var all []string
	for _, v := range a.Vendors {
		for _, o := range v.Options {
			all = append(all, v.Name+"."+o.Name+"=\t"+o.Help)
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
