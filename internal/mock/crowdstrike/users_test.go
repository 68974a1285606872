package crowdstrike_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQueryUsersPaging(t *testing.T) {
	f := start(t)
	all := f.get(queryUsers + "?sort=uid|asc").strings()
	assert.Equal(t, []string{tran, nora, omar, ravi, sam, zofia}, all)
	var paged []string
	for offset := 0; offset < 6; offset += 4 {
		paged = append(paged, f.get(fmt.Sprintf("%s?sort=uid&limit=4&offset=%d", queryUsers, offset)).strings()...)
	}
	assert.Equal(t, all, paged)
	slices.Reverse(paged)
	assert.Equal(t, paged, f.get(queryUsers+"?sort=uid|desc").strings())

	beyond := f.get(queryUsers + "?offset=6")
	assert.Equal(t, object{"offset": 6.0, "limit": 100.0, "total": 6.0}, beyond.meta("pagination"))
	assert.Contains(t, beyond.raw, `"resources":[]`)

	first, second := f.get(queryUsers).strings(), f.get(queryUsers).strings()
	assert.NotEqual(t, first, second, "no order without sort")
	assert.ElementsMatch(t, first, second)

	f.set("page-size", "2")
	short := f.get(queryUsers + "?sort=uid&limit=500&offset=2")
	assert.Equal(t, all[2:4], short.strings())
	assert.Equal(t, object{"offset": 2.0, "limit": 500.0, "total": 6.0}, short.meta("pagination"))

	for _, bad := range []string{"limit=0", "limit=501", "limit=x", "offset=-1", "sort=password", "sort=uid|up", "filter=nothing:'x'"} {
		assert.Equal(t, http.StatusBadRequest, f.get(queryUsers+"?"+bad).status, bad)
	}
}

func TestFilters(t *testing.T) {
	f := start(t)
	tests := []struct {
		filter string
		want   []string
	}{
		{"uid:'nora.vance@example.com'", []string{nora}},
		{"uid:'ravi.mckenna@example.com'", []string{ravi}},
		{"uid:'nora*'", []string{}},
		{"uid:*'*@EXAMPLE.com'", []string{nora, omar, ravi, sam}},
		{"uid:*'*wis*example'", []string{zofia}},
		{"uid:~'mckenna'", []string{ravi}},
		{"uid:['nora.vance@example.com','li.tran@my-company.com']", []string{tran, nora}},
		{"status:'inactive'", []string{omar}},
		{"status:!'active'", []string{omar}},
		{"first_name:'zofia'+last_name:'Wiśniewska-Łoś'", []string{zofia}},
		{"name:'Li Trần'", []string{tran}},
		{"uuid:'" + sam + "'", []string{sam}},
		{"status:'inactive',uid:*'nora*'", []string{nora, omar}},
		{"status:'inactive',uid:*'nora*'+status:'inactive'", []string{omar}},
		{"(status:'inactive',uid:*'nora*')+cid:'" + homeCID + "'", []string{nora, omar}},
		{"assigned_cids:['" + childCID + "']", []string{ravi}},
		{"direct_assigned_cids:'" + childCID + "'", []string{ravi}},
		{"non_ancestor_assigned_cids:'" + childCID + "'", []string{ravi}},
		{"temporarily_assigned_cids:'" + homeCID + "'", []string{nora}},
		{"has_temporary_roles:true", []string{nora}},
		{"factors:'TOTP'+has_temporary_roles:false", []string{omar, ravi, sam, zofia}},
	}
	for _, tt := range tests {
		t.Run(tt.filter, func(t *testing.T) {
			got := f.get(queryUsers + "?sort=uid&filter=" + url.QueryEscape(tt.filter))
			assert.Equal(t, http.StatusOK, got.status, got.raw)
			assert.Equal(t, tt.want, got.strings())
		})
	}
	for _, bad := range []string{
		"uid", "uid:", "uid:nora@example.com", "uid:'a", "uid:'sam.o'tieno@example.com'", `uid:'sam.o\'tieno@example.com'`,
		"uid:['a'", "(uid:'a'", "uid:'a'+", "uid:'a'uid:'b'", "password:'x'", "uid:'a')",
	} {
		assert.Equal(t, http.StatusBadRequest, f.get(queryUsers+"?filter="+url.QueryEscape(bad)).status, bad)
	}
}

