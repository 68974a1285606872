package cortex_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIAMUsers(t *testing.T) {
	b := newBench(t)
	r := b.do("GET", iamUser, nil)
	assert.InDelta(t, 6, r.at(t, "metadata", "total_count"), 0)
	assert.Equal(t, map[string]any{
		"user_email": dana, "user_first_name": "Dana", "user_last_name": "Reyes", "phone_number": "", "status": "Active",
		"role_name": "Tier 1 Triage", "last_logged_in": 1766000000123.0, "is_hidden": true, "user_type": "SSO",
		"groups": []any{map[string]any{"group_id": soc1, "group_name": "SOC Tier 1"}},
	}, b.iamUser(dana))
	assert.Equal(t, "Disabled", b.iamUser(cy)["status"])
	assert.Empty(t, b.iamUser(bo)["role_name"])
	for _, path := range []string{ivo, strings.ReplaceAll(ivo, "+", "%2B"), strings.ReplaceAll(ivo, "@", "%40")} {
		assert.Equal(t, ivo, b.do("GET", iamUser+"/"+path, nil).at(t, "data", "user_email"))
	}
	b.set("hidden-key", "hidden")
	assert.NotContains(t, b.iamUser(dana), "is_hidden")
	assert.Equal(t, true, b.iamUser(dana)["hidden"])
}

func TestIAMUserWithSlash(t *testing.T) {
	b := newBench(t)
	require.NoError(t, b.api.Activate("a/b@example.com"))
	assert.Equal(t, "a/b@example.com", b.do("GET", iamUser+"/a%2Fb@example.com", nil).at(t, "data", "user_email"))
	raw := b.do("GET", iamUser+"/a/b@example.com", nil)
	assert.Equal(t, http.StatusNotFound, raw.status)
	assert.Equal(t, "1", raw.header.Get("X-Mock-Unknown"))
}

func TestEditUser(t *testing.T) {
	b := newBench(t)
	r := b.patch(ada, fields{
		"role_id": triageID, "status": "Disabled", "phone_number": "+1", "user_first_name": "A", "user_last_name": "Q",
		"is_hidden": true, "user_groups": []string{duty},
	})
	assert.Equal(t, "user "+ada+" updated successfully", r.at(t, "data", "message"))
	want := map[string]any{
		"user_email": ada, "user_first_name": "A", "user_last_name": "Q", "phone_number": "+1", "status": "Disabled",
		"role_name": "Tier 1 Triage", "last_logged_in": 1767012345678.0, "is_hidden": true, "user_type": "CSP",
		"groups": []any{map[string]any{"group_id": duty, "group_name": "Duty Managers"}},
	}
	assert.Equal(t, want, b.iamUser(ada))
	for _, nothing := range []fields{{}, {"role_id": nil, "user_groups": nil, "status": nil}} {
		assert.Equal(t, http.StatusOK, b.patch(ada, nothing).status)
		assert.Equal(t, want, b.iamUser(ada), "what is not sent, or null, stays")
	}
	b.patch(ada, fields{"role_id": "", "user_groups": []string{}})
	assert.Empty(t, b.iamUser(ada)["role_name"])
	assert.Equal(t, []any{}, b.iamUser(ada)["groups"])
	assert.Nil(t, b.rbacUser(ada)["role_name"])
}

