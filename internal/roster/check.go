package roster

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

// Known is what a roster is checked against.
type Known interface {
	// Names are the names of the configured tenants.
	Names() []string
	// Tenant is the vendor of a tenant; false for an unknown one.
	Tenant(name string) (provision.Vendor, bool)
	// ExpandRoles replaces aliases by a vendor's roles and leaves other names
	// as they are. An alias that has none for the vendor is an error.
	ExpandRoles(vendor string, names []string) ([]string, error)
}

// Check reports, as Faults, tenants that are not configured, users without a
// tenant, role aliases that say nothing for a tenant's vendor, and options that
// no vendor of the user's tenants takes. It brings values of options into their
// canonical spelling.
//
// What a vendor cannot do is no fault here: whether it matters depends on how
// things are at the vendor.
func (r *Roster) Check(known Known) error {
	c := newChecker(r, known)
	c.check()
	return c.faults.err()
}

func (c *checker) check() {
	c.defaults()
	for i := range c.roster.Users {
		if c.user(&c.roster.Users[i]); c.faults.full() {
			break
		}
	}
}

// Warnings name what will be ignored: passwords of users none of whose tenants
// wants one.
func (r *Roster) Warnings(known Known) []string {
	c := newChecker(r, known)
	first, more := "", 0
	for i := range r.Users {
		u := &r.Users[i]
		wants := func(v *provision.Vendor) bool { return v.PasswordRule != nil }
		if u.Password == "" || u.State == Absent || slices.ContainsFunc(c.vendors(u), wants) {
			continue
		}
		if first != "" {
			more++
			continue
		}
		first = Fault{
			Name: r.name, Line: u.Line, Column: u.Column,
			Message: fmt.Sprintf("the password of %s is ignored: no tenant of this user takes one", u.Login),
		}.String()
	}
	switch {
	case first == "":
		return nil
	case more > 0:
		first += fmt.Sprintf("; nor of %d more users", more)
	}
	return []string{first}
}

type checker struct {
	*reader
	roster *Roster
	known  Known
	// tenants are the vendors of tenants; nil for unknown tenants.
	tenants map[string]*provision.Vendor
	// expanded are what the aliases of a vendor and list of roles are lacking.
	expanded map[string]string
	// reported are the options that are not reported for every user again.
	reported map[string]bool
	// spoilt are users who may lack what the file gives them.
	spoilt map[*User]bool
	// tenantsChecked is true where the reader has found the unknown tenants.
	tenantsChecked bool
}

func newChecker(r *Roster, known Known) *checker {
	return &checker{
		reader: &reader{name: r.name}, roster: r, known: known, tenants: map[string]*provision.Vendor{},
		expanded: map[string]string{}, reported: map[string]bool{},
	}
}

func (c *checker) vendor(tenant string) *provision.Vendor {
	v, asked := c.tenants[tenant]
	if !asked {
		if found, ok := c.known.Tenant(tenant); ok {
			v = &found
		}
		c.tenants[tenant] = v
	}
	return v
}

// vendors are those of a user's tenants, as far as they are known.
func (c *checker) vendors(u *User) []*provision.Vendor {
	var vendors []*provision.Vendor
	for _, tenant := range c.roster.TenantsOf(u) {
		if v := c.vendor(tenant); v != nil && !slices.Contains(vendors, v) {
			vendors = append(vendors, v)
		}
	}
	return vendors
}

func (c *checker) defaults() {
	d := c.roster.Defaults
	for _, tenant := range d.Tenants {
		if c.vendor(tenant) == nil && !c.tenantsChecked {
			c.fault(pos{d.Line, d.Column}, "%s", unknown("tenant", tenant, c.known.Names()))
		}
	}
}

func (c *checker) user(u *User) {
	for _, tenant := range u.Tenants {
		if c.vendor(tenant) == nil && !c.tenantsChecked {
			c.faultOf(u, pos{}, unknown("tenant", tenant, c.known.Names()))
		}
	}
	tenants := c.roster.TenantsOf(u)
	if len(tenants) == 0 && !c.spoilt[u] && u.Login != "" {
		c.faultOf(u, pos{}, "no tenant is named, and there are no default ones")
	}
	if u.State != Absent {
		c.aliases(u, tenants)
	}
	for _, vendor := range slices.Sorted(maps.Keys(u.Options)) {
		c.options(u, vendor, u.Options[vendor])
	}
}

// faultOf reports a fault of a user, at a place or where the user stands. The
// user is named because the place does not say everything: the file may be one
// long line.
func (c *checker) faultOf(u *User, where pos, fault string) {
	if where.line == 0 {
		where = pos{u.Line, u.Column}
	}
	c.fault(where, "%s: %s", u.Login, fault)
}

// aliases checks that the aliases have roles for each tenant's vendor.
func (c *checker) aliases(u *User, tenants []string) {
	for _, tenant := range tenants {
		v := c.vendor(tenant)
		roles := u.RolesIn(tenant)
		if v == nil || len(roles) == 0 {
			continue
		}
		key := v.Name + "\x00" + strings.Join(roles, "\x00")
		fault, known := c.expanded[key]
		if !known {
			if _, err := c.known.ExpandRoles(v.Name, roles); err != nil {
				fault = messageOf(err)
			}
			c.expanded[key] = fault
		}
		if fault != "" {
			c.faultOf(u, u.rolesAt, fault+", which tenant "+tenant+" is")
		}
	}
}

func (c *checker) options(u *User, vendor string, options map[string]string) {
	vendors := c.vendors(u)
	i := slices.IndexFunc(vendors, func(v *provision.Vendor) bool { return v.Name == vendor })
	if i < 0 {
		c.foreign(u, vendor)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(options)) {
		one := provision.Options{name: options[name]}
		err := vendors[i].CheckOptions(one, verbOf(vendors[i], name))
		if err == nil {
			options[name] = one[name]
			continue
		}
		// A name is wrong for all users alike, in CSV even in one place.
		key := vendor + "." + name
		known := slices.ContainsFunc(vendors[i].Options, func(o provision.Option) bool { return o.Name == name })
		if known || !c.reported[key] {
			c.faultOf(u, u.optionsAt[key], messageOf(err))
		}
		c.reported[key] = true
	}
}

// foreign reports options of a vendor that no tenant of the user has.
func (c *checker) foreign(u *User, vendor string) {
	var where pos
	for key, at := range u.optionsAt {
		first := where.line == 0 || at.line < where.line || at.line == where.line && at.column < where.column
		if strings.HasPrefix(key, vendor+".") && first {
			where = at
		}
	}
	var names []string
	for _, tenant := range c.known.Names() {
		if v := c.vendor(tenant); v != nil {
			names = append(names, v.Name)
		}
	}
	names = distinct(names)
	switch {
	case contains(names, vendor) && c.spoilt[u]:
	case contains(names, vendor):
		c.faultOf(u, where, "options for "+vendor+", but none of the user's tenants is one: "+listed(c.roster.TenantsOf(u)))
	case !c.reported[vendor]:
		c.faultOf(u, where, unknown("vendor of options", vendor, names))
		c.reported[vendor] = true
	}
}

// verbOf is a verb that takes an option: which one, is up to the planner.
func verbOf(v *provision.Vendor, name string) string {
	for _, o := range v.Options {
		switch {
		case o.Name != name:
		case o.OnUpdate:
			return "update"
		case o.OnRoles:
			return "roles"
		}
	}
	return "create"
}
