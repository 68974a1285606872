package transport_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// listener is a server below HTTP: each connection is handed to a function,
// with its number.
type listener struct {
	url   string
	conns atomic.Int64
}

func listen(t *testing.T, handle func(n int, conn net.Conn)) *listener {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &listener{url: "http://" + ln.Addr().String()}
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			n := int(l.conns.Add(1))
			wg.Go(func() {
				stop := context.AfterFunc(t.Context(), func() { _ = conn.Close() })
				defer stop()
				defer func() { _ = conn.Close() }()
				handle(n, conn)
			})
		}
	})
	t.Cleanup(func() {
		close(done)
		_ = ln.Close()
		wg.Wait()
	})
	return l
}

// plainBase is a base transport for servers without TLS.
func plainBase(t *testing.T) *http.Transport {
	t.Helper()
	base := transport.Base(transport.BaseOptions{})
	t.Cleanup(base.CloseIdleConnections)
	return base
}

// request reads one request off a connection.
func request(conn net.Conn) bool {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err == nil
}

func reply(conn net.Conn, text string) { _, _ = io.WriteString(conn, text) }

const okReply = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

func TestConnections(t *testing.T) {
	type outcome struct {
		kind  provision.Kind // empty for success
		conns int
		says  string
	}
	for _, tt := range []struct {
		name   string
		handle func(n int, conn net.Conn)
		read   outcome
		change outcome
	}{
		{
			name:   "closed at once",
			handle: func(int, net.Conn) {},
			read:   outcome{provision.ErrUnavailable, 3, "closed the connection"},
		},
		{
			name:   "closed after the request",
			handle: func(_ int, conn net.Conn) { request(conn) },
			read:   outcome{provision.ErrUnavailable, 3, "closed the connection"},
			change: outcome{provision.ErrUncertain, 1, "the answer was lost"},
		},
		{
			name: "reset after the request",
			handle: func(_ int, conn net.Conn) {
				request(conn)
				_ = conn.(*net.TCPConn).SetLinger(0)
			},
			read:   outcome{provision.ErrUnavailable, 3, "closed the connection"},
			change: outcome{provision.ErrUncertain, 1, "the answer was lost"},
		},
		{
			name: "cut after the headers",
			handle: func(_ int, conn net.Conn) {
				request(conn)
				reply(conn, "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n")
			},
			read:   outcome{provision.ErrUnavailable, 3, "reading the answer"},
			change: outcome{provision.ErrUncertain, 1, "reading the answer"},
		},
		{
			name: "cut within the body",
			handle: func(_ int, conn net.Conn) {
				request(conn)
				reply(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n")
			},
			read:   outcome{provision.ErrUnavailable, 3, "reading the answer"},
			change: outcome{provision.ErrUncertain, 1, "reading the answer"},
		},
		{
			name: "silent",
			handle: func(_ int, conn net.Conn) {
				request(conn)
				_, _ = io.Copy(io.Discard, conn)
			},
			read:   outcome{provision.ErrUnavailable, 3, "did not answer in time"},
			change: outcome{provision.ErrUncertain, 1, "the answer was lost"},
		},
		{
			name: "silent within the body",
			handle: func(_ int, conn net.Conn) {
				request(conn)
				reply(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
				_, _ = io.Copy(io.Discard, conn)
			},
			read:   outcome{provision.ErrUnavailable, 3, "did not answer in time"},
			change: outcome{provision.ErrUncertain, 1, "the answer was lost"},
		},
		{
			name: "no HTTP",
			handle: func(_ int, conn net.Conn) {
				request(conn)
				reply(conn, "220 mail.example ESMTP\r\n")
			},
			read:   outcome{provision.ErrUnavailable, 3, "malformed HTTP"},
			change: outcome{provision.ErrUncertain, 1, "malformed HTTP"},
		},
		{
			name: "headers without end",
			handle: func(_ int, conn net.Conn) {
				request(conn)
				reply(conn, "HTTP/1.1 200 OK\r\n")
				for range 10_000 {
					if _, err := io.WriteString(conn, "X-More: "+strings.Repeat("x", 100)+"\r\n"); err != nil {
						return
					}
				}
			},
			read:   outcome{provision.ErrUnavailable, 3, "exceeded 65536 bytes"},
			change: outcome{provision.ErrUncertain, 1, "exceeded 65536 bytes"},
		},
		{
			name: "better the second time",
			handle: func(n int, conn net.Conn) {
				if request(conn) && n > 1 {
					reply(conn, okReply)
				}
			},
			read:   outcome{conns: 2},
			change: outcome{provision.ErrUncertain, 1, "the answer was lost"},
		},
	} {
		for name, want := range map[string]outcome{"read": tt.read, "change": tt.change} {
			if want.conns == 0 {
				continue // chance decides whether anything goes out
			}
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				server := listen(t, tt.handle)
				cfg := config(plainBase(t))
				if strings.HasPrefix(tt.name, "silent") {
					cfg.Timeout = 300 * time.Millisecond
				}
				req := read()
				if name == "change" {
					req = change()
				}
				started := time.Now()
				_, err := client(t, server.url, cfg).Do(t.Context(), req)
				assert.Less(t, time.Since(started), 20*time.Second)
				assert.EqualValues(t, want.conns, server.conns.Load(), "connections")
				if want.kind == "" {
					require.NoError(t, err)
					return
				}
				failure(t, err, want.kind)
				require.ErrorContains(t, err, want.says)
			})
		}
	}
}

