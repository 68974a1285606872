package cybereason_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
)

const fixtures = "../../../testdata/cybereason"

type fixture struct {
	Source  string `json:"source"`
	Request struct {
		Method  string            `json:"method"`
		Path    string            `json:"path"`
		Query   string            `json:"query"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	} `json:"response"`
}

// fixtureSwitches are the switches that lead to an answer which is not the
// usual one.
func fixtureSwitches(name string) map[string]string {
	return map[string]map[string]string{
		"login-tfa":        {"tfa": "on"},
		"login-tfa-first":  {"tfa": "on"},
		"tfa-accepted":     {"tfa": "on"},
		"tfa-rejected":     {"tfa": "on"},
		"session-gone-401": {"session-gone": "401"},
		"update-stale":     {"stale": "check"},
	}[name]
}

// fixtureState is the console of the fixtures: the users of their list, of
// whom only the first can sign in.
func fixtureState(t *testing.T, name string) []byte {
	t.Helper()
	var users []map[string]any
	require.NoError(t, json.Unmarshal(readFixture(t, "users-list").Response.Body, &users))
	var own []string
	require.NoError(t, json.Unmarshal(readFixture(t, "reset-own").Request.Body, &own))
	for _, u := range users {
		u["totpKeyShown"] = name != "login-tfa-first"
	}
	users[0]["password"] = own[0]
	users[0]["changePasswordOnNextLogin"] = name == "login-expired"
	if name == "forbidden" {
		users[0]["roles"] = []string{"user_admin"}
	}
	roles := []string{"user_admin", "sys_admin", "analyst_l1", "analyst_l2", "policies_admin", "executive", "responder_l2", "sensor_admin_l1"}
	state, err := json.Marshal(map[string]any{
		"users": users, "roles": roles, "groups": readFixture(t, "groups").Response.Body, "switches": fixtureSwitches(name),
	})
	require.NoError(t, err)
	return state
}

func readFixture(t *testing.T, name string) fixture {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(fixtures, name+".json"))
	require.NoError(t, err)
	var f fixture
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&f))
	require.NotEmpty(t, f.Source)
	return f
}

// wireBody is a fixture's body as it goes over the wire.
func wireBody(t *testing.T, raw json.RawMessage, kind string) string {
	t.Helper()
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	if strings.HasPrefix(kind, "application/json") {
		return string(raw)
	}
	var text string
	require.NoError(t, json.Unmarshal(raw, &text))
	return text
}

func TestFixtures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fixtures, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			f := readFixture(t, name)
			c := newConsole(t, mock.Env{})
			require.NoError(t, c.api.Load(fixtureState(t, name)))
			if f.Request.Headers["Cookie"] != "" {
				login := readFixture(t, "login-accepted").Request
				c.take(c.send(login.Method, login.Path, wireBody(t, login.Body, "")))
			}
			var header []string
			for key, value := range f.Request.Headers {
				if key != "Cookie" {
					header = append(header, key, value)
				}
			}
			path := f.Request.Path
			if f.Request.Query != "" {
				path += "?" + f.Request.Query
			}
			got := c.send(f.Request.Method, path, wireBody(t, f.Request.Body, f.Request.Headers["Content-Type"]), header...)
			compare(t, f, got)
		})
	}
}

// compare wants the fixture's status and body, and its headers among those
// that came. Only session ids may differ.
func compare(t *testing.T, f fixture, got reply) {
	t.Helper()
	id := regexp.MustCompile(`JSESSIONID=[0-9A-F]{32}`)
	assert.Equal(t, f.Response.Status, got.status)
	for key, want := range f.Response.Headers {
		assert.Equal(t, id.ReplaceAllString(want, "ID"), id.ReplaceAllString(strings.Join(got.header.Values(key), "\n"), "ID"), key)
	}
	if _, sent := f.Response.Headers["Set-Cookie"]; !sent {
		assert.Empty(t, got.header.Values("Set-Cookie"))
	}
	kind := f.Response.Headers["Content-Type"]
	want := wireBody(t, f.Response.Body, kind)
	if strings.HasPrefix(kind, "application/json") {
		assert.JSONEq(t, want, got.body)
		return
	}
	assert.Equal(t, want, got.body)
}
