package roster

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// The keys of a user, and the columns of CSV.
const (
	keyLogin       = "login"
	keyFirstName   = "first-name"
	keyLastName    = "last-name"
	keyPhone       = "phone"
	keyRoles       = "roles"
	keyTenants     = "tenants"
	keyTenantRoles = "tenant-roles"
	keyOptions     = "options"
	keyPassword    = "password"
	keyExpires     = "expires"
	keyState       = "state"
)

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

// columnNames are the columns of CSV beside those of options.
func columnNames() []string {
	return []string{
		keyLogin, keyFirstName, keyLastName, keyPhone, keyRoles, keyTenants, keyState, keyExpires, keyPassword,
	}
}

func userKeys() []string { return append(columnNames(), keyTenantRoles, keyOptions) }

// field sets a field of a user that is a single value.
func (r *reader) field(u *User, key string, v value) {
	fault := ""
	switch key {
	case keyLogin:
		if u.Login, fault = v.text, checkLogin(v.text); fault != "" {
			u.Login = ""
			r.fault(v.pos, "%s", fault)
			return
		}
	case keyFirstName:
		u.FirstName = pointer(v.text)
	case keyLastName:
		u.LastName = pointer(v.text)
	case keyPhone:
		u.Phone = pointer(v.text)
	case keyPassword:
		u.Password, fault = v.text, checkReference(v.text)
	case keyExpires:
		u.Expires, fault = parseTime(v.text)
	case keyState:
		u.State, fault = v.text, checkState(v.text)
	}
	if fault != "" {
		r.fault(v.pos, "%s %s", key, fault)
	}
}

// pointer keeps the text alone, and not the value it came in.
func pointer(text string) *string { return &text }

func checkLogin(text string) string {
	if text == "" {
		return "the login is empty"
	}
	if err := provision.CheckLogin(text); err != nil {
		return messageOf(err)
	}
	return ""
}

func checkState(text string) string {
	if text != Present && text != Absent {
		return fmt.Sprintf("is %s or %s, not %s", Present, Absent, quote(text))
	}
	return ""
}

// checkReference reports what is wrong with a reference to a secret. It does
// not repeat the text, which may be the secret itself.
func checkReference(text string) string {
	kind, rest, found := strings.Cut(text, ":")
	if !found {
		kind = ""
	}
	switch kind {
	case "env":
		if !isVariable(rest) {
			return "env: is followed by the name of a variable, as in env:FIRST_PASSWORD"
		}
	case "file":
		if rest == "" {
			return "file: is followed by a path, as in file:/run/secrets/first"
		}
	case "keyring":
		if service, account, _ := strings.Cut(rest, "/"); service == "" || account == "" {
			return "keyring: is followed by a service and an account, as in keyring:edrctl/first"
		}
	case "prompt":
		if rest != "" {
			return "prompt: stands alone"
		}
	case "exec":
		return "cannot be exec: in a roster; only the configuration names programs to run"
	default:
		return "is a reference (env:NAME, file:PATH, keyring:SERVICE/ACCOUNT or prompt:), never the password itself"
	}
	return ""
}

// isVariable reports whether a text is the name of a variable.
func isVariable(s string) bool {
	rest := strings.TrimLeft(s, lower+strings.ToUpper(lower)+"_")
	return len(rest) < len(s) && strings.Trim(rest, lower+strings.ToUpper(lower)+digits+"_") == ""
}

// parseTime reads a time or a date, which means the start of that day in UTC.
func parseTime(text string) (t time.Time, fault string) {
	layout := time.RFC3339
	if len(text) == len(time.DateOnly) {
		layout = time.DateOnly
	}
	t, err := time.Parse(layout, text)
	if err != nil {
		return time.Time{}, fmt.Sprintf("is a date such as 2027-03-31 or a time such as 2027-03-31T17:00:00Z, not %s", quote(text))
	}
	t = t.UTC()
	return t, checkTime(t)
}

// checkTime keeps to years that can be written, and that nobody takes for the
// zero of a clock.
func checkTime(t time.Time) string {
	if t.Year() < 1970 || t.Year() > 9999 {
		return "lies before 1970 or after 9999"
	}
	return ""
}

func timeText(t time.Time) string {
	if t = t.UTC(); t.Equal(t.Truncate(24 * time.Hour)) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339Nano)
}

// checkTenant reports what is wrong with the name of a tenant.
func checkTenant(name string) string {
	if !isName(name) {
		return quote(name) + " is no name of a tenant, which has a to z, 0 to 9 and, not first, dashes"
	}
	return ""
}

// isName reports whether a text is of the kind that tenants, vendors and
// options have for names.
func isName(s string) bool {
	return s != "" && s[0] != '-' && strings.Trim(s, lower+digits+"-") == ""
}

// option sets an option of a user.
func (u *User) option(at pos, vendor, name, text string) {
	if u.Options == nil {
		u.Options, u.optionsAt = map[string]map[string]string{}, map[string]pos{}
	}
	u.optionsAt[vendor+"."+name] = at
	if u.Options[vendor] == nil {
		u.Options[vendor] = map[string]string{}
	}
	u.Options[vendor][name] = text
}

// tenantNames are the texts of a list of tenants, each once.
func (r *reader) tenantNames(list []value) []string {
	names := r.texts(list)
	for _, v := range list {
		switch fault := checkTenant(v.text); {
		case fault != "":
			r.fault(v.pos, "%s", fault)
			names = nil
		case r.tenants != nil && !contains(r.tenants, v.text):
			r.fault(v.pos, "%s", unknown("tenant", v.text, r.tenants))
		}
	}
	return names
}

// texts are the texts of a list, each once.
func (r *reader) texts(list []value) []string {
	if len(list) == 0 {
		return nil
	}
	all := make([]string, 0, len(list))
	for _, v := range list {
		if !slices.Contains(all, v.text) {
			all = append(all, r.word(v.text))
		}
	}
	return all
}

// word is a text that many users share, kept once.
func (r *reader) word(text string) string {
	if known, ok := r.words[text]; ok {
		return known
	}
	if r.words == nil {
		r.words = map[string]string{}
	}
	if len(r.words) < maxWords {
		text = strings.Clone(text) // which may be part of a whole row
		r.words[text] = text
	}
	return text
}
