package roster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxTree is the size up to which YAML is parsed in one piece. A tree takes some
// hundred times the memory of its text, which bounds what a hostile file costs.
const maxTree = 512 << 10

// yaml reads a roster in YAML. Most are small and read whole. Of a larger one
// the list of users is read in pieces, and if it is JSON, which is YAML too, as
// such.
func (r *reader) yaml(data []byte) {
	switch {
	case bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) && json.Valid(data):
		r.json(data)
	case len(data) <= r.tree:
		if root := r.parse(data, unshifted); root != nil {
			r.document(root)
		}
	default:
		r.pieces(data)
	}
}

func unshifted(line int) int { return line }

// parse makes the clean tree of a document, or reports why there is none.
func (r *reader) parse(data []byte, shift func(line int) int) *yaml.Node {
	root, fault := parseYAML(data)
	switch {
	case fault != nil:
		r.end(pos{shift(fault.line), fault.column}, "%s", fault.text)
		return nil
	case root == nil:
		r.end(pos{1, 1}, "the file is empty")
		return nil
	}
	r.clean(root, shift)
	return root
}

// yamlFault is why a text is not one document. The parser gives no column.
type yamlFault struct {
	line, column int
	text         string
}

// parseYAML makes the tree of the only document of a text; nil if there is none.
func parseYAML(data []byte) (*yaml.Node, *yamlFault) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil {
		// Of a second document, a decoder that is not asked says nothing.
		if err = decoder.Decode(&second); err == nil {
			return nil, &yamlFault{second.Line, second.Column, "a second document begins here; a roster is one document"}
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, newYAMLFault(data, err)
	}
	return doc.Content[0], nil
}

// newYAMLFault words an error of the parser. An unknown anchor's name is left
// out: it may well be a password that begins with an asterisk.
func newYAMLFault(data []byte, err error) *yamlFault {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if name, found := strings.CutPrefix(text, "unknown anchor '"); found {
		name = strings.TrimSuffix(name, "' referenced")
		before, _, _ := bytes.Cut(data, []byte("*"+name))
		c := cursor{data: data, pos: pos{1, 1}}
		p := c.at(len(before))
		return &yamlFault{p.line, p.column, noAnchors}
	}
	line := 1
	if m := regexp.MustCompile(`^line (\d+): (.*)`).FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
		// The parser, unlike the scanner, counts from 0.
		if regexp.MustCompile(`^did not find expected (<|'|key|node|-)`).MatchString(text) {
			line++
		}
	}
	if strings.HasPrefix(text, "mapping values are not allowed") {
		text += "; a value that ends with a colon, such as \"prompt:\", is written in quotes"
	}
	return &yamlFault{line: min(line, 1+bytes.Count(data, []byte("\n"))), text: fmt.Sprintf("not YAML from here on: %s", text)}
}
