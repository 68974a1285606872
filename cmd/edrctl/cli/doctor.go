package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"edrctl/internal/config"
	"edrctl/internal/private"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/render"
)

func newDoctorCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check configuration, network, credentials and permissions of each tenant",
		Long: `Check each tenant: its configuration and files, the network, TLS, proxy and clock,
the credentials, the permission to manage users and to give roles, and what the
vendor's rate limit leaves. It only reads. Without -t it checks all tenants.`,
		Example: `  edrctl doctor
  edrctl doctor -t falcon-prod -o json`,
		Args: wants(0, 0),
		RunE: a.run(func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd.Context(), a) }),
	}
}

func runDoctor(ctx context.Context, a *app) error {
	if len(a.flags.tenants) == 0 {
		a.flags.allTenants = true
	}
	tenants, err := a.selected()
	if err != nil {
		return err
	}
	reports := make([]*examination, len(tenants))
	targets, errs := make([]plan.Target, len(tenants)), make([]error, len(tenants))
	for i, t := range tenants {
		reports[i] = &examination{a: a, t: t}
		// Secrets may be prompted for, one after the other.
		targets[i], errs[i] = a.openWatched(ctx, t, &reports[i].seen)
	}
	plan.SideBySide(len(tenants), func(i int) { reports[i].examine(ctx, targets[i], errs[i]) })
	var items []render.DoctorItem
	var statuses []int
	for _, r := range reports {
		items = append(items, r.items...)
		statuses = append(statuses, r.status)
	}
	if err := render.Write(a.Out, render.Document{Kind: render.KindDoctorReport, Items: items}, a.renderOptions()); err != nil {
		return err
	}
	return silently(combined(statuses))
}

// examination is what is found out about one tenant.
type examination struct {
	a      *app
	t      *config.Tenant
	seen   connectionWatch
	items  []render.DoctorItem
	status int
}

func (x *examination) add(check, result, message, hint string) {
	x.items = append(x.items, render.DoctorItem{
		Tenant: x.t.Name, Vendor: x.t.Vendor.Name, Check: check, Result: result, Message: message, Hint: hint,
	})
}

func (x *examination) ok(check, format string, args ...any) {
	x.add(check, "ok", fmt.Sprintf(format, args...), "")
}

// fail notes a failed check; the first one decides the exit status.
func (x *examination) fail(check string, err error) {
	x.add(check, "fail", err.Error(), render.ErrorOf(err).Hint)
	if x.status == exitOK {
		x.status = exitStatus(err)
	}
}

func (x *examination) skip(why string, checks ...string) {
	for _, c := range checks {
		x.add(c, "skip", why, "")
	}
}

// examine makes all checks. Everything that concerns the network is learnt from
// one sign-in and the reads after it.
func (x *examination) examine(ctx context.Context, target plan.Target, opening error) {
	if opening != nil {
		x.fail("configuration", opening)
		x.skip("the configuration is not usable", "files", "network", "tls", "clock", "credentials", "manage-users", "give-roles", "rate")
		return
	}
	x.ok("configuration", "complete; secrets were found")
	x.files()
	id, err := target.Provisioner.Check(ctx)
	switch {
	case errors.Is(err, provision.ErrUnavailable), errors.Is(err, provision.ErrInterrupted):
		x.fail("network", err)
		x.skip("the host cannot be reached", "tls", "clock", "credentials", "manage-users", "give-roles", "rate")
		return
	case errors.Is(err, provision.ErrUntrusted):
		x.ok("network", "%s answers", x.seen.host())
		x.fail("tls", err)
		x.skip("the connection is not trusted", "clock", "credentials", "manage-users", "give-roles", "rate")
		return
	}
	x.ok("network", "%s answers%s", x.seen.host(), x.seen.proxied())
	x.tls()
	x.clock()
	if err != nil {
		x.fail("credentials", err)
		x.skip("nobody is signed in", "manage-users", "give-roles", "rate")
		return
	}
	x.ok("credentials", "signed in as %s%s", id.Name, parenthesis(id.Note))
	x.permissions(ctx, target, id)
	x.rate()
	x.a.signOut([]plan.Target{target})
}

func parenthesis(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func (x *examination) files() {
	path := x.a.file.Path
	if !x.a.file.Found {
		x.ok("files", "no configuration file; everything comes from the environment")
		return
	}
	f, facts, err := private.Open(path)
	if err != nil {
		x.fail("files", err)
		return
	}
	_ = f.Close()
	if err := facts.Check(path); err != nil {
		x.add("files", "warn", err.Error(), render.ErrorOf(err).Hint)
		return
	}
	x.ok("files", "%s is readable by you only", path)
}

func (x *examination) tls() {
	message, result, hint := x.seen.tls(x.a.Now())
	x.add("tls", result, message, hint)
}

// maxSkew is how far a clock may be off before signed requests and one-time
// codes begin to fail, in seconds.
const maxSkew = 30

func (x *examination) clock() {
	skew, ok := x.seen.skew()
	switch {
	case !ok:
		x.add("clock", "skip", "the server does not tell the time", "")
	case skew > maxSkew || skew < -maxSkew:
		x.add("clock", "warn", fmt.Sprintf("the server's clock is %+d s from this machine's", skew), "set this machine's clock by NTP")
	default:
		x.ok("clock", "%+d s from the server's", skew)
	}
}

func (x *examination) permissions(ctx context.Context, target plan.Target, id provision.Identity) {
	if !id.MayManage {
		x.fail("manage-users", &provision.Error{
			Vendor: x.t.Vendor.Name, Kind: provision.ErrForbidden, Message: "this credential may not manage users",
			Hint: id.Note,
		})
	} else {
		x.ok("manage-users", "the vendor shows nothing against it")
	}
	roles, err := target.Provisioner.Roles(ctx)
	switch {
	case err != nil:
		x.fail("give-roles", err)
	case len(roles) == 0:
		x.add("give-roles", "warn", "there is no role that this credential can give", "see what permissions the vendor asks of it")
	default:
		x.ok("give-roles", "%d roles", len(roles))
	}
}

func (x *examination) rate() {
	remaining, limit := x.seen.rate()
	if limit == "" {
		x.add("rate", "skip", "the vendor does not tell", "")
		return
	}
	x.ok("rate", "%s of %s requests left", remaining, limit)
}