func TestEditUserRefusals(t *testing.T) {
	whole := func(v any) any { return v }
	tests := []struct {
		name, email string
		body        any
		extra       string
	}{
		{"other top-level key", ada, whole(fields{"request_data": fields{}, "x": 1}), "additional property x is not allowed"},
		{"no wrapper", ada, whole(fields{"role_id": "viewer"}), "additional property role_id is not allowed"},
		{"nothing", ada, whole(fields{}), "request_data is a required object"},
		{"null", ada, whole(fields{"request_data": nil}), "request_data is a required object"},
		{"no body", ada, nil, "Expecting value: line 1 column 1 (char 0)"},
		{"no JSON", ada, "{\n  x", "Expecting value: line 2 column 3 (char 4)"},
		{"unfinished", ada, `{"request_data":`, "Expecting value: line 1 column 17 (char 16)"},
		{"more than JSON", ada, `{"request_data":{}} {`, "Extra data: line 1 column 21 (char 20)"},
		{"an array", ada, "[]", "Expecting value: line 1 column 1 (char 0)"},
		{"unknown field", ada, wrap(fields{"scope_entity_id": "x"}), `unknown field "scope_entity_id"`},
		{"unknown role", ada, wrap(fields{"role_id": "tier_9"}), "role_id tier_9 does not exist"},
		{"name for id", ada, wrap(fields{"role_id": "Viewer"}), "role_id Viewer does not exist"},
		{"unknown group", ada, wrap(fields{"user_groups": []string{soc1, "x"}}), "group_id x does not exist"},
		{"unknown status", ada, wrap(fields{"status": "Inactive"}), "status Inactive is not one of Active, Disabled"},
		{"unknown user", "x@y", wrap(fields{}), "user x@y does not exist"},
		{"other capitals", strings.ToUpper(ada), wrap(fields{}), "user " + strings.ToUpper(ada) + " does not exist"},
		{"account admin", ada, wrap(fields{"role_id": "account_admin"}), "Can not update users to Account Admin role."},
		{"from account admin", root, wrap(fields{"role_id": ""}), "Can not update users with Account Admin role."},
		{"disable account admin", root, wrap(fields{"status": "Disabled"}), "Can not update users with Account Admin role."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			before := users(t, b.api.State())
			r := b.do("PATCH", iamUser+"/"+tt.email, tt.body)
			assert.Equal(t, http.StatusBadRequest, r.status, r.text)
			assert.Equal(t, tt.extra, r.at(t, "data", "metadata", "err_extra"))
			assert.Equal(t, before, users(t, b.api.State()), "nothing has changed")
		})
	}
	b := newBench(t)
	assert.Equal(t, http.StatusBadRequest, b.patch(ada, fields{"role_id": 5}).status)
	assert.Equal(t, http.StatusOK, b.patch(root, fields{"phone_number": "1"}).status, "only access is protected")
}

func TestUnknownUser(t *testing.T) {
	b := newBench(t)
	r := b.do("GET", iamUser+"/x@y", nil)
	assert.Equal(t, http.StatusInternalServerError, r.status)
	assert.Equal(t, "id 'x@y' was not found", r.at(t, "reply", "err_extra"))
	b.set("iam-unknown-user", "500")
	for _, r := range []reply{b.do("GET", iamUser+"/x@y", nil), b.patch("x@y", fields{})} {
		assert.Equal(t, http.StatusInternalServerError, r.status)
		assert.Empty(t, r.text)
	}
}

func TestEditUserGuard(t *testing.T) {
	b := newBench(t, "instance-admin", "off")
	for name, r := range map[string]reply{
		"grant":  b.patch(ada, fields{"role_id": "instance_admin"}),
		"revoke": b.patch(ivo, fields{"role_id": ""}),
		"rename": b.patch(ivo, fields{"user_first_name": "I"}),
	} {
		assert.Equal(t, http.StatusForbidden, r.status, name)
		assert.Equal(t, "Instance Administrator required", r.at(t, "reply", "err_extra"))
		assert.Equal(t, map[string]any{}, r.at(t, "reply", "metadata"))
	}
	b.set("instance-admin", "on")
	require.Equal(t, http.StatusOK, b.do("PATCH", iamGroup+"/"+soc1, wrap(fields{"role_id": "instance_admin"})).status)
	b.set("instance-admin", "off")
	assert.Equal(t, http.StatusForbidden, b.patch(bo, fields{"user_groups": []string{soc1}}).status, "into such a group")
	assert.Equal(t, http.StatusForbidden, b.patch(ada, fields{"user_groups": []string{}}).status, "out of such a group")
	assert.Equal(t, http.StatusForbidden, b.setRole("Viewer", dana).status, "a member of such a group")
}

func TestResidualGroups(t *testing.T) {
	for value, want := range map[string]int{"off": 0, "on": 1} {
		b := newBench(t, "sso-residual", value)
		assert.Equal(t, http.StatusOK, b.patch(dana, fields{"role_id": "", "user_groups": []string{}}).status)
		assert.Len(t, b.iamUser(dana)["groups"], want, value)
		assert.Equal(t, http.StatusOK, b.patch(ada, fields{"user_groups": []string{}}).status)
		assert.Empty(t, b.iamUser(ada)["groups"], "direct members have left")
	}
	b := newBench(t)
	b.patch(dana, fields{"user_groups": []string{soc1}})
	assert.Equal(t, []any{ada, dana}, b.do("GET", iamGroup, nil).at(t, "data", 0, "users"), "no member twice")
}
