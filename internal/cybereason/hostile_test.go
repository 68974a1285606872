package cybereason_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// oddConsole lets everybody in and answers as a test wants it to.
type oddConsole struct {
	*testing.T
	list   string
	answer string
	status int
	write  func(r *http.Request, body []byte)
	server *httptest.Server
	log    safeBuffer
}

func newOddConsole(t *testing.T, list string) *oddConsole {
	o := &oddConsole{T: t, list: list, answer: `"success"`, status: http.StatusOK}
	o.server = httptest.NewServer(o)
	t.Cleanup(o.server.Close)
	return o
}

func (o *oddConsole) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/console")
	w.Header().Set("Date", fixtureTime().Format(http.TimeFormat))
	switch {
	case path == "/login.html":
		http.SetCookie(w, &http.Cookie{Name: "other", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: "0C3A91F2"})
		_, _ = io.WriteString(w, "<html><title>Cybereason</title><app></app></html>")
	case path == "/rest/users/current":
		_, _ = io.WriteString(w, `{"username":"svc-edrctl@soc.example"}`)
	case r.Method == http.MethodGet:
		_, _ = io.WriteString(w, o.list)
	default:
		body, err := io.ReadAll(r.Body)
		assert.NoError(o, err)
		if o.write != nil {
			o.write(r, body)
		}
		w.WriteHeader(o.status)
		_, _ = io.WriteString(w, o.answer)
	}
}

func (o *oddConsole) adapter() adapter {
	o.Helper()
	return soc(o.T, o.server, &o.log, func(cfg *provision.Config) { cfg.Settings["url"] = o.server.URL + "/console/" })
}

const complete = `"totpEnabled":true,"allowedLoginMethod":"PASSWORD"`

func TestOddRecords(t *testing.T) {
	o := newOddConsole(t, `[
		{"username":"a@x.example","roles":["api"],"totpSid":"CANARYTOTPSID1","password":"CANARYTOTPSID2"},
		{"username":7,"roles":["api"]}, "text", null, {}, {"roles":[]},
		{"username":"b@x.example","roles":"api","creationTime":"yesterday","totpEnabled":"yes","groups":[{"id":1}],"allowedLoginMethod":null},
		{"username":"c@x.example","roles":[{"id":"api"}],"creationTime":1e30}
	]`)
	users, err := all(o.adapter().Users(t.Context(), provision.Filter{}))
	require.NoError(t, err)
	require.Len(t, users, 3)
	assert.Equal(t, []string{"api"}, users[0].DirectRoles())
	assert.Equal(t, map[string]any{}, users[1].Extra)
	assert.Empty(t, users[2].Roles)
	assert.Contains(t, o.log.String(), "5 records")
	assert.NotContains(t, o.log.String(), canary)

	for _, body := range []string{``, `{}`, `null`, `"success"`, `[{"username":"a@x.example"}`, `[1,`, `[{"username":"a@x.example"},}`} {
		t.Run(body, func(t *testing.T) {
			t.Parallel() // what is no JSON is asked for again, after a while
			_, err := all(newOddConsole(t, body).adapter().Users(t.Context(), provision.Filter{}))
			assert.Equal(t, provision.ErrInternal, asError(t, err).Kind)
		})
	}
	_, err = all(newOddConsole(t, strings.Repeat("[", 100000)).adapter().Users(t.Context(), provision.Filter{}))
	require.Error(t, err)
}

// Values go back as they came, unknown keys and the second-factor key do not.
func TestUpdateEchoes(t *testing.T) {
	o := newOddConsole(t, `[{"username":"a@x.example","roles":["api","x"],"creationTime":1718000000000.0,"lastUpdateTime":"1","totpSid":"S",
		"groups":[{"id":"g","n":1.10}],"isDailyNotifications":null,"userClassification":"c","investigationViewConfig":[1],"locale":"de",`+complete+`}]`)
	var body string
	o.write = func(_ *http.Request, b []byte) {
		body = string(b)
		o.list = strings.Replace(o.list, `["api","x"]`, `["x","api","executive"]`, 1)
	}
	got, err := o.adapter().ChangeRoles(t.Context(), "a@x.example", grant("executive"))
	require.NoError(t, err)
	assert.Equal(t, []string{"executive"}, got.Granted)
	assert.JSONEq(t, `{"username":"a@x.example","roles":["api","x","executive"],"creationTime":1718000000000,"lastUpdateTime":"1",`+
		`"totpEnabled":true,"isDailyNotifications":null,"allowedLoginMethod":"PASSWORD","groups":[{"id":"g","n":1.1}]}`, body)
	assert.Contains(t, body, "1718000000000.0", "as it was written")
	assert.NotContains(t, o.log.String(), "nobody asked for")
}

