// Package roster reads, checks and writes rosters: files that say who should
// have access to what, as YAML, JSON or CSV.
//
// It compares a roster with the tenants that are configured and with what their
// vendors declare. It knows no adapter, looks up no role at a vendor, fetches
// no secret and sends nothing. Every error of it is provision.ErrUsage, but for
// those of a writer.
package roster

import (
	"io"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"
)

// The values of User.State.
const (
	Present = "present"
	Absent  = "absent"
)

// The formats of Write.
const (
	YAML = "yaml"
	JSON = "json"
	CSV  = "csv"
)

// What every roster in YAML or JSON begins with.
const (
	apiVersion = "edrctl/v1"
	kind       = "Roster"
)

// A roster beyond these is refused before much memory is spent on it.
const (
	maxFile    = 64 << 20
	maxValue   = 64 << 10  // one value
	maxUser    = 256 << 10 // one user, as text
	maxUsers   = 1 << 20
	maxList    = 1000 // roles or tenants of one user
	maxColumns = 256
	maxWords   = 4096
)

// Roster says who should have access to what.
type Roster struct {
	Defaults Defaults
	// Users are in the order of the file. In YAML and JSON a login stands
	// once; in CSV it may stand in several rows that share no tenant.
	Users []User

	name string
}

// Defaults hold for users that do not say otherwise.
type Defaults struct {
	Tenants []string
	// Line and Column are where the tenants stand.
	Line, Column int
}

// User says what access one person should have in some tenants.
type User struct {
	Login string
	// FirstName, LastName and Phone are nil where the roster does not give
	// them.
	FirstName, LastName, Phone *string
	// Roles are aliases or names of vendors' roles, for all tenants.
	Roles []string
	// Tenants are empty for the defaults.
	Tenants []string
	// TenantRoles are further roles, by tenant.
	TenantRoles map[string][]string
	// Options are by vendor and name, and as written.
	Options map[string]map[string]string
	// Password is a reference to the first password, such as env:NAME.
	Password string
	// Expires is when access ends, in UTC; zero for never. It may be past.
	Expires time.Time
	// State is Present or Absent.
	State string
	// Line and Column are where the user stands in the file.
	Line, Column int
	// rolesAt is where the roles stand, and optionsAt where each option does.
	rolesAt   pos
	optionsAt map[string]pos
}

// TenantsOf are the tenants of a user, the defaults if it names none.
func (r *Roster) TenantsOf(u *User) []string {
	if len(u.Tenants) > 0 {
		return u.Tenants
	}
	return r.Defaults.Tenants
}

// RolesIn are the roles of a user in a tenant, those for all tenants first.
func (u *User) RolesIn(tenant string) []string {
	if len(u.TenantRoles[tenant]) == 0 {
		return slices.Clone(u.Roles)
	}
	return distinct(slices.Concat(u.Roles, u.TenantRoles[tenant]))
}

// Read reads a roster. Its format is that of the name: .yaml, .yml, .json or
// .csv, and YAML for "-". It reports all faults at once, as Faults; none of
// them repeats what stands where a password should be named.
//
// Whether tenants, vendors and options exist is for Roster.Check to say.
func Read(in io.Reader, name string) (*Roster, error) {
	return read(in, name, maxTree, maxPiece)
}

// ReadFor is Read and Check in one, so that the faults of both are reported
// together. Of a user who could not be read as it stands, nothing is said that
// may only follow from that.
func ReadFor(in io.Reader, name string, known Known) (*Roster, error) {
	r := &reader{name: name, tree: maxTree, piece: maxPiece, tenants: append([]string{}, known.Names()...)}
	if err := r.read(in); err != nil {
		return nil, err
	}
	c := newChecker(&r.roster, known)
	c.spoilt, c.tenantsChecked = r.spoilt(), true
	c.check()
	if err := append(r.faults, c.faults...).err(); err != nil {
		return nil, err
	}
	return &r.roster, nil
}

func read(in io.Reader, name string, tree, piece int) (*Roster, error) {
	r := &reader{name: name, tree: tree, piece: piece}
	if err := r.read(in); err != nil {
		return nil, err
	}
	if err := r.faults.err(); err != nil {
		return nil, err
	}
	return &r.roster, nil
}

// read collects users and faults. Its error is one of the file as a whole.
func (r *reader) read(in io.Reader) error {
	r.roster.name = r.name
	parse, err := r.parser()
	if err != nil {
		return err
	}
	data, err := r.load(in)
	if err != nil {
		return err
	}
	if len(r.faults) == 0 {
		parse(data)
		r.finish()
	}
	return nil
}

// spoilt tells which users have faults. They may lack what the file gives them.
func (r *reader) spoilt() map[*User]bool {
	spoilt := map[*User]bool{}
	users := r.roster.Users
	if d := r.roster.Defaults; d.Line > 0 && len(d.Tenants) == 0 {
		for i := range users {
			spoilt[&users[i]] = true
		}
		return spoilt
	}
	for _, f := range r.faults {
		next := sort.Search(len(users), func(i int) bool {
			return users[i].Line > f.Line || users[i].Line == f.Line && users[i].Column > f.Column
		})
		if next > 0 {
			spoilt[&users[next-1]] = true
		}
	}
	return spoilt
}

// parser is what reads the format that the name stands for.
func (r *reader) parser() (func([]byte), error) {
	if r.name == "-" {
		return r.yaml, nil
	}
	switch strings.ToLower(filepath.Ext(r.name)) {
	case ".yaml", ".yml":
		return r.yaml, nil
	case ".json":
		return r.json, nil
	case ".csv":
		return r.csv, nil
	}
	r.fault(pos{}, "the name of a roster ends with .yaml, .yml, .json or .csv; \"-\" is YAML")
	return nil, r.faults.err()
}

// distinct leaves out what was there before, and keeps the order.
func distinct(list []string) []string {
	kept := list[:0:0]
	for _, s := range list {
		if !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
