package cortex_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoles(t *testing.T) {
	b := newBench(t)
	r := b.do("GET", iamRole, nil)
	var names []any
	for i := range 10 {
		names = append(names, r.at(t, "data", i, "pretty_name"))
	}
	assert.Equal(t, []any{
		"Viewer", "Investigator", "Privileged Investigator", "Administrator", "Instance Administrator", "Account Admin",
		"Tier 1 Triage", "SOC Lead", "Threat Hunter", "Night Shift / Ops",
	}, names)
	assert.InDelta(t, 10, r.at(t, "metadata", "total_count"), 0)
	assert.Nil(t, r.at(t, "data", 0, "created_ts"))

	made := b.do("POST", iamRole, wrap(fields{"pretty_name": "Tier 2", "component_permissions": []string{"a"}, "dataset_permissions": []any{fields{"category": "x"}}}))
	assert.Equal(t, http.StatusCreated, made.status)
	assert.Equal(t, "role_id tier_2_9001 created successfully.", made.at(t, "data", "message"))
	assert.Equal(t, http.StatusOK, b.patch(bo, fields{"role_id": "tier_2_9001"}).status)
	assert.Equal(t, "Tier 2", b.rbacUser(bo)["role_name"])

	assert.Equal(t, http.StatusBadRequest, b.do("DELETE", iamRole+"/tier_2_9001", nil).status, "somebody has it")
	b.patch(bo, fields{"role_id": ""})
	assert.Equal(t, http.StatusOK, b.do("DELETE", iamRole+"/tier_2_9001", nil).status)
	for _, id := range []string{"tier_2_9001", "viewer", triageID} {
		assert.Equal(t, http.StatusBadRequest, b.do("DELETE", iamRole+"/"+id, nil).status, id)
	}
	for _, bad := range []fields{
		{"component_permissions": []string{"a"}},
		{"pretty_name": "New"},
		{"pretty_name": "SOC Lead", "component_permissions": []string{"a"}},
		{"pretty_name": "New", "component_permissions": []string{"a"}, "x": 1},
	} {
		assert.Equal(t, http.StatusBadRequest, b.do("POST", iamRole, wrap(bad)).status, bad)
	}
}

func TestRoleDuplicate(t *testing.T) {
	b := newBench(t)
	assert.Equal(t, http.StatusBadRequest, b.patch(bo, fields{"role_id": triageID + "_gateway"}).status)
	b.set("role-duplicate", "on")
	r := b.do("GET", iamRole, nil)
	assert.InDelta(t, 11, r.at(t, "metadata", "total_count"), 0)
	assert.Equal(t, r.at(t, "data", 6, "pretty_name"), r.at(t, "data", 10, "pretty_name"))
	assert.NotEqual(t, r.at(t, "data", 6, "role_id"), r.at(t, "data", 10, "role_id"))
	assert.Equal(t, http.StatusOK, b.patch(bo, fields{"role_id": triageID + "_gateway"}).status)
	assert.Equal(t, "Tier 1 Triage", b.iamUser(bo)["role_name"])
	b.set("role-duplicate", "off")
	assert.Equal(t, "Tier 1 Triage", b.iamUser(bo)["role_name"], "who has it keeps it")
}

func TestGroups(t *testing.T) {
	b := newBench(t)
	made := b.do("POST", iamGroup, wrap(fields{
		"group_name": "SOC Tier 2", "role_id": "viewer", "users": []string{bo}, "nested_group_ids": []string{duty}, "idp_groups": []string{"x"},
	}))
	assert.Equal(t, http.StatusCreated, made.status, made.text)
	list := b.do("GET", iamGroup, nil)
	id, _ := list.at(t, "data", 2, "group_id").(string)
	assert.Equal(t, "user group with group id "+id+" created successfully", made.at(t, "data", "message"))
	assert.Equal(t, map[string]any{
		"group_id": id, "group_name": "SOC Tier 2", "description": "", "role_id": "viewer", "pretty_role_name": "Viewer",
		"created_by": "api-key-17", "updated_by": "api-key-17", "created_ts": 1767225600000.0, "updated_ts": 1767225600000.0,
		"users": []any{bo}, "group_type": "custom", "idp_groups": []any{"x"},
		"nested_groups": []any{map[string]any{"group_id": duty, "group_name": "Duty Managers"}},
	}, list.at(t, "data", 2))

	path := iamGroup + "/" + id
	assert.Equal(t, http.StatusOK, b.do("PATCH", path, wrap(fields{"role_id": "", "users": []string{}, "idp_groups": []string{}})).status)
	edited := b.do("GET", iamGroup, nil)
	assert.Equal(t, "SOC Tier 2", edited.at(t, "data", 2, "group_name"), "what is not sent stays")
	assert.Equal(t, []any{}, edited.at(t, "data", 2, "users"))
	assert.Empty(t, edited.at(t, "data", 2, "role_id"))

	assert.Equal(t, http.StatusOK, b.do("DELETE", iamGroup+"/"+duty, nil).status)
	after := b.do("GET", iamGroup, nil)
	assert.InDelta(t, 2, after.at(t, "metadata", "total_count"), 0)
	assert.Equal(t, []any{}, after.at(t, "data", 1, "nested_groups"), "only the link is gone")
	assert.Equal(t, http.StatusBadRequest, b.do("DELETE", iamGroup+"/"+duty, nil).status)
	assert.Equal(t, http.StatusBadRequest, b.do("PATCH", iamGroup+"/"+duty, wrap(nil)).status)

	emptied := b.do("PATCH", iamGroup+"/"+soc1, wrap(fields{"users": []string{}}))
	assert.Equal(t, http.StatusOK, emptied.status, emptied.text)
	assert.Equal(t, []any{dana}, b.do("GET", iamGroup, nil).at(t, "data", 0, "users"), "the identity provider put her there")
}

