package crowdstrike

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// clouds are consoles by host. A request to any other host fails the test.
type clouds struct {
	*testing.T
	hosts map[string]*console
}

func (c clouds) RoundTrip(r *http.Request) (*http.Response, error) {
	console, ok := c.hosts[r.URL.Host]
	if !ok || r.URL.Scheme != "https" {
		c.Errorf("a request to %s", r.URL)
		return nil, http.ErrServerClosed
	}
	w := httptest.NewRecorder()
	console.ServeHTTP(w, r)
	return w.Result(), nil
}

func issued(region string) reply {
	r := reply{status: 201, body: map[string]any{"access_token": "canary-token-0", "expires_in": 1799}}
	if region != "" {
		r.header = map[string]string{"X-Cs-Region": region}
	}
	return r
}

func redirect(region, location string) reply {
	return reply{status: 308, header: map[string]string{"X-Cs-Region": region, "Location": location}, body: map[string]any{}}
}

func TestRegions(t *testing.T) {
	const us1, us2, eu1, gov = "api.crowdstrike.com", "api.us-2.crowdstrike.com", "api.eu-1.crowdstrike.com", "api.laggar.gcw.crowdstrike.com"
	tests := []struct {
		name     string
		settings map[string]string
		tokens   map[string]reply
		// want is the host that gets the API calls; with empty, an error that
		// has the words of hint.
		want, hint string
	}{
		{name: "auto, at home", tokens: map[string]reply{us1: issued("us-1")}, want: us1},
		{name: "auto, header absent", tokens: map[string]reply{us1: issued("")}, want: us1},
		{name: "auto, header of no region", tokens: map[string]reply{us1: issued("mock-1")}, want: us1},
		{name: "auto, named by the answer", tokens: map[string]reply{us1: issued("EU-1")}, want: eu1},
		{name: "auto, redirected with a header", tokens: map[string]reply{us1: redirect("eu-1", ""), eu1: issued("")}, want: eu1},
		{
			name:   "auto, redirected with a location",
			tokens: map[string]reply{us1: redirect("", "https://api.us-2.crowdstrike.com/oauth2/token"), us2: issued("us-2")}, want: us2,
		},
		{name: "auto, redirected elsewhere", tokens: map[string]reply{us1: redirect("", "https://evil.example/oauth2/token")}, hint: "region or url"},
		{name: "auto, redirected to another port", tokens: map[string]reply{us1: redirect("", "https://api.eu-1.crowdstrike.com:8443/")}, hint: "region or url"},
		{name: "auto, redirected without TLS", tokens: map[string]reply{us1: redirect("", "http://api.eu-1.crowdstrike.com/")}, hint: "region or url"},
		{name: "auto, redirected to a name inside", tokens: map[string]reply{us1: redirect("", "https://api.crowdstrike.com@evil.example/")}, hint: "region or url"},
		{name: "auto, redirected twice", tokens: map[string]reply{us1: redirect("eu-1", ""), eu1: redirect("us-2", "")}, hint: "set region: us-2"},
		{name: "auto, government", tokens: map[string]reply{us1: redirect("us-gov-1", "")}, hint: "set region: us-gov-1"},
		{name: "auto, government by the answer", tokens: map[string]reply{us1: issued("us-gov-1")}, hint: "set region: us-gov-1"},
		{name: "given", settings: map[string]string{"region": "us-2"}, tokens: map[string]reply{us2: issued("us-2")}, want: us2},
		{name: "given, government", settings: map[string]string{"region": "us-gov-1"}, tokens: map[string]reply{gov: issued("us-gov-1")}, want: gov},
		{
			name: "given, redirected", settings: map[string]string{"region": "us-2"},
			tokens: map[string]reply{us2: redirect("eu-1", "https://api.eu-1.crowdstrike.com/oauth2/token")}, hint: "set region: eu-1",
		},
		{
			name: "address given, header ignored", settings: map[string]string{"url": "https://falcon.acme.example", "region": "us-2"},
			tokens: map[string]reply{"falcon.acme.example": issued("eu-1")}, want: "falcon.acme.example",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			world := clouds{T: t, hosts: map[string]*console{}}
			for host, token := range tt.tokens {
				world.hosts[host] = newConsole(t).always("POST /oauth2/token", token)
			}
			if tt.want != "" && world.hosts[tt.want] == nil {
				world.hosts[tt.want] = newConsole(t)
			}
			for _, c := range world.hosts {
				c.always("GET "+pathRoleIDs, ok())
				c.valid = func(token string) bool { return token == "canary-token-0" }
			}
			cfg := testConfig()
			cfg.HTTP = world
			for k, v := range tt.settings {
				cfg.Settings[k] = v
			}
			a := open(t, cfg)
			_, err := a.Roles(t.Context())
			if tt.want == "" {
				e := problem(t, err)
				assert.Equal(t, provision.ErrUnauthenticated, e.Kind)
				assert.Contains(t, e.Hint, tt.hint)
				return
			}
			require.NoError(t, err)
			assert.NotEmpty(t, world.hosts[tt.want].asked(), "requests to %s", tt.want)

			// A later run begins where this one ended.
			_, err = open(t, cfg).Roles(t.Context())
			require.NoError(t, err)
			signIns := 0
			for _, c := range world.hosts {
				signIns += c.signIns()
			}
			assert.LessOrEqual(t, signIns, len(tt.tokens))
		})
	}
}

func TestHintNamesBothRegions(t *testing.T) {
	elsewhere := newConsole(t).always("POST /oauth2/token", issued("eu-1"))
	elsewhere.valid = func(string) bool { return false }
	cfg := testConfig()
	cfg.HTTP = clouds{T: t, hosts: map[string]*console{"api.us-2.crowdstrike.com": elsewhere}}
	cfg.Settings["url"] = "https://api.us-2.crowdstrike.com"
	_, err := open(t, cfg).Roles(t.Context())
	e := problem(t, err)
	assert.Equal(t, provision.ErrUnauthenticated, e.Kind)
	assert.Contains(t, e.Hint, "us-2")
	assert.Contains(t, e.Hint, "eu-1")
}

func TestSettings(t *testing.T) {
	bad := map[string]string{
		"region": "mars-1", "url": "api.crowdstrike.com", "api": "old", "member-cid": "12-34",
	}
	for key, value := range bad {
		cfg := testConfig()
		cfg.Settings[key] = value
		_, err := New(t.Context(), cfg)
		require.ErrorIs(t, err, provision.ErrUsage, "%s: %s", key, value)
	}
}

func TestParseCID(t *testing.T) {
	for text, want := range map[string]string{
		testCID:                                  testCID,
		" 0A1B2C3D4E5F60718293A4B5C6D7E8F9-0F\n": testCID,
		"0a1b2c3d4e5f60718293a4b5c6d7e8f9-":      "",
		"0a1b2c3d4e5f60718293a4b5c6d7e8f9-0":     "",
		"0a1b2c3d4e5f60718293a4b5c6d7e8f9-0f-0f": "",
		"0a1b2c3d4e5f60718293a4b5c6d7e8f":        "",
		"0a1b2c3d4e5f60718293a4b5c6d7e8fg":       "",
		"":                                       "",
	} {
		got, err := parseCID(text)
		assert.Equal(t, want, got, "%q", text)
		assert.Equal(t, want == "", err != nil, "%q", text)
	}
}
