package crowdstrike_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	fake "edrctl/internal/mock/crowdstrike"
	"edrctl/internal/provision"
	"edrctl/internal/provision/plan"
	"edrctl/internal/provision/provisiontest"
)

// elsewhere serves the fake by a clock that differs from ours, and tells that
// clock's time as servers do.
func elsewhere(t *testing.T, api mock.API, now func() time.Time) (plan.Target, func()) {
	t.Helper()
	ln := provisiontest.NewPipes()
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now().UTC().Format(http.TimeFormat))
		api.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(ln) }()
	target, hangUp := (&wire{api: api}).adapter(t, ln.Dial)
	return target, func() {
		hangUp()
		assert.NoError(t, server.Close())
	}
}

// TestThrottledByAnotherClock lets a console with a wrong clock, or right beside
// our wrong one, name the moment from which it takes requests again.
func TestThrottledByAnotherClock(t *testing.T) {
	for _, unit := range []string{"s", "ms"} {
		for _, skew := range []time.Duration{-time.Hour, -90 * time.Second, 0, 90 * time.Second, time.Hour} {
			t.Run(fmt.Sprintf("%s, %s ahead", unit, skew), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					now := func() time.Time { return time.Now().Add(skew) }
					api := fake.Maker().New(mock.Env{Now: now, Plain: true})
					require.NoError(t, api.Set("retry-after-unit", unit))
					require.NoError(t, api.Set("rate-limit", "5"))
					target, end := elsewhere(t, api, now)
					defer end()
					began := time.Now()
					for range 6 {
						_, err := target.Provisioner.Check(t.Context())
						require.NoError(t, err)
					}
					assert.InDelta(t, 60, time.Since(began).Seconds(), 2, "seconds until the window of a minute is over")
				})
			})
		}
	}
}

// TestMoreThanTheLimit makes more changes at once than a minute allows. Nobody
// is left out, and hardly a request is sent in vain.
func TestMoreThanTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &counting{API: fake.Maker().New(mock.Env{Now: time.Now, Plain: true})}
		require.NoError(t, api.Set("rate-limit", "60"))
		target, end := elsewhere(t, api, time.Now)
		defer end()
		var changes []plan.Change
		for i := range 150 {
			changes = append(changes, plan.Change{
				Tenant: "falcon", Action: plan.CreateUser, Login: fmt.Sprintf("person%03d@example.com", i),
				Spec: provision.UserSpec{Roles: []string{"id:event_viewer"}},
			})
		}
		began := time.Now()
		results, err := plan.Apply(t.Context(), []plan.Target{target}, changes, plan.Options{Guards: plan.Guards{MaxDeletes: -1}})
		require.NoError(t, err)
		for _, r := range results {
			require.NoError(t, r.Err, r.Login)
			assert.Equal(t, plan.Created, r.Outcome, r.Login)
		}
		t.Logf("%d of %d requests refused, in %s", api.refused, api.asked, time.Since(began))
		minutes := int(time.Since(began)/time.Minute) + 1
		assert.LessOrEqual(t, api.refused, minutes*target.Vendor.InFlight, "requests in vain, which were in flight when the limit was met")
		assert.Less(t, time.Since(began), 7*time.Minute, "301 requests at 60 a minute")
	})
}

// counting counts the requests to a fake.
type counting struct {
	mock.API

	mu             sync.Mutex
	asked, refused int
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen := &statusWriter{ResponseWriter: w}
	c.API.ServeHTTP(seen, r)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if seen.status == http.StatusTooManyRequests {
		c.refused++
	}
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// TestTokensOfTwoSeconds has many workers use tokens that hardly live. They are
// renewed in time, once for all.
func TestTokensOfTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := fake.Maker().New(mock.Env{Now: time.Now, Plain: true})
		require.NoError(t, api.Set("token-lifetime", "2"))
		tokens := &tokenCount{API: api}
		target, end := elsewhere(t, tokens, time.Now)
		defer end()
		const seconds = 20
		began := time.Now()
		var workers sync.WaitGroup
		for range 32 {
			workers.Go(func() {
				for time.Since(began) < seconds*time.Second {
					if _, err := target.Provisioner.Check(t.Context()); err != nil {
						t.Error(err)
					}
					time.Sleep(500 * time.Millisecond)
				}
			})
		}
		workers.Wait()
		assert.Zero(t, tokens.expired.Load(), "requests with a token whose life was over")
		assert.LessOrEqual(t, tokens.signIns.Load(), int64(seconds*10/16+1), "sign-ins, at four fifths of two seconds")
	})
}

// tokenCount counts sign-ins and tokens that were not taken.
type tokenCount struct {
	mock.API
	signIns, expired atomic.Int64
}

func (c *tokenCount) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/oauth2/token" {
		c.signIns.Add(1)
	}
	seen := &statusWriter{ResponseWriter: w}
	c.API.ServeHTTP(seen, r)
	if seen.status == http.StatusUnauthorized {
		c.expired.Add(1)
	}
}
