package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"edrctl/internal/config"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/transport"
)

// load reads the configuration, once.
func (a *app) load() (*config.File, error) {
	if a.file != nil {
		return a.file, nil
	}
	file, err := config.Load(a.configEnv(), a.Vendors, a.flags.config)
	if err != nil {
		return nil, err
	}
	a.file = file
	for _, w := range file.Warnings {
		a.say("warning: %s", w)
	}
	return file, a.renderOptions().Check()
}

func (a *app) configEnv() config.Environment {
	env := config.Environment{
		Environ: a.Environ, ConfigDir: a.ConfigDir, HomeDir: a.HomeDir,
		Proxy: a.Proxy, OnSecret: func(s provision.Secret) { a.redactor.Add(s) },
		Flags: map[string]string{},
	}
	set := func(name, value string, given bool) {
		if given {
			env.Flags[name] = value
		}
	}
	set("output", a.flags.output, a.flags.output != "")
	set("timeout", a.flags.timeout.String(), a.flags.timeout != 0)
	set("max-wait", a.flags.maxWait.String(), a.flags.maxWait != 0)
	if a.mayAsk() {
		env.Prompt = a.promptSecret
	}
	return env
}

// selected are the tenants that a command means: those of -t, all with -A, else
// the default ones, else the only one.
func (a *app) selected() ([]*config.Tenant, error) {
	file, err := a.load()
	if err != nil {
		return nil, err
	}
	names := a.flags.tenants
	all := file.Names()
	switch {
	case a.flags.allTenants && len(names) > 0:
		return nil, provision.Usagef("-A means all tenants; leave out -t")
	case len(all) == 0:
		return nil, &provision.Error{
			Kind: provision.ErrUsage, Message: fmt.Sprintf("no tenant is configured in %s or the environment", file.Path),
			Hint: "`edrctl help environment` shows how to configure one, `edrctl mock exec` how to try edrctl without",
		}
	case a.flags.allTenants:
		names = all
	case len(names) > 0:
	case len(file.DefaultTenants) > 0:
		names = file.DefaultTenants
	case len(all) == 1:
		names = all
	default:
		return nil, &provision.Error{
			Kind: provision.ErrUsage, Message: "which tenant? Configured are " + strings.Join(all, ", "),
			Hint: "name some with -t, or all with -A, or set default-tenants",
		}
	}
	var tenants []*config.Tenant
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		t, err := file.Tenant(name)
		if err != nil {
			return nil, err
		}
		tenants = append(tenants, t)
	}
	return tenants, nil
}

// open makes the adapters of the selected tenants. Nothing is sent.
func (a *app) open(ctx context.Context) ([]plan.Target, error) {
	tenants, err := a.selected()
	if err != nil {
		return nil, err
	}
	targets := make([]plan.Target, len(tenants))
	for i, t := range tenants {
		if targets[i], err = a.openTenant(ctx, t); err != nil {
			return nil, err
		}
	}
	return targets, nil
}

func (a *app) openTenant(ctx context.Context, t *config.Tenant) (plan.Target, error) {
	return a.openWatched(ctx, t, nil)
}

// openWatched is openTenant with somebody who looks at the connection.
func (a *app) openWatched(ctx context.Context, t *config.Tenant, watch *connectionWatch) (plan.Target, error) {
	if t.SystemRoots() {
		transport.LoadRoots()
	}
	settings, secrets, err := t.Resolve(ctx)
	if err != nil {
		return plan.Target{}, err
	}
	connection, err := t.Transport()
	if err != nil {
		return plan.Target{}, err
	}
	store, err := a.store(t)
	if err != nil {
		return plan.Target{}, err
	}
	a.stores[t.Name] = store
	var carrier http.RoundTripper = transport.Base(transport.BaseOptions(connection))
	if watch != nil {
		watch.base, watch.now, watch.proxy = carrier, a.Now, proxyName(connection.Proxy)
		carrier = watch
	}
	p, err := t.Vendor.New(ctx, provision.Config{
		Tenant: t.Name, Settings: settings, Secrets: secrets,
		HTTP: carrier, Now: a.Now, Log: a.log, Store: store,
		Timeout: t.Timeout, MaxWait: t.MaxWait, RequestsPerMinute: t.RequestsPerMinute,
		ReadOnly: a.flags.dryRun, OnSecret: func(s provision.Secret) { a.redactor.Add(s) },
	})
	if err != nil {
		return plan.Target{}, fmt.Errorf("tenant %s: %w", t.Name, err)
	}
	return plan.Target{
		Tenant: t.Name, Vendor: &t.Vendor, Provisioner: p, Roles: keptRoles(store, a.Now),
	}, nil
}

// proxyName tells the host of the proxy that a request goes through.
func proxyName(choose func(*http.Request) (*url.URL, error)) func(*http.Request) string {
	return func(r *http.Request) string {
		if choose == nil {
			return ""
		}
		proxy, err := choose(r)
		if err != nil || proxy == nil {
			return ""
		}
		return proxy.Host
	}
}

// signOut ends the sessions that are not kept.
func (a *app) signOut(targets []plan.Target) {
	if a.file == nil || a.file.SessionCache != config.SessionOff {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, t := range targets {
		if s, ok := t.Provisioner.(provision.Session); ok {
			if err := s.SignOut(ctx); err != nil {
				a.note("warning: %s: signing out: %v", t.Tenant, err)
			}
		}
	}
}
