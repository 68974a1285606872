package carbonblack_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInvite(t *testing.T) {
	f := start(t)
	r := f.do("POST", usersP, invite("tomas.keller@example.com"))
	assert.Equal(t, 201, r.status)
	assert.Equal(t, object{
		"password": nil, "success": true, "message": "Success", "login_id": nil, "registration_status": "SUCCESS",
	}, r.body)

	// Nothing can be done with somebody who has not signed up.
	assert.Nil(t, f.row("tomas.keller@example.com"))
	assert.Len(t, f.emails(), 6)
	next := "psc:user:" + org + ":6100601"
	assert.Equal(t, 404, f.do("DELETE", usersP+"/6100601", nil).status)
	assert.Equal(t, 404, f.do("GET", grants+"/"+next, nil).status)
	assert.Equal(t, 404, f.do("POST", grants, object{"principal": next, "org_ref": orgURN, "roles": list{viewAll}}).status)

	require.NoError(t, f.Activate("Tomas.KELLER@example.com"))
	assert.Equal(t, object{
		"org_key": org, "org_id": 48213.0, "login_id": 6100601.0, "auth_method": "PASSWORD", "role": "DEPRECATED",
		"login_name": "tomas.keller@example.com", "email": "tomas.keller@example.com", "phone": "",
		"first_name": "Tomas", "last_name": "Keller", "contact_id": 15210201.0,
		"admin_login_version": 1.0, "org_admin_version": 0.0, "contact_version": 0.0,
	}, f.row("tomas.keller@example.com"))

	r = f.do("GET", grants+"/"+next, nil)
	assert.Equal(t, list{}, r.field("roles"))
	assert.Equal(t, list{level1}, r.field("profiles", 0, "roles"))
	assert.Equal(t, "Tomas Keller", r.field("principal_name"))
	assert.Equal(t, "2026-01-15T09:30:00.000Z", r.field("create_time"))

	require.ErrorContains(t, f.Activate("tomas.keller@example.com"), "no pending invitation")
	require.ErrorContains(t, f.Activate("ines.duarte@example.com"), "no pending invitation")
	require.NoError(t, f.Activate("nadia.rossi@example.com"))
}

func TestInviteForms(t *testing.T) {
	onlyRole := with(invite("a@example.com"), "profiles", nil)
	onlyProfiles := with(invite("a@example.com"), "role_urn", nil)
	neither := with(onlyRole, "role_urn", nil)
	for _, c := range []struct {
		name, form       string
		in               object
		roles, inProfile list // nil: no grant
	}{
		{"role", "as-sent", onlyRole, list{level1}, list{}},
		{"profiles", "as-sent", onlyProfiles, list{}, list{level1}},
		{"both: profiles count", "as-sent", with(invite("a@example.com"), "role_urn", viewAll), list{}, list{level1}},
		{"neither", "as-sent", neither, nil, nil},
		{"empty profiles", "as-sent", with(onlyRole, "profiles", list{}), list{level1}, list{}},
		{"role to profiles", "profiles", onlyRole, list{}, list{level1}},
		{"profiles to roles", "roles", onlyProfiles, list{level1}, list{}},
		{"profiles stay", "profiles", onlyProfiles, list{}, list{level1}},
		{"neither, profiles", "profiles", neither, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := start(t)
			f.set("grant-form", c.form)
			require.Equal(t, 201, f.do("POST", usersP, c.in).status)
			require.NoError(t, f.Activate("a@example.com"))
			r := f.do("GET", grants+"/psc:user:"+org+":6100601", nil)
			if c.roles == nil {
				assert.Equal(t, 404, r.status)
				return
			}
			assert.Equal(t, c.roles, r.field("roles"))
			if len(c.inProfile) == 0 {
				assert.Equal(t, list{}, r.field("profiles"))
				return
			}
			assert.Equal(t, c.inProfile, r.field("profiles", 0, "roles"))
			assert.Equal(t, list{orgURN}, r.field("profiles", 0, "orgs", "allow"))
			assert.Equal(t, object{"expiration": 0.0, "disabled": false}, r.field("profiles", 0, "conditions"))
			assert.Len(t, r.field("profiles", 0, "profile_uuid"), 36)
		})
	}
}

func TestInviteKeepsConditions(t *testing.T) {
	f := start(t)
	in := invite("a@example.com")
	in["profiles"].(list)[0].(object)["conditions"] = object{"expiration": "2026-03-31T00:00:00Z", "cidr": list{"10.0.0.0/8"}}
	require.Equal(t, 201, f.do("POST", usersP, in).status)
	require.NoError(t, f.Activate("a@example.com"))
	r := f.do("GET", grants+"/psc:user:"+org+":6100601", nil)
	assert.Equal(t, object{"expiration": "2026-03-31T00:00:00Z", "disabled": false, "cidr": list{"10.0.0.0/8"}},
		r.field("profiles", 0, "conditions"))
}

