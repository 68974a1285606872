package roster

import (
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strings"

	"edrctl/internal/provision"
	"edrctl/internal/render"
)

// writeCSV writes a row per user. Phones and passwords have a column only if
// somebody has one.
func writeCSV(w io.Writer, users []User) error {
	columns := csvColumns(users)
	if len(columns) > maxColumns {
		return provision.Usagef("write roster: more than %d columns", maxColumns)
	}
	out := csv.NewWriter(w)
	row := make([]string, 0, len(columns))
	for _, c := range columns {
		row = append(row, c.key)
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for i := range users {
		row = row[:0]
		for _, c := range columns {
			text, fault := cellText(&users[i], c)
			if fault != "" {
				return provision.Usagef("write roster: %s: %s %s", users[i].Login, c.key, fault)
			}
			row = append(row, render.Neutralise(text))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func csvColumns(users []User) []column {
	phone, password, options := false, false, map[column]bool{}
	for i := range users {
		u := &users[i]
		phone = phone || u.Phone != nil && *u.Phone != ""
		password = password || u.Password != ""
		for vendor, values := range u.Options {
			for name, text := range values {
				if text != "" {
					options[column{key: vendor + "." + name, vendor: vendor, option: name}] = true
				}
			}
		}
	}
	var columns []column
	for _, name := range columnNames() {
		if name != keyPhone && name != keyPassword || name == keyPhone && phone || name == keyPassword && password {
			columns = append(columns, column{key: name})
		}
	}
	return slices.AppendSeq(columns, slices.Values(slices.SortedFunc(maps.Keys(options), func(a, b column) int {
		return strings.Compare(a.key, b.key)
	})))
}

// cellText is what a column says of a user, and why that fits in no cell.
func cellText(u *User, c column) (text, fault string) {
	given := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	switch {
	case c.vendor != "":
		return u.Options[c.vendor][c.option], ""
	case c.key == keyLogin:
		return u.Login, ""
	case c.key == keyFirstName:
		return given(u.FirstName), ""
	case c.key == keyLastName:
		return given(u.LastName), ""
	case c.key == keyPhone:
		return given(u.Phone), ""
	case c.key == keyState:
		return u.State, ""
	case c.key == keyPassword:
		return u.Password, ""
	case c.key == keyTenants:
		return joinCell(u.Tenants)
	case c.key == keyRoles:
		return joinCell(u.Roles)
	case u.Expires.IsZero():
		return "", ""
	}
	return timeText(u.Expires), ""
}

func joinCell(list []string) (text, fault string) {
	for _, item := range list {
		if strings.Contains(item, ";") {
			return "", "cannot be split at semicolons again: " + quote(item)
		}
	}
	if text = strings.Join(list, ";"); len(text) > maxValue {
		return "", "has more than 64 KiB"
	}
	return text, ""
}
