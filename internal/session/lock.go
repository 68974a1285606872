package session

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"edrctl/internal/private"
	"edrctl/internal/provision"
)

const (
	// lockPoll is how often a lock that another process holds is tried again.
	lockPoll     = 20 * time.Millisecond
	lockSuffix   = ".lock"
	recordSuffix = ".json"
)

// locked works while no other process has the record.
func (s *Store) locked(ctx context.Context, record string, work func() error) error {
	limited, cancel := context.WithTimeout(ctx, s.lockWait)
	defer cancel()
	for {
		lock, err := s.lock(limited, record+lockSuffix)
		switch {
		case err == nil:
			defer func() { _ = lock.Unlock() }()
			return work()
		case ctx.Err() != nil:
			return ctx.Err()
		case limited.Err() != nil:
			return &provision.Error{
				Kind: provision.ErrUnavailable, Message: fmt.Sprintf("another edrctl has held the session in %s for %s", s.dir, s.lockWait),
				Hint: "wait for it to end and run this again",
			}
		case !private.Missing(err):
			return failure(err)
		}
		select {
		case <-limited.Done():
		case <-time.After(lockPoll):
		}
	}
}

// lock takes a lock. If somebody clears the store meanwhile, it reports that
// the file is missing: then another process can hold the lock of a new one.
func (s *Store) lock(ctx context.Context, path string) (*flock.Flock, error) {
	for _, dir := range []string{s.root, s.dir} {
		if err := private.Dir(dir); err != nil {
			return nil, err
		}
	}
	// What the lock is on is never read, but must not lead elsewhere.
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &provision.Error{Kind: provision.ErrUsage, Message: path + " is no regular file", Hint: "remove it"}
	}
	lock := flock.New(path, flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return nil, err
	}
	held, err := lock.Stat()
	if err == nil {
		var named os.FileInfo
		if named, err = os.Lstat(path); err == nil && !os.SameFile(held, named) {
			err = fs.ErrNotExist
		}
	}
	if err != nil {
		_ = lock.Unlock()
		return nil, err
	}
	return lock, nil
}

// clear removes the store's folder. Each record goes while it is locked, so
// that nobody finds half of a change.
func (s *Store) clear(ctx context.Context) error {
	if err := private.Dir(s.dir); err != nil {
		return failure(err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return failure(err)
	}
	// An interrupted write leaves a file behind that begins with a dot.
	files := map[string][]string{}
	for _, entry := range entries {
		base, _, _ := strings.Cut(strings.TrimPrefix(entry.Name(), "."), recordSuffix)
		record := filepath.Join(s.dir, base+recordSuffix)
		path := filepath.Join(s.dir, entry.Name())
		files[record] = append(files[record], strings.TrimSuffix(path, lockSuffix))
	}
	for record, paths := range files {
		err := s.locked(ctx, record, func() error {
			for _, path := range paths {
				if err := os.Remove(path); err != nil && !private.Missing(err) {
					return failure(err)
				}
			}
			// It is empty; where a file in use cannot go, it stays.
			_ = os.Remove(record + lockSuffix)
			return nil
		})
		if err != nil {
			return err
		}
	}
	// Somebody may have begun anew; then the folder stays.
	_ = os.Remove(s.dir)
	return nil
}
