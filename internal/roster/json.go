package roster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// maxDepth is deeper than any part of a roster goes.
	maxDepth = 16
	// maxKeys are more than the outermost object has.
	maxKeys = 32
)

const tooLarge = "a user has more than 256 KiB"

// json reads a roster in JSON token by token, one user at a time. Its values
// become nodes, as YAML's are, so that both are read by the same rules and none
// passes through a number or a boolean.
func (r *reader) json(data []byte) {
	if at := longToken(data); at >= 0 {
		c := cursor{data: data, pos: pos{1, 1}}
		r.end(c.at(at), "a value has more than %d KiB", maxValue>>10)
		return
	}
	j := &jsonReader{reader: r, data: data, decoder: json.NewDecoder(bytes.NewReader(data))}
	j.decoder.UseNumber()
	j.cursor = cursor{data: data, pos: pos{1, 1}}
	root := j.top()
	if r.ended {
		return
	}
	if _, ok := j.token(); ok {
		r.end(j.pos, "more follows here; a roster is one object")
		return
	}
	if !r.ended {
		r.clean(root, unshifted)
		r.document(root)
	}
}

// longToken is the offset of a text or a number that is larger than any value,
// or -1. The decoder would copy it several times before anybody could object.
func longToken(data []byte) int {
	start, quoted := 0, false
	for i := 0; i < len(data); i++ {
		// An escape takes up to six bytes for one of the value.
		if i-start > 6*maxValue {
			return start
		}
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			if quoted = !quoted; quoted {
				start = i
			} else {
				start = i + 1
			}
		case !quoted && strings.IndexByte(" \t\r\n,:[]{}", c) >= 0:
			start = i + 1
		}
	}
	return -1
}

// jsonReader makes nodes of tokens.
type jsonReader struct {
	*reader
	data    []byte
	decoder *json.Decoder
	cursor  cursor
	// pos is where the last token stands, and begin its offset.
	pos   pos
	begin int
	// limit is the offset at which the value that is being read is too large.
	limit int
}

// token is the next token; false at the end of the file and after a fault.
func (j *jsonReader) token() (json.Token, bool) {
	begin := j.skip(int(j.decoder.InputOffset()))
	t, err := j.decoder.Token()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		j.pos = j.cursor.at(len(j.data))
		return nil, false
	}
	j.begin, j.pos = begin, j.cursor.at(begin)
	if err != nil {
		j.end(j.pos, "not JSON from here on: %v", err)
		return nil, false
	}
	if text, ok := t.(string); ok && lostText(text, j.data[begin:j.decoder.InputOffset()]) {
		j.fault(j.pos, "half a surrogate pair stands in this text, which is no character")
	}
	return t, true
}

// skip goes over what stands before a token: blanks, and a comma or a colon.
func (j *jsonReader) skip(i int) int {
	blanks := func() {
		for i < len(j.data) && strings.IndexByte(" \t\r\n", j.data[i]) >= 0 {
			i++
		}
	}
	if blanks(); i < len(j.data) && (j.data[i] == ',' || j.data[i] == ':') {
		i++
		blanks()
	}
	return i
}

// lostText reports a text that the decoder could not make sense of.
func lostText(text string, raw []byte) bool {
	return strings.ContainsRune(text, '\ufffd') && !bytes.Contains(raw, []byte("\ufffd")) &&
		!bytes.Contains(bytes.ToLower(raw), []byte(`\ufffd`))
}

// next is token for where something must follow.
func (j *jsonReader) next() (json.Token, bool) {
	t, ok := j.token()
	if !ok && !j.ended {
		j.end(j.pos, "the file ends here, in the middle of something")
	}
	return t, ok
}

// top reads the outermost value. Its list of users is read on the way and left
// empty in the result.
func (j *jsonReader) top() *yaml.Node {
	j.limit = maxTree
	t, ok := j.next()
	if !ok || t != json.Delim('{') {
		return j.node(t, 0)
	}
	root := &yaml.Node{Kind: yaml.MappingNode, Line: j.pos.line, Column: j.pos.column}
	for !j.ended && j.decoder.More() {
		t, _ := j.next()
		if len(root.Content) > 2*maxKeys {
			j.end(j.pos, "a roster has more than %d keys", maxKeys)
			break
		}
		key := j.node(t, 1)
		if t, ok = j.next(); !ok {
			break
		}
		if key.Value == keyUsers && t == json.Delim('[') {
			root.Content = append(root.Content, key, j.list())
			continue
		}
		j.limit = j.begin + maxTree
		root.Content = append(root.Content, key, j.node(t, 1))
	}
	if !j.ended {
		j.next()
	}
	return root
}

func (j *jsonReader) list() *yaml.Node {
	empty := &yaml.Node{Kind: yaml.SequenceNode, Line: j.pos.line, Column: j.pos.column}
	for !j.ended && j.decoder.More() {
		t, ok := j.next()
		if !ok {
			return empty
		}
		j.limit = j.begin + maxUser
		n := j.node(t, 2)
		if !j.ended {
			j.clean(n, unshifted)
			j.user(n)
		}
	}
	if !j.ended {
		j.next()
	}
	return empty
}

// node is the value that begins with a token.
func (j *jsonReader) node(t json.Token, depth int) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: j.pos.line, Column: j.pos.column}
	switch t := t.(type) {
	case string:
		n.Tag, n.Value = "!!str", t
	case json.Number:
		n.Tag, n.Value = "!!float", t.String()
	case bool:
		n.Tag, n.Value = "!!bool", fmt.Sprint(t)
	case json.Delim:
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		if t == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		j.fill(n, depth)
	default:
		n.Tag, n.Value = "!!null", "null"
	}
	return n
}

func (j *jsonReader) fill(n *yaml.Node, depth int) {
	if depth > maxDepth {
		j.end(j.pos, "lists and objects stand in one another more than %d deep", maxDepth)
		return
	}
	for !j.ended && j.decoder.More() {
		t, ok := j.next()
		if !ok {
			return
		}
		if j.begin > j.limit {
			j.end(at(n), "more stands here than any part of a roster has")
			return
		}
		n.Content = append(n.Content, j.node(t, depth+1))
	}
	if !j.ended {
		j.next()
	}
}
