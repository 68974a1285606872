package crowdstrike_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
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
		Body    json.RawMessage   `json:"body"`
	} `json:"response"`
}

func fixtures(t *testing.T) map[string]fixture {
	t.Helper()
	files, err := filepath.Glob("../../../testdata/crowdstrike/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	out := map[string]fixture{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var fx fixture
		dec := json.NewDecoder(bytes.NewReader(raw))
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
			prepare(f, name)
			path := fx.Request.Path
			if fx.Request.Query != "" {
				path += "?" + fx.Request.Query
			}
			req := f.request(fx.Request.Method, path, bodyOf(t, fx))
			if fx.Request.Path == "/oauth2/revoke" {
				s := f.server.Settings()
				req.SetBasicAuth(s["client-id"], s["client-secret"])
			}
			got := f.send(req)
			assert.Equal(t, fx.Response.Status, got.status, got.raw)
			for header, want := range fx.Response.Headers {
				switch {
				case header == "X-Cs-Traceid":
					if got.body["meta"] != nil {
						assert.Equal(t, got.meta("trace_id"), got.header.Get(header))
					}
				case header != "X-Ratelimit-Remaining" || want == "0":
					assert.Equal(t, want, got.header.Get(header), header)
				}
			}
			assert.Equal(t, flat(t, name, fx.Response.Body), flat(t, name, []byte(got.raw)))
			require.Len(t, f.server.Requests(), 1)
			assert.Empty(t, f.server.Requests()[0].Notes)
			assert.Equal(t, name == "no-route", f.server.Requests()[0].Unknown)
		})
	}
}

// prepare brings the fake into the state a fixture speaks of.
func prepare(f *falcon, name string) {
	switch name {
	case "token-ip-allowlist", "authorization-failed":
		f.set("ip-allowlist", "on")
	case "token-redirect":
		f.set("region-redirect", "eu-1")
	case "invalid-token":
		f.server.API().ExpireSessions()
	case "scope-missing":
		f.set("scope", "read")
	case "rate-limited", "rate-limited-ms":
		if name == "rate-limited-ms" {
			f.set("retry-after-unit", "ms")
		}
		require.NoError(f.t, f.server.Fault(mock.Fault{Action: "429", RetryAfter: 30}))
	case "server-error":
		require.NoError(f.t, f.server.Fault(mock.Fault{Action: "500"}))
	case "create-empty":
		f.set("create-empty", "not-applied")
	case "errors-on-2xx":
		f.set("errors-on-2xx", "applied")
	}
}

// bodyOf is the request's body; text in it is a form.
func bodyOf(t *testing.T, fx fixture) any {
	t.Helper()
	raw := string(fx.Request.Body)
	if raw == "null" {
		return nil
	}
	var text string
	if json.Unmarshal(fx.Request.Body, &text) != nil {
		return raw
	}
	form, err := url.ParseQuery(text)
	require.NoError(t, err)
	return form
}

// flat lists keys and values in the order of the wire. What is made anew for
// each answer counts as a kind of value only; ids of roles come in no fixed
// order.
func flat(t *testing.T, name string, body []byte) []string {
	t.Helper()
	var out []string
	volatile := []string{"trace_id", "access_token"}
	if strings.Contains(name, "create") {
		volatile = append(volatile, "uuid")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	for last := ""; ; {
		token, err := dec.Token()
		if err != nil {
			break
		}
		text := fmt.Sprint(token)
		if i := strings.Index(text, "trace-id='"); i >= 0 {
			text = text[:i]
		}
		if slices.Contains(volatile, last) {
			text = fmt.Sprintf("some %T", token)
		}
		out = append(out, text)
		last = text
	}
	if strings.HasPrefix(name, "roles-query") || name == "legacy-role-ids" {
		slices.Sort(out)
	}
	return out
}
