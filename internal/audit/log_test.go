package audit_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/audit"
)

func newLog(path string) *audit.Log {
	clock := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	return audit.New(path, audit.Entry{OSUser: "ada", Host: "box", Version: "1"}, func() time.Time { return clock })
}

func entry(i int) audit.Entry {
	return audit.Entry{Tenant: "cbc", Login: fmt.Sprintf("p%d@example.com", i), Action: "user.create", Outcome: "created", RolesAdded: []string{"a<b"}}
}

func record(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state", "audit.jsonl")
	l := newLog(path)
	for i := range n {
		require.NoError(t, l.Append(entry(i)))
	}
	return path
}

func read(path string) (logins []string, err error) {
	err = audit.Read(path, func(e audit.Entry) error {
		logins = append(logins, e.Login)
		return nil
	})
	return logins, err
}

func TestAppendAndRead(t *testing.T) {
	path := record(t, 3)
	logins, err := read(path)
	require.NoError(t, err)
	assert.Equal(t, []string{"p0@example.com", "p1@example.com", "p2@example.com"}, logins)

	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	info, err = os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

// TestAppendedIsOnTheDisk has Append return only when all of the record has been
// brought to the disk, and fail when it could not be.
func TestAppendedIsOnTheDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "audit.jsonl")
	l := newLog(path)
	onDisk := int64(0)
	l.OnSync(func(f *os.File) error {
		info, err := f.Stat()
		onDisk = info.Size()
		return err
	})
	for i := range 3 {
		require.NoError(t, l.Append(entry(i)))
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, info.Size(), onDisk)
	}
	l.OnSync(func(*os.File) error { return os.ErrDeadlineExceeded })
	require.ErrorIs(t, l.Append(entry(3)), os.ErrDeadlineExceeded)
}

func TestNoRecordIsEmpty(t *testing.T) {
	logins, err := read(filepath.Join(t.TempDir(), "none.jsonl"))
	require.NoError(t, err)
	assert.Empty(t, logins)
}

// Every line of the record that is flipped, cut, swapped or dropped is found.
func TestDamageIsFound(t *testing.T) {
	path := record(t, 4)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := bytes.SplitAfter(bytes.TrimSuffix(whole, []byte("\n")), []byte("\n"))
	lines[3] = append(lines[3], '\n')
	damaged := func(t *testing.T, data []byte, line int) {
		t.Helper()
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_, err := read(path)
		var d *audit.Damage
		require.ErrorAs(t, err, &d)
		assert.Equal(t, line, d.Line)
	}
	for i := range lines {
		t.Run(fmt.Sprintf("flip in line %d", i+1), func(t *testing.T) {
			for at := 0; at < len(lines[i])-1; at += 7 {
				data := bytes.Clone(whole)
				data[len(bytes.Join(lines[:i], nil))+at] ^= 1
				damaged(t, data, i+1)
			}
		})
		t.Run(fmt.Sprintf("cut line %d short", i+1), func(t *testing.T) {
			short := append(bytes.Clone(lines[i][:len(lines[i])/2]), '\n')
			data := bytes.Join([][]byte{bytes.Join(lines[:i], nil), short, bytes.Join(lines[i+1:], nil)}, nil)
			damaged(t, data, i+1)
		})
		if i == len(lines)-1 {
			continue
		}
		t.Run(fmt.Sprintf("drop line %d", i+1), func(t *testing.T) {
			damaged(t, bytes.Join([][]byte{bytes.Join(lines[:i], nil), bytes.Join(lines[i+1:], nil)}, nil), i+1)
		})
		t.Run(fmt.Sprintf("swap line %d", i+1), func(t *testing.T) {
			damaged(t, bytes.Join([][]byte{bytes.Join(lines[:i], nil), lines[i+1], lines[i], bytes.Join(lines[i+2:], nil)}, nil), i+1)
		})
	}
}

// A last line that a crash tore is skipped by readers and cut off by the next
// writer, wherever it was torn.
func TestTornLastLineIsRepaired(t *testing.T) {
	path := record(t, 2)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	first := bytes.IndexByte(whole, '\n') + 1
	for cut := first; cut < len(whole); cut += 11 {
		require.NoError(t, os.WriteFile(path, whole[:cut], 0o600))
		logins, err := read(path)
		require.NoError(t, err)
		assert.Equal(t, []string{"p0@example.com"}, logins)
		require.NoError(t, newLog(path).Append(entry(9)))
		logins, err = read(path)
		require.NoError(t, err)
		assert.Equal(t, []string{"p0@example.com", "p9@example.com"}, logins)
	}
}

func TestDamagedLastLineStopsWriting(t *testing.T) {
	path := record(t, 2)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	whole[len(whole)-10] ^= 1
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	assert.ErrorContains(t, newLog(path).Append(entry(3)), "damaged")
}

// Two logs on one file, as two processes have, and many writers each.
func TestConcurrentWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "audit.jsonl")
	var wg sync.WaitGroup
	for _, l := range []*audit.Log{newLog(path), newLog(path)} {
		for i := range 25 {
			wg.Go(func() { assert.NoError(t, l.Append(entry(i))) })
		}
	}
	wg.Wait()
	logins, err := read(path)
	require.NoError(t, err)
	assert.Len(t, logins, 50)
}

func TestUnsafeRecordIsRefused(t *testing.T) {
	t.Run("open to others", func(t *testing.T) {
		path := record(t, 1)
		require.NoError(t, os.Chmod(path, 0o644))
		require.ErrorContains(t, newLog(path).Append(entry(1)), "open to others")
		_, err := read(path)
		assert.ErrorContains(t, err, "open to others")
	})
	t.Run("symbolic link", func(t *testing.T) {
		path := record(t, 1)
		link := filepath.Join(filepath.Dir(path), "link.jsonl")
		require.NoError(t, os.Symlink(path, link))
		assert.ErrorContains(t, newLog(link).Append(entry(1)), "symbolic link")
	})
	t.Run("full disk", func(t *testing.T) {
		if _, err := os.Stat("/dev/full"); err != nil {
			t.Skip("no /dev/full on this system")
		}
		err := newLog("/dev/full").Append(entry(1))
		require.Error(t, err)
	})
}

// TestQueue waits for the last of several entries, which is written behind the
// others.
func TestQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "audit.jsonl")
	log := newLog(path)
	var last func() error
	for i := range 20 {
		last = log.Queue(entry(i))
	}
	require.NoError(t, last())
	n := 0
	require.NoError(t, audit.Read(path, func(e audit.Entry) error {
		assert.Equal(t, entry(n).Login, e.Login)
		n++
		return nil
	}))
	assert.Equal(t, 20, n)
}

// TestNothingFollowsALostEntry makes the record's place usable again after an entry
// could not be written.
func TestNothingFollowsALostEntry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "audit.jsonl")
	require.NoError(t, os.MkdirAll(path, 0o700))
	log := newLog(path)
	require.Error(t, log.Append(entry(1)))
	require.NoError(t, os.Remove(path))
	require.Error(t, log.Append(entry(2)))
	require.NoError(t, newLog(path).Append(entry(2)))
}
