// Package transport carries the requests of all adapters: it locks them to the
// tenant's origin, signs each attempt, waits where the vendor throttles,
// repeats what may be repeated, bounds time and size, and traces what happens
// without showing a secret.
//
// It knows HTTP and not the vendors. Whether an answer means success is the
// adapter's to say; here only the ways in which an answer can fail to arrive
// are told apart.
package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"edrctl/internal/provision"
)

// Sizes of answers, in bytes after decompression.
const (
	MaxObject = 8 << 20
	MaxList   = 64 << 20
	maxError  = 64 << 10
)

// maxAttempts is how often one request is sent when it fails in a way that
// allows repeating it. Waiting for a throttling vendor does not count.
const maxAttempts = 3

// Options describe a tenant's connection.
type Options struct {
	// Vendor stands in error messages.
	Vendor string
	// Config brings the HTTP transport, time limits, clock and logger.
	Config provision.Config
	// Origin is the scheme, host and port of every request, with an optional
	// path prefix.
	Origin *url.URL
	// OriginKey is the configuration key that names the host, for messages.
	OriginKey string
	// PerSecond is the vendor's own limit, 0 for none, for vendors that count
	// by the second; PerMinute is for those that count over a sliding minute.
	// A tenant's requests-per-minute takes their place.
	PerSecond float64
	PerMinute int
	// Throttle reads a vendor's own throttling headers. It returns false to
	// leave the judgement to Retry-After and the status.
	Throttle func(resp *Response, now time.Time) (wait time.Duration, ok bool)
}

// Client sends the requests of one tenant. It is safe for concurrent use; all
// who use it share its limiter, its pauses and its retry budget.
type Client struct {
	o      Options
	shared *shared
}

// shared is what the clients of one tenant have in common.
type shared struct {
	limiter *rate.Limiter
	window  *window
	gate    gate
	budget  budget
	skew    atomic.Int64

	onceMu sync.Mutex
	warned map[string]bool
}

// New returns a client. It sends nothing.
func New(o Options) *Client {
	if o.Config.HTTP == nil {
		o.Config.HTTP = Base(BaseOptions{})
	}
	if o.Config.Timeout <= 0 {
		o.Config.Timeout = 30 * time.Second
	}
	if o.Config.MaxWait <= 0 {
		o.Config.MaxWait = 2 * time.Minute
	}
	s := &shared{limiter: rate.NewLimiter(rate.Inf, 1), warned: map[string]bool{}}
	perSecond, perMinute := o.PerSecond, o.PerMinute
	if n := o.Config.RequestsPerMinute; n > 0 {
		perSecond, perMinute = float64(n)/60, 0
	}
	s.window = newWindow(perMinute)
	if perSecond > 0 {
		s.limiter = rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond)))
	}
	return &Client{o: o, shared: s}
}

// At returns a client for another origin of the same tenant, which shares
// limiter, pauses and budget with this one.
func (c *Client) At(origin *url.URL) *Client {
	o := c.o
	o.Origin = origin
	return &Client{o: o, shared: c.shared}
}

// Origin is where the client's requests go.
func (c *Client) Origin() *url.URL { return c.o.Origin }

// Skew is how far the server's clock is ahead of ours, by its last Date
// header; 0 before the first answer. Its resolution is a second.
func (c *Client) Skew() time.Duration { return time.Duration(c.shared.skew.Load()) }

// Request is one request, which may take several attempts.
type Request struct {
	// Op names the operation in errors, such as "create user".
	Op     string
	Method string
	// Path is appended to the origin. It is escaped already; see Segment.
	Path   string
	Query  url.Values
	Header http.Header
	Body   []byte
	// Change is true for a request that may alter the tenant. Such a request
	// is repeated only when it is certain that it was not carried out.
	Change bool
	// Single is true for a request that changes nothing and yet must not reach
	// the server twice, such as one with a password that may be wrong.
	Single bool
	// JSON is true where a success is a JSON document. Anything else with a
	// 2xx status counts as an answer that was lost.
	JSON bool
	// Sign puts credentials on one attempt. It is called anew for each, and
	// makes no request itself.
	Sign func(r *http.Request) error
	// MaxBytes bounds the decoded answer; 0 for MaxObject.
	MaxBytes int64
	// Transient, if set, decides which answers to a read are worth another
	// attempt; by default it is any 5xx but 501 and 505.
	Transient func(r *Response) bool
}

