package carbonblack_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSettings(t *testing.T) {
	f := start(t)
	got := f.Settings("https://127.0.0.1:4711")
	assert.Equal(t, map[string]string{
		"url": "https://127.0.0.1:4711", "org-key": org, "api-id": "Q7W8E9R0TY", "api-secret": "MOCKSECRET0NOTREAL0MOCK0",
	}, got)
}

func TestToken(t *testing.T) {
	f := start(t)
	secret, id, _ := strings.Cut(f.token, "/")
	for name, token := range map[string]string{
		"none":          "",
		"id first":      id + "/" + secret,
		"secret alone":  secret,
		"secret, slash": secret + "/",
		"other id":      secret + "/AAAAAAAAAA",
		"other secret":  strings.Repeat("A", 24) + "/" + id,
		"lower case":    strings.ToLower(f.token),
		"longer":        f.token + "A",
	} {
		t.Run(name, func(t *testing.T) {
			f.token = token
			for _, path := range []string{usersP, "/no/such/route", "/appservices/v6/orgs/ZZ9PLURA/users"} {
				r := f.do("GET", path, nil)
				assert.Equal(t, 401, r.status, path)
				assert.Equal(t, path == "/no/such/route", r.header.Get("X-Mock-Unknown") != "", "for the log, which takes it away")
				assert.NotContains(t, r.raw, secret)
			}
		})
	}
}

func TestUnknownRoutes(t *testing.T) {
	f := start(t)
	for _, c := range [][2]string{
		{"GET", "/"},
		{"GET", usersP + "/"},
		{"GET", usersP + "/6100417"},
		{"PATCH", usersP + "/6100417"},
		{"POST", usersP + "/6100417/google-auth"},
		{"GET", grants},
		{"GET", grants + "/"},
		{"GET", grants + "/" + ines + "/profiles"},
		{"GET", "/access/v3/orgs/" + org + "/grants/" + ines},
		{"GET", "/access/v2/orgs/" + org + "/principals/Q7W8E9R0TY/roles/permitted?type=USER"},
	} {
		r := f.do(c[0], c[1], nil)
		assert.Equal(t, 404, r.status, c)
		assert.Equal(t, "1", r.header.Get("X-Mock-Unknown"), c)
	}
	// Known routes that find nothing are no mistake of the client's.
	for _, c := range [][2]string{
		{"DELETE", usersP + "/1"},
		{"DELETE", usersP + "/me"},
		{"GET", grants + "/" + lea},
		{"GET", "/appservices/v6/orgs/ZZ9PLURA/users"},
		{"GET", "/access/v2/orgs/ZZ9PLURA/grants/" + ines},
	} {
		r := f.do(c[0], c[1], nil)
		assert.Equal(t, 404, r.status, c)
		assert.Empty(t, r.header.Get("X-Mock-Unknown"), c)
	}
}

func TestColonsBothWays(t *testing.T) {
	f := start(t)
	coded := strings.ReplaceAll(ines, ":", "%3A")
	plain := f.do("GET", grants+"/"+ines, nil)
	require.Equal(t, 200, plain.status)
	for _, urn := range []string{coded, strings.ToLower(coded[:6]) + coded[6:], strings.Replace(ines, ":", "%3a", 1)} {
		r := f.do("GET", grants+"/"+urn, nil)
		assert.Equal(t, 200, r.status, urn)
		assert.Equal(t, plain.body, r.body)
	}
	r := f.do("DELETE", grants+"/"+coded+"/profiles/"+inesProfile, nil)
	assert.Equal(t, 200, r.status)
	assert.Equal(t, true, r.field("conditions", "disabled"))
}

func TestChange(t *testing.T) {
	f := start(t)
	for _, c := range []struct {
		method, path string
		want         bool
	}{
		{"GET", usersP, false},
		{"POST", usersP, true},
		{"PUT", usersP + "/1", true},
		{"DELETE", usersP + "/1", true},
		{"DELETE", usersP + "/1/google-auth", true},
		{"POST", fetch, false},
		{"GET", grants + "/" + ines, false},
		{"POST", grants, true},
		{"POST", grants + "/", true},
		{"PUT", grants + "/" + ines, true},
		{"DELETE", grants + "/" + ines, true},
		{"POST", grants + "/" + ines + "/profiles", true},
		{"GET", rolesP, false},
		{"POST", "/no/such/route", true},
		{"HEAD", usersP, false},
	} {
		got := f.Change(httptest.NewRequest(c.method, c.path, nil))
		assert.Equal(t, c.want, got, "%s %s", c.method, c.path)
	}
}

func TestPermission(t *testing.T) {
	calls := []struct {
		method, path string
		body         any
		need         string
	}{
		{"GET", usersP, nil, "users"},
		{"POST", usersP, invite("a@example.com"), "users"},
		{"PUT", usersP + "/6100417", object{}, "users"},
		{"DELETE", usersP + "/6100502", nil, "users"},
		{"DELETE", usersP + "/6100417/google-auth", nil, "users"},
		{"POST", fetch, list{object{"principal": ines, "org_ref": orgURN}}, "roles"},
		{"GET", grants + "/" + ines, nil, "roles"},
		{"POST", grants, object{}, "roles"},
		{"PUT", grants + "/" + ines, object{}, "roles"},
		{"POST", grants + "/" + ines + "/profiles", object{}, "roles"},
		{"PUT", grants + "/" + ines + "/profiles/" + inesProfile, object{}, "roles"},
		{"DELETE", grants + "/" + ines + "/profiles/" + inesProfile, nil, "roles"},
		{"DELETE", grants + "/" + ines, nil, "roles"},
		{"GET", rolesP, nil, "roles"},
	}
	for _, may := range []string{"full", "users", "roles", "none"} {
		f := start(t)
		f.set("permission", may)
		for _, c := range calls {
			allowed := may == "full" || may == c.need
			r := f.do(c.method, c.path, c.body)
			assert.Equal(t, !allowed, r.status == 403, "%s: %s %s: %d", may, c.method, c.path, r.status)
		}
	}
}

func TestContentType(t *testing.T) {
	f := start(t)
	for kind, want := range map[string]int{
		"application/json": 201, "Application/JSON; charset=utf-8": 201, "text/plain": 415, "": 415,
	} {
		body := fmt.Sprintf(`{"email":"k%d@example.com","role":"DEPRECATED"}`, len(kind))
		req, err := http.NewRequestWithContext(t.Context(), "POST", f.url+usersP, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", kind)
		assert.Equal(t, want, f.send(req).status, kind)
	}
}