func TestUserSorting(t *testing.T) {
	f := start(t)
	for property, first := range map[string]string{
		"created_at": nora, "first_name": tran, "last_name": omar, "last_login_at": tran, "name": tran,
		"status|desc": omar, "has_temporary_roles|desc": nora, "temporarily_assigned_cids|desc": nora, "cid_name": nora,
	} {
		assert.Equal(t, first, f.get(queryUsers + "?sort=" + property).strings()[0], property)
	}
}

func TestReadUsers(t *testing.T) {
	f := start(t)
	got := f.do(http.MethodPost, readUsers, object{"ids": []string{tran, nobody, nora, tran}})
	assert.Equal(t, []any{tran, nora}, got.values("uuid"))
	assert.Nil(t, got.body["errors"])
	assert.NotContains(t, got.raw, "null")

	f.set("bulk-unknown", "error")
	got = f.do(http.MethodPost, readUsers, object{"ids": []string{nobody, nora}})
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, []any{nora}, got.values("uuid"))
	assert.Equal(t, "user not found", got.problem())

	many := make([]string, 5001)
	for _, bad := range []any{object{}, object{"ids": []string{}}, object{"ids": nora}, object{"ids": many}, "[]", "", object{"IDS": []string{nora}}} {
		assert.Equal(t, http.StatusBadRequest, f.do(http.MethodPost, readUsers, bad).status)
	}
	assert.Equal(t, http.StatusOK, f.do(http.MethodPost, readUsers, object{"ids": many[1:]}).status)
}

func TestCreateUser(t *testing.T) {
	f := start(t)
	got := f.do(http.MethodPost, usersPath, object{"uid": "Nela.Kos@ACME.example", "first_name": "Nela", "shoe_size": 38, "cid": nil})
	assert.Equal(t, http.StatusCreated, got.status)
	assert.Equal(t, []any{"nela.kos@acme.example"}, got.values("uid"))
	assert.Equal(t, []any{"2026-11-20T09:15:02.120455Z"}, got.values("created_at"))
	assert.NotContains(t, got.raw, "last_name")
	assert.Equal(t, object{"resources_affected": 1.0}, got.meta("writes"))
	last := f.server.Requests()[len(f.server.Requests())-1]
	assert.Equal(t, []string{"field shoe_size is ignored"}, last.Notes)
	assert.True(t, last.Write)
	assert.Empty(t, f.held(got.values("uuid")[0].(string), ""), "no roles at first") //nolint:forcetypeassert // a test
	assert.Contains(t, fmt.Sprint(f.server.State()), "activation_request")

	again := f.do(http.MethodPost, usersPath, object{"uid": "NELA.KOS@acme.example"})
	assert.Equal(t, http.StatusConflict, again.status)
	f.set("duplicate-status", "400")
	assert.Equal(t, http.StatusBadRequest, f.do(http.MethodPost, usersPath, object{"uid": "nela.kos@acme.example", "cid": childCID}).status)

	f.set("uid-case", "kept")
	got = f.do(http.MethodPost, usersPath, object{"uid": "Ada.Quist@My-Company.com", "cid": childCID})
	assert.Equal(t, []any{"Ada.Quist@My-Company.com"}, got.values("uid"))
	assert.Equal(t, []any{childCID}, got.values("cid"))
}

