package mock

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Config renders a configuration of edrctl in which each vendor served is a
// tenant of that name. The credentials in it are literals. The file at caFile
// must hold CAPEM; it is not mentioned without TLS.
func (s *Servers) Config(caFile string) []byte {
	tenants := mapping()
	for _, one := range s.list {
		settings := one.Settings()
		tenant := mapping()
		add(tenant, "vendor", text(one.Vendor))
		for _, key := range slices.Sorted(maps.Keys(settings)) {
			if key == "vendor" || key == "ca-file" {
				continue
			}
			add(tenant, key, text(settings[key]))
		}
		if s.caPEM != nil && caFile != "" {
			add(tenant, "ca-file", text(caFile))
		}
		add(tenants, one.Vendor, tenant)
	}
	root := mapping()
	aliases := s.aliases()
	add(root, "version", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "1"})
	add(root, "allow-plaintext-secrets", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	add(root, "tenants", tenants)
	if len(aliases.Content) > 0 {
		add(root, "roles", aliases)
	}
	out, err := yaml.Marshal(root)
	if err != nil {
		panic(err) // strings and maps of strings can be written
	}
	return out
}

// aliases are the role aliases of all vendors together.
func (s *Servers) aliases() *yaml.Node {
	byName := map[string]*yaml.Node{}
	for _, one := range s.list {
		for name, roles := range one.roles {
			if byName[name] == nil {
				byName[name] = mapping()
			}
			list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
			for _, r := range roles {
				list.Content = append(list.Content, text(r))
			}
			add(byName[name], one.Vendor, list)
		}
	}
	all := mapping()
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		add(all, name, byName[name])
	}
	return all
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"} }

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

func add(m *yaml.Node, key string, value *yaml.Node) {
	m.Content = append(m.Content, text(key), value)
}
