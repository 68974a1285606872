package crowdstrike

import (
	"net/http"
	"strconv"
	"time"
)

// window counts calls of the last minute.
type window struct{ times []time.Time }

func (w *window) hit(now time.Time) { w.times = append(w.times, now) }

func (w *window) used(now time.Time) int {
	old := 0
	for old < len(w.times) && now.Sub(w.times[old]) >= time.Minute {
		old++
	}
	w.times = w.times[old:]
	return len(w.times)
}

// free is when the oldest call drops out of the window.
func (w *window) free(now time.Time) time.Time {
	if len(w.times) == 0 {
		return now
	}
	return w.times[0].Add(time.Minute)
}

// tooMany is the gateway's answer to a caller who has used up a limit.
func (f *fake) tooMany(c *call, until time.Time, limit int) error {
	e := atGateway(http.StatusTooManyRequests, "API rate limit exceeded.")
	e.limit = limit
	if value := f.retryAfter(until); value != "" {
		e.header = http.Header{"X-Ratelimit-Retryafter": {value}}
	}
	c.remaining = 0
	return e
}

// retryAfter writes a moment as the header has it: an epoch, in a unit on which
// documentation and clients do not agree. It is never before the moment.
func (f *fake) retryAfter(until time.Time) string {
	switch f.switches["retry-after-unit"] {
	case "s":
		return strconv.FormatInt(until.Add(time.Second-1).Unix(), 10)
	case "ms":
		return strconv.FormatInt(until.Add(time.Millisecond-1).UnixMilli(), 10)
	}
	return ""
}
