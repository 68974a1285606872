package crowdstrike_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func resources(t *testing.T, r reply) string {
	t.Helper()
	data, err := json.Marshal(r.body["resources"])
	require.NoError(t, err)
	return string(data)
}

func TestQueryRoles(t *testing.T) {
	f := start(t)
	first, second := f.get(queryRoles), f.get(queryRoles)
	assert.Len(t, first.strings(), 10)
	assert.NotEqual(t, first.strings(), second.strings(), "no fixed order")
	assert.ElementsMatch(t, first.strings(), second.strings())
	assert.Nil(t, first.meta("pagination"))
	assert.Contains(t, first.strings(), nightShift)

	child := f.get(queryRoles + "?cid=" + childCID).strings()
	assert.Contains(t, child, fieldTeam)
	assert.NotContains(t, child, nightShift)

	can := f.get(queryRoles + "?user_uuid=" + nora).strings()
	assert.Contains(t, can, nightShift, "can be granted, though not held")
	assert.NotContains(t, f.get(queryRoles+"?user_uuid="+nora+"&cid="+childCID).strings(), fieldTeam, "her home is another CID")
	assert.ElementsMatch(t, []string{"help_desk"}, f.get(queryRoles+"?action=revoke&user_uuid="+sam).strings())

	assert.Equal(t, 500, f.get(queryRoles+"?user_uuid=junk").status)
	assert.Equal(t, 400, f.get(queryRoles+"?user_uuid="+nobody).status)
	assert.Equal(t, 400, f.get(queryRoles+"?action=take").status)
	assert.Equal(t, 400, f.get(queryRoles+"?cid=junk").status)
	assert.Equal(t, 403, f.get(queryRoles+"?cid="+strings.Repeat("f", 32)).status)
}

func TestReadRoles(t *testing.T) {
	f := start(t)
	got := f.do(http.MethodPost, readRoles, object{"ids": []string{"help_desk", "nothing", fieldTeam}})
	assert.Equal(t, []any{"help_desk", fieldTeam}, got.values("id"))
	assert.Equal(t, []any{nil, childCID}, got.values("cid"))
	assert.Equal(t, []any{"help_desk"}, f.do(http.MethodPost, readRoles+"?cid="+homeCID, object{"ids": []string{"help_desk", fieldTeam}}).values("id"))
	assert.Equal(t, 404, f.get("/user-management/entities/roles/v1?ids=nothing").status)
	assert.Equal(t, 400, f.get("/user-management/entities/roles/v1").status)
	assert.Equal(t, 400, f.do(http.MethodPost, readRoles, object{}).status)
	assert.Equal(t, 400, f.do(http.MethodPost, readRoles, "1").status)
	assert.Equal(t, 403, f.do(http.MethodPost, readRoles+"?cid="+strings.Repeat("f", 32), object{"ids": []string{"help_desk"}}).status)
}

func TestGrants(t *testing.T) {
	f := start(t)
	assert.Equal(t, []string{"home/event_viewer", "home/help_desk"}, f.held(sam, ""))
	assert.Equal(t, []string{"home/help_desk"}, f.held(sam, "&direct_only=true"))
	assert.Equal(t, []string{"home/event_viewer", "home/help_desk", "child/security_lead"}, f.held(ravi, ""))
	assert.Equal(t, []string{"child/security_lead"}, f.held(ravi, "&cid="+childCID))
	assert.Equal(t, []string{"home/help_desk"}, f.held(ravi, "&limit=1&offset=1"))
	assert.Equal(t, []string{"home/help_desk"}, f.held(ravi, "&filter=role_name:'Help%20Desk'"))
	assert.Equal(t, []string{"home/help_desk"}, f.held(ravi, "&filter=role_id:'help_desk'"))
	assert.Equal(t, []string{"home/remote_responder"}, f.held(nora, "&filter=expires_at:>'2026-12-01T00:00:00Z'"))
	assert.Empty(t, f.held(nora, "&filter=expires_at:<='2026-12-01T00:00:00Z'"))
	assert.Equal(t, []string{"home/remote_responder"}, f.held(nora, "&filter=expires_at:>='2035-06-30T00:00:00Z'"))
	assert.Empty(t, f.held(nora, "&filter=expires_at:<'2035-06-30T00:00:00Z'"))
	for _, sort := range []string{"cid", "expires_at", "type|desc", "user_uuid"} {
		assert.Equal(t, 200, f.get(grantsPath+"?user_uuid="+nora+"&sort="+sort).status, sort)
	}
	for _, bad := range []string{"&limit=501", "&direct_only=1", "&sort=uid", "&filter=uid:'x'", "&cid=junk"} {
		assert.Equal(t, 400, f.get(grantsPath+"?user_uuid="+nora+bad).status, bad)
	}
}

