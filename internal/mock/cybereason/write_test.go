package cybereason_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ada = "ada@acme.example"

func TestCreate(t *testing.T) {
	c := signedIn(t)
	login := "ir.lead+night@my-company.com"
	body := with(with(newUser(login), "roles", []string{"responder_l2"}), "totpEnabled", true)
	assert.Equal(t, `"success"`, c.write(http.MethodPost, userPath(login), body))
	u := c.list()[login]
	assert.Equal(t, []any{"responder_l2"}, u["roles"])
	assert.Equal(t, true, u["totpEnabled"])
	assert.InDelta(t, c.now.UnixMilli(), u["creationTime"], 0)
	assert.InDelta(t, c.now.UnixMilli(), u["lastUpdateTime"], 0)
	assert.Equal(t, `"userExists"`, c.write(http.MethodPost, userPath(login), body))

	other := strings.ToUpper(login[:1]) + login[1:]
	assert.Equal(t, `"userExists"`, c.write(http.MethodPost, userPath(other), with(body, "username", other)))
	assert.Equal(t, 1, c.count("writes"))
	assert.Zero(t, c.count("writesWithUnknownKeys"))

	scoped := with(with(newUser(ada), "roles", []string{"local_analyst_l1"}), "groups", []string{"b81d4f06"})
	assert.Equal(t, `"success"`, c.write(http.MethodPost, userPath(ada), scoped))
	assert.Equal(t, []any{"b81d4f06"}, c.list()[ada]["groups"])
	assert.Equal(t, "/#/current?", c.login(ada, goodPassword).header.Get("Location"))
}

func TestCreateAddresses(t *testing.T) {
	c := signedIn(t)
	for login, want := range map[string]string{
		"a@example.com": "success", "a@EXAMPLE.com": "userExists", "b@My-Company.com": "success",
		"c@x.example": "success", "d@y.x.example": "success",
		"a@example.org": "badUsername", "a@corp": "badUsername", "a@.example": "badUsername", "a@example": "badUsername",
		"a@sub.example.com": "badUsername", "@example.com": "badUsername", "nobody": "badUsername",
		"current": "badUsername", "a b@example.com": "badUsername", "a@b@example.com": "badUsername",
	} {
		if login == "a@EXAMPLE.com" {
			continue // only once a@example.com is there
		}
		assert.Equal(t, `"`+want+`"`, c.write(http.MethodPost, userPath(login), newUser(login)), login)
	}
	assert.Equal(t, `"userExists"`, c.write(http.MethodPost, userPath("a@EXAMPLE.com"), newUser("a@EXAMPLE.com")))
	assert.Equal(t, `"badUsername"`, c.write(http.MethodPost, userPath(ada), newUser("eve@acme.example")))
	assert.Equal(t, `"badUsername"`, c.write(http.MethodPost, userPath(ada), without(newUser(ada), "username")))
}

func TestCreateWantsEverything(t *testing.T) {
	c := signedIn(t)
	status := func(body any, header ...string) int {
		data, err := json.Marshal(body)
		require.NoError(t, err)
		return c.send(http.MethodPost, userPath(ada), string(data), header...).status
	}
	for _, key := range []string{"roles", "changePasswordOnNextLogin", "totpEnabled", "isDailyNotifications", "allowedLoginMethod"} {
		assert.Equal(t, http.StatusBadRequest, status(without(newUser(ada), key)), key)
		assert.Equal(t, http.StatusBadRequest, status(with(newUser(ada), key, nil)), key)
		assert.Equal(t, http.StatusBadRequest, status(with(newUser(ada), key, 7)), key)
	}
	assert.Equal(t, http.StatusBadRequest, status(with(newUser(ada), "allowedLoginMethod", "password")))
	assert.Equal(t, http.StatusBadRequest, status(with(newUser(ada), "groups", "all")))
	assert.Equal(t, http.StatusBadRequest, status(with(newUser(ada), "roles", []any{"api", 1})))
	assert.Equal(t, http.StatusBadRequest, status([]any{}))
	assert.Equal(t, http.StatusBadRequest, status(nil))
	assert.Equal(t, http.StatusBadRequest, status(newUser(ada), "Content-Type", "text/plain"))
	assert.Equal(t, http.StatusBadRequest, c.send(http.MethodPost, userPath(ada), "{").status)
	assert.Equal(t, http.StatusOK, status(newUser(ada), "Content-Type", "application/json; charset=utf-8"))
}

// The order in which the console looks at what is wrong.
func TestOrderOfChecks(t *testing.T) {
	c := signedIn(t)
	body := with(with(newUser(mara), "password", "short"), "roles", []string{"no_such_role"})
	assert.Equal(t, `"badUsername"`, c.write(http.MethodPost, userPath(mara), with(body, "username", ada)))
	assert.Equal(t, `"userExists"`, c.write(http.MethodPost, userPath(mara), body))
	body["username"] = ada
	assert.Equal(t, `"badStrictPassword"`, c.write(http.MethodPost, userPath(ada), body))
	body["password"] = goodPassword
	assert.Contains(t, c.write(http.MethodPost, userPath(ada), body), "unknown role no_such_role")
	body["roles"] = []string{"responder_l2", "local_analyst_l2"}
	assert.Equal(t, `"actionNotAllowed"`, c.write(http.MethodPost, userPath(ada), body))
}

