package cli

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
)

// The people that each fake is given beside its own, so that a situation is
// about the same person everywhere.
const (
	// personAda is listed with a capital and holds the role {role}.
	personAda = "Ada.Moreau@example.com"
	// personBen holds no role.
	personBen = "ben.sato@example.com"
	// personEve holds a role through a group, where there are such roles.
	personEve = "eve.lund@example.com"
	// personNobody is not there.
	personNobody = "nia.okoro@example.com"
)

// vendorConsole is a vendor's fake in one of its forms, with the words in which that
// vendor is spoken to.
type vendorConsole struct {
	name   string
	vendor string
	// totp asks the account in use for a second factor.
	totp bool
	// switches are turned before anything else.
	switches map[string]string
	// words replace what stands in braces in commands.
	words map[string]string
	// routes are the method and a part of the path of the requests that
	// faults are ordered for.
	routes map[string]string
	// looking and locked are switches that take the permission to change, and
	// to read, from the credentials.
	looking, locked [2]string
	// people adds them to a state of the fake.
	people func(state object)
	// account finds a login in a state of the fake.
	account func(state object, login string) account
}

// account is what a fake holds under one login.
type account struct {
	listed, invited int
	// roles are ids of direct roles, sorted.
	roles []string
}

// vendorConsoles are the four vendors: Falcon with both families of operations,
// Carbon Black with both forms of grants, Cortex in both generations.
func vendorConsoles() []vendorConsole {
	return []vendorConsole{
		falcon(), falconLegacy(), carbonBlack(), carbonBlackProfiles(), cortexPlatform(), cortexXDR3(), cybereasonConsole(),
	}
}

// withFactor is the console whose sign-in asks for a second factor.
func withFactor() vendorConsole {
	c := cybereasonConsole()
	c.name, c.totp = "cybereason-totp", true
	return c
}

// falconLegacy is a tenant that has none but the older operations.
func falconLegacy() vendorConsole {
	c := falcon()
	c.name, c.switches = "crowdstrike-legacy", map[string]string{"families": "legacy"}
	c.routes = map[string]string{
		"list": "GET /queries/user-uuids-by-email/v1", "create": "POST /users/entities/users/v1",
		"grant": "POST /user-roles/entities/user-roles/v1", "revoke": "DELETE /user-roles/entities/user-roles/v1",
		"delete": "DELETE /users/entities/users/v1", "update": "PATCH /users/entities/users/v1",
	}
	return c
}

// carbonBlackProfiles is a tenant whose people hold roles in access profiles, as
// those have who were made in the console.
func carbonBlackProfiles() vendorConsole {
	c := carbonBlack()
	people := c.people
	c.name = "carbonblack-profiles"
	c.people = func(state object) {
		people(state)
		grants := objects(state["grants"])
		last := grants[len(grants)-1]
		last["profiles"] = []any{like(objects(grants[1]["profiles"])[0], object{
			"profile_uuid": "0c7d5b1e-93f4-4a57-8a3b-1f6f0c2d9e77", "roles": last["roles"],
		})}
		last["roles"] = []any{}
	}
	return c
}

// cortexXDR3 is the generation before the platform, in which roles have names
// only.
func cortexXDR3() vendorConsole {
	platform, xdr3 := cortexPlatform(), cortexPlatform()
	xdr3.name, xdr3.switches = "cortex-xdr3", map[string]string{"generation": "xdr3"}
	xdr3.words = map[string]string{
		"role": "Viewer", "role-id": "Viewer", "other": "Investigator", "other-id": "Investigator",
		"third": "Administrator", "third-id": "Administrator", "missing-id": "No Such Role", "inherited": "Viewer",
		"admin": platform.words["admin"], "admin-id": "Instance Administrator",
		"SECRET": "API_KEY", "detail": "--last-name=Reyes",
	}
	xdr3.routes = map[string]string{
		"list": "POST /rbac/get_users", "grant": "POST /rbac/set_user_role", "revoke": "POST /rbac/set_user_role",
		"delete": "POST /rbac/set_user_role", "update": "POST /rbac/set_user_role",
	}
	xdr3.account = func(state object, login string) account {
		found := platform.account(state, login)
		for i, id := range found.roles {
			for _, r := range objects(state["roles"]) {
				if r["role_id"] == id {
					found.roles[i] = r["pretty_name"].(string)
				}
			}
		}
		return found
	}
	return xdr3
}

