package roster

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The keys of a roster.
const (
	keyVersion  = "apiVersion"
	keyKind     = "kind"
	keyDefaults = "defaults"
	keyUsers    = "users"
)

// document reads a roster from the clean tree of its file. Users that stand
// apart from it are read by the caller.
func (r *reader) document(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		if n.Kind != passedOver {
			r.fault(at(n), "a roster is a mapping that begins with \"apiVersion: %s\"", apiVersion)
		}
		return
	}
	var seen []string
	for key, v := range r.entries(n, "a roster") {
		seen = append(seen, key.Value)
		switch key.Value {
		case keyVersion:
			r.constant(v, keyVersion, apiVersion)
		case keyKind:
			r.constant(v, keyKind, kind)
		case keyDefaults:
			r.defaults(v)
		case keyUsers:
			r.users(key, v)
		default:
			r.fault(at(key), "%s", unknown("key", key.Value, []string{keyVersion, keyKind, keyDefaults, keyUsers}))
		}
	}
	for _, key := range []string{keyVersion, keyKind, keyUsers} {
		if !slices.Contains(seen, key) {
			r.fault(at(n), "key %q is missing", key)
		}
	}
}

func (r *reader) constant(n *yaml.Node, key, want string) {
	v, given := r.text(n, key)
	if given && v.text != want {
		r.fault(v.pos, "%s is %s, and this edrctl reads %s", key, quote(v.text), want)
	} else if !given && n.Kind != passedOver {
		r.fault(at(n), "%s is %s", key, want)
	}
}

func (r *reader) defaults(n *yaml.Node) {
	for key, v := range r.entries(n, keyDefaults) {
		if key.Value != keyTenants {
			r.fault(at(key), "%s", unknown("key", key.Value, []string{keyTenants}))
			continue
		}
		r.roster.Defaults = Defaults{
			Tenants: r.tenantNames(r.list(v, keyTenants)), Line: v.Line, Column: v.Column,
		}
	}
}

// users reads the list of users. A list that is missing altogether is more
// often an accident than the wish that nobody has access.
func (r *reader) users(key, n *yaml.Node) {
	if isNull(n) {
		r.fault(at(key), "users are missing; a roster of nobody says \"users: []\"")
		return
	}
	for _, item := range r.items(n, keyUsers) {
		if r.user(item); r.ended {
			return
		}
	}
}

func (r *reader) user(n *yaml.Node) {
	if n.Kind == passedOver {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fault(at(n), "a user is a mapping that begins with \"login:\"")
		return
	}
	u := User{State: Present, Line: n.Line, Column: n.Column}
	named := false
	for key, v := range r.entries(n, "a user") {
		switch key.Value {
		case keyRoles:
			u.Roles, u.rolesAt = r.texts(r.list(v, keyRoles)), at(key)
		case keyTenants:
			u.Tenants = r.tenantNames(r.list(v, keyTenants))
		case keyTenantRoles:
			r.tenantRoles(&u, v)
		case keyOptions:
			r.options(&u, v)
		default:
			if text, given := r.single(key, v); given {
				r.field(&u, key.Value, text)
			}
		}
		named = named || key.Value == keyLogin && !isNull(v)
	}
	if !named {
		r.fault(at(n), "a user needs a login")
	}
	r.add(u)
}

// single is the value of a key that has one value.
func (r *reader) single(key, n *yaml.Node) (value, bool) {
	switch key.Value {
	case keyLogin, keyFirstName, keyLastName, keyPhone, keyPassword, keyExpires, keyState:
		return r.text(n, key.Value)
	}
	r.fault(at(key), "%s", unknown("key", key.Value, userKeys()))
	return value{}, false
}

func (r *reader) tenantRoles(u *User, n *yaml.Node) {
	for key, v := range r.entries(n, keyTenantRoles) {
		tenant := key.Value
		if fault := checkTenant(tenant); fault != "" {
			r.fault(at(key), "%s", fault)
			continue
		}
		roles := r.texts(r.list(v, keyTenantRoles))
		r.named = append(r.named, namedTenant{user: len(r.roster.Users), tenant: tenant, pos: at(key)})
		if len(roles) == 0 {
			continue
		}
		if u.TenantRoles == nil {
			u.TenantRoles = map[string][]string{}
		}
		u.TenantRoles[tenant] = roles
	}
}

func (r *reader) options(u *User, n *yaml.Node) {
	for vendor, options := range r.entries(n, keyOptions) {
		if !isName(vendor.Value) {
			r.fault(at(vendor), "%s is no name of a vendor", quote(vendor.Value))
			continue
		}
		for name, v := range r.entries(options, "options of "+vendor.Value) {
			if !isName(name.Value) {
				r.fault(at(name), "%s is no name of an option", quote(name.Value))
			} else if v.Kind == yaml.SequenceNode {
				r.listOption(u, at(name), vendor.Value, name.Value, v)
			} else if text, given := r.text(v, name.Value); given {
				u.option(at(name), r.word(vendor.Value), r.word(name.Value), r.word(text.text))
			}
		}
	}
}

// listOption takes a list for the value of an option that is written with
// commas elsewhere.
func (r *reader) listOption(u *User, where pos, vendor, name string, n *yaml.Node) {
	list := r.list(n, "option "+vendor+"."+name)
	for _, v := range list {
		if strings.Contains(v.text, ",") {
			r.fault(v.pos, "an item of option %s.%s has a comma in it", vendor, name)
		}
	}
	u.option(where, vendor, name, strings.Join(r.texts(list), ","))
}
