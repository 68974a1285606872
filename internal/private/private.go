// Package private reads and writes files that hold secrets: regular files of
// the user that nobody else can open. What does not fit is refused with a
// reason and a way out, never repaired or read all the same.
//
// It knows nothing of what is in the files.
package private

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"edrctl/internal/provision"
)

// Problem is a reason that callers ask for with errors.Is.
type Problem string

// ErrTooLarge means that a file has more bytes than the reader wants.
const ErrTooLarge Problem = "too large"

// Error implements error.
func (p Problem) Error() string { return string(p) }

// Facts are what decides whether a file is to be trusted.
type Facts struct {
	// Symlink is true when the path itself is a symbolic link.
	Symlink bool
	// Own is true when the file belongs to the user.
	Own bool
	// Mode is the mode of the file, after symbolic links.
	Mode fs.FileMode
}

// Open opens a regular file for reading and tells what it is like. It judges
// nothing but that it is one.
func Open(path string) (*os.File, Facts, error) {
	before, err := os.Lstat(path)
	if err != nil {
		return nil, Facts{}, err
	}
	facts := Facts{Symlink: before.Mode()&fs.ModeSymlink != 0}
	// A pipe would block until somebody writes.
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0) //nolint:gosec // callers name the file on purpose
	if err != nil {
		return nil, facts, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, facts, err
	}
	if !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, facts, refusal(path, "is no regular file", "")
	}
	if !facts.Symlink && !os.SameFile(before, info) {
		_ = f.Close()
		return nil, facts, refusal(path, "was replaced while it was opened", "run it again")
	}
	facts.Own, facts.Mode = owned(info), effectiveMode(info)
	return f, facts, nil
}

// Check refuses a file that is not private: a symbolic link, somebody else's,
// or open to group or others.
func (f Facts) Check(path string) error {
	switch {
	case f.Symlink:
		return refusal(path, "is a symbolic link", "name the file itself")
	case !f.Own:
		return refusal(path, "belongs to another user", "use a file of your own")
	case f.Mode.Perm()&0o077 != 0:
		return refusal(path, fmt.Sprintf("is open to others (mode %04o)", f.Mode.Perm()), fmt.Sprintf("run: chmod 600 %q", path))
	}
	return nil
}

// Read returns the content of a private file of at most limit bytes.
func Read(path string, limit int64) ([]byte, error) {
	f, facts, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if err := facts.Check(path); err != nil {
		return nil, err
	}
	return ReadAll(f, limit)
}

// ReadAll reads an open file of at most limit bytes.
func ReadAll(f *os.File, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, &provision.Error{
			Kind: provision.ErrUsage, Message: f.Name(), Err: ErrTooLarge, Hint: fmt.Sprintf("at most %d bytes are read", limit),
		}
	}
	return data, nil
}

// Dir makes a folder that only the user can enter, and the folders above it. A
// folder that exists must be one already.
func Dir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		if info, statErr := os.Lstat(path); statErr == nil && !info.IsDir() {
			return refusal(path, "is no folder", "move it away")
		}
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	switch {
	case !info.IsDir():
		return refusal(path, "is a symbolic link", "make it a folder")
	case !owned(info):
		return refusal(path, "belongs to another user", "use a folder of your own")
	case effectiveMode(info).Perm()&0o077 != 0:
		return refusal(path, fmt.Sprintf("is open to others (mode %04o)", info.Mode().Perm()), fmt.Sprintf("run: chmod 700 %q", path))
	}
	return nil
}

// Missing reports whether an error says that there is no such file.
func Missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func refusal(path, reason, hint string) error {
	return &provision.Error{Kind: provision.ErrUsage, Message: path + " " + reason, Hint: hint}
}
