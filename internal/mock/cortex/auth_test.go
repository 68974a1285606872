package cortex_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAdvancedKey(t *testing.T) {
	ms := func(at time.Time) string { return fmt.Sprint(at.UnixMilli()) }
	change := func(name string, value ...string) func(http.Header) {
		return func(h http.Header) { h[name] = value }
	}
	tests := []struct {
		name   string
		header func(b *bench) http.Header
		want   int
	}{
		{"signed", (*bench).sign, 200},
		{"whole seconds", func(b *bench) http.Header {
			b.clock = b.clock.Add(700 * time.Millisecond)
			return advanced(b.id, b.key, "n", ms(start()))
		}, 200},
		{"at the limit", func(b *bench) http.Header { return advanced(b.id, b.key, "n", ms(start().Add(-300*time.Second))) }, 200},
		{"too old", func(b *bench) http.Header { return advanced(b.id, b.key, "n", ms(start().Add(-301*time.Second))) }, 401},
		{"too new", func(b *bench) http.Header { return advanced(b.id, b.key, "n", ms(start().Add(301*time.Second))) }, 401},
		{"seconds for milliseconds", func(b *bench) http.Header { return advanced(b.id, b.key, "n", fmt.Sprint(start().Unix())) }, 401},
		{"no number", func(b *bench) http.Header { return advanced(b.id, b.key, "n", "now") }, 401},
		{"other secret", func(b *bench) http.Header { return advanced(b.id, b.key+"x", "n", ms(start())) }, 401},
		{"other id", func(b *bench) http.Header { return advanced("18", b.key, "n", ms(start())) }, 401},
		{"nothing", func(*bench) http.Header { return http.Header{} }, 401},
		{"no id", altered(change("X-Xdr-Auth-Id")), 401},
		{"no nonce", altered(change("X-Xdr-Nonce")), 401},
		{"no timestamp", altered(change("X-Xdr-Timestamp")), 401},
		{"another nonce", altered(change("X-Xdr-Nonce", "other")), 401},
		{"two digests", altered(func(h http.Header) { h["Authorization"] = append(h["Authorization"], "x") }), 401},
		{"bearer", altered(func(h http.Header) { h.Set("Authorization", "Bearer "+h.Get("Authorization")) }), 401},
		{"upper case", altered(func(h http.Header) { h.Set("Authorization", strings.ToUpper(h.Get("Authorization"))) }), 401},
		{"the key itself", func(b *bench) http.Header { return standard(b.id, b.key) }, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			got := b.send(tt.header(b), "POST", getUsers, wrap(nil))
			assert.Equal(t, tt.want, got.status, got.text)
			assert.Equal(t, tt.want == 401, got.header.Get("X-Mock-Note") != "", "a note says why")
		})
	}
}

func altered(change func(http.Header)) func(*bench) http.Header {
	return func(b *bench) http.Header {
		h := b.sign()
		change(h)
		return h
	}
}

func standard(id, key string) http.Header {
	return http.Header{"X-Xdr-Auth-Id": {id}, "Authorization": {key}}
}

func TestStandardKey(t *testing.T) {
	b := newBench(t, "key-type", "standard")
	assert.Equal(t, "standard", b.api.Settings("")["key-type"])
	for range 2 {
		assert.Equal(t, http.StatusOK, b.send(standard(b.id, b.key), "POST", getUsers, nil).status)
	}
	assert.Equal(t, http.StatusUnauthorized, b.send(standard(b.id, "Bearer "+b.key), "POST", getUsers, nil).status)
	assert.Equal(t, http.StatusUnauthorized, b.do("POST", getUsers, nil).status, "signed like an advanced key")
}

func TestReplay(t *testing.T) {
	b := newBench(t)
	header := b.sign()
	assert.Equal(t, http.StatusOK, b.send(header, "POST", getUsers, nil).status)
	assert.Equal(t, http.StatusUnauthorized, b.send(header, "POST", getUsers, nil).status)
	assert.Equal(t, http.StatusUnauthorized, b.send(header, "GET", iamUser, nil).status, "on any route")
	b.set("replay", "accept")
	assert.Equal(t, http.StatusOK, b.send(header, "POST", getUsers, nil).status)

	b = newBench(t)
	header = b.sign()
	assert.Equal(t, http.StatusNotFound, b.send(header, "GET", "/nowhere", nil).status)
	assert.Equal(t, http.StatusOK, b.send(header, "POST", getUsers, nil).status, "an unknown route uses no nonce up")
}

