package carbonblack_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// made are the fields of a grant that only the server writes.
func made() []string { return []string{"created_by", "updated_by", "create_time", "update_time"} }

func ask(principals ...string) list {
	out := list{}
	for _, p := range principals {
		out = append(out, object{"principal": p, "org_ref": orgURN})
	}
	return out
}

func TestFetch(t *testing.T) {
	f := start(t)
	r := f.do("POST", fetch, ask(priya, lea, "psc:user:"+org+":1", jonas, "psc:user:ZZ9PLURA:6100417"))
	assert.Equal(t, 200, r.status)
	require.Len(t, r.field("results"), 2, "who has no grant is left out")
	assert.Equal(t, priya, r.field("results", 0, "principal"))
	assert.Equal(t, jonas, r.field("results", 1, "principal"))
	for _, field := range made() {
		assert.NotEmpty(t, r.field("results", 0, field), field)
	}
	r = f.do("POST", fetch, list{object{"principal": ines, "org_ref": "psc:org:3HF8W2LC"}})
	assert.Equal(t, object{"results": list{}}, r.body)

	for _, body := range []any{"", "{}", list{}, list{object{"principal": ines}}, list{object{"org_ref": orgURN}}} {
		assert.Equal(t, 400, f.do("POST", fetch, body).status, body)
	}
}

func TestFetchLimit(t *testing.T) {
	f := start(t)
	many := list{}
	for i := range 101 {
		many = append(many, object{"principal": fmt.Sprintf("psc:user:%s:%d", org, i), "org_ref": orgURN})
	}
	assert.Equal(t, 400, f.do("POST", fetch, many).status)
	assert.Equal(t, 200, f.do("POST", fetch, many[:100]).status)
	f.set("fetch-limit", "0")
	assert.Equal(t, 200, f.do("POST", fetch, many).status)
	f.set("fetch-limit", "2")
	assert.Equal(t, 400, f.do("POST", fetch, many[:3]).status)
}

func TestCreateGrant(t *testing.T) {
	for _, path := range []string{grants, grants + "/"} {
		f := start(t)
		body := object{"principal": lea, "org_ref": orgURN, "principal_name": "Lea Brandt", "roles": list{viewAll}, "profiles": list{}}
		r := f.do("POST", path, body)
		assert.Equal(t, 201, r.status)
		now := "2026-01-15T09:30:00.000Z"
		key := "psc:cnn:" + org + ":Q7W8E9R0TY"
		want := object{
			"principal": lea, "org_ref": orgURN, "principal_name": "Lea Brandt", "roles": list{viewAll}, "profiles": list{},
			"expires": 0.0, "created_by": key, "updated_by": key, "create_time": now, "update_time": now,
		}
		assert.Equal(t, want, r.body)
		assert.Equal(t, want, f.do("GET", grants+"/"+lea, nil).body)
		assert.Equal(t, 409, f.do("POST", path, body).status, "one grant per principal")
	}
}

func TestCreateGrantDefaults(t *testing.T) {
	f := start(t)
	f.set("grant-create-status", "200")
	r := f.do("POST", grants, object{"principal": lea, "created_by": "me", "profiles": list{
		object{"profile_uuid": "mine", "orgs": object{"allow": list{orgURN}}, "roles": list{viewAll}, "conditions": nil},
	}})
	assert.Equal(t, 200, r.status)
	assert.Equal(t, "Lea Brandt", r.field("principal_name"))
	assert.Equal(t, orgURN, r.field("org_ref"))
	assert.NotEqual(t, "me", r.field("created_by"))
	assert.NotEqual(t, "mine", r.field("profiles", 0, "profile_uuid"), "the server makes the id")
	assert.Equal(t, object{"expiration": 0.0, "disabled": false}, r.field("profiles", 0, "conditions"))
	assert.Equal(t, true, r.field("profiles", 0, "can_manage"))
}

func TestCreateGrantRefused(t *testing.T) {
	f := start(t)
	good := object{"principal": lea, "org_ref": orgURN, "roles": list{viewAll}}
	for name, c := range map[string]struct {
		body any
		want int
	}{
		"no body":           {"", 400},
		"no principal":      {with(good, "principal", nil), 400},
		"unknown principal": {with(good, "principal", "psc:user:"+org+":1"), 404},
		"another org's":     {with(good, "principal", "psc:user:ZZ9PLURA:6100502"), 404},
		"other org":         {with(good, "org_ref", "psc:org:3HF8W2LC"), 400},
		"role by name":      {with(good, "roles", list{"View All"}), 400},
		"unknown role":      {with(good, "roles", list{"psc:role::NOPE"}), 403},
		"both forms":        {with(good, "profiles", list{object{"orgs": object{"allow": list{orgURN}}, "roles": list{viewAll}}}), 400},
		"profile of none":   {with(with(good, "roles", nil), "profiles", list{object{"roles": list{viewAll}}}), 400},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, f.do("POST", grants, c.body).status)
			assert.Equal(t, 404, f.do("GET", grants+"/"+lea, nil).status)
		})
	}
}

