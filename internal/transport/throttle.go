package transport

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"edrctl/internal/provision"
)

// Bounds of a wait that a vendor asks for. A moment more than believable ahead
// comes from a wrong clock, or is no time at all, and counts as longest.
const (
	shortest   = time.Second
	longest    = 2 * time.Minute
	believable = 24 * time.Hour
)

// throttled reports whether the vendor refused for lack of capacity, and how
// long to wait before anything is sent to this tenant again.
func (c *Client) throttled(resp *Response, pauses *backoff.ExponentialBackOff) (time.Duration, bool) {
	now := c.o.Config.Now().Add(c.Skew())
	if c.o.Throttle != nil {
		if wait, ok := c.o.Throttle(resp, now); ok {
			return Clamp(wait), true
		}
	}
	wait, stated := RetryAfter(resp.Header, now)
	switch {
	case resp.Status == http.StatusTooManyRequests && stated, resp.Status == http.StatusServiceUnavailable && stated:
		return wait, true
	case resp.Status == http.StatusTooManyRequests:
		return max(shortest, pauses.NextBackOff()), true
	}
	return 0, false
}

// RetryAfter reads a Retry-After header, in seconds or as a date. It is false
// when the header is absent or makes no sense.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		return Clamp(Seconds(seconds)), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return Clamp(at.Sub(now)), true
	}
	return 0, false
}

// Seconds converts without overflow; what is no number becomes 0.
func Seconds(s float64) time.Duration {
	switch {
	case s != s || s < 0:
		return 0
	case s > believable.Seconds():
		return believable + 1
	}
	return time.Duration(s * float64(time.Second))
}

// Clamp brings a stated wait into bounds.
func Clamp(wait time.Duration) time.Duration {
	switch {
	case wait < shortest:
		return shortest
	case wait > believable:
		return longest
	}
	return wait
}

func (c *Client) tooLong(req *Request, resp *Response, wait time.Duration) error {
	e := c.fail(req, provision.ErrRateLimited,
		fmt.Sprintf("the vendor asks to wait %s, which is longer than max-wait allows", wait.Round(time.Second)), nil)
	e.RetryAfter = wait
	e.Hint = fmt.Sprintf("run it again in %s, or raise --max-wait", wait.Round(time.Second))
	if resp != nil {
		e.Status = resp.Status
	}
	return e
}

// gate holds back all requests of a tenant while its vendor throttles.
type gate struct {
	mu    sync.Mutex
	until time.Time
}

func (g *gate) close(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.until) {
		g.until = until
	}
}

func (g *gate) left() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Until(g.until)
}

// budget bounds the attempts that only repeat others: a fixed number, and one
// for every ten requests. A vendor in trouble is not asked twice for everything.
type budget struct {
	mu              sync.Mutex
	requests, spent int
}

const freeRetries = 20

func (b *budget) request() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests++
}

func (b *budget) retry() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spent >= freeRetries+b.requests/10 {
		return false
	}
	b.spent++
	return true
}

// newBackoff waits for a random time between nothing and twice an interval
// that grows from first to last.
func newBackoff(first, last time.Duration) *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = first, last
	b.Multiplier, b.RandomizationFactor = 2, 1
	b.Reset()
	return b
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
