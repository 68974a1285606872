package crowdstrike_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
)

func TestTokenForms(t *testing.T) {
	f := start(t)
	f.token = ""
	withGrant := f.form("")
	withGrant.Set("grant_type", "client_credentials")
	assert.Equal(t, http.StatusCreated, f.do(http.MethodPost, "/oauth2/token", withGrant).status)

	withGrant.Set("grant_type", "password")
	assert.Equal(t, http.StatusBadRequest, f.do(http.MethodPost, "/oauth2/token", withGrant).status)

	basic := f.request(http.MethodPost, "/oauth2/token", url.Values{"grant_type": {"client_credentials"}})
	s := f.server.Settings()
	basic.SetBasicAuth(s["client-id"], s["client-secret"])
	got := f.send(basic)
	assert.Equal(t, http.StatusCreated, got.status)
	assert.Equal(t, "300", got.header.Get("X-Ratelimit-Limit"))
	assert.Equal(t, "296", got.header.Get("X-Ratelimit-Remaining"))
	assert.NotEmpty(t, got.header.Get("X-Cs-Traceid"))
	assert.Empty(t, got.header.Values("X-Cs-Region"))

	other := f.form("")
	other.Set("client_id", strings.Repeat("a", 32))
	assert.Equal(t, http.StatusForbidden, f.do(http.MethodPost, "/oauth2/token", other).status)
	assert.Equal(t, http.StatusBadRequest, f.do(http.MethodPost, "/oauth2/token", url.Values{}).status)

	for _, r := range f.server.Requests() {
		assert.False(t, r.Write)
		assert.NotContains(t, r.Body, "mock_falcon")
	}
}

func TestTokenOfMember(t *testing.T) {
	f := start(t)
	f.signIn(childCID)
	assert.Equal(t, []string{ravi}, f.get(queryUsers+"?sort=uid").strings(), "who has a role there")
	assert.Equal(t, []string{"child/security_lead"}, f.held(ravi, ""))
	assert.Equal(t, http.StatusForbidden, f.roleAction("grant", ravi, homeCID, nil, "help_desk").status)
	assert.Equal(t, http.StatusForbidden, f.do(http.MethodDelete, usersPath+"?user_uuid="+ravi, nil).status)
	assert.Contains(t, f.get(queryRoles).strings(), fieldTeam)
	assert.NotContains(t, f.get(queryRoles).strings(), nightShift)

	id := f.create("field.user@example.com")
	assert.Equal(t, http.StatusOK, f.roleAction("grant", id, childCID, nil, fieldTeam).status)
	assert.Equal(t, []string{"child/" + fieldTeam}, f.held(id, ""))
	assert.Empty(t, f.get("/mssp/queries/children/v1").strings())

	for member, status := range map[string]int{
		strings.ToUpper(childCID): http.StatusBadRequest, childCID + "-0F": http.StatusBadRequest, strings.Repeat("f", 32): http.StatusForbidden,
	} {
		assert.Equal(t, status, f.do(http.MethodPost, "/oauth2/token", f.form(member)).status, member)
	}
}

func TestTokenEnds(t *testing.T) {
	tests := []struct {
		name string
		end  func(f *falcon)
	}{
		{"expired", func(f *falcon) { f.clock.at = f.clock.at.Add(1799 * time.Second) }},
		{"session ended", func(f *falcon) { f.server.API().ExpireSessions() }},
		{"never issued", func(f *falcon) { f.token = "mock.nothing" }},
		{"missing", func(f *falcon) { f.token = "" }},
		{"revoked", func(f *falcon) {
			req := f.request(http.MethodPost, "/oauth2/revoke", url.Values{"token": {f.token}})
			s := f.server.Settings()
			req.SetBasicAuth(s["client-id"], s["client-secret"])
			require.Equal(f.t, http.StatusOK, f.send(req).status)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := start(t)
			require.Equal(t, http.StatusOK, f.get(queryUsers).status)
			tt.end(f)
			got := f.get(queryUsers)
			assert.Equal(t, http.StatusUnauthorized, got.status)
			assert.Equal(t, "access denied, invalid bearer token", got.problem())
			assert.Equal(t, "15", got.header.Get("X-Ratelimit-Limit"))
			assert.Equal(t, "crowdstrike-api-gateway", got.meta("powered_by"))
			f.signIn("")
			assert.Equal(t, http.StatusOK, f.get(queryUsers).status)
		})
	}
}

