//go:build unix

package session

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func record(t *testing.T, s *Store, name string) string {
	t.Helper()
	data, err := s.Get(name)
	require.NoError(t, err)
	return string(data)
}

func TestStore(t *testing.T) {
	for _, mask := range []int{0o000, 0o022, 0o077} {
		t.Run(fs.FileMode(mask).String(), func(t *testing.T) {
			cache := filepath.Join(t.TempDir(), "cache")
			defer syscall.Umask(syscall.Umask(mask))
			s := Open(cache, "cr", "https://a.example", "svc@a.example")
			assert.Empty(t, record(t, s, "session"))
			require.NoError(t, s.Put("session", nil))
			assert.NoFileExists(t, cache, "nothing is written until a record is")

			require.NoError(t, s.Put("session", []byte(`{"a":1}`)))
			require.NoError(t, s.Put("../../totp step", []byte(`2`)))
			assert.JSONEq(t, `{"a":1}`, record(t, s, "session"))
			assert.Equal(t, `2`, record(t, s, "../../totp step"))
			require.NoError(t, s.Update(t.Context(), "session", func(old []byte) ([]byte, error) {
				assert.JSONEq(t, `{"a":1}`, string(old))
				return []byte(`{"a":2}`), nil
			}))
			assert.JSONEq(t, `{"a":2}`, record(t, Open(cache, "cr", "https://a.example", "svc@a.example"), "session"))

			assert.NoError(t, filepath.WalkDir(cache, func(path string, d fs.DirEntry, err error) error {
				require.NoError(t, err)
				info, err := d.Info()
				require.NoError(t, err)
				want := fs.FileMode(0o600)
				if d.IsDir() {
					want = 0o700
				}
				assert.Equal(t, want, info.Mode().Perm(), path)
				assert.NotContains(t, path, "svc")
				assert.NotContains(t, path, "totp")
				return nil
			}))

			require.NoError(t, s.Put("session", nil))
			assert.Empty(t, record(t, s, "session"))
			assert.Equal(t, `2`, record(t, s, "../../totp step"))
		})
	}
}

func TestStoresAreApart(t *testing.T) {
	cache := t.TempDir()
	stores := []*Store{
		Open(cache, "cr"), Open(cache, "cr", ""), Open(cache, "cr", "a", "bc"), Open(cache, "cr", "ab", "c"), Open(cache, "cr2", "a", "bc"),
	}
	for i, s := range stores {
		require.NoError(t, s.Put("x", []byte(strconv.Itoa(i))))
	}
	for i, s := range stores {
		assert.Equal(t, strconv.Itoa(i), record(t, s, "x"))
	}
}

func TestUpdateThatFails(t *testing.T) {
	s := Open(t.TempDir(), "cr")
	require.NoError(t, s.Put("x", []byte(`1`)))
	broken := errors.New("broken")
	err := s.Update(t.Context(), "x", func([]byte) ([]byte, error) { return []byte(`2`), broken })
	assert.Equal(t, broken, err)
	assert.Equal(t, `1`, record(t, s, "x"))

	for _, bad := range []string{"no JSON", "", `"` + strings.Repeat("x", maxRecord) + `"`} {
		err = s.Put("x", []byte(bad))
		require.ErrorIs(t, err, provision.ErrInternal)
		assert.Equal(t, `1`, record(t, s, "x"))
	}
}

func TestDamagedRecordsAreAbsent(t *testing.T) {
	for name, damage := range map[string]string{
		"empty": "", "cut": `{"a":`, "zeros": "\x00\x00", "large": `"` + strings.Repeat("x", maxRecord) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			s := Open(t.TempDir(), "cr")
			require.NoError(t, s.Put("x", []byte(`1`)))
			require.NoError(t, os.WriteFile(s.path("x"), []byte(damage), 0o600))
			assert.Empty(t, record(t, s, "x"))
			require.NoError(t, s.Update(t.Context(), "x", func(old []byte) ([]byte, error) {
				assert.Nil(t, old)
				return []byte(`2`), nil
			}))
			assert.Equal(t, `2`, record(t, s, "x"))
		})
	}
}

