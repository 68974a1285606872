//go:build unix

package private

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
)

const nonBlocking = syscall.O_NONBLOCK

func owned(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int64(stat.Uid) == int64(os.Geteuid())
}

func effectiveMode(info fs.FileInfo) fs.FileMode { return info.Mode() }

// pending is a temporary file beside the one it is to become.
type pending struct{ *renameio.PendingFile }

func newPending(path string) (pending, error) {
	f, err := renameio.NewPendingFile(path,
		renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(0o600))
	return pending{f}, err
}

func (p pending) replace() error { return p.CloseAtomicallyReplace() }
func (p pending) discard()       { _ = p.Cleanup() }
