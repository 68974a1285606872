// Package config knows the tenants, the role aliases and the guards that a user
// has configured, in a file, by flags and by EDRCTL_ variables, and fetches the
// secrets they refer to.
//
// It knows no vendor by name: what keys a tenant takes, it learns from
// provision.Vendor. It reads the environment that it is given and no other,
// writes nothing but a new configuration file and items of the OS's keyring,
// and talks to no vendor. Every error of it is provision.ErrUsage, unless the
// context ended.
package config

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"edrctl/internal/provision"
)

// Environment is the outside world as far as configuration depends on it.
type Environment struct {
	// Environ are the variables, as os.Environ gives them.
	Environ []string
	// ConfigDir is the OS's configuration folder, HomeDir the user's own.
	// $XDG_CONFIG_HOME goes before ConfigDir.
	ConfigDir, HomeDir string
	// Flags are the values given by flags, by the name of the flag. Those that
	// are keys of the configuration ("output", "timeout", "max-wait") go before
	// everything else, others are ignored.
	Flags map[string]string
	// Prompt asks the person at the terminal for a secret, without echo. It is
	// nil where nobody can be asked.
	Prompt func(ctx context.Context, text string) (provision.Secret, error)
	// Proxy chooses the proxy of tenants that configure none, as
	// http.ProxyFromEnvironment does. Nil for no proxy.
	Proxy func(*http.Request) (*url.URL, error)
	// OnSecret, if not nil, is told each secret that becomes known, so that
	// it can be kept out of all output. It may be called concurrently.
	OnSecret func(provision.Secret)
	// Keyring is the OS's keyring; nil for the real one.
	Keyring Keyring
}

// The values of File.SessionCache.
const (
	// SessionFile keeps sessions between runs.
	SessionFile = "file"
	// SessionOff keeps nothing and signs out at the end.
	SessionOff = "off"
)

// Guards are the limits that the user has set.
type Guards struct {
	// Protected are logins that no command changes, as written.
	Protected []string
	// MaxDeletes is how many people one command may delete, or take all roles
	// from; NoLimit when it is not configured.
	MaxDeletes int
}

// NoLimit is the MaxDeletes of a configuration that sets none.
const NoLimit = -1

// File is a configuration: the file, if there is one, with what flags and the
// environment add to it. It is safe for concurrent use.
type File struct {
	// Path is the absolute path of the file.
	Path string
	// Found is false when there is no file at Path, which is an error only
	// where somebody named it.
	Found bool
	// DefaultTenants are those to use when none is named.
	DefaultTenants []string
	// SessionCache is SessionFile or SessionOff.
	SessionCache string
	// Output is the format of results, such as "table".
	Output string
	Guards Guards
	// Warnings are to be shown on every run. They name the EDRCTL_ variables
	// that belong to no tenant or key and are ignored, and the tenants whose
	// certificates nobody checks.
	Warnings []string

	env     Environment
	vars    variables
	catalog *catalog
	doc     *document
	// facts are those of the file, nil without one.
	facts   *fileFacts
	scalars layers
	tenants []*Tenant
	limits  limits
	// referred are the variables that references name, which keep secrets
	// even where another value goes before them.
	referred []string
	// prompting keeps two questions from standing on the terminal at once.
	prompting sync.Mutex
}

// Names are the names of the tenants: those of the file in its order, then
// those of the environment alone.
func (f *File) Names() []string {
	var names []string
	for _, t := range f.tenants {
		names = append(names, t.Name)
	}
	return names
}

// Tenant returns a tenant by name. The error for an unknown one lists them.
func (f *File) Tenant(name string) (*Tenant, error) {
	for _, t := range f.tenants {
		if t.Name == name {
			return t, nil
		}
	}
	if len(f.tenants) == 0 {
		return nil, &provision.Error{
			Kind: provision.ErrUsage, Message: "there is no tenant " + quote(name) + ", as none is configured",
			Hint: "`edrctl config init` writes a file to begin with: " + f.Path,
		}
	}
	return nil, provision.Usagef("%s", unknown("tenant", name, f.Names()))
}

// Validate checks every tenant as Tenant.Check does, and reports all faults.
func (f *File) Validate() error {
	var faults Faults
	for _, t := range f.tenants {
		faults = append(faults, t.missing()...)
	}
	return faults.err()
}

// Aliases are the names of the role aliases, sorted.
func (f *File) Aliases() []string {
	return slices.Sorted(maps.Keys(f.doc.roles))
}

// ExpandRoles replaces each alias by its roles for a vendor and leaves other
// names, and id:VALUE, as they are. The result has no name twice. An alias that
// has no role for the vendor is an error.
func (f *File) ExpandRoles(vendor string, names []string) ([]string, error) {
	var roles []string
	for _, name := range names {
		byVendor, isAlias := f.doc.roles[name]
		switch {
		case !isAlias || strings.HasPrefix(name, provision.RawRolePrefix):
			roles = append(roles, name)
		case len(byVendor[vendor]) == 0:
			return nil, &provision.Error{
				Kind: provision.ErrUsage, Message: "role alias " + quote(name) + " has no role for " + vendor,
				Hint: "give it one under roles." + name + "." + vendor + " in " + f.Path,
			}
		default:
			for _, role := range byVendor[vendor] {
				roles = append(roles, role.text)
			}
		}
	}
	return distinct(roles), nil
}

// distinct leaves out what was there before, and keeps the order.
func distinct(list []string) []string {
	var kept []string
	for _, s := range list {
		if !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
