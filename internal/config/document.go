package config

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"edrctl/internal/provision"
)

// document is what a file says, word for word and with its lines.
type document struct {
	scalars        map[string]value
	defaultTenants []value
	tenants        []*section
	roles          map[string]map[string][]value
	protected      []value
}

// section is what the file says of one tenant.
type section struct {
	name   string
	line   int
	values map[string]value
}

func topKeys() []string {
	return []string{
		keyVersion, keyDefaultTenants, keySessionCache, keyOutput, keyPlaintext, keyTenants, keyRoles, keyGuards,
	}
}

// document reads the tree of a file. Keys of tenants are checked later, when
// their vendors are known.
func (r *reader) document(root *yaml.Node, c *catalog) *document {
	doc := &document{scalars: map[string]value{}}
	for _, e := range r.entries(root, "the configuration") {
		switch e.key {
		case keyVersion, keySessionCache, keyOutput, keyPlaintext:
			if v, ok := r.text(e.value, e.key); ok {
				doc.scalars[e.key] = v
			}
		case keyDefaultTenants:
			doc.defaultTenants = r.texts(e.value, e.key)
		case keyTenants:
			doc.tenants = r.sections(e.value)
		case keyRoles:
			r.roles(doc, e.value, c)
		case keyGuards:
			r.guards(doc, e.value)
		default:
			r.fault(e.line, "%s", unknown("key", e.key, topKeys()))
		}
	}
	version := doc.scalars[keyVersion]
	switch {
	case version.line == 0:
		r.fault(root.Line, "the version is missing; write \"version: 1\"")
	case version.text != "1":
		r.fault(version.line, "version is %q, and this edrctl reads version 1", version.text)
	}
	return doc
}

func (r *reader) sections(n *yaml.Node) []*section {
	var list []*section
	for _, e := range r.entries(n, keyTenants) {
		if !validTenant(e.key) {
			r.fault(e.line, "%q is no name for a tenant; use a to z, 0 to 9 and, not first, dashes", e.key)
			continue
		}
		s := &section{name: e.key, line: e.line, values: map[string]value{}}
		for _, field := range r.entries(e.value, "tenant "+e.key) {
			if v, ok := r.text(field.value, field.key); ok {
				// An unknown key is a fault of its own, on the key's line.
				v.line = field.line
				s.values[field.key] = v
			}
		}
		list = append(list, s)
	}
	return list
}

func (r *reader) roles(doc *document, n *yaml.Node, c *catalog) {
	doc.roles = map[string]map[string][]value{}
	for _, e := range r.entries(n, keyRoles) {
		if e.key == "" || strings.HasPrefix(e.key, provision.RawRolePrefix) {
			r.fault(e.line, "%q is no name for a role alias", e.key)
			continue
		}
		doc.roles[e.key] = map[string][]value{}
		for _, v := range r.entries(e.value, "role alias "+e.key) {
			if _, ok := c.vendor(v.key); !ok {
				r.fault(v.line, "%s", unknown("vendor", v.key, c.vendorNames()))
				continue
			}
			if roles := r.texts(v.value, v.key); len(roles) > 0 {
				doc.roles[e.key][v.key] = roles
			}
		}
	}
}

func (r *reader) guards(doc *document, n *yaml.Node) {
	known := []string{keyProtected, keyMaxDeletes}
	for _, e := range r.entries(n, keyGuards) {
		switch e.key {
		case keyProtected:
			doc.protected = r.texts(e.value, e.key)
			for _, login := range doc.protected {
				if err := provision.CheckLogin(login.text); err != nil {
					r.fault(login.line, "%v", err)
				}
			}
		case keyMaxDeletes:
			v, ok := r.text(e.value, e.key)
			if n, err := strconv.Atoi(v.text); ok && (err != nil || n < 0) {
				r.fault(v.line, "%s is a number from 0 up, not %q", e.key, v.text)
			} else if ok {
				doc.scalars[keyMaxDeletes] = v
			}
		default:
			r.fault(e.line, "%s", unknown("key", e.key, known))
		}
	}
}

// checkKeys refuses keys that the tenant's vendor does not take.
func (r *reader) checkKeys(s *section, v provision.Vendor, c *catalog) {
	known := settingNames(settings(v))
	for key, value := range s.values {
		if slices.Contains(known, key) {
			continue
		}
		for _, other := range c.vendors {
			if slices.Contains(settingNames(other.Settings), key) {
				r.fault(value.line, "key %q is one of %s, and tenant %s is %s", key, other.Name, s.name, v.Name)
				key = ""
				break
			}
		}
		if key != "" {
			r.fault(value.line, "%s", unknown("key", key, known))
		}
	}
}
