package mock_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edrctl/internal/mock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// list is a trivial fake: POST /items adds the body to a list, GET /items
// shows it, and a session is a number that ExpireSessions counts up.
type list struct {
	mu      sync.Mutex
	items   []string
	session int
	loud    string
}

func listMaker() mock.Maker {
	return mock.Maker{Vendor: "list", New: func(mock.Env) mock.API { return &list{items: []string{"first"}, loud: "no"} }}
}

func (l *list) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case r.URL.Path == "/panic":
		panic("a fault of our own")
	case r.URL.Path == "/empty":
		return
	case r.URL.Path == "/session":
		writeJSON(w, http.StatusOK, l.session)
	case r.URL.Path != "/items":
		w.Header().Set("X-Mock-Unknown", "1")
		writeJSON(w, http.StatusNotFound, "no route")
	case r.Method == http.MethodPost:
		body, _ := io.ReadAll(r.Body)
		l.items = append(l.items, string(body))
		w.Header().Add("X-Mock-Note", "ignored key")
		writeJSON(w, http.StatusCreated, l.items)
	default:
		writeJSON(w, http.StatusOK, l.items)
	}
}

func (l *list) Change(r *http.Request) bool {
	_, _ = io.Copy(io.Discard, r.Body) // a fake may look at the body
	return r.Method == http.MethodPost
}

func (l *list) Fail(w http.ResponseWriter, _ *http.Request, status int, retryAfter time.Duration) {
	if retryAfter > 0 {
		w.Header().Set("Retry-After", retryAfter.String())
	}
	writeJSON(w, status, "vendor's error")
}

func (l *list) State() any {
	l.mu.Lock()
	defer l.mu.Unlock()
	return map[string]any{"items": append([]string(nil), l.items...)}
}

func (l *list) Load(state []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	in := struct {
		Items []string `json:"items"`
	}{Items: []string{"first"}}
	if state != nil {
		dec := json.NewDecoder(bytes.NewReader(state))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return err
		}
	}
	l.items, l.loud = in.Items, "no"
	return nil
}

func (l *list) Activate(login string) error {
	if login != "ines.duarte@example.com" {
		return errors.New("nobody of that login is invited")
	}
	return nil
}

func (l *list) ExpireSessions() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.session++
}

func (l *list) Set(name, value string) error {
	if name != "loud" {
		return errors.New("unknown switch")
	}
	l.loud = value
	return nil
}

func (l *list) Switches() map[string]mock.Switch {
	return map[string]mock.Switch{"loud": {Value: l.loud, Help: "shout"}}
}

func (l *list) Settings(address string) map[string]string {
	return map[string]string{"url": address, "api-key": "17"}
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, _ := json.Marshal(value)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// start serves the trivial fake and returns a client that trusts it.
func start(t *testing.T, o mock.Options) (*mock.Servers, *http.Client) {
	t.Helper()
	if o.Makers == nil {
		o.Makers = []mock.Maker{listMaker()}
	}
	servers, err := mock.Start(t.Context(), o)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(servers.CAPEM())
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		assert.NoError(t, servers.Close())
	})
	return servers, &http.Client{Transport: transport}
}

// answer is what a client saw, with the body read as far as it came.
type answer struct {
	StatusCode    int
	ProtoMajor    int
	ContentLength int64
	Header        http.Header
}

// call sends a request and returns the answer; nil when there was none.
func call(t *testing.T, c *http.Client, method, url, body string) (*answer, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer canary")
	res, err := c.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	return &answer{res.StatusCode, res.ProtoMajor, res.ContentLength, res.Header}, string(data), err
}
