package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"edrctl/internal/private"
	"edrctl/internal/provision"
)

// Template is a first configuration file: valid, empty, and with an example of
// each vendor in comments.
func Template(vendors []provision.Vendor) []byte {
	var b strings.Builder
	b.WriteString(`# Configuration of edrctl. "edrctl config validate" checks it, "edrctl config
# explain" shows what is in force and why, and "edrctl help secrets" says how to
# keep secrets out of it.
version: 1

# The tenants of commands that name none.
# default-tenants: [NAME]

# Whether sessions are kept between runs: file or off.
# session-cache: file

# The consoles, by a name of your own. Take the "#" away from what you need.
tenants:
`)
	for _, v := range vendors {
		fmt.Fprintf(&b, "#  %s:\n#    vendor: %s  # %s\n", v.Name, v.Name, v.Title)
		for _, s := range v.Settings {
			optional := "# "
			if s.Required && s.Name == firstChoice(v, s).Name {
				optional = ""
			}
			fmt.Fprintf(&b, "#    %s%s: %s  # %s\n", optional, s.Name, example(v, s), remark(s))
		}
	}
	b.WriteString("#\n# Every tenant also takes:\n")
	for _, s := range commonSettings()[1:] {
		fmt.Fprintf(&b, "#    # %s: %s  # %s\n", s.Name, example(provision.Vendor{}, s), remark(s))
	}
	b.WriteString(`
# Role aliases: what each stands for, by vendor.
# roles:
#   analyst:
`)
	for _, v := range vendors {
		fmt.Fprintf(&b, "#     %s: [ROLE]\n", v.Name)
	}
	b.WriteString(`
# Logins that no command changes, and how many people one command may delete.
# guards:
#   protected: [break-glass@example.com]
#   max-deletes: 10
`)
	return []byte(b.String())
}

// firstChoice is the setting of a group to begin with: one that has a default,
// else the first.
func firstChoice(v provision.Vendor, s provision.Setting) provision.Setting {
	var group []provision.Setting
	for _, other := range v.Settings {
		if other.Name == s.Name || other.OneOf == s.OneOf && s.OneOf != "" {
			group = append(group, other)
		}
	}
	i := slices.IndexFunc(group, func(s provision.Setting) bool { return s.Default != "" })
	return group[max(i, 0)]
}

// example is a value to be replaced.
func example(v provision.Vendor, s provision.Setting) string {
	switch {
	case s.Secret:
		name := strings.ToUpper(strings.ReplaceAll(v.Name+"_"+s.Name, "-", "_"))
		return "env:" + name
	case s.Default != "":
		return s.Default
	case len(s.Values) > 0:
		return s.Values[0]
	case s.Name == keyURL:
		return "https://console.example"
	case s.Address:
		return "console.example"
	}
	return `""`
}

func remark(s provision.Setting) string {
	help := strings.Join(strings.Fields(s.Help), " ")
	if len(s.Values) > 0 {
		help += ": " + strings.Join(s.Values, ", ")
	}
	if s.Required && s.OneOf != "" {
		help += " (one of the group " + s.OneOf + ")"
	}
	return help
}

// First is a configuration file with one tenant. Values are by key, in the
// order in which they are to stand.
func First(tenant, vendor string, values [][2]string) ([]byte, error) {
	scalar := func(text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text} }
	mapping := func(pairs ...*yaml.Node) *yaml.Node {
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: pairs}
	}
	one := mapping(scalar("vendor"), scalar(vendor))
	for _, v := range values {
		one.Content = append(one.Content, scalar(v[0]), scalar(v[1]))
	}
	return yaml.Marshal(mapping(
		scalar("version"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "1"},
		scalar("default-tenants"), &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: []*yaml.Node{scalar(tenant)}},
		scalar("tenants"), mapping(scalar(tenant), one),
	))
}

// Init writes a new configuration file, readable by the user only, and the
// folders above it. A file that exists is an error and stays as it is.
func Init(path string, data []byte) error {
	if path == "" {
		return &provision.Error{
			Kind: provision.ErrUsage, Message: "there is no configuration folder: the home folder is not known", Hint: "name the file with --config",
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return usage("write the configuration", err)
	}
	err := private.Create(path, data)
	if errors.Is(err, fs.ErrExist) {
		return &provision.Error{
			Kind: provision.ErrUsage, Message: path + " exists already", Hint: "edit it, or name another with --config",
		}
	}
	if err != nil {
		return usage("write the configuration", err)
	}
	return nil
}