func falcon() vendorConsole {
	return vendorConsole{
		name: "crowdstrike-modern", vendor: "crowdstrike",
		words: map[string]string{
			"role": "Falcon Analyst - Read Only", "role-id": "falconhost_read_only",
			"other": "Real Time Responder", "other-id": "remote_responder", "third": "Help Desk", "third-id": "help_desk",
			"missing-id": "no_such_role", "inherited": "event_viewer",
			"admin": "nora.vance@example.com", "admin-id": "user_admin",
			"SECRET": "CLIENT_SECRET", "detail": "--last-name=Reyes",
		},
		routes: map[string]string{
			"list": "GET /queries/users/v1", "create": "POST /entities/users/v1",
			"grant": "POST /user-role-actions/", "revoke": "POST /user-role-actions/",
			"delete": "DELETE /entities/users/v1", "update": "PATCH /entities/users/v1",
		},
		looking: [2]string{"scope", "read"}, locked: [2]string{"scope", "none"},
		people: func(state object) {
			home := objects(state["cids"])[0]["cid"]
			user := func(uuid, login, first, last string) {
				push(state, "users", like(objects(state["users"])[0], object{
					"uuid": uuid, "cid": home, "uid": login, "first_name": first, "last_name": last,
				}))
			}
			grant := func(uuid, role string, more object) {
				push(state, "grants", merged(object{"uuid": uuid, "cid": home, "role_id": role, "grant_type": "direct"}, more))
			}
			const ada, ben, eve = "aaaaaaaa-0000-4000-8000-00000000000a", "bbbbbbbb-0000-4000-8000-00000000000b", "eeeeeeee-0000-4000-8000-00000000000e"
			user(ada, personAda, "Ada", "Moreau")
			user(ben, personBen, "Ben", "Sato")
			user(eve, personEve, "Eve", "Lund")
			grant(ada, "falconhost_read_only", nil)
			grant(eve, "event_viewer", object{
				"grant_type": "user_group", "user_group_id": "3c2d1e0f4a5b69788796a5b4c3d2e1f0", "user_group_name": "SOC",
			})
		},
		account: func(state object, login string) account {
			found := account{}
			for _, u := range objects(state["users"]) {
				if !strings.EqualFold(u["uid"].(string), login) {
					continue
				}
				found.listed++
				for _, g := range objects(state["grants"]) {
					if g["uuid"] == u["uuid"] && g["cid"] == u["cid"] && g["grant_type"] == "direct" {
						found.roles = append(found.roles, g["role_id"].(string))
					}
				}
			}
			return found.sorted()
		},
	}
}

func carbonBlack() vendorConsole {
	const viewAll = "psc:role::BETA_VIEW_ALL"
	return vendorConsole{
		name: "carbonblack-roles", vendor: "carbonblack",
		words: map[string]string{
			"role": "View All", "role-id": viewAll, "other": "Level 1 Analyst", "other-id": "psc:role::BETA_LEVEL_1_ANALYST",
			"third": "SOC Triage", "third-id": "psc:role:7KQ2M9XD:SOC_TRIAGE", "missing-id": "psc:role:7KQ2M9XD:NO_SUCH_ROLE", "inherited": "",
			"admin": "vera.lindqvist@example.com", "admin-id": "psc:role::BETA_SUPER_ADMIN",
			"SECRET": "API_SECRET", "detail": "--last-name=Reyes",
		},
		routes: map[string]string{
			"list": "GET /users", "create": "POST /users",
			"grant": "POST /access/v2/orgs/", "revoke": "DELETE /access/v2/orgs/",
			"set": "PUT /access/v2/orgs/", "delete": "DELETE /users/", "update": "PUT /users/",
		},
		looking: [2]string{"permission", "none"}, locked: [2]string{"permission", "none"},
		people: func(state object) {
			user := func(id int, login, first, last string) {
				push(state, "users", like(objects(state["users"])[0], object{
					"login_id": id, "contact_id": id + 9_000_000, "login_name": login, "email": login,
					"first_name": first, "last_name": last, "phone": "",
				}))
			}
			user(6100701, personAda, "Ada", "Moreau")
			user(6100702, personBen, "Ben", "Sato")
			push(state, "grants", like(objects(state["grants"])[0], object{
				"principal": "psc:user:7KQ2M9XD:6100701", "principal_name": "Ada Moreau", "roles": []any{viewAll}, "profiles": []any{},
			}))
		},
		account: func(state object, login string) account {
			found := account{}
			for _, u := range objects(state["users"]) {
				if strings.EqualFold(u["email"].(string), login) {
					found.listed++
					roles, _ := state["effectiveRoles"].(object)[u["email"].(string)].([]any)
					found.add(roles)
				}
			}
			for _, p := range objects(state["pending"]) {
				if strings.EqualFold(p["email"].(string), login) {
					found.invited++
					for _, profile := range objects(p["profiles"]) {
						found.add(profile["roles"].([]any))
					}
				}
			}
			return found.sorted()
		},
	}
}

