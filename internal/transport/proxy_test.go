package transport_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

// TestProxyThatIsNone puts things in the place of the proxy that do not do what
// a proxy does. Nothing has reached the console then, whatever they say.
func TestProxyThatIsNone(t *testing.T) {
	page := "<html><title>Sign in to the network</title>" + strings.Repeat("<p>please</p>", 200) + "</html>"
	cases := map[string]func(conn net.Conn){
		"page with 200": func(conn net.Conn) {
			request(conn)
			reply(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"+page)
		},
		"page with 200 and its length": func(conn net.Conn) {
			request(conn)
			reply(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<htm>")
			_, _ = io.Copy(io.Discard, conn)
		},
		"redirect to a page": func(conn net.Conn) {
			request(conn)
			reply(conn, "HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n")
		},
		"endless page with 403": func(conn net.Conn) {
			request(conn)
			reply(conn, "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n")
			for range 1000 {
				if _, err := io.WriteString(conn, page); err != nil {
					return
				}
			}
		},
		"silence":     func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) },
		"mail server": func(conn net.Conn) { reply(conn, "220 mail.example ESMTP\r\n") },
	}
	established := "HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n"
	for n := range len(established) + 1 {
		cases["cut after "+established[:n]] = func(conn net.Conn) {
			request(conn)
			reply(conn, established[:n])
		}
	}
	for name, handle := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				through := transport.Base(transport.BaseOptions{Proxy: http.ProxyURL(&url.URL{
					Scheme: "http", Host: "proxy.acme.example:3128", User: url.UserPassword("corp", canary),
				})})
				defer through.CloseIdleConnections()
				through.DialContext = func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					go func() {
						defer func() { _ = theirs.Close() }()
						handle(theirs)
					}()
					return ours, nil
				}
				log := &logbook{}
				cfg := config(through)
				cfg.Log = log.logger()
				started := time.Now()
				_, err := client(t, "https://console.acme.example", cfg).Do(t.Context(), change())
				e := failure(t, err, provision.ErrUnavailable)
				assert.Contains(t, e.Hint, "proxy")
				assert.Less(t, time.Since(started), 2*time.Minute)
				assert.NotContains(t, log.String(), canary)
			})
		})
	}
}

// TestProxyIsChosenByHost leaves the choice to what the user's environment
// says, in which loopback and the hosts of NO_PROXY go straight.
func TestProxyIsChosenByHost(t *testing.T) {
	target, base := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) })
	var asked atomic.Int64
	proxy := parse(t, listen(t, func(int, net.Conn) { asked.Add(1) }).url)
	straight := transport.Base(transport.BaseOptions{
		Roots: base.TLSClientConfig.RootCAs,
		Proxy: func(r *http.Request) (*url.URL, error) {
			if r.URL.Hostname() == "127.0.0.1" {
				return nil, nil
			}
			return proxy, nil
		},
	})
	t.Cleanup(straight.CloseIdleConnections)
	_, err := client(t, target.URL, config(straight)).Do(t.Context(), change())
	require.NoError(t, err)
	assert.Zero(t, asked.Load())
	_, err = client(t, "https://console.acme.example", config(straight)).Do(t.Context(), change())
	failure(t, err, provision.ErrUnavailable)
	assert.Positive(t, asked.Load())
}
