package cortex_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func encode(t *testing.T, state any) []byte {
	t.Helper()
	out, err := json.Marshal(state)
	require.NoError(t, err)
	return out
}

func decode(t *testing.T, state any) map[string]any {
	t.Helper()
	var out map[string]any
	require.NoError(t, json.Unmarshal(encode(t, state), &out))
	return out
}

// users is the part of a state that requests about people change.
func users(t *testing.T, state any) any {
	t.Helper()
	st := decode(t, state)
	return []any{st["users"], st["groups"]}
}

// edit changes the state of the fake by way of its JSON.
func (b *bench) edit(change func(st map[string]any)) {
	b.t.Helper()
	st := decode(b.t, b.api.State())
	change(st)
	require.NoError(b.t, b.api.Load(encode(b.t, st)))
}

func TestStateAndLoad(t *testing.T) {
	b := newBench(t)
	fresh := encode(t, b.api.State())
	header := b.sign()
	b.send(header, "POST", getUsers, nil)
	b.setRole("Viewer", ada)
	b.patch(cy, fields{"user_groups": []string{duty}})
	b.do("PUT", iamScope+"user/"+ada, wrap(fields{"assets": fields{"mode": "see_all"}}))
	b.do("POST", iamGroup, wrap(fields{"group_name": "N"}))
	b.set("update-count", "int")
	require.NoError(t, b.api.Activate("new.person@example.com"))
	saved := encode(t, b.api.State())
	assert.NotEqual(t, string(fresh), string(saved))

	require.NoError(t, b.api.Load(nil))
	assert.JSONEq(t, string(fresh), string(encode(t, b.api.State())), "the default state, switches included")
	require.NoError(t, b.api.Load(saved))
	assert.JSONEq(t, string(saved), string(encode(t, b.api.State())))
	assert.Equal(t, http.StatusUnauthorized, b.send(header, "POST", getUsers, nil).status, "nonces are part of it")
	other := newBench(t)
	require.NoError(t, other.api.Load(saved))
	other.nonce.Store(100) // those up to here are used
	assert.Equal(t, "Viewer", other.rbacUser(ada)["role_name"])
	assert.NotNil(t, other.rbacUser("new.person@example.com"))
}

func TestLoadByHand(t *testing.T) {
	b := newBench(t)
	require.NoError(t, b.api.Load([]byte(`{"users":[{"user_email":"a@b.example"}],"switches":{"generation":"xdr3"}}`)))
	assert.Equal(t, "CSP", b.rbacUser("a@b.example")["user_type"])
	assert.Equal(t, "xdr3", b.api.Switches()["generation"].Value)
	assert.Equal(t, "300", b.api.Switches()["skew-limit"].Value)
	before := encode(t, b.api.State())
	for _, bad := range []string{
		"", "{", "[]", `{} {}`, `{"people":[]}`, `{"switches":{"generation":"xdr9"}}`,
		`{"users":[{"user_email":""}]}`, `{"users":[{"user_email":"a@b"},{"user_email":"A@b"}]}`,
		`{"users":[{"user_email":"a@b","role_id":"x"}]}`,
		`{"groups":[{"group_name":"g","role_id":"x"}]}`, `{"groups":[{"group_name":"g","users":["a@b"]}]}`,
	} {
		require.Error(t, b.api.Load([]byte(bad)), bad)
	}
	assert.JSONEq(t, string(before), string(encode(t, b.api.State())), "an error changes nothing")
}

func TestActivate(t *testing.T) {
	b := newBench(t)
	require.NoError(t, b.api.Activate("New.person@example.com"))
	u := b.iamUser("New.person@example.com")
	assert.Equal(t, "Active", u["status"])
	assert.Empty(t, u["role_name"])
	assert.Nil(t, u["last_logged_in"])
	assert.Equal(t, "Person", u["user_last_name"])
	require.Error(t, b.api.Activate(strings.ToLower(bo)), "listed already")
	for _, bad := range []string{"", "x", "@example.com", "x@", "a b@example.com"} {
		require.Error(t, b.api.Activate(bad), bad)
	}
}

func TestExpireSessions(t *testing.T) {
	b := newBench(t)
	b.api.ExpireSessions()
	assert.Equal(t, http.StatusOK, b.do("POST", getUsers, nil).status, "there are none")
}

func TestTenantSettings(t *testing.T) {
	assert.Equal(t, map[string]string{
		"url": "https://127.0.0.1:1", "api-key-id": "17", "api-key": "mock-cortex-key-opens-nothing-else", "key-type": "advanced",
	}, newBench(t).api.Settings("https://127.0.0.1:1"))
}

func TestLargeBody(t *testing.T) {
	b := newBench(t)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", setUserRole, strings.NewReader(strings.Repeat(" ", 2<<20)))
	r.Header = b.sign()
	b.api.ServeHTTP(w, r)
	assert.Equal(t, http.StatusBadRequest, w.Code)
}

func TestManyAtOnce(t *testing.T) {
	b := newBench(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			header := b.sign()
			for _, path := range []string{getUsers, setUserRole} {
				r := httptest.NewRequest("POST", path, strings.NewReader(`{"request_data":{"user_emails":["`+ada+`"],"role_name":"Viewer"}}`))
				r.Header = header
				b.api.ServeHTTP(httptest.NewRecorder(), r)
			}
			b.api.State()
			b.api.Switches()
			b.api.Settings("")
			assert.NoError(t, b.api.Set("skew-limit", string(rune('1'+i))))
		})
	}
	wg.Wait()
}
