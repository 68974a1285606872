package roster

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"edrctl/internal/provision"
	"edrctl/internal/render"
)

// writeYAML writes one user at a time, laid out so that a large file can be read
// in pieces.
func writeYAML(b *bytes.Buffer, defaults []string, users []User) error {
	fmt.Fprintf(b, "%s: %s\n%s: %s\n", keyVersion, apiVersion, keyKind, kind)
	if len(defaults) > 0 {
		n := mapping(false)
		put(n, keyDefaults, mapping(true))
		put(n.Content[1], keyTenants, sequence(defaults))
		if err := writeNode(b, n, ""); err != nil {
			return err
		}
	}
	if len(users) == 0 {
		fmt.Fprintf(b, "%s: []\n", keyUsers)
		return nil
	}
	fmt.Fprintf(b, "%s:\n", keyUsers)
	for i := range users {
		item := &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{userNode(&users[i])}}
		if err := writeNode(b, item, "  "); err != nil {
			return fmt.Errorf("write %s: %w", users[i].Login, err)
		}
	}
	return nil
}

// writeNode writes a node with every line indented. No value has a line break.
func writeNode(b *bytes.Buffer, n *yaml.Node, indent string) error {
	var text bytes.Buffer
	enc := yaml.NewEncoder(&text)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		return err
	}
	if err := enc.Close(); err != nil {
		return err
	}
	if text.Len() > maxUser {
		return provision.Usagef(tooLarge)
	}
	// What is hidden stands between double quotes, where this escapes it.
	for line := range strings.Lines(text.String()) {
		b.WriteString(indent + render.Escape(strings.TrimSuffix(line, "\n")) + "\n")
	}
	return nil
}

func userNode(u *User) *yaml.Node {
	n := mapping(false)
	put(n, keyLogin, scalar(u.Login))
	for _, d := range u.details() {
		put(n, d.key, scalar(*d.text))
	}
	if len(u.Roles) > 0 {
		put(n, keyRoles, sequence(u.Roles))
	}
	if len(u.Tenants) > 0 {
		put(n, keyTenants, sequence(u.Tenants))
	}
	if len(u.TenantRoles) > 0 {
		further := mapping(true)
		for _, tenant := range slices.Sorted(maps.Keys(u.TenantRoles)) {
			put(further, tenant, sequence(u.TenantRoles[tenant]))
		}
		put(n, keyTenantRoles, further)
	}
	if len(u.Options) > 0 {
		options := mapping(true)
		for _, vendor := range slices.Sorted(maps.Keys(u.Options)) {
			values := mapping(true)
			for _, name := range slices.Sorted(maps.Keys(u.Options[vendor])) {
				put(values, name, scalar(u.Options[vendor][name]))
			}
			put(options, vendor, values)
		}
		put(n, keyOptions, options)
	}
	if u.Password != "" {
		put(n, keyPassword, scalar(u.Password))
	}
	if !u.Expires.IsZero() {
		// A date without quotes is a date to every reader of YAML.
		put(n, keyExpires, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!timestamp", Value: timeText(u.Expires)})
	}
	if u.State == Absent {
		put(n, keyState, scalar(Absent))
	}
	return n
}

func mapping(flow bool) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	if flow {
		n.Style = yaml.FlowStyle
	}
	return n
}

func put(n *yaml.Node, key string, value *yaml.Node) {
	n.Content = append(n.Content, scalar(key), value)
}

func sequence(list []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, s := range list {
		n.Content = append(n.Content, scalar(s))
	}
	return n
}

// scalar is text. It is quoted where another reader would take it for something
// else: a number of base 60, a boolean of YAML 1.1, or nothing at all; and where
// it holds what must be escaped.
func scalar(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	odd := []string{"y", "yes", "on", "n", "no", "off"}
	number := s != "" && strings.Trim(s, "0123456789:+-._") == ""
	if number || render.Escape(s) != s || slices.Contains(odd, strings.ToLower(s)) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}
