package cli

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"edrctl/internal/audit"
	"edrctl/internal/config"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/roster"
)

// rosterOptions are the flags that plan and apply share.
type rosterOptions struct {
	file  string
	prune bool
	shard string
}

func (o *rosterOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.file, "file", "f", "", "`roster` in YAML, JSON or CSV; - is YAML on standard input")
	f.BoolVar(&o.prune, "prune", false, "take all access from whoever is not in the roster, in the tenants of the run")
	f.StringVar(&o.shard, "shard", "", "work on part `I/N` of the roster, by login; auto/N takes I from JOB_COMPLETION_INDEX")
}

// knownTenants is the configuration as a roster is checked against it.
type knownTenants struct{ *config.File }

// Tenant implements roster.Known.
func (k knownTenants) Tenant(name string) (provision.Vendor, bool) {
	if !slices.Contains(k.Names(), name) {
		return provision.Vendor{}, false
	}
	t, err := k.File.Tenant(name)
	if err != nil {
		return provision.Vendor{}, false
	}
	return t.Vendor, true
}

// readRoster reads a roster and checks it against the configuration, before the
// first request.
func (a *app) readRoster(path string) (*roster.Roster, error) {
	file, err := a.load()
	if err != nil {
		return nil, err
	}
	in := a.In
	if path != "-" {
		f, err := os.Open(path) //nolint:gosec // a file the user named
		if err != nil {
			return nil, provision.Usagef("roster: %v", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	r, err := roster.ReadFor(in, path, knownTenants{file})
	if err != nil {
		return nil, err
	}
	for _, w := range r.Warnings(knownTenants{file}) {
		a.note("warning: %s", w)
	}
	return r, nil
}

// wanted turns a roster into what each tenant shall have, and names the tenants
// of the run: those of the roster, as far as -t lets them pass.
func (a *app) wanted(r *roster.Roster, mine func(string) bool) (wanted []plan.Wanted, tenants []string, err error) {
	chosen := func(tenant string) bool { return len(a.flags.tenants) == 0 || slices.Contains(a.flags.tenants, tenant) }
	for _, name := range a.flags.tenants {
		if _, err := a.file.Tenant(name); err != nil {
			return nil, nil, err
		}
	}
	seen := map[string]bool{}
	use := func(tenant string) {
		if !seen[tenant] {
			seen[tenant] = true
			tenants = append(tenants, tenant)
		}
	}
	for _, tenant := range r.Defaults.Tenants {
		if chosen(tenant) {
			use(tenant)
		}
	}
	for i := range r.Users {
		u := &r.Users[i]
		for _, name := range r.TenantsOf(u) {
			if !chosen(name) {
				continue
			}
			use(name)
			if mine != nil && !mine(u.Login) {
				continue
			}
			w, err := a.wantedIn(u, name)
			if err != nil {
				return nil, nil, err
			}
			wanted = append(wanted, w)
		}
	}
	return wanted, tenants, nil
}

func (a *app) wantedIn(u *roster.User, name string) (plan.Wanted, error) {
	t, err := a.file.Tenant(name)
	if err != nil {
		return plan.Wanted{}, err
	}
	var roles []string
	if u.State != roster.Absent { // an alias need not say what nobody gets
		if roles, err = a.file.ExpandRoles(t.Vendor.Name, u.RolesIn(name)); err != nil {
			return plan.Wanted{}, err
		}
	}
	return plan.Wanted{
		Tenant: name, Login: u.Login, Absent: u.State == roster.Absent,
		FirstName: u.FirstName, LastName: u.LastName, Phone: u.Phone,
		Roles: roles, Options: u.Options[t.Vendor.Name], Password: u.Password, Expires: u.Expires,
	}, nil
}

// compare reads the roster and the tenants and finds what is to be done.
func (a *app) compare(ctx context.Context, o rosterOptions) ([]plan.Target, []plan.Difference, error) {
	if o.file == "" {
		return nil, nil, provision.Usagef("which roster? Name it with -f")
	}
	mine, err := a.shardOf(o.shard)
	if err != nil {
		return nil, nil, err
	}
	r, err := a.readRoster(o.file)
	if err != nil {
		return nil, nil, err
	}
	wanted, names, err := a.wanted(r, mine)
	if err != nil {
		return nil, nil, err
	}
	if err := a.mayChange(wanted); err != nil {
		return nil, nil, err
	}
	targets, err := a.openNamed(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	diffs, err := a.compareWith(ctx, targets, wanted, o.prune, mine)
	return targets, diffs, err
}

func (a *app) compareWith(
	ctx context.Context, targets []plan.Target, wanted []plan.Wanted, prune bool, mine func(string) bool,
) ([]plan.Difference, error) {
	invited, err := a.invitations()
	if err != nil {
		return nil, err
	}
	bar := a.newProgress("accounts read", 0)
	defer bar.close()
	return plan.Compare(ctx, targets, wanted, plan.CompareOptions{
		Prune: prune, Mine: mine, Now: a.Now, Read: bar.add, Invited: invited,
	})
}

// mayChange reports a protected login that the roster wants gone. Whether one
// would be changed otherwise is known only after reading.
func (a *app) mayChange(wanted []plan.Wanted) error {
	for _, w := range wanted {
		for _, p := range a.file.Guards.Protected {
			if w.Absent && provision.SameLogin(p, w.Login) {
				return &provision.Error{
					Kind: provision.ErrRefused, Message: w.Login + " is protected, and absent in the roster",
					Hint: "guards.protected of the configuration lists logins that no command changes",
				}
			}
		}
	}
	return nil
}

// openNamed opens tenants by name.
func (a *app) openNamed(ctx context.Context, names []string) ([]plan.Target, error) {
	var targets []plan.Target
	for _, name := range names {
		t, err := a.file.Tenant(name)
		if err != nil {
			return nil, err
		}
		target, err := a.openTenant(ctx, t)
		if err != nil {
			return nil, err
		}
		targets = append(targets, target)
	}
	return targets, nil
}

// invitations tells whom edrctl has invited, from the record of changes.
// Somebody who was invited is in no list until the invitation is taken up.
func (a *app) invitations() (func(tenant, login string) bool, error) {
	invited, err := a.invited()
	return func(tenant, login string) bool {
		t, err := a.file.Tenant(tenant)
		return err == nil && invited[invitation{tenant, t.Address(), provision.FoldLogin(login)}]
	}, err
}

// invitation says whom edrctl has invited where.
type invitation struct{ tenant, address, login string }

func (a *app) invited() (map[invitation]bool, error) {
	path, err := a.auditPath()
	if err != nil {
		return nil, err
	}
	invited := map[invitation]bool{}
	begun := map[string]bool{} // deletions, by change, of those who were invited
	err = audit.Read(path, func(e audit.Entry) error {
		one := invitation{e.Tenant, e.Address, provision.FoldLogin(e.Login)}
		switch plan.Outcome(e.Outcome) {
		case audit.Intent:
			// A deletion whose end is not known may have been carried out. Who is
			// still invited, the vendor tells when asked to invite again.
			if plan.Action(e.Action) == plan.DeleteUser && invited[one] {
				begun[e.Change] = true
				delete(invited, one)
			}
		case plan.Failed, plan.Absent, plan.Skipped, plan.Unsupported:
			if begun[e.Change] {
				invited[one] = true
			}
		case plan.Invited:
			invited[one] = true
		case plan.Deleted, plan.Revoked, plan.Created, plan.Granted, plan.Updated: // was listed
			delete(invited, one)
		}
		return nil
	})
	if err != nil {
		return nil, damaged(path, err)
	}
	return invited, nil
}

// shardOf reads --shard I/N, with I from 0 to N-1. It is nil for the whole
// roster. The part of a login never depends on who else is in the roster.
func (a *app) shardOf(text string) (func(login string) bool, error) {
	if text == "" {
		return nil, nil
	}
	index, count, ok := strings.Cut(text, "/")
	if index == "auto" {
		if index = a.Getenv("JOB_COMPLETION_INDEX"); index == "" {
			return nil, provision.Usagef("--shard auto takes its part from JOB_COMPLETION_INDEX, which is not set")
		}
	}
	i, err1 := strconv.ParseUint(index, 10, 32)
	n, err2 := strconv.ParseUint(count, 10, 32)
	if !ok || err1 != nil || err2 != nil || n == 0 || i >= n {
		return nil, provision.Usagef("--shard takes I/N with I from 0 to N-1, not %q", text)
	}
	return func(login string) bool {
		h := fnv.New32a()
		_, _ = io.WriteString(h, provision.FoldLogin(login))
		return uint64(h.Sum32())%n == i
	}, nil
}

// rosterDir is where relative references of a roster begin.
func rosterDir(path string) (string, error) {
	if path == "-" || path == "" {
		return os.Getwd()
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("roster: %w", err)
	}
	return filepath.Dir(abs), nil
}
