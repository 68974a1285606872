//go:build unix

package config

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

func helper(t *testing.T, argv ...string) string {
	t.Helper()
	list, err := json.Marshal(argv)
	require.NoError(t, err)
	return writeConfig(t, oneSecret("exec:"+strings.ReplaceAll(string(list), "'", "''")))
}

func script(t *testing.T, text string) string { return helper(t, "/bin/sh", "-c", text) }

// system is a PATH with what scripts call.
func system(more ...string) Environment {
	return Environment{Environ: append([]string{"PATH=/usr/bin:/bin"}, more...)}
}

func short(f *File) { f.limits.helper = 200 * time.Millisecond }

func TestHelpers(t *testing.T) {
	tests := []struct {
		name, text, want, fault string
	}{
		{"prints", "echo " + canary, canary, ""},
		{"prints without a line break", "printf " + canary, canary, ""},
		{"has no input", "read x && echo $x; echo " + canary, canary, ""},
		{"warns and prints", "echo warned >&2; echo " + canary, canary, ""},
		{"as much as is allowed", "head -c 65536 /dev/zero | tr '\\0' x", strings.Repeat("x", 65536), ""},
		{"fails", "echo " + canary + "; echo the secret is " + canary + " >&2; exit 3", "", "ended with exit status 3"},
		{"is killed", "kill -9 $$", "", "ended with signal: killed"},
		{"floods", "while :; do echo " + canary + "; done", "", "wrote more than 65536 bytes"},
		{"floods and ignores that nobody reads", "trap '' PIPE; while :; do echo " + canary + " 2>/dev/null; done", "", "wrote more than 65536 bytes"},
		{"hangs", "echo " + canary + "; sleep 60", "", "did not end within 200ms"},
		{"hangs and ignores signals", "trap '' TERM INT HUP; while :; do sleep 60; done", "", "did not end within 200ms"},
		{"prints escapes", "printf '\\033[31m" + canary + "\\033[0m\\n'", "", "control character"},
		{"prints two lines", "echo " + canary + "; echo " + canary, "", "more than one line"},
		{"prints nothing", "true", "", "is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			change := func(*File) {}
			if strings.Contains(tt.fault, "200ms") {
				change = short
			}
			began := time.Now()
			got, text, err := resolveOne(t, script(t, tt.text), system(), change)
			assert.Less(t, time.Since(began), 10*time.Second)
			assert.NotContains(t, text, canary)
			assert.NotContains(t, text, "\x1b")
			if tt.fault == "" {
				require.NoError(t, err)
				assert.Equal(t, tt.want, got)
				return
			}
			require.ErrorIs(t, err, provision.ErrUsage)
			require.ErrorContains(t, err, "tenant cr: password: ")
			assert.ErrorContains(t, err, tt.fault)
		})
	}
}

// What a helper started ends with it.
func TestHelperGroupEnds(t *testing.T) {
	note := filepath.Join(t.TempDir(), "pid")
	_, _, err := resolveOne(t, script(t, "sleep 60 & echo $! >"+note+"; wait"), system(), short)
	require.ErrorContains(t, err, "did not end")
	data, err := os.ReadFile(note)
	require.NoError(t, err)
	var pid int
	_, err = fmt.Sscan(string(data), &pid)
	require.NoError(t, err)
	assert.Eventually(t, func() bool { return !running(pid) }, 5*time.Second, 10*time.Millisecond)
}

// running reports whether a process is there and no mere entry that nobody has
// collected.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func TestHelperEndsWithTheContext(t *testing.T) {
	f, err := Load(system(), testVendors(), script(t, "sleep 60"))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, _, err = mustTenant(t, f, "cr").Resolve(ctx)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestHelperEnvironment(t *testing.T) {
	path := writeConfig(t, oneSecret(`exec:["/bin/sh","-c","env | sort | tr \"\\n\" \"|\""]`)+"    totp-secret: env:REFERRED\n")
	got, _, err := resolveOne(t, path, system(
		"HOME=/home/x", "REFERRED="+canary, "EDRCTL_CR_TOTP_SECRET="+canary, "EDRCTL_OTHER_API_KEY="+canary,
		"EDRCTL_CR_PASWORD="+canary, "EDRCTL_CR_USERNAME=u", "EDRCTL_OUTPUT=json"))
	require.NoError(t, err)
	names := []string{}
	for entry := range strings.SplitSeq(strings.Trim(got, "|"), "|") {
		name, _, _ := strings.Cut(entry, "=")
		if !slices.Contains([]string{"PWD", "OLDPWD", "SHLVL", "_"}, name) {
			names = append(names, name)
		}
	}
	assert.Equal(t, []string{"EDRCTL_CR_USERNAME", "EDRCTL_OUTPUT", "HOME", "PATH"}, names)
	assert.NotContains(t, got, canary)
}

func TestHelperIsFound(t *testing.T) {
	dir := t.TempDir()
	tool := filepath.Join(dir, "tool")
	require.NoError(t, os.WriteFile(tool, []byte("#!/bin/sh\npwd\n"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data"), []byte("x"), 0o600))
	t.Chdir(dir)
	tests := []struct {
		name, program, path, fault string
	}{
		{"absolute", tool, "", ""},
		{"in PATH", "tool", "/nothing:" + dir, ""},
		{"working folder", "tool", ".", "there is no program tool"},
		{"working folder as nothing", "tool", ":/nothing:", "there is no program tool"},
		{"relative folder", "tool", "../" + filepath.Base(dir), "there is no program tool"},
		{"relative path", "./tool", dir, "neither an absolute path nor a bare name"},
		{"not executable", "data", dir, "there is no program data"},
		{"nowhere", "/nothing/tool", dir, "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := helper(t, tt.program)
			got, _, err := resolveOne(t, path, Environment{Environ: []string{"PATH=" + tt.path}})
			if tt.fault == "" {
				require.NoError(t, err)
				assert.Equal(t, filepath.Dir(path), got, "it runs beside the configuration")
				return
			}
			require.ErrorIs(t, err, provision.ErrUsage)
			assert.ErrorContains(t, err, tt.fault)
		})
	}
}

func TestHelperNeedsAnOwnFile(t *testing.T) {
	path := script(t, "echo "+canary)
	for _, mode := range []os.FileMode{0o620, 0o602} {
		require.NoError(t, os.Chmod(path, mode))
		_, _, err := resolveOne(t, path, system())
		require.ErrorIs(t, err, provision.ErrUsage)
		require.ErrorContains(t, err, "others can write to "+path)
	}
	require.NoError(t, os.Chmod(path, 0o644))
	_, _, err := resolveOne(t, path, system())
	require.NoError(t, err, "others may read it")

	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	require.NoError(t, os.Chown(path, 12345, 12345))
	_, _, err = resolveOne(t, path, system())
	require.ErrorIs(t, err, provision.ErrUsage)
	assert.ErrorContains(t, err, "belongs to another user")
}
