package crowdstrike

import "time"

const (
	homeCID  = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
	childCID = "7be2f0c45d6a4c1b9a3e8d5f60718293"

	nightShift = "9b8a7f6e5d4c3b2a190817263544f0e1" // custom, of the home CID
	fieldTeam  = "1e0f4453627180910a2b3c4d5e6f7a8b" // custom, of the child
)

// seed is the default state: six users of the home CID, each with one thing
// that a client may stumble over, ten roles there and one more in the child.
func seed() state {
	nora := seedUser("5d3c2b1a-0f9e-4d8c-b7a6-958473625140", "nora.vance@example.com", "Nora", "Vance", 1)
	ravi := seedUser("27c1f6a8-3b90-4e5d-9d42-6a0b8c7e1f35", "Ravi.McKenna@Example.com", "Ravi", "McKenna", 2)
	zofia := seedUser("b4e8d0c6-71a5-4f29-8c3b-0d9e2f6a4718", "zofia.wisniewska@acme.example", "Zofia", "Wiśniewska-Łoś", 3)
	tran := seedUser("8f2a5c7e-d146-4b03-a9f8-31e0c5d7b269", "li.tran@my-company.com", "Li", "Trần", 4)
	tran.LastLoginAt, tran.Factors = time.Time{}, nil
	omar := seedUser("e09b3d51-64f2-47c8-b6a1-f82c7d504e93", "omar.haddad@example.com", "Omar", "Haddad", 5)
	omar.Status = "inactive"
	sam := seedUser("416d9e07-ac53-4d8e-8b70-5c2f1a96e3d4", "sam.o'tieno@example.com", "Sam", "O'Tieno", 6)

	responder := seedGrant(nora, homeCID, "remote_responder")
	responder.ExpiresAt = time.Date(2035, 6, 30, 0, 0, 0, 0, time.UTC)
	inherited := seedGrant(sam, homeCID, "event_viewer")
	inherited.GrantType = "user_group"
	inherited.UserGroupID, inherited.UserGroupName = "3c2d1e0f4a5b69788796a5b4c3d2e1f0", "SOC"

	return state{
		CIDs:    []customer{{CID: homeCID, Name: "Example Corp"}, {CID: childCID, Name: "Example Field Services"}},
		Domains: []string{"example.com", "*.example", "my-company.com"},
		Users:   []user{nora, ravi, zofia, tran, omar, sam},
		Roles:   seedRoles(),
		Grants: []grant{
			seedGrant(nora, homeCID, "falconhost_admin"),
			seedGrant(nora, homeCID, "user_admin"),
			responder,
			seedGrant(ravi, homeCID, "event_viewer"),
			seedGrant(ravi, homeCID, "help_desk"),
			seedGrant(ravi, childCID, "security_lead"),
			seedGrant(zofia, homeCID, "dashboard_admin"),
			seedGrant(zofia, homeCID, nightShift),
			seedGrant(tran, homeCID, "falcon_console_guest"),
			seedGrant(omar, homeCID, "falconhost_read_only"),
			inherited,
			seedGrant(sam, homeCID, "help_desk"),
		},
		Actions: []action{},
	}
}

func seedUser(uuid, uid, first, last string, day int) user {
	made := time.Date(2026, 5, 10+day, 12, 6, 44, 190233000, time.UTC)
	return user{
		UUID: uuid, CID: homeCID, UID: uid, Status: "active", FirstName: first, LastName: last,
		LastLoginAt: made.AddDate(0, 4, 20), Factors: []string{"TOTP"},
		CreatedAt: made, UpdatedAt: made.AddDate(0, 4, 20),
	}
}

func seedGrant(u user, cid, id string) grant {
	return grant{UUID: u.UUID, CID: cid, RoleID: id, GrantType: direct}
}

func seedRoles() []role {
	return []role{
		{ID: "falconhost_admin", DisplayName: "Falcon Administrator", Description: "Manages everything but users", IsGlobal: true, Type: "default"},
		{ID: "user_admin", DisplayName: "User Administrator", Description: "Manages users and their roles", IsGlobal: true, Type: "default"},
		{ID: "falconhost_read_only", DisplayName: "Falcon Analyst - Read Only", Description: "Sees detections and hosts, changes nothing", Type: "default"},
		{ID: "event_viewer", DisplayName: "Event Viewer", Description: "Sees events, changes nothing", Type: "default"},
		{ID: "help_desk", DisplayName: "Help Desk", Description: "Resets second factors", Type: "default"},
		{ID: "dashboard_admin", DisplayName: "Dashboard Administrator", Description: "Manages shared dashboards", Type: "default"},
		{ID: "falcon_console_guest", DisplayName: "Falcon Console Guest", Description: "Signs in and sees no data", Type: "default"},
		{ID: "remote_responder", DisplayName: "Real Time Responder", Description: "Opens sessions on hosts", Type: "default"},
		{ID: "security_lead", DisplayName: "Security Lead", Description: "Decides on detections", Type: "default"},
		{ID: nightShift, DisplayName: "Night shift", Description: "Team role", Type: "custom", CID: homeCID},
		{ID: fieldTeam, DisplayName: "Field team", Description: "Team role of the field services", Type: "custom", CID: childCID},
	}
}