func TestGrantsOfNobody(t *testing.T) {
	f := start(t)
	assert.Equal(t, "invalid user uuid='' specified", f.get(grantsPath).problem())
	for value, status := range map[string]int{"400": 400, "404": 404, "empty": 200} {
		f.set("grants-unknown", value)
		assert.Equal(t, status, f.get(grantsPath+"?user_uuid="+nobody).status)
	}
}

func TestRoleActions(t *testing.T) {
	f := start(t)
	assert.Equal(t, 200, f.roleAction("grant", tran, homeCID, nil, "help_desk", "help_desk", "event_viewer").status)
	assert.Equal(t, 200, f.roleAction("grant", tran, homeCID, nil, "help_desk").status, "held already")
	assert.Equal(t, 200, f.roleAction("grant", tran, childCID, nil, "help_desk").status)
	assert.Equal(t, []string{"home/event_viewer", "home/falcon_console_guest", "child/help_desk", "home/help_desk"}, sorted(f.held(tran, "")))
	assert.Equal(t, 200, f.roleAction("revoke", tran, homeCID, nil, "help_desk", "security_lead").status, "not held")
	assert.Equal(t, []string{"home/event_viewer", "home/falcon_console_guest", "child/help_desk"}, sorted(f.held(tran, "")))
	assert.Equal(t, 200, f.roleAction("revoke", sam, homeCID, nil, "event_viewer").status)
	assert.Equal(t, []string{"home/event_viewer", "home/help_desk"}, f.held(sam, ""), "an inherited role stays")
}

// sorted sorts by role, then CID.
func sorted(list []string) []string {
	slices.SortFunc(list, func(a, b string) int {
		_, x, _ := strings.Cut(a, "/")
		_, y, _ := strings.Cut(b, "/")
		return strings.Compare(x+a, y+b)
	})
	return list
}

func TestRoleActionsAreAtomic(t *testing.T) {
	f := start(t)
	before := f.server.State()
	tests := []struct {
		name              string
		action, user, cid string
		roles             []string
		more              object
		status            int
	}{
		{"unknown role", "grant", nora, homeCID, []string{"help_desk", "nothing"}, nil, 400},
		{"unknown role taken", "revoke", nora, homeCID, []string{"user_admin", "nothing"}, nil, 400},
		{"custom role of another CID", "grant", nora, childCID, []string{"help_desk", fieldTeam}, nil, 400},
		{"custom role outside its CID", "grant", nora, childCID, []string{nightShift}, nil, 400},
		{"display name", "grant", nora, homeCID, []string{"Help Desk"}, nil, 400},
		{"unknown user", "grant", nobody, homeCID, []string{"help_desk"}, nil, 400},
		{"no user", "grant", "", homeCID, []string{"help_desk"}, object{"user_uuid": nora}, 400},
		{"no CID", "grant", nora, "", []string{"help_desk"}, nil, 400},
		{"CID as the console has it", "grant", nora, strings.ToUpper(homeCID) + "-0F", []string{"help_desk"}, nil, 400},
		{"CID out of reach", "grant", nora, strings.Repeat("f", 32), []string{"help_desk"}, nil, 403},
		{"no roles", "grant", nora, homeCID, []string{}, nil, 400},
		{"no action", "", nora, homeCID, []string{"help_desk"}, nil, 400},
		{"past expiry", "grant", nora, homeCID, []string{"help_desk"}, object{"expires_at": "2026-11-20T09:15:02Z"}, 400},
		{"expiry with an offset", "grant", nora, homeCID, []string{"help_desk"}, object{"expires_at": "2026-12-31T23:59:59+01:00"}, 400},
		{"a day", "grant", nora, homeCID, []string{"help_desk"}, object{"expires_at": "2026-12-31"}, 400},
		{"a number", "grant", nora, homeCID, []string{"help_desk"}, object{"expires_at": 1}, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := f.roleAction(tt.action, tt.user, tt.cid, tt.more, tt.roles...)
			assert.Equal(t, tt.status, got.status, got.raw)
		})
	}
	assert.Equal(t, http.StatusBadRequest, f.do(http.MethodPost, roleActions, "x").status)
	assert.Equal(t, before, f.server.State())
}

