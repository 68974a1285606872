package roster

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"edrctl/internal/provision"
)

const bom = "\ufeff"

// load reads a file whole, and refuses what is no text in the way that all
// three formats agree on. The parsers would read such bytes each in its own
// way, and some would not say where they stand.
func (r *reader) load(in io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, &provision.Error{Kind: provision.ErrUsage, Message: "read roster " + r.name, Err: err}
	}
	if len(data) > maxFile {
		r.fault(pos{}, "the file has more than %d MiB", maxFile>>20)
		return nil, nil
	}
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(data, []byte(mark)) {
			r.fault(pos{1, 1}, "the file is UTF-16; save it as UTF-8")
			return nil, nil
		}
	}
	data = bytes.TrimPrefix(data, []byte(bom))
	if len(bytes.TrimSpace(data)) == 0 {
		r.fault(pos{1, 1}, "the file is empty")
		return nil, nil
	}
	if at, fault := notText(data); fault != "" {
		c := cursor{data: data, pos: pos{1, 1}}
		r.fault(c.at(at), "%s", fault)
	}
	return data, nil
}

// notText finds the first byte that a roster cannot have.
func notText(data []byte) (at int, fault string) {
	for i := 0; i < len(data); {
		if b := data[i]; b < utf8.RuneSelf && b >= ' ' && b != 0x7f || b == '\n' || b == '\t' {
			i++
			continue
		}
		c, size := utf8.DecodeRune(data[i:])
		switch {
		case c == utf8.RuneError && size == 1:
			return i, "a byte is not UTF-8; save the file as UTF-8"
		case c == '\r' && !bytes.HasPrefix(data[i+1:], []byte("\n")):
			return i, "a carriage return stands without a line feed; save the file with line ends of Unix or Windows"
		case c == 0:
			return i, "a NUL byte is not allowed; if the file is UTF-16, save it as UTF-8"
		case c != '\r' && forbidden(c):
			return i, fmt.Sprintf("the character %U is not allowed", c)
		}
		i += size
	}
	return 0, ""
}

// forbidden reports characters that no value holds: controls, the breaks of
// lines that only some readers take for such, byte-order marks, and what is no
// character.
func forbidden(c rune) bool {
	switch c {
	case '\u2028', '\u2029', '\ufeff', '\ufffe', '\uffff':
		return true
	}
	return c < ' ' || 0x7f <= c && c < 0xa0
}

// checkText reports what is wrong with a value; empty for nothing.
func checkText(text string) string {
	switch {
	case len(text) > maxValue:
		return fmt.Sprintf("has more than %d KiB", maxValue>>10)
	case !utf8.ValidString(text):
		return "is not UTF-8"
	case strings.ContainsFunc(text, forbidden):
		return "has a line break or another control character in it"
	}
	return ""
}

// valid takes the blanks off both ends of a value, and refuses what checkText
// does.
func (r *reader) valid(v value, what string) (value, bool) {
	v.text = strings.TrimSpace(v.text)
	if fault := checkText(v.text); fault != "" {
		r.fault(v.pos, "%s %s", what, fault)
		return value{}, false
	}
	return v, true
}

// cursor finds the line and column of offsets that only grow.
type cursor struct {
	data   []byte
	offset int
	pos    pos
}

func (c *cursor) at(offset int) pos {
	passed := c.data[c.offset:offset]
	if i := bytes.LastIndexByte(passed, '\n'); i >= 0 {
		c.pos.line += bytes.Count(passed, []byte("\n"))
		c.pos.column = 1
		passed = passed[i+1:]
	}
	c.pos.column += utf8.RuneCount(passed)
	c.offset = offset
	return c.pos
}
