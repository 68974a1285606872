package roster

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

// Write writes a roster as YAML, JSON or CSV; YAML if no format is named. Users
// are ordered by login, then tenants.
//
// What Read would not take is ErrUsage, and nothing is written. YAML and JSON
// have each login once, so that several users of a login must agree in all but
// tenants and roles. CSV cannot say that a detail or an option is to be empty,
// and leaves it out.
func Write(w io.Writer, r *Roster, format string) error {
	users, err := r.ordered()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	switch format {
	case "", YAML, JSON:
		if users, err = joinLogins(r, users); err != nil {
			return err
		}
		if format == JSON {
			err = writeJSON(&b, r.Defaults.Tenants, users)
		} else {
			err = writeYAML(&b, r.Defaults.Tenants, users)
		}
	case CSV:
		err = writeCSV(&b, spread(r, users))
	default:
		return provision.Usagef("a roster is written as %s, %s or %s, not %s", YAML, JSON, CSV, quote(format))
	}
	if err != nil {
		return err
	}
	_, err = b.WriteTo(w)
	return err
}

// ordered are the users in the order in which they are written, checked.
func (r *Roster) ordered() ([]User, error) {
	for _, tenant := range r.Defaults.Tenants {
		if fault := checkTenant(tenant); fault != "" {
			return nil, provision.Usagef("write roster: %s", fault)
		}
	}
	users := slices.Clone(r.Users)
	for i := range users {
		u := &users[i]
		u.State = cmp.Or(u.State, Present)
		if fault := checkUser(u); fault != "" {
			return nil, provision.Usagef("write roster: %s: %s", u.Login, fault)
		}
		for tenant := range u.TenantRoles {
			if !contains(r.TenantsOf(u), tenant) {
				return nil, provision.Usagef("write roster: %s: roles in tenant %s, but the user is not in it", u.Login, tenant)
			}
		}
	}
	slices.SortStableFunc(users, func(a, b User) int {
		return cmp.Or(
			cmp.Compare(provision.FoldLogin(a.Login), provision.FoldLogin(b.Login)),
			slices.Compare(a.Tenants, b.Tenants),
		)
	})
	return users, nil
}

// checkUser reports why a user cannot be written so that it can be read.
func checkUser(u *User) string {
	if fault := checkLogin(u.Login); fault != "" {
		return fault
	}
	if fault := checkState(u.State); fault != "" {
		return keyState + " " + fault
	}
	for _, d := range u.details() {
		if fault := checkWritten(*d.text); fault != "" {
			return d.key + " " + fault
		}
	}
	if u.Password != "" {
		if fault := cmp.Or(checkReference(u.Password), checkWritten(u.Password)); fault != "" {
			return keyPassword + " " + fault
		}
	}
	if !u.Expires.IsZero() {
		if fault := checkTime(u.Expires.UTC()); fault != "" {
			return keyExpires + " " + fault
		}
	}
	for _, tenant := range u.Tenants {
		if fault := checkTenant(tenant); fault != "" {
			return fault
		}
	}
	if fault := checkRoles(u.Roles); fault != "" {
		return fault
	}
	for _, roles := range u.TenantRoles {
		if fault := checkRoles(roles); fault != "" {
			return fault
		}
	}
	return checkOptions(u.Options)
}

func checkRoles(roles []string) string {
	if len(roles) > maxList {
		return "there are too many roles"
	}
	for _, role := range roles {
		if fault := checkWritten(role); fault != "" || role == "" {
			return "role " + quote(role) + " " + cmp.Or(fault, "is empty")
		}
	}
	return ""
}

func checkOptions(options map[string]map[string]string) string {
	for vendor, values := range options {
		for name, text := range values {
			if !isName(vendor) || !isName(name) {
				return quote(vendor+"."+name) + " is no name of an option"
			}
			if fault := checkWritten(text); fault != "" {
				return "option " + vendor + "." + name + " " + fault
			}
		}
	}
	return ""
}

// Holds reports whether a roster can say this of a detail: Write takes it, and
// Read gives it back unchanged. An export leaves other details out, as a roster
// changes nothing that it does not give.
func Holds(text string) bool { return checkWritten(text) == "" }

// checkWritten is checkText for what is to be read back unchanged.
func checkWritten(text string) string {
	if strings.TrimSpace(text) != text {
		return "begins or ends with a blank"
	}
	return checkText(text)
}

// detail is a detail of a user that is given.
type detail struct {
	key  string
	text *string
}

func (u *User) details() []detail {
	all := []detail{{keyFirstName, u.FirstName}, {keyLastName, u.LastName}, {keyPhone, u.Phone}}
	return slices.DeleteFunc(all, func(d detail) bool { return d.text == nil })
}