func TestTokenLifetime(t *testing.T) {
	f := start(t)
	f.set("token-lifetime", "2")
	f.signIn("")
	f.clock.at = f.clock.at.Add(2 * time.Second)
	assert.Equal(t, http.StatusUnauthorized, f.get(queryUsers).status)
}

func TestRevokeNeedsTheClient(t *testing.T) {
	f := start(t)
	form := url.Values{"token": {f.token}}
	assert.Equal(t, http.StatusForbidden, f.do(http.MethodPost, "/oauth2/revoke", form).status)
	assert.Equal(t, http.StatusOK, f.get(queryUsers).status)
	req := f.request(http.MethodPost, "/oauth2/revoke", url.Values{})
	s := f.server.Settings()
	req.SetBasicAuth(s["client-id"], s["client-secret"])
	assert.Equal(t, http.StatusBadRequest, f.send(req).status)
}

func TestSchemeIsComparedWithoutCase(t *testing.T) {
	f := start(t)
	req := f.request(http.MethodGet, queryUsers, nil)
	req.Header.Set("Authorization", "bearer "+f.token)
	assert.Equal(t, http.StatusOK, f.send(req).status)
	req.Header.Set("Authorization", "Basic "+f.token)
	assert.Equal(t, http.StatusUnauthorized, f.send(req).status)
}

func TestRegionSwitches(t *testing.T) {
	f := start(t)
	f.set("region", "mock-1")
	assert.Equal(t, "mock-1", f.get(queryUsers).header.Get("X-Cs-Region"))
	f.set("region-redirect", "http://127.0.0.1:1/")
	got := f.do(http.MethodPost, "/oauth2/token", f.form(""))
	assert.Equal(t, http.StatusPermanentRedirect, got.status)
	assert.Equal(t, "http://127.0.0.1:1/oauth2/token", got.header.Get("Location"))
	f.set("region-redirect", "us-1")
	got = f.do(http.MethodPost, "/oauth2/token", f.form(""))
	assert.Equal(t, "https://api.crowdstrike.com/oauth2/token", got.header.Get("Location"))
	assert.Equal(t, "us-1", got.header.Get("X-Cs-Region"))
}

func TestScopes(t *testing.T) {
	tests := []struct {
		scope       string
		read, write int
	}{
		{"full", 200, 200}, {"read", 200, 403}, {"none", 403, 403},
	}
	for _, tt := range tests {
		t.Run(tt.scope, func(t *testing.T) {
			f := start(t)
			f.set("scope", tt.scope)
			assert.Equal(t, tt.read, f.get(queryUsers).status)
			assert.Equal(t, tt.read, f.do(http.MethodPost, readUsers, object{"ids": []string{nora}}).status, "a read sent as POST")
			got := f.roleAction("grant", nora, homeCID, nil, "help_desk")
			assert.Equal(t, tt.write, got.status)
			if tt.write == 403 {
				assert.Equal(t, "access denied, scope not permitted", got.problem())
			}
			assert.Equal(t, http.StatusOK, f.get("/sensors/queries/installers/ccid/v1").status)
		})
	}
	f := start(t)
	f.set("extra-scopes", "off")
	assert.Equal(t, http.StatusForbidden, f.get("/mssp/queries/children/v1").status)
}

func TestFamilies(t *testing.T) {
	const legacy = "/users/queries/user-uuids-by-cid/v1"
	tests := []struct {
		families    string
		modern, old int
	}{
		{"both", 200, 200}, {"modern", 200, 404}, {"legacy", 404, 200},
	}
	for _, tt := range tests {
		t.Run(tt.families, func(t *testing.T) {
			f := start(t)
			f.set("families", tt.families)
			modern, old := f.get(queryUsers), f.get(legacy)
			assert.Equal(t, []int{tt.modern, tt.old}, []int{modern.status, old.status})
			for _, got := range []reply{modern, old} {
				if got.status == http.StatusNotFound {
					assert.Equal(t, "crowdstrike-api-gateway", got.meta("powered_by"))
				}
			}
		})
	}
}

func TestUnknownRoutes(t *testing.T) {
	f := start(t)
	assert.Equal(t, http.StatusNotFound, f.get("/user-management/entities/groups/v1").status)
	got := f.do(http.MethodPut, usersPath, object{})
	assert.Equal(t, http.StatusMethodNotAllowed, got.status)
	assert.Equal(t, "DELETE, PATCH, POST", got.header.Get("Allow"))
	for _, r := range f.server.Requests() {
		assert.True(t, r.Unknown)
	}
}

