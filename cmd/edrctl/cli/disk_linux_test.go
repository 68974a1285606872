package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestRecordOnASmallFileSystem keeps the record where there is hardly room for
// it, and where nothing can be written. It is as with a limit for files, and
// what little can be written stays whole.
func TestRecordOnASmallFileSystem(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"size=8k", "size=12k", "size=16k", "nr_inodes=3"} {
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			s := openKillScene(t)
			state := mount(t, 0, options)
			cmd := s.start(t.Context(), "apply", "-f", s.roster, "--yes")
			cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+state)
			out, err := cmd.CombinedOutput()
			require.Error(t, err, string(out))
			assert.True(t, cmd.ProcessState.Exited(), "%v", err)
			assert.Contains(t, string(out), "cannot be written")

			verify := s.start(t.Context(), "audit", "verify")
			verify.Env = append(verify.Env, "XDG_STATE_HOME="+state)
			out, err = verify.CombinedOutput()
			require.NoError(t, err, string(out))

			r := s.run("apply -f " + s.roster + " --yes") // with a record elsewhere
			assert.Zero(t, r.status, r.String())
		})
	}
	t.Run("read-only", func(t *testing.T) {
		t.Parallel()
		s := openKillScene(t)
		state := mount(t, unix.MS_RDONLY, "")
		cmd := s.start(t.Context(), "apply", "-f", s.roster, "--yes")
		cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+state)
		out, err := cmd.CombinedOutput()
		require.Error(t, err, string(out))
		assert.Contains(t, string(out), "read-only file system")
		for _, c := range s.consoles {
			assert.Empty(t, s.writes(c), "what cannot be recorded is not done")
		}
	})
}

// mount makes a file system in memory and returns where it is.
func mount(t *testing.T, flags uintptr, options string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.Mkdir(dir, 0o700))
	err := unix.Mount("edrctl-test", dir, "tmpfs", flags, options)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENODEV) {
		t.Skip("file systems can be mounted by root only")
	}
	require.NoError(t, err, fmt.Sprint(options))
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}
