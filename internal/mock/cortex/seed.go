package cortex

const (
	roleViewer        = "viewer"
	roleInvestigator  = "investigator"
	roleAdministrator = "administrator"
	roleInstanceAdmin = "instance_admin"
	roleAccountAdmin  = "account_admin"
	roleTriage        = "tier_1_triage_4821"

	maker   = "Palo Alto Networks"
	rootAdm = "root.admin@northwind.example"
	ada     = "ada.quist@northwind.example"
	dana    = "dana.reyes@contractors.example"

	keyID = 17
	// keySecret opens nothing but this fake.
	keySecret = "mock-cortex-key-opens-nothing-else" //nolint:gosec // not a credential
	// keyCanary must never turn up in what a client prints.
	keyCanary = "MOCK-PRIVATE-KEY-DO-NOT-PRINT"
)

// defaultState is a tenant of six people, ten roles and two groups, with
// something in it for each way in which a client can go wrong.
func defaultState() state {
	return state{
		Users: seedUsers(), Roles: seedRoles(), Groups: seedGroups(), SSO: seedSSO(),
		Keys:     []key{{ID: keyID, Secret: keySecret, Roles: []string{roleInstanceAdmin}}},
		Scopes:   map[string]scope{},
		Switches: defaultSwitches(),
		Nonces:   map[string]int64{},
	}
}

func seedUsers() []user {
	at := func(ms int64) *int64 { return &ms }
	return []user{
		{ // A role of her own and another through a group.
			Email: ada, FirstName: "Ada", LastName: "Quist",
			Status: statusActive, RoleID: roleInvestigator, LastLogin: at(1767012345678), Type: typeCSP,
		},
		{ // Capitals, no role, never seen.
			Email: "Bo.Lindqvist@northwind.example", FirstName: "Bo", LastName: "Lindqvist",
			Status: statusActive, Type: typeSSO,
		},
		{ // Holds the role that nobody can be given or relieved of here.
			Email: rootAdm, FirstName: "Root", LastName: "Admin", Phone: "+1 555 0100",
			Status: statusActive, RoleID: roleAccountAdmin, LastLogin: at(1766900000000), Type: typeBoth,
		},
		{ // Disabled, which only the newer calls show.
			Email: "cy.okafor@example.com", FirstName: "Cy", LastName: "Okafor",
			Status: statusDisabled, RoleID: roleViewer, LastLogin: at(1751328000000), Type: typeCSP,
			Tags: []string{"Lagos"},
		},
		{ // Hidden from the console's list, yet able to sign in; in a group by the
			// identity provider, and given a role by the settings of her domain.
			Email: dana, FirstName: "Dana", LastName: "Reyes",
			Status: statusActive, RoleID: roleTriage, LastLogin: at(1766000000123), Hidden: true, Type: typeSSO,
		},
		{ // Guarded against keys that are no instance administrator; a plus sign.
			Email: "ivo.novak+soc@my-company.com", FirstName: "Ivo", LastName: "",
			Status: statusActive, RoleID: roleInstanceAdmin, LastLogin: at(1767100000000), Type: typeBoth,
		},
	}
}

func seedRoles() []role {
	const shipped = 1700000000000
	ts := int64(1722222222222)
	builtIn := func(id, name string, permissions ...string) role {
		return role{ID: id, Name: name, CreatedBy: maker, Created: shipped, Permissions: permissions}
	}
	custom := func(id, name, description string, permissions ...string) role {
		return role{
			ID: id, Name: name, Description: description, Custom: true, CreatedBy: rootAdm,
			Created: 1711111111111, Updated: &ts, Permissions: permissions,
		}
	}
	return []role{
		builtIn(roleViewer, "Viewer", "Dashboards", "Reports"),
		builtIn(roleInvestigator, "Investigator", "Dashboards", "Reports", "Incidents"),
		builtIn("privileged_investigator", "Privileged Investigator", "Dashboards", "Incidents", "Scripts"),
		builtIn(roleAdministrator, "Administrator", "Dashboards", "Incidents", "Policies"),
		builtIn(roleInstanceAdmin, "Instance Administrator", "Dashboards", "Incidents", "Policies", "Access Management"),
		builtIn(roleAccountAdmin, "Account Admin", "Everything"),
		custom(roleTriage, "Tier 1 Triage", "first line", "Scripts"),
		custom("soc_lead_5190", "SOC Lead", "", "Incidents", "Scripts"),
		custom("threat_hunter_5533", "Threat Hunter", "hunts, does not respond", "Queries"),
		// A slash in the name, and an id that does not follow from it.
		custom("custom_role_7312", "Night Shift / Ops", "after hours", "Dashboards"),
	}
}

func seedGroups() []group {
	return []group{
		{
			ID: "9f0c6a1e", Name: "SOC Tier 1", RoleID: roleTriage, Type: groupCustom,
			CreatedBy: rootAdm, UpdatedBy: rootAdm, Created: 1711111111111, Updated: 1722222222222,
			Users: []string{ada}, Mapped: []string{dana}, IDPGroups: []string{"okta-soc-t1"},
		},
		{
			ID: "3c51b7d0", Name: "Duty Managers", Description: "on call", RoleID: roleViewer, Type: groupCustom,
			CreatedBy: rootAdm, UpdatedBy: rootAdm, Created: 1733333333333, Updated: 1733333333333,
		},
	}
}

func seedSSO() []sso {
	common := sso{
		Tenant: "4a7d1ed4-0000-4000-8000-00000000c0de", IDPEnabled: true, Certificate: "not-a-certificate",
		SPEntity: "https://northwind.xdr.example/sp", SPLogout: "https://northwind.xdr.example/idp/logout",
		SPURL:    "https://northwind.xdr.example/idp/saml",
		Mappings: mappings{Email: "email", FirstName: "givenname", LastName: "surname", Groups: "memberOf"},
		Advanced: advanced{PrivateKey: keyCanary},
	}
	first, second := common, common
	first.Name, first.Issuer, first.URL = "staff", "https://idp.northwind.example", "https://idp.northwind.example/sso"
	second.Name, second.Issuer, second.URL = "contractors", "https://idp.contractors.example", "https://idp.contractors.example/sso"
	second.Domain, second.DefaultRole = "contractors.example", roleViewer
	return []sso{first, second}
}
