package cortex_test

import (
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
)

func TestSwitches(t *testing.T) {
	b := newBench(t)
	all := b.api.Switches()
	assert.Equal(t, "platform5", all["generation"].Value)
	assert.Equal(t, "300", all["skew-limit"].Value)
	for name, sw := range all {
		assert.NotEmpty(t, sw.Help, name)
		require.NoError(t, b.api.Set(strings.ToUpper(name), strings.ToUpper(sw.Value)), name)
		require.Error(t, b.api.Set(name, "no such value"), name)
	}
	assert.Equal(t, all, b.api.Switches(), "without regard to case, and nothing changed")
	require.ErrorContains(t, b.api.Set("colour", "red"), "generation")
	require.Error(t, b.api.Set("skew-limit", "-1"))
	require.NoError(t, b.api.Set("clock-offset", "-90"))
}

func TestGeneration(t *testing.T) {
	b := newBench(t, "generation", "xdr3")
	for _, header := range []http.Header{b.sign(), {}} {
		r := b.send(header, "GET", iamUser, nil)
		assert.Equal(t, http.StatusNotFound, r.status, "the route is looked at before the key")
		assert.Empty(t, r.header.Get("X-Mock-Unknown"), "a fair question to ask")
	}
	assert.Equal(t, http.StatusNotFound, b.patch(ada, fields{}).status)
	assert.Equal(t, http.StatusOK, b.do("POST", getUsers, nil).status)
	b.set("xdr3-iam-status", "500")
	r := b.do("GET", iamRole, nil)
	assert.Equal(t, http.StatusInternalServerError, r.status)
	assert.Equal(t, "Internal Server Error", r.text)
}

func TestTrailingSlash(t *testing.T) {
	paths := []string{getUsers, setUserRole, getRoles, getUserGroup, getSettings}
	for value, want := range map[string][2]bool{"both": {true, true}, "with": {false, true}, "without": {true, false}} {
		b := newBench(t, "trailing-slash", value)
		for _, path := range paths {
			for i, end := range []string{"", "/"} {
				r := b.do("POST", path+end, nil)
				assert.Equal(t, want[i], r.status != http.StatusNotFound, "%s %s", value, path+end)
				assert.Equal(t, !want[i], r.header.Get("X-Mock-Unknown") != "")
			}
		}
	}
	assert.Equal(t, http.StatusNotFound, newBench(t).do("GET", iamUser+"/", nil).status)
}

func TestUnknownRoutes(t *testing.T) {
	b := newBench(t)
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/", 404},
		{"POST", "/public_api/v1/rbac/create_user", 404},
		{"GET", getUsers, 404},
		{"DELETE", iamUser + "/" + ada, 404},
		{"GET", "/platform/iam/v1/user//", 404},
		{"POST", "/public_api/v1/api_keys/generat", 500},
	} {
		r := b.do(tt.method, tt.path, nil)
		assert.Equal(t, tt.want, r.status, tt.path)
		assert.Equal(t, "1", r.header.Get("X-Mock-Unknown"), tt.path)
	}
}

func TestChange(t *testing.T) {
	b := newBench(t, "generation", "xdr3", "trailing-slash", "with")
	for route, want := range map[string]bool{
		"POST " + getUsers: false, "POST " + getRoles + "/": false, "POST " + getUserGroup: false, "POST " + getSettings: false,
		"POST " + setUserRole: true, "POST " + setUserRole + "/": true,
		"GET " + iamUser: false, "GET " + iamUser + "/x": false, "PATCH " + iamUser + "/x": true,
		"GET " + iamRole: false, "POST " + iamRole: true, "DELETE " + iamRole + "/x": true,
		"GET " + iamGroup: false, "POST " + iamGroup: true, "PATCH " + iamGroup + "/x": true, "DELETE " + iamGroup + "/x": true,
		"GET " + iamScope + "user/x": false, "PUT " + iamScope + "user/x": true,
		"GET /public_api/v1/healthcheck": false, "POST /api_keys/validate/": false,
		"GET /x": false, "POST /x": true, "DELETE " + iamUser + "/x": true,
	} {
		method, path, _ := strings.Cut(route, " ")
		assert.Equal(t, want, b.api.Change(httptest.NewRequest(method, path, nil)), route)
	}
}

