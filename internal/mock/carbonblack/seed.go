package carbonblack

// otherOrg is an organisation that the key does not manage.
const otherOrg = "psc:org:3HF8W2LC"

const (
	viewAll     = "psc:role::BETA_VIEW_ALL"
	level1      = "psc:role::BETA_LEVEL_1_ANALYST"
	level2      = "psc:role::BETA_LEVEL_2_ANALYST"
	level3      = "psc:role::BETA_LEVEL_3_ANALYST"
	systemAdmin = "psc:role::BETA_SYSTEM_ADMIN"
	superAdmin  = "psc:role::BETA_SUPER_ADMIN"
	viewOnly    = "psc:role::VIEW_ONLY"
	liveAdmin   = "psc:role::ALL_AND_LR"
	socTriage   = "psc:role:" + orgKey + ":SOC_TRIAGE"
	level1Plus  = "psc:role:" + orgKey + ":LEVEL_1_ANALYST_WITH_MANAGE_USERS"
	// unlisted is held by a user and not among the roles the key may assign.
	unlisted = "psc:role::CONTAINER_IMAGE_CLI_TOOL"
)

const (
	veraID  = 6100001
	inesID  = 6100417
	leaID   = 6100502
	marekID = 6100533
	priyaID = 6100561
	jonasID = 6100588
)

// seed is the default state: six users, each of whom has access in a different
// way, one invitation that is still open, and ten roles.
func seed() state {
	return state{
		Users: []user{
			seedUser(veraID, 15210001, 7, "vera.lindqvist@example.com", "Vera", "Lindqvist", "+46 555 0101"),
			seedUser(inesID, 15210077, 3, "ines.duarte@example.com", "Ines", "Duarte", ""),
			seedUser(leaID, 15210102, 12, "lea.brandt@example.com", "Lea", "Brandt", "+49 555 0117"),
			seedUser(marekID, 15210133, 2, "marek.novak@soc.example", "Marek", "Novak", ""),
			seedUser(priyaID, 15210161, 1, "priya.raman@example.com", "Priya", "Raman", "+44 555 0190"),
			seedUser(jonasID, 15210188, 5, "Jonas.Weber@My-Company.com", "Jonas", "Weber", ""),
		},
		Pending: []invitation{{
			Email: "nadia.rossi@example.com", Role: deprecated, RoleURN: level1, FirstName: "Nadia", LastName: "Rossi",
			AuthMethod: "PASSWORD", Profiles: []profile{seedProfile("", []string{orgURN}, level1)},
		}},
		Elsewhere:  []string{"guest.auditor@example.com"},
		Grants:     seedGrants(),
		Roles:      seedRoles(),
		Domains:    []string{"example.com", "*.example", "my-company.com"},
		GoogleAuth: []int{veraID, inesID},
		NextLogin:  6100601, NextContact: 15210201,
		Switches: initialSwitches(),
	}
}

func seedUser(login, contact, version int, email, first, last, phone string) user {
	return user{
		OrgKey: orgKey, AuthMethod: "PASSWORD", OrgID: orgID, LoginID: login, LoginName: email, Email: email,
		Phone: phone, FirstName: first, LastName: last, AdminLoginVersion: version, Role: deprecated, ContactID: contact,
	}
}

func seedProfile(uuid string, allow []string, roles ...string) profile {
	return profile{UUID: uuid, Orgs: orgs{Allow: allow}, Roles: roles, CanManage: yes()}
}

func yes() *bool {
	b := true
	return &b
}

func seedGrants() []grant {
	own, both := []string{orgURN}, []string{orgURN, otherOrg}
	off := seedProfile("e3a1c9b4-2d57-4c86-9f0e-7b64d1a85c02", own, level3)
	off.Conditions.Disabled = true

	grants := []grant{
		{Principal: userURN(veraID), PrincipalName: "Vera Lindqvist", Roles: []string{superAdmin}},
		{Principal: userURN(inesID), PrincipalName: "Ines Duarte", Profiles: []profile{
			seedProfile("5b0d7c1e-93f4-4a57-8a3b-1f6f0c2d9e10", own, level2, socTriage),
		}},
		// Lea Brandt has none: she is older than grants are.
		{Principal: userURN(marekID), PrincipalName: "Marek Novak", Profiles: []profile{
			seedProfile("9c2f4e68-0b7a-4d13-a5c9-48e2f7306b1d", both, level1),
		}},
		{Principal: userURN(priyaID), PrincipalName: "Priya Raman", Profiles: []profile{
			off, seedProfile("f7d80a35-61ce-4b92-8e4f-c30b9a2715e6", own, viewAll),
		}},
		{Principal: userURN(jonasID), PrincipalName: "Jonas Weber", Roles: []string{viewOnly, socTriage, unlisted}},
	}
	for i := range grants {
		g := &grants[i]
		g.OrgRef, g.CanManage = orgURN, yes()
		g.Roles, g.Profiles = full(g.Roles), full(g.Profiles)
		g.CreatedBy, g.CreateTime = userURN(veraID), "2025-02-11T08:14:55.120Z"
		g.UpdatedBy, g.UpdateTime = keyURN, "2025-06-30T16:02:09.871Z"
	}
	return grants
}

func seedRoles() []role {
	roles := []role{
		{URN: viewAll, Name: "View All", Desc: "Read-only access to the console"},
		{URN: level1, Name: "Level 1 Analyst", Desc: "Looks at alerts"},
		{URN: level2, Name: "Level 2 Analyst", Desc: "Looks into alerts and acts on devices"},
		{URN: level3, Name: "Level 3 Analyst", Desc: "Looks into alerts with live response"},
		{URN: systemAdmin, Name: "System Admin", Desc: "Settings, users and sensors"},
		{URN: superAdmin, Name: "Super Admin", Desc: "Everything"},
		{URN: viewOnly, Name: "View Only", Desc: "Legacy"},
		{URN: liveAdmin, Name: "Live Response Admin", Desc: "Legacy"},
		{URN: socTriage, Name: "SOC Triage"},
		{URN: level1Plus, Name: "Level 1 Analyst with Manage Users", Desc: "Shift leads"},
	}
	for i := range roles {
		r := &roles[i]
		r.Scoped, r.Capabilities = orgURN, []string{}
		r.CreatedBy, r.CreateTime = userURN(veraID), "2024-01-09T10:00:00.000Z"
		r.UpdatedBy, r.UpdateTime = userURN(veraID), "2024-05-02T10:00:00.000Z"
	}
	return roles
}
