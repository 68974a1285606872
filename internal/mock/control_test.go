package mock_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
)

func TestControlAPI(t *testing.T) {
	servers, client := start(t, mock.Options{})
	s := servers.All()[0]
	require.NoError(t, s.Fault(mock.Fault{Action: "500", Count: -1}))
	tests := []struct {
		method, path, give string
		status             int
		want               string
	}{
		{"GET", "state", "", 200, `{"vendor":"list","items":["first"]}`},
		{"GET", "requests", "", 200, `[]`},
		{"GET", "switches", "", 200, `{"loud":{"value":"no","help":"shout"}}`},
		{"POST", "switches", `{"loud":true}`, 200, `{"loud":{"value":"true","help":"shout"}}`},
		{"POST", "switches", `{"colour":"red"}`, 400, `{"error":"unknown switch"}`},
		{"POST", "activate", `{"login":"ines.duarte@example.com"}`, 200, `{}`},
		{"POST", "activate", `{"login":"nobody@example.com"}`, 400, `{"error":"nobody of that login is invited"}`},
		{"DELETE", "faults", "", 200, `{}`},
		{"POST", "faults", `{"method":"POST","path":"/items","action":"drop-after","count":1,"retryAfter":3,"delay":"2s"}`, 200, `{}`},
		{"POST", "faults", ` [{"action":"429"},{"action":"500"}]`, 200, `{}`},
		{"POST", "faults", `[{"action":"429"},{"action":"explode"}]`, 400, ""},
		{"POST", "faults", `{"acton":"429"}`, 400, ""},
		{"GET", "faults", "", 200, `[
			{"method":"POST","path":"/items","action":"drop-after","count":1,"retryAfter":3,"delay":"2s"},
			{"method":"","path":"","action":"429","count":1,"retryAfter":0,"delay":""},
			{"method":"","path":"","action":"500","count":1,"retryAfter":0,"delay":""}]`},
		{"POST", "reset", "", 200, `{}`},
		{"GET", "faults", "", 200, `[]`},
		{"GET", "switches", "", 200, `{"loud":{"value":"no","help":"shout"}}`},
		{"GET", "other", "", 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			res, body, err := call(t, client, tt.method, s.URL+"/_mock/"+tt.path, tt.give)
			require.NoError(t, err)
			assert.Equal(t, tt.status, res.StatusCode, body)
			if tt.want != "" {
				assert.JSONEq(t, tt.want, body)
			}
		})
	}
	assert.Empty(t, s.Requests(), "the control API is not in the log")
}

func TestResetAndSeed(t *testing.T) {
	seed, err := mock.ParseSeed([]byte(`{"vendor":"list","items":["seeded"]}`))
	require.NoError(t, err)
	servers, client := start(t, mock.Options{Seed: seed})
	s := servers.All()[0]
	_, body, err := call(t, client, http.MethodPost, s.URL+"/items", "more")
	require.NoError(t, err)
	assert.Equal(t, `["seeded","more"]`, body)

	_, state, err := call(t, client, http.MethodGet, s.URL+"/_mock/state", "")
	require.NoError(t, err)
	again, err := mock.ParseSeed([]byte(state))
	require.NoError(t, err)
	copied, _ := start(t, mock.Options{Seed: again})
	assert.Equal(t, s.State(), copied.All()[0].State())

	require.NoError(t, s.Reset())
	assert.Equal(t, map[string]any{"items": []string{"seeded"}}, s.State())
	assert.Empty(t, s.Requests())
}

func TestParseSeed(t *testing.T) {
	got, err := mock.ParseSeed([]byte(`{"list":{"items":[]},"cortex":{}}`))
	require.NoError(t, err)
	assert.Equal(t, map[string]json.RawMessage{"list": []byte(`{"items":[]}`), "cortex": []byte(`{}`)}, got)
	_, err = mock.ParseSeed([]byte(`{"items":["a"]}`))
	require.ErrorContains(t, err, "no state of a vendor")
	_, err = mock.ParseSeed([]byte(`items`))
	assert.ErrorContains(t, err, "seed")
}

func TestRequestLog(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 15, 2, 0, time.UTC)
	servers, client := start(t, mock.Options{Now: func() time.Time { return now }})
	s := servers.All()[0]
	_, _, err := call(t, client, http.MethodPost, s.URL+"/items?a=1&token=canary", `{"name":"x"}`)
	require.NoError(t, err)
	res, _, err := call(t, client, http.MethodGet, s.URL+"/nowhere", "")
	require.NoError(t, err)
	assert.Empty(t, res.Header.Get("X-Mock-Unknown"))
	res, _, err = call(t, client, http.MethodGet, s.URL+"/panic", "")
	require.NoError(t, err)
	assert.Equal(t, http.StatusInternalServerError, res.StatusCode)

	log := s.Requests()
	require.Len(t, log, 3)
	first := log[0]
	assert.Equal(t, "Go-http-client/2.0", first.Header["User-Agent"])
	assert.NotContains(t, first.Header, "Authorization")
	first.Header = nil
	assert.Equal(t, mock.Request{
		Time: now, Method: "POST", Host: s.URL[len("https://"):], Path: "/items", Query: "a=1&token=***",
		Proto: "HTTP/2.0", Body: `{"name":"x"}`, Status: 201, Write: true, Notes: []string{"ignored key"},
	}, first)
	assert.True(t, log[1].Unknown)
	assert.Equal(t, []string{"panic: a fault of our own"}, log[2].Notes)

	_, body, err := call(t, client, http.MethodGet, s.URL+"/_mock/requests", "")
	require.NoError(t, err)
	assert.NotContains(t, body, "canary")
	_, _, err = call(t, client, http.MethodDelete, s.URL+"/_mock/requests", "")
	require.NoError(t, err)
	assert.Empty(t, s.Requests())
}

func TestRequestLogMasksSecrets(t *testing.T) {
	servers, client := start(t, mock.Options{Plain: true})
	s := servers.All()[0]
	tests := []struct {
		name, mime, give, want string
	}{
		{"form", "application/x-www-form-urlencoded", "client_id=1&client_secret=canary&x=%20", "client_id=1&client_secret=***&x=%20"},
		{"json", "application/json", `{"b": 1, "Password" : "canary", "a":[{"totpCode":123456,"z":"password"}], "n":null}`, `{"b": 1, "Password" : "***", "a":[{"totpCode":"***","z":"password"}], "n":null}`},
		{"object", "application/json", `{"secrets":{"a":["canary"]},"t":1}`, `{"secrets":"***","t":1}`},
		{"flags", "application/json", `{"password":null,"shouldChangePassword":true,"apiToken":""}`, `{"password":null,"shouldChangePassword":true,"apiToken":""}`},
		{"unlabelled json", "", `{"access_token":"canary"}`, `{"access_token":"***"}`},
		{"broken json", "application/json", `{"password":"canary"`, "(20 bytes)"},
		{"text", "text/plain", "hello", "hello"},
		{"scalar", "application/json", ` "x" `, ` "x" `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.ClearRequests()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/items", strings.NewReader(tt.give))
			require.NoError(t, err)
			req.Header.Set("Content-Type", tt.mime)
			res, err := client.Do(req)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Len(t, s.Requests(), 1)
			assert.Equal(t, tt.want, s.Requests()[0].Body)
		})
	}
}