// Response is an answer that arrived whole.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	// Change tells what the request was.
	Change bool
}

// RequestID is the vendor's id of the request, as its support asks for it;
// empty where the answer has none.
func (r *Response) RequestID() string {
	for _, name := range []string{"X-Cs-Traceid", "X-Request-Id", "X-Correlation-Id"} {
		if id := r.Header.Get(name); id != "" {
			return Excerpt([]byte(id), 80)
		}
	}
	return ""
}

// OK reports a 2xx status.
func (r *Response) OK() bool { return r.Status >= 200 && r.Status < 300 }

// Do sends a request and returns the answer, whatever its status. It returns
// an error when there is none to return:
//
//   - ErrUnavailable: it was not carried out; the host cannot be reached, or a
//     read failed as often as it may be tried
//   - ErrUncertain: a change was sent, and its answer lost
//   - ErrUntrusted: the server's certificate is not trusted
//   - ErrRateLimited: the vendor throttles for longer than MaxWait
//   - ErrInterrupted: ctx ended before anything was sent
//   - ErrInternal: a read was answered by something that is not the API
func (c *Client) Do(ctx context.Context, req *Request) (*Response, error) {
	if req.Change && c.o.Config.ReadOnly {
		return nil, c.fail(req, provision.ErrInternal, "a change was about to be sent during a dry run", nil)
	}
	c.shared.budget.request()
	var waited time.Duration
	pauses := newBackoff(time.Second, time.Minute)
	failures := newBackoff(250*time.Millisecond, 5*time.Second)
	for attempt := 1; ; attempt++ {
		pause, err := c.admit(ctx, req, c.o.Config.MaxWait-waited)
		waited += pause
		if err != nil {
			return nil, err
		}
		resp, lost := c.attempt(ctx, req, attempt)
		if lost == nil {
			if req.Change {
				provision.Receipt(ctx, resp.RequestID())
			}
			wait, throttled := c.throttled(resp, pauses)
			if throttled {
				c.shared.gate.close(wait)
				if waited+wait > c.o.Config.MaxWait {
					return nil, c.tooLong(req, resp, wait)
				}
				c.say(ctx, "the vendor throttles; waiting", "for", wait.Round(time.Second), "op", req.Op)
				attempt--
				continue
			}
			if req.Change || req.Single || !c.transient(req, resp) || attempt >= maxAttempts || !c.shared.budget.retry() {
				return resp, nil
			}
		} else if !lost.repeatable(req) || attempt >= maxAttempts || !c.shared.budget.retry() {
			return nil, c.lost(ctx, req, lost)
		}
		delay := failures.NextBackOff()
		c.say(ctx, "no usable answer; trying again", "in", delay.Round(time.Millisecond), "op", req.Op, "attempt", attempt)
		if err := sleep(ctx, delay); err != nil {
			return nil, c.fail(req, provision.ErrInterrupted, "stopped before another attempt", err)
		}
	}
}

// admit waits for the pause, at most for left, and for the limiter. A pause may
// begin while the limiter is waited for, so it is looked at again afterwards.
func (c *Client) admit(ctx context.Context, req *Request, left time.Duration) (time.Duration, error) {
	if ctx.Err() != nil {
		return 0, c.fail(req, provision.ErrInterrupted, "stopped before it was sent", context.Cause(ctx))
	}
	var waited time.Duration
	for admitted := false; ; {
		wait := c.shared.gate.left()
		switch {
		case wait > 0 && waited+wait > left:
			return waited, c.tooLong(req, nil, wait)
		case wait > 0:
			waited += wait
			if err := sleep(ctx, wait); err != nil {
				return waited, c.fail(req, provision.ErrInterrupted, "stopped while waiting", err)
			}
		case admitted:
			return waited, nil
		default:
			if err := c.shared.window.wait(ctx); err != nil {
				return waited, c.fail(req, provision.ErrInterrupted, "stopped while waiting", err)
			}
			if err := c.shared.limiter.Wait(ctx); err != nil {
				return waited, c.fail(req, provision.ErrInterrupted, "stopped while waiting", err)
			}
			admitted = true
		}
	}
}

