package cybereason_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
)

func TestSwitchesAreChecked(t *testing.T) {
	c := newConsole(t, mock.Env{})
	require.ErrorContains(t, c.api.Set("no-such", "on"), `no switch "no-such"`)
	for name, value := range map[string]string{
		"stale": "always", "lockout-after": "-1", "session-seconds": "soon", "clock-offset": "1.5", "sso-only": "ftp://x",
		"list-size": "99999999", "next-code": "", "tfa": "",
	} {
		require.ErrorContains(t, c.api.Set(name, value), "switch "+name, value)
	}
	for name, s := range c.api.Switches() {
		takes, help, ok := strings.Cut(s.Help, ": ")
		assert.True(t, ok, name)
		assert.NotEmpty(t, help, name)
		for _, value := range strings.Split(takes, "|") {
			switch value {
			case "N", "±N":
				value = "3"
			case "URL":
				value = "https://sso.example/"
			}
			require.NoError(t, c.api.Set(name, value), name)
			assert.Equal(t, value, c.switched(name))
		}
	}
	require.NoError(t, c.api.Load(nil))
	for name, s := range mockSwitches(t) {
		assert.Equal(t, s, c.switched(name), name)
	}
}

// mockSwitches are the values of a fresh fake.
func mockSwitches(t *testing.T) map[string]string {
	values := map[string]string{}
	for name, s := range newConsole(t, mock.Env{}).api.Switches() {
		values[name] = s.Value
	}
	return values
}

func TestWriteReply(t *testing.T) {
	type want struct {
		status     int
		kind, body string
	}
	const text = "text/plain;charset=UTF-8"
	const jsonType = "application/json;charset=UTF-8"
	for value, wants := range map[string][2]want{
		"quoted": {{200, jsonType, `"success"`}, {200, jsonType, `"userNotFound"`}},
		"bare":   {{200, text, "success"}, {200, text, "userNotFound"}},
		"empty":  {{200, "", ""}, {200, "", ""}},
		"204":    {{204, "", ""}, {200, jsonType, `"userNotFound"`}},
		"400":    {{200, jsonType, `"success"`}, {400, jsonType, `"userNotFound"`}},
		"500": {{500, "text/html;charset=UTF-8", `<!doctype html><html lang="en"><head><title>500 Internal Server Error</title></head><body>` +
			"<h1>500 Internal Server Error</h1></body></html>\n"}, {200, jsonType, `"userNotFound"`}},
	} {
		c := signedIn(t)
		c.set("write-reply", value)
		for i, w := range wants {
			r := c.send(http.MethodDelete, userPath(night), "")
			got := want{r.status, r.header.Get("Content-Type"), r.body}
			assert.Equal(t, w, got, "%s, %d", value, i)
		}
		assert.NotContains(t, c.list(), night, "applied all the same")
	}
}

func TestStale(t *testing.T) {
	c := signedIn(t)
	c.set("stale", "once")
	body := with(c.record(night), "roles", []string{"executive"})
	assert.Equal(t, `"staleUser"`, c.write(http.MethodPut, userPath(night), body))
	assert.Equal(t, "none", c.switched("stale"))
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(night), body))

	c.set("stale", "check")
	body = with(body, "roles", []string{"api"})
	assert.Equal(t, `"staleUser"`, c.write(http.MethodPut, userPath(night), body))
	assert.Equal(t, `"staleUser"`, c.write(http.MethodPut, userPath(night), without(body, "lastUpdateTime")))
	body = with(c.record(night), "roles", []string{"api"})
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(night), body))
}

func TestNextCode(t *testing.T) {
	c := signedIn(t)
	for _, write := range []func() string{
		func() string { return c.write(http.MethodPost, userPath(ada), newUser(ada)) },
		func() string { return c.write(http.MethodPut, userPath(night), c.record(night)) },
		func() string { return c.write(http.MethodDelete, userPath(night), nil) },
		func() string {
			return c.write(http.MethodPut, "/rest/users/reset", []string{servicePass, goodPassword})
		},
	} {
		before := c.list()
		c.set("next-code", "errorOccured")
		assert.Equal(t, `"errorOccured"`, write())
		assert.Equal(t, "none", c.switched("next-code"))
		assert.Equal(t, before, c.list())
	}
	assert.Zero(t, c.count("writes"))
}

func TestVisibility(t *testing.T) {
	c := signedIn(t)
	c.set("visibility-reads", "2")
	assert.Equal(t, `"success"`, c.write(http.MethodPost, userPath(ada), newUser(ada)))
	assert.NotContains(t, c.list(), ada)
	assert.Equal(t, `"userExists"`, c.write(http.MethodPost, userPath(ada), newUser(ada)), "it is there already")
	assert.NotContains(t, c.list(), ada)
	assert.Contains(t, c.list(), ada)

	grant := with(c.record(night), "roles", []string{"executive"})
	before := c.list()[night]["roles"]
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(night), grant))
	assert.Equal(t, before, c.list()[night]["roles"])
	grant["roles"] = []string{"api"}
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(night), grant))
	assert.Equal(t, before, c.list()[night]["roles"], "the first of two hidden writes counts")
	assert.Contains(t, c.get(userPath(night)).body, "analyst_l3", "a read of one user is a read")
	assert.Equal(t, []any{"api"}, c.list()[night]["roles"])

	assert.Equal(t, `"success"`, c.write(http.MethodDelete, userPath(night), nil))
	assert.Equal(t, http.StatusOK, c.get(userPath(night)).status)
	assert.Contains(t, c.list(), night)
	assert.NotContains(t, c.list(), night)
	c.set("visibility-reads", "0")
	assert.Equal(t, `"success"`, c.write(http.MethodDelete, userPath(ada), nil))
	assert.NotContains(t, c.list(), ada)
}
