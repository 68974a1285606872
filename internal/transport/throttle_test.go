package transport_test

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
	"edrctl/internal/transport"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		value  string
		want   time.Duration
		absent bool
	}{
		{name: "seconds", value: "7", want: 7 * time.Second},
		{name: "blanks around", value: " 7 ", want: 7 * time.Second},
		{name: "fraction", value: "2.5", want: 2500 * time.Millisecond},
		{name: "less than the shortest", value: "0.01", want: time.Second},
		{name: "zero", value: "0", want: time.Second},
		{name: "negative", value: "-5", want: time.Second},
		{name: "ten minutes", value: "600", want: 10 * time.Minute},
		{name: "a day", value: "86400", want: 24 * time.Hour},
		{name: "more than a day", value: "86401", want: 2 * time.Minute},
		{name: "huge", value: "9e18", want: 2 * time.Minute},
		{name: "larger than any number", value: "1e999", absent: true},
		{name: "infinite", value: "Inf", want: 2 * time.Minute},
		{name: "minus infinite", value: "-Inf", want: time.Second},
		{name: "no number", value: "NaN", want: time.Second},
		{name: "date", value: now.Add(9 * time.Second).Format(http.TimeFormat), want: 9 * time.Second},
		{name: "date in RFC 850", value: now.Add(9 * time.Second).Format("Monday, 02-Jan-06 15:04:05 GMT"), want: 9 * time.Second},
		{name: "past date", value: now.Add(-time.Hour).Format(http.TimeFormat), want: time.Second},
		{name: "date a year ahead", value: now.AddDate(1, 0, 0).Format(http.TimeFormat), want: 2 * time.Minute},
		{name: "year 1", value: "Mon, 01 Jan 0001 00:00:00 GMT", want: time.Second},
		{name: "garbage", value: "soon", absent: true},
		{name: "empty", value: "", absent: true},
		{name: "RFC 3339", value: now.Format(time.RFC3339), absent: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := transport.RetryAfter(http.Header{"Retry-After": {tt.value}}, now)
			assert.Equal(t, !tt.absent, ok)
			assert.Equal(t, tt.want, got)
		})
	}
	_, ok := transport.RetryAfter(http.Header{}, now)
	assert.False(t, ok, "without the header")
}

func TestSecondsAndClamp(t *testing.T) {
	assert.Equal(t, 1500*time.Millisecond, transport.Seconds(1.5))
	for _, s := range []float64{math.NaN(), math.Inf(-1), -1, 0} {
		assert.Zero(t, transport.Seconds(s))
	}
	for _, s := range []float64{math.Inf(1), math.MaxFloat64, 1e18} {
		assert.Greater(t, transport.Seconds(s), 24*time.Hour)
	}
	assert.Equal(t, time.Second, transport.Clamp(-time.Hour))
	assert.Equal(t, 2*time.Minute, transport.Clamp(math.MaxInt64))
	assert.Equal(t, time.Second, transport.Clamp(math.MinInt64))
}

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"7", "-1", "9e18", "", "soon", "NaN", "Mon, 01 Jan 0001 00:00:00 GMT", "0x1p-2"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, ok := transport.RetryAfter(http.Header{"Retry-After": {value}}, time.Now())
		if ok {
			assert.GreaterOrEqual(t, got, time.Second)
			assert.LessOrEqual(t, got, 24*time.Hour)
		}
	})
}

// TestThrottlePausesEverybody matters where a request during the pause makes
// the pause longer.
func TestThrottlePausesEverybody(t *testing.T) {
	for _, perSecond := range []float64{0, 5} {
		t.Run(strconv.Itoa(int(perSecond))+" a second", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var first, last time.Time // of the pause
				early, done := 0, 0
				s := play(func(r *http.Request) (*http.Response, error) {
					// Every request takes a while, and is judged as it arrives.
					mu.Lock()
					now := time.Now()
					n := done
					done++
					if now.After(first) && now.Before(last) {
						early++
					}
					mu.Unlock()
					if n == 20 {
						mu.Lock()
						first, last = now, now.Add(30*time.Second)
						mu.Unlock()
						return answer(429, ``, "Retry-After", "30")(r)
					}
					return answer(200, `{}`)(r)
				})
				o := transport.Options{Vendor: "acme", Config: config(s), Origin: parse(t, "https://acme.example"), PerSecond: perSecond}
				c := transport.New(o)
				other := c.At(parse(t, "https://eu.acme.example"))
				var wg sync.WaitGroup
				for i := range 8 {
					wg.Go(func() {
						for range 10 {
							use := c
							if i%2 == 0 {
								use = other
							}
							if _, err := use.Do(t.Context(), change()); err != nil {
								t.Error(err)
								return
							}
							time.Sleep(time.Duration(i) * 10 * time.Millisecond)
						}
					})
				}
				wg.Wait()
				assert.Zero(t, early, "requests during the pause")
				assert.Equal(t, 81, done, "80 requests, one of them twice")
			})
		})
	}
}

func TestMaxWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(answer(429, ``, "Retry-After", "180"))
		c := client(t, "https://acme.example", config(s))
		started := time.Now()
		_, err := c.Do(t.Context(), change())
		e := failure(t, err, provision.ErrRateLimited)
		assert.Equal(t, 3*time.Minute, e.RetryAfter)
		assert.Equal(t, 429, e.Status)
		assert.Contains(t, e.Hint, "3m0s")
		assert.True(t, provision.Retryable(err))
		assert.Equal(t, 1, s.attempts())

		// Whoever comes now is told at once, without asking the vendor.
		time.Sleep(30 * time.Second)
		_, err = c.Do(t.Context(), read())
		e = failure(t, err, provision.ErrRateLimited)
		assert.Equal(t, 150*time.Second, e.RetryAfter)
		assert.Equal(t, 1, s.attempts())

		// Once it is near enough, waiting begins.
		time.Sleep(31 * time.Second)
		s.steps = append(s.steps, answer(200, `{}`))
		_, err = c.Do(t.Context(), read())
		require.NoError(t, err)
		assert.Equal(t, 3*time.Minute, time.Since(started))
	})
}

func TestMaxWaitIsForOneRequestAsAWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(answer(429, ``, "Retry-After", "50"))
		started := time.Now()
		_, err := client(t, "https://acme.example", config(s)).Do(t.Context(), change())
		failure(t, err, provision.ErrRateLimited)
		assert.Equal(t, 100*time.Second, time.Since(started), "two waits of 50 s; a third would be beyond two minutes")
		assert.Equal(t, 3, s.attempts())
	})
}

func TestThrottledForEverWithoutATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(answer(429, ``))
		started := time.Now()
		_, err := client(t, "https://acme.example", config(s)).Do(t.Context(), change())
		failure(t, err, provision.ErrRateLimited)
		assert.LessOrEqual(t, time.Since(started), 2*time.Minute)
		for i := range s.times[1:] {
			assert.GreaterOrEqual(t, s.times[i+1].Sub(s.times[i]), time.Second, "pause %d", i)
		}
	})
}

func TestVendorsOwnThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(answer(500, `slow down`), answer(429, ``, "Retry-After", "9"), answer(200, `{}`))
		var asked []time.Duration
		started := time.Now()
		o := transport.Options{
			Vendor: "acme", Config: config(s), Origin: parse(t, "https://acme.example"),
			Throttle: func(resp *transport.Response, now time.Time) (time.Duration, bool) {
				asked = append(asked, now.Sub(started))
				if string(resp.Body) == "slow down" {
					return 5 * time.Second, true
				}
				return 0, false
			},
		}
		_, err := transport.New(o).Do(t.Context(), change())
		require.NoError(t, err)
		assert.Equal(t, 14*time.Second, time.Since(started), "5 s by the vendor's way, 9 s by Retry-After")
		assert.Equal(t, []time.Duration{0, 5 * time.Second, 14 * time.Second}, asked)
	})
}

// TestSkew reads the server's clock, so that a wrong one on either side does
// not turn a short pause into a long one.
func TestSkew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ahead := time.Now().Add(90 * time.Minute)
		s := play(
			answer(429, ``, "Date", ahead.UTC().Format(http.TimeFormat), "Retry-After", ahead.Add(4*time.Second).UTC().Format(http.TimeFormat)),
			answer(200, `{}`, "Date", "yesterday"),
		)
		c := client(t, "https://acme.example", config(s))
		started := time.Now()
		_, err := c.Do(t.Context(), read())
		require.NoError(t, err)
		assert.InDelta(t, 90*time.Minute, c.Skew(), float64(time.Second))
		assert.InDelta(t, 4*time.Second, time.Since(started), float64(time.Second))
	})
}

func TestRequestsPerMinute(t *testing.T) {
	for _, tt := range []struct {
		name      string
		perMinute int
		perSecond float64
		requests  int
		atLeast   time.Duration
		atMost    time.Duration
	}{
		{name: "no limit", requests: 100},
		{name: "the vendor's", perSecond: 10, requests: 30, atLeast: 2 * time.Second, atMost: 3 * time.Second},
		{name: "the tenant's", perMinute: 60, perSecond: 10, requests: 10, atLeast: 9 * time.Second, atMost: 10 * time.Second},
		{name: "less than one a second", perMinute: 6, requests: 3, atLeast: 20 * time.Second, atMost: 21 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := config(play(answer(200, `{}`)))
				cfg.RequestsPerMinute = tt.perMinute
				c := transport.New(transport.Options{Vendor: "acme", Config: cfg, Origin: parse(t, "https://acme.example"), PerSecond: tt.perSecond})
				started := time.Now()
				var wg sync.WaitGroup
				for range tt.requests {
					wg.Go(func() {
						_, err := c.Do(t.Context(), read())
						assert.NoError(t, err)
					})
				}
				wg.Wait()
				assert.GreaterOrEqual(t, time.Since(started), tt.atLeast)
				assert.LessOrEqual(t, time.Since(started), tt.atMost)
			})
		})
	}
}

// TestThrottledWorkersFinish lets a vendor serve twenty requests a second and
// refuse the others, as in a run over many users.
func TestThrottledWorkersFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var served []time.Time
		refused := 0
		s := play(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			now := time.Now()
			served = slices.DeleteFunc(served, func(at time.Time) bool { return now.Sub(at) >= time.Second })
			if len(served) >= 20 {
				refused++
				return answer(429, ``, "Retry-After", "1")(r)
			}
			served = append(served, now)
			return answer(200, `{}`)(r)
		})
		c := client(t, "https://acme.example", config(s))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 40 {
					_, err := c.Do(t.Context(), change())
					assert.NoError(t, err)
				}
			})
		}
		wg.Wait()
		assert.Equal(t, 320, s.attempts()-refused, "served")
		assert.Less(t, refused, 320, "refused")
	})
}
