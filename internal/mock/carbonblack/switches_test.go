package carbonblack_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSwitches(t *testing.T) {
	f := start(t)
	values := map[string]string{}
	for name, s := range f.Switches() {
		values[name] = s.Value
		assert.NotEmpty(t, s.Help, name)
		require.NoError(t, f.Set(name, s.Value), name)
		require.Error(t, f.Set(name, "no such value"), name)
		require.Error(t, f.Set(name, ""), name)
	}
	assert.Equal(t, map[string]string{
		"instant-activation": "off", "duplicate-status": "409", "duplicate-code": "ADMIN_ALREADY_REGISTERED",
		"rejected-status": "201", "create-failure": "off", "error-message-on-2xx": "off",
		"modified-by-another": "version", "delete-user-fails-once": "off", "null-lists": "off",
		"grant-form": "as-sent", "grant-expires-form": "int", "profile-expiration-form": "as-sent",
		"grant-create-status": "201", "empty-roles-put": "accept", "mixed-grants": "reject", "fetch-limit": "100",
		"permission": "full", "role-scope": "all", "role-check": "added", "results-key": "urn",
		"rate-penalty": "on", "error-key": "message",
	}, values)
	require.ErrorContains(t, f.Set("nope", "on"), `no switch "nope"`)
	f.set("null-lists", "on")
	assert.Equal(t, "on", f.Switches()["null-lists"].Value)
}

func TestInstantActivation(t *testing.T) {
	f := start(t)
	f.set("instant-activation", "on")
	r := f.do("POST", usersP, invite("a@example.com"))
	assert.Nil(t, r.field("login_id"))
	assert.InDelta(t, 6100601, f.row("a@example.com")["login_id"], 0)
	assert.Equal(t, 200, f.do("GET", grants+"/psc:user:"+org+":6100601", nil).status)

	f.set("instant-activation", "with-id")
	assert.Equal(t, "6100602", f.do("POST", usersP, invite("b@example.com")).field("login_id"))
	assert.Len(t, f.state()["pending"], 1)
}

func TestDuplicateSwitches(t *testing.T) {
	f := start(t)
	f.set("duplicate-code", "REGISTRATION_ALREADY_CONFIRMED")
	for _, status := range []int{409, 201, 200} {
		f.set("duplicate-status", strconv.Itoa(status))
		r := f.do("POST", usersP, invite("ines.duarte@example.com"))
		assert.Equal(t, status, r.status)
		assert.Equal(t, "REGISTRATION_ALREADY_CONFIRMED", r.field("registration_status"))
		assert.Equal(t, false, r.field("success"))
	}
}

func TestRejectedStatus(t *testing.T) {
	f := start(t)
	for _, status := range []int{400, 201, 200} {
		f.set("rejected-status", strconv.Itoa(status))
		r := f.do("POST", usersP, invite("a@elsewhere.test"))
		assert.Equal(t, status, r.status)
		assert.Equal(t, "DOMAIN_PROHIBITED", r.field("registration_status"))
	}
}

func TestCreateFailure(t *testing.T) {
	f := start(t)
	f.set("create-failure", "FAILURE:2")
	for range 2 {
		r := f.do("POST", usersP, invite("a@example.com"))
		assert.Equal(t, 201, r.status)
		assert.Equal(t, object{
			"password": nil, "success": false, "message": "failure", "login_id": nil, "registration_status": "FAILURE",
		}, r.body)
	}
	assert.Len(t, f.state()["pending"], 1)
	assert.Equal(t, "SUCCESS", f.do("POST", usersP, invite("a@example.com")).field("registration_status"))

	f.set("create-failure", "ERROR")
	for range 3 {
		assert.Equal(t, "ERROR", f.do("POST", usersP, invite("b@example.com")).field("registration_status"))
	}
}

func TestErrorMessageOn2xx(t *testing.T) {
	f := start(t)
	f.set("error-message-on-2xx", "writes:1")
	assert.Len(t, f.emails(), 6)
	r := f.do("POST", usersP, invite("a@example.com"))
	assert.Equal(t, 200, r.status)
	assert.NotEmpty(t, r.field("errorMessage"))
	assert.Len(t, f.state()["pending"], 1, "nothing was done")
	assert.Equal(t, 201, f.do("POST", usersP, invite("a@example.com")).status)

	f.set("error-message-on-2xx", "reads")
	for _, path := range []string{usersP, rolesP, grants + "/" + ines} {
		assert.NotEmpty(t, f.do("GET", path, nil).field("errorMessage"))
	}
	assert.NotEmpty(t, f.do("POST", fetch, ask(ines)).field("errorMessage"))
	assert.Equal(t, 204, f.do("DELETE", usersP+"/6100502", nil).status)
	f.set("error-message-on-2xx", "all")
	assert.Equal(t, 200, f.do("DELETE", usersP+"/1/google-auth", nil).status)
}

