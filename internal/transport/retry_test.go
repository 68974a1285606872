package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

func refusedDial() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

func unknownHost() error {
	return &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "acme.example", IsNotFound: true}}
}

// TestRetries goes through the ways in which a request can end, for reads and
// for changes. No change is sent again once it may have arrived.
func TestRetries(t *testing.T) {
	ok := answer(200, `{}`)
	type outcome struct {
		attempts int
		status   int            // of the answer, or
		kind     provision.Kind // of the error
	}
	for _, tt := range []struct {
		name   string
		steps  []step
		read   outcome
		change outcome
	}{
		{name: "success", steps: []step{ok}, read: outcome{1, 200, ""}, change: outcome{1, 200, ""}},
		{name: "connection refused once", steps: []step{fails(false, refusedDial()), ok}, read: outcome{2, 200, ""}, change: outcome{2, 200, ""}},
		{name: "connection refused for ever", steps: []step{fails(false, refusedDial())}, read: outcome{3, 0, provision.ErrUnavailable}, change: outcome{3, 0, provision.ErrUnavailable}},
		{name: "host unknown", steps: []step{fails(false, unknownHost())}, read: outcome{1, 0, provision.ErrUnavailable}, change: outcome{1, 0, provision.ErrUnavailable}},
		{name: "reset before it was sent", steps: []step{fails(false, errReset()), ok}, read: outcome{2, 200, ""}, change: outcome{2, 200, ""}},
		{name: "reset after it was sent", steps: []step{fails(true, errReset()), ok}, read: outcome{2, 200, ""}, change: outcome{1, 0, provision.ErrUncertain}},
		{name: "reset for ever", steps: []step{fails(true, errReset())}, read: outcome{3, 0, provision.ErrUnavailable}, change: outcome{1, 0, provision.ErrUncertain}},
		{name: "body cut", steps: []step{breaks(200), ok}, read: outcome{2, 200, ""}, change: outcome{1, 0, provision.ErrUncertain}},
		{name: "body of a refusal cut", steps: []step{breaks(403)}, read: outcome{1, 403, ""}, change: outcome{1, 403, ""}},
		{name: "500", steps: []step{answer(500, `{}`), ok}, read: outcome{2, 200, ""}, change: outcome{1, 500, ""}},
		{name: "502 for ever", steps: []step{answer(502, `<html>`)}, read: outcome{3, 502, ""}, change: outcome{1, 502, ""}},
		{name: "503 without a time", steps: []step{answer(503, `{}`), ok}, read: outcome{2, 200, ""}, change: outcome{1, 503, ""}},
		{name: "504", steps: []step{answer(504, `{}`), ok}, read: outcome{2, 200, ""}, change: outcome{1, 504, ""}},
		{name: "501", steps: []step{answer(501, `{}`), ok}, read: outcome{1, 501, ""}, change: outcome{1, 501, ""}},
		{name: "505", steps: []step{answer(505, `{}`), ok}, read: outcome{1, 505, ""}, change: outcome{1, 505, ""}},
		{name: "400", steps: []step{answer(400, `{}`), ok}, read: outcome{1, 400, ""}, change: outcome{1, 400, ""}},
		{name: "401", steps: []step{answer(401, `{}`), ok}, read: outcome{1, 401, ""}, change: outcome{1, 401, ""}},
		{name: "403", steps: []step{answer(403, `{}`), ok}, read: outcome{1, 403, ""}, change: outcome{1, 403, ""}},
		{name: "404", steps: []step{answer(404, `{}`), ok}, read: outcome{1, 404, ""}, change: outcome{1, 404, ""}},
		{name: "409", steps: []step{answer(409, `{}`), ok}, read: outcome{1, 409, ""}, change: outcome{1, 409, ""}},
		{name: "429 and then", steps: []step{answer(429, `{}`), answer(429, `{}`), answer(429, `{}`), answer(429, `{}`), ok}, read: outcome{5, 200, ""}, change: outcome{5, 200, ""}},
		{name: "503 with a time", steps: []step{answer(503, `{}`, "Retry-After", "2"), ok}, read: outcome{2, 200, ""}, change: outcome{2, 200, ""}},
		{name: "a page in the place of JSON", steps: []step{answer(200, `<title>Sign in</title>`, "Content-Type", "text/html")}, read: outcome{3, 0, provision.ErrInternal}, change: outcome{1, 0, provision.ErrUncertain}},
		{name: "half of the JSON", steps: []step{answer(200, `{"a":`), ok}, read: outcome{2, 200, ""}, change: outcome{1, 0, provision.ErrUncertain}},
		{name: "an empty success", steps: []step{answer(200, ``), ok}, read: outcome{2, 200, ""}, change: outcome{1, 0, provision.ErrUncertain}},
		{name: "time-out before it was sent", steps: []step{fails(false, context.DeadlineExceeded), ok}, read: outcome{2, 200, ""}, change: outcome{2, 200, ""}},
		{name: "time-out after it was sent", steps: []step{fails(true, context.DeadlineExceeded), ok}, read: outcome{2, 200, ""}, change: outcome{1, 0, provision.ErrUncertain}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, want := range map[string]outcome{"read": tt.read, "change": tt.change} {
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := play(tt.steps...)
						req := &transport.Request{Op: name, Method: http.MethodPost, Path: "/x", Change: name == "change", JSON: true}
						resp, err := client(t, "https://acme.example", config(s)).Do(t.Context(), req)
						assert.Equal(t, want.attempts, s.attempts(), "attempts")
						if want.kind != "" {
							failure(t, err, want.kind)
							assert.Nil(t, resp)
							return
						}
						require.NoError(t, err)
						assert.Equal(t, want.status, resp.Status)
						assert.Equal(t, name == "change", resp.Change)
						assert.Equal(t, want.status == 200, resp.OK())
					})
				})
			}
		})
	}
}

