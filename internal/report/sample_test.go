package report

import (
	"fmt"
	"time"

	"edrctl/internal/provision"
	"edrctl/internal/render"
)

// attack is markup that would run in a page that does not escape it.
const attack = `<img src=x onerror=alert(1)>`

func moment(text string) *time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return &t
}

func direct(id, name string) provision.HeldRole {
	return provision.HeldRole{ID: id, Name: name, Direct: true}
}

// sample is a page with one of everything, and a console that was not read.
func sample() Page {
	falcon := &provision.Vendor{Name: "crowdstrike", Title: "CrowdStrike Falcon", LastLogins: true, AdminRoles: []string{"falcon_admin"}}
	carbon := &provision.Vendor{Name: "carbonblack", Title: "Carbon Black Cloud"}
	cortex := &provision.Vendor{Name: "cortex", Title: "Palo Alto Networks Cortex", LastLogins: true, AdminRoles: []string{"Instance Administrator"}}
	reason := &provision.Vendor{Name: "cybereason", Title: "Cybereason Defense Platform"}
	until := direct("responder", "Real Time Responder")
	until.ExpiresAt = moment("2035-06-30")
	return Page{
		Made: time.Date(2026, 11, 21, 14, 2, 3, 0, time.FixedZone("", 3600)), By: "mara on audit-host", Version: "1.4.0",
		Against: "people.csv", Listed: 6,
		Consoles: []Console{
			{Tenant: "falcon-prod", Vendor: falcon},
			{Tenant: "cbc", Vendor: carbon},
			{Tenant: "xdr", Vendor: cortex},
			{Tenant: "cr", Vendor: reason, Err: &render.ErrorBody{Message: "cybereason: list users: cannot be reached: " + attack}},
		},
		People: []render.ReviewItem{
			{
				Login: "ada.quist@example.com", Marks: []string{render.MarkAdmin, render.MarkUnlike},
				Tenants: map[string]render.ReviewTenant{
					"falcon-prod": {
						Name: "Ada Quist", Status: provision.StatusActive, LastLogin: moment("2026-10-02"),
						Roles: []provision.HeldRole{direct("falcon_admin", "Falcon Administrator"), until},
					},
					"cbc": {Name: "Ada Quist-Łoś", Status: provision.StatusUnknown, Roles: []provision.HeldRole{direct("v", "View All")}},
					"xdr": {Name: "Ada Quist", Status: provision.StatusActive, LastLogin: moment("2026-11-20"), Roles: []provision.HeldRole{direct("i", "Investigator")}},
				},
			},
			{
				Login: "bo@example.com", Marks: []string{render.MarkOrphan, render.MarkNever, render.MarkPartial, render.MarkGroup},
				Tenants: map[string]render.ReviewTenant{
					"falcon-prod": {
						Name: attack, Status: provision.StatusDisabled,
						Roles: []provision.HeldRole{{ID: "ev", Name: "Event Viewer", Via: "SOC \u202eevil"}, {ID: "bare"}},
					},
				},
			},
			{Login: "cy.gone@example.com", Marks: []string{render.MarkMissing}},
			{
				Login: "dana@example.com", Marks: []string{render.MarkInvited, render.MarkPartial},
				Tenants: map[string]render.ReviewTenant{
					"cbc": {Status: provision.StatusInvited}, "xdr": {Status: provision.StatusLocked, LastLogin: moment("2025-01-31")},
				},
			},
			{
				Login: "soc10@example.com", Marks: []string{render.MarkOrphan, render.MarkPartial},
				Tenants: map[string]render.ReviewTenant{"cbc": {Status: provision.StatusUnknown, Roles: []provision.HeldRole{direct("t", "SOC Triage")}}},
			},
			{
				Login: "soc9@example.com", Marks: []string{render.MarkPartial},
				Tenants: map[string]render.ReviewTenant{"xdr": {Name: "Night \"Shift\" & Co", Status: provision.StatusActive, LastLogin: moment("2024-02-29"), Roles: []provision.HeldRole{direct("v", "Viewer")}}},
			},
		},
	}
}

// crowd is a page of n people in four consoles.
func crowd(n int) Page {
	p := sample()
	p.Consoles[3].Err, p.People = nil, nil
	for i := range n {
		person := render.ReviewItem{Login: fmt.Sprintf("person.%05d@example.com", i*7919%n), Marks: []string{render.MarkPartial}, Tenants: map[string]render.ReviewTenant{}}
		if i%9 == 0 {
			person.Marks = []string{render.MarkOrphan, render.MarkPartial}
		}
		for j, c := range p.Consoles {
			if (i+j)%5 == 0 {
				continue
			}
			person.Tenants[c.Tenant] = render.ReviewTenant{
				Name: fmt.Sprintf("Given%d Family%d", i, i%77), Status: provision.StatusActive, LastLogin: moment("2026-03-14"),
				Roles: []provision.HeldRole{direct("a", fmt.Sprintf("Analyst Level %d", i%4)), direct("b", "Event Viewer")},
			}
		}
		p.People = append(p.People, person)
	}
	return p
}
