package cli

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/roster"
)

func newExportCmd(a *app) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write a roster of what is there now",
		Long: `Write a roster of who has what in the tenants now. Planning with it finds nothing
to do. Temporary and inherited roles are left out.`,
		Example: `  edrctl export -A --out team.yaml
  edrctl export -t falcon-prod --out team.csv`,
		Args: wants(0, 0),
		RunE: a.run(func(cmd *cobra.Command, _ []string) error { return runExport(cmd.Context(), a, out) }),
	}
	cmd.Flags().StringVar(&out, "out", "", "write to this `file`, as YAML, JSON or CSV by its name, instead of standard output")
	return cmd
}

func runExport(ctx context.Context, a *app, out string) error {
	format, err := exportFormat(out)
	if err != nil {
		return err
	}
	targets, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer a.signOut(targets)
	bar := a.newProgress("accounts read", 0)
	users := make([][]roster.User, len(targets))
	errs := make([]error, len(targets))
	eachTarget(targets, func(i int, t plan.Target) {
		roles, err := t.Provisioner.Roles(ctx)
		if err != nil {
			errs[i] = err
			return
		}
		for u, err := range t.Provisioner.Users(ctx, provision.Filter{}) {
			if err != nil {
				errs[i] = err
				return
			}
			if err := provision.CheckLogin(u.Login); err != nil {
				a.note("warning: %s: left out: %v", t.Tenant, err)
				continue
			}
			users[i] = append(users[i], a.rosterUser(t, u, roles))
			bar.add()
		}
	})
	bar.close()
	for _, err := range errs {
		if err != nil {
			return err // half a roster would take access away when applied with --prune
		}
	}
	return a.writeRoster(out, format, &roster.Roster{Users: mergeUsers(slices.Concat(users...))})
}

func exportFormat(out string) (string, error) {
	switch ext := strings.ToLower(filepath.Ext(out)); {
	case out == "", ext == ".yaml", ext == ".yml":
		return roster.YAML, nil
	case ext == ".json":
		return roster.JSON, nil
	case ext == ".csv":
		return roster.CSV, nil
	}
	return "", provision.Usagef("--out takes a file whose name ends with .yaml, .json or .csv")
}

func (a *app) writeRoster(out, format string, r *roster.Roster) (err error) {
	w := a.Out
	if out != "" {
		f, failure := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // a file the user named
		if failure != nil {
			return provision.Usagef("--out: %v", failure)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		w = f
	}
	return roster.Write(w, r, format)
}

// rosterUser is a person of one tenant as a roster has it. Roles are ids, as
// they are unambiguous; one that this credential could not give, or whose id is an
// alias for something else, is marked to be taken as written.
func (a *app) rosterUser(t plan.Target, u provision.User, known []provision.Role) roster.User {
	given := func(can provision.CapabilityName, s string) *string {
		if s == "" || !t.Vendor.Can(can) || !roster.Holds(s) {
			return nil
		}
		return &s
	}
	var roles []string
	for _, id := range governed(t.Vendor, u) {
		meant, err := a.file.ExpandRoles(t.Vendor.Name, []string{id})
		isAlias := err != nil || !slices.Equal(meant, []string{id})
		if isAlias || !slices.ContainsFunc(known, func(k provision.Role) bool { return k.ID == id }) {
			id = provision.RawRolePrefix + id
		}
		roles = append(roles, id)
	}
	one := roster.User{
		Login: u.Login, State: roster.Present, Tenants: []string{t.Tenant},
		FirstName: given(provision.CanStoreName, u.FirstName), LastName: given(provision.CanStoreName, u.LastName),
		Phone: given(provision.CanStorePhone, u.Phone),
	}
	if len(roles) > 0 {
		one.TenantRoles = map[string][]string{t.Tenant: roles}
	}
	return one
}

// governed are the ids of the roles that a roster is about: direct ones without
// end, where the vendor's role changes reach. Those held elsewhere would have to
// be granted to satisfy a roster that names them.
func governed(v *provision.Vendor, u provision.User) []string {
	var ids []string
	for _, r := range u.Roles {
		if r.Direct && !r.Temporary() && !slices.Contains(ids, r.ID) {
			ids = append(ids, r.ID)
		}
	}
	diff, err := v.Plan(u, provision.RoleChange{Grant: ids, Exact: true})
	if err != nil {
		return ids
	}
	return slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(diff.Grant, id) })
}

// mergeUsers makes one user of the same person in several tenants. A detail that
// the tenants disagree about is left out, so that the roster changes it in none.
func mergeUsers(users []roster.User) []roster.User {
	var out []roster.User
	at := map[string]int{}
	said := map[string]map[string]bool{} // by login and detail, what tenants say
	note := func(key, detail string, value *string) {
		if value == nil {
			return
		}
		if said[key+detail] == nil {
			said[key+detail] = map[string]bool{}
		}
		said[key+detail][*value] = true
	}
	for _, u := range users {
		key := provision.FoldLogin(u.Login) + "\x00"
		note(key, "first", u.FirstName)
		note(key, "last", u.LastName)
		note(key, "phone", u.Phone)
		i, ok := at[key]
		if !ok {
			at[key] = len(out)
			out = append(out, u)
			continue
		}
		m := &out[i]
		m.Tenants = append(m.Tenants, u.Tenants...)
		if m.TenantRoles == nil {
			m.TenantRoles = map[string][]string{}
		}
		maps.Copy(m.TenantRoles, u.TenantRoles)
	}
	for i := range out {
		key := provision.FoldLogin(out[i].Login) + "\x00"
		out[i].FirstName, out[i].LastName, out[i].Phone = agreed(said[key+"first"]), agreed(said[key+"last"]), agreed(said[key+"phone"])
	}
	return out
}

// agreed is the one thing that was said; nil for none and for several.
func agreed(values map[string]bool) *string {
	if len(values) != 1 {
		return nil
	}
	for v := range values {
		return &v
	}
	return nil
}
