package crowdstrike

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func TestUser(t *testing.T) {
	rich := person(testUUID, "Nela.Kos@acme.example")
	rich["last_login_at"], rich["factors"], rich["user_type"] = "2026-10-02T07:41:10.018201Z", []string{"TOTP"}, "user"
	c := one(t,
		granted("help_desk", "Help Desk", testCID, "expires_at", "2026-12-31T23:59:59Z"),
		granted("event_viewer", "Event Viewer", testCID, "grant_type", "user_group", "user_group_name", "SOC", "user_group_id", "3c"),
		granted("event_viewer", "Event Viewer", testCID, "grant_type", "cid_group", "cid_group_name", "Europe", "cid_group_id", "4d"),
		granted("dashboard_admin", "", "ffffffffffffffffffffffffffffffff", "grant_type", "", "parent_cid", testCID),
	).always("POST "+pathUserRecords, ok(rich))
	a := c.connect()
	u, err := a.User(t.Context(), "NELA.KOS@acme.example")
	require.NoError(t, err)
	assert.Equal(t, []string{askedID, askedRecord, askedGrants}, c.asked())
	login := time.Date(2026, 10, 2, 7, 41, 10, 18201000, time.UTC)
	end := time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)
	assert.Equal(t, provision.User{
		ID: testUUID, Login: "Nela.Kos@acme.example", FirstName: "Nela", LastName: "Kos", Status: provision.StatusActive,
		LastLogin: &login, Created: time.Date(2026, 5, 11, 12, 6, 44, 190233000, time.UTC),
		Roles: []provision.HeldRole{
			{ID: "dashboard_admin", Name: "dashboard_admin", Scope: "ffffffffffffffffffffffffffffffff", Via: testCID},
			{ID: "event_viewer", Name: "Event Viewer", Scope: testCID, Via: "SOC"},
			{ID: "event_viewer", Name: "Event Viewer", Scope: testCID, Via: "Europe"},
			{ID: "help_desk", Name: "Help Desk", Direct: true, Scope: testCID, ExpiresAt: &end},
		},
		Extra: map[string]any{
			"cid": testCID, "userType": "user", "createdAt": "2026-05-11T12:06:44.190233Z", "factors": []string{"TOTP"},
		},
	}, u)
}

func TestStatus(t *testing.T) {
	for text, want := range map[string]provision.Status{
		"active": provision.StatusActive, "inactive": provision.StatusDisabled, "": provision.StatusUnknown, "pending": provision.StatusUnknown,
	} {
		assert.Equal(t, want, status(text), "%q", text)
	}
}

func TestUserIsNotFound(t *testing.T) {
	tests := map[string]func(c *console){
		"nobody":       func(c *console) { c.always("GET "+pathUserIDs, ok()) },
		"nobody, null": func(c *console) { c.always("GET "+pathUserIDs, reply{status: 200, body: `{"resources":null}`}) },
		"gone since":   func(c *console) { c.always("POST "+pathUserRecords, ok()) },
		"gone, as error": func(c *console) {
			c.always("POST "+pathUserRecords, reply{200, nil, `{"errors":[{"code":404,"message":"no user"}]}`})
		},
		"gone, as 404":  func(c *console) { c.always("POST "+pathUserRecords, no(404, "no user")) },
		"gone, as 400":  func(c *console) { c.always("GET "+pathGrants, no(400, "invalid user uuid='"+testUUID+"' specified")) },
		"somebody else": func(c *console) { c.always("POST "+pathUserRecords, ok(person(testUUID, "x"+testLogin))) },
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			c := one(t)
			arrange(c)
			u, err := c.connect().User(t.Context(), testLogin)
			assert.Equal(t, provision.ErrNotFound, problem(t, err).Kind)
			assert.Zero(t, u)
		})
	}
}

func TestTwoUsersOfOneLogin(t *testing.T) {
	other := "5d3c2b1a-0f9e-4d8c-b7a6-958473625140"
	c := one(t).always("GET "+pathUserIDs, ok(testUUID, other)).
		always("POST "+pathUserRecords, ok(person(testUUID, testLogin), person(other, strings.ToUpper(testLogin))))
	_, err := c.connect().User(t.Context(), testLogin)
	assert.Equal(t, provision.ErrConflict, problem(t, err).Kind)
	assert.ErrorContains(t, err, other)
}

