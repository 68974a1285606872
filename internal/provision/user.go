package provision

import (
	"fmt"
	"slices"
	"time"
)

// Status is what a vendor says of an account.
type Status string

// The statuses of an account. StatusUnknown means that the vendor does not say.
const (
	StatusActive   Status = "active"
	StatusDisabled Status = "disabled"
	StatusInvited  Status = "invited"
	StatusLocked   Status = "locked"
	StatusUnknown  Status = "unknown"
)

// User is a person's account in one tenant.
type User struct {
	// ID is the vendor's id; empty while an invitation is pending.
	ID string `json:"id"`
	// Login is the e-mail address in the vendor's spelling.
	Login     string `json:"login"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Phone     string `json:"phone"`
	Status    Status `json:"status"`
	// Roles are the roles held, direct and inherited, sorted by id.
	Roles []HeldRole `json:"roles"`
	// LastLogin is nil for "never" and for "the vendor does not say".
	LastLogin *time.Time `json:"lastLogin"`
	// Created is when the account was made; zero where the vendor does not say.
	Created time.Time `json:"-"`
	// Extra holds what only this vendor has, under the names of its options.
	// Values are strings, booleans, or lists of strings.
	Extra map[string]any `json:"extra"`
}

// HeldRole is a role as held by a user.
type HeldRole struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Direct is false for a role that comes through a group or the like,
	// which cannot be revoked from the user.
	Direct bool `json:"direct"`
	// Scope is where it holds: a CID, an org key, or empty.
	Scope string `json:"scope"`
	// ExpiresAt is nil for a role without end.
	ExpiresAt *time.Time `json:"expiresAt"`
	// Via names the group an inherited role comes from.
	Via string `json:"via,omitempty"`
}

// Temporary reports whether the role ends by itself.
func (r HeldRole) Temporary() bool { return r.ExpiresAt != nil }

// Filter narrows a list of users.
type Filter struct {
	// NoRoles leaves roles out where that saves requests.
	NoRoles bool
	// Only, if set, says whose roles matter. Users whom it turns down may be
	// left out, where that saves requests.
	Only func(login string) bool
}

// UserSpec describes a user to create.
type UserSpec struct {
	Login     string
	FirstName string
	LastName  string
	Phone     string
	// Roles are ids.
	Roles []string
	// Expires ends the roles; zero for never.
	Expires time.Time
	// Password is the first password, where the vendor wants one.
	Password Secret
	// Options are vendor options by name, such as "totp-enabled".
	Options Options
}

// UserPatch names the details to change; nil leaves a detail as it is.
type UserPatch struct {
	FirstName *string
	LastName  *string
	Phone     *string
	Options   Options
}

// Empty reports whether the patch names nothing.
func (p UserPatch) Empty() bool {
	return p.FirstName == nil && p.LastName == nil && p.Phone == nil && len(p.Options) == 0
}

// Satisfied reports whether a user is already as the patch wants it. Options
// are compared with what the user shows of them in Extra.
func (p UserPatch) Satisfied(u User) bool {
	same := func(want *string, is string) bool { return want == nil || *want == is }
	if !same(p.FirstName, u.FirstName) || !same(p.LastName, u.LastName) || !same(p.Phone, u.Phone) {
		return false
	}
	for name, want := range p.Options {
		if is, ok := u.Extra[name]; !ok || !sameOption(is, want) {
			return false
		}
	}
	return true
}

// sameOption compares a value of Extra with that of an option. Lists are the
// same in any order.
func sameOption(is any, want string) bool {
	if list, ok := is.([]string); ok {
		return slices.Equal(sortedSet(list), sortedSet(SplitList(want)))
	}
	return fmt.Sprint(is) == want
}

// Removal is what DeleteUser achieved.
type Removal struct {
	// ID is the vendor's id of the user.
	ID string
	// Deleted is true when the account is gone, false when it remains with
	// all access taken that could be taken.
	Deleted bool
	// Unchanged is true when the account remains and there was nothing left to
	// take.
	Unchanged bool
	// Revoked are the ids of the roles taken away.
	Revoked []string
	// Residual is access that remains.
	Residual []Residual
}

// Residual is access that edrctl could not take away.
type Residual struct {
	// Kind is "group", "role" or "invitation".
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// Options are a vendor's extras by option name. Values are checked and brought
// into their canonical spelling by Vendor.CheckOptions.
type Options map[string]string
