package cortex_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/mock/cortex"
)

const (
	ada  = "ada.quist@northwind.example"
	bo   = "Bo.Lindqvist@northwind.example"
	root = "root.admin@northwind.example"
	cy   = "cy.okafor@example.com"
	dana = "dana.reyes@contractors.example"
	ivo  = "ivo.novak+soc@my-company.com"

	getUsers     = "/public_api/v1/rbac/get_users"
	setUserRole  = "/public_api/v1/rbac/set_user_role"
	getRoles     = "/public_api/v1/rbac/get_roles"
	getUserGroup = "/public_api/v1/rbac/get_user_group"
	getSettings  = "/public_api/v1/authentication-settings/get/settings"
	iamUser      = "/platform/iam/v1/user"
	iamRole      = "/platform/iam/v1/role"
	iamGroup     = "/platform/iam/v1/user-group"
	iamScope     = "/platform/iam/v1/scope/"

	triageID = "tier_1_triage_4821"
	soc1     = "9f0c6a1e"
	duty     = "3c51b7d0"
)

// start is when every test begins, by its own clock.
func start() time.Time { return time.UnixMilli(1767225600000) }

// bench is a fake behind a server, and a client with a key for it.
type bench struct {
	t     *testing.T
	api   mock.API
	url   string
	clock time.Time
	id    string
	key   string
	nonce atomic.Int64
}

func newBench(t *testing.T, switches ...string) *bench {
	t.Helper()
	b := &bench{t: t, clock: start()}
	b.api = cortex.Maker().New(mock.Env{Now: func() time.Time { return b.clock }})
	srv := httptest.NewServer(b.api)
	t.Cleanup(srv.Close)
	b.url = srv.URL
	settings := b.api.Settings(srv.URL)
	b.id, b.key = settings["api-key-id"], settings["api-key"]
	for i := 0; i < len(switches); i += 2 {
		b.set(switches[i], switches[i+1])
	}
	return b
}

func (b *bench) set(name, value string) {
	b.t.Helper()
	require.NoError(b.t, b.api.Set(name, value))
}

// advanced are the headers of an advanced key.
func advanced(id, key, nonce, timestamp string) http.Header {
	sum := sha256.Sum256([]byte(key + nonce + timestamp))
	return http.Header{
		"X-Xdr-Auth-Id": {id}, "X-Xdr-Nonce": {nonce}, "X-Xdr-Timestamp": {timestamp},
		"Authorization": {fmt.Sprintf("%x", sum)},
	}
}

func (b *bench) sign() http.Header {
	return advanced(b.id, b.key, fmt.Sprintf("nonce%d", b.nonce.Add(1)), fmt.Sprint(b.clock.UnixMilli()))
}

type reply struct {
	status int
	header http.Header
	text   string
	body   any
}

// at walks into the body: names of fields and indexes of arrays.
func (r reply) at(t *testing.T, path ...any) any {
	t.Helper()
	v := r.body
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			require.True(t, ok, "%v in %s", step, r.text)
			require.Contains(t, m, step)
			v = m[step]
		case int:
			l, ok := v.([]any)
			require.True(t, ok && len(l) > step, "%v in %s", step, r.text)
			v = l[step]
		}
	}
	return v
}

// send makes a request with the given headers; a body that is no string is
// encoded as JSON.
func (b *bench) send(header http.Header, method, path string, body any) reply {
	b.t.Helper()
	var in io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		in = bytes.NewBufferString(body)
	default:
		encoded, err := json.Marshal(body)
		require.NoError(b.t, err)
		in = bytes.NewReader(encoded)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, in)
	require.NoError(b.t, err)
	r.Header = header.Clone()
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(b.t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	out := reply{status: res.StatusCode, header: res.Header, text: string(text)}
	if res.Header.Get("Content-Type") == "application/json" {
		require.NoError(b.t, json.Unmarshal(text, &out.body), string(text))
	}
	return out
}

func (b *bench) do(method, path string, body any) reply {
	b.t.Helper()
	return b.send(b.sign(), method, path, body)
}

type fields map[string]any

// wrap puts fields where the API wants them.
func wrap(f fields) fields { return fields{"request_data": f} }

func (b *bench) setRole(role string, emails ...string) reply {
	b.t.Helper()
	return b.do("POST", setUserRole, wrap(fields{"user_emails": emails, "role_name": role}))
}

func (b *bench) patch(email string, f fields) reply {
	b.t.Helper()
	return b.do("PATCH", iamUser+"/"+email, wrap(f))
}

// listed returns somebody as the list shows them: the one of the rbac calls,
// or that of the iam calls.
func (b *bench) listed(iam bool, email string) map[string]any {
	b.t.Helper()
	method, path, under := "POST", getUsers, "reply"
	if iam {
		method, path, under = "GET", iamUser, "data"
	}
	r := b.do(method, path, nil)
	require.Equal(b.t, http.StatusOK, r.status, r.text)
	list, _ := r.at(b.t, under).([]any)
	for _, one := range list {
		if m, _ := one.(map[string]any); m["user_email"] == email {
			return m
		}
	}
	return nil
}

func (b *bench) rbacUser(email string) map[string]any {
	b.t.Helper()
	return b.listed(false, email)
}

func (b *bench) iamUser(email string) map[string]any {
	b.t.Helper()
	return b.listed(true, email)
}