func TestInviteTaken(t *testing.T) {
	f := start(t)
	for _, email := range []string{
		"ines.duarte@example.com", "INES.Duarte@EXAMPLE.com", "jonas.weber@my-company.com",
		"nadia.rossi@example.com", "Nadia.Rossi@example.com", "guest.auditor@example.com",
	} {
		r := f.do("POST", usersP, invite(email))
		assert.Equal(t, 409, r.status, email)
		assert.Equal(t, object{
			"password": nil, "success": false, "message": "admin already registered", "login_id": nil,
			"registration_status": "ADMIN_ALREADY_REGISTERED",
		}, r.body, email)
	}
	assert.Len(t, f.state()["pending"], 1)
	// A plus makes another address of it.
	assert.Equal(t, 201, f.do("POST", usersP, invite("ines.duarte+b@example.com")).status)
	assert.Equal(t, 409, f.do("POST", usersP, invite("Ines.Duarte+B@example.com")).status)
}

func TestInviteRefused(t *testing.T) {
	good := invite("a@example.com")
	profiles := func(p object) object { return with(good, "profiles", list{p}) }
	for name, c := range map[string]struct {
		in     any
		status int
		code   any
	}{
		"no body":              {"", 400, nil},
		"null":                 {"null", 400, nil},
		"list":                 {"[]", 400, nil},
		"no email":             {with(good, "email", nil), 400, nil},
		"email_id":             {with(with(good, "email", nil), "email_id", "a@example.com"), 400, nil},
		"no role":              {with(good, "role", nil), 400, nil},
		"other role":           {with(good, "role", "ADMIN"), 400, nil},
		"role by name":         {with(good, "role_urn", "View All"), 400, nil},
		"unknown role":         {with(good, "role_urn", "psc:role:"+org+":BETA_VIEW_ALL"), 403, nil},
		"auth method":          {with(good, "auth_method", "KERBEROS"), 400, nil},
		"other org id":         {with(good, "org_id", 7), 404, "INVALID_ORGANIZATION"},
		"profile without orgs": {profiles(object{"roles": list{level1}}), 400, nil},
		"bare org key":         {profiles(object{"orgs": object{"allow": list{org}}, "roles": list{level1}}), 400, nil},
		"bad expiration":       {profiles(object{"orgs": object{"allow": list{orgURN}}, "roles": list{level1}, "conditions": object{"expiration": "soon"}}), 400, nil},
		"unknown profile role": {profiles(object{"orgs": object{"allow": list{orgURN}}, "roles": list{"psc:role::NOPE"}}), 403, nil},
		"no at":                {with(good, "email", "a.example.com"), 201, "INVALID_EMAIL"},
		"two at":               {with(good, "email", "a@b@example.com"), 201, "INVALID_EMAIL"},
		"blank":                {with(good, "email", "a b@example.com"), 201, "INVALID_EMAIL"},
		"name and address":     {with(good, "email", "A <a@example.com>"), 201, "INVALID_EMAIL"},
		"no dot":               {with(good, "email", "a@example"), 201, "INVALID_EMAIL"},
		"domain":               {with(good, "email", "a@elsewhere.test"), 201, "DOMAIN_PROHIBITED"},
		"below a domain":       {with(good, "email", "a@sub.example.com"), 201, "DOMAIN_PROHIBITED"},
		"alike":                {with(good, "email", "a@not-example.com"), 201, "DOMAIN_PROHIBITED"},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			r := f.do("POST", usersP, c.in)
			assert.Equal(t, c.status, r.status, r.raw)
			assert.Equal(t, c.code, r.field("registration_status"))
			if c.code != nil {
				assert.Equal(t, false, r.field("success"))
			}
			assert.Len(t, f.state()["pending"], 1)
		})
	}
}

func TestInviteDomains(t *testing.T) {
	f := start(t)
	for _, email := range []string{
		"a@example.com", "a@EXAMPLE.COM", "a@acme.example", "a@x.acme.example", "a@my-company.com", "a.b+c@My-Company.com",
	} {
		f.do("POST", usersP, invite(email))
	}
	assert.Len(t, f.state()["pending"], 1+5, "a@EXAMPLE.COM is a@example.com")
}

func TestInviteWithLittle(t *testing.T) {
	f := start(t)
	require.Equal(t, 201, f.do("POST", usersP, object{"email": "a@example.com", "role": "DEPRECATED", "org_id": 0}).status)
	require.NoError(t, f.Activate("a@example.com"))
	row := f.row("a@example.com")
	assert.Equal(t, "PASSWORD", row["auth_method"])
	assert.Empty(t, row["first_name"])
	assert.Empty(t, row["phone"])
}

func TestIgnoredKeysAreNoted(t *testing.T) {
	f := start(t)
	r := f.do("POST", usersP, with(invite("a@example.com"), "roleUrn", "x"))
	assert.Equal(t, 201, r.status)
	assert.Contains(t, r.header.Get("X-Mock-Note"), "roleUrn")
	assert.Empty(t, f.do("POST", usersP, invite("b@example.com")).header.Get("X-Mock-Note"))
}
