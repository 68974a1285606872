package carbonblack_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fixture is an exchange written down from the vendor's documentation.
type fixture struct {
	Source  string `json:"source"`
	Request struct {
		Method string          `json:"method"`
		Path   string          `json:"path"`
		Query  string          `json:"query"`
		Body   json.RawMessage `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    any               `json:"body"`
	} `json:"response"`
}

func fixtures(t *testing.T) map[string]fixture {
	t.Helper()
	files, err := filepath.Glob("../../../testdata/carbonblack/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	out := map[string]fixture{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var fx fixture
		dec := json.NewDecoder(strings.NewReader(string(raw)))
		dec.DisallowUnknownFields()
		require.NoError(t, dec.Decode(&fx), file)
		require.NotEmpty(t, fx.Source, file)
		out[strings.TrimSuffix(filepath.Base(file), ".json")] = fx
	}
	return out
}

func TestFixtures(t *testing.T) {
	for name, fx := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			got := replay(f, name, fx)
			assert.Equal(t, fx.Response.Status, got.status, got.raw)
			for header, want := range fx.Response.Headers {
				assert.Equal(t, want, got.header.Get(header), header)
			}
			assert.Empty(t, got.header.Get("X-Mock-Note"), "the request has keys nobody knows")
			if fx.Response.Body == nil {
				assert.Empty(t, got.raw)
				return
			}
			assert.Equal(t, shape(fx.Response.Body), shape(got.body))
			assert.Empty(t, differences("", fx.Response.Body, got.body))
		})
	}
}

// replay brings the fake into the state a fixture speaks of and sends it the
// request.
func replay(f *fake, name string, fx fixture) reply {
	switch name {
	case "rate-limited":
		w := f.fail(fx.Request.Method, fx.Request.Path, 429, 30*time.Second)
		r := reply{status: w.Code, header: w.Header(), raw: w.Body.String()}
		require.NoError(f.t, json.Unmarshal(w.Body.Bytes(), &r.body))
		return r
	case "unauthorized":
		f.token = "X" + f.token
	case "forbidden":
		f.set("permission", "none")
	}
	var body any
	if len(fx.Request.Body) > 0 && string(fx.Request.Body) != "null" {
		body = string(fx.Request.Body)
	}
	path := fx.Request.Path
	if fx.Request.Query != "" {
		path += "?" + fx.Request.Query
	}
	return f.do(fx.Request.Method, path, body)
}

// TestFixturesCoverRoutes keeps the set complete.
func TestFixturesCoverRoutes(t *testing.T) {
	seen := map[string]bool{}
	for _, fx := range fixtures(t) {
		if fx.Response.Status < 300 {
			kind := "user"
			switch {
			case strings.Contains(fx.Request.Path, "_fetch"):
				kind = "fetch"
			case strings.Contains(fx.Request.Path, "/profiles"):
				kind = "profile"
			case strings.Contains(fx.Request.Path, "/grants"):
				kind = "grant"
			case strings.Contains(fx.Request.Path, "/permitted"):
				kind = "roles"
			case strings.Contains(fx.Request.Path, "/google-auth"):
				kind = "google-auth"
			}
			seen[fx.Request.Method+" "+kind] = true
		}
	}
	assert.Equal(t, []string{
		"DELETE google-auth", "DELETE grant", "DELETE profile", "DELETE user", "GET grant", "GET roles", "GET user",
		"POST fetch", "POST grant", "POST profile", "POST user", "PUT grant", "PUT profile", "PUT user",
	}, slices.Sorted(maps.Keys(seen)))
}

// shape reduces a value to its keys and types. Of a list it keeps every
// different shape once.
func shape(v any) any {
	switch v := v.(type) {
	case object:
		out := object{}
		for key, x := range v {
			out[key] = shape(x)
		}
		return out
	case list:
		out := list{}
		for _, x := range v {
			if s := shape(x); !slices.ContainsFunc(out, func(o any) bool { return assert.ObjectsAreEqual(o, s) }) {
				out = append(out, s)
			}
		}
		return out
	}
	return fmt.Sprintf("%T", v)
}

// differences compares values, but for those a server makes up. What a fixture
// lists must be in the fake's list, in any place and beside other things.
func differences(at string, want, got any) []string {
	var out []string
	switch want := want.(type) {
	case object:
		g, _ := got.(object)
		for key, x := range want {
			if key == "message" || key == "profile_uuid" && strings.HasPrefix(fmt.Sprint(x), "c1f0a9d2") {
				continue // free text; an id that is new
			}
			out = append(out, differences(at+"."+key, x, g[key])...)
		}
	case list:
		g, _ := got.(list)
		for i, x := range want {
			if !slices.ContainsFunc(g, func(y any) bool { return len(differences("", x, y)) == 0 }) {
				out = append(out, fmt.Sprintf("%s[%d] is nowhere", at, i))
			}
		}
	default:
		if !assert.ObjectsAreEqual(want, got) {
			out = append(out, fmt.Sprintf("%s: %v, not %v", at, got, want))
		}
	}
	return out
}

// TestFailLikeFixtures holds the answers to ordered failures against the same
// fixtures.
func TestFailLikeFixtures(t *testing.T) {
	for name, fx := range fixtures(t) {
		if fx.Response.Status < 400 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			f := start(t)
			w := httptest.NewRecorder()
			f.Fail(w, httptest.NewRequest(fx.Request.Method, fx.Request.Path, nil), fx.Response.Status, 0)
			var body any
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
			assert.Equal(t, shape(fx.Response.Body), shape(body))
		})
	}
}
