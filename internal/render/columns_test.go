package render

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"edrctl/internal/provision"
)

func TestTablesOfTheOtherKinds(t *testing.T) {
	tests := []struct {
		kind  string
		items any
		want  string
	}{
		{KindRoleList, []RoleItem{{Tenant: "cbc", Vendor: "carbonblack", Role: provision.Role{ID: "a", Name: "A", Custom: true}}}, `
TENANT  ID  NAME  DESCRIPTION  CUSTOM  VENDOR
cbc     a   A     -            yes     carbonblack
`},
		{KindTenantList, []TenantItem{{Name: "cbc", Vendor: "carbonblack", URL: "https://cbc.example"}}, `
NAME  VENDOR       URL                  DEFAULT
cbc   carbonblack  https://cbc.example  no
`},
		{KindVendorList, []VendorItem{{
			Name: "cortex", Title: "Cortex XDR", Options: []OptionItem{{Name: "groups"}, {Name: "hidden"}},
			Capabilities: map[provision.CapabilityName]provision.Capability{
				provision.CanListUsers:  {Level: provision.Native},
				provision.CanCreateUser: {Level: provision.Unsupported, Note: "portal"},
				provision.CanDeleteUser: {Level: provision.Emulated},
				provision.CanListRoles:  {Level: provision.Native},
			},
		}}, `
NAME    TITLE       UNSUPPORTED  EMULATED     OPTIONS         NATIVE
cortex  Cortex XDR  create-user  delete-user  groups, hidden  list-users, list-roles
`},
		{KindDoctorReport, []DoctorItem{{Tenant: "cr", Vendor: "cybereason", Check: "tls", Result: "warn", Message: "expires soon", Hint: "renew it"}}, `
TENANT  CHECK  RESULT  MESSAGE       HINT      VENDOR
cr      tls    warn    expires soon  renew it  cybereason
`},
		{KindAuditList, []AuditItem{{
			Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Tenant: "cr", Vendor: "cybereason", Login: "ada@example.com",
			Action: "role.grant", Outcome: "granted", RolesAdded: []string{"x"}, RolesRemoved: []string{"y"}, RequestID: "r",
			OSUser: "root", Host: "h", Version: "1", Hash: "0a",
		}}, `
TIME               TENANT  LOGIN            ACTION      OUTCOME  ROLES  USER  HOST  REQUEST  VERSION  VENDOR      HASH
2026-01-02 03:04Z  cr      ada@example.com  role.grant  granted  +x -y  root  h     r        1        cybereason  0a
`},
	}
	for _, tt := range tests {
		t.Run(tt.kind, func(t *testing.T) {
			assert.Equal(t, tt.want, "\n"+text(t, Document{Kind: tt.kind, Items: tt.items}, Options{Format: Wide}))
		})
	}
}

// TestEightyColumns draws every kind as narrow terminals have it.
func TestEightyColumns(t *testing.T) {
	rule := ruler()
	for _, doc := range documents() {
		for _, format := range []Format{Table, Wide} {
			for _, width := range []int{1, 20, 40, 80, 120} {
				for line := range strings.Lines(text(t, doc, Options{Format: format, Width: width})) {
					assert.LessOrEqual(t, rule.StringWidth(strings.TrimSuffix(line, "\n")), width, "%s %s", doc.Kind, line)
				}
			}
		}
	}
}

func TestUsersOnATerminal(t *testing.T) {
	assert.Equal(t, `
TENANT  LOGIN                    NAME         STATUS  ROLES
cbc     ines.duarte@example.com  Ines Duarte  active  View All, Temp (until 202…
cr      no                       =1+1         locked  -
`, "\n"+text(t, users(), Options{Width: 80}))
}