func TestGrantAndRevoke(t *testing.T) {
	c := signedIn(t)
	before := c.list()[fieldTeam]
	body := with(c.record(fieldTeam), "roles", []string{"local_analyst_l1", "super_custom_7", "executive", "executive"})
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(fieldTeam), body))
	after := c.list()[fieldTeam]
	assert.Equal(t, []any{"local_analyst_l1", "super_custom_7", "executive"}, after["roles"])
	assert.Greater(t, after["lastUpdateTime"], before["lastUpdateTime"])
	assert.Equal(t, without(without(before, "roles"), "lastUpdateTime"), without(without(after, "roles"), "lastUpdateTime"))

	reordered := with(c.record(fieldTeam), "roles", []string{"executive", "super_custom_7", "local_analyst_l1"})
	assert.Equal(t, `"userNotChanged"`, c.write(http.MethodPut, userPath(fieldTeam), reordered))
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(fieldTeam), with(body, "roles", []string{})))
	assert.Empty(t, c.list()[fieldTeam]["roles"])
	assert.Zero(t, c.count("putsWithPassword"))
	assert.Equal(t, 2, c.count("writes"))

	nobody := "nobody@example.com"
	assert.Equal(t, `"userNotFound"`, c.write(http.MethodPut, userPath(nobody), with(body, "username", nobody)))
	assert.Equal(t, `"badUsername"`, c.write(http.MethodPut, userPath(fieldTeam), with(body, "username", nobody)))
	assert.Equal(t, http.StatusBadRequest, c.send(http.MethodPut, userPath(fieldTeam), "[]").status)
}

func TestUpdateDetails(t *testing.T) {
	c := signedIn(t)
	for key, value := range map[string]any{
		"isDailyNotifications": false, "changePasswordOnNextLogin": true, "allowedLoginMethod": "SSO",
		"groups": []any{"3f0c7a52"}, "totpEnabled": true, "creationTime": 1733300000001.0,
	} {
		body := with(c.record(night), key, value)
		assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(night), body), key)
		assert.Equal(t, value, c.list()[night][key])
		assert.Equal(t, `"userNotChanged"`, c.write(http.MethodPut, userPath(night), body), key)
	}
	assert.NotNil(t, c.list()[night]["totpSid"], "a second factor has a key")
}

func TestUpdateKeys(t *testing.T) {
	c := signedIn(t)
	sid := c.list()[irLead]["totpSid"]
	body := with(c.record(irLead), "roles", []string{"responder_l2"})
	body["totpSid"], body["userClassification"] = "JBSWY3DPEHPK3PXP", "x"
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(irLead), body))
	assert.Equal(t, sid, c.list()[irLead]["totpSid"])
	assert.Equal(t, 1, c.count("writesWithTotpSid"))
	assert.Equal(t, 1, c.count("writesWithUnknownKeys"))

	short := map[string]any{"username": irLead, "roles": []string{"executive"}}
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(irLead), short))
	assert.Equal(t, true, c.list()[irLead]["totpEnabled"])
	c.set("put-unsent", "default")
	created := c.list()[fieldTeam]["creationTime"]
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(irLead), short))
	assert.Equal(t, false, c.list()[irLead]["totpEnabled"])
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(fieldTeam), map[string]any{"username": fieldTeam}))
	assert.Empty(t, c.list()[fieldTeam]["roles"])
	assert.Empty(t, c.list()[fieldTeam]["groups"])
	assert.Equal(t, created, c.list()[fieldTeam]["creationTime"])
}

func TestDelete(t *testing.T) {
	c := signedIn(t)
	assert.Equal(t, `"success"`, c.write(http.MethodDelete, userPath(night), nil))
	assert.NotContains(t, c.list(), night)
	assert.Equal(t, `"userNotFound"`, c.write(http.MethodDelete, userPath(night), nil))
	assert.Equal(t, http.StatusOK, c.send(http.MethodDelete, userPath(starter), "", "Content-Type", "text/plain").status)
}

func TestRoles(t *testing.T) {
	c := signedIn(t)
	try := func(method string, change map[string]any) string {
		body := newUser(ada)
		for key, value := range change {
			body[key] = value
		}
		return c.write(method, userPath(ada), body)
	}
	for _, other := range []string{"sensor_admin_l1", "local_analyst_l1", "local_analyst_l2"} {
		pair := map[string]any{"roles": []string{"responder_l2", other}, "totpEnabled": true}
		assert.Equal(t, `"actionNotAllowed"`, try(http.MethodPost, pair))
	}
	alone := map[string]any{"roles": []string{"responder_l2"}}
	assert.Equal(t, `"actionNotAllowed"`, try(http.MethodPost, alone), "it needs a second factor")
	c.set("role-conflict", "actionFailed")
	assert.Equal(t, `"actionFailed"`, try(http.MethodPost, alone))
	alone["allowedLoginMethod"] = "SSO"
	assert.Equal(t, `"success"`, try(http.MethodPost, alone), "or single sign-on")
	grant := with(c.record(ada), "roles", []string{"responder_l2", "sensor_admin_l1"})
	assert.Equal(t, `"actionFailed"`, c.write(http.MethodPut, userPath(ada), grant))
	c.set("role-conflict", "accept")
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(ada), grant))

	unknown := with(c.record(ada), "roles", []string{"analyst_l9"})
	assert.Contains(t, c.write(http.MethodPut, userPath(ada), unknown), "unknown role")
	c.set("unknown-role", "accept")
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(ada), unknown))
	c.set("unknown-role", "reject")
	more := with(c.record(ada), "roles", []string{"analyst_l9", "super_custom_7"})
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(ada), more), "held roles and custom ones are known")
}