func TestRateLimits(t *testing.T) {
	f := start(t)
	f.set("rate-limit", "2")
	assert.Equal(t, "1", f.get(queryUsers).header.Get("X-Ratelimit-Remaining"))
	f.clock.at = f.clock.at.Add(10 * time.Second)
	assert.Equal(t, http.StatusOK, f.get(queryUsers).status)
	got := f.get(queryUsers)
	assert.Equal(t, http.StatusTooManyRequests, got.status)
	assert.Equal(t, "2", got.header.Get("X-Ratelimit-Limit"))
	assert.Equal(t, "0", got.header.Get("X-Ratelimit-Remaining"))
	assert.Equal(t, "1795166163", got.header.Get("X-Ratelimit-RetryAfter"), "a minute after the first")
	f.clock.at = f.clock.at.Add(50 * time.Second)
	assert.Equal(t, http.StatusOK, f.get(queryUsers).status)

	f.set("token-limit", "1")
	assert.Equal(t, http.StatusCreated, f.do(http.MethodPost, "/oauth2/token", f.form("")).status)
	assert.Equal(t, http.StatusTooManyRequests, f.do(http.MethodPost, "/oauth2/token", f.form("")).status)

	f.set("anonymous-limit", "2")
	good := f.token
	for range 2 {
		f.token = "wrong"
		assert.Equal(t, http.StatusUnauthorized, f.get(queryUsers).status)
	}
	f.token = good
	assert.Equal(t, http.StatusTooManyRequests, f.get(queryUsers).status, "valid calls are locked out too")
	f.clock.at = f.clock.at.Add(time.Minute)
	assert.Equal(t, http.StatusOK, f.get(queryUsers).status)
}

func TestFailures(t *testing.T) {
	tests := []struct {
		path, action string
		status       int
		powered      any
		retry        string
	}{
		{queryUsers, "429", 429, "crowdstrike-api-gateway", "1795166107"},
		{queryUsers, "400", 400, "cs.flightcontrolapi", ""},
		{queryUsers, "401", 401, "crowdstrike-api-gateway", ""},
		{queryUsers, "403", 403, "crowdstrike-api-gateway", ""},
		{queryUsers, "404", 404, "cs.flightcontrolapi", ""},
		{queryUsers, "409", 409, "cs.flightcontrolapi", ""},
		{queryUsers, "500", 500, "cs.flightcontrolapi", ""},
		{queryUsers, "503", 503, nil, ""},
		{"/oauth2/token", "403", 403, "csam", ""},
		{"/oauth2/token", "400", 400, "csam", ""},
		{"/oauth2/token", "500", 500, "csam", ""},
		{"/oauth2/token", "418", 418, "csam", ""},
		{"/users/queries/emails-by-cid/v1", "500", 500, "cs.flightcontrolapi", ""},
	}
	for _, tt := range tests {
		t.Run(tt.path+" "+tt.action, func(t *testing.T) {
			f := start(t)
			method := http.MethodGet
			if tt.path == "/oauth2/token" {
				method = http.MethodPost
			}
			fault := mock.Fault{Path: tt.path, Action: tt.action}
			if tt.retry != "" {
				fault.RetryAfter = 4
			}
			require.NoError(t, f.server.Fault(fault))
			got := f.do(method, tt.path, f.form(""))
			assert.Equal(t, tt.status, got.status)
			assert.Equal(t, tt.powered, got.meta("powered_by"))
			assert.Equal(t, tt.retry, got.header.Get("X-Ratelimit-RetryAfter"))
			if tt.powered != nil {
				assert.NotEmpty(t, got.problem())
				assert.Equal(t, got.meta("trace_id"), got.header.Get("X-Cs-Traceid"))
			}
		})
	}
	f := start(t)
	f.set("retry-after-unit", "none")
	require.NoError(t, f.server.Fault(mock.Fault{Action: "429", RetryAfter: 4}))
	assert.Empty(t, f.get(queryUsers).header.Values("X-Ratelimit-RetryAfter"))
	require.NoError(t, f.server.Fault(mock.Fault{Action: "429"}))
	assert.Empty(t, f.get(queryUsers).header.Values("X-Ratelimit-RetryAfter"))
}
