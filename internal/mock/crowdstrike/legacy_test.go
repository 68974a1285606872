package crowdstrike_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

const (
	oldUsers = "/users/entities/users/v1"
	oldRoles = "/user-roles/entities/user-roles/v1"
)

func TestLegacyKeyOrder(t *testing.T) {
	f := start(t)
	got := f.get(oldUsers + "?ids=" + tran + "&ids=" + nobody)
	assert.Contains(t, got.raw, `"errors":[],"resources":[{"customer":"`+homeCID+`","firstName":"Li","lastName":"Trần","uid":"li.tran@my-company.com","uuid":"`+tran+`"}]`)
	got = f.get("/users/queries/user-uuids-by-email/v1?uid=nobody@example.com")
	assert.Equal(t, 404, got.status)
	assert.NotContains(t, got.raw, "resources")
	assert.Equal(t, []string{nora, sam}, f.get("/users/queries/user-uuids-by-email/v1?uid=NORA.vance@example.com&uid=sam.o'tieno@example.com").strings())
}

func TestLegacyUsers(t *testing.T) {
	f := start(t)
	got := f.do(http.MethodPost, oldUsers, object{"uid": "nela.kos@acme.example", "firstName": "Nela", "lastName": "Kos", "password": nil, "cid": childCID})
	assert.Equal(t, 201, got.status)
	assert.Equal(t, []any{homeCID}, got.values("customer"), "cid is no field of this operation")
	id := got.values("uuid")[0].(string) //nolint:forcetypeassert // a test
	assert.Equal(t, 409, f.do(http.MethodPost, oldUsers, object{"uid": "nela.kos@acme.example"}).status)
	assert.Equal(t, 400, f.do(http.MethodPost, oldUsers, object{"uid": "a@nowhere.com"}).status)
	assert.Equal(t, 400, f.do(http.MethodPost, oldUsers, object{"uid": 1}).status)
	assert.Equal(t, 400, f.do(http.MethodPost, oldUsers, "").status)

	got = f.do(http.MethodPatch, oldUsers+"?user_uuid="+id, object{"firstName": "Nelly"})
	assert.Equal(t, []any{"Nelly", "Kos"}, append(got.values("firstName"), got.values("lastName")...))
	assert.Equal(t, 404, f.do(http.MethodPatch, oldUsers+"?user_uuid="+nobody, object{}).status)
	for _, bad := range []any{"", object{"firstName": 1}, object{"lastName": 1}} {
		assert.Equal(t, 400, f.do(http.MethodPatch, oldUsers+"?user_uuid="+id, bad).status)
	}
	assert.Equal(t, 200, f.do(http.MethodDelete, oldUsers+"?user_uuid="+id, nil).status)
	assert.Equal(t, 404, f.do(http.MethodDelete, oldUsers+"?user_uuid="+id, nil).status)
	assert.Equal(t, 400, f.get(oldUsers).status)
	assert.Equal(t, 400, f.get("/users/queries/user-uuids-by-email/v1").status)
}

func TestLegacyRoles(t *testing.T) {
	f := start(t)
	path := oldRoles + "?user_uuid=" + tran
	const held = "/user-roles/queries/user-role-ids-by-user-uuid/v1?user_uuid="
	assert.Equal(t, 200, f.do(http.MethodPost, path, object{"roleIds": []string{"help_desk", nightShift}}).status)
	assert.Equal(t, []string{"falcon_console_guest", "help_desk", nightShift}, f.get(held+tran).strings())
	assert.Equal(t, 400, f.do(http.MethodPost, path, object{"roleIds": []string{"event_viewer", "nothing"}}).status)
	assert.Equal(t, 400, f.do(http.MethodPost, path, object{"role_ids": []string{"event_viewer"}}).status)
	assert.Equal(t, 400, f.do(http.MethodPost, path, "").status)
	assert.Equal(t, 400, f.do(http.MethodPost, oldRoles+"?user_uuid="+nobody, object{"roleIds": []string{"event_viewer"}}).status)
	assert.Equal(t, 200, f.do(http.MethodDelete, path+"&ids=help_desk&ids="+nightShift, nil).status)
	assert.Equal(t, 400, f.do(http.MethodDelete, path, nil).status)
	assert.Equal(t, []string{"falcon_console_guest"}, f.get(held+tran).strings())
	assert.Equal(t, []string{"event_viewer", "help_desk"}, f.get(held+sam).strings(), "inherited roles too")
	assert.Equal(t, []string{"event_viewer", "help_desk"}, f.get(held+ravi).strings(), "those of the own CID only")
	assert.Equal(t, "invalid user uuid='"+nobody+"' specified", f.get(held+nobody).problem())
	assert.Equal(t, 404, f.get(oldRoles+"?ids=nothing").status)
	assert.Equal(t, 400, f.get(oldRoles).status)
}