func TestConnectionRefused(t *testing.T) {
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := ln.Addr().String()
	require.NoError(t, ln.Close())
	for _, req := range []*transport.Request{read(), change()} {
		_, err = client(t, "http://"+address, config(plainBase(t))).Do(t.Context(), req)
		e := failure(t, err, provision.ErrUnavailable)
		assert.Contains(t, e.Message, address+" cannot be reached")
		assert.Contains(t, e.Hint, "url")
	}
}

// TestUnknownHost asks a resolver that knows nothing.
func TestUnknownHost(t *testing.T) {
	lookups := 0
	base := plainBase(t)
	base.DialContext = func(_ context.Context, network, address string) (net.Conn, error) {
		lookups++
		host, _, _ := net.SplitHostPort(address)
		return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
	}
	c := transport.New(transport.Options{
		Vendor: "acme", Config: config(base), Origin: parse(t, "https://acme.invalid"), OriginKey: "fqdn",
	})
	_, err := c.Do(t.Context(), change())
	e := failure(t, err, provision.ErrUnavailable)
	assert.Contains(t, e.Message, "acme.invalid is not known to the DNS")
	assert.Contains(t, e.Hint, "fqdn")
	assert.Equal(t, 1, lookups)
}

// TestIdleConnectionClosed has the server close each connection after one
// answer without saying so. Sending again is for net/http to do where it is
// certain that nothing went out; it shows that no change arrives twice.
func TestIdleConnectionClosed(t *testing.T) {
	var arrived atomic.Int64
	server := listen(t, func(_ int, conn net.Conn) {
		if request(conn) {
			arrived.Add(1)
			reply(conn, okReply)
		}
	})
	c := client(t, server.url, config(plainBase(t)))
	for i := range 20 {
		req := read()
		if i%2 == 1 {
			req = change()
		}
		before := arrived.Load()
		_, err := c.Do(t.Context(), req)
		assert.LessOrEqual(t, arrived.Load()-before, int64(1), "request %d arrived twice", i)
		if err != nil {
			assert.True(t, req.Change, "a read is sent again: %v", err)
			failure(t, err, provision.ErrUncertain)
		}
	}
}

// TestBlackHole waits for an answer that never comes, by a clock that does not
// make the test wait.
func TestBlackHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := transport.Base(transport.BaseOptions{})
		base.DialContext = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			return ours, nil
		}
		defer base.CloseIdleConnections()
		c := client(t, "http://acme.example", config(base))
		started := time.Now()
		_, err := c.Do(t.Context(), change())
		failure(t, err, provision.ErrUncertain)
		assert.Equal(t, 30*time.Second, time.Since(started), "one attempt")

		started = time.Now()
		_, err = c.Do(t.Context(), read())
		failure(t, err, provision.ErrUnavailable)
		require.ErrorContains(t, err, "did not answer in time")
		assert.InDelta(t, 90*time.Second, time.Since(started), float64(3*time.Second), "three attempts")
	})
}

