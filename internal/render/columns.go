package render

import (
	"strings"

	"edrctl/internal/provision"
)

// columnsOf are the columns of table and wide for a kind. A kind without
// columns of its own shows the keys of its items.
func columnsOf(kind string, rows []any) []Column {
	switch kind {
	case KindUserList:
		return userColumns()
	case KindRoleList:
		return roleColumns()
	case KindResultList:
		return resultColumns()
	case KindPlan:
		return planColumns()
	case KindTenantList:
		return tenantColumns()
	case KindVendorList:
		return vendorColumns()
	case KindReview:
		return ReviewColumns(reviewTenants(rows))
	case KindDoctorReport:
		return doctorColumns()
	case KindAuditList:
		return auditColumns()
	default:
		return keyColumns(rows)
	}
}

func userColumns() []Column {
	return []Column{
		firm("TENANT", func(u UserItem) string { return u.Tenant }),
		firm("LOGIN", func(u UserItem) string { return u.Login }),
		NewColumn("NAME", func(u UserItem) string { return u.FirstName + " " + u.LastName }),
		status("STATUS", func(u UserItem) string { return string(u.Status) }),
		NewColumn("ROLES", func(u UserItem) string { return roleNames(u.Roles) }),
		wide("LAST LOGIN", func(u UserItem) string { return timeText(u.LastLogin) }),
		wide("ID", func(u UserItem) string { return u.ID }),
		wide("PHONE", func(u UserItem) string { return u.Phone }),
		wide("ROLE IDS", func(u UserItem) string { return roleIDs(u.Roles) }),
		wide("EXTRA", func(u UserItem) string { return mapText(u.Extra) }),
		wide("VENDOR", func(u UserItem) string { return u.Vendor }),
	}
}

func roleColumns() []Column {
	return []Column{
		firm("TENANT", func(r RoleItem) string { return r.Tenant }),
		firm("ID", func(r RoleItem) string { return r.ID }),
		NewColumn("NAME", func(r RoleItem) string { return r.Name }),
		NewColumn("DESCRIPTION", func(r RoleItem) string { return r.Description }),
		wide("CUSTOM", func(r RoleItem) string { return yesNo(r.Custom) }),
		wide("VENDOR", func(r RoleItem) string { return r.Vendor }),
	}
}

func resultColumns() []Column {
	return []Column{
		firm("TENANT", func(r ResultItem) string { return r.Tenant }),
		firm("LOGIN", func(r ResultItem) string { return r.Login }),
		NewColumn("ACTION", func(r ResultItem) string { return r.Action }),
		status("OUTCOME", func(r ResultItem) string { return r.Outcome }),
		NewColumn("DETAIL", resultText),
		wide("ID", func(r ResultItem) string { return r.ID }),
		wide("ERROR", func(r ResultItem) string {
			return errorField(r.Error, func(e *ErrorBody) string { return string(e.Code) })
		}),
		wide("REQUEST", func(r ResultItem) string {
			return errorField(r.Error, func(e *ErrorBody) string { return e.RequestID })
		}),
		wide("HINT", func(r ResultItem) string { return errorField(r.Error, func(e *ErrorBody) string { return e.Hint }) }),
		wide("VENDOR", func(r ResultItem) string { return r.Vendor }),
	}
}

func planColumns() []Column {
	return []Column{
		firm("TENANT", func(p PlanItem) string { return p.Tenant }),
		firm("LOGIN", func(p PlanItem) string { return p.Login }),
		NewColumn("ACTION", planAction),
		status("OUTCOME", func(p PlanItem) string { return p.Outcome }),
		NewColumn("CHANGES", func(p PlanItem) string {
			return join(", ", changes(p.RolesAdded, p.RolesRemoved), mapText(p.Details))
		}),
		NewColumn("MESSAGE", func(p PlanItem) string { return p.Message }),
		wide("VENDOR", func(p PlanItem) string { return p.Vendor }),
	}
}

// planAction is what is to be done, marked as in a diff.
func planAction(p PlanItem) string {
	switch p.Action {
	case "create":
		return "+ create"
	case "update", "roles":
		return "~ " + p.Action
	case "delete":
		return "- delete"
	}
	return p.Action
}

func tenantColumns() []Column {
	return []Column{
		firm("NAME", func(t TenantItem) string { return t.Name }),
		NewColumn("VENDOR", func(t TenantItem) string { return t.Vendor }),
		NewColumn("URL", func(t TenantItem) string { return t.URL }),
		firm("DEFAULT", func(t TenantItem) string { return yesNo(t.Default) }),
	}
}

func vendorColumns() []Column {
	with := func(level provision.Level) func(VendorItem) string {
		return func(v VendorItem) string {
			var names []string
			for _, name := range provision.CapabilityNames() {
				if v.Capabilities[name].Level == level {
					names = append(names, string(name))
				}
			}
			return strings.Join(names, ", ")
		}
	}
	return []Column{
		firm("NAME", func(v VendorItem) string { return v.Name }),
		NewColumn("TITLE", func(v VendorItem) string { return v.Title }),
		NewColumn("UNSUPPORTED", with(provision.Unsupported)),
		NewColumn("EMULATED", with(provision.Emulated)),
		wide("OPTIONS", func(v VendorItem) string {
			var names []string
			for _, o := range v.Options {
				names = append(names, o.Name)
			}
			return strings.Join(names, ", ")
		}),
		wide("NATIVE", with(provision.Native)),
	}
}

func doctorColumns() []Column {
	return []Column{
		firm("TENANT", func(d DoctorItem) string { return d.Tenant }),
		firm("CHECK", func(d DoctorItem) string { return d.Check }),
		status("RESULT", func(d DoctorItem) string { return d.Result }),
		NewColumn("MESSAGE", func(d DoctorItem) string { return d.Message }),
		NewColumn("HINT", func(d DoctorItem) string { return d.Hint }),
		wide("VENDOR", func(d DoctorItem) string { return d.Vendor }),
	}
}

func auditColumns() []Column {
	return []Column{
		firm("TIME", func(a AuditItem) string { return timeText(&a.Time) }),
		firm("TENANT", func(a AuditItem) string { return a.Tenant }),
		firm("LOGIN", func(a AuditItem) string { return a.Login }),
		NewColumn("ACTION", func(a AuditItem) string { return a.Action }),
		status("OUTCOME", func(a AuditItem) string { return a.Outcome }),
		NewColumn("ROLES", func(a AuditItem) string { return changes(a.RolesAdded, a.RolesRemoved) }),
		wide("USER", func(a AuditItem) string { return a.OSUser }),
		wide("HOST", func(a AuditItem) string { return a.Host }),
		wide("REQUEST", func(a AuditItem) string { return a.RequestID }),
		wide("VERSION", func(a AuditItem) string { return a.Version }),
		wide("VENDOR", func(a AuditItem) string { return a.Vendor }),
		wide("HASH", func(a AuditItem) string { return a.Hash }),
	}
}