func TestCreateRefuses(t *testing.T) {
	f := start(t)
	before := f.server.State()
	tests := []struct {
		name   string
		give   object
		status int
	}{
		{"no uid", object{"first_name": "Nela"}, 400},
		{"null uid", object{"uid": nil}, 400},
		{"number", object{"uid": 7}, 400},
		{"no address", object{"uid": "nela"}, 400},
		{"two addresses", object{"uid": "a@example.com,b@example.com"}, 400},
		{"foreign domain", object{"uid": "whatever@nowhere.com"}, 400},
		{"top of a wildcard", object{"uid": "a@example"}, 400},
		{"like a domain", object{"uid": "a@notexample.com"}, 400},
		{"cid in upper case", object{"uid": "a@example.com", "cid": strings.ToUpper(homeCID)}, 400},
		{"foreign cid", object{"uid": "a@example.com", "cid": strings.Repeat("f", 32)}, 403},
		{"short password", object{"uid": "a@example.com", "password": "Ab1!"}, 500},
		{"no digit", object{"uid": "a@example.com", "password": "Abcdefghijkl!"}, 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.status, f.do(http.MethodPost, usersPath, tt.give).status)
		})
	}
	assert.Equal(t, http.StatusBadRequest, f.do(http.MethodPost, usersPath+"?validate_only=yes", object{"uid": "a@example.com"}).status)
	f.set("weak-password-status", "400")
	assert.Equal(t, http.StatusBadRequest, f.do(http.MethodPost, usersPath, object{"uid": "a@example.com", "password": "weak"}).status)
	assert.Equal(t, before, f.server.State())
	assert.Equal(t, http.StatusCreated, f.do(http.MethodPost, usersPath, object{"uid": "a@example.com", "password": "Correct-Horse-7"}).status)
	assert.NotContains(t, fmt.Sprint(f.server.State()), "Horse")
}

func TestValidateOnly(t *testing.T) {
	f := start(t)
	before := f.server.State()
	got := f.do(http.MethodPost, usersPath+"?validate_only=true", object{"uid": "nela.kos@acme.example"})
	assert.Equal(t, http.StatusCreated, got.status)
	assert.Equal(t, []any{nil}, got.values("uuid"))
	assert.Equal(t, http.StatusConflict, f.do(http.MethodPost, usersPath+"?validate_only=true", object{"uid": "nora.vance@example.com"}).status)
	f.set("validate-only", "empty")
	assert.Contains(t, f.do(http.MethodPost, usersPath+"?validate_only=true", object{"uid": "nela.kos@acme.example"}).raw, `"resources":[]`)
	assert.Equal(t, before, f.server.State())
	for _, r := range f.server.Requests() {
		assert.False(t, r.Write, "validating changes nothing")
	}
}

func TestCreateEmpty(t *testing.T) {
	for value, users := range map[string]int{"applied": 1, "not-applied": 0} {
		t.Run(value, func(t *testing.T) {
			f := start(t)
			f.set("create-empty", value)
			got := f.do(http.MethodPost, usersPath, object{"uid": "nela.kos@acme.example"})
			assert.Equal(t, http.StatusCreated, got.status)
			assert.Contains(t, got.raw, `"resources":[]`)
			got = f.do(http.MethodPost, "/users/entities/users/v1", object{"uid": "ada.quist@acme.example"})
			assert.Contains(t, got.raw, `"resources":[]`)
			assert.Len(t, f.get(queryUsers+"?filter=uid:'nela.kos@acme.example'").strings(), users)
		})
	}
}

func TestUpdateUser(t *testing.T) {
	f := start(t)
	path := usersPath + "?user_uuid=" + nora
	got := f.do(http.MethodPatch, path, object{"first_name": "Nora", "last_name": ""})
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, []any{nil}, got.values("last_name"))
	assert.Equal(t, http.StatusBadRequest, f.do(http.MethodPatch, path, object{"last_name": "Vance"}).status)
	f.set("update-missing-name", "blank")
	got = f.do(http.MethodPatch, path, object{"last_name": "Vance", "uid": "other@example.com"})
	assert.Equal(t, []any{nil}, got.values("first_name"))
	assert.Equal(t, []any{"nora.vance@example.com"}, got.values("uid"), "a login cannot be changed")
	assert.Equal(t, http.StatusBadRequest, f.do(http.MethodPatch, path, object{"last_name": 1}).status)
	assert.Equal(t, http.StatusBadRequest, f.do(http.MethodPatch, path, object{"first_name": 1}).status)
	assert.Equal(t, http.StatusBadRequest, f.do(http.MethodPatch, path, "[]").status)
}

