package carbonblack_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/carbonblack"
	"edrctl/internal/provision"
)

// fixture is an exchange as the vendor documents it.
type fixture struct {
	Request struct {
		Method, Path, Query string
		Body                json.RawMessage
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
}

func readFixture(t *testing.T, name string) fixture {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("../../testdata/carbonblack", name+".json"))
	require.NoError(t, err)
	var f fixture
	require.NoError(t, json.Unmarshal(raw, &f), name)
	return f
}

// replay is a server that knows fixtures and no others. Requests are compared
// with them as a whole; those of set are answered whatever their body is.
type replay struct {
	t   *testing.T
	url string

	mu       sync.Mutex
	fixtures []fixture
	set      map[string]fixture
	used     int
}

func newReplay(t *testing.T, names ...string) *replay {
	t.Helper()
	p := &replay{t: t, set: map[string]fixture{}}
	for _, name := range names {
		p.fixtures = append(p.fixtures, readFixture(t, name))
	}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// answer sets the answer to a request.
func (p *replay) answer(method, path string, status int, body string) {
	f := fixture{}
	f.Response.Status, f.Response.Body = status, json.RawMessage(body)
	p.set[method+" "+path] = f
}

// list sets the list of users.
func (p *replay) list(rows ...string) {
	p.answer(http.MethodGet, usersPath, 200, `{"success":true,"users":[`+strings.Join(rows, ",")+`]}`)
}

func (p *replay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	assert.Equal(p.t, "CANARY0SECRET0CANARY0SEC/Q7W8E9R0TY", r.Header.Get("X-Auth-Token"))
	for _, f := range p.fixtures {
		if f.Request.Method != r.Method || f.Request.Path != r.URL.Path {
			continue
		}
		p.used++
		assert.Equal(p.t, f.Request.Query, r.URL.RawQuery)
		if string(f.Request.Body) != "null" {
			assert.Equal(p.t, "application/json", r.Header.Get("Content-Type"))
			assert.JSONEq(p.t, string(f.Request.Body), string(body), "%s %s", r.Method, r.URL.Path)
		} else {
			assert.Empty(p.t, body)
		}
		f.write(w)
		return
	}
	f, ok := p.set[r.Method+" "+r.URL.Path]
	if !ok {
		p.t.Errorf("unexpected: %s %s %s", r.Method, r.URL, body)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	f.write(w)
}

func (f fixture) write(w http.ResponseWriter) {
	for name, value := range f.Response.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(f.Response.Status)
	if string(f.Response.Body) != "null" {
		_, _ = w.Write(f.Response.Body)
	}
}

func (p *replay) adapter(change func(c *provision.Config)) provision.Provisioner {
	p.t.Helper()
	cfg := config(p.url)
	if change != nil {
		change(&cfg)
	}
	a, err := carbonblack.New(p.t.Context(), cfg)
	require.NoError(p.t, err)
	return a
}

const (
	usersPath = "/appservices/v6/orgs/" + org + "/users"
	grants    = "/access/v2/orgs/" + org + "/grants"
	fetchPath = "/access/v2/grants/_fetch"

	inesURN = "psc:user:" + org + ":6100417"
	leaRow  = `{"org_key":"7KQ2M9XD","auth_method":"PASSWORD","org_id":48213,"login_id":6100502,"login_name":"lea.brandt@example.com",
		"email":"lea.brandt@example.com","phone":"","first_name":"Lea","last_name":"Brandt","admin_login_version":12,
		"org_admin_version":0,"role":"DEPRECATED","contact_id":15210102,"contact_version":0}`
	none = `{"results":[]}`
)

func TestFixtureList(t *testing.T) {
	p := newReplay(t, "list-users")
	p.answer(http.MethodPost, fetchPath, 200, `{"results":[`+string(readFixture(t, "get-grant").Response.Body)+`]}`)
	var got []provision.User
	for u, err := range p.adapter(nil).Users(t.Context(), provision.Filter{}) {
		require.NoError(t, err)
		got = append(got, u)
	}
	extra := map[string]any{"auth-method": "PASSWORD"}
	assert.Equal(t, []provision.User{
		{
			ID: "6100417", Login: ines, FirstName: "Ines", LastName: "Duarte", Status: provision.StatusActive, Extra: extra,
			Roles: []provision.HeldRole{
				{ID: socTriage, Name: "SOC_TRIAGE", Direct: true, Scope: org},
				{ID: level2, Name: "Level 2 Analyst", Direct: true, Scope: org},
			},
		},
		{ID: "6100588", Login: jonas, FirstName: "Jonas", LastName: "Weber", Status: provision.StatusActive, Extra: extra},
	}, got)
}

func TestFixtureFetch(t *testing.T) {
	ines := listed(t)[0]
	p := newReplay(t, "fetch-grants")
	p.list(ines, leaRow)
	n := 0
	for u, err := range p.adapter(nil).Users(t.Context(), provision.Filter{}) {
		require.NoError(t, err)
		assert.Len(t, u.Roles, []int{2, 0}[n])
		n++
	}
	assert.Equal(t, 2, n)
}

// listed are the rows of the list in the fixture.
func listed(t *testing.T) []string {
	t.Helper()
	var list struct{ Users []json.RawMessage }
	require.NoError(t, json.Unmarshal(readFixture(t, "list-users").Response.Body, &list))
	return []string{string(list.Users[0]), string(list.Users[1])}
}

func TestFixtureRoles(t *testing.T) {
	p := newReplay(t, "permitted-roles")
	roles, err := p.adapter(nil).Roles(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []provision.Role{
		{ID: socTriage, Name: "SOC Triage", Custom: true, Aliases: []string{"SOC_TRIAGE"}},
		{ID: viewAll, Name: "View All", Description: "Read-only access to the console", Aliases: []string{"BETA_VIEW_ALL"}},
	}, roles)
}

func TestFixtureCreate(t *testing.T) {
	tests := []struct {
		fixture, login, org string
		want                provision.Kind
	}{
		{"create-user", "tomas.keller@example.com", org, ""},
		{"create-user-domain", "tomas.keller@elsewhere.test", org, provision.ErrInvalid},
		{"create-user-taken", "Ines.Duarte@example.com", org, provision.ErrExists},
		{"create-user-invited-already", nadia, org, provision.ErrExists},
		{"create-user-wrong-org", "tomas.keller@example.com", "ZZ9PLURA", provision.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.fixture, func(t *testing.T) {
			p := newReplay(t, tt.fixture)
			p.list()
			a := p.adapter(func(c *provision.Config) { c.Settings["org-key"] = tt.org })
			u, err := a.CreateUser(t.Context(), provision.UserSpec{
				Login: tt.login, FirstName: "Tomas", LastName: "Keller", Roles: []string{level1, level1},
			})
			assert.Equal(t, 1, p.used)
			if tt.want != "" {
				require.ErrorIs(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, provision.User{
				Login: tt.login, FirstName: "Tomas", LastName: "Keller", Status: provision.StatusInvited,
				Extra: map[string]any{"auth-method": "PASSWORD"},
				Roles: []provision.HeldRole{{ID: level1, Name: "Level 1 Analyst", Direct: true, Scope: org}},
			}, u)
		})
	}
}

func TestFixtureModify(t *testing.T) {
	phone := "+351 555 0142"
	p := newReplay(t, "list-users", "modify-user")
	p.answer(http.MethodPost, fetchPath, 200, none)
	u, changed, err := p.adapter(nil).UpdateUser(t.Context(), strings.ToUpper(ines), provision.UserPatch{Phone: &phone})
	require.NoError(t, err)
	assert.True(t, changed)
	assert.Equal(t, phone, u.Phone)
	assert.Equal(t, 2, p.used)
}

func TestFixtureModifyOutdated(t *testing.T) {
	phone := "+351 555 0142"
	p := newReplay(t, "modify-user-outdated")
	p.list(strings.Replace(listed(t)[0], `"admin_login_version": 3`, `"admin_login_version": 2`, 1))
	p.answer(http.MethodPost, fetchPath, 200, none)
	_, _, err := p.adapter(nil).UpdateUser(t.Context(), ines, provision.UserPatch{Phone: &phone})
	require.ErrorIs(t, err, provision.ErrConflict)
	assert.Equal(t, 2, p.used, "it is tried twice")
}

func TestFixtureReset(t *testing.T) {
	p := newReplay(t, "list-users", "reset-google-auth")
	require.NoError(t, p.adapter(nil).Reset(t.Context(), ines, provision.CredentialMFA))
	p = newReplay(t, "list-users", "forbidden")
	require.ErrorIs(t, p.adapter(nil).Reset(t.Context(), ines, provision.CredentialMFA), provision.ErrForbidden)
}

func TestFixtureDelete(t *testing.T) {
	p := newReplay(t, "list-users", "delete-grant")
	p.answer(http.MethodPost, fetchPath, 200, `{"results":[`+string(readFixture(t, "get-grant").Response.Body)+`]}`)
	p.answer(http.MethodDelete, usersPath+"/6100417", 204, "null")
	gone, err := p.adapter(nil).DeleteUser(t.Context(), ines)
	require.NoError(t, err)
	assert.Equal(t, provision.Removal{ID: "6100417", Deleted: true, Revoked: []string{socTriage, level2}}, gone)

	p = newReplay(t, "delete-user")
	p.list(leaRow)
	p.answer(http.MethodPost, fetchPath, 200, none)
	gone, err = p.adapter(nil).DeleteUser(t.Context(), lea)
	require.NoError(t, err)
	assert.Equal(t, provision.Removal{ID: "6100502", Deleted: true}, gone)

	p = newReplay(t, "list-users", "delete-user-with-grant")
	p.answer(http.MethodPost, fetchPath, 200, none)
	_, err = p.adapter(nil).DeleteUser(t.Context(), ines)
	require.ErrorIs(t, err, provision.ErrConflict)
}

// TestFixtureGrants sends each write to a grant.
func TestFixtureGrants(t *testing.T) {
	march := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	own := string(readFixture(t, "get-grant").Response.Body)
	jonas := `{"principal":"psc:user:7KQ2M9XD:6100588","expires":0,"profiles":[],"org_ref":"psc:org:7KQ2M9XD",
		"roles":["psc:role::VIEW_ONLY","psc:role:7KQ2M9XD:SOC_TRIAGE","psc:role::CONTAINER_IMAGE_CLI_TOOL"],
		"principal_name":"Jonas Weber","created_by":"psc:user:7KQ2M9XD:6100001","updated_by":"psc:cnn:7KQ2M9XD:Q7W8E9R0TY",
		"create_time":"2025-02-11T08:14:55.120Z","update_time":"2025-06-30T16:02:09.871Z","can_manage":true}`
	tests := []struct {
		fixture, user, before, after string
		change                       provision.RoleChange
	}{
		{
			"create-grant", leaRow, "", string(readFixture(t, "create-grant").Response.Body),
			provision.RoleChange{Grant: []string{viewAll}},
		},
		{
			"update-grant", listed(t)[1], jonas, string(readFixture(t, "update-grant").Response.Body),
			provision.RoleChange{Grant: []string{viewAll}},
		},
		{
			"add-profile", listed(t)[0], own,
			strings.Replace(own, `"profiles": [`, `"profiles": [`+string(readFixture(t, "add-profile").Response.Body)+",", 1),
			provision.RoleChange{Grant: []string{viewAll}, Expires: march},
		},
		{
			"update-profile", listed(t)[0], own, strings.Replace(own, `"psc:role:7KQ2M9XD:SOC_TRIAGE"`, `"psc:role:7KQ2M9XD:SOC_TRIAGE", "`+viewAll+`"`, 1),
			provision.RoleChange{Grant: []string{viewAll}},
		},
		{
			"disable-profile", listed(t)[0], own, strings.Replace(own, `"disabled": false`, `"disabled": true`, 1),
			provision.RoleChange{Exact: true},
		},
		{"delete-grant", listed(t)[0], own, "", provision.RoleChange{All: true}},
	}
	for _, tt := range tests {
		t.Run(tt.fixture, func(t *testing.T) {
			var row struct {
				Email string
				ID    json.Number `json:"login_id"`
			}
			require.NoError(t, json.Unmarshal([]byte(tt.user), &row))
			p := newReplay(t, tt.fixture)
			p.list(tt.user)
			p.answer(http.MethodPost, fetchPath, 200, `{"results":[`+tt.before+`]}`)
			p.answer(http.MethodGet, grants+"/psc:user:"+org+":"+row.ID.String(), 200, tt.after)
			if tt.after == "" {
				p.answer(http.MethodGet, grants+"/"+inesURN, 404, string(readFixture(t, "get-grant-none").Response.Body))
			}
			a := p.adapter(func(c *provision.Config) {
				c.Now = func() time.Time { return time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC) }
			})
			got, err := a.ChangeRoles(t.Context(), row.Email, tt.change)
			require.NoError(t, err)
			assert.Equal(t, 1, p.used)
			assert.True(t, got.Changed())
		})
	}
}

func TestFixtureUnauthorized(t *testing.T) {
	p := newReplay(t, "unauthorized")
	_, err := p.adapter(nil).Check(t.Context())
	require.ErrorIs(t, err, provision.ErrUnauthenticated)
	assert.Equal(t, 1, p.used)
}

func TestFixtureRateLimited(t *testing.T) {
	p := newReplay(t, "rate-limited")
	_, err := p.adapter(nil).Check(t.Context())
	var e *provision.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, provision.ErrRateLimited, e.Kind)
	assert.Equal(t, 30*time.Second, e.RetryAfter)
	assert.Equal(t, 1, p.used, "nothing is sent before the time is over")
}

// TestFixturesAreUsed keeps the tests above complete.
func TestFixturesAreUsed(t *testing.T) {
	source, err := os.ReadFile("fixtures_test.go")
	require.NoError(t, err)
	files, err := filepath.Glob("../../testdata/carbonblack/*.json")
	require.NoError(t, err)
	unused := map[string]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if !strings.Contains(string(source), `"`+name+`"`) {
			unused[name] = true
		}
	}
	assert.Empty(t, slices.Sorted(maps.Keys(unused)))
}
