package cybereason

import (
	"encoding/json"
	"strings"
)

const (
	passwordMethod = "PASSWORD"
	userAdmin      = "user_admin"
	systemAdmin    = "sys_admin"

	serviceLogin = "svc-edrctl@example.com"
	// servicePassword has every character that a form has to escape.
	servicePassword = "Mock &+%#= pass1!" //nolint:gosec // opens nothing but this fake
	serviceTOTP     = keyCanary + "SVCEDRCTLMOCKSECRET"
	// seedPassword opens the other users of the default state.
	seedPassword = "Seed &+%#= user1!" //nolint:gosec // opens nothing but this fake
)

// publishedRoles are the role names the vendor publishes.
func publishedRoles() []string {
	return []string{
		"analyst_l1", "analyst_l2", "analyst_l3", "analyst_hdl", "executive", systemAdmin, userAdmin, "api",
		"responder", "responder_l2", "policies_admin", "sensor_admin_l1", "sensors_viewer",
		"local_analyst_l1", "local_analyst_l2", "local_responder",
	}
}

// defaultState is a console with six users, each but the first with something
// that a careless client gets wrong.
func defaultState(totp bool) state {
	const north, lab = "3f0c7a52-8d1e-4b7e-9f6a-2c5d90e1ab34", "b81d4f06-52c9-4f0a-8e37-d6a9c0174e25"
	key := func(s string) *string { return &s }
	users := []user{
		{
			Username: serviceLogin, Roles: []string{userAdmin, systemAdmin},
			CreationTime: 1704067200000, LastUpdateTime: 1731900000001,
			TotpEnabled: totp, TotpSid: key(serviceTOTP), KeyShown: true,
		},
		{ // Case: the login is only found in the spelling of the list.
			Username: "Mara.Holt@Example.com", Roles: []string{"analyst_l2", "policies_admin", userAdmin},
			CreationTime: 1718000000000, LastUpdateTime: 1731900000123, IsDailyNotifications: true,
			InvestigationViewConfig: []json.RawMessage{json.RawMessage(`{"column":"machine","width":240}`)},
		},
		{ // A role the vendor does not publish, and sensor groups, both to be kept.
			Username: "field.team@north.example", Roles: []string{"local_analyst_l1", "super_custom_7"},
			CreationTime: 1722000000000, LastUpdateTime: 1722000000000,
			Groups: []json.RawMessage{quoted(north), quoted(lab)}, UserClassification: "field",
		},
		{ // A second factor to be kept, and its key to be kept quiet.
			Username: "ir.lead@my-company.com", Roles: []string{"responder_l2", "executive"},
			CreationTime: 1725500000000, LastUpdateTime: 1730100000456,
			TotpEnabled: true, TotpSid: key(keyCanary + "IRLEADMOCKSECRETAAA"), KeyShown: true,
		},
		{ // Cannot sign in before it has another password.
			Username: "new.starter@my-company.com", Roles: []string{"analyst_l1"},
			CreationTime: 1741100000000, LastUpdateTime: 1741100000000, ChangePasswordOnNextLogin: true,
		},
		{ // A plus sign in the path.
			Username: "soc+night@example.com", Roles: []string{"analyst_l3", "sensors_viewer"},
			CreationTime: 1733300000000, LastUpdateTime: 1740000000789, IsDailyNotifications: true,
		},
	}
	for i := range users {
		users[i].Password = seedPassword
	}
	users[0].Password = servicePassword
	_ = checkUsers(users) // these six are complete

	return state{
		Users: users,
		Roles: append(publishedRoles(), "super_custom_7"),
		Groups: []group{
			{ID: north, Name: "North", Description: "Sensors of the northern sites", CreationTime: 1704067200000, LastUpdate: 1704067200000},
			{ID: lab, Name: "Lab", Description: "", CreationTime: 1709251200000, LastUpdate: 1720000000000},
		},
		Sessions: map[string]session{},
		Failures: map[string]int{},
		Hidden:   map[string]hidden{},
		Switches: defaultSwitches(totp),
	}
}

// quoted is a JSON string of text that needs no escapes.
func quoted(s string) json.RawMessage { return json.RawMessage(`"` + s + `"`) }

// acceptedAddress tells whether a login is an e-mail address of a domain the
// console takes.
func acceptedAddress(login string) bool {
	local, domain, ok := strings.Cut(login, "@")
	if !ok || local == "" || strings.ContainsAny(login, " \t\r\n/") || strings.Contains(domain, "@") {
		return false
	}
	domain = strings.ToLower(domain)
	name, inExample := strings.CutSuffix(domain, ".example")
	return domain == "example.com" || domain == "my-company.com" || (inExample && name != "")
}