// TestSingle is about requests such as a sign-in: they change nothing, and
// sending a wrong password again may lock the account.
func TestSingle(t *testing.T) {
	single := func() *transport.Request {
		return &transport.Request{Op: "sign in", Method: http.MethodPost, Path: "/login", Single: true}
	}
	for _, tt := range []struct {
		name     string
		steps    []step
		attempts int
		kind     provision.Kind
	}{
		{name: "lost", steps: []step{fails(true, errReset())}, attempts: 1, kind: provision.ErrUnavailable},
		{name: "not sent", steps: []step{fails(false, refusedDial()), answer(200, `{}`)}, attempts: 2},
		{name: "500", steps: []step{answer(500, ``)}, attempts: 1},
		{name: "throttled", steps: []step{answer(429, ``), answer(200, ``)}, attempts: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := play(tt.steps...)
				_, err := client(t, "https://acme.example", config(s)).Do(t.Context(), single())
				assert.Equal(t, tt.attempts, s.attempts(), "attempts")
				if tt.kind == "" {
					require.NoError(t, err)
					return
				}
				failure(t, err, tt.kind)
			})
		})
	}
}

func TestTransientDecidesOnReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(answer(500, `no such role`), answer(500, `reached max number of retries`), answer(200, `{}`))
		req := read()
		req.Transient = func(r *transport.Response) bool { return string(r.Body) == "reached max number of retries" }
		c := client(t, "https://acme.example", config(s))
		resp, err := c.Do(t.Context(), req)
		require.NoError(t, err)
		assert.Equal(t, 500, resp.Status)
		assert.Equal(t, "no such role", string(resp.Body))
		assert.Equal(t, 1, s.attempts())

		resp, err = c.Do(t.Context(), req)
		require.NoError(t, err)
		assert.Equal(t, 200, resp.Status)
		assert.Equal(t, 3, s.attempts())

		changing := change()
		changing.Transient = func(*transport.Response) bool { return true }
		s = play(answer(500, `{}`))
		resp, err = client(t, "https://acme.example", config(s)).Do(t.Context(), changing)
		require.NoError(t, err)
		assert.Equal(t, 500, resp.Status)
		assert.Equal(t, 1, s.attempts(), "a change, whatever Transient says")
	})
}

