package render

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"edrctl/internal/provision"
)

// The marks of a Review, in the order in which they are shown.
const (
	// MarkOrphan is somebody in a tenant who is not in the file compared with,
	// and MarkMissing the other way round.
	MarkOrphan  = "orphan"
	MarkMissing = "missing"
	// MarkAdmin is somebody who holds an administrator's role.
	MarkAdmin = "admin"
	// MarkInvited is somebody who has yet to take up an invitation.
	MarkInvited = "invited"
	// MarkNever is somebody who has never signed in, as far as vendors tell.
	MarkNever = "never"
	// MarkPartial is somebody in one tenant and not in another.
	MarkPartial = "partial"
	// MarkUnlike is somebody whose roles differ in kind.
	MarkUnlike = "unlike"
	// MarkGroup is somebody with a role that is not given directly.
	MarkGroup = "group"
)

// ReviewColumns are the columns of a Review: a row is a person, and each of the
// tenants has a column. In wide they also say who it is and when somebody signed
// in last.
func ReviewColumns(tenants []string) []Column {
	columns := []Column{
		firm("LOGIN", func(r ReviewItem) string { return r.Login }),
		status("MARKS", func(r ReviewItem) string { return strings.Join(r.Marks, ", ") }),
	}
	for _, tenant := range tenants {
		columns = append(columns, NewColumn(strings.ToUpper(tenant), func(r ReviewItem) string {
			at, ok := r.Tenants[tenant]
			if !ok {
				return ""
			}
			return reviewCell(at)
		}))
	}
	return append(columns,
		wide("NAME", ReviewItem.Names),
		wide("LAST LOGIN", func(r ReviewItem) string {
			var each []string
			for _, tenant := range tenants {
				if at := r.Tenants[tenant]; at.LastLogin != nil {
					each = append(each, tenant+" "+dateText(at.LastLogin))
				}
			}
			return strings.Join(each, ", ")
		}))
}

// reviewTenants are the tenants that some person is in, for a review of which
// nobody says which tenants it is about.
func reviewTenants(rows []any) []string {
	seen := map[string]bool{}
	for _, row := range rows {
		if r, ok := as[ReviewItem](row); ok {
			for tenant := range r.Tenants {
				seen[tenant] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// reviewCell is what somebody has in a tenant, with the status where it says
// more than that there is an account.
func reviewCell(at ReviewTenant) string {
	roles := cmp.Or(roleNames(at.Roles), "no roles")
	switch at.Status {
	case provision.StatusActive, provision.StatusUnknown, "":
		return roles
	case provision.StatusInvited:
		if len(at.Roles) == 0 {
			return string(at.Status)
		}
	}
	return string(at.Status) + ": " + roles
}

// Names are what the tenants call a person, each spelling once.
func (r ReviewItem) Names() string {
	var names []string
	for _, tenant := range slices.Sorted(maps.Keys(r.Tenants)) {
		if name := r.Tenants[tenant].Name; name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " / ")
}
