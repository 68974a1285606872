package transport_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/transport"
)

// TestTrace puts a secret wherever a request or an answer can hold one, and
// lets the trace name the places and not the values.
func TestTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logbook{}
		cfg := config(play(
			answer(503, `{"error":"`+canary+`"}`, "Set-Cookie", "JSESSIONID="+canary, "Retry-After", "1", "X-Secret", canary),
			answer(200, `{"access_token":"`+canary+`","`+"users"+`":[{"totpSid":"`+canary+`"}]}`, "X-Cs-Traceid", "trace-1", "Authorization", canary),
		))
		cfg.Log = log.logger()
		req := &transport.Request{
			Op: "create user", Method: http.MethodPost, Path: "/rest/users/ada@example.com", Change: true, JSON: true,
			Query:  map[string][]string{"token": {canary}, "from": {canary}},
			Header: http.Header{"X-Auth-Token": {canary}, "Cookie": {"JSESSIONID=" + canary}},
			Body:   []byte(`{"username":"ada@example.com","password":"` + canary + `"}`),
			Sign: func(r *http.Request) error {
				r.Header.Set("Authorization", "Bearer "+canary)
				return nil
			},
		}
		_, err := client(t, "https://acme.example", cfg).Do(t.Context(), req)
		require.NoError(t, err)
		text := log.String()
		assert.NotContains(t, text, canary)
		for _, want := range []string{
			"level=DEBUG", "tenant=lab", `op="create user"`, "method=POST", "path=/rest/users/ada@example.com", "attempt=1", "status=503",
			"status=200", "took=", "query=from,token", "body=password,username", "answer=error", "answer=access_token,users",
			"retry-after=1", "x-cs-traceid=trace-1", "content-type=application/json",
			"level=INFO", "the vendor throttles; waiting", "for=1s",
		} {
			assert.Contains(t, text, want)
		}
		for _, header := range []string{"x-auth-token", "cookie", "authorization", "x-secret"} {
			assert.NotContains(t, text, header)
		}
	})
}

func TestTraceOfOtherBodies(t *testing.T) {
	for _, tt := range []struct {
		name    string
		kind    string
		body    string
		want    string
		without string
	}{
		{name: "form", kind: "application/x-www-form-urlencoded", body: "username=a&password=" + canary, want: "body=password,username"},
		{name: "broken form", kind: "application/x-www-form-urlencoded", body: "%zz=" + canary, without: "body="},
		{name: "array", kind: "application/json", body: `["` + canary + `"]`, without: "body="},
		{name: "string", kind: "application/json", body: `"` + canary + `"`, without: "body="},
		{name: "text", kind: "text/plain", body: canary, without: "body="},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := &logbook{}
			cfg := config(play(answer(200, canary)))
			cfg.Log = log.logger()
			req := &transport.Request{
				Op: "x", Method: http.MethodPost, Path: "/x", Body: []byte(tt.body), Header: http.Header{"Content-Type": {tt.kind}},
			}
			_, err := client(t, "https://acme.example", cfg).Do(t.Context(), req)
			require.NoError(t, err)
			assert.NotContains(t, log.String(), canary)
			assert.Contains(t, log.String(), tt.want)
			if tt.without != "" {
				assert.NotContains(t, log.String(), tt.without)
			}
		})
	}
}

func TestTraceOfAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logbook{}
		cfg := config(play(fails(true, errReset()), answer(200, `{}`)))
		cfg.Log = log.logger()
		_, err := client(t, "https://acme.example", cfg).Do(t.Context(), read())
		require.NoError(t, err)
		for _, want := range []string{`error="read: connection reset by peer"`, "no usable answer; trying again", "attempt=2", "status=200"} {
			assert.Contains(t, log.String(), want)
		}
	})
}