// TestEachAttemptIsSigned matters where a signature holds a time or a nonce
// that may be used once.
func TestEachAttemptIsSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(answer(503, ``), answer(429, ``), answer(200, `{}`))
		n := 0
		req := read()
		req.Header = http.Header{"X-Kept": {"v"}}
		req.Sign = func(r *http.Request) error {
			n++
			assert.Empty(t, r.Header.Get("Authorization"), "left over from another attempt")
			r.Header.Set("Authorization", "nonce "+strconv.Itoa(n))
			r.Header.Add("X-Kept", "more")
			return nil
		}
		_, err := client(t, "https://acme.example", config(s)).Do(t.Context(), req)
		require.NoError(t, err)
		require.Len(t, s.seen, 3)
		for i, r := range s.seen {
			assert.Equal(t, "nonce "+strconv.Itoa(i+1), r.Header.Get("Authorization"))
			assert.Equal(t, []string{"v", "more"}, r.Header.Values("X-Kept"))
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			assert.Empty(t, body)
		}
		assert.Equal(t, http.Header{"X-Kept": {"v"}}, req.Header, "the request as it was given")
	})
}

func TestEachAttemptHasTheWholeBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil || string(body) != `{"login":"ada@example.com"}` {
				return nil, errors.New("the body is spent: " + string(body))
			}
			if len(body) != int(r.ContentLength) {
				return nil, errors.New("wrong length")
			}
			return answer(429, ``)(r)
		}, func(r *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(r.Body)
			return answer(200, string(body))(r)
		})
		resp, err := client(t, "https://acme.example", config(s)).Do(t.Context(), change())
		require.NoError(t, err)
		assert.JSONEq(t, `{"login":"ada@example.com"}`, string(resp.Body))
	})
}

func TestSigningFails(t *testing.T) {
	for name, cause := range map[string]error{
		"ours":    &provision.Error{Vendor: "acme", Op: "sign in", Kind: provision.ErrUnauthenticated, Message: "no session"},
		"foreign": errors.New("no entropy"),
	} {
		t.Run(name, func(t *testing.T) {
			s := play(answer(200, `{}`))
			req := change()
			req.Sign = func(*http.Request) error { return cause }
			_, err := client(t, "https://acme.example", config(s)).Do(t.Context(), req)
			want := provision.ErrInternal
			if name == "ours" {
				want = provision.ErrUnauthenticated
			}
			failure(t, err, want)
			require.ErrorIs(t, err, cause)
			assert.Zero(t, s.attempts(), "requests sent")
		})
	}
}

// TestBudget bounds what a vendor in trouble is asked: a fixed number of
// repetitions for all, and one for every ten requests.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const requests = 200
		s := play(answer(503, ``))
		c := client(t, "https://acme.example", config(s))
		for range requests {
			resp, err := c.Do(t.Context(), read())
			require.NoError(t, err)
			assert.Equal(t, 503, resp.Status)
		}
		assert.LessOrEqual(t, s.attempts(), requests+20+requests/10)
		assert.GreaterOrEqual(t, s.attempts(), requests+20)
		other := c.At(parse(t, "https://other.acme.example"))
		before := s.attempts()
		for range 30 {
			_, err := other.Do(t.Context(), read())
			require.NoError(t, err)
		}
		assert.LessOrEqual(t, s.attempts()-before, 30+3, "another origin of the tenant has no budget of its own")
	})
}

func TestDelaysGrowAndVary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := map[time.Duration]bool{}
		for range 20 {
			s := play(answer(500, ``))
			_, err := client(t, "https://acme.example", config(s)).Do(t.Context(), read())
			require.NoError(t, err)
			require.Len(t, s.times, 3)
			one, two := s.times[1].Sub(s.times[0]), s.times[2].Sub(s.times[1])
			assert.LessOrEqual(t, one, 500*time.Millisecond)
			assert.LessOrEqual(t, two, time.Second)
			first[one] = true
		}
		assert.Greater(t, len(first), 5, "different delays: nobody wants all to come back at once")
	})
}