func TestBusy(t *testing.T) {
	b := newBench(t, "retries-exhausted", "2")
	before := users(t, b.api.State())
	assert.Equal(t, "reached max number of retries", b.setRole("Viewer", ada).at(t, "reply", "err_extra"))
	assert.Equal(t, "1", b.api.Switches()["retries-exhausted"].Value)
	assert.Equal(t, "reached max number of retries", b.patch(ada, fields{"role_id": ""}).at(t, "reply", "err_extra"))
	assert.Equal(t, before, users(t, b.api.State()), "nothing has changed")
	assert.Equal(t, http.StatusOK, b.setRole("Viewer", ada).status)
}

func TestFail(t *testing.T) {
	fail := func(api mock.API, path string, status int, after time.Duration) (*httptest.ResponseRecorder, string) {
		w := httptest.NewRecorder()
		api.Fail(w, httptest.NewRequest("POST", path, nil), status, after)
		return w, w.Body.String()
	}
	b := newBench(t)
	w, body := fail(b.api, getUsers, 429, 1500*time.Millisecond)
	assert.Equal(t, 429, w.Code)
	assert.Equal(t, "2", w.Header().Get("Retry-After"))
	assert.JSONEq(t, `{"reply":{"err_code":429,"err_msg":"Too many requests","err_extra":""}}`, body)
	w, body = fail(b.api, iamUser, 429, 0)
	assert.NotContains(t, w.Header(), "Retry-After")
	assert.JSONEq(t, `{"reply":{"err_code":429,"err_msg":"Too many requests","err_extra":"","metadata":{}}}`, body)
	_, body = fail(b.api, iamUser, 400, 0)
	assert.Contains(t, body, `"data"`)
	w, body = fail(b.api, iamUser, 503, 0)
	assert.Equal(t, 503, w.Code)
	assert.NotContains(t, body, "{", "no body is documented")
	_, body = fail(b.api, getUsers, 502, 0)
	assert.Contains(t, body, `"err_code":502`)
	_, body = fail(b.api, "/api_keys/validate", 503, 0)
	assert.Contains(t, body, `"error"`)
	_, body = fail(b.api, getUsers, 409, 0)
	assert.Contains(t, body, `"Conflict"`)

	b.set("plain-500", "on")
	_, body = fail(b.api, getUsers, 500, 0)
	assert.Contains(t, body, "waitress")
	b.set("plain-500", "off")
	b.set("error-shape", "E2")
	_, body = fail(b.api, getUsers, 403, 0)
	assert.JSONEq(t, `{"err_code":"403","err_msg":"Insufficient permissions","err_extra":""}`, body)
	b.set("throttle-as", "500")
	w, body = fail(b.api, getUsers, 429, time.Second)
	assert.Equal(t, 500, w.Code)
	assert.Equal(t, "1", w.Header().Get("Retry-After"))
	assert.JSONEq(t, `{"err_code":"500","err_msg":"An error occurred while processing XDR public API","err_extra":"{\"message\":\"Too many requests\"}"}`, body)
	w, body = fail(b.api, iamUser, 429, 0)
	assert.Equal(t, 500, w.Code)
	assert.Equal(t, "Too many requests", body)
	b.set("error-shape", "E1")
	_, body = fail(b.api, getUsers, 429, 0)
	assert.Contains(t, body, `"err_extra":{"message":"Too many requests"}`, "an object")
}

func TestGzip(t *testing.T) {
	b := newBench(t)
	ask := func() *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+iamUser, nil)
		require.NoError(t, err)
		r.Header = b.sign()
		r.Header.Set("Accept-Encoding", "gzip")
		res, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	plain := ask() //nolint:bodyclose // by the cleanup
	assert.Empty(t, plain.Header.Get("Content-Encoding"))
	b.set("gzip", "on")
	packed := ask() //nolint:bodyclose // by the cleanup
	assert.Equal(t, "gzip", packed.Header.Get("Content-Encoding"))
	_, err := gzip.NewReader(packed.Body)
	require.NoError(t, err)
	assert.NotNil(t, b.iamUser(ada), "a client of the standard library sees nothing of it")
}
