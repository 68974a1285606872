package mock_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
)

func TestFaultActions(t *testing.T) {
	tests := []struct {
		name    string
		fault   mock.Fault
		status  int // seen by the client; 0: no answer
		body    string
		cut     bool
		applied bool
		logged  int
	}{
		{name: "status", fault: mock.Fault{Action: "429", RetryAfter: 3}, status: 429, body: `"vendor's error"`, logged: 429},
		{name: "status after", fault: mock.Fault{Action: "after-500"}, status: 500, body: `"vendor's error"`, applied: true, logged: 500},
		{name: "drop before", fault: mock.Fault{Action: "drop-before"}, cut: true},
		{name: "reset", fault: mock.Fault{Action: "reset"}, cut: true},
		{name: "drop after", fault: mock.Fault{Action: "drop-after", Delay: "1ms"}, cut: true, applied: true},
		{name: "truncate", fault: mock.Fault{Action: "truncate"}, status: 201, body: `["first`, cut: true, applied: true, logged: 201},
		{name: "delay", fault: mock.Fault{Action: "delay", Delay: "5ms"}, status: 201, body: `["first","new"]`, applied: true, logged: 201},
		{name: "expire session", fault: mock.Fault{Action: "expire-session"}, status: 201, body: `["first","new"]`, applied: true, logged: 201},
		{name: "html", fault: mock.Fault{Action: "html"}, status: 200, body: "<!DOCTYPE html>", logged: 200},
	}
	for _, tt := range tests {
		for _, proto := range []string{"h1", "h2"} {
			t.Run(tt.name+" "+proto, func(t *testing.T) {
				servers, client := start(t, mock.Options{Plain: proto == "h1"})
				s := servers.All()[0]
				require.NoError(t, s.Fault(tt.fault))

				res, body, err := call(t, client, http.MethodPost, s.URL+"/items", "new")
				assert.Equal(t, tt.cut, err != nil, "%v", err)
				if tt.status == 0 {
					assert.Nil(t, res)
				} else {
					require.NotNil(t, res, "%v", err)
					assert.Equal(t, tt.status, res.StatusCode)
					assert.True(t, strings.HasPrefix(body, tt.body), body)
				}
				if tt.name == "truncate" {
					assert.Equal(t, int64(len(`["first","new"]`)), res.ContentLength)
					assert.Len(t, body, 7)
				}
				if tt.name == "status" {
					assert.Equal(t, "3s", res.Header.Get("Retry-After"))
				}
				require.Len(t, s.Requests(), 1)
				assert.Equal(t, tt.logged, s.Requests()[0].Status)
				assert.Equal(t, tt.fault.Action, s.Requests()[0].Fault)

				_, after, err := call(t, client, http.MethodGet, s.URL+"/items", "")
				require.NoError(t, err, "one request only")
				assert.Equal(t, tt.applied, strings.Contains(after, "new"), after)

				_, session, err := call(t, client, http.MethodGet, s.URL+"/session", "")
				require.NoError(t, err)
				assert.Equal(t, tt.fault.Action == "expire-session", session == "1")
			})
		}
	}
}

func TestFaultMatching(t *testing.T) {
	servers, client := start(t, mock.Options{Faults: map[string][]mock.Fault{"list": {
		{Method: "POST", Action: "500"},
		{Method: "get", Path: "ite", Action: "503", Count: 2},
		{Method: "*", Path: "*", Action: "418", Count: -1},
	}}})
	s := servers.All()[0]
	var got []int
	for range 4 {
		res, _, err := call(t, client, http.MethodGet, s.URL+"/items", "")
		require.NoError(t, err)
		got = append(got, res.StatusCode)
	}
	assert.Equal(t, []int{503, 503, 418, 418}, got)
	assert.Len(t, s.Faults(), 2)
	res, _, err := call(t, client, http.MethodPost, s.URL+"/items", "")
	require.NoError(t, err)
	assert.Equal(t, 500, res.StatusCode)
	s.ClearFaults()
	assert.Empty(t, s.Faults())
}

func TestDelayedRequestIsAppliedThoughTheClientLeft(t *testing.T) {
	servers, client := start(t, mock.Options{})
	s := servers.All()[0]
	require.NoError(t, s.Fault(mock.Fault{Action: "delay", Delay: "1h"}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/items", strings.NewReader("late"))
	require.NoError(t, err)
	res, err := client.Do(req)
	if err == nil {
		_ = res.Body.Close()
	}
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Eventually(t, func() bool {
		return assert.ObjectsAreEqual(map[string]any{"items": []string{"first", "late"}}, s.State())
	}, 5*time.Second, time.Millisecond)
}

func TestEmptyAnswerIsCutByTruncate(t *testing.T) {
	servers, client := start(t, mock.Options{})
	s := servers.All()[0]
	require.NoError(t, s.Fault(mock.Fault{Action: "truncate"}))
	_, _, err := call(t, client, http.MethodGet, s.URL+"/empty", "")
	require.Error(t, err)
	res, _, err := call(t, client, http.MethodGet, s.URL+"/empty", "")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, res.StatusCode)
}

func TestParseFault(t *testing.T) {
	tests := []struct {
		name   string
		spec   string
		vendor string
		want   mock.Fault
		err    string
	}{
		{"plain", "list:post:/items:drop-after", "list", mock.Fault{Method: "POST", Path: "/items", Action: "drop-after"}, ""},
		{"count", "list:GET:/items:429:2", "list", mock.Fault{Method: "GET", Path: "/items", Action: "429", Count: 2}, ""},
		{"status last", "list:GET:/items:429", "list", mock.Fault{Method: "GET", Path: "/items", Action: "429"}, ""},
		{"any", "list:::500", "list", mock.Fault{Action: "500"}, ""},
		{"colons in the path", "list:*:psc:role::X:truncate:3", "list", mock.Fault{Method: "*", Path: "psc:role::X", Action: "truncate", Count: 3}, ""},
		{"wait", "list:GET:*:delay=2s", "list", mock.Fault{Method: "GET", Path: "*", Action: "delay", Delay: "2s"}, ""},
		{"retry after", "list:GET:*:429=7:2", "list", mock.Fault{Method: "GET", Path: "*", Action: "429", RetryAfter: 7, Count: 2}, ""},
		{"too short", "list:GET:500", "", mock.Fault{}, "is not VENDOR:"},
		{"no vendor", ":GET:/:500", "", mock.Fault{}, "is not VENDOR:"},
		{"bad action", "list:GET:/:explode", "", mock.Fault{}, "unknown fault action"},
		{"bad status", "list:GET:/:99", "", mock.Fault{}, "unknown fault action"},
		{"bad wait", "list:GET:/:delay=x", "", mock.Fault{}, "no duration"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			vendor, got, err := mock.ParseFault(tt.spec)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
			} else {
				require.NoError(t, err)
			}
			assert.Equal(t, tt.vendor, vendor)
			assert.Equal(t, tt.want, got)
		})
	}
}
