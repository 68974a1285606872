package cortex_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGetUsers(t *testing.T) {
	b := newBench(t)
	for _, body := range []any{nil, "{}", `{"request_data":{}}`, `{"request_data":null}`} {
		r := b.do("POST", getUsers, body)
		assert.Equal(t, http.StatusOK, r.status, r.text)
		var got []any
		for i := range 6 {
			got = append(got, r.at(t, "reply", i, "user_email"))
		}
		assert.Equal(t, []any{ada, bo, root, cy, dana, ivo}, got)
	}
	assert.Equal(t, map[string]any{
		"user_email": ada, "user_first_name": "Ada", "user_last_name": "Quist", "role_name": "Investigator",
		"last_logged_in": 1767012345678.0, "user_type": "CSP", "groups": []any{"SOC Tier 1"}, "scope": []any{},
	}, b.rbacUser(ada))
	none := b.rbacUser(bo)
	assert.Nil(t, none["role_name"])
	assert.Nil(t, none["last_logged_in"])
	assert.Equal(t, "Tier 1 Triage", b.rbacUser(dana)["role_name"], "by display name, though the id is another")
}

func TestGetUsersShapes(t *testing.T) {
	b := newBench(t, "groups-shape", "objects", "scope-shape", "object")
	assert.Equal(t, []any{map[string]any{"group_name": "SOC Tier 1"}}, b.rbacUser(ada)["groups"])
	assert.Contains(t, b.rbacUser(ada)["scope"], "endpoints")
	b.set("groups-shape", "null")
	b.set("scope-shape", "null")
	assert.Nil(t, b.rbacUser(ada)["groups"])
	assert.Nil(t, b.rbacUser(ada)["scope"])
	b.set("scope-shape", "array")
	assert.Equal(t, []any{map[string]any{"tag_id": "1", "tag_name_with_alias": "Lagos"}}, b.rbacUser(cy)["scope"])
}

func TestSetUserRole(t *testing.T) {
	b := newBench(t)
	count := func(r reply) any {
		t.Helper()
		assert.Equal(t, http.StatusOK, r.status, r.text)
		return r.at(t, "reply", "update_count")
	}
	assert.Equal(t, "1", count(b.setRole("Tier 1 Triage", bo)))
	assert.Equal(t, "Tier 1 Triage", b.rbacUser(bo)["role_name"])
	assert.InDelta(t, 0, count(b.setRole("Tier 1 Triage", bo)), 0, "held already: zero, and a number")
	assert.Equal(t, "2", count(b.setRole("Viewer", bo, ada, bo, cy)), "who has it, and repeats, do not count")
	assert.Equal(t, "1", count(b.setRole("", ada)))
	assert.Nil(t, b.rbacUser(ada)["role_name"])
	assert.Equal(t, []any{"SOC Tier 1"}, b.rbacUser(ada)["groups"], "groups stay")
	assert.InDelta(t, 0, count(b.setRole("", ada)), 0)
	assert.InDelta(t, 0, count(b.setRole("Viewer", "bo.lindqvist@northwind.example")), 0, "another spelling is somebody else")
	assert.Equal(t, "1", count(b.setRole("Investigator", "nobody@example.com", ada)))

	b.set("update-count", "int")
	assert.InDelta(t, 1, count(b.setRole("Viewer", ada)), 0)
	b.set("update-count", "string")
	assert.Equal(t, "0", count(b.setRole("Viewer", ada)))
	b.set("set-role-silent-refusal", "on")
	assert.Equal(t, "0", count(b.setRole("Investigator", ada)))
	assert.Equal(t, "Viewer", b.rbacUser(ada)["role_name"])
}