func TestOldNoncesAreForgotten(t *testing.T) {
	b := newBench(t)
	b.edit(func(st map[string]any) {
		old := map[string]any{"recent": start().UnixMilli()}
		for i := range 10_000 {
			old[fmt.Sprint("old", i)] = 1
		}
		st["nonces"] = old
	})
	assert.Equal(t, http.StatusOK, b.do("POST", getUsers, nil).status)
	assert.Len(t, decode(t, b.api.State())["nonces"], 2)
}

func TestClock(t *testing.T) {
	b := newBench(t, "clock-offset", "-400")
	r := b.do("POST", getUsers, nil)
	assert.Equal(t, http.StatusUnauthorized, r.status)
	assert.Equal(t, start().Add(-400*time.Second).UTC().Format(http.TimeFormat), r.header.Get("Date"))
	b.set("skew-limit", "400")
	assert.Equal(t, http.StatusOK, b.do("POST", getUsers, nil).status)
}

func TestKeys(t *testing.T) {
	b := newBench(t)
	b.edit(func(st map[string]any) {
		st["keys"] = []any{
			map[string]any{"id": 17, "secret": b.key, "roles": []string{"viewer"}},
			map[string]any{"id": 18, "secret": "other", "type": "standard", "roles": []string{"instance_admin"}, "expires_ms": start().UnixMilli() + 1000},
			map[string]any{"id": 19, "secret": "bare", "type": "standard", "roles": []string{}},
			map[string]any{"id": 20, "secret": "admin", "type": "standard", "roles": []string{"administrator"}},
		}
	})
	assert.Equal(t, http.StatusOK, b.do("POST", getUsers, nil).status)
	assert.Equal(t, http.StatusForbidden, b.setRole("Viewer", ada).status, "a viewer's key changes nothing")
	assert.Equal(t, http.StatusOK, b.send(standard("18", "other"), "POST", getSettings, nil).status)
	assert.Equal(t, http.StatusForbidden, b.send(standard("19", "bare"), "POST", getUsers, nil).status)
	assert.Equal(t, http.StatusForbidden, b.send(standard("20", "admin"), "POST", getSettings, nil).status)
	revoke := wrap(fields{"user_emails": []string{ivo}, "role_name": ""})
	assert.Equal(t, http.StatusForbidden, b.send(standard("20", "admin"), "POST", setUserRole, revoke).status)
	b.clock = b.clock.Add(time.Second)
	assert.Equal(t, http.StatusUnauthorized, b.send(standard("18", "other"), "POST", getUsers, nil).status, "expired")
}

func TestKeyProbes(t *testing.T) {
	b := newBench(t, "licence", "off", "permission", "none")
	for _, probe := range [][2]string{
		{"GET", "/api_keys/validate"},
		{"POST", "/api_keys/validate/"},
		{"GET", "/public_api/v1/healthcheck"},
		{"GET", "/public_api/v1/health_check/"},
	} {
		assert.Equal(t, http.StatusOK, b.do(probe[0], probe[1], nil).status, probe)
		assert.Equal(t, http.StatusUnauthorized, b.send(http.Header{}, probe[0], probe[1], nil).status, probe)
	}
	assert.Equal(t, "true", b.do("GET", "/api_keys/validate", nil).body)
}

func TestOrderOfChecks(t *testing.T) {
	b := newBench(t, "licence", "off", "permission", "viewer", "retries-exhausted", "1")
	call := func(header http.Header, path string) int { return b.send(header, "POST", path, "{").status }
	assert.Equal(t, 404, call(http.Header{}, "/public_api/v1/rbac/nothing"))
	assert.Equal(t, 401, call(http.Header{}, setUserRole))
	assert.Equal(t, 402, call(b.sign(), setUserRole))
	b.set("licence", "on")
	assert.Equal(t, 403, call(b.sign(), setUserRole))
	b.set("permission", "full")
	assert.Equal(t, 500, call(b.sign(), setUserRole))
	assert.Equal(t, 400, call(b.sign(), setUserRole))
	assert.Equal(t, 500, b.setRole("No Such Role", ada).status)
}
