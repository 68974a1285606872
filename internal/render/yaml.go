package render

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// toYAML writes a tree as YAML, with the keys in the order of JSON.
func toYAML(tree any) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(yamlNode(tree)); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	return escapeYAML(b.String()), nil
}

func yamlNode(v any) *yaml.Node {
	switch v := v.(type) {
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range v {
			n.Content = append(n.Content, yamlNode(item))
		}
		n.Style = flowIfEmpty(len(v))
		return n
	case object:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for _, m := range v {
			n.Content = append(n.Content, yamlString(m.key), yamlNode(m.value))
		}
		n.Style = flowIfEmpty(len(v))
		return n
	case string:
		return yamlString(v)
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(v)}
	default:
		// Numbers are written alike in JSON and YAML.
		return &yaml.Node{Kind: yaml.ScalarNode, Value: string(appendJSON(nil, v, -1))}
	}
}

func flowIfEmpty(n int) yaml.Style {
	if n == 0 {
		return yaml.FlowStyle
	}
	return 0
}

// yamlString quotes whatever holds hidden characters, since only between double
// quotes they can be escaped, and the words and numbers that readers of
// YAML 1.1 take for booleans and base 60.
func yamlString(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.ToValidUTF8(s, string(utf8.RuneError))}
	old := []string{"y", "yes", "on", "n", "no", "off"}
	switch {
	case strings.ContainsFunc(s, isHidden), slices.Contains(old, strings.ToLower(s)), base60(s):
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func base60(s string) bool {
	return strings.Contains(s, ":") && strings.Trim(s, "0123456789:+-._") == ""
}

// escapeYAML escapes what the encoder takes for printable and a terminal does
// not. All of it stands between double quotes.
func escapeYAML(text string) []byte {
	var b strings.Builder
	for _, r := range text {
		writeEscaped(&b, r, true)
	}
	return []byte(b.String())
}
