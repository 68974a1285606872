package crowdstrike_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edrctl/internal/mock"
	"edrctl/internal/mock/crowdstrike"
)

const (
	homeCID  = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
	childCID = "7be2f0c45d6a4c1b9a3e8d5f60718293"

	nora   = "5d3c2b1a-0f9e-4d8c-b7a6-958473625140"
	ravi   = "27c1f6a8-3b90-4e5d-9d42-6a0b8c7e1f35"
	zofia  = "b4e8d0c6-71a5-4f29-8c3b-0d9e2f6a4718"
	tran   = "8f2a5c7e-d146-4b03-a9f8-31e0c5d7b269"
	omar   = "e09b3d51-64f2-47c8-b6a1-f82c7d504e93"
	sam    = "416d9e07-ac53-4d8e-8b70-5c2f1a96e3d4"
	nobody = "00000000-0000-4000-8000-000000000000"

	nightShift = "9b8a7f6e5d4c3b2a190817263544f0e1"
	fieldTeam  = "1e0f4453627180910a2b3c4d5e6f7a8b"

	queryUsers  = "/user-management/queries/users/v1"
	readUsers   = "/user-management/entities/users/GET/v1"
	usersPath   = "/user-management/entities/users/v1"
	actionsPath = "/user-management/entities/user-actions/v1"
	grantsPath  = "/user-management/combined/user-roles/v2"
	roleActions = "/user-management/entities/user-role-actions/v1"
	queryRoles  = "/user-management/queries/roles/v1"
	readRoles   = "/user-management/entities/roles/GET/v2"

	formType = "application/x-www-form-urlencoded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// falcon is the fake behind real HTTP, with a clock that only tests move.
type falcon struct {
	t      *testing.T
	server *mock.Server
	client *http.Client
	clock  *clock
	token  string
}

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// start serves the fake and signs in.
func start(t *testing.T) *falcon {
	t.Helper()
	c := &clock{time.Date(2026, 11, 20, 9, 15, 2, 120455000, time.UTC)}
	servers, err := mock.Start(t.Context(), mock.Options{Makers: []mock.Maker{crowdstrike.Maker()}, Plain: true, Now: c.now})
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		assert.NoError(t, servers.Close())
	})
	f := &falcon{t: t, server: servers.Server("crowdstrike"), clock: c, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	f.signIn("")
	f.server.ClearRequests()
	return f
}

func (f *falcon) form(member string) url.Values {
	s := f.server.Settings()
	form := url.Values{"client_id": {s["client-id"]}, "client_secret": {s["client-secret"]}}
	if member != "" {
		form.Set("member_cid", member)
	}
	return form
}

func (f *falcon) signIn(member string) {
	f.t.Helper()
	got := f.do(http.MethodPost, "/oauth2/token", f.form(member))
	require.Equal(f.t, http.StatusCreated, got.status, got.raw)
	f.token, _ = got.body["access_token"].(string)
	require.NotEmpty(f.t, f.token)
}

func (f *falcon) set(name, value string) {
	f.t.Helper()
	require.NoError(f.t, f.server.Set(name, value))
}

type reply struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

// strings are the resources of a list of ids.
func (r reply) strings() []string {
	list := []string{}
	resources, _ := r.body["resources"].([]any)
	for _, v := range resources {
		s, _ := v.(string)
		list = append(list, s)
	}
	return list
}

// values are one field of each resource.
func (r reply) values(key string) []any {
	list := []any{}
	resources, _ := r.body["resources"].([]any)
	for _, v := range resources {
		record, _ := v.(map[string]any)
		list = append(list, record[key])
	}
	return list
}

// problem is the message of the first error.
func (r reply) problem() string {
	list, _ := r.body["errors"].([]any)
	if len(list) == 0 {
		return ""
	}
	first, _ := list[0].(map[string]any)
	message, _ := first["message"].(string)
	return message
}

func (r reply) meta(key string) any {
	meta, _ := r.body["meta"].(map[string]any)
	return meta[key]
}

// do sends a request: url.Values as a form, text as it is, other bodies as JSON.
func (f *falcon) do(method, path string, body any) reply {
	f.t.Helper()
	return f.send(f.request(method, path, body))
}

func (f *falcon) get(path string) reply {
	f.t.Helper()
	return f.do(http.MethodGet, path, nil)
}

func (f *falcon) request(method, path string, body any) *http.Request {
	f.t.Helper()
	text, kind := "", "application/json"
	switch b := body.(type) {
	case nil:
	case url.Values:
		text, kind = b.Encode(), formType
	case string:
		text = b
	default:
		data, err := json.Marshal(b)
		require.NoError(f.t, err)
		text = string(data)
	}
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.server.URL+path, strings.NewReader(text))
	require.NoError(f.t, err)
	req.Header.Set("Content-Type", kind)
	if f.token != "" {
		req.Header.Set("Authorization", "Bearer "+f.token)
	}
	return req
}

func (f *falcon) send(req *http.Request) reply {
	f.t.Helper()
	res, err := f.client.Do(req)
	require.NoError(f.t, err)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	require.NoError(f.t, err)
	got := reply{status: res.StatusCode, header: res.Header, raw: string(data)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		require.NoError(f.t, json.Unmarshal(data, &got.body), got.raw)
	}
	return got
}

type object = map[string]any

// create makes a user and returns the id.
func (f *falcon) create(uid string) string {
	f.t.Helper()
	got := f.do(http.MethodPost, usersPath, object{"uid": uid, "first_name": "Nela", "last_name": "Kos"})
	require.Equal(f.t, http.StatusCreated, got.status, got.raw)
	id, _ := got.values("uuid")[0].(string)
	return id
}

func (f *falcon) roleAction(action, uuid, cid string, more object, roles ...string) reply {
	f.t.Helper()
	body := object{"action": action, "uuid": uuid, "cid": cid, "role_ids": roles}
	for key, value := range more {
		body[key] = value
	}
	return f.do(http.MethodPost, roleActions, body)
}

// held lists the roles of a user as CID/role, sorted by name of the role.
func (f *falcon) held(uuid, more string) []string {
	f.t.Helper()
	got := f.get(grantsPath + "?sort=role_name&user_uuid=" + uuid + more)
	require.Equal(f.t, http.StatusOK, got.status, got.raw)
	list := []string{}
	cids, ids := got.values("cid"), got.values("role_id")
	for i := range ids {
		cid, id := cids[i].(string), ids[i].(string) //nolint:forcetypeassert // a test
		switch cid {
		case homeCID:
			cid = "home"
		case childCID:
			cid = "child"
		}
		list = append(list, cid+"/"+id)
	}
	return list
}
