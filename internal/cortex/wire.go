package cortex

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"edrctl/internal/provision"
)

// wireUser is a user record of both generations, which share their names for
// what both have. (Cortex XDR REST API, Get Users; Cortex XSIAM Platform APIs,
// List all users.) The scope, whose form differs between products, is left out.
type wireUser struct {
	Email     text `json:"user_email"`
	FirstName text `json:"user_first_name"`
	LastName  text `json:"user_last_name"`
	Phone     text `json:"phone_number"`
	Status    text `json:"status"`
	// RoleName is the display name of the direct role, on both.
	RoleName  text     `json:"role_name"`
	LastLogin text     `json:"last_logged_in"`
	Type      text     `json:"user_type"`
	Groups    groupSet `json:"groups"`
	// The flag has had two names.
	IsHidden *bool `json:"is_hidden"`
	Hidden   *bool `json:"hidden"`
}

// person is a user as far as it is known without the list of roles.
type person struct {
	// email is the only identifier: there is no user id.
	email, first, last, phone string
	status                    provision.Status
	// rawStatus is the vendor's word where it is none that we know.
	rawStatus string
	// role is the display name of the direct role, empty without one.
	role      string
	lastLogin *time.Time
	kind      string
	groups    groupSet
	hidden    *bool
}

func (w wireUser) person() person {
	p := person{
		email: strings.TrimSpace(string(w.Email)), first: string(w.FirstName), last: string(w.LastName), phone: string(w.Phone),
		role: strings.TrimSpace(string(w.RoleName)), lastLogin: moment(string(w.LastLogin)), kind: string(w.Type),
		groups: w.Groups, hidden: w.IsHidden,
	}
	if p.hidden == nil {
		p.hidden = w.Hidden
	}
	p.status, p.rawStatus = status(string(w.Status))
	return p
}

// status reads a word whose spelling is not documented: prose has Active and
// Disabled, other sources ACTIVE and Inactive.
func status(word string) (provision.Status, string) {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "active":
		return provision.StatusActive, ""
	case "disabled", "inactive", "deactivated":
		return provision.StatusDisabled, ""
	default:
		return provision.StatusUnknown, word
	}
}

// moment reads milliseconds since 1970; nil for never.
func moment(text string) *time.Time {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms <= 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

// wireRole is a role of the platform. (Cortex XSIAM Platform APIs, List all
// roles.)
type wireRole struct {
	ID          text  `json:"role_id"`
	Name        text  `json:"pretty_name"`
	Description text  `json:"description"`
	IsCustom    *bool `json:"is_custom"`
}

// wireNamedRole is a role of Cortex XDR 3.x, where roles have names and no ids.
// (Cortex XDR REST API, Get Roles.)
type wireNamedRole struct {
	Name        text `json:"pretty_name"`
	Description text `json:"description"`
}

// wireGroup is a user group of the platform. The id of its role has had two
// names. (Cortex XSIAM Platform APIs, List all user groups.)
type wireGroup struct {
	ID           text     `json:"group_id"`
	Name         text     `json:"group_name"`
	RoleID       text     `json:"role_id"`
	OtherRoleID  text     `json:"role_name"`
	RoleName     text     `json:"pretty_role_name"`
	NestedGroups groupSet `json:"nested_groups"`
}

// wireNamedGroup is a user group of Cortex XDR 3.x. What its page calls the
// pretty name is that of the role the group gives. (Cortex XDR REST API, Get
// User Groups.)
type wireNamedGroup struct {
	Name     text `json:"group_name"`
	RoleName text `json:"pretty_name"`
}

// edit is the body of "Edit an existing user" (Cortex XSIAM Platform APIs).
// Only what is sent changes, and an empty role or list takes away what is there,
// hence the pointers.
type edit struct {
	FirstName *string `json:"user_first_name,omitempty"`
	LastName  *string `json:"user_last_name,omitempty"`
	Phone     *string `json:"phone_number,omitempty"`
	Status    *string `json:"status,omitempty"`
	// Role is an id on the platform and a name on Cortex XDR 3.x.
	Role   *string   `json:"role_id,omitempty"`
	Hidden *bool     `json:"is_hidden,omitempty"`
	Groups *[]string `json:"user_groups,omitempty"`
}

// The values of status, in the spelling to be sent.
const (
	statusActive   = "Active"
	statusDisabled = "Disabled"
)

// text is a string, or a number written as one or plain. Null, and what is
// neither, is empty: nothing that is read so is worth failing for.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) != nil {
		if _, err := strconv.ParseInt(string(data), 10, 64); err == nil {
			s = string(data)
		}
	}
	*t = text(s)
	return nil
}

// groupRef names a group, by id where the id is told.
type groupRef struct {
	ID   text `json:"group_id"`
	Name text `json:"group_name"`
}

// groupSet is a list of names or of objects, or null: the pages disagree.
type groupSet []groupRef

// UnmarshalJSON implements json.Unmarshaler.
func (g *groupSet) UnmarshalJSON(data []byte) error {
	*g = nil
	var records []json.RawMessage
	_ = json.Unmarshal(data, &records) // what is no list is none
	for _, raw := range records {
		var ref groupRef
		if json.Unmarshal(raw, &ref) != nil {
			ref = groupRef{}
			_ = json.Unmarshal(raw, &ref.Name) // never fails
		}
		if ref != (groupRef{}) {
			*g = append(*g, ref)
		}
	}
	return nil
}

// names are the groups' names, or ids where they have none.
func (g groupSet) names() []string {
	var list []string
	for _, ref := range g {
		list = append(list, ref.label())
	}
	return list
}

func (r groupRef) label() string {
	if r.Name == "" {
		return string(r.ID)
	}
	return string(r.Name)
}