func TestTemporaryRoles(t *testing.T) {
	f := start(t)
	until := object{"expires_at": "2026-11-20T10:00:00Z"}
	assert.Equal(t, 200, f.roleAction("grant", tran, homeCID, until, "help_desk").status)
	got := f.get(grantsPath + "?sort=role_name&user_uuid=" + tran)
	assert.Equal(t, []any{nil, "2026-11-20T10:00:00Z"}, got.values("expires_at"))
	assert.Equal(t, []any{nil, nil}, f.get("/user-management/combined/user-roles/v1?sort=role_name&user_uuid="+tran).values("expires_at"))
	assert.Equal(t, 400, f.get("/user-management/combined/user-roles/v1").status)

	f.clock.at = f.clock.at.Add(time.Hour)
	f.signIn("")
	assert.Equal(t, []string{"home/falcon_console_guest"}, f.held(tran, ""))

	assert.Equal(t, 200, f.roleAction("revoke", nora, homeCID, until, "remote_responder").status, "temporary roles can be taken")
	assert.Equal(t, []string{"home/falconhost_admin", "home/user_admin"}, f.held(nora, ""))
	log := f.server.Requests()
	assert.Equal(t, []string{"expires_at goes with grant only; it is ignored"}, log[len(log)-2].Notes)
}

func TestVisibilityOfRoles(t *testing.T) {
	f := start(t)
	f.set("visibility-delay", "2")
	old := f.held(tran, "")
	require.Equal(t, 200, f.roleAction("grant", tran, homeCID, nil, "help_desk").status)
	assert.Equal(t, old, f.held(tran, ""))
	require.Equal(t, 200, f.roleAction("revoke", tran, homeCID, nil, "falcon_console_guest").status)
	assert.Equal(t, old, f.held(tran, ""))
	assert.Equal(t, old, f.held(tran, ""))
	assert.Equal(t, []string{"home/help_desk"}, f.held(tran, ""))

	f.set("visibility-delay", "30s")
	require.Equal(t, 200, f.roleAction("grant", tran, homeCID, nil, "event_viewer").status)
	f.clock.at = f.clock.at.Add(29 * time.Second)
	assert.Equal(t, []string{"home/help_desk"}, f.held(tran, ""))
	f.clock.at = f.clock.at.Add(time.Second)
	assert.Equal(t, []string{"home/event_viewer", "home/help_desk"}, f.held(tran, ""))
}

func TestVisibilityOfUsers(t *testing.T) {
	f := start(t)
	f.set("visibility-delay", "2")
	f.set("visibility-of", "users")
	id := f.create("nela.kos@acme.example")
	const find = queryUsers + "?filter=uid:'nela.kos@acme.example'"
	assert.Empty(t, f.get(find).strings())
	assert.Equal(t, 404, f.get("/users/queries/user-uuids-by-email/v1?uid=nela.kos@acme.example").status)
	assert.Equal(t, []string{id}, f.get(find).strings())
	require.Equal(t, 200, f.roleAction("grant", id, homeCID, nil, "help_desk").status)
	assert.Equal(t, []string{"home/help_desk"}, f.held(id, ""))
}

func TestErrorsOn2xx(t *testing.T) {
	f := start(t)
	f.set("errors-on-2xx", "not-applied")
	before := f.server.State()
	got := f.roleAction("grant", tran, homeCID, nil, "help_desk")
	assert.Equal(t, 200, got.status)
	assert.NotEmpty(t, got.problem())
	assert.Equal(t, before, f.server.State())
	assert.Empty(t, f.get(queryUsers).problem())

	f.set("errors-on-2xx", "applied")
	assert.NotEmpty(t, f.roleAction("grant", tran, homeCID, nil, "help_desk").problem())
	assert.Contains(t, f.held(tran, ""), "home/help_desk")

	f.set("errors-on-2xx", "reads")
	got = f.get(queryUsers)
	assert.Equal(t, 200, got.status)
	assert.NotEmpty(t, got.problem())
}
