package roster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"edrctl/internal/provision"
	"edrctl/internal/render"
)

// jsonUser is a user as it stands in JSON.
type jsonUser struct {
	Login       string                       `json:"login"`
	FirstName   *string                      `json:"first-name,omitempty"`
	LastName    *string                      `json:"last-name,omitempty"`
	Phone       *string                      `json:"phone,omitempty"`
	Roles       []string                     `json:"roles,omitempty"`
	Tenants     []string                     `json:"tenants,omitempty"`
	TenantRoles map[string][]string          `json:"tenant-roles,omitempty"`
	Options     map[string]map[string]string `json:"options,omitempty"`
	Password    string                       `json:"password,omitempty"`
	Expires     string                       `json:"expires,omitempty"`
	State       string                       `json:"state,omitempty"`
}

// writeJSON writes a user a line.
func writeJSON(b *bytes.Buffer, defaults []string, users []User) error {
	fmt.Fprintf(b, "{\n  %q: %q,\n  %q: %q,\n", keyVersion, apiVersion, keyKind, kind)
	if len(defaults) > 0 {
		text, err := jsonText(map[string][]string{keyTenants: defaults})
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "  %q: %s,\n", keyDefaults, text)
	}
	fmt.Fprintf(b, "  %q: [", keyUsers)
	for i := range users {
		text, err := jsonText(newJSONUser(&users[i]))
		if err != nil {
			return fmt.Errorf("write %s: %w", users[i].Login, err)
		}
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n    " + text)
	}
	b.WriteString("\n  ]\n}\n")
	return nil
}

func newJSONUser(u *User) jsonUser {
	out := jsonUser{
		Login: u.Login, FirstName: u.FirstName, LastName: u.LastName, Phone: u.Phone, Roles: u.Roles,
		Tenants: u.Tenants, TenantRoles: u.TenantRoles, Options: u.Options, Password: u.Password,
	}
	if !u.Expires.IsZero() {
		out.Expires = timeText(u.Expires)
	}
	if u.State == Absent {
		out.State = Absent
	}
	return out
}

// jsonText is a value on one line, with what a terminal would not show escaped.
func jsonText(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	if b.Len() > maxUser {
		return "", provision.Usagef(tooLarge)
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if render.Escape(text) == text {
		return text, nil
	}
	var escaped strings.Builder
	for _, c := range text {
		if c < utf8.RuneSelf || render.Escape(string(c)) == string(c) {
			escaped.WriteRune(c)
			continue
		}
		for _, unit := range utf16.Encode([]rune{c}) {
			fmt.Fprintf(&escaped, `\u%04x`, unit)
		}
	}
	return escaped.String(), nil
}
