package cybereason_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestList(t *testing.T) {
	c := signedIn(t)
	r := c.get("/rest/users")
	assert.True(t, strings.HasPrefix(r.header.Get("Content-Type"), "application/json"))
	assert.NotContains(t, r.body, "password\"")
	assert.NotContains(t, r.body, "sha256:")
	assert.NotContains(t, r.body, "synthetic")

	users := c.list()
	require.Len(t, users, 6)
	assert.Equal(t, []any{"user_admin", "sys_admin"}, users[service]["roles"])
	assert.Contains(t, users, mara)
	assert.Equal(t, []any{"local_analyst_l1", "super_custom_7"}, users[fieldTeam]["roles"])
	assert.Len(t, users[fieldTeam]["groups"], 2)
	assert.Equal(t, true, users[irLead]["totpEnabled"])
	assert.True(t, strings.HasPrefix(users[irLead]["totpSid"].(string), "CANARYTOTPSID"))
	assert.Nil(t, users[night]["totpSid"])
	assert.Equal(t, true, users[starter]["changePasswordOnNextLogin"])
	for login, u := range users {
		assert.Len(t, u, 12, login)
		assert.Equal(t, "PASSWORD", u["allowedLoginMethod"])
	}
}

func TestListSwitches(t *testing.T) {
	c := signedIn(t)
	for value, want := range map[string]bool{"on": false, "null": true, "off": true} {
		c.set("list-missing-roles", value)
		roles, there := c.list()[mara]["roles"]
		assert.Equal(t, want, there, value)
		assert.Equal(t, value == "off", roles != nil, value)
	}
	c.set("list-missing-roles", "off")
	c.set("list-two-spellings", "on")
	users := c.list()
	assert.Len(t, users, 7)
	assert.Equal(t, users[mara]["roles"], users[strings.ToLower(mara)]["roles"])
	c.set("list-two-spellings", "off")

	c.set("list-size", "5000")
	users = c.list()
	assert.Len(t, users, 5000)
	login := "load.04321@load.example"
	grant := with(without(without(without(users[login], "totpSid"), "userClassification"), "investigationViewConfig"),
		"roles", []string{"analyst_l1", "executive"})
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(login), grant))
	assert.Equal(t, []any{"analyst_l1", "executive"}, c.list()[login]["roles"])
	c.set("list-size", "0")
	assert.Len(t, c.list(), 6)
}

func TestCurrentAndSingle(t *testing.T) {
	c := signedIn(t)
	var current map[string]any
	require.NoError(t, json.Unmarshal([]byte(c.get("/rest/users/current").body), &current))
	assert.Equal(t, c.list()[service], current)

	for _, login := range []string{service, mara, night} {
		var u map[string]any
		r := c.get(userPath(login))
		require.NoError(t, json.Unmarshal([]byte(r.body), &u), r.body)
		assert.Equal(t, c.list()[login], u)
	}
	r := c.get(userPath("nobody@example.com"))
	assert.Equal(t, http.StatusNotFound, r.status)
	assert.Empty(t, r.header.Get("X-Mock-Unknown"))
	c.set("single-get", "code")
	r = c.get(userPath("nobody@example.com"))
	assert.Equal(t, http.StatusOK, r.status)
	assert.Equal(t, `"userNotFound"`, r.body)

	c.set("single-get", "missing")
	c.set("current", "missing")
	for _, path := range []string{userPath(service), "/rest/users/current"} {
		r = c.get(path)
		assert.Equal(t, http.StatusNotFound, r.status, path)
		assert.Empty(t, r.header.Get("X-Mock-Unknown"), path)
	}
	assert.Len(t, c.list(), 6, "the list is there")
}

func TestOtherPlaces(t *testing.T) {
	c := signedIn(t)
	var groups []map[string]any
	require.NoError(t, json.Unmarshal([]byte(c.get("/rest/groups").body), &groups))
	require.Len(t, groups, 2)
	assert.Contains(t, c.list()[fieldTeam]["groups"], groups[0]["id"])
	assert.JSONEq(t, `{"data":{"version":"21.2.43"}}`, c.get("/rest/monitor/global/server/version/all").body)
	r := c.get("/rest/ping")
	assert.True(t, strings.HasPrefix(r.header.Get("Content-Type"), "text/plain"))
	assert.Equal(t, "application.version=21.2.43\nuptime=86400\n", r.body)
	c.set("server-version", "missing")
	assert.Equal(t, http.StatusNotFound, c.get("/rest/monitor/global/server/version/all").status)
	c.set("server-version", "20.1.3")
	assert.JSONEq(t, `{"data":{"version":"20.1.3"}}`, c.get("/rest/monitor/global/server/version/all").body)
}

