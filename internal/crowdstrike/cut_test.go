package crowdstrike_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/crowdstrike"
	"edrctl/internal/mock"
	fake "edrctl/internal/mock/crowdstrike"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/transport"
)

// wire joins an adapter to the fake and is cut once, after a number of bytes in
// one of the directions, on whatever connection they go.
type wire struct {
	api mock.API
	// answers and requests are how many bytes may pass before the cut in that
	// direction; negative for all.
	answers, requests int
	// cut is done to the connection then.
	cut func(conn net.Conn)

	mu   sync.Mutex
	done bool // the cut was made
	// made is how many creates were carried out, and late how many more came
	// after the first of them.
	made, late int
}

// pass takes n bytes off what may still pass and returns how many that leaves
// of them, and whether the wire is to be cut now.
func (w *wire) pass(left *int, n int) (int, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if *left < 0 || w.done {
		return n, false
	}
	n = min(n, *left)
	*left -= n
	w.done = *left == 0
	return n, w.done
}

// serve is the far end of one connection.
func (w *wire) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(&throttledReader{w, conn})
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		answer := w.carryOut(r, body)
		n, cut := w.pass(&w.answers, len(answer))
		if _, err := conn.Write(answer[:n]); err != nil {
			return
		}
		if cut {
			w.cut(conn)
			return
		}
	}
}

// throttledReader reads no more than may pass.
type throttledReader struct {
	w    *wire
	conn net.Conn
}

func (t *throttledReader) Read(p []byte) (int, error) {
	one := p[:min(len(p), 1)]
	t.w.mu.Lock()
	counting := t.w.requests >= 0 && !t.w.done
	t.w.mu.Unlock()
	if !counting {
		return t.conn.Read(p)
	}
	n, err := t.conn.Read(one)
	if n > 0 {
		if _, cut := t.w.pass(&t.w.requests, n); cut {
			t.w.cut(t.conn)
			return 0, io.ErrUnexpectedEOF
		}
	}
	return n, err
}

func (w *wire) carryOut(r *http.Request, body []byte) []byte {
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	if r.Method == http.MethodPost && r.URL.Path == "/user-management/entities/users/v1" {
		w.mu.Lock()
		switch {
		case w.made > 0:
			w.late++
		case rec.Code == http.StatusCreated:
			w.made++
		}
		w.mu.Unlock()
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		rec.Code, http.StatusText(rec.Code), rec.Header().Get("Content-Type"), rec.Body.Len())
	return append(b.Bytes(), rec.Body.Bytes()...)
}

// adapter is connected to the wire by a way to dial it.
func (w *wire) adapter(t *testing.T, dial func() (net.Conn, error)) (plan.Target, func()) {
	t.Helper()
	base := transport.Base(transport.BaseOptions{})
	base.DialContext = func(context.Context, string, string) (net.Conn, error) { return dial() }
	settings := w.api.Settings("http://127.0.0.1:80")
	v := crowdstrike.Vendor()
	p, err := v.New(t.Context(), provision.Config{
		Tenant: "falcon", HTTP: base, Now: time.Now, Log: slog.New(slog.DiscardHandler), Store: provision.MemoryStore(),
		Settings: map[string]string{"url": settings["url"], "client-id": settings["client-id"], "api": "modern"},
		Secrets:  map[string]provision.Secret{"client-secret": provision.NewSecret(settings["client-secret"])},
		Timeout:  30 * time.Second, MaxWait: 2 * time.Minute,
	})
	require.NoError(t, err)
	return plan.Target{Tenant: "falcon", Vendor: &v, Provisioner: p}, base.CloseIdleConnections
}

// createOne creates a person with a role and returns the result and what the
// fake then holds of that person.
func (w *wire) createOne(t *testing.T, target plan.Target, looks []time.Duration) (res plan.Result, accounts, roles int) {
	t.Helper()
	const login = "ines.duarte@example.com"
	change := plan.Change{Tenant: "falcon", Action: plan.CreateUser, Login: login, Spec: provision.UserSpec{Roles: []string{"id:event_viewer"}}}
	results, err := plan.Apply(t.Context(), []plan.Target{target}, []plan.Change{change},
		plan.Options{Guards: plan.Guards{MaxDeletes: -1}, Looks: looks})
	require.NoError(t, err)
	var state struct {
		Users  []struct{ UUID, UID string }
		Grants []struct {
			UUID   string
			RoleID string `json:"role_id"`
		}
	}
	data, err := json.Marshal(w.api.State())
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &state))
	for _, u := range state.Users {
		if !strings.EqualFold(u.UID, login) {
			continue
		}
		accounts++
		for _, g := range state.Grants {
			if g.UUID == u.UUID && g.RoleID == "event_viewer" {
				roles++
			}
		}
	}
	return results[0], accounts, roles
}