func TestUpdateFailsClosed(t *testing.T) {
	for _, missing := range []string{"totpEnabled", "allowedLoginMethod", "roles"} {
		record := map[string]any{
			"username": "a@x.example", "roles": []string{"api"}, "totpEnabled": false, "allowedLoginMethod": "PASSWORD", "isDailyNotifications": false,
		}
		delete(record, missing)
		data, err := json.Marshal([]any{record})
		require.NoError(t, err)
		o := newOddConsole(t, string(data))
		o.write = func(r *http.Request, _ []byte) { assert.Fail(t, "written", "%s", r.URL) }
		a := o.adapter()
		_, err = a.ChangeRoles(t.Context(), "a@x.example", grant("executive"))
		assert.Contains(t, asError(t, err).Message, missing)
		_, _, err = a.UpdateUser(t.Context(), "a@x.example", options("daily-notifications", "true"))
		assert.Contains(t, asError(t, err).Message, missing)
	}
}

func TestUpdateWarns(t *testing.T) {
	o := newOddConsole(t, `[{"username":"a@x.example","roles":["api"],"groups":["g"],`+complete+`}]`)
	o.write = func(*http.Request, []byte) {
		o.list = `[{"username":"a@x.example","roles":["api","executive"],"groups":[],"totpEnabled":false,"allowedLoginMethod":"PASSWORD"}]`
	}
	_, err := o.adapter().ChangeRoles(t.Context(), "a@x.example", grant("executive"))
	require.NoError(t, err)
	assert.Contains(t, o.log.String(), "has changed totpEnabled, groups as well")
}

func TestCreateWithoutItsRoles(t *testing.T) {
	o := newOddConsole(t, `[]`)
	o.write = func(*http.Request, []byte) { o.list = `[{"username":"a@x.example","roles":["api"],` + complete + `}]` }
	u, err := o.adapter().CreateUser(t.Context(), newSpec("a@x.example", "api", "sensors_viewer"))
	e := asError(t, err)
	assert.Equal(t, provision.ErrPartial, e.Kind)
	require.ErrorIs(t, err, provision.ErrInvalid)
	assert.Contains(t, err.Error(), "sensors_viewer")
	assert.Equal(t, []string{"api"}, u.DirectRoles())
}

func TestFailuresWithACode(t *testing.T) {
	for body, want := range map[string]provision.Kind{
		`"userExists"`:               provision.ErrExists,
		`userExists`:                 provision.ErrExists,
		`{"message":"userExists"}`:   provision.ErrExists,
		`"success"`:                  provision.ErrUncertain,
		`<h1>userExists</h1>`:        provision.ErrUncertain,
		`{"message":"out of order"}`: provision.ErrUncertain,
	} {
		o := newOddConsole(t, `[]`)
		o.status, o.answer = http.StatusInternalServerError, body
		_, err := o.adapter().CreateUser(t.Context(), newSpec("a@x.example", "api"))
		assert.Equal(t, want, asError(t, err).Kind, "%s: %v", body, err)
	}
	for answer, want := range map[string]provision.Kind{
		`{"status":"ok"}`: provision.ErrUncertain, `{"message":"success"}`: provision.ErrUncertain, `true`: provision.ErrUncertain,
		`{"message":"userExists"}`: provision.ErrExists, `"maybe"`: provision.ErrInternal, `""`: provision.ErrUncertain,
	} {
		o := newOddConsole(t, `[]`)
		o.answer = answer
		_, err := o.adapter().CreateUser(t.Context(), newSpec("a@x.example", "api"))
		assert.Equal(t, want, asError(t, err).Kind, "%s: %v", answer, err)
	}
}

func TestLastAdministrator(t *testing.T) {
	everything := provision.RoleChange{All: true}
	o := newOddConsole(t, `[{"username":"svc-edrctl@soc.example","roles":["super"]},{"username":"a@x.example","roles":["user_admin"]},
		{"username":"b@x.example","roles":["user_admin","api"]},{"username":"current","roles":[]}]`)
	a := o.adapter()
	id, err := a.Check(t.Context())
	require.NoError(t, err)
	assert.True(t, id.MayManage, "nobody can tell")
	require.NoError(t, a.GuardRemoval(t.Context(), "b@x.example", revoke("api")))
	require.NoError(t, a.GuardRemoval(t.Context(), "a@x.example", everything))
	require.NoError(t, a.GuardRemoval(t.Context(), "a@x.example", everything), "asked again")
	err = a.GuardRemoval(t.Context(), "b@x.example", revoke("user_admin"))
	require.ErrorIs(t, err, provision.ErrRefused, "one of the two must stay")
	_, err = o.adapter().DeleteUser(t.Context(), "current")
	assert.ErrorIs(t, err, provision.ErrInvalid, "that is another endpoint")
}