// attempt sends the request once.
func (c *Client) attempt(ctx context.Context, req *Request, attempt int) (*Response, *lostAnswer) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Config.Timeout)
	defer cancel()
	var began, wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaderField: func(string, []string) { began.Store(true) },
		WroteHeaders:     func() { wrote.Store(true) },
	})

	hr, err := c.build(ctx, req)
	if err != nil {
		return nil, &lostAnswer{err: err, final: true}
	}
	started := time.Now()
	resp, err := c.roundTrip(hr, req)
	c.trace(ctx, hr, req, resp, err, attempt, time.Since(started))
	if err != nil {
		// Who stops waiting does so while the header may be on its way: HTTP/2
		// writes it, and tells of it, beside the request.
		sent := wrote.Load() || began.Load() && ctx.Err() != nil
		return nil, &lostAnswer{err: err, sent: sent}
	}
	return resp, nil
}

func (c *Client) build(ctx context.Context, req *Request) (*http.Request, error) {
	target := strings.TrimRight(c.o.Origin.String(), "/") + req.Path
	if len(req.Query) > 0 {
		target += "?" + req.Query.Encode()
	}
	hr, err := http.NewRequestWithContext(ctx, req.Method, target, bytes.NewReader(req.Body))
	if err != nil || climbs(req.Path) {
		return nil, c.fail(req, provision.ErrInternal, "the request's address is malformed", nil)
	}
	if hr.URL.Scheme != c.o.Origin.Scheme || hr.URL.Host != c.o.Origin.Host || hr.URL.User != nil {
		return nil, c.fail(req, provision.ErrInternal, "the request's address leaves the tenant's origin", nil)
	}
	hr.Header.Set("User-Agent", "edrctl")
	hr.Header.Set("Accept", "application/json")
	if len(req.Body) > 0 {
		hr.Header.Set("Content-Type", "application/json")
	}
	for name, values := range req.Header {
		hr.Header[name] = values
	}
	if req.Sign != nil {
		if err := req.Sign(hr); err != nil {
			return nil, err
		}
	}
	return hr, nil
}

// climbs reports a path that leads elsewhere once a server has tidied it up. An
// id of the vendor's that is ".." would make one.
func climbs(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if name, err := url.PathUnescape(segment); err != nil || name == "." || name == ".." {
			return true
		}
	}
	return false
}

// roundTrip does not follow redirects: it goes below http.Client.
func (c *Client) roundTrip(hr *http.Request, req *Request) (*Response, error) {
	resp, err := c.o.Config.HTTP.RoundTrip(hr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	c.measureSkew(resp.Header)

	limit := req.MaxBytes
	if limit == 0 {
		limit = MaxObject
	}
	r := &Response{Status: resp.StatusCode, Header: resp.Header, Change: req.Change}
	if resp.StatusCode >= 300 { // the status has said enough
		r.Body, _ = io.ReadAll(io.LimitReader(resp.Body, maxError))
		return r, nil
	}
	r.Body, err = readUpTo(resp.Body, limit)
	switch {
	case errors.Is(err, errTooLarge):
		runtime.GC() // the next answer may be as large, and must not come on top of this one
		return nil, &foreignAnswer{text: fmt.Sprintf("the answer is larger than %d MiB", limit>>20), tooLarge: true}
	case err != nil:
		return nil, fmt.Errorf("reading the answer: %w", err)
	case req.JSON:
		if err := checkJSON(r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (c *Client) measureSkew(h http.Header) {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		c.shared.skew.Store(int64(date.Sub(c.o.Config.Now().Truncate(time.Second))))
	}
}

func (c *Client) transient(req *Request, resp *Response) bool {
	if req.Transient != nil {
		return req.Transient(resp)
	}
	return resp.Status >= 500 && resp.Status != http.StatusNotImplemented && resp.Status != http.StatusHTTPVersionNotSupported
}

// say tells in words, for -v, what is being done and why it takes time.
func (c *Client) say(ctx context.Context, text string, args ...any) {
	c.o.Config.Log.InfoContext(ctx, text, append([]any{"tenant", c.o.Config.Tenant}, args...)...)
}

// Once reports true the first time it is asked about a text by any client of
// the tenant; warnings that need saying once go through it.
func (c *Client) Once(text string) bool {
	c.shared.onceMu.Lock()
	defer c.shared.onceMu.Unlock()
	first := !c.shared.warned[text]
	c.shared.warned[text] = true
	return first
}