func TestUpdateGrant(t *testing.T) {
	f := start(t)
	before := f.do("GET", grants+"/"+jonas, nil).body.(object)
	f.wait(time.Hour)
	sent := with(before, "roles", list{viewAll, socTriage, viewAll})
	for _, field := range made() {
		sent = with(sent, field, "forged")
	}
	r := f.do("PUT", grants+"/"+jonas, sent)
	assert.Equal(t, 200, r.status)
	want := with(with(before, "roles", list{viewAll, socTriage}), "update_time", "2026-01-15T10:30:00.000Z")
	assert.Equal(t, want, r.body)
	assert.Equal(t, want, f.do("GET", grants+"/"+jonas, nil).body)

	// A PUT replaces: what it leaves out is gone.
	r = f.do("PUT", grants+"/"+jonas, object{"principal": jonas, "roles": list{viewAll}})
	assert.Empty(t, r.field("principal_name"))
	assert.Equal(t, want["create_time"], r.field("create_time"))

	assert.Equal(t, 404, f.do("PUT", grants+"/"+lea, object{"principal": lea, "roles": list{viewAll}}).status)
	assert.Equal(t, 400, f.do("PUT", grants+"/"+jonas, object{"principal": vera, "roles": list{viewAll}}).status)
	assert.Equal(t, 400, f.do("PUT", grants+"/"+jonas, "").status)
	assert.Equal(t, 403, f.do("PUT", grants+"/"+jonas, object{"roles": list{"psc:role::NOPE"}}).status)
	assert.Equal(t, 400, f.do("PUT", grants+"/"+jonas, object{"roles": list{viewAll}, "expires": "never"}).status)
}

func TestUpdateGrantKeepsProfileIDs(t *testing.T) {
	f := start(t)
	g := f.do("GET", grants+"/"+priya, nil).body.(object)
	profiles := g["profiles"].(list)
	first, second := profiles[0].(object), profiles[1].(object)
	fresh := object{"orgs": object{"allow": list{orgURN}}, "roles": list{level1}, "profile_uuid": inesProfile}
	r := f.do("PUT", grants+"/"+priya, with(g, "profiles", list{second, fresh}))
	require.Equal(t, 200, r.status)
	assert.Equal(t, second["profile_uuid"], r.field("profiles", 0, "profile_uuid"))
	assert.NotEqual(t, inesProfile, r.field("profiles", 1, "profile_uuid"), "that is somebody else's")
	assert.NotEqual(t, first["profile_uuid"], r.field("profiles", 1, "profile_uuid"))
	assert.Equal(t, list{viewAll, level1}, f.state()["effectiveRoles"].(object)["priya.raman@example.com"])
}

func TestDeleteGrant(t *testing.T) {
	f := start(t)
	before := f.do("GET", grants+"/"+ines, nil)
	r := f.do("DELETE", grants+"/"+ines, nil)
	assert.Equal(t, 200, r.status)
	assert.Equal(t, before.body, r.body)
	assert.Equal(t, 404, f.do("GET", grants+"/"+ines, nil).status)
	assert.Equal(t, 404, f.do("DELETE", grants+"/"+ines, nil).status)
}

func TestGrantExpires(t *testing.T) {
	f := start(t)
	end := f.time().Add(time.Hour)
	for _, value := range []any{end.Unix(), end.UnixMilli(), end.Format(time.RFC3339)} {
		r := f.do("PUT", grants+"/"+vera, object{"roles": list{superAdmin}, "expires": value})
		require.Equal(t, 200, r.status)
		assert.InDelta(t, end.UnixMilli(), r.field("expires"), 0.5, "%v", value)
		assert.Contains(t, f.state()["effectiveRoles"], "vera.lindqvist@example.com")
	}
	f.set("grant-expires-form", "datetime")
	assert.Equal(t, "2026-01-15T10:30:00.000Z", f.do("GET", grants+"/"+vera, nil).field("expires"))
	assert.Equal(t, "1970-01-01T00:00:00.000Z", f.do("GET", grants+"/"+ines, nil).field("expires"))
	f.wait(time.Hour)
	assert.NotContains(t, f.state()["effectiveRoles"], "vera.lindqvist@example.com")
}