func TestUnknownRoutes(t *testing.T) {
	c := signedIn(t)
	for _, path := range []string{
		"/rest", "/rest/", "/rest/users/", "/rest/user", "/rest/users/a@example.com/lock", "/rest/roles", "/rest//users",
	} {
		r := c.get(path)
		assert.Equal(t, http.StatusNotFound, r.status, path)
		assert.Equal(t, "1", r.header.Get("X-Mock-Unknown"), path)
	}
	assert.Equal(t, "1", c.send(http.MethodPatch, userPath(mara), "{}").header.Get("X-Mock-Unknown"))
	assert.Equal(t, "1", c.send(http.MethodPost, "/rest/users", "[]").header.Get("X-Mock-Unknown"))
	assert.Equal(t, 9, c.count("unknownRoutes"))
}

func TestAdminRole(t *testing.T) {
	c := signedIn(t)
	c.set("admin-role", "off")
	assert.Equal(t, http.StatusForbidden, c.get("/rest/users").status)
	assert.Equal(t, http.StatusForbidden, c.get(userPath(mara)).status)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		r := c.send(method, userPath(mara), "not even JSON", "Content-Type", "text/plain")
		assert.Equal(t, http.StatusForbidden, r.status, "the role comes before the body")
	}
	assert.NotContains(t, c.get("/rest/users/current").body, "user_admin")
	assert.Equal(t, http.StatusNotFound, c.get("/rest/nothing").status)
	c.set("admin-role", "on")
	assert.Len(t, c.list(), 6)

	c.take(c.login(mara, seedPass))
	assert.Equal(t, http.StatusForbidden, c.get("/rest/groups").status, "that takes sys_admin")
	assert.Equal(t, http.StatusOK, c.get("/rest/users").status)
	c.take(c.login(night, seedPass))
	assert.Equal(t, http.StatusForbidden, c.get("/rest/users").status)
	assert.Equal(t, http.StatusOK, c.get("/rest/users/current").status)
}

func TestPathSpelling(t *testing.T) {
	c := signedIn(t)
	assert.Equal(t, http.StatusOK, c.get("/rest/users/soc%2Bnight@example.com").status)
	assert.Equal(t, http.StatusOK, c.get("/rest/users/soc%2Bnight%40example.com").status)
	assert.Zero(t, c.count("rawPlusPaths"))
	assert.Equal(t, http.StatusOK, c.get("/rest/users/soc+night@example.com").status)
	assert.Equal(t, 1, c.count("rawPlusPaths"))
	c.set("raw-plus", "space")
	assert.Equal(t, http.StatusNotFound, c.get("/rest/users/soc+night@example.com").status)
	assert.Equal(t, http.StatusOK, c.get("/rest/users/soc%2Bnight@example.com").status)

	lower := strings.ToLower(mara)
	assert.Equal(t, `"userNotFound"`, c.write(http.MethodDelete, userPath(lower), nil))
	c.set("path-case", "fold")
	assert.Equal(t, http.StatusOK, c.get(userPath(lower)).status)
	assert.Equal(t, `"success"`, c.write(http.MethodDelete, userPath(lower), nil))
	assert.NotContains(t, c.list(), mara)
}

func TestCompression(t *testing.T) {
	c := signedIn(t)
	assert.Equal(t, "gzip", c.send(http.MethodGet, "/rest/users", "", "Accept-Encoding", "gzip").header.Get("Content-Encoding"))
	assert.Empty(t, c.send(http.MethodGet, "/rest/users", "", "Accept-Encoding", "identity").header.Get("Content-Encoding"))
	assert.Equal(t, http.StatusOK, c.send(http.MethodHead, "/rest/users", "").status)
}