// TestHandshakeStalls ends before anything is sent, so that changes are tried
// again too.
func TestHandshakeStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		base := transport.Base(transport.BaseOptions{})
		base.DialContext = func(context.Context, string, string) (net.Conn, error) {
			dials++
			ours, theirs := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			return ours, nil
		}
		defer base.CloseIdleConnections()
		started := time.Now()
		_, err := client(t, "https://acme.example", config(base)).Do(t.Context(), change())
		failure(t, err, provision.ErrUnavailable)
		require.ErrorContains(t, err, "did not answer in time")
		assert.Equal(t, 3, dials)
		assert.InDelta(t, 30*time.Second, time.Since(started), float64(3*time.Second), "three handshakes of ten seconds")
	})
}

// TestAnswersWithoutEnd bounds what a hostile or broken server can make us hold.
func TestAnswersWithoutEnd(t *testing.T) {
	zeros := make([]byte, 64<<10)
	endless := func(r *http.Request, w io.Writer) {
		for range 64 << 10 {
			// What is compressed takes long to reach a writer that would tell.
			if _, err := w.Write(zeros); err != nil || r.Context().Err() != nil {
				return
			}
		}
	}
	server, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			endless(r, w)
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			endless(r, z)
			_ = z.Close()
		case "/failed":
			w.WriteHeader(http.StatusBadGateway)
			endless(r, w)
		case "/failed-bomb":
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(http.StatusForbidden)
			z := gzip.NewWriter(w)
			endless(r, z)
			_ = z.Close()
		}
	})
	for _, tt := range []struct {
		name   string
		path   string
		limit  int64
		says   string
		status int
	}{
		{name: "object", path: "/endless", says: "larger than 8 MiB"},
		{name: "object, compressed", path: "/bomb", says: "larger than 8 MiB"},
		{name: "list", path: "/endless", limit: transport.MaxList, says: "larger than 64 MiB"},
		{name: "list, compressed", path: "/bomb", limit: transport.MaxList, says: "larger than 64 MiB"},
		{name: "failure", path: "/failed", status: 502},
		{name: "failure, compressed", path: "/failed-bomb", status: 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			peak := watchMemory(t)
			req := &transport.Request{Op: "read", Method: http.MethodGet, Path: tt.path, JSON: true, MaxBytes: tt.limit}
			resp, err := client(t, server.URL, config(base)).Do(t.Context(), req)
			if tt.status != 0 {
				require.NoError(t, err)
				assert.Equal(t, tt.status, resp.Status)
				assert.Len(t, resp.Body, 64<<10)
			} else {
				failure(t, err, provision.ErrInternal)
				require.ErrorContains(t, err, tt.says)
			}
			if mib := peak() >> 20; !raced {
				assert.Less(t, mib, uint64(100), "MiB in use")
			}
		})
	}
}

// watchMemory samples the heap until the returned function is called, which
// says how much more than at the beginning was in use.
func watchMemory(t *testing.T) func() uint64 {
	t.Helper()
	use := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse
	}
	runtime.GC()
	before := use()
	var peak atomic.Uint64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				peak.Store(max(peak.Load(), use()))
			}
		}
	})
	return func() uint64 {
		close(stop)
		wg.Wait()
		return max(peak.Load(), before) - before
	}
}

func TestAnswerOfExactlyTheLimit(t *testing.T) {
	const limit = 1000
	server, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := limit
		if r.URL.Path == "/more" {
			n++
		}
		_, _ = io.WriteString(w, strings.Repeat("1", n))
	})
	c := client(t, server.URL, config(base))
	req := &transport.Request{Op: "read", Method: http.MethodGet, Path: "/", JSON: true, MaxBytes: limit}
	resp, err := c.Do(t.Context(), req)
	require.NoError(t, err)
	assert.Len(t, resp.Body, limit)
	req.Path = "/more"
	_, err = c.Do(t.Context(), req)
	failure(t, err, provision.ErrInternal)
}

