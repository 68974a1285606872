package main

import (
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
)

// TestCodesOfTwoProcesses signs in from two processes at once: the first sign-in
// is held until the second one is there, so that neither finds the other's
// session. The console's clock is ours to set: a time step ends two seconds after
// that, so that waiting for the next one is short.
func TestCodesOfTwoProcesses(t *testing.T) {
	const step = 30 * time.Second
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	var arrived sync.WaitGroup
	arrived.Add(2)
	bothThere := sync.OnceFunc(func() {
		arrived.Wait()
		began := time.Now()
		ahead.Store(int64(2*step - began.Sub(began.Truncate(step)) - 2*time.Second))
	})
	console := consoles()[3]
	plain := console.maker.New
	console.maker.New = func(env mock.Env) mock.API {
		env.TOTP, env.Now = true, now
		return plain(env)
	}
	s := newStage(t, console, nil)
	var mu sync.Mutex
	codes := map[string]int{}
	s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
		seen := withBody(r)
		switch err := seen.ParseForm(); {
		case err != nil:
		case seen.PostForm.Has("totpCode"):
			mu.Lock()
			codes[seen.PostForm.Get("totpCode")]++
			mu.Unlock()
		case seen.PostForm.Has("password"):
			arrived.Done()
			bothThere()
		}
		w.Header().Set("Date", now().UTC().Format(http.TimeFormat))
		fake.ServeHTTP(w, r)
	})
	h := newHome(t)
	h.configure(t, s)
	var runs [2]run
	var both sync.WaitGroup
	for i := range runs {
		both.Go(func() { runs[i], _ = h.process(t, nil, "-v", "user", "get", console.listed) })
	}
	both.Wait()
	for _, r := range runs {
		assert.Equal(t, 0, r.status, r.err)
	}
	assert.Len(t, codes, 2, "each signed in with a code of its own")
	for _, times := range codes {
		assert.Equal(t, 1, times, "a code was sent again")
	}
	assert.Contains(t, runs[0].err+runs[1].err, "waiting for the next one")

	var state struct {
		Counters map[string]int `json:"counters"`
	}
	data, err := json.Marshal(s.api.State())
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &state))
	assert.Equal(t, 2, state.Counters["logins"], string(data))
	for name, n := range state.Counters {
		if name == "codesRejected" || name == "codesReused" || name == "loginsRejected" {
			assert.Zero(t, n, name)
		}
	}
}
