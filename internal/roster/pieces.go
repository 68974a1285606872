package roster

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// maxPiece is the size of a run of users that is parsed at once, unless a single
// one is larger. Larger runs are no faster.
const maxPiece = 64 << 10

// pieces reads YAML whose list of users stands in block style, each user from a
// "- " at the indentation of the first one, without ever holding the tree of
// the whole file.
//
// The file is cut before such lines. A cut may be wrong, since a quoted text
// or a list in brackets can go on over them; but then the piece before it ends
// inside of the quotes or brackets and is no YAML. So if all pieces are YAML,
// all cuts are right. In the same way the rest of the file, with the list taken
// out, has a key "users" without a value exactly where the list belongs.
func (r *reader) pieces(data []byte) {
	l, found := findList(data)
	if !found {
		r.end(pos{1, 1}, "a roster of more than %d KiB has \"users:\" on a line of its own, and each user from a line with \"- \"", maxTree>>10)
		return
	}
	line := 1 + bytes.Count(data[:l.start], []byte("\n"))
	lines := bytes.Count(data[l.start:l.end], []byte("\n"))
	frame := bytes.Join([][]byte{data[:l.start], data[l.end:]}, nil)
	if len(frame) > maxTree {
		r.end(pos{1, 1}, "what stands beside the list of users has more than %d KiB", maxTree>>10)
		return
	}
	shift := func(n int) int {
		if n >= line {
			return n + lines
		}
		return n
	}
	root := r.parse(frame, shift)
	if root == nil {
		return
	}
	if !fillList(root, l.key) {
		r.end(pos{l.key, 1}, "the list of users is not laid out as in the example: each from a line with \"- \", all indented alike")
		return
	}
	r.document(root)
	r.pieceByPiece(data[l.start:l.end], l.indent, line)
}

// fillList puts an empty list where the users were taken out, and reports
// whether they belong there.
func fillList(root *yaml.Node, line int) bool {
	for i := 0; root.Kind == yaml.MappingNode && i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if key.Line == line && key.Column == 1 && key.Value == keyUsers && isNull(value) && value.Value == "" {
			*value = yaml.Node{Kind: yaml.SequenceNode, Line: line, Column: 1}
			return true
		}
	}
	return false
}

// pieceByPiece reads the lines of a list. The first of them has this number.
func (r *reader) pieceByPiece(data []byte, indent, line int) {
	for len(data) > 0 && !r.ended {
		root, size, fault := parsePiece(data, indent, r.piece)
		if fault != nil {
			r.end(pos{line + fault.line - 1, fault.column}, "%s", fault.text)
			return
		}
		r.clean(root, func(n int) int { return line + n - 1 })
		for _, item := range r.items(root, keyUsers) {
			if r.user(item); r.ended {
				return
			}
		}
		line += bytes.Count(data[:size], []byte("\n"))
		data = data[size:]
	}
}

// parsePiece parses users from the beginning of a list, and a longer run of them
// if the first is no YAML, as the cut may have been wrong.
func parsePiece(data []byte, indent, want int) (root *yaml.Node, size int, fault *yamlFault) {
	for ; want <= maxUser; want *= 2 {
		longer := cut(data, indent, want)
		switch {
		case longer == size:
			continue
		case longer > maxUser:
			return nil, 0, &yamlFault{line: 1, text: tooLarge}
		}
		size = longer
		if root, fault = parseYAML(data[:size]); fault == nil {
			return root, size, nil
		}
	}
	return nil, size, fault
}