func TestDeleteUser(t *testing.T) {
	f := start(t)
	path := usersPath + "?user_uuid=" + ravi
	req := f.request(http.MethodDelete, path, object{}) // a body is ignored
	assert.Equal(t, http.StatusOK, f.send(req).status)
	assert.Equal(t, http.StatusNotFound, f.do(http.MethodDelete, path, nil).status)
	f.set("delete-unknown", "400")
	assert.Equal(t, "invalid user uuid='"+ravi+"' specified", f.do(http.MethodDelete, path, nil).problem())
	assert.Equal(t, "invalid user uuid='' specified", f.do(http.MethodDelete, usersPath, nil).problem())
	assert.Equal(t, http.StatusBadRequest, f.get(grantsPath+"?user_uuid="+ravi).status)
	assert.NotContains(t, fmt.Sprint(f.server.State()), ravi, "grants are gone too")
	assert.NotEqual(t, ravi, f.create("ravi.mckenna@example.com"))
}

func TestUserActions(t *testing.T) {
	f := start(t)
	do := func(body any) int { return f.do(http.MethodPost, actionsPath, body).status }
	assert.Equal(t, 200, do(object{"ids": []string{nora, sam}, "action": object{"action_name": "reset_2fa", "action_value": nil}}))
	assert.Equal(t, 200, do(object{"ids": []string{nora}, "action": object{"action_name": "reset_password"}}))
	assert.Equal(t, 400, do(object{"ids": []string{nora}, "action": "reset_password"}))
	assert.Equal(t, 400, do(object{"ids": []string{nora}, "action": object{"action_name": "disable"}}))
	assert.Equal(t, 400, do(object{"ids": []string{nora}, "action": object{"action_name": 1}}))
	assert.Equal(t, 400, do(object{"ids": []string{nora}}))
	assert.Equal(t, 400, do(object{"action": object{"action_name": "reset_password"}}))
	assert.Equal(t, 400, do(""))
	assert.Equal(t, 500, do(object{"ids": []string{omar, nobody}, "action": object{"action_name": "reset_2fa"}}))
	assert.Equal(t, []any{nil, nil, []any{"TOTP"}},
		f.do(http.MethodPost, readUsers, object{"ids": []string{nora, sam, omar}}).values("factors"))

	state := fmt.Sprint(f.server.State())
	assert.Equal(t, 2, strings.Count(state, "reset_2fa"))
	assert.Equal(t, 1, strings.Count(state, "reset_password"))

	other := f.do(http.MethodPost, usersPath, object{"uid": "field.user@example.com", "cid": homeCID})
	id := other.values("uuid")[0].(string) //nolint:forcetypeassert // a test
	require.Equal(t, 200, f.roleAction("grant", id, childCID, nil, "help_desk").status)
	f.signIn(childCID)
	assert.Equal(t, 403, do(object{"ids": []string{id}, "action": object{"action_name": "reset_2fa"}}))
}

func TestAggregate(t *testing.T) {
	f := start(t)
	const path = "/user-management/aggregates/users/v1"
	got := f.do(http.MethodPost, path, []object{{"name": "c", "type": "terms", "field": "assigned_cids"}})
	assert.JSONEq(t, `[{"name":"c","buckets":[{"label":"`+homeCID+`","count":6},{"label":"`+childCID+`","count":1}]}]`, resources(t, got))
	for _, bad := range []any{"", "[]", "[1]", object{}, []object{{"type": "sum", "field": "cid"}}, []object{{"type": "terms", "field": "password"}}} {
		assert.Equal(t, http.StatusBadRequest, f.do(http.MethodPost, path, bad).status)
	}
}
