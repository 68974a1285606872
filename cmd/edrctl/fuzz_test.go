package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

// inMemory carries requests to a fake without a network, and answers some of them
// itself.
type inMemory struct {
	api mock.API
	// instead, if it returns an answer, answers in place of the fake.
	instead func(r *http.Request, nth int) *http.Response

	mu   sync.Mutex
	n    int
	seen []*http.Request
}

func (m *inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	m.n++
	n := m.n
	m.seen = append(m.seen, r)
	m.mu.Unlock()
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	if resp := m.instead(r, n); resp != nil {
		resp.Request = r
		return resp, nil
	}
	sent := r.Clone(r.Context())
	sent.RequestURI = r.URL.RequestURI()
	if sent.Body == nil {
		sent.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	m.api.ServeHTTP(rec, sent)
	return rec.Result(), nil
}

func answerOf(status int, header http.Header, body []byte) *http.Response {
	return &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: header, Body: io.NopCloser(bytes.NewReader(body))}
}

// inMemoryConfig is that of a tenant at an address where nobody listens.
func (c console) inMemoryConfig(m *inMemory) provision.Config {
	const address = "https://console.example:8443"
	m.api = c.maker.New(mock.Env{Now: time.Now})
	cfg := c.tenant(m.api.Settings(address), m)
	cfg.Timeout, cfg.MaxWait, cfg.RequestsPerMinute = time.Minute, time.Minute, 600_000
	return cfg
}

// fuzzAnswers does one operation, of which one answer and all after it are what
// the fuzzer makes up: it reaches the decoders and the readers of errors.
func fuzzAnswers(f *testing.F, c console) {
	f.Helper()
	operations := c.operations()
	names := []string{"X-Request-Id", "Retry-After", "Content-Type", "Location", "X-Ratelimit-Retryafter", "Set-Cookie", "X-Cs-Region", "Date"}
	f.Fuzz(func(t *testing.T, operation, after uint8, status uint16, name uint8, value string, body []byte) {
		code := 200 + int(status)%400
		if len(body) > 1<<16 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			m := &inMemory{instead: func(_ *http.Request, n int) *http.Response {
				if n <= int(after%8) {
					return nil
				}
				header := http.Header{"Content-Type": {"application/json"}}
				header[names[int(name)%len(names)]] = []string{value}
				return answerOf(code, header, body)
			}}
			cfg := c.inMemoryConfig(m)
			p, err := c.vendor.New(t.Context(), cfg)
			require.NoError(t, err)
			began := time.Now()
			err = operations[int(operation)%len(operations)].do(t.Context(), p)
			assert.Less(t, time.Since(began), 2*time.Hour)
			assert.Less(t, m.n, 500, "requests")
			if err == nil {
				return
			}
			var own *provision.Error
			require.ErrorAs(t, err, &own, "%v", err)
			for _, secret := range cfg.Secrets {
				assert.NotContains(t, err.Error(), secret.Reveal())
			}
			for _, r := range m.seen {
				assert.Equal(t, "https://console.example:8443", r.URL.Scheme+"://"+r.URL.Host)
			}
		})
	})
}

func FuzzAnswersOfCrowdStrike(f *testing.F) { fuzzAnswers(f, consoles()[0]) }
func FuzzAnswersOfCarbonBlack(f *testing.F) { fuzzAnswers(f, consoles()[1]) }
func FuzzAnswersOfCortex(f *testing.F)      { fuzzAnswers(f, consoles()[2]) }
func FuzzAnswersOfCybereason(f *testing.F)  { fuzzAnswers(f, consoles()[3]) }

// FuzzLocation has Cybereason redirect a sign-in. Whatever it points to, nothing
// goes anywhere else, the password is sent once, and it ends.
func FuzzLocation(f *testing.F) {
	c := consoles()[3]
	f.Fuzz(func(t *testing.T, first, second string, status uint8) {
		codes := []int{301, 302, 303, 307, 308}
		synctest.Test(t, func(t *testing.T) {
			passwords := 0
			m := &inMemory{}
			m.instead = func(r *http.Request, n int) *http.Response {
				if r.Method == http.MethodPost {
					passwords++
				}
				location := first
				if n > 1 {
					location = second
				}
				if strings.HasPrefix(r.URL.Path, "/rest/") {
					return nil
				}
				header := http.Header{"Location": {location}, "Set-Cookie": {"JSESSIONID=canary; Path=/"}}
				return answerOf(codes[int(status)%len(codes)], header, nil)
			}
			p, err := c.vendor.New(t.Context(), c.inMemoryConfig(m))
			require.NoError(t, err)
			_, err = p.Check(t.Context())
			require.Error(t, err, "nobody was let in")
			assert.Equal(t, 1, passwords)
			assert.LessOrEqual(t, m.n, 8, "requests")
			for _, r := range m.seen {
				assert.Equal(t, "https://console.example:8443", r.URL.Scheme+"://"+r.URL.Host)
				assert.Nil(t, r.URL.User)
			}
		})
	})
}

// TestInMemory makes sure that the fuzz tests work with a fake that answers.
func TestInMemory(t *testing.T) {
	for _, c := range consoles() {
		for _, op := range c.operations() {
			m := &inMemory{instead: func(*http.Request, int) *http.Response { return nil }}
			p, err := c.vendor.New(t.Context(), c.inMemoryConfig(m))
			require.NoError(t, err)
			err = op.do(context.WithoutCancel(t.Context()), p)
			if !errors.Is(err, provision.ErrUnsupported) {
				require.NoError(t, err, "%s: %s", c.vendor.Name, op.name)
				state, err := json.Marshal(m.api.State())
				require.NoError(t, err)
				require.NotEmpty(t, state)
			}
		}
	}
}