func TestCompressedAnswer(t *testing.T) {
	server, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			http.Error(w, "not asked for", http.StatusNotAcceptable)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, `{"a":1}`)
		if r.URL.Path != "/cut" {
			_ = z.Close()
		} else {
			_ = z.Flush()
		}
	})
	c := client(t, server.URL, config(base))
	resp, err := c.Do(t.Context(), change())
	require.NoError(t, err)
	assert.JSONEq(t, `{"a":1}`, string(resp.Body))
	cut := change()
	cut.Path = "/cut"
	_, err = c.Do(t.Context(), cut)
	failure(t, err, provision.ErrUncertain)
}

func TestHTTP2(t *testing.T) {
	var protos sync.Map
	server, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		protos.Store(r.Proto, true)
		if r.URL.Path == "/cut" {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, `{}`)
	})
	c := client(t, server.URL, config(base))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := c.Do(t.Context(), change())
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	_, one := protos.Load("HTTP/1.1")
	_, two := protos.Load("HTTP/2.0")
	assert.False(t, one)
	assert.True(t, two)
	for cut, kind := range map[*transport.Request]provision.Kind{read(): provision.ErrUnavailable, change(): provision.ErrUncertain} {
		cut.Path = "/cut"
		_, err := c.Do(t.Context(), cut)
		failure(t, err, kind)
	}
}

// TestHTTP2GoAway ends the connection between requests, as servers do when
// they are restarted.
func TestHTTP2GoAway(t *testing.T) {
	var arrived atomic.Int64
	server, base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived.Add(1)
		w.Header().Set("Connection", "close") // becomes GOAWAY
		_, _ = io.WriteString(w, `{}`)
	})
	c := client(t, server.URL, config(base))
	for range 10 {
		_, err := c.Do(t.Context(), change())
		require.NoError(t, err)
	}
	assert.EqualValues(t, 10, arrived.Load())
}

func TestProxy(t *testing.T) {
	target, base := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) })
	for _, tt := range []struct {
		name   string
		handle http.HandlerFunc // nil for a proxy that is down
		says   []string
	}{
		{name: "works", handle: tunnel},
		{name: "wants a password", handle: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Proxy-Authenticate", "Basic")
			w.WriteHeader(http.StatusProxyAuthRequired)
		}, says: []string{"the proxy", "407 Proxy Authentication Required"}},
		{name: "refuses", handle: func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<title>Blocked</title>", http.StatusForbidden)
		}, says: []string{"the proxy", "403 Forbidden"}},
		{name: "is down", says: []string{"the proxy"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			proxy := httptest.NewServer(tt.handle)
			if tt.handle == nil {
				proxy.Close()
			} else {
				t.Cleanup(proxy.Close)
			}
			address := parse(t, proxy.URL)
			address.User = url.UserPassword("corp", canary)
			through := transport.Base(transport.BaseOptions{Roots: base.TLSClientConfig.RootCAs, Proxy: http.ProxyURL(address)})
			t.Cleanup(through.CloseIdleConnections)
			log := &logbook{}
			cfg := config(through)
			cfg.Log = log.logger()
			_, err := client(t, target.URL, cfg).Do(t.Context(), change())
			assert.NotContains(t, log.String(), canary)
			if len(tt.says) == 0 {
				require.NoError(t, err)
				return
			}
			e := failure(t, err, provision.ErrUnavailable)
			for _, text := range tt.says {
				require.ErrorContains(t, err, text)
			}
			assert.Contains(t, e.Hint, "proxy")
			assert.NotContains(t, fmt.Sprintf("%+v %#v", e, e.Err), canary)
		})
	}
}

// tunnel is what a proxy does with CONNECT.
func tunnel(w http.ResponseWriter, r *http.Request) {
	if user, pass, ok := basicAuth(r); !ok || user != "corp" || pass != canary {
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	var d net.Dialer
	there, err := d.DialContext(r.Context(), "tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	reply(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(there, here); _ = there.Close() })
	wg.Go(func() { _, _ = io.Copy(here, there); _ = here.Close() })
	wg.Wait()
}

func basicAuth(r *http.Request) (user, pass string, ok bool) {
	r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
	return r.BasicAuth()
}