// TestCutAnywhere cuts the wire after every single byte of creating a person:
// from the first byte of the sign-in to the last one of the grant, what we send
// and what we are sent, by closing the connection and by falling silent. One
// cut leaves one person with the role, and nobody is ever asked for twice.
func TestCutAnywhere(t *testing.T) {
	cuts := map[string]func(conn net.Conn){
		"closed": func(conn net.Conn) { _ = conn.Close() },
		"silent": func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) },
	}
	for name, cut := range cuts {
		for _, direction := range []string{"requests", "answers"} {
			t.Run(direction+" "+name, func(t *testing.T) {
				t.Parallel()
				n := 1
				for more := true; more; n++ {
					synctest.Test(t, func(t *testing.T) {
						w := &wire{api: fake.Maker().New(mock.Env{Now: time.Now, Plain: true}), answers: -1, requests: -1, cut: cut}
						if direction == "answers" {
							w.answers = n
						} else {
							w.requests = n
						}
						target, hangUp := w.adapter(t, func() (net.Conn, error) {
							ours, theirs := net.Pipe()
							go w.serve(theirs)
							return ours, nil
						})
						defer hangUp()
						res, accounts, roles := w.createOne(t, target, nil)
						more = w.done
						require.Zero(t, w.late, "creates after byte %d was the last, and one had been carried out", n)
						require.Equal(t, 1, accounts, "accounts, cut after byte %d", n)
						require.Equal(t, 1, roles, "roles, cut after byte %d", n)
						require.Equal(t, plan.Created, res.Outcome, "cut after byte %d: %v", n, res.Err)
						require.NoError(t, res.Err, "cut after byte %d", n)
					})
				}
				assert.Greater(t, n, 800, "bytes of the whole conversation")
			})
		}
	}
}

// TestResetAnywhere does the same to the answers of a create and its grant on
// TCP, by resetting the connection and by closing one half of it.
func TestResetAnywhere(t *testing.T) {
	cuts := map[string]func(conn *net.TCPConn){
		"reset": func(conn *net.TCPConn) { _ = conn.SetLinger(0) },
		"half closed": func(conn *net.TCPConn) {
			_ = conn.CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
		},
	}
	for name, cut := range cuts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				w := &wire{
					api: fake.Maker().New(mock.Env{Now: time.Now, Plain: true}), answers: -1, requests: -1,
					cut: func(conn net.Conn) { cut(conn.(*net.TCPConn)) },
				}
				stop, address := w.listen(t)
				target, hangUp := w.adapter(t, func() (net.Conn, error) {
					var d net.Dialer
					return d.DialContext(t.Context(), "tcp", address)
				})
				_, err := target.Provisioner.Check(t.Context()) // the sign-in is not what is cut
				require.NoError(t, err)
				w.answers = n
				res, accounts, roles := w.createOne(t, target, make([]time.Duration, 3))
				require.Zero(t, w.late, "creates after byte %d was the last, and one had been carried out", n)
				require.Equal(t, []int{1, 1}, []int{accounts, roles}, "cut after byte %d", n)
				require.Equal(t, plan.Created, res.Outcome, "cut after byte %d: %v", n, res.Err)
				require.NoError(t, res.Err, "cut after byte %d", n)
				hangUp()
				stop()
				if !w.done {
					assert.Greater(t, n, 400, "bytes of both answers")
					return
				}
			}
		})
	}
}

// listen serves the wire on a port until stopped.
func (w *wire) listen(t *testing.T) (stop func(), address string) {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { w.serve(conn) })
		}
	})
	return func() {
		_ = ln.Close()
		all.Wait()
	}, ln.Addr().String()
}
