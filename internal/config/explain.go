package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Explained is one value of the configuration.
type Explained struct {
	// Key is the path of the key, such as "tenants.cbc.url".
	Key string `json:"key"`
	// Value is shown to people. Of a secret it is only its reference, as in
	// "set (env:NAME)".
	Value string `json:"value"`
	// Source is "flag", "env EDRCTL_OUTPUT", "config.yaml:12" or "default".
	Source string `json:"source"`
}

// Explain lists every value and where it comes from, tenants last.
func (f *File) Explain() []Explained {
	var list []Explained
	add := func(key, value, source string) {
		if source != "" {
			list = append(list, Explained{Key: key, Value: value, Source: source})
		}
	}
	for _, key := range []string{keyDefaultTenants, keySessionCache, keyOutput, keyPlaintext} {
		add(key, f.scalars.get(key), f.scalars.source(key))
	}
	if logins := f.doc.protected; len(logins) > 0 {
		add(keyGuards+"."+keyProtected, joined(logins), f.place(logins[0].line))
	}
	add(keyGuards+"."+keyMaxDeletes, f.scalars.get(keyMaxDeletes), f.scalars.source(keyMaxDeletes))
	for _, alias := range f.Aliases() {
		byVendor := f.doc.roles[alias]
		for _, vendor := range slices.Sorted(maps.Keys(byVendor)) {
			roles := byVendor[vendor]
			add(strings.Join([]string{keyRoles, alias, vendor}, "."), joined(roles), f.place(roles[0].line))
		}
	}
	for _, t := range f.tenants {
		for _, s := range settings(t.Vendor) {
			key := strings.Join([]string{keyTenants, t.Name, s.Name}, ".")
			if source, ok := t.secrets[s.Name]; ok {
				add(key, source.String(), source.source)
			} else if !s.Secret {
				add(key, t.layers.get(s.Name), t.layers.source(s.Name))
			}
		}
	}
	return list
}

// String tells that there is a secret and where it is kept, and no more.
func (s secretSource) String() string {
	if s.ref == nil {
		return "set"
	}
	return fmt.Sprintf("set (%s)", s.ref)
}
