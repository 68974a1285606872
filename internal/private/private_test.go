//go:build unix

package private_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/private"
	"edrctl/internal/provision"
)

// underMask runs a test with umasks that give too much and too little. It
// changes the whole process, so that no test here runs beside another.
func underMask(t *testing.T, run func(t *testing.T, dir string)) {
	t.Helper()
	for _, mask := range []int{0o000, 0o022, 0o077, 0o277} {
		t.Run(fs.FileMode(mask).String(), func(t *testing.T) {
			dir := t.TempDir()
			defer syscall.Umask(syscall.Umask(mask))
			run(t, dir)
		})
	}
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	return info.Mode().Perm()
}

func TestWriteAndRead(t *testing.T) {
	underMask(t, func(t *testing.T, dir string) {
		path := filepath.Join(dir, "f")
		for _, text := range []string{"first, and longer", "second"} {
			require.NoError(t, private.Write(path, []byte(text)))
			assert.Equal(t, fs.FileMode(0o600), mode(t, path))
			data, err := private.Read(path, 100)
			require.NoError(t, err)
			assert.Equal(t, text, string(data))
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		assert.Len(t, entries, 1, "nothing is left beside it")
	})
}

func TestCreate(t *testing.T) {
	underMask(t, func(t *testing.T, dir string) {
		path := filepath.Join(dir, "f")
		require.NoError(t, private.Create(path, []byte("first")))
		assert.Equal(t, fs.FileMode(0o600), mode(t, path))
		require.ErrorIs(t, private.Create(path, []byte("second")), fs.ErrExist)
		data, err := private.Read(path, 100)
		require.NoError(t, err)
		assert.Equal(t, "first", string(data))
		entries, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		assert.Len(t, entries, 1, "nothing is left beside it")

		link := filepath.Join(dir, "link")
		require.NoError(t, os.Symlink("target", link))
		require.ErrorIs(t, private.Create(link, nil), fs.ErrExist)
	})
}

func TestDir(t *testing.T) {
	for _, mask := range []int{0o000, 0o077} {
		t.Run(fs.FileMode(mask).String(), func(t *testing.T) {
			defer syscall.Umask(syscall.Umask(mask))
			path := filepath.Join(t.TempDir(), "a", "b")
			for range 2 {
				require.NoError(t, private.Dir(path))
				assert.Equal(t, fs.FileMode(0o700), mode(t, path))
				assert.Equal(t, fs.FileMode(0o700), mode(t, filepath.Dir(path)))
			}
		})
	}
	dir := t.TempDir()
	open, file, link := filepath.Join(dir, "open"), filepath.Join(dir, "file"), filepath.Join(dir, "link")
	require.NoError(t, os.Mkdir(open, 0o700))
	require.NoError(t, os.Chmod(open, 0o750))
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Symlink(dir, link))
	for path, reason := range map[string]string{open: "is open to others (mode 0750)", file: "is no folder", link: "is a symbolic link"} {
		err := private.Dir(path)
		require.ErrorIs(t, err, provision.ErrUsage)
		assert.EqualError(t, err, path+" "+reason)
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("secret"), 0o600))
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(file, link))
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))

	tests := []struct {
		name, path, reason string
	}{
		{"link", link, "is a symbolic link"},
		{"folder", dir, "is no regular file"},
		{"pipe", pipe, "is no regular file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := private.Read(tt.path, 100)
			require.ErrorIs(t, err, provision.ErrUsage)
			require.EqualError(t, err, tt.path+" "+tt.reason)
			err = private.Write(tt.path, nil)
			require.ErrorIs(t, err, provision.ErrUsage)
			assert.EqualError(t, err, tt.path+" "+tt.reason)
		})
	}
	for _, bits := range []fs.FileMode{0o640, 0o604, 0o610, 0o602, 0o666} {
		require.NoError(t, os.Chmod(file, bits))
		_, err := private.Read(file, 100)
		require.ErrorIs(t, err, provision.ErrUsage)
		require.ErrorContains(t, err, fmt.Sprintf("is open to others (mode %04o)", bits))
	}
	require.NoError(t, os.Chmod(file, 0o600))
	_, err := private.Read(file, 5)
	require.ErrorIs(t, err, private.ErrTooLarge)
	require.ErrorIs(t, err, provision.ErrUsage)
	_, err = private.Read(file, 6)
	require.NoError(t, err)
	_, err = private.Read(filepath.Join(dir, "nothing"), 1)
	assert.True(t, private.Missing(err))
}

func TestForeignFiles(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	dir := t.TempDir()
	file, folder := filepath.Join(dir, "file"), filepath.Join(dir, "folder")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Mkdir(folder, 0o700))
	require.NoError(t, os.Chown(file, 12345, 12345))
	require.NoError(t, os.Chown(folder, 12345, 12345))
	_, err := private.Read(file, 1)
	require.EqualError(t, err, file+" belongs to another user")
	require.EqualError(t, private.Write(file, nil), file+" belongs to another user")
	require.EqualError(t, private.Dir(folder), folder+" belongs to another user")
}
