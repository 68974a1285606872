package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"edrctl/internal/render"
)

// csv reads a roster in CSV: a header, and a row per login, or several that
// share no tenant.
func (r *reader) csv(data []byte) {
	r.rows = true
	if !r.guard(data) {
		return
	}
	c := &csvReader{reader: r, data: data, rows: csv.NewReader(bytes.NewReader(data))}
	c.rows.FieldsPerRecord = -1
	c.rows.ReuseRecord = true
	if !c.next() || !c.header() {
		return
	}
	for !r.ended && c.next() {
		c.user()
	}
}

// guard refuses cells and rows that are larger than any roster's, before the
// reader puts them together: a quote that is not closed makes the rest of a file
// one cell.
func (r *reader) guard(data []byte) bool {
	start, columns, quoted := 0, 1, false
	for i, b := range data {
		switch {
		case i-start > 2*maxValue+2: // all of them quotes, and quoted
			c := cursor{data: data, pos: pos{1, 1}}
			r.end(c.at(start), "a cell has more than %d KiB; is a quote not closed?", maxValue>>10)
			return false
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == ',':
			start = i + 1
			if columns++; columns > maxColumns {
				c := cursor{data: data, pos: pos{1, 1}}
				r.end(c.at(start), "a row has more than %d cells", maxColumns)
				return false
			}
		case b == '\n':
			start, columns = i+1, 1
		}
	}
	return true
}

// column is one of a file: of a field, or of a vendor's option.
type column struct{ key, vendor, option string }

// csvReader makes users of rows.
type csvReader struct {
	*reader
	data    []byte
	rows    *csv.Reader
	columns []column
	// nameless is true without a column of logins.
	nameless bool
	row      []string
	// begin is the offset of the row, and line its number.
	begin, line int
}

// next reads the next row that has anything in it. It returns false at the end
// and after a fault.
func (c *csvReader) next() bool {
	for {
		c.begin = int(c.rows.InputOffset())
		for c.begin < len(c.data) && isEmpty(lineAt(c.data, c.begin)) {
			c.begin += len(lineAt(c.data, c.begin))
		}
		row, err := c.rows.Read()
		var fault *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return false
		case errors.As(err, &fault):
			c.syntax(fault)
			return false
		case err != nil:
			c.end(pos{}, "%v", err)
			return false
		}
		c.row = row
		c.line, _ = c.rows.FieldPos(0)
		if strings.TrimSpace(strings.Join(row, "")) != "" {
			return true
		}
	}
}

// isEmpty reports a line that the reader does not count as a row.
func isEmpty(line []byte) bool { return len(bytes.Trim(line, "\r\n")) == 0 }

func (c *csvReader) syntax(fault *csv.ParseError) {
	c.line = fault.StartLine
	row := ""
	if fault.Line != fault.StartLine {
		row = fmt.Sprintf("; the row begins in line %d", fault.StartLine)
	}
	c.end(c.place(fault.Line, fault.Column), "not CSV from here on: %v%s", fault.Err, row)
}

// pos is where a cell stands; of one that is missing, the end of the row.
func (c *csvReader) pos(cell int) pos {
	if cell < len(c.row) {
		return c.place(c.rows.FieldPos(cell))
	}
	row := bytes.TrimRight(c.data[c.begin:c.rows.InputOffset()], "\r\n")
	last := bytes.LastIndexByte(row, '\n') + 1
	return pos{c.line + bytes.Count(row, []byte("\n")), 1 + utf8.RuneCount(row[last:])}
}

// place counts a column in characters, of which the reader gives the byte.
func (c *csvReader) place(line, column int) pos {
	start := c.begin
	for range line - c.line {
		start += len(lineAt(c.data, start))
	}
	end := min(start+column-1, len(c.data))
	return pos{line, 1 + utf8.RuneCount(c.data[start:end])}
}

// header reads the names of the columns. Of a column that has no good name the
// cells are passed over.
func (c *csvReader) header() bool {
	if name, ok := c.separator(); ok {
		c.end(c.pos(0), "the columns are separated by %s; save the file with commas", name)
		return false
	}
	seen := map[string]bool{}
	for i, cell := range c.row {
		name := strings.TrimSpace(cell)
		vendor, option, dotted := strings.Cut(name, ".")
		before := len(c.faults)
		switch {
		case seen[name]:
			c.fault(c.pos(i), "column %s stands here again", quote(name))
		case contains(columnNames(), name):
			vendor = ""
		case name == "":
			c.fault(c.pos(i), "column %d has no name", i+1)
		case !dotted || !isName(vendor) || !isName(option):
			c.fault(c.pos(i), "%s; an option's is vendor.option", unknown("column", name, columnNames()))
		}
		seen[name] = true
		if len(c.faults) > before {
			name, vendor = "", ""
		}
		c.columns = append(c.columns, column{key: name, vendor: vendor, option: option})
	}
	if c.nameless = !seen[keyLogin]; c.nameless {
		c.fault(c.pos(0), "column %q is missing", keyLogin)
	}
	return true
}

// separator names what stands between the columns, if that is no comma.
func (c *csvReader) separator() (string, bool) {
	if len(c.row) != 1 {
		return "", false
	}
	for _, s := range []struct{ mark, name string }{{";", "semicolons"}, {"\t", "tabs"}, {"|", "bars"}} {
		if strings.Contains(c.row[0], s.mark) {
			return s.name, true
		}
	}
	return "", false
}

func (c *csvReader) user() {
	first := c.pos(0)
	u := User{State: Present, Line: first.line, Column: first.column}
	if n := len(c.columns); len(c.row) != n {
		c.fault(c.pos(n), "the row has %d cells, and the header %d", len(c.row), n)
		return
	}
	named := c.nameless
	for i, cell := range c.row {
		if c.columns[i].key == "" {
			continue
		}
		text := strings.TrimSpace(render.Unneutralise(cell))
		if text == "" {
			continue
		}
		v, ok := c.valid(value{text: text, pos: c.pos(i)}, c.columns[i].key)
		named = named || c.columns[i].key == keyLogin
		if ok {
			c.cell(&u, i, v)
		}
	}
	if !named {
		c.fault(first, "the row has no login")
	}
	c.add(u)
}

// cell sets what a cell says that is not empty.
func (c *csvReader) cell(u *User, i int, v value) {
	switch col := c.columns[i]; {
	case col.vendor != "":
		u.option(v.pos, col.vendor, col.option, c.word(v.text))
	case col.key == keyRoles:
		u.Roles, u.rolesAt = c.texts(c.split(v, keyRoles)), v.pos
	case col.key == keyTenants:
		u.Tenants = c.tenantNames(c.split(v, keyTenants))
	default:
		c.field(u, col.key, v)
	}
}

// split takes a cell with a list apart. Blanks and what is empty do not count.
func (c *csvReader) split(v value, what string) []value {
	list := make([]value, 0, 1+strings.Count(v.text, ";"))
	for text := range strings.SplitSeq(v.text, ";") {
		if text = strings.TrimSpace(text); text != "" {
			list = append(list, value{text: text, pos: v.pos})
		}
	}
	if len(list) > maxList {
		c.fault(v.pos, "%s has more than %d items", what, maxList)
		return nil
	}
	return list
}