func TestModifiedByAnother(t *testing.T) {
	f := start(t)
	f.set("modified-by-another", "2")
	put := func() any {
		row := with(f.row("lea.brandt@example.com"), "phone", "1")
		return f.do("PUT", usersP+"/6100502", row).field("modifiedByAnotherUser")
	}
	assert.Equal(t, []any{true, true, false}, []any{put(), put(), put()})
	assert.Equal(t, "version", f.Switches()["modified-by-another"].Value)

	outdated := with(f.row("lea.brandt@example.com"), "admin_login_version", 1)
	f.set("modified-by-another", "never")
	assert.Equal(t, true, f.do("PUT", usersP+"/6100502", outdated).field("success"))
}

func TestDeleteUserFailsOnce(t *testing.T) {
	f := start(t)
	f.set("delete-user-fails-once", "on")
	assert.Equal(t, 409, f.do("DELETE", usersP+"/6100417", nil).status, "a refusal is not the failure")
	require.Equal(t, 200, f.do("DELETE", grants+"/"+ines, nil).status)
	assert.Equal(t, 500, f.do("DELETE", usersP+"/6100417", nil).status)
	assert.NotNil(t, f.row("ines.duarte@example.com"))
	assert.Equal(t, 204, f.do("DELETE", usersP+"/6100417", nil).status)
}

func TestNullLists(t *testing.T) {
	f := start(t)
	f.set("null-lists", "on")
	r := f.do("POST", fetch, ask(ines, jonas))
	assert.Contains(t, r.field("results", 0), "roles")
	assert.Nil(t, r.field("results", 0, "roles"))
	assert.NotEmpty(t, r.field("results", 0, "profiles"))
	assert.Nil(t, r.field("results", 1, "profiles"))
	assert.Len(t, r.field("results", 1, "roles"), 3)
	assert.NotNil(t, r.field("results", 0, "profiles", 0, "conditions"))
	// What was read as null can be written back.
	assert.Equal(t, 200, f.do("PUT", grants+"/"+jonas, r.field("results", 1)).status)
	r = f.do("PUT", inesProfiles+"/"+inesProfile, own())
	assert.Nil(t, r.field("roles"))
	require.NoError(t, f.Load([]byte(`{"switches":{"null-lists":"on"}}`)))
	assert.Equal(t, list{}, f.do("GET", usersP, nil).field("users"))
}

func TestEmptyRoles(t *testing.T) {
	f := start(t)
	empty := object{"roles": list{}, "profiles": list{}}
	assert.Equal(t, 200, f.do("PUT", grants+"/"+jonas, empty).status)
	assert.Equal(t, 409, f.do("DELETE", usersP+"/6100588", nil).status)
	assert.Equal(t, 200, f.do("PUT", inesProfiles+"/"+inesProfile, own()).status)
	f.set("empty-roles-put", "reject")
	assert.Equal(t, 400, f.do("PUT", grants+"/"+vera, empty).status)
	assert.Equal(t, 400, f.do("POST", grants, with(empty, "principal", lea)).status)
	assert.Equal(t, 400, f.do("POST", inesProfiles, own()).status)
	assert.Equal(t, 400, f.do("PUT", inesProfiles+"/"+inesProfile, own()).status)
}

func TestMixedGrants(t *testing.T) {
	f := start(t)
	mixed := object{"roles": list{viewAll}, "profiles": list{own(level1)}}
	assert.Equal(t, 400, f.do("PUT", grants+"/"+jonas, mixed).status)
	f.set("mixed-grants", "accept")
	require.Equal(t, 200, f.do("PUT", grants+"/"+jonas, mixed).status)
	assert.Equal(t, list{viewAll, level1}, f.state()["effectiveRoles"].(object)["Jonas.Weber@My-Company.com"])
	// One that is mixed already can still be changed.
	f.set("mixed-grants", "reject")
	assert.Equal(t, 201, f.do("POST", grants+"/"+jonas+"/profiles", own(level2)).status)
}