func cortexPlatform() vendorConsole {
	return vendorConsole{
		name: "cortex-platform", vendor: "cortex",
		words: map[string]string{
			"role": "Viewer", "role-id": "viewer", "other": "Investigator", "other-id": "investigator", "third": "Administrator", "third-id": "administrator",
			"missing-id": "no_such_role", "inherited": "viewer",
			"admin": "ivo.novak+soc@my-company.com", "admin-id": "instance_admin",
			"SECRET": "API_KEY", "detail": "--last-name=Reyes",
		},
		routes: map[string]string{
			"list": "GET /platform/iam/v1/user", "grant": "PATCH /platform/iam/v1/user/", "revoke": "PATCH /platform/iam/v1/user/",
			"delete": "PATCH /platform/iam/v1/user/", "update": "PATCH /platform/iam/v1/user/",
		},
		looking: [2]string{"permission", "viewer"}, locked: [2]string{"permission", "none"},
		people: func(state object) {
			user := func(login, first, last, role string) {
				push(state, "users", like(objects(state["users"])[0], object{
					"user_email": login, "user_first_name": first, "user_last_name": last, "role_id": role, "user_type": "CSP",
				}))
			}
			user(personAda, "Ada", "Moreau", "viewer")
			user(personBen, "Ben", "Sato", "")
			user(personEve, "Eve", "Lund", "")
			group := objects(state["groups"])[1]
			group["users"] = []any{personEve}
		},
		account: func(state object, login string) account {
			found := account{}
			for _, u := range objects(state["users"]) {
				if strings.EqualFold(u["user_email"].(string), login) {
					found.listed++
					if u["role_id"] != "" {
						found.add([]any{u["role_id"]})
					}
				}
			}
			return found.sorted()
		},
	}
}

func cybereasonConsole() vendorConsole {
	return vendorConsole{
		name: "cybereason", vendor: "cybereason",
		words: map[string]string{
			"role": "Analyst L1", "role-id": "analyst_l1", "other": "Responder L1", "other-id": "responder", "third": "Executive", "third-id": "executive",
			"missing-id": "no_such_role", "inherited": "",
			"admin": "svc-edrctl@example.com", "admin-id": "user_admin",
			"SECRET": "PASSWORD", "detail": "--set=cybereason.daily-notifications=true",
		},
		routes: map[string]string{
			"list": "GET /rest/users", "create": "POST /rest/users/", "grant": "PUT /rest/users/", "revoke": "PUT /rest/users/",
			"delete": "DELETE /rest/users/", "update": "PUT /rest/users/",
		},
		looking: [2]string{"admin-role", "off"}, locked: [2]string{"admin-role", "off"},
		people: func(state object) {
			user := func(login string, roles ...any) {
				push(state, "users", like(objects(state["users"])[4], object{
					"username": login, "roles": roles, "changePasswordOnNextLogin": false,
				}))
			}
			user(personAda, "analyst_l1")
			user(personBen)
		},
		account: func(state object, login string) account {
			found := account{}
			for _, u := range objects(state["users"]) {
				if strings.EqualFold(u["username"].(string), login) {
					found.listed++
					found.add(u["roles"].([]any))
				}
			}
			return found.sorted()
		},
	}
}

func (a *account) add(roles []any) {
	for _, r := range roles {
		a.roles = append(a.roles, r.(string))
	}
}

func (a account) sorted() account {
	slices.Sort(a.roles)
	a.roles = slices.Compact(a.roles)
	return a
}

// prepare puts a fake into the form of the console and people into it.
func (c vendorConsole) prepare(t tester, server *mock.Server) {
	t.Helper()
	for name, value := range c.switches {
		require.NoError(t, server.Set(name, value))
	}
	state := stateOf(t, server)
	c.people(state)
	load(t, server, state)
}

// load makes a state what a fake holds.
func load(t tester, server *mock.Server, state object) {
	t.Helper()
	data, err := json.Marshal(state)
	require.NoError(t, err)
	require.NoError(t, server.API().Load(data))
}

// object is a JSON object.
type object = map[string]any

// stateOf is what a fake holds, as JSON.
func stateOf(t tester, server *mock.Server) object {
	t.Helper()
	data, err := json.Marshal(server.State())
	require.NoError(t, err)
	state := object{}
	require.NoError(t, json.Unmarshal(data, &state))
	return state
}

// objects are the items of a JSON list of objects.
func objects(list any) []object {
	var all []object
	items, _ := list.([]any)
	for _, item := range items {
		all = append(all, item.(object))
	}
	return all
}

func push(state object, field string, item object) {
	list, _ := state[field].([]any)
	state[field] = append(list, item)
}

// like is a copy of an object with other values.
func like(pattern, values object) object { return merged(merged(object{}, pattern), values) }

func merged(into, values object) object {
	for k, v := range values {
		into[k] = v
	}
	return into
}
