package render

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// appendJSON writes a tree as JSON: on one line if indent is negative, else with
// two blanks a level, beginning at the level given.
func appendJSON(dst []byte, v any, indent int) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return appendString(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case uint64:
		return strconv.AppendUint(dst, v, 10)
	case float64:
		number, err := json.Marshal(v)
		if err != nil { // infinite, or not a number
			return append(dst, "null"...)
		}
		return append(dst, number...)
	case *big.Int:
		return v.Append(dst, 10)
	case []any:
		return appendBlock(dst, '[', ']', len(v), indent, func(dst []byte, i, indent int) []byte {
			return appendJSON(dst, v[i], indent)
		})
	case object:
		return appendBlock(dst, '{', '}', len(v), indent, func(dst []byte, i, indent int) []byte {
			dst = append(appendString(dst, v[i].key), ':')
			if indent >= 0 {
				dst = append(dst, ' ')
			}
			return appendJSON(dst, v[i].value, indent)
		})
	default:
		// Trees hold nothing else; a stray value shows instead of vanishing.
		return appendString(dst, fmt.Sprint(v))
	}
}

func appendBlock(dst []byte, open, end byte, n, indent int, each func(dst []byte, i, indent int) []byte) []byte {
	dst = append(dst, open)
	if n == 0 {
		return append(dst, end)
	}
	inside := indent
	if indent >= 0 {
		inside++
	}
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = each(appendBreak(dst, inside), i, inside)
	}
	return append(appendBreak(dst, indent), end)
}

func appendBreak(dst []byte, indent int) []byte {
	if indent < 0 {
		return dst
	}
	return append(append(dst, '\n'), strings.Repeat("  ", indent)...)
}

// appendString writes a JSON string in which everything hidden is escaped, so
// that JSON on a terminal is as safe as a table, and reads back unchanged.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case isHidden(r):
			dst = appendUnicode(dst, r)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// EscapeJSON escapes what is hidden in a text of JSON as the formats of this
// package do. It reads back unchanged.
func EscapeJSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		if isHidden(r) && !isLayout(r) {
			out = appendUnicode(out, r)
			continue
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

func appendUnicode(dst []byte, r rune) []byte {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return fmt.Appendf(dst, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(dst, `\u%04x`, r)
}
