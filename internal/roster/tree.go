package roster

import (
	"iter"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// passedOver is the kind of a node whose fault has been reported already.
const passedOver = yaml.Kind(0)

// noAnchors is the fault of anchors and aliases, which can make a small file a
// large one, and one user depend on another.
const noAnchors = "anchors (&) and aliases (*) are not allowed; a value that begins so is written in quotes"

// clean checks a tree for what reads differently elsewhere: anchors, aliases,
// merge keys, own types, and keys that stand twice. Nodes that it reports are
// passed over later. Line numbers become those of the file by way of shift.
func (r *reader) clean(n *yaml.Node, shift func(line int) int) {
	n.Line = shift(n.Line)
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.pass(n, noAnchors)
		return
	case n.Kind == yaml.DocumentNode || n.Kind == passedOver:
	case !isPlain(n.ShortTag()):
		r.pass(n, "only text, numbers, true and false, lists and mappings are allowed here")
		return
	}
	var keys map[string]*yaml.Node
	if n.Kind == yaml.MappingNode && len(n.Content) > 32 {
		keys = make(map[string]*yaml.Node, len(n.Content)/2)
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			r.cleanKey(n.Content[:i], keys, child, shift)
			continue
		}
		r.clean(child, shift)
	}
}

// cleanKey checks a key of a mapping. Keys is nil for small mappings, where
// looking through the earlier ones is quicker.
func (r *reader) cleanKey(before []*yaml.Node, keys map[string]*yaml.Node, key *yaml.Node, shift func(line int) int) {
	switch {
	case key.Kind == yaml.ScalarNode && key.Anchor == "" && key.ShortTag() == "!!merge":
		key.Line = shift(key.Line)
		r.pass(key, "merge keys (<<) are not allowed; write the keys themselves")
		return
	case key.Kind == yaml.MappingNode, key.Kind == yaml.SequenceNode:
		key.Line = shift(key.Line)
		r.pass(key, "a key is a word")
		return
	}
	if r.clean(key, shift); key.Kind == passedOver {
		return
	}
	earlier := keys[key.Value]
	if keys != nil {
		keys[key.Value] = key
	}
	for i := 0; keys == nil && i < len(before); i += 2 {
		if k := before[i]; k.Kind == yaml.ScalarNode && k.Value == key.Value {
			earlier = k
		}
	}
	if earlier != nil {
		r.fault(at(key), "key %s stands here again, after line %d", quote(key.Value), earlier.Line)
	}
}

func (r *reader) pass(n *yaml.Node, fault string) {
	r.fault(at(n), "%s", fault)
	n.Kind, n.Content = passedOver, nil
}

func isPlain(tag string) bool {
	switch tag {
	case "", "!!map", "!!seq", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp":
		return true
	}
	return false
}

func at(n *yaml.Node) pos { return pos{n.Line, n.Column} }

// entries are the keys of a mapping with their values; nothing at all counts
// as an empty mapping.
func (r *reader) entries(n *yaml.Node, what string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			if n.Kind != passedOver && !isNull(n) {
				r.fault(at(n), "%s is a mapping of keys to values", what)
			}
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i]; key.Kind == yaml.ScalarNode && !yield(key, n.Content[i+1]) {
				return
			}
		}
	}
}

// items are those of a list; nothing at all counts as an empty one.
func (r *reader) items(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode && n.Kind != passedOver && !isNull(n) {
		r.fault(at(n), "%s is a list, such as [one, two]", what)
	}
	if n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// isNull reports a value that is not given. Other spellings of null than these
// are text: there are people called Null.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" && slices.Contains([]string{"", "~", "null"}, n.Value)
}

// text is a single value as it is written: what YAML takes for a boolean, a
// number or a date may be a name. It is false for a value that is not given.
func (r *reader) text(n *yaml.Node, what string) (value, bool) {
	if n.Kind == passedOver || isNull(n) {
		return value{}, false
	}
	if n.Kind != yaml.ScalarNode {
		r.fault(at(n), "%s is a single value", what)
		return value{}, false
	}
	return r.valid(value{text: n.Value, pos: at(n)}, what)
}

// list is a list of values, none of them empty.
func (r *reader) list(n *yaml.Node, what string) []value {
	items := r.items(n, what)
	if len(items) == 0 {
		return nil
	}
	if len(items) > maxList {
		r.fault(at(items[maxList]), "%s has more than %d items", what, maxList)
		return nil
	}
	all := make([]value, 0, len(items))
	for _, item := range items {
		text := strings.TrimSpace(item.Value)
		switch {
		case item.Kind == passedOver:
		case item.Kind != yaml.ScalarNode:
			r.fault(at(item), "an item of %s is a single value", what)
		case text == "" || isNull(item):
			r.fault(at(item), "an item of %s is empty", what)
		case checkText(text) != "":
			r.fault(at(item), "an item of %s %s", what, checkText(text))
		default:
			all = append(all, value{text: text, pos: at(item)})
		}
	}
	return all
}
