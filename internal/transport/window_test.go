package transport

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Up to the limit nothing waits; after that no minute has more than the limit.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 100
		w := newWindow(limit)
		var sent []time.Time
		for range 3 * limit {
			require.NoError(t, w.wait(t.Context()))
			sent = append(sent, time.Now())
		}
		assert.Equal(t, sent[0], sent[limit-1], "the first hundred need no waiting")
		for i := limit; i < len(sent); i++ {
			assert.GreaterOrEqual(t, sent[i].Sub(sent[i-limit]), time.Minute)
		}
	})
}

func TestNoWindow(t *testing.T) {
	require.NoError(t, newWindow(0).wait(t.Context()))
}
