package crowdstrike

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"edrctl/internal/transport"
)

// window is how far back CrowdStrike counts requests.
const window = time.Minute

// newThrottle reads X-Ratelimit-RetryAfter, the moment from which requests are
// taken again. Its unit is documented as milliseconds and used as seconds, so
// its size decides. Where it is missing, the first wait is for the counting
// window to pass; if that was not enough, the transport's own growing pauses
// follow.
func newThrottle() func(*transport.Response, time.Time) (time.Duration, bool) {
	var waited atomic.Bool
	return func(resp *transport.Response, now time.Time) (time.Duration, bool) {
		if resp.Status != http.StatusTooManyRequests {
			if resp.OK() {
				waited.Store(false)
			}
			return 0, false
		}
		if at, ok := retryAt(resp.Header.Get("X-Ratelimit-Retryafter")); ok {
			return at.Sub(now), true
		}
		if _, ok := transport.RetryAfter(resp.Header, now); ok || waited.Swap(true) {
			return 0, false
		}
		return window, true
	}
}

// retryAt reads a moment in seconds since 1970, or in milliseconds where it
// would otherwise be thousands of years ahead.
func retryAt(text string) (time.Time, bool) {
	const (
		milliseconds = 1e11
		latest       = 1e16
	)
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	switch {
	case err != nil || n > latest:
		return time.Time{}, false
	case n > milliseconds:
		return time.UnixMilli(n), true
	}
	return time.Unix(max(n, 0), 0), true
}
