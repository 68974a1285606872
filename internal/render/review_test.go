package render

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"edrctl/internal/provision"
)

func TestReviewHasARowForEachPerson(t *testing.T) {
	view := provision.HeldRole{ID: "v", Name: "View", Direct: true}
	doc := Document{Kind: KindReview, Items: []ReviewItem{
		{Login: "ada@example.com", Marks: []string{"orphan", "admin"}, Tenants: map[string]ReviewTenant{
			"xdr": {Name: "Ada Quist", Status: provision.StatusDisabled, Roles: []provision.HeldRole{view}},
			"cbc": {
				Name: "A. Quist", Status: provision.StatusActive, LastLogin: at("2026-01-02T23:59:59Z"),
				Roles: []provision.HeldRole{view, {ID: "w", Via: "SOC", ExpiresAt: at("2027-01-01T00:00:00Z")}},
			},
		}},
		{Login: "bo@example.com", Tenants: map[string]ReviewTenant{"cbc": {Status: provision.StatusInvited}, "xdr": {Status: provision.StatusUnknown}}},
		{Login: "ines@example.com", Marks: []string{"missing"}},
	}}
	assert.Equal(t, `
LOGIN             MARKS          CBC                                   XDR
ada@example.com   orphan, admin  View, w (via SOC) (until 2027-01-01)  disabled: View
bo@example.com    -              invited                               no roles
ines@example.com  missing        -                                     -
`, "\n"+text(t, doc, Options{}))
	assert.Equal(t, `
LOGIN             MARKS          CBC                                   XDR             NAME                  LAST LOGIN
ada@example.com   orphan, admin  View, w (via SOC) (until 2027-01-01)  disabled: View  A. Quist / Ada Quist  cbc 2026-01-02
bo@example.com    -              invited                               no roles        -                     -
ines@example.com  missing        -                                     -               -                     -
`, "\n"+text(t, doc, Options{Format: Wide}))
	assert.Equal(t, "ada@example.com\nbo@example.com\nines@example.com\n", text(t, doc, Options{Format: Name}))
	assert.Contains(t, text(t, doc, Options{Color: true}), "\x1b[31morphan, admin\x1b[0m")

	doc.Columns = ReviewColumns([]string{"xdr", "cr"})
	assert.Contains(t, "\n"+text(t, doc, Options{}), "\nLOGIN             MARKS          XDR             CR\n")
}
