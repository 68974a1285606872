//go:build unix

package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/audit"
)

// deaf is a pipe that nobody reads from any more.
func deaf(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, r.Close())
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func full(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full on this system")
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestLostOutput applies a roster while nobody takes what edrctl has to say. The
// work is done and on record all the same, edrctl ends by itself, and its status
// tells when results are missing.
func TestLostOutput(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		set    func(t *testing.T, cmd *exec.Cmd)
		status int
	}{
		{"results to a reader that has gone", func(t *testing.T, cmd *exec.Cmd) { cmd.Stdout = deaf(t) }, exitInternal},
		{"results to a full disk", func(t *testing.T, cmd *exec.Cmd) { cmd.Stdout = full(t) }, exitInternal},
		{"all to a reader that has gone", func(t *testing.T, cmd *exec.Cmd) {
			cmd.Stdout = deaf(t)
			cmd.Stderr = cmd.Stdout
		}, exitInternal},
		{"results file on a full disk", func(t *testing.T, cmd *exec.Cmd) {
			path := filepath.Join(t.TempDir(), "results.csv")
			require.NoError(t, os.Symlink(full(t).Name(), path))
			cmd.Args = append(cmd.Args, "--results", path)
		}, exitInternal},
		{"messages to a reader that has gone", func(t *testing.T, cmd *exec.Cmd) { cmd.Stderr = deaf(t) }, exitOK},
		{"messages to a full disk", func(t *testing.T, cmd *exec.Cmd) { cmd.Stderr = full(t) }, exitOK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := openKillScene(t)
			cmd := s.start(t.Context(), "apply", "-v", "-f", s.roster, "--yes")
			tt.set(t, cmd)
			err := cmd.Run()
			require.NotNil(t, cmd.ProcessState, "%v", err)
			assert.True(t, cmd.ProcessState.Exited(), "%v", err)
			assert.Equal(t, tt.status, cmd.ProcessState.ExitCode(), "%v", err)
			s.isApplied(t)
		})
	}
}

// isApplied checks that there is nothing left to do, and that the record tells
// how everything ended.
func (s *killScene) isApplied(t *testing.T) {
	t.Helper()
	s.t = t
	r := s.run("plan --exit-code -f " + s.roster)
	assert.Zero(t, r.status, r.String())
	ends := s.ends(t)
	assert.NotEmpty(t, ends)
	for change, outcome := range ends {
		assert.NotEqual(t, audit.Intent, outcome, "the end of change %s is on record", change)
	}
}

// ends are the outcomes of all changes on record.
func (s *killScene) ends(t *testing.T) map[string]string {
	t.Helper()
	ends := map[string]string{}
	require.NoError(t, audit.Read(filepath.Join(s.dir, "edrctl", "audit.jsonl"), func(e audit.Entry) error {
		ends[e.Change] = e.Outcome
		return nil
	}))
	return ends
}

// TestSlowReader has somebody read the results late: a full pipe holds nothing
// up but the end.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	s := openKillScene(t)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	// Fill the pipe, so that the first write of the child has to wait.
	require.NoError(t, w.SetWriteDeadline(time.Now().Add(200*time.Millisecond)))
	filled, _ := w.Write(make([]byte, 1<<20))
	cmd := s.start(t.Context(), "apply", "-f", s.roster, "--yes")
	cmd.Stdout = w
	require.NoError(t, cmd.Start())
	require.NoError(t, w.Close())
	require.Eventually(t, func() bool {
		entries := 0
		_ = audit.Read(filepath.Join(s.dir, "edrctl", "audit.jsonl"), func(audit.Entry) error { entries++; return nil })
		return entries > 20
	}, patience, 10*time.Millisecond, "changes that do not wait for the reader")
	var got bytes.Buffer
	_, err = got.ReadFrom(r)
	require.NoError(t, err)
	require.NoError(t, cmd.Wait())
	assert.Contains(t, got.String()[filled:], personBen)
	s.isApplied(t)
}

// TestRecordOnAFullDisk lets files grow to so many blocks only. As soon as the
// record cannot be written nothing more is sent; what was begun is told; and
// when there is room again, the same command does the rest.
func TestRecordOnAFullDisk(t *testing.T) {
	t.Parallel()
	for blocks := 0; blocks < 24; blocks += 2 {
		t.Run(fmt.Sprintf("%d blocks", blocks), func(t *testing.T) {
			t.Parallel()
			s := openKillScene(t)
			// The shell counts in blocks of 512 or 1024 bytes.
			cmd := s.start(t.Context(), "-c", fmt.Sprintf(`ulimit -f %d; exec edrctl --parallel 1 apply -f "$0" --yes`, blocks), s.roster)
			cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh"}, cmd.Args[1:]...)
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			err := cmd.Run()
			if err != nil {
				var exit *exec.ExitError
				require.ErrorAs(t, err, &exit)
				require.True(t, exit.Exited(), "it is ended by %v", exit)
				assert.Contains(t, errs.String(), "cannot be written", "%s%s", out.String(), errs.String())
			}
			begun := 0
			require.NoError(t, audit.Read(filepath.Join(s.dir, "edrctl", "audit.jsonl"), func(e audit.Entry) error {
				if e.Outcome == audit.Intent {
					begun++
				}
				return nil
			}))
			changes := 0
			for _, c := range s.consoles {
				changes += len(s.writes(c))
			}
			assert.LessOrEqual(t, changes, 2*begun, "a change takes two requests at most, and none is sent that is not on record")
			r := s.run("apply -f " + s.roster + " --yes")
			assert.Zero(t, r.status, r.String())
			r = s.run("plan --exit-code -f " + s.roster)
			assert.Zero(t, r.status, r.String())
		})
	}
}

// TestReaderWhoHasReadEnough is `edrctl ... | head -1`: not worth a word.
func TestReaderWhoHasReadEnough(t *testing.T) {
	t.Parallel()
	s := openKillScene(t)
	for _, args := range [][]string{{"-A", "user", "list"}, {"-A", "user", "list", "-o", "jsonl"}, {"vendor", "list"}, {"--help"}, {"completion", "bash"}} {
		cmd := s.start(t.Context(), args...)
		var errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = deaf(t), &errs
		err := cmd.Run()
		require.NotNil(t, cmd.ProcessState, "%v", err)
		assert.Equal(t, exitInternal, cmd.ProcessState.ExitCode(), "%v: %v", args, err)
		assert.Empty(t, errs.String(), "%v", args)
	}
}
