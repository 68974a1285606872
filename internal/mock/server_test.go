package mock_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"edrctl/internal/mock"
)

func TestServesOverTLSWithHTTP2(t *testing.T) {
	servers, client := start(t, mock.Options{})
	s := servers.Server("list")
	require.NotNil(t, s)
	assert.Nil(t, servers.Server("other"))
	assert.True(t, strings.HasPrefix(s.URL, "https://127.0.0.1:"), s.URL)

	res, body, err := call(t, client, http.MethodGet, s.URL+"/items", "")
	require.NoError(t, err)
	assert.Equal(t, 2, res.ProtoMajor)
	assert.Equal(t, `["first"]`, body)

	_, _, err = call(t, client, http.MethodGet, strings.Replace(s.URL, "127.0.0.1", "localhost", 1)+"/items", "")
	require.NoError(t, err)

	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}}
	_, _, err = call(t, stranger, http.MethodGet, s.URL+"/items", "")
	assert.ErrorContains(t, err, "certificate")
}

func TestServesPlain(t *testing.T) {
	servers, client := start(t, mock.Options{Plain: true})
	s := servers.Server("list")
	assert.True(t, strings.HasPrefix(s.URL, "http://127.0.0.1:"), s.URL)
	assert.Empty(t, servers.CAPEM())
	_, body, err := call(t, client, http.MethodGet, s.URL+"/items", "")
	require.NoError(t, err)
	assert.Equal(t, `["first"]`, body)
}

func TestUnheard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, err := mock.Start(t.Context(), mock.Options{Makers: []mock.Maker{listMaker()}, Plain: true, Unheard: true})
		require.NoError(t, err)
		s := servers.Server("list")
		require.NoError(t, s.Fault(mock.Fault{Action: "delay", Delay: "1h"}))
		began, rec := time.Now(), httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/items", nil))
		assert.Equal(t, `["first"]`, rec.Body.String())
		assert.Equal(t, time.Hour, time.Since(began), "by another clock")
		require.NoError(t, servers.Close())
	})
}

func TestRefusesOptions(t *testing.T) {
	makers := []mock.Maker{listMaker()}
	tests := []struct {
		name string
		give mock.Options
		want string
	}{
		{"other address", mock.Options{Makers: makers, Listen: "0.0.0.0"}, "loopback"},
		{"no address", mock.Options{Makers: makers, Listen: "example.com"}, "loopback"},
		{"nothing to serve", mock.Options{}, "no vendor"},
		{"twice", mock.Options{Makers: append(makers, listMaker())}, "twice"},
		{"fault for another", mock.Options{Makers: makers, Faults: map[string][]mock.Fault{"x": nil}}, "not served"},
		{"seed for another", mock.Options{Makers: makers, Seed: map[string]json.RawMessage{"x": nil}}, "not served"},
		{"bad fault", mock.Options{Makers: makers, Faults: map[string][]mock.Fault{"list": {{Action: "explode"}}}}, "unknown fault action"},
		{"bad seed", mock.Options{Makers: makers, Seed: map[string]json.RawMessage{"list": []byte(`{"thing":1}`)}}, "seed"},
		{"another's seed", mock.Options{Makers: makers, Seed: map[string]json.RawMessage{"list": []byte(`{"vendor":"cortex"}`)}}, "another vendor"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := mock.Start(t.Context(), tt.give)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestEndOfContextCloses(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	servers, err := mock.Start(ctx, mock.Options{Makers: []mock.Maker{listMaker()}, Plain: true})
	require.NoError(t, err)
	cancel()
	require.NoError(t, servers.Close())
	_, _, err = call(t, &http.Client{Transport: &http.Transport{}}, http.MethodGet, servers.All()[0].URL+"/items", "")
	assert.ErrorContains(t, err, "refused")
}

func TestLatencySparesControl(t *testing.T) {
	servers, client := start(t, mock.Options{Latency: 30 * time.Millisecond})
	begin := time.Now()
	_, _, err := call(t, client, http.MethodGet, servers.All()[0].URL+"/items", "")
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(begin), 30*time.Millisecond)

	slow, client := start(t, mock.Options{Latency: time.Hour})
	_, _, err = call(t, client, http.MethodGet, slow.All()[0].URL+"/_mock/state", "")
	assert.NoError(t, err)
}

func TestCloseCutsWhatWaits(t *testing.T) {
	servers, client := start(t, mock.Options{Latency: time.Hour})
	s := servers.All()[0]
	failed := make(chan error)
	go func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/items", nil)
		if err == nil {
			res, failure := client.Do(req)
			if err = failure; err == nil {
				_ = res.Body.Close()
			}
		}
		failed <- err
	}()
	require.Eventually(t, func() bool { return len(s.Requests()) == 1 }, 5*time.Second, time.Millisecond)
	require.NoError(t, servers.Close())
	assert.Error(t, <-failed)
}

func TestConfig(t *testing.T) {
	servers, _ := start(t, mock.Options{})
	type config struct {
		Version int                          `yaml:"version"`
		Literal bool                         `yaml:"allow-plaintext-secrets"`
		Tenants map[string]map[string]string `yaml:"tenants"`
	}
	var got config
	require.NoError(t, yaml.Unmarshal(servers.Config("/tmp/ca.pem"), &got))
	assert.Equal(t, config{1, true, map[string]map[string]string{
		"list": {"vendor": "list", "url": servers.All()[0].URL, "api-key": "17", "ca-file": "/tmp/ca.pem"},
	}}, got)

	plain, _ := start(t, mock.Options{Plain: true})
	assert.NotContains(t, string(plain.Config("/tmp/ca.pem")), "ca-file")
}
