package carbonblack_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/mock/carbonblack"
)

const (
	org    = "7KQ2M9XD"
	orgURN = "psc:org:" + org
	usersP = "/appservices/v6/orgs/" + org + "/users"
	grants = "/access/v2/orgs/" + org + "/grants"
	fetch  = "/access/v2/grants/_fetch"
	rolesP = "/access/v3/orgs/" + org + "/principals/Q7W8E9R0TY/roles/permitted?type=USER"

	vera  = "psc:user:" + org + ":6100001"
	ines  = "psc:user:" + org + ":6100417"
	lea   = "psc:user:" + org + ":6100502"
	marek = "psc:user:" + org + ":6100533"
	priya = "psc:user:" + org + ":6100561"
	jonas = "psc:user:" + org + ":6100588"

	inesProfile = "5b0d7c1e-93f4-4a57-8a3b-1f6f0c2d9e10"

	viewAll    = "psc:role::BETA_VIEW_ALL"
	level1     = "psc:role::BETA_LEVEL_1_ANALYST"
	level2     = "psc:role::BETA_LEVEL_2_ANALYST"
	socTriage  = "psc:role:" + org + ":SOC_TRIAGE"
	superAdmin = "psc:role::BETA_SUPER_ADMIN"
)

type object = map[string]any

type list = []any

// fake is the fake behind a server, with a clock that stands still.
type fake struct {
	mock.API
	t     *testing.T
	url   string
	token string

	mu  sync.Mutex
	now time.Time
}

func start(t *testing.T) *fake {
	t.Helper()
	f := &fake{t: t, now: time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)}
	maker := carbonblack.Maker()
	require.Equal(t, "carbonblack", maker.Vendor)
	f.API = maker.New(mock.Env{Now: f.time})
	server := httptest.NewServer(f.API)
	t.Cleanup(server.Close)
	settings := f.Settings(server.URL)
	f.url = settings["url"]
	f.token = settings["api-secret"] + "/" + settings["api-id"]
	return f
}

func (f *fake) time() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fake) wait(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

func (f *fake) set(name, value string) {
	f.t.Helper()
	require.NoError(f.t, f.Set(name, value))
}

// reply is an answer; body is what its JSON holds.
type reply struct {
	status int
	header http.Header
	raw    string
	body   any
}

// field gives a value of the body by keys and positions, or nil.
func (r reply) field(path ...any) any {
	at := r.body
	for _, step := range path {
		switch step := step.(type) {
		case string:
			o, _ := at.(object)
			at = o[step]
		case int:
			l, _ := at.(list)
			if step >= len(l) {
				return nil
			}
			at = l[step]
		}
	}
	return at
}

// do sends a request; a body that is a string goes out as it is.
func (f *fake) do(method, path string, body any) reply {
	f.t.Helper()
	var in io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(body)
	default:
		encoded, err := json.Marshal(body)
		require.NoError(f.t, err)
		in = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, in)
	require.NoError(f.t, err)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return f.send(req)
}

func (f *fake) send(req *http.Request) reply {
	f.t.Helper()
	if f.token != "" {
		req.Header.Set("x-auth-token", f.token)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(f.t, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(f.t, err)
	r := reply{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		require.NoError(f.t, json.Unmarshal(raw, &r.body), "%s", raw)
		require.NotNil(f.t, r.body, "a body must not be null")
	}
	return r
}

// emails lists the addresses of the user list in its order.
func (f *fake) emails() []string {
	f.t.Helper()
	r := f.do("GET", usersP, nil)
	require.Equal(f.t, 200, r.status)
	out := []string{}
	for _, u := range r.field("users").(list) {
		out = append(out, u.(object)["email"].(string))
	}
	return out
}

// row gives a user of the list by address.
func (f *fake) row(email string) object {
	f.t.Helper()
	for _, u := range f.do("GET", usersP, nil).field("users").(list) {
		if strings.EqualFold(u.(object)["email"].(string), email) {
			return u.(object)
		}
	}
	return nil
}

func (f *fake) state() object {
	f.t.Helper()
	encoded, err := json.Marshal(f.State())
	require.NoError(f.t, err)
	out := object{}
	require.NoError(f.t, json.Unmarshal(encoded, &out))
	return out
}

func invite(email string) object {
	return object{
		"email": email, "role": "DEPRECATED", "role_urn": level1, "first_name": "Tomas", "last_name": "Keller",
		"phone": "", "auth_method": "PASSWORD",
		"profiles": list{object{"orgs": object{"allow": list{orgURN}}, "roles": list{level1}}},
	}
}

// with is a copy of an object with something changed; nil takes a key away.
func with(o object, key string, value any) object {
	c := object{}
	for k, v := range o {
		c[k] = v
	}
	c[key] = value
	if value == nil {
		delete(c, key)
	}
	return c
}

// httpDo is do for goroutines, which must not end the test: it gives the
// status, or 0.
func httpDo(f *fake, method, path string, body any) int {
	encoded, _ := json.Marshal(body)
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, bytes.NewReader(encoded))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Auth-Token", f.token)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}
