package private

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Write replaces a file as a whole, or makes it. Readers see the old content
// or the new, and what stands there must be the user's own regular file.
func Write(path string, data []byte) error {
	info, err := os.Lstat(path)
	switch {
	case err == nil && info.Mode()&fs.ModeSymlink != 0:
		return refusal(path, "is a symbolic link", "remove it")
	case err == nil && !info.Mode().IsRegular():
		return refusal(path, "is no regular file", "move it away")
	case err == nil && !owned(info):
		return refusal(path, "belongs to another user", "use a file of your own")
	case err != nil && !Missing(err):
		return err
	}
	pending, err := newPending(path)
	if err != nil {
		return err
	}
	defer pending.discard()
	if _, err := pending.Write(data); err != nil {
		return err
	}
	return pending.replace()
}

// Create makes a file that must not exist yet; if it does, the error is
// fs.ErrExist. Nobody sees it half written.
func Create(path string, data []byte) error {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	pending, err := newPending(path)
	if err != nil {
		return err
	}
	defer pending.discard()
	if _, err := pending.Write(data); err != nil {
		return err
	}
	if err := pending.Sync(); err != nil {
		return err
	}
	// Unlike a rename, a link fails where something exists.
	err = os.Link(pending.Name(), path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// Not every file system has links.
	f, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return err
}