func TestReadOnly(t *testing.T) {
	s := play(answer(200, `{}`))
	cfg := config(s)
	cfg.ReadOnly = true
	c := client(t, "https://acme.example", cfg)
	_, err := c.Do(t.Context(), change())
	failure(t, err, provision.ErrInternal)
	require.ErrorContains(t, err, "dry run")
	assert.Zero(t, s.attempts(), "requests sent")
	_, err = c.Do(t.Context(), read())
	require.NoError(t, err)
	_, err = c.At(parse(t, "https://eu.acme.example")).Do(t.Context(), change())
	failure(t, err, provision.ErrInternal)
	assert.Equal(t, 1, s.attempts(), "requests sent")
}

func TestCancelled(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		s := play(answer(200, `{}`))
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("SIGINT"))
		for _, req := range []*transport.Request{read(), change()} {
			_, err := client(t, "https://acme.example", config(s)).Do(ctx, req)
			failure(t, err, provision.ErrInterrupted)
			require.ErrorContains(t, err, "SIGINT")
		}
		assert.Zero(t, s.attempts())
	})
	t.Run("while throttled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := play(answer(429, ``, "Retry-After", "60"))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			started := time.Now()
			_, err := client(t, "https://acme.example", config(s)).Do(ctx, change())
			failure(t, err, provision.ErrInterrupted)
			assert.Equal(t, 10*time.Second, time.Since(started))
			assert.Equal(t, 1, s.attempts())
		})
	})
	t.Run("between attempts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			s := play(func(r *http.Request) (*http.Response, error) {
				cancel()
				return answer(503, ``)(r)
			})
			_, err := client(t, "https://acme.example", config(s)).Do(ctx, read())
			failure(t, err, provision.ErrInterrupted)
			assert.Equal(t, 1, s.attempts())
		})
	})
	// While an answer is awaited, it depends on what was sent.
	for name, want := range map[string]provision.Kind{"read": provision.ErrInterrupted, "change": provision.ErrUncertain} {
		t.Run("while a "+name+" is answered", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				s := play(func(r *http.Request) (*http.Response, error) {
					wrote(r)
					cancel()
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
				req := read()
				if name == "change" {
					req = change()
				}
				_, err := client(t, "https://acme.example", config(s)).Do(ctx, req)
				failure(t, err, want)
				assert.Equal(t, 1, s.attempts())
			})
		})
	}
	t.Run("a change that is on its way", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			s := play(func(r *http.Request) (*http.Response, error) {
				httptrace.ContextClientTrace(r.Context()).WroteHeaderField("user-agent", nil)
				cancel()
				return nil, r.Context().Err()
			})
			_, err := client(t, "https://acme.example", config(s)).Do(ctx, change())
			failure(t, err, provision.ErrUncertain)
			assert.Equal(t, 1, s.attempts())
		})
	})
	t.Run("a change that was not sent yet", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			s := play(func(r *http.Request) (*http.Response, error) {
				cancel()
				return nil, r.Context().Err()
			})
			_, err := client(t, "https://acme.example", config(s)).Do(ctx, change())
			failure(t, err, provision.ErrInterrupted)
			assert.Equal(t, 1, s.attempts())
		})
	})
}

func TestTimeoutOfOneAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(r *http.Request) (*http.Response, error) {
			wrote(r)
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		cfg := config(play(hang))
		cfg.Timeout = 5 * time.Second
		started := time.Now()
		_, err := client(t, "https://acme.example", cfg).Do(t.Context(), change())
		e := failure(t, err, provision.ErrUncertain)
		assert.Equal(t, 5*time.Second, time.Since(started))
		assert.Contains(t, e.Hint, "look at the user")

		s := play(hang, answer(200, `{}`))
		cfg.HTTP = s
		_, err = client(t, "https://acme.example", cfg).Do(t.Context(), read())
		require.NoError(t, err)
		assert.Equal(t, 2, s.attempts())
	})
}

func TestDefaults(t *testing.T) {
	cfg := config(nil)
	cfg.Timeout, cfg.MaxWait = 0, 0
	c := client(t, "https://acme.example", cfg)
	assert.Equal(t, "acme.example", c.Origin().Host)
	assert.Zero(t, c.Skew())
	assert.True(t, c.Once("text"))
	assert.False(t, c.Once("text"))
	assert.False(t, c.At(parse(t, "https://eu.acme.example")).Once("text"), "said once for the tenant")
	assert.True(t, c.Once("other"))
}