func TestGroupRefusals(t *testing.T) {
	b := newBench(t)
	for _, bad := range []fields{
		{},
		{"group_name": ""},
		{"group_name": "SOC Tier 1"},
		{"group_name": 1},
		{"group_name": "N", "role_id": "x"},
		{"group_name": "N", "role_id": "account_admin"},
		{"group_name": "N", "users": []string{"x@y"}},
		{"group_name": "N", "nested_group_ids": []string{"x"}},
	} {
		assert.Equal(t, http.StatusBadRequest, b.do("POST", iamGroup, wrap(bad)).status, bad)
	}
	assert.Equal(t, http.StatusBadRequest, b.do("PATCH", iamGroup+"/"+duty, wrap(fields{"nested_group_ids": []string{duty}})).status)
	require.Equal(t, http.StatusOK, b.do("PATCH", iamGroup+"/"+duty, wrap(fields{"role_id": "instance_admin"})).status)
	b.set("instance-admin", "off")
	for _, r := range []reply{
		b.do("DELETE", iamGroup+"/"+duty, nil),
		b.do("PATCH", iamGroup+"/"+duty, wrap(fields{"description": "x"})),
		b.do("PATCH", iamGroup+"/"+soc1, wrap(fields{"users": []string{ivo}})),
		b.do("POST", iamGroup, wrap(fields{"group_name": "N", "role_id": "instance_admin"})),
	} {
		assert.Equal(t, http.StatusForbidden, r.status, r.text)
	}
}

func TestScope(t *testing.T) {
	b := newBench(t)
	path := iamScope + "user/" + ada
	assert.Equal(t, "no_scope", b.do("GET", path, nil).at(t, "data", "assets", "mode"))
	r := b.do("PUT", path, wrap(fields{
		"assets":        fields{"mode": "scope", "asset_group_ids": []int{3}},
		"endpoints":     fields{"endpoint_groups": fields{"mode": "any", "names": []string{"a"}}, "endpoint_tags": fields{"mode": "see_all"}},
		"cases_issues":  fields{"mode": "scope", "names": []string{"Health"}},
		"datasets_rows": fields{"default_filter_mode": "see_all", "filters": []any{fields{"dataset": "d", "filter": "f"}}},
	}))
	require.Equal(t, http.StatusOK, r.status, r.text)
	got := b.do("GET", path, nil)
	assert.InDelta(t, 3, got.at(t, "data", "assets", "asset_groups", 0, "asset_group_id"), 0)
	assert.Equal(t, "a", got.at(t, "data", "endpoints", "endpoint_groups", "tags", 0, "tag_name"))
	b.do("PUT", path, wrap(fields{"assets": fields{"mode": "no_scope"}}))
	assert.Equal(t, "Health", b.do("GET", path, nil).at(t, "data", "cases_issues", "tags", 0, "tag_name"), "parts not sent stay")
	b.set("scope-shape", "object")
	assert.Equal(t, got.at(t, "data", "endpoints"), b.rbacUser(ada)["scope"].(map[string]any)["endpoints"])

	for _, bad := range []string{"user/x@y", "user-group/x", "api-key/99", "team/1"} {
		assert.Equal(t, http.StatusBadRequest, b.do("GET", iamScope+bad, nil).status, bad)
		assert.Equal(t, http.StatusBadRequest, b.do("PUT", iamScope+bad, wrap(nil)).status, bad)
	}
	for _, good := range []string{"user-group/" + duty, "api-key/17"} {
		assert.Equal(t, http.StatusOK, b.do("GET", iamScope+good, nil).status, good)
	}
	assert.Equal(t, http.StatusBadRequest, b.do("PUT", path, wrap(fields{"assets": fields{"mode": "any"}})).status)
	assert.Equal(t, http.StatusBadRequest, b.do("PUT", iamScope+"user/"+ivo, wrap(fields{})).status, "an administrator")
	b.set("instance-admin", "off")
	assert.Equal(t, http.StatusForbidden, b.do("PUT", iamScope+"user/"+ivo, wrap(fields{})).status)
}