func TestSetUserRoleRefusals(t *testing.T) {
	tests := []struct {
		name  string
		data  any
		sw    []string
		extra string
	}{
		{"no role of that name", fields{"user_emails": []string{ada}, "role_name": "X"}, nil, "Role 'X' was not found"},
		{"other capitals", fields{"user_emails": []string{ada}, "role_name": "viewer"}, nil, "Role 'viewer' was not found"},
		{"id for name", fields{"user_emails": []string{ada}, "role_name": triageID}, nil, "Role '" + triageID + "' was not found"},
		{"escaped", fields{"user_emails": []string{ada}, "role_name": "X"}, []string{"quotes", "escaped"}, `Role \'X\' was not found`},
		{"account admin", fields{"user_emails": []string{ada}, "role_name": "Account Admin"}, nil, "Can not update users to Account Admin role."},
		{"from account admin", fields{"user_emails": []string{ada, root}, "role_name": ""}, nil, "Can not update users with Account Admin role."},
		{"no addresses", fields{"role_name": "Viewer"}, nil, "user_emails param is missing"},
		{"empty addresses", fields{"user_emails": []string{}, "role_name": "Viewer"}, nil, "user_emails param is missing"},
		{"one address", fields{"user_emails": ada, "role_name": "Viewer"}, nil, "user_emails param is missing"},
		{"no role", fields{"user_emails": []string{ada}}, nil, "role_name param is missing"},
		{"null role", fields{"user_emails": []string{ada}, "role_name": nil}, nil, "role_name param is missing"},
		{"unknown address", fields{"user_emails": []string{ada, "x@y"}, "role_name": ""}, []string{"unknown-email", "500"}, "id 'x@y' was not found"},
		{"no object", []int{1}, nil, "request_data is no object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.sw...)
			before := b.api.State()
			r := b.do("POST", setUserRole, fields{"request_data": tt.data})
			assert.Equal(t, http.StatusInternalServerError, r.status)
			assert.Equal(t, tt.extra, r.at(t, "reply", "err_extra"))
			assert.Equal(t, users(t, before), users(t, b.api.State()), "nothing has changed")
		})
	}
}

func TestSetUserRoleGuard(t *testing.T) {
	b := newBench(t, "instance-admin", "off")
	for _, r := range []reply{b.setRole("Instance Administrator", ada), b.setRole("Viewer", ivo), b.setRole("", bo, ivo)} {
		assert.Equal(t, http.StatusForbidden, r.status, r.text)
		assert.Equal(t, "Instance Administrator required", r.at(t, "reply", "err_extra"))
	}
	assert.Equal(t, http.StatusOK, b.setRole("Viewer", ada).status)
	assert.Equal(t, http.StatusForbidden, b.do("POST", getSettings, nil).status)
	b.set("instance-admin", "on")
	assert.Equal(t, http.StatusOK, b.setRole("Viewer", ivo).status)
}

func TestGetRoles(t *testing.T) {
	b := newBench(t)
	ask := func(names ...string) reply { return b.do("POST", getRoles, wrap(fields{"role_names": names})) }
	r := ask("Viewer", "Tier 1 Triage")
	assert.Equal(t, []any{cy}, r.at(t, "reply", 0, 0, "users"))
	assert.Equal(t, []any{"Duty Managers"}, r.at(t, "reply", 0, 0, "groups"))
	assert.Nil(t, r.at(t, "reply", 0, 0, "update_time"))
	assert.Equal(t, []any{dana}, r.at(t, "reply", 1, 0, "users"))
	assert.Equal(t, "Role 'X' was not found", ask("Viewer", "X", "Y").at(t, "reply", "err_extra"), "the first one")
	for _, body := range []any{nil, "{}", wrap(nil), wrap(fields{"role_names": []string{}}), wrap(fields{"role_names": "Viewer"})} {
		assert.Equal(t, "role_names param is missing", b.do("POST", getRoles, body).at(t, "reply", "err_extra"))
	}
	b.set("role-duplicate", "on")
	assert.Len(t, ask("Tier 1 Triage").at(t, "reply", 0), 2)
}

func TestGetUserGroup(t *testing.T) {
	b := newBench(t)
	ask := func(names ...string) reply { return b.do("POST", getUserGroup, wrap(fields{"group_names": names})) }
	r := ask("SOC Tier 1", "Duty Managers")
	assert.Equal(t, "Tier 1 Triage", r.at(t, "reply", 0, "pretty_name"), "the group's role")
	assert.Equal(t, []any{ada, dana}, r.at(t, "reply", 0, "user_email"))
	assert.Equal(t, []any{}, r.at(t, "reply", 1, "user_email"))
	assert.Equal(t, "Group 'X' was not found", ask("X").at(t, "reply", "err_extra"))
	assert.Equal(t, "group_names param is missing", ask().at(t, "reply", "err_extra"))
	b.edit(func(st map[string]any) { st["groups"].([]any)[1].(map[string]any)["group_type"] = "ad_type" })
	assert.NotEqual(t, "Custom", ask("Duty Managers").at(t, "reply", 0, "source"))
	b.set("R4-shape", "data")
	assert.Equal(t, "SOC Tier 1", ask("SOC Tier 1").at(t, "reply", "data", 0, "group_name"))
}

func TestSettings(t *testing.T) {
	r := newBench(t).do("POST", getSettings, wrap(fields{}))
	assert.Empty(t, r.at(t, "reply", 0, "domain"), "the first one is for everybody else")
	assert.Equal(t, "contractors.example", r.at(t, "reply", 1, "domain"))
	assert.Equal(t, "viewer", r.at(t, "reply", 1, "default_role"))
}
