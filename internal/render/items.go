package render

import (
	"time"

	"edrctl/internal/provision"
)

// The item types say what is printed, key by key; the order of the fields is
// that of the keys.

// UserItem is an item of a UserList.
type UserItem struct {
	Tenant string `json:"tenant"`
	Vendor string `json:"vendor"`
	provision.User
}

// RoleItem is an item of a RoleList.
type RoleItem struct {
	Tenant string `json:"tenant"`
	Vendor string `json:"vendor"`
	provision.Role
}

// ResultItem is an item of a ResultList: what became of one target.
type ResultItem struct {
	Tenant         string               `json:"tenant"`
	Vendor         string               `json:"vendor"`
	Login          string               `json:"login"`
	Action         string               `json:"action"`
	Outcome        string               `json:"outcome"`
	ID             string               `json:"id"`
	RolesAdded     []string             `json:"rolesAdded"`
	RolesRemoved   []string             `json:"rolesRemoved"`
	ResidualAccess []provision.Residual `json:"residualAccess"`
	Message        string               `json:"message"`
	Error          *ErrorBody           `json:"error"`
}

// PlanItem is an item of a Plan: what would become of one target.
type PlanItem struct {
	Tenant       string   `json:"tenant"`
	Vendor       string   `json:"vendor"`
	Login        string   `json:"login"`
	Action       string   `json:"action"`
	RolesAdded   []string `json:"rolesAdded"`
	RolesRemoved []string `json:"rolesRemoved"`
	// Details are the new values by the name of the detail.
	Details map[string]string `json:"details"`
	// Seen is a hash of the user as read.
	Seen    string `json:"seen"`
	Outcome string `json:"outcome"`
	Message string `json:"message"`
}

// TenantItem is an item of a TenantList.
type TenantItem struct {
	Name    string `json:"name"`
	Vendor  string `json:"vendor"`
	URL     string `json:"url"`
	Default bool   `json:"default"`
}

// VendorItem is an item of a VendorList.
type VendorItem struct {
	Name         string                                            `json:"name"`
	Title        string                                            `json:"title"`
	Capabilities map[provision.CapabilityName]provision.Capability `json:"capabilities"`
	Options      []OptionItem                                      `json:"options"`
}

// OptionItem is a vendor extra.
type OptionItem struct {
	Name   string               `json:"name"`
	Kind   provision.OptionKind `json:"kind"`
	Help   string               `json:"help"`
	Values []string             `json:"values"`
	// On are the verbs that take it: create, update, roles.
	On []string `json:"on"`
}

// ReviewItem is an item of a Review: what one person has everywhere.
type ReviewItem struct {
	// Login is folded: spellings of it differ from tenant to tenant.
	Login string `json:"login"`
	// Tenants are those in which the person is.
	Tenants map[string]ReviewTenant `json:"tenants"`
	// Marks are words such as "orphan", those of a comparison first.
	Marks []string `json:"marks"`
}

// ReviewTenant is what one person has in one tenant.
type ReviewTenant struct {
	// Name is the person's name there; empty where the vendor keeps none.
	Name   string               `json:"name"`
	Status provision.Status     `json:"status"`
	Roles  []provision.HeldRole `json:"roles"`
	// LastLogin is nil for "never" and for "the vendor does not say".
	LastLogin *time.Time `json:"lastLogin"`
	// ExpiresAt is the first end of a role; nil if none ends.
	ExpiresAt *time.Time `json:"expiresAt"`
}

// DoctorItem is an item of a DoctorReport: one check of one tenant.
type DoctorItem struct {
	Tenant  string `json:"tenant"`
	Vendor  string `json:"vendor"`
	Check   string `json:"check"`
	Result  string `json:"result"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// AuditItem is an item of an AuditList: one record of a change.
type AuditItem struct {
	Time         time.Time `json:"time"`
	Tenant       string    `json:"tenant"`
	Vendor       string    `json:"vendor"`
	Login        string    `json:"login"`
	Action       string    `json:"action"`
	Outcome      string    `json:"outcome"`
	RolesAdded   []string  `json:"rolesAdded"`
	RolesRemoved []string  `json:"rolesRemoved"`
	RequestID    string    `json:"requestId"`
	OSUser       string    `json:"osUser"`
	Host         string    `json:"host"`
	Version      string    `json:"version"`
	Hash         string    `json:"hash"`
}
