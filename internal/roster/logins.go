package roster

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"

	"edrctl/internal/provision"
	"edrctl/internal/render"
)

// ReadLogins reads who is in a CSV file, which may come from another program: a
// column "login", or else "email", says it, and other columns are not looked at.
// The result is in the order of the file, folded, and has nobody twice.
//
// A row that names nobody is a fault. As with Read, all faults are reported at
// once: a comparison with half a file would be wrong about the other half.
func ReadLogins(in io.Reader, name string) ([]string, error) {
	r := &reader{name: name}
	data, err := r.load(in)
	if err != nil {
		return nil, err
	}
	var logins []string
	if len(r.faults) == 0 && r.guard(data) {
		logins = r.logins(data)
	}
	if len(r.faults) > 0 {
		return nil, &provision.Error{Kind: provision.ErrUsage, Message: "list of people", Err: r.faults}
	}
	return logins, nil
}

func (r *reader) logins(data []byte) []string {
	c := &csvReader{reader: r, data: data, rows: csv.NewReader(bytes.NewReader(data))}
	c.rows.FieldsPerRecord = -1
	c.rows.ReuseRecord = true
	if !c.next() {
		return nil
	}
	column, ok := c.loginColumn()
	if !ok {
		return nil
	}
	width := len(c.row)
	var logins []string
	seen := map[string]bool{}
	for !r.ended && c.next() {
		if n := len(c.row); n != width {
			c.fault(c.pos(width), "the row has %d cells, and the header %d", n, width)
			continue
		}
		login := strings.TrimSpace(render.Unneutralise(c.row[column]))
		if login == "" {
			c.fault(c.pos(column), "the row has no login")
			continue
		}
		if err := provision.CheckLogin(login); err != nil {
			c.fault(c.pos(column), "%s", messageOf(err))
			continue
		}
		login = provision.FoldLogin(login)
		if len(logins) == maxUsers {
			c.end(c.pos(column), "a list has at most %d people", maxUsers)
			break
		}
		if !seen[login] {
			seen[login] = true
			logins = append(logins, login)
		}
	}
	return logins
}

// loginColumn finds the column that says who somebody is, in any case.
func (c *csvReader) loginColumn() (int, bool) {
	if name, ok := c.separator(); ok {
		c.end(c.pos(0), "the columns are separated by %s; save the file with commas", name)
		return 0, false
	}
	for _, name := range []string{keyLogin, "email"} {
		found := -1
		for i, cell := range c.row {
			switch {
			case !strings.EqualFold(strings.TrimSpace(cell), name):
			case found >= 0:
				c.fault(c.pos(i), "column %s stands here again", quote(name))
				return 0, false
			default:
				found = i
			}
		}
		if found >= 0 {
			return found, true
		}
	}
	c.fault(c.pos(0), `there is no column "login" or "email"; the first line names the columns`)
	return 0, false
}
