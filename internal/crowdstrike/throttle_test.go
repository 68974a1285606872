package crowdstrike

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"edrctl/internal/transport"
)

func throttledWith(status int, pairs ...string) *transport.Response {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return &transport.Response{Status: status, Header: h}
}

func TestThrottle(t *testing.T) {
	now := time.Unix(1795166100, 0)
	const header = "X-Ratelimit-RetryAfter"
	tests := []struct {
		name string
		resp *transport.Response
		want time.Duration
		ok   bool
	}{
		{"seconds", throttledWith(429, header, "1795166142"), 42 * time.Second, true},
		{"milliseconds", throttledWith(429, header, "1795166142500"), 42500 * time.Millisecond, true},
		{"in the past", throttledWith(429, header, "1795166000"), -100 * time.Second, true},
		{"with Retry-After too", throttledWith(429, header, "1795166142", "Retry-After", "7"), 42 * time.Second, true},
		{"Retry-After only", throttledWith(429, "Retry-After", "7"), 0, false},
		{"neither", throttledWith(429), time.Minute, true},
		{"no number", throttledWith(429, header, "soon"), time.Minute, true},
		{"beyond time", throttledWith(429, header, "9000000000000000000"), time.Minute, true},
		{"another failure", throttledWith(503, header, "1795166142"), 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := newThrottle()(tt.resp, now)
			assert.Equal(t, tt.ok, ok)
			assert.Equal(t, tt.want, got)
		})
	}
	far, ok := newThrottle()(throttledWith(429, header, "99999999999"), now)
	assert.True(t, ok)
	assert.Positive(t, far, "no overflow")

	throttle := newThrottle()
	first, _ := throttle(throttledWith(429), now)
	_, second := throttle(throttledWith(429), now)
	assert.Equal(t, time.Minute, first)
	assert.False(t, second, "left to the growing pauses")
	throttle(throttledWith(200), now)
	again, _ := throttle(throttledWith(429), now)
	assert.Equal(t, time.Minute, again, "after a success it begins anew")
}