func TestLoginWithAQuote(t *testing.T) {
	const login = "Meg.O'Neil+x@acme.example"
	c := one(t).always("POST "+pathUserRecords, ok(person(testUUID, login))).
		always("GET "+pathLegacyUserID, ok(testUUID))
	u, err := c.connect().User(t.Context(), login)
	require.NoError(t, err)
	assert.Equal(t, login, u.Login)
	assert.Equal(t, []string{"GET " + pathLegacyUserID + "?uid=meg.o%27neil%2Bx%40acme.example", askedRecord, askedGrants}, c.asked())

	delete(c.routes, "GET "+pathLegacyUserID)
	c.forget()
	_, err = c.connect().User(t.Context(), login)
	require.NoError(t, err, "from the list")
	assert.Equal(t, "GET "+pathUserIDs+"?limit=500&offset=0&sort=uid%7Casc", c.asked()[1])

	c.always("GET "+pathLegacyUserID, no(404, "not found"))
	_, err = c.connect().User(t.Context(), login)
	require.ErrorIs(t, err, provision.ErrNotFound)
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{"a@b.c", "o'neil@b.c", `a\'+cid:'x`, "a,b", "*", "", "\x00", "ü@b.c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		filter, fits := fqlEqual("uid", value)
		if !fits {
			assert.True(t, strings.ContainsAny(value, "'\"\\`\x7f") || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' }))
			return
		}
		inner, found := strings.CutPrefix(filter, "uid:'")
		require.True(t, found)
		inner, found = strings.CutSuffix(inner, "'")
		require.True(t, found)
		assert.Equal(t, value, inner)
		assert.NotContains(t, inner, "'")
		assert.NotContains(t, inner, `\`)
	})
}

func TestCreateUser(t *testing.T) {
	const child = "7be2f0c45d6a4c1b9a3e8d5f60718293"
	expires := time.Date(2026, 12, 31, 23, 59, 59, 500, time.FixedZone("", 3600))
	tests := []struct {
		name string
		spec provision.UserSpec
		want []string
	}{
		{
			"bare",
			provision.UserSpec{Login: testLogin},
			[]string{"POST " + pathUsers + ` {"uid":"nela.kos@acme.example"}`},
		},
		{
			"everything",
			provision.UserSpec{
				Login: testLogin, FirstName: "Nela", LastName: "Kos", Phone: "1", Roles: []string{"help_desk", "event_viewer", "help_desk"},
				Expires: expires, Options: provision.Options{"cid": strings.ToUpper(child) + "-0F"}, Password: provision.NewSecret("Canary-Pass-1!"),
			},
			[]string{
				"POST " + pathUsers + ` {"uid":"nela.kos@acme.example","first_name":"Nela","last_name":"Kos","password":"Canary-Pass-1!","cid":"` + child + `"}`,
				"POST " + pathRoleActions + ` {"action":"grant","uuid":"` + testUUID + `","cid":"` + child +
					`","role_ids":["event_viewer","help_desk"],"expires_at":"2026-12-31T22:59:59Z"}`,
			},
		},
		{
			"in the home CID",
			provision.UserSpec{Login: testLogin, Roles: []string{"help_desk"}},
			[]string{
				"POST " + pathUsers + ` {"uid":"nela.kos@acme.example"}`,
				"POST " + pathRoleActions + ` {"action":"grant","uuid":"` + testUUID + `","cid":"` + testCID + `","role_ids":["help_desk"]}`,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := one(t).always("POST "+pathUsers, made(person(testUUID, testLogin)))
			u, err := c.connect().CreateUser(t.Context(), tt.spec)
			require.NoError(t, err)
			assert.Equal(t, tt.want, c.asked())
			assert.Equal(t, testUUID, u.ID)
			assert.Equal(t, sortedSet(tt.spec.Roles), sortedSet(u.DirectRoles()))
		})
	}
}

func TestCreateUserInPart(t *testing.T) {
	spec := provision.UserSpec{Login: testLogin, Roles: []string{"help_desk"}, Options: provision.Options{"cid": testCID}}
	tests := []struct {
		name   string
		action reply
		cause  provision.Kind
	}{
		{"scope missing", no(403, "access denied, scope not permitted"), provision.ErrForbidden},
		{"outcome unknown", no(500, "internal"), provision.ErrUncertain},
		{"no such role", no(400, "invalid roleID='help_desk' specified"), provision.ErrNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := one(t).always("POST "+pathUsers, made(person(testUUID, testLogin))).always("POST "+pathRoleActions, tt.action)
			u, err := c.connect().CreateUser(t.Context(), spec)
			e := problem(t, err)
			assert.Equal(t, provision.ErrPartial, e.Kind)
			require.ErrorIs(t, err, tt.cause)
			assert.Equal(t, "trace-of-meta", e.RequestID)
			assert.Equal(t, testUUID, u.ID)
			assert.Empty(t, u.DirectRoles())
			assert.Contains(t, e.Hint, "edrctl -t falcon role grant nela.kos@acme.example help_desk --set crowdstrike.cid="+testCID)
			assert.Len(t, c.asked(), 2)
		})
	}
}