func TestRefusesWhatIsNotPrivate(t *testing.T) {
	tests := []struct {
		name   string
		spoil  func(t *testing.T, s *Store)
		reason string
	}{
		{"record that others can read", func(t *testing.T, s *Store) {
			require.NoError(t, os.Chmod(s.path("x"), 0o644))
		}, ".json is open to others (mode 0644)"},
		{"record that is a link", func(t *testing.T, s *Store) {
			other := filepath.Join(t.TempDir(), "other")
			require.NoError(t, os.Rename(s.path("x"), other))
			require.NoError(t, os.Symlink(other, s.path("x")))
		}, ".json is a symbolic link"},
		{"lock that is a link", func(t *testing.T, s *Store) {
			require.NoError(t, os.Remove(s.path("x")+lockSuffix))
			require.NoError(t, os.Symlink(filepath.Join(t.TempDir(), "other"), s.path("x")+lockSuffix))
		}, ".lock is no regular file"},
		{"folder that others can enter", func(t *testing.T, s *Store) {
			require.NoError(t, os.Chmod(s.dir, 0o755))
		}, "is open to others (mode 0755)"},
		{"folder that is a link", func(t *testing.T, s *Store) {
			other := filepath.Join(t.TempDir(), "other")
			require.NoError(t, os.Rename(s.dir, other))
			require.NoError(t, os.Symlink(other, s.dir))
		}, "is a symbolic link"},
		{"root that is a link", func(t *testing.T, s *Store) {
			other := filepath.Join(t.TempDir(), "other")
			require.NoError(t, os.Rename(s.root, other))
			require.NoError(t, os.Symlink(other, s.root))
		}, "is a symbolic link"},
		{"record of somebody else", func(t *testing.T, s *Store) {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			require.NoError(t, os.Chown(s.path("x"), 12345, 12345))
		}, ".json belongs to another user"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Open(t.TempDir(), "cr")
			require.NoError(t, s.Put("x", []byte(`"secret"`)))
			tt.spoil(t, s)
			_, err := s.Get("x")
			require.ErrorIs(t, err, provision.ErrUsage)
			require.ErrorContains(t, err, "session cache: "+s.root)
			require.ErrorContains(t, err, tt.reason)
			called := false
			err = s.Update(t.Context(), "x", func([]byte) ([]byte, error) { called = true; return []byte(`1`), nil })
			require.ErrorIs(t, err, provision.ErrUsage)
			assert.False(t, called)
		})
	}
}

func TestPutDoesNotFollowLinks(t *testing.T) {
	s := Open(t.TempDir(), "cr")
	require.NoError(t, s.Put("x", []byte(`1`)))
	other := filepath.Join(t.TempDir(), "other")
	require.NoError(t, os.WriteFile(other, []byte("mine"), 0o600))
	require.NoError(t, os.Remove(s.path("x")))
	require.NoError(t, os.Symlink(other, s.path("x")))
	require.ErrorIs(t, s.Put("x", []byte(`2`)), provision.ErrUsage)
	data, err := os.ReadFile(other)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(data))
}

func count(old []byte) ([]byte, error) {
	n := 0
	if old != nil {
		if err := json.Unmarshal(old, &n); err != nil {
			return nil, err
		}
	}
	return json.Marshal(n + 1)
}

// Each of many updates, in processes of their own and beside one another in
// them, sees what the one before it wrote.
func TestUpdatesTakeTurns(t *testing.T) {
	cache := flag.Arg(0)
	if cache == "" {
		cache = t.TempDir()
		for range 2 {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestUpdatesTakeTurns$", cache)
			require.NoError(t, cmd.Start())
			defer func() {
				require.NoError(t, cmd.Wait())
				assert.NotEmpty(t, record(t, Open(cache, "cr"), "n"))
			}()
		}
		defer func() {
			assert.Eventually(t, func() bool { return record(t, Open(cache, "cr"), "n") == "60" }, 20*time.Second, 20*time.Millisecond)
		}()
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { assert.NoError(t, Open(cache, "cr").Update(t.Context(), "n", count)) })
	}
	all.Wait()
}

