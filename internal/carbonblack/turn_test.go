package carbonblack_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/carbonblack"
	"edrctl/internal/provision"
)

// slow never answers before a minute is over.
type slow struct{}

func (slow) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(time.Minute):
	case <-r.Context().Done():
	}
	return nil, errors.New("no answer")
}

// Who waits for the list that somebody else is reading can be stopped.
func TestStoppedWhileAnotherReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := config("http://127.0.0.1:80")
		cfg.HTTP, cfg.Timeout = slow{}, time.Hour
		p, err := carbonblack.New(t.Context(), cfg)
		require.NoError(t, err)
		go func() { _, _ = p.DeleteUser(t.Context(), ines) }()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err = p.DeleteUser(ctx, lea)
		require.ErrorIs(t, err, provision.ErrInterrupted)
		assert.Equal(t, time.Second, time.Since(began))
	})
}
