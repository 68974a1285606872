//go:build !unix

package private

import (
	"io/fs"
	"os"
	"path/filepath"
)

const nonBlocking = 0

// owned cannot be told from a mode: here access is a matter of lists that the
// profile folders of a user bring with them.
func owned(fs.FileInfo) bool { return true }

func effectiveMode(info fs.FileInfo) fs.FileMode { return info.Mode() &^ 0o077 }

// pending is a temporary file beside the one it is to become.
type pending struct {
	*os.File
	path string
}

func newPending(path string) (*pending, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"*")
	return &pending{File: f, path: path}, err
}

func (p *pending) replace() error {
	if err := p.Sync(); err != nil {
		return err
	}
	if err := p.Close(); err != nil {
		return err
	}
	return os.Rename(p.Name(), p.path)
}

func (p *pending) discard() {
	_ = p.Close()
	_ = os.Remove(p.Name())
}
