package carbonblack_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSeedUsers(t *testing.T) {
	f := start(t)
	assert.Equal(t, []string{
		"vera.lindqvist@example.com", "ines.duarte@example.com", "lea.brandt@example.com",
		"marek.novak@soc.example", "priya.raman@example.com", "Jonas.Weber@My-Company.com",
	}, f.emails())
	assert.Equal(t, object{
		"vera.lindqvist@example.com": list{superAdmin},
		"ines.duarte@example.com":    list{level2, socTriage},
		"marek.novak@soc.example":    list{level1},
		"priya.raman@example.com":    list{viewAll},
		"Jonas.Weber@My-Company.com": list{"psc:role::VIEW_ONLY", socTriage, "psc:role::CONTAINER_IMAGE_CLI_TOOL"},
	}, f.state()["effectiveRoles"])
}

func TestNoUsers(t *testing.T) {
	f := start(t)
	require.NoError(t, f.Load([]byte(`{}`)))
	r := f.do("GET", usersP, nil)
	assert.Equal(t, object{"success": true, "message": "Success", "users": list{}}, r.body)
	r = f.do("POST", fetch, list{object{"principal": ines, "org_ref": orgURN}})
	assert.Equal(t, object{"results": list{}}, r.body)
	for _, name := range []string{"users", "pending", "grants", "roles", "elsewhere", "domains", "googleAuth"} {
		assert.Equal(t, list{}, f.state()[name], name)
	}
}

func TestModify(t *testing.T) {
	f := start(t)
	row := f.row("ines.duarte@example.com")
	r := f.do("PUT", usersP+"/6100417", with(row, "phone", "+351 555 0142"))
	assert.Equal(t, 200, r.status)
	assert.Equal(t, object{"modifiedByAnotherUser": false, "success": true, "message": "Success"}, r.body)

	want := with(with(row, "phone", "+351 555 0142"), "admin_login_version", 4.0)
	assert.Equal(t, want, f.row("ines.duarte@example.com"))

	// The row as it was first read is outdated now.
	r = f.do("PUT", usersP+"/6100417", with(row, "phone", "other"))
	assert.Equal(t, 200, r.status)
	assert.Equal(t, true, r.field("modifiedByAnotherUser"))
	assert.Equal(t, false, r.field("success"))
	assert.Equal(t, want, f.row("ines.duarte@example.com"))
}

func TestModifyRefused(t *testing.T) {
	f := start(t)
	row := f.row("ines.duarte@example.com")
	for name, c := range map[string]struct {
		key   string
		value any
		want  int
	}{
		"other login":      {"login_id", 6100502, 400},
		"login as text":    {"login_id", "6100417", 400},
		"other org id":     {"org_id", 1, 400},
		"other org key":    {"org_key", "ZZ9PLURA", 400},
		"other contact":    {"contact_id", 1, 400},
		"role":             {"role", "ADMIN", 400},
		"auth method":      {"auth_method", "KERBEROS", 400},
		"empty address":    {"email", "", 400},
		"no address":       {"email", "ines", 400},
		"foreign domain":   {"email", "ines@elsewhere.test", 400},
		"taken":            {"email", "LEA.brandt@example.com", 409},
		"taken by invited": {"email", "nadia.rossi@example.com", 409},
		"taken elsewhere":  {"email", "guest.auditor@example.com", 409},
		"taken login name": {"login_name", "lea.brandt@example.com", 409},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, f.do("PUT", usersP+"/6100417", with(row, c.key, c.value)).status)
		})
	}
	for key := range row {
		assert.Equal(t, 400, f.do("PUT", usersP+"/6100417", with(row, key, nil)).status, "without %s", key)
	}
	for _, body := range []string{"", "null", "[]", "{", "{} {}", `"x"`} {
		assert.Equal(t, 400, f.do("PUT", usersP+"/6100417", body).status, body)
	}
	assert.Equal(t, row, f.row("ines.duarte@example.com"))
	assert.Equal(t, 404, f.do("PUT", usersP+"/1", row).status)
}

func TestModifyAddressAlone(t *testing.T) {
	f := start(t)
	row := f.row("ines.duarte@example.com")
	r := f.do("PUT", usersP+"/6100417", with(row, "email", "ines@my-company.com"))
	require.Equal(t, 200, r.status)
	got := f.row("ines@my-company.com")
	assert.Equal(t, "ines.duarte@example.com", got["login_name"])
	// Both are hers.
	assert.Equal(t, 409, f.do("POST", usersP, invite("ines.duarte@example.com")).status)
	assert.Equal(t, 409, f.do("POST", usersP, invite("INES@my-company.com")).status)
}

func TestModifyCase(t *testing.T) {
	f := start(t)
	row := f.row("jonas.weber@my-company.com")
	assert.Equal(t, "Jonas.Weber@My-Company.com", row["email"])
	r := f.do("PUT", usersP+"/6100588", with(row, "email", "jonas.weber@my-company.com"))
	assert.Equal(t, true, r.field("success"))
}

func TestDelete(t *testing.T) {
	f := start(t)
	r := f.do("DELETE", usersP+"/6100417", nil)
	assert.Equal(t, 409, r.status)
	assert.Equal(t, false, r.field("success"))
	assert.Contains(t, r.field("message"), "grant")

	assert.Equal(t, 200, f.do("DELETE", grants+"/"+ines, nil).status)
	assert.NotNil(t, f.row("ines.duarte@example.com"), "without a grant, but still listed")
	r = f.do("DELETE", usersP+"/6100417", nil)
	assert.Equal(t, 204, r.status)
	assert.Empty(t, r.raw)
	assert.Nil(t, f.row("ines.duarte@example.com"))
	assert.Equal(t, 404, f.do("DELETE", usersP+"/6100417", nil).status)

	// Legacy users have nothing in the way; their address is free afterwards.
	assert.Equal(t, 204, f.do("DELETE", usersP+"/6100502", nil).status)
	assert.Equal(t, 201, f.do("POST", usersP, invite("lea.brandt@example.com")).status)
}

func TestDeleteWithDisabledProfile(t *testing.T) {
	f := start(t)
	require.Equal(t, 200, f.do("DELETE", grants+"/"+ines+"/profiles/"+inesProfile, nil).status)
	assert.Equal(t, 409, f.do("DELETE", usersP+"/6100417", nil).status, "a grant without effect is a grant")
}

func TestResetGoogleAuth(t *testing.T) {
	f := start(t)
	assert.Equal(t, list{6100001.0, 6100417.0}, f.state()["googleAuth"])
	for range 2 {
		r := f.do("DELETE", usersP+"/6100417/google-auth", nil)
		assert.Equal(t, 204, r.status)
		assert.Empty(t, r.raw)
	}
	assert.Equal(t, list{6100001.0}, f.state()["googleAuth"])
	assert.Equal(t, 404, f.do("DELETE", usersP+"/1/google-auth", nil).status)
}
