package provision_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func TestMemoryStore(t *testing.T) {
	s := provision.MemoryStore()
	get := func(name string) []byte {
		t.Helper()
		data, err := s.Get(name)
		require.NoError(t, err)
		return data
	}
	assert.Nil(t, get("a"), "nothing yet")
	require.NoError(t, s.Put("a", []byte("one")))
	require.NoError(t, s.Put("b", []byte("two")))
	assert.Equal(t, "one", string(get("a")))
	assert.Equal(t, "two", string(get("b")))
	assert.Nil(t, mustGet(t, provision.MemoryStore(), "a"), "another store")

	require.NoError(t, s.Update(t.Context(), "a", func(old []byte) ([]byte, error) { return append(old, " more"...), nil }))
	assert.Equal(t, "one more", string(get("a")))
	require.NoError(t, s.Update(t.Context(), "new", func(old []byte) ([]byte, error) {
		assert.Nil(t, old)
		return []byte("made"), nil
	}))
	assert.Equal(t, "made", string(get("new")))

	refusal := errors.New("no")
	require.ErrorIs(t, s.Update(t.Context(), "a", func([]byte) ([]byte, error) { return []byte("lost"), refusal }), refusal)
	assert.Equal(t, "one more", string(get("a")), "after an error")

	require.NoError(t, s.Update(t.Context(), "new", func([]byte) ([]byte, error) { return nil, nil }))
	assert.Nil(t, get("new"), "removed by an update")
	require.NoError(t, s.Put("a", nil))
	assert.Nil(t, get("a"), "removed")
	require.NoError(t, s.Put("a", nil), "removing what is not there")
	require.NoError(t, s.Put("empty", []byte{}))
	assert.NotNil(t, get("empty"), "an empty record is one")
}

func mustGet(t *testing.T, s provision.Store, name string) []byte {
	t.Helper()
	data, err := s.Get(name)
	require.NoError(t, err)
	return data
}

// TestMemoryStoreCopies matters to callers who wipe a secret after use.
func TestMemoryStoreCopies(t *testing.T) {
	s := provision.MemoryStore()
	data := []byte("session")
	require.NoError(t, s.Put("a", data))
	clear(data)
	got := mustGet(t, s, "a")
	assert.Equal(t, "session", string(got))
	clear(got)
	assert.Equal(t, "session", string(mustGet(t, s, "a")))
	require.Error(t, s.Update(t.Context(), "a", func(old []byte) ([]byte, error) {
		clear(old)
		return nil, errors.New("no")
	}))
	assert.Equal(t, "session", string(mustGet(t, s, "a")), "an error leaves the record as it was")
}

func TestMemoryStoreUpdatesOneAtATime(t *testing.T) {
	s := provision.MemoryStore()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			err := s.Update(t.Context(), "n", func(old []byte) ([]byte, error) {
				n, _ := strconv.Atoi(string(old))
				return []byte(strconv.Itoa(n + 1)), nil
			})
			assert.NoError(t, err)
		})
		wg.Go(func() {
			_, err := s.Get("n")
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Equal(t, "50", string(mustGet(t, s, "n")))
}
