package carbonblack_test

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (f *fake) fail(method, path string, status int, retryAfter time.Duration) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	f.Fail(w, httptest.NewRequest(method, path, nil), status, retryAfter)
	return w
}

func TestFail(t *testing.T) {
	f := start(t)
	for _, c := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", usersP, 500, `{"message":"internal server error"}`},
		{"POST", usersP, 502, `{"message":"bad gateway"}`},
		{"POST", usersP, 409, `{"password":null,"success":false,"message":"admin already registered","login_id":null,"registration_status":"ADMIN_ALREADY_REGISTERED"}`},
		{"POST", usersP, 404, `{"password":null,"success":false,"message":"invalid organization","login_id":null,"registration_status":"INVALID_ORGANIZATION"}`},
		{"DELETE", usersP + "/1", 409, `{"message":"remove the grant of this user before the user","success":false}`},
		{"POST", grants, 409, `{"message":"conflict"}`},
		{"GET", "/nowhere", 403, `{"message":"forbidden"}`},
	} {
		w := f.fail(c.method, c.path, c.status, 0)
		assert.Equal(t, c.status, w.Code)
		assert.JSONEq(t, c.want, w.Body.String())
		assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
		assert.Empty(t, w.Header().Get("Retry-After"))
	}
	assert.Equal(t, "3", f.fail("GET", usersP, 503, 3*time.Second).Header().Get("Retry-After"))
	assert.Equal(t, "2", f.fail("GET", usersP, 503, 1001*time.Millisecond).Header().Get("Retry-After"))
	assert.Equal(t, 200, f.do("GET", usersP, nil).status, "only a 429 blocks")
}

func TestErrorKey(t *testing.T) {
	f := start(t)
	for _, key := range []string{"message", "description", "error_code", "errorMessage", "error"} {
		f.set("error-key", key)
		got := map[string]string{}
		require.NoError(t, json.Unmarshal(f.fail("GET", usersP, 503, 0).Body.Bytes(), &got))
		assert.Len(t, got, 1)
		assert.NotEmpty(t, got[key])
		assert.NotEmpty(t, f.do("GET", grants+"/"+lea, nil).field(key))
	}
	f.set("error-key", "error_code")
	assert.Equal(t, "NOT_FOUND", f.do("GET", grants+"/"+lea, nil).field("error_code"))
	f.set("error-key", "text")
	w := f.fail("GET", usersP, 500, 0)
	assert.Equal(t, "internal server error", w.Body.String())
	assert.Contains(t, w.Header().Get("Content-Type"), "text/plain")
	// Bodies that are documented stay as they are.
	assert.Equal(t, "ADMIN_ALREADY_REGISTERED", f.do("POST", usersP, invite("ines.duarte@example.com")).field("registration_status"))
	assert.Equal(t, false, f.do("DELETE", usersP+"/6100417", nil).field("success"))
}

func (f *fake) early() float64 { return f.state()["earlyRequests"].(float64) }

func TestRateWindow(t *testing.T) {
	f := start(t)
	w := f.fail("GET", usersP, 429, 30*time.Second)
	assert.Equal(t, 429, w.Code)
	assert.Equal(t, "30", w.Header().Get("Retry-After"))
	assert.Zero(t, f.early())

	// Each request before the end starts the wait anew, whatever it is for.
	f.wait(20 * time.Second)
	r := f.do("GET", usersP, nil)
	assert.Equal(t, 429, r.status)
	assert.Equal(t, "30", r.header.Get("Retry-After"))
	f.wait(29 * time.Second)
	r = f.do("POST", usersP, invite("a@example.com"))
	assert.Equal(t, 429, r.status)
	assert.InDelta(t, 2, f.early(), 0)
	assert.Len(t, f.state()["pending"], 1)

	f.wait(30 * time.Second)
	assert.Equal(t, 200, f.do("GET", usersP, nil).status)
	assert.InDelta(t, 2, f.early(), 0)
}

func TestRateWindowWithoutPenalty(t *testing.T) {
	f := start(t)
	f.set("rate-penalty", "off")
	f.fail("GET", usersP, 429, 30*time.Second)
	f.wait(29 * time.Second)
	assert.Equal(t, 200, f.do("GET", usersP, nil).status)
	assert.InDelta(t, 1, f.early(), 0)
	f.wait(time.Second)
	assert.Equal(t, 200, f.do("GET", usersP, nil).status)
	assert.InDelta(t, 1, f.early(), 0)
}

func TestRateWindowAndFaults(t *testing.T) {
	f := start(t)
	f.fail("GET", usersP, 429, 30*time.Second)
	f.fail("GET", usersP, 429, 30*time.Second)
	assert.InDelta(t, 1, f.early(), 0, "the second came before the end of the first")
	f.fail("GET", usersP, 429, 0)
	assert.InDelta(t, 2, f.early(), 0)
	require.NoError(t, f.Load(nil))
	assert.Zero(t, f.early())
	assert.Equal(t, 200, f.do("GET", usersP, nil).status)
}
