//go:build linux

package scripts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestImage runs edrctl as the image does, without an engine for containers: as
// nobody, with the image's variables, in a root that holds the binary and one
// folder to write to.
func TestImage(t *testing.T) {
	text, err := os.ReadFile("../Dockerfile")
	require.NoError(t, err)
	_, image, ok := strings.Cut(string(text), "\nFROM scratch\n")
	require.True(t, ok, "the image begins with nothing")
	assert.NotContains(t, image, "\nRUN ", "there is no shell that could")
	assert.Contains(t, image, "\nUSER 65534:65534\n")
	assert.Contains(t, image, "\nENTRYPOINT [\"/usr/bin/edrctl\"]\n")
	assert.Contains(t, image, " /etc/ssl/certs/\n")
	var env []string
	for _, line := range regexp.MustCompile(`(?m)^ENV (.*)$`).FindAllStringSubmatch(image, -1) {
		env = append(env, strings.Fields(line[1])...)
	}
	require.NotEmpty(t, env)
	if os.Getuid() != 0 {
		t.Skip("to change the root one has to be root")
	}

	root := t.TempDir()
	require.NoError(t, os.Chmod(root, 0o755))
	for _, dir := range []string{"usr/bin", "etc/edrctl", "var/lib/edrctl"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	state := filepath.Join(root, "var/lib/edrctl")
	require.NoError(t, os.Chmod(state, 0o700))
	require.NoError(t, os.Chown(state, 65534, 65534))
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", filepath.Join(root, "usr/bin/edrctl"), "../cmd/edrctl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	run := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "/usr/bin/edrctl", args...)
		cmd.Env, cmd.Dir = append([]string{"PATH=/usr/bin", "SECRET=x"}, env...), "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", args, out)
		return string(out)
	}
	assert.Contains(t, run("version"), "edrctl ")
	assert.Equal(t, "/etc/edrctl/config.yaml\n", run("config", "path"))
	config := "version: 1\ntenants:\n  f: {vendor: crowdstrike, region: us-1, client-id: a, client-secret: env:SECRET}\n"
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/edrctl/config.yaml"), []byte(config), 0o600))
	require.NoError(t, os.Chmod(filepath.Join(root, "etc/edrctl/config.yaml"), 0o644))
	run("config", "validate")
	assert.Contains(t, run("mock", "exec", "--quiet", "--", "/usr/bin/edrctl", "user", "create", "a@example.com", "-t", "crowdstrike"), "created")
	assert.Contains(t, run("audit", "verify"), "/var/lib/edrctl/edrctl/audit.jsonl: 2 lines")
}
