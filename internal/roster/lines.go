package roster

import "bytes"

// list is where the list of users stands in a file in YAML.
type list struct {
	// key is the line of "users:".
	key int
	// start and end are offsets of lines, the first user's and the first one
	// after the list.
	start, end int
	// indent is that of each user's "- ".
	indent int
}

// findList finds the list below the first line that is "users:" alone.
func findList(data []byte) (list, bool) {
	var l list
	offset, number := 0, 0
	for offset < len(data) {
		line := lineAt(data, offset)
		number++
		offset += len(line)
		if rest, ok := bytes.CutPrefix(line, []byte(keyUsers+":")); ok && (isSpace(rest) || hasComment(rest)) {
			l.key = number
			break
		}
	}
	for offset < len(data) && isIdle(lineAt(data, offset)) {
		offset += len(lineAt(data, offset))
	}
	if offset == len(data) {
		return list{}, false
	}
	var item bool
	if l.indent, item = indentation(lineAt(data, offset)); !item {
		return list{}, false
	}
	l.start = offset
	for offset < len(data) {
		line := lineAt(data, offset)
		if indent, item := indentation(line); !isIdle(line) && (indent < l.indent || indent == l.indent && !item) {
			break
		}
		offset += len(line)
	}
	l.end = offset
	return l, true
}

// cut is the size of the longest run of users that has at most the wanted size,
// and of the first user if that is larger.
func cut(data []byte, indent, want int) int {
	size := 0
	for offset := 0; offset < len(data); {
		line := lineAt(data, offset)
		if n, item := indentation(line); item && n == indent && offset > 0 {
			if offset > want && size > 0 {
				return size
			}
			if size = offset; size > want {
				return size
			}
		}
		offset += len(line)
	}
	if len(data) > want && size > 0 {
		return size
	}
	return len(data)
}

// lineAt is the line that begins at an offset, with its end.
func lineAt(data []byte, offset int) []byte {
	if i := bytes.IndexByte(data[offset:], '\n'); i >= 0 {
		return data[offset : offset+i+1]
	}
	return data[offset:]
}

// indentation counts the spaces a line begins with, and reports whether an item
// of a list follows.
func indentation(line []byte) (n int, item bool) {
	rest := bytes.TrimLeft(line, " ")
	n = len(line) - len(rest)
	rest, item = bytes.CutPrefix(rest, []byte("-"))
	return n, item && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}

func isSpace(text []byte) bool { return len(bytes.Trim(text, " \t\r\n")) == 0 }

func hasComment(text []byte) bool {
	rest := bytes.TrimLeft(text, " \t")
	return len(rest) < len(text) && rest[0] == '#'
}

// isIdle reports a line that is empty or a comment, at whatever indentation.
func isIdle(line []byte) bool {
	rest := bytes.TrimLeft(line, " \t\r\n")
	return len(rest) == 0 || rest[0] == '#'
}
