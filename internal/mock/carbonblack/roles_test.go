package carbonblack_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func urns(l any) []string {
	out := []string{}
	for _, r := range l.(list) {
		out = append(out, r.(object)["urn"].(string))
	}
	return out
}

func TestPermittedRoles(t *testing.T) {
	f := start(t)
	r := f.do("GET", rolesP, nil)
	require.Equal(t, 200, r.status)
	require.Len(t, r.body, 1, "nothing beside results")
	require.Len(t, r.field("results"), 2)
	all := urns(r.field("results", orgURN))
	children := urns(r.field("results", orgURN+":CHILDREN"))
	assert.Len(t, all, 10)
	assert.Len(t, children, 8)
	assert.Subset(t, all, children, "the same roles again")
	assert.NotContains(t, children, socTriage)
	assert.Equal(t, object{
		"urn": socTriage, "name": "SOC Triage", "desc": "", "scoped": orgURN, "disabled": false,
		"capabilities": list{}, "child_urn": nil, "created_by": vera, "updated_by": vera,
		"create_time": "2024-01-09T10:00:00.000Z", "update_time": "2024-05-02T10:00:00.000Z",
	}, r.field("results", orgURN, 8))
	assert.Equal(t, orgURN+":CHILDREN", r.field("results", orgURN+":CHILDREN", 0, "scoped"))

	f.set("results-key", "bare")
	assert.Len(t, f.do("GET", rolesP, nil).field("results", org), 10)
	assert.Len(t, f.do("GET", rolesP, nil).field("results", org+":CHILDREN"), 8)
}

func TestPermittedRolesRefused(t *testing.T) {
	f := start(t)
	base := "/access/v3/orgs/" + org + "/principals/"
	assert.Equal(t, 404, f.do("GET", base+"psc:cnn:"+org+":Q7W8E9R0TY/roles/permitted?type=USER", nil).status, "an id, not a URN")
	assert.Equal(t, 404, f.do("GET", base+"AAAAAAAAAA/roles/permitted?type=USER", nil).status)
	assert.Equal(t, 400, f.do("GET", base+"Q7W8E9R0TY/roles/permitted", nil).status)
	assert.Equal(t, 400, f.do("GET", base+"Q7W8E9R0TY/roles/permitted?type=CAT", nil).status)
}

func TestRoleScope(t *testing.T) {
	f := start(t)
	f.set("role-scope", viewAll+","+socTriage)
	r := f.do("GET", rolesP, nil)
	assert.Equal(t, []string{viewAll, socTriage}, urns(r.field("results", orgURN)))
	assert.Equal(t, []string{viewAll}, urns(r.field("results", orgURN+":CHILDREN")))

	assert.Equal(t, 403, f.do("POST", usersP, invite("a@example.com")).status)
	assert.Equal(t, 403, f.do("POST", grants, object{"principal": lea, "roles": list{level1}}).status)
	assert.Equal(t, 201, f.do("POST", grants, object{"principal": lea, "roles": list{viewAll}}).status)
	assert.Equal(t, 403, f.do("PUT", grants+"/"+lea, object{"roles": list{viewAll, level1}}).status)
	assert.Equal(t, 403, f.do("POST", inesProfiles, own(level1)).status)
	assert.Equal(t, 403, f.do("PUT", inesProfiles+"/"+inesProfile, own(level1)).status)
	// What is held already is not assigned anew.
	assert.Equal(t, 200, f.do("PUT", inesProfiles+"/"+inesProfile, own(level2, viewAll)).status)
	assert.Equal(t, 200, f.do("PUT", grants+"/"+vera, object{"roles": list{superAdmin, viewAll}}).status)

	f.set("role-check", "all")
	assert.Equal(t, 403, f.do("PUT", grants+"/"+vera, object{"roles": list{superAdmin, viewAll}}).status)
	assert.Equal(t, 403, f.do("PUT", inesProfiles+"/"+inesProfile, own(level2, viewAll)).status)

	f.set("role-scope", "none")
	r = f.do("GET", rolesP, nil)
	assert.Equal(t, object{"results": object{orgURN: list{}, orgURN + ":CHILDREN": list{}}}, r.body)
}

func TestUnlistedRole(t *testing.T) {
	f := start(t)
	g := f.do("GET", grants+"/"+jonas, nil).body.(object)
	assert.Contains(t, g["roles"], "psc:role::CONTAINER_IMAGE_CLI_TOOL")
	assert.Equal(t, 200, f.do("PUT", grants+"/"+jonas, with(g, "roles", append(g["roles"].(list), viewAll))).status, "kept")
	assert.Equal(t, 403, f.do("PUT", grants+"/"+vera, object{"roles": list{"psc:role::CONTAINER_IMAGE_CLI_TOOL"}}).status, "not given")
}
