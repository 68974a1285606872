package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile is the size of a configuration file that is read.
const maxFile = 1 << 20

// reader collects the faults of one file while it is read.
type reader struct {
	// name is how faults and Explain call the file.
	name   string
	faults Faults
}

func (r *reader) fault(line int, format string, args ...any) {
	r.faults = append(r.faults, Fault{Where: r.at(line), Message: fmt.Sprintf(format, args...), line: line})
}

func (r *reader) at(line int) string { return r.name + ":" + strconv.Itoa(line) }

// parse makes the tree of a file's only document, without anything that could
// read differently elsewhere. It returns nil if there are faults.
func (r *reader) parse(data []byte) *yaml.Node {
	if r.checkText(data); len(r.faults) > 0 {
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) {
		r.fault(1, "the file is empty; it begins with \"version: 1\"")
		return nil
	}
	if err == nil {
		if err = decoder.Decode(&second); err == nil {
			r.fault(second.Line, "a second document begins here; a configuration is one document")
			return nil
		}
	}
	if !errors.Is(err, io.EOF) {
		r.syntax(data, err)
		return nil
	}
	r.checkTree(&doc)
	if len(r.faults) > 0 {
		return nil
	}
	return doc.Content[0]
}

// checkText refuses bytes that are no text. The parser would too, but not say
// where.
func (r *reader) checkText(data []byte) {
	line := 1
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		switch {
		case c == utf8.RuneError && size == 1:
			r.fault(line, "a byte is not UTF-8; save the file as UTF-8")
			return
		case c == '\n':
			line++
		case c < ' ' && c != '\t' && c != '\r', 0x7f <= c && c < 0xa0 && c != 0x85:
			r.fault(line, "the control character %U is not allowed", c)
			return
		}
		i += size
	}
}

// syntax words an error of the parser. An unknown anchor's name is left out: it
// may well be a password that begins with an asterisk.
func (r *reader) syntax(data []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if name, found := strings.CutPrefix(text, "unknown anchor '"); found {
		name = strings.TrimSuffix(name, "' referenced")
		before, _, _ := bytes.Cut(data, []byte("*"+name))
		r.fault(1+bytes.Count(before, []byte("\n")), "%s", aliasFault)
		return
	}
	line := 1
	if m := regexp.MustCompile(`^line (\d+): (.*)`).FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
		// The parser, unlike the scanner, counts from 0.
		if regexp.MustCompile(`^did not find expected (<|'|key|node)`).MatchString(text) {
			line++
		}
	}
	if strings.HasPrefix(text, "mapping values are not allowed") {
		text += "; a value that ends with a colon, such as \"prompt:\", is written in quotes"
	}
	r.fault(line, "not YAML from here on: %s", text)
}

const aliasFault = "anchors (&) and aliases (*) are not allowed; a value that begins so is written in quotes"

// checkTree refuses anchors, aliases, own types, and keys that stand twice.
func (r *reader) checkTree(n *yaml.Node) {
	plain := []string{"", "!!map", "!!seq", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp"}
	switch {
	case n.Anchor != "" || n.Kind == yaml.AliasNode:
		r.fault(n.Line, "%s", aliasFault)
		return
	case n.Kind != yaml.DocumentNode && !slices.Contains(plain, n.ShortTag()):
		r.fault(n.Line, "only text, numbers, true and false, lists and mappings are allowed here")
		return
	}
	seen := map[string]int{}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			switch first, twice := seen[child.Value]; {
			case child.Kind == yaml.AliasNode || child.Anchor != "":
			case child.Kind != yaml.ScalarNode:
				r.fault(child.Line, "a key is a word")
			case twice:
				r.fault(child.Line, "key %q stands here again, after line %d", child.Value, first)
			default:
				seen[child.Value] = child.Line
			}
		}
		r.checkTree(child)
	}
}

// value is a value of the file and where it stands.
type value struct {
	text string
	line int
}

// entry is a key of a mapping with its value.
type entry struct {
	key   string
	line  int
	value *yaml.Node
}

// entries are those of a mapping; nothing at all counts as an empty one.
func (r *reader) entries(n *yaml.Node, what string) []entry {
	if n.Kind != yaml.MappingNode {
		if n.ShortTag() != "!!null" {
			r.fault(n.Line, "%s is a mapping of keys to values", what)
		}
		return nil
	}
	var list []entry
	for i := 0; i < len(n.Content); i += 2 {
		list = append(list, entry{key: n.Content[i].Value, line: n.Content[i].Line, value: n.Content[i+1]})
	}
	return list
}

// text is a single value as written; null is empty.
func (r *reader) text(n *yaml.Node, what string) (value, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		r.fault(n.Line, "%s is a single value", what)
		return value{}, false
	case n.ShortTag() == "!!null":
		return value{line: n.Line}, true
	case strings.ContainsFunc(n.Value, isControl):
		r.fault(n.Line, "%s has a line break or another control character in it", what)
		return value{}, false
	}
	return value{text: n.Value, line: n.Line}, true
}

// texts is a list of values.
func (r *reader) texts(n *yaml.Node, what string) []value {
	if n.ShortTag() == "!!null" {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fault(n.Line, "%s is a list, such as [one, two]", what)
		return nil
	}
	var list []value
	for _, item := range n.Content {
		if v, ok := r.text(item, "an item of "+what); ok && v.text == "" {
			r.fault(v.line, "an item of %s is empty", what)
		} else if ok {
			list = append(list, v)
		}
	}
	return list
}

func isControl(c rune) bool { return c < ' ' || 0x7f <= c && c < 0xa0 }