func TestUpdateWaitsOnlySoLong(t *testing.T) {
	cache := t.TempDir()
	s := Open(cache, "cr")
	require.NoError(t, s.Update(t.Context(), "x", func([]byte) ([]byte, error) {
		other := Open(cache, "cr")
		require.NoError(t, other.Put("y", []byte(`1`)), "another record is not locked")
		other.lockWait = 30 * time.Millisecond
		for _, try := range []func() error{
			func() error { return other.Update(t.Context(), "x", count) },
			func() error { return other.Put("x", []byte(`1`)) },
		} {
			err := try()
			require.ErrorIs(t, err, provision.ErrUnavailable)
			assert.ErrorContains(t, err, "another edrctl has held")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, Open(cache, "cr").Update(ctx, "x", count), context.Canceled)
		return []byte(`1`), nil
	}))
}

func TestClear(t *testing.T) {
	cache := t.TempDir()
	put := func(tenant, account string) *Store {
		s := Open(cache, tenant, account)
		require.NoError(t, s.Put("x", []byte(`1`)))
		return s
	}
	removed, err := Clear(t.Context(), cache, "")
	require.NoError(t, err)
	assert.Equal(t, 0, removed)

	a, a2, ab := put("a", "1"), put("a", "2"), put("a-b", "1")
	long := put("a-0123456789abcdef", "1")
	leftover := filepath.Join(a.dir, "."+filepath.Base(a.path("x"))+"123")
	require.NoError(t, os.WriteFile(leftover, []byte("secret"), 0o600))
	kept := filepath.Join(cache, "edrctl", "audit.jsonl")
	require.NoError(t, os.WriteFile(kept, nil, 0o600))

	removed, err = Clear(t.Context(), cache, "a")
	require.NoError(t, err)
	assert.Equal(t, 2, removed)
	assert.NoDirExists(t, a.dir)
	assert.NoDirExists(t, a2.dir)
	assert.Equal(t, `1`, record(t, ab, "x"), "a tenant whose name begins alike is another")
	assert.Equal(t, `1`, record(t, long, "x"))

	require.NoError(t, a.Put("x", []byte(`3`)), "a store goes on after it is cleared")
	assert.Equal(t, `3`, record(t, a, "x"))
	require.NoError(t, os.Remove(a.path("x")+lockSuffix), "a record without its lock goes too")
	removed, err = Clear(t.Context(), cache, "")
	require.NoError(t, err)
	assert.Equal(t, 3, removed)
	entries, err := os.ReadDir(filepath.Join(cache, "edrctl"))
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.FileExists(t, kept)
}

// Whoever waits for a lock while the store is cleared does not go on with the
// lock of a file that is gone, beside somebody with the new one.
func TestClearDoesNotLetTwoIn(t *testing.T) {
	cache := t.TempDir()
	var inside, most int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				assert.NoError(t, Open(cache, "cr").Update(t.Context(), "x", func([]byte) ([]byte, error) {
					mu.Lock()
					inside++
					most = max(most, inside)
					mu.Unlock()
					defer func() { mu.Lock(); inside--; mu.Unlock() }()
					return []byte(`1`), nil
				}))
			}
		})
		all.Go(func() {
			for range 10 {
				_, err := Clear(t.Context(), cache, "cr")
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	assert.Equal(t, 1, most)
}

func TestErrorsHaveAHint(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	err := Open(file, "cr").Put("x", []byte(`1`))
	require.ErrorIs(t, err, provision.ErrUsage)
	var e *provision.Error
	require.ErrorAs(t, err, &e)
	assert.NotEmpty(t, e.Hint, fmt.Sprint(err))
}