func TestValidateCreate(t *testing.T) {
	for name, r := range map[string]reply{
		"with a record": made(map[string]any{"uid": testLogin}), "with nothing": {201, nil, `{"meta":{}}`}, "as 200": ok(),
	} {
		c := one(t).always("POST "+pathUsers, r)
		a := c.connect(func(cfg *provision.Config) { cfg.ReadOnly = true })
		require.NoError(t, a.ValidateCreate(t.Context(), provision.UserSpec{Login: testLogin, Roles: []string{"x"}}), name)
		assert.Equal(t, []string{"POST " + pathUsers + `?validate_only=true {"uid":"nela.kos@acme.example"}`}, c.asked())
	}
	c := one(t).always("POST "+pathUsers, no(409, "taken"))
	require.ErrorIs(t, c.connect().ValidateCreate(t.Context(), provision.UserSpec{Login: testLogin}), provision.ErrExists)
	err := c.connect().ValidateCreate(t.Context(), provision.UserSpec{Login: testLogin, Options: provision.Options{"cid": "x"}})
	assert.ErrorIs(t, err, provision.ErrUsage)
}

func TestUpdateUser(t *testing.T) {
	renamed := person(testUUID, testLogin)
	renamed["last_name"] = "Kos-Vuk"
	last, same, phone := "Kos-Vuk", "Kos", "1"
	c := one(t, granted("help_desk", "Help Desk", testCID)).always("PATCH "+pathUsers, ok(renamed))
	a := c.connect()

	u, changed, err := a.UpdateUser(t.Context(), testLogin, provision.UserPatch{LastName: &last})
	require.NoError(t, err)
	assert.True(t, changed)
	assert.Equal(t, "Kos-Vuk", u.LastName)
	assert.Equal(t, []string{"help_desk"}, u.DirectRoles())
	assert.Equal(t, []string{
		askedID, askedRecord, askedGrants, "PATCH " + pathUsers + "?user_uuid=" + testUUID + ` {"first_name":"Nela","last_name":"Kos-Vuk"}`,
	}, c.asked())

	c.forget()
	_, changed, err = a.UpdateUser(t.Context(), testLogin, provision.UserPatch{LastName: &same})
	require.NoError(t, err)
	assert.False(t, changed)
	assert.Len(t, c.asked(), 3)

	c.forget()
	_, _, err = a.UpdateUser(t.Context(), testLogin, provision.UserPatch{Phone: &phone})
	require.ErrorIs(t, err, provision.ErrUnsupported)
	assert.Empty(t, c.asked())

	for name, r := range map[string]struct {
		reply
		kind provision.Kind
	}{
		"nothing returned": {ok(), provision.ErrUncertain}, "gone": {no(404, "user not found"), provision.ErrNotFound},
	} {
		c.always("PATCH "+pathUsers, r.reply)
		u, changed, err = a.UpdateUser(t.Context(), testLogin, provision.UserPatch{LastName: &last})
		assert.Equal(t, r.kind, problem(t, err).Kind, name)
		assert.False(t, changed, name)
		assert.Zero(t, u, name)
	}
}

func TestDeleteUser(t *testing.T) {
	c := one(t).always("DELETE "+pathUsers, reply{status: 200, body: map[string]any{"meta": meta(0)}})
	a := c.connect()
	gone, err := a.DeleteUser(t.Context(), testLogin)
	require.NoError(t, err)
	assert.Equal(t, provision.Removal{ID: testUUID, Deleted: true}, gone)
	assert.Equal(t, []string{askedID, askedRecord, "DELETE " + pathUsers + "?user_uuid=" + testUUID}, c.asked())

	for name, r := range map[string]reply{"404": no(404, "user not found"), "400": no(400, "invalid user uuid='x' specified")} {
		_, err = c.always("DELETE "+pathUsers, r).connect().DeleteUser(t.Context(), testLogin)
		assert.Equal(t, provision.ErrNotFound, problem(t, err).Kind, name)
	}
	_, err = c.always("DELETE "+pathUsers, reply{status: 404, body: "<html>"}).connect().DeleteUser(t.Context(), testLogin)
	assert.Equal(t, provision.ErrInternal, problem(t, err).Kind, "a missing route deletes nobody")
}

func TestReset(t *testing.T) {
	for what, action := range map[provision.Credential]string{
		provision.CredentialMFA: "reset_2fa", provision.CredentialPassword: "reset_password",
	} {
		c := one(t).always("POST "+pathUserActions, reply{status: 200, body: map[string]any{"meta": meta(0)}})
		require.NoError(t, c.connect().Reset(t.Context(), testLogin, what))
		assert.Equal(t, "POST "+pathUserActions+` {"ids":["`+testUUID+`"],"action":{"action_name":"`+action+`"}}`, c.asked()[2])
	}
}

func TestCheck(t *testing.T) {
	c := one(t)
	id, err := c.connect().Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, testClient, id.Name)
	assert.True(t, id.MayManage)
	assert.Empty(t, id.Account)
	assert.Contains(t, id.Note, "modern API")
	assert.Equal(t, []string{"GET " + pathUserIDs + "?limit=1&offset=0&sort=uid%7Casc"}, c.asked())

	c.always("GET "+pathUserIDs, gateway(403, "access denied, scope not permitted"))
	id, err = c.connect().Check(t.Context())
	require.NoError(t, err)
	assert.False(t, id.MayManage)
	assert.Contains(t, id.Note, "User management: Read")
}
