package cortex_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const fixtures = "../../../testdata/cortex"

type fixture struct {
	Source  string `json:"source"`
	Request struct {
		Method string `json:"method"`
		Path   string `json:"path"`
		Query  string `json:"query"`
		Body   any    `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    any               `json:"body"`
	} `json:"response"`
}

// fixtureSwitches are for the fixtures the default switches do not fit.
func fixtureSwitches() map[string][]string {
	return map[string][]string{
		"rbac-get-users-groups-objects": {"groups-shape", "objects", "scope-shape", "object"},
		"rbac-get-user-group-data":      {"R4-shape", "data"},
		"iam-list-users-hidden":         {"hidden-key", "hidden"},
		"error-402-documented":          {"error-shape", "E2", "licence", "off"},
		"error-403-iam":                 {"instance-admin", "off"},
		"error-403-public":              {"permission", "viewer"},
		"error-404-no-iam":              {"generation", "xdr3"},
		"error-500-busy":                {"retries-exhausted", "1"},
		"error-500-group-not-found":     {"quotes", "escaped"},
	}
}

func TestFixtures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fixtures, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	known := fixtureSwitches()
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if name == "advanced_key_vectors" {
			continue
		}
		switches := known[name]
		delete(known, name)
		t.Run(name, func(t *testing.T) {
			var f fixture
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(raw, &f))
			require.NotEmpty(t, f.Source)
			b := newBench(t, switches...)
			header := b.sign()
			if f.Response.Status == http.StatusUnauthorized {
				header = http.Header{}
			}
			got := b.send(header, f.Request.Method, f.Request.Path, f.Request.Body)
			assert.Equal(t, f.Response.Status, got.status, got.text)
			assert.Empty(t, got.header.Get("X-Mock-Unknown"))
			for name, value := range f.Response.Headers {
				assert.Equal(t, value, got.header.Get(name))
			}
			if want, ok := f.Response.Body.(string); ok {
				assert.Equal(t, strings.Fields(tags(want)), strings.Fields(tags(got.text)))
				return
			}
			if got.status >= http.StatusBadRequest {
				assert.Equal(t, f.Response.Body, got.body)
				return
			}
			assert.Empty(t, differences("", f.Response.Body, got.body))
		})
	}
	assert.Empty(t, known, "switches for fixtures that are not there")
}

func tags(s string) string { return strings.NewReplacer("<", " <", ">", "> ").Replace(s) }

// differences compares shapes: the same fields, values of the same kind. Null
// fits everything, and every element of an array must fit one of the other's.
func differences(path string, want, got any) []string {
	if want == nil || got == nil {
		return nil
	}
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			return []string{path + ": no object"}
		}
		var out []string
		for name := range got {
			if _, ok := want[name]; !ok {
				out = append(out, path+"."+name+": not in the fixture")
			}
		}
		for name, value := range want {
			if _, ok := got[name]; !ok {
				out = append(out, path+"."+name+": missing")
			}
			out = append(out, differences(path+"."+name, value, got[name])...)
		}
		return out
	case []any:
		got, ok := got.([]any)
		if !ok {
			return []string{path + ": no array"}
		}
		var out []string
		for i, one := range got {
			if len(want) > 0 {
				out = append(out, differences(fmt.Sprintf("%s[%d]", path, i), want[min(i, len(want)-1)], one)...)
			}
		}
		return out
	}
	if fmt.Sprintf("%T", want) != fmt.Sprintf("%T", got) {
		return []string{fmt.Sprintf("%s: %T, not %T", path, got, want)}
	}
	return nil
}

func TestAdvancedKeyVectors(t *testing.T) {
	var file struct {
		Vectors []struct{ Key, Nonce, Timestamp, Digest string }
	}
	raw, err := os.ReadFile(filepath.Join(fixtures, "advanced_key_vectors.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &file))
	require.Len(t, file.Vectors, 2)
	for _, v := range file.Vectors {
		b := newBench(t)
		b.edit(func(st map[string]any) {
			st["keys"] = []any{map[string]any{"id": 8, "secret": v.Key, "roles": []string{"instance_admin"}}}
		})
		header := http.Header{
			"X-Xdr-Auth-Id": {"8"}, "X-Xdr-Nonce": {v.Nonce}, "X-Xdr-Timestamp": {v.Timestamp}, "Authorization": {v.Digest},
		}
		assert.Equal(t, http.StatusOK, b.send(header, "POST", getUsers, nil).status)
		assert.Equal(t, header, advanced("8", v.Key, v.Nonce, v.Timestamp))
	}
}
