package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// stranger is a listener that must see nothing.
func stranger(t *testing.T, strays *notes) (address string) {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			strays.add("a connection to the second listener")
			_ = conn.Close()
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	return ln.Addr().String()
}

// guarded is a transport that notes every address it is about to connect to but
// the one it may, and goes there, so that the second listener would notice too.
func (s *stage) guarded(t *testing.T) *http.Transport {
	t.Helper()
	base, dialer := s.base(t), &net.Dialer{}
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != s.server.Listener.Addr().String() {
			s.strays.add("a connection to " + address)
			if !strings.HasPrefix(address, "127.0.0.1:") {
				return nil, &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}
			}
		}
		return dialer.DialContext(ctx, network, address)
	}
	return base
}

// redirectsTo are places that a console might send us to and must not.
func (s *stage) redirectsTo(t *testing.T, other string) []string {
	t.Helper()
	own := strings.TrimPrefix(s.server.URL, "https://")
	_, port, err := net.SplitHostPort(other)
	require.NoError(t, err)
	return []string{
		"https://" + other + "/",               // another port
		"//" + other + "/login.html",           // the same, by the shortest way
		"https://localhost:" + port + "/error", // another name and port
		"http://" + other + "/",                // another port without TLS
		"http://" + own + "/",                  // the own port without TLS
		"https://evil.example/",                // another host
		"https://" + own + "@evil.example/",    // the own one as a user name
		"https://127.0.0.1.evil.example/",      // the own one as the beginning of a name
		"https://127.0.0.1/",                   // the own host at another port
		"https:\\\\evil.example/",              // what only some take for an address
	}
}

// requests counts those of an operation, and tells which may change something.
func (s *stage) requests(t *testing.T, op operation, carrier http.RoundTripper) (n int, changes map[int]bool) {
	t.Helper()
	s.reset(t)
	changes = map[int]bool{}
	var mu sync.Mutex
	s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
		mu.Lock()
		n++
		changes[n] = s.api.Change(withBody(r))
		mu.Unlock()
		fake.ServeHTTP(w, r)
	})
	err := op.do(t.Context(), s.open(t, carrier))
	if provision.KindOf(err) != provision.ErrUnsupported {
		require.NoError(t, err, op.name)
	}
	return n, changes
}

// withBody is a copy of a request for somebody who reads its body.
func withBody(r *http.Request) *http.Request {
	body, _ := io.ReadAll(r.Body)
	seen := r.Clone(r.Context())
	r.Body, seen.Body = io.NopCloser(bytes.NewReader(body)), io.NopCloser(bytes.NewReader(body))
	return seen
}

// redirected does an operation of which one request is redirected.
func (s *stage) redirected(t *testing.T, op operation, nth, status int, place string, carrier http.RoundTripper) error {
	t.Helper()
	s.reset(t)
	var seen atomic.Int64
	s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
		if int(seen.Add(1)) == nth {
			w.Header()["Location"] = []string{place}
			w.WriteHeader(status)
			return
		}
		fake.ServeHTTP(w, r)
	})
	return op.do(t.Context(), s.open(t, carrier))
}

// TestRedirects redirects each request of each operation, one at a time: the
// sign-in, the token, lists, creates, grants, and everything else.
func TestRedirects(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		s := newStage(t, c, nil)
		carrier := s.guarded(t)
		other := stranger(t, s.strays)
		cases := 0
		for _, op := range c.operations() {
			n, changes := s.requests(t, op, carrier)
			for nth := 1; nth <= n; nth++ {
				for _, status := range []int{301, 302, 303, 307, 308} {
					for _, place := range s.redirectsTo(t, other) {
						cases++
						err := s.redirected(t, op, nth, status, place, carrier)
						name := fmt.Sprintf("%s: request %d: %d to %s", op.name, nth, status, place)
						assert.Empty(t, s.strays.take(), name)
						if changes[nth] && !strings.Contains(place, "login") { // after which Cybereason's are sent anew
							require.Error(t, err, name)
						}
					}
				}
			}
		}
		assert.Greater(t, cases, 600)
		t.Log(cases, "redirects")
	})
}

// follower does what most clients do.
type follower struct{ client *http.Client }

func (f follower) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.RequestURI = ""
	return f.client.Do(r)
}

// TestRedirectsWouldBeNoticed makes sure that the listeners of TestRedirects see
// a client that follows.
func TestRedirectsWouldBeNoticed(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		s := newStage(t, c, nil)
		carrier := follower{&http.Client{Transport: s.guarded(t)}}
		for _, place := range s.redirectsTo(t, stranger(t, s.strays))[:9] {
			_ = s.redirected(t, c.operations()[1], 1, http.StatusFound, place, carrier)
			assert.NotEmpty(t, s.strays.take(), place)
		}
	})
}

// TestRegionsAreOfTheTable has Falcon name regions and addresses while its region
// is to be found out. Credentials go to addresses of the table alone.
func TestRegionsAreOfTheTable(t *testing.T) {
	s := newStage(t, consoles()[0], nil)
	table := []string{"api.crowdstrike.com:443", "api.us-2.crowdstrike.com:443", "api.us-3.crowdstrike.com:443", "api.eu-1.crowdstrike.com:443"}
	base, dialer := s.base(t), &net.Dialer{}
	var dialled notes
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled.add(address)
		return dialer.DialContext(ctx, network, s.server.Listener.Addr().String())
	}
	places := []string{
		"https://api.eu-1.crowdstrike.com/oauth2/token", "https://api.eu-1.crowdstrike.com.evil.example/", "https://evil.example/",
		"http://api.eu-1.crowdstrike.com/", "https://api.eu-1.crowdstrike.com:8443/", "https://api.eu-1.crowdstrike.com@evil.example/",
		"https://api.crowdstrike.mil/", "//evil.example", "",
	}
	for _, status := range []int{301, 302, 303, 307, 308, 201} {
		for _, named := range []string{"", "eu-1", "us-gov-1", "evil.example", "EU-1 ", "eu-1.evil.example", "../eu-1", "https://evil.example"} {
			for _, place := range places {
				s.reset(t)
				var seen atomic.Int64
				s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
					if named != "" {
						w.Header().Set("X-Cs-Region", named)
					}
					if seen.Add(1) > 1 || status == http.StatusCreated {
						fake.ServeHTTP(w, r)
						return
					}
					w.Header()["Location"] = []string{place}
					w.WriteHeader(status)
				})
				cfg := s.config(base)
				cfg.Settings["url"], cfg.Settings["region"] = "", "auto"
				p, err := s.vendor.New(t.Context(), cfg)
				require.NoError(t, err)
				_, _ = p.Check(t.Context())
				assert.Subset(t, table, dialled.take(), "%d, region %q, to %q", status, named, place)
				assert.Empty(t, s.strays.take(), "%d, region %q, to %q", status, named, place)
				base.CloseIdleConnections()
			}
		}
	}
}
