// Package session keeps a tenant's sessions on disk between runs. It knows
// nothing of what is in them, and keeps them from everybody but their owner.
package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"edrctl/internal/private"
	"edrctl/internal/provision"
)

const (
	// maxRecord is the size of a record.
	maxRecord = 64 << 10
	// maxLockWait is how long another process may hold a record: it may be
	// signing in, and waiting for a throttling vendor or the next TOTP step.
	maxLockWait = 2 * time.Minute
	// hashLength is the number of hexadecimal digits at a folder's end.
	hashLength = 16
)

// Store is a provision.Store in a folder of its own. Records are JSON; what is
// there but is no JSON, or too large, counts as absent.
//
// A file or folder that others can reach, or that is not what it should be, is
// provision.ErrUsage and names it.
type Store struct {
	root, dir string
	// lockWait bounds the wait for another process.
	lockWait time.Duration
}

var _ provision.Store = (*Store)(nil)

// Open gives the store of one tenant below a cache folder. Sessions are tied to
// the address and the account they were made for: another identity is another
// store. Nothing is written until a record is.
func Open(cacheDir, tenant string, identity ...string) *Store {
	// JSON keeps ("a", "bc") apart from ("ab", "c").
	key, _ := json.Marshal(append([]string{tenant}, identity...))
	root := rootDir(cacheDir)
	return &Store{root: root, dir: filepath.Join(root, tenant+"-"+hash(string(key))), lockWait: maxLockWait}
}

func rootDir(cacheDir string) string { return filepath.Join(cacheDir, "edrctl") }

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:hashLength]
}

// path is the file of a record. Names of records are not for people, and may
// hold what a file system does not take.
func (s *Store) path(name string) string { return filepath.Join(s.dir, hash(name)+recordSuffix) }

// Get implements provision.Store.
func (s *Store) Get(name string) ([]byte, error) {
	if _, err := os.Lstat(s.path(name)); private.Missing(err) {
		return nil, nil
	}
	var data []byte
	err := s.locked(context.Background(), s.path(name), func() (err error) {
		data, err = s.read(name)
		return err
	})
	return data, err
}

// Put implements provision.Store.
func (s *Store) Put(name string, data []byte) error {
	if _, err := os.Lstat(s.path(name)); data == nil && private.Missing(err) {
		return nil
	}
	return s.locked(context.Background(), s.path(name), func() error { return s.write(name, data) })
}

// Update implements provision.Store. The change must not touch the same record
// again.
func (s *Store) Update(ctx context.Context, name string, change func([]byte) ([]byte, error)) error {
	return s.locked(ctx, s.path(name), func() error {
		old, err := s.read(name)
		if err != nil {
			return err
		}
		data, err := change(old)
		if err != nil {
			return err
		}
		return s.write(name, data)
	})
}

func (s *Store) read(name string) ([]byte, error) {
	data, err := private.Read(s.path(name), maxRecord)
	switch {
	case private.Missing(err), errors.Is(err, private.ErrTooLarge), err == nil && !json.Valid(data):
		return nil, nil
	case err != nil:
		return nil, failure(err)
	}
	return data, nil
}

func (s *Store) write(name string, data []byte) error {
	switch {
	case data == nil:
		if err := os.Remove(s.path(name)); err != nil && !private.Missing(err) {
			return failure(err)
		}
		return nil
	case len(data) > maxRecord || !json.Valid(data):
		return &provision.Error{Kind: provision.ErrInternal, Op: "session cache", Message: "a record is no JSON, or too large"}
	}
	if err := private.Write(s.path(name), data); err != nil {
		return failure(err)
	}
	return nil
}

// failure says that it is the cache that failed, and what to do without it.
func failure(err error) error {
	e := &provision.Error{Kind: provision.ErrUsage, Message: "session cache", Err: err, Hint: "with `session-cache: off` nothing is kept"}
	var refused *provision.Error
	if errors.As(err, &refused) && refused.Hint != "" {
		e.Hint = refused.Hint
	}
	return e
}

// Clear removes the records of a tenant, or of all tenants if it is empty, and
// returns how many stores were there.
func Clear(ctx context.Context, cacheDir, tenant string) (removed int, err error) {
	root := rootDir(cacheDir)
	entries, err := os.ReadDir(root)
	if private.Missing(err) {
		return 0, nil
	}
	if err != nil {
		return 0, failure(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		cut := len(name) - hashLength - 1
		if cut < 1 || name[cut] != '-' || strings.Trim(name[cut+1:], "0123456789abcdef") != "" || !entry.IsDir() {
			continue
		}
		if tenant != "" && name[:cut] != tenant {
			continue
		}
		s := &Store{root: root, dir: filepath.Join(root, name), lockWait: maxLockWait}
		if err := s.clear(ctx); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
