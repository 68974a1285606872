package carbonblack_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const inesProfiles = grants + "/" + ines + "/profiles"

func own(roles ...any) object {
	return object{"orgs": object{"allow": list{orgURN}}, "roles": roles}
}

func TestAddProfile(t *testing.T) {
	f := start(t)
	r := f.do("POST", inesProfiles, with(own(viewAll), "profile_uuid", inesProfile))
	assert.Equal(t, 201, r.status)
	uuid := r.field("profile_uuid")
	assert.Len(t, uuid, 36)
	assert.NotEqual(t, inesProfile, uuid)
	want := object{
		"profile_uuid": uuid, "orgs": object{"allow": list{orgURN}}, "roles": list{viewAll},
		"conditions": object{"expiration": 0.0, "disabled": false}, "can_manage": true,
	}
	assert.Equal(t, want, r.body)
	g := f.do("GET", grants+"/"+ines, nil)
	assert.Equal(t, want, g.field("profiles", 1))
	assert.Equal(t, inesProfile, g.field("profiles", 0, "profile_uuid"))
	assert.Equal(t, "2026-01-15T09:30:00.000Z", g.field("update_time"))

	// The same again is another profile.
	r = f.do("POST", inesProfiles, own(viewAll))
	assert.NotEqual(t, uuid, r.field("profile_uuid"))
	assert.Equal(t, list{level2, socTriage, viewAll}, f.state()["effectiveRoles"].(object)["ines.duarte@example.com"])

	assert.Equal(t, 404, f.do("POST", grants+"/"+lea+"/profiles", own(viewAll)).status, "there is no grant to add it to")
	assert.Equal(t, 400, f.do("POST", grants+"/"+jonas+"/profiles", own(viewAll)).status, "that grant holds roles")
	assert.Equal(t, 403, f.do("POST", inesProfiles, own("psc:role::NOPE")).status)
	assert.Equal(t, 400, f.do("POST", inesProfiles, own("View All")).status)
	assert.Equal(t, 400, f.do("POST", inesProfiles, object{"roles": list{viewAll}}).status)
	assert.Equal(t, 400, f.do("POST", inesProfiles, "").status)
}

func TestUpdateProfile(t *testing.T) {
	f := start(t)
	before := f.do("GET", grants+"/"+ines, nil).field("profiles", 0).(object)
	f.wait(time.Minute)
	sent := with(before, "roles", list{level2, socTriage, viewAll})
	r := f.do("PUT", inesProfiles+"/"+inesProfile, sent)
	assert.Equal(t, 200, r.status)
	assert.Equal(t, sent, r.body)
	g := f.do("GET", grants+"/"+ines, nil)
	assert.Equal(t, sent, g.field("profiles", 0))
	assert.Equal(t, "2026-01-15T09:31:00.000Z", g.field("update_time"))

	// The id in the path is enough.
	assert.Equal(t, 200, f.do("PUT", inesProfiles+"/"+inesProfile, own(viewAll)).status)

	const other = "f7d80a35-61ce-4b92-8e4f-c30b9a2715e6"
	assert.Equal(t, 404, f.do("PUT", inesProfiles+"/"+other, own(viewAll)).status, "a profile of somebody else")
	assert.Equal(t, 404, f.do("PUT", grants+"/"+lea+"/profiles/"+inesProfile, own(viewAll)).status)
	assert.Equal(t, 400, f.do("PUT", inesProfiles+"/"+inesProfile, with(own(viewAll), "profile_uuid", other)).status)
	assert.Equal(t, 400, f.do("PUT", inesProfiles+"/"+inesProfile, "[]").status)
	assert.Equal(t, 400, f.do("PUT", inesProfiles+"/"+inesProfile, own("nope")).status)
	assert.Equal(t, 403, f.do("PUT", inesProfiles+"/"+inesProfile, own("psc:role::NOPE")).status)
}

func TestDisableProfile(t *testing.T) {
	f := start(t)
	for range 2 {
		r := f.do("DELETE", inesProfiles+"/"+inesProfile, nil)
		assert.Equal(t, 200, r.status)
		assert.Equal(t, inesProfile, r.field("profile_uuid"))
		assert.Equal(t, list{level2, socTriage}, r.field("roles"))
		assert.Equal(t, object{"expiration": 0.0, "disabled": true}, r.field("conditions"))
	}
	assert.Equal(t, true, f.do("GET", grants+"/"+ines, nil).field("profiles", 0, "conditions", "disabled"), "it is kept")
	assert.NotContains(t, f.state()["effectiveRoles"], "ines.duarte@example.com")
	assert.Equal(t, 404, f.do("DELETE", inesProfiles+"/nope", nil).status)
}

func TestProfileExpiration(t *testing.T) {
	f := start(t)
	end := f.time().Add(time.Hour)
	for _, value := range []any{float64(end.Unix()), float64(end.UnixMilli()), end.Format(time.RFC3339), "2026-01-15T10:30:00", "20260115T10:30:00"} {
		f := start(t)
		sent := with(own(viewAll), "conditions", object{"expiration": value, "disabled": false})
		r := f.do("PUT", inesProfiles+"/"+inesProfile, sent)
		require.Equal(t, 200, r.status, r.raw)
		assert.Equal(t, value, r.field("conditions", "expiration"), "as it was sent")
		f.set("profile-expiration-form", "int")
		assert.InDelta(t, end.UnixMilli(), f.do("GET", grants+"/"+ines, nil).field("profiles", 0, "conditions", "expiration"), 0.5)
		f.set("profile-expiration-form", "datetime")
		assert.Equal(t, "2026-01-15T10:30:00.000Z", f.do("GET", grants+"/"+ines, nil).field("profiles", 0, "conditions", "expiration"))

		assert.Contains(t, f.state()["effectiveRoles"], "ines.duarte@example.com")
		f.wait(time.Hour)
		assert.NotContains(t, f.state()["effectiveRoles"], "ines.duarte@example.com")
	}
	for _, value := range []any{-1, 1.5, "", "soon", true, list{}} {
		sent := with(own(viewAll), "conditions", object{"expiration": value})
		assert.Equal(t, 400, f.do("PUT", inesProfiles+"/"+inesProfile, sent).status, value)
	}
	sent := with(own(viewAll), "conditions", object{"expiration": nil})
	assert.InDelta(t, 0, f.do("PUT", inesProfiles+"/"+inesProfile, sent).field("conditions", "expiration"), 0)
}

func TestOtherOrgs(t *testing.T) {
	f := start(t)
	allow := f.do("GET", grants+"/"+marek, nil).field("profiles", 0, "orgs", "allow")
	assert.Equal(t, list{orgURN, "psc:org:3HF8W2LC"}, allow)
	// Access elsewhere is none here.
	elsewhere := object{"orgs": object{"allow": list{"psc:org:3HF8W2LC"}}, "roles": list{viewAll}}
	require.Equal(t, 200, f.do("PUT", inesProfiles+"/"+inesProfile, elsewhere).status)
	assert.NotContains(t, f.state()["effectiveRoles"], "ines.duarte@example.com")
	denied := object{"orgs": object{"allow": list{orgURN}, "deny": list{orgURN}}, "roles": list{viewAll}}
	require.Equal(t, 200, f.do("PUT", inesProfiles+"/"+inesProfile, denied).status)
	assert.NotContains(t, f.state()["effectiveRoles"], "ines.duarte@example.com")
}
