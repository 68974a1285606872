// Package scripts_test runs what action.yml consists of, as a runner would,
// against a release in a folder.
package scripts_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// gh is the command of GitHub, as far as the action uses it. $RELEASE is the
// folder with the files of the only release.
const gh = `#!/bin/sh
set -eu
echo "gh $*" >>"$CALLS"
case "$1 $2" in
'release view') echo v1.2.3 ;;
'release download')
	[ "$3" = v1.2.3 ] || { echo "release not found" >&2; exit 1; }
	while [ $# -gt 0 ]; do
		if [ "$1" = --pattern ]; then cp "$RELEASE/$2" .; fi
		shift
	done
	;;
'attestation verify') [ -z "${FORGED:-}" ] || { echo "no attestations found" >&2; exit 1; } ;;
*) exit 2 ;;
esac
`

// edrctl prints its arguments, one a line.
const edrctl = "#!/bin/sh\nprintf '%s\\n' \"$@\"\n"

type action struct {
	Inputs map[string]struct {
		Default string `yaml:"default"`
	} `yaml:"inputs"`
	Runs struct {
		Steps []struct {
			ID    string            `yaml:"id"`
			Shell string            `yaml:"shell"`
			If    string            `yaml:"if"`
			Env   map[string]string `yaml:"env"`
			Run   string            `yaml:"run"`
		} `yaml:"steps"`
	} `yaml:"runs"`
}

func theAction(t *testing.T) action {
	t.Helper()
	text, err := os.ReadFile("../action.yml")
	require.NoError(t, err)
	var a action
	require.NoError(t, yaml.Unmarshal(text, &a))
	require.Len(t, a.Runs.Steps, 2)
	// Looked at here, so that go test runs again when it changes.
	require.FileExists(t, "install-release.sh")
	return a
}

// runner is a machine that runs steps.
type runner struct {
	t                  *testing.T
	dir, release, path string
	env                []string
	a                  action
}

func newRunner(t *testing.T, system, arch string) *runner {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the fake gh is a shell script")
	}
	dir := t.TempDir()
	r := &runner{t: t, dir: dir, release: filepath.Join(dir, "release"), a: theAction(t)}
	bin := filepath.Join(dir, "bin")
	for _, folder := range []string{bin, r.release, filepath.Join(dir, "temp dir")} {
		require.NoError(t, os.Mkdir(folder, 0o700))
	}
	require.NoError(t, os.WriteFile(filepath.Join(bin, "gh"), []byte(gh), 0o700))
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	r.path = bin + string(filepath.ListSeparator) + os.Getenv("PATH") //nolint:forbidigo // the tools of the machine
	r.env = []string{
		"RUNNER_OS=" + system, "RUNNER_ARCH=" + arch, "RUNNER_TEMP=" + filepath.Join(dir, "temp dir"),
		"GITHUB_ACTION_PATH=" + root, "GITHUB_PATH=" + filepath.Join(dir, "path"), "GITHUB_OUTPUT=" + filepath.Join(dir, "output"),
		"RELEASE=" + r.release, "CALLS=" + filepath.Join(dir, "calls"),
	}
	r.publish()
	return r
}

// publish fills the release: archives of which each holds a program with the
// archive's name in it, and the lists of parts that are released with them.
func (r *runner) publish() {
	var sums strings.Builder
	add := func(name string, data []byte) {
		require.NoError(r.t, os.WriteFile(filepath.Join(r.release, name), data, 0o600))
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), name)
	}
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			name := "edrctl_1.2.3_" + system + "_" + arch
			program := []byte(edrctl + "# " + name + "\n")
			if system == "windows" {
				name += ".zip"
				add(name, zipped(r.t, "edrctl.exe", program))
			} else {
				name += ".tar.gz"
				add(name, tarred(r.t, "edrctl", program))
			}
			add(name+".sbom.json", []byte("{}"))
		}
	}
	require.NoError(r.t, os.WriteFile(filepath.Join(r.release, "checksums.txt"), []byte(sums.String()), 0o600))
}

// step runs a step with inputs and returns what it prints.
func (r *runner) step(n int, inputs map[string]string, extra ...string) (string, error) {
	r.t.Helper()
	step := r.a.Runs.Steps[n]
	require.Equal(r.t, "bash", step.Shell)
	cmd := exec.CommandContext(r.t.Context(), "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step.Run)
	cmd.Dir = r.dir
	cmd.Env = append(append([]string{"PATH=" + r.path}, r.env...), extra...)
	for name, value := range step.Env {
		value = regexp.MustCompile(`\$\{\{ inputs\.([a-z-]+) \}\}`).ReplaceAllStringFunc(value, func(text string) string {
			input := strings.TrimSuffix(strings.TrimPrefix(text, "${{ inputs."), " }}")
			require.Contains(r.t, r.a.Inputs, input)
			if given, ok := inputs[input]; ok {
				return given
			}
			return r.a.Inputs[input].Default
		})
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (r *runner) file(name string) string {
	data, err := os.ReadFile(filepath.Join(r.dir, name))
	if os.IsNotExist(err) {
		return ""
	}
	require.NoError(r.t, err)
	return string(data)
}

func TestActionInstalls(t *testing.T) {
	for _, tt := range []struct{ name, system, arch, version, program, archive string }{
		{"latest", "Linux", "X64", "latest", "edrctl", "edrctl_1.2.3_linux_amd64"},
		{"version", "macOS", "ARM64", "1.2.3", "edrctl", "edrctl_1.2.3_darwin_arm64"},
		{"tag", "Windows", "X64", "v1.2.3", "edrctl.exe", "edrctl_1.2.3_windows_amd64"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := exec.LookPath("unzip"); err != nil && tt.system == "Windows" {
				t.Skip("there is no unzip")
			}
			r := newRunner(t, tt.system, tt.arch)
			out, err := r.step(0, map[string]string{"version": tt.version})
			require.NoError(t, err, out)
			assert.Equal(t, "version=1.2.3\n", r.file("output"))
			folder := strings.TrimSuffix(r.file("path"), "\n")
			data, err := os.ReadFile(filepath.Join(folder, tt.program))
			require.NoError(t, err)
			assert.Contains(t, string(data), "# "+tt.archive+"\n")
			assert.Contains(t, r.file("calls"), "gh attestation verify "+tt.archive)
		})
	}
}

func TestActionRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, system, arch, version, want string
		spoil                             func(r *runner)
		env                               []string
	}{
		{name: "other bytes", want: "is not what was released", spoil: func(r *runner) {
			archive := filepath.Join(r.release, "edrctl_1.2.3_linux_amd64.tar.gz")
			require.NoError(r.t, os.WriteFile(archive, tarred(r.t, "edrctl", []byte("evil")), 0o600))
		}},
		{name: "no checksum", want: "has no checksum", spoil: func(r *runner) {
			require.NoError(r.t, os.WriteFile(filepath.Join(r.release, "checksums.txt"), nil, 0o600))
		}},
		{name: "no attestation", want: "was not built by the release workflow", env: []string{"FORGED=1"}},
		{name: "no such release", version: "9.9.9", want: "release not found"},
		{name: "not a version", version: "../../main", want: "is not a version"},
		{name: "other machine", arch: "ARM", want: "not built for ARM"},
		{name: "other system", system: "Solaris", want: "not built for Solaris"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			system, arch, version := "Linux", "X64", "1.2.3"
			if tt.system != "" {
				system = tt.system
			}
			if tt.arch != "" {
				arch = tt.arch
			}
			if tt.version != "" {
				version = tt.version
			}
			r := newRunner(t, system, arch)
			if tt.spoil != nil {
				tt.spoil(r)
			}
			out, err := r.step(0, map[string]string{"version": version}, tt.env...)
			require.Error(t, err, out)
			assert.Contains(t, out, tt.want)
			assert.Empty(t, r.file("path"), "nothing is put into the PATH")
		})
	}
}

func TestActionRunsACommand(t *testing.T) {
	r := newRunner(t, "Linux", "X64")
	require.Equal(t, "inputs.mock-exec != ''", r.a.Runs.Steps[1].If)
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "bin", "edrctl"), []byte(edrctl), 0o700))
	const command = "./onboard.sh 'two words' | tee log"
	for flags, words := range map[string]string{"": "", "--vendor crowdstrike --latency 1ms": "--vendor\ncrowdstrike\n--latency\n1ms\n", "--seed *": "--seed\n*\n"} {
		out, err := r.step(1, map[string]string{"mock-exec": command, "mock-flags": flags})
		require.NoError(t, err, out)
		assert.Equal(t, "mock\nexec\n"+words+"--\nbash\n-euo\npipefail\n-c\n"+command+"\n", out)
	}
}

// TestActionIsUsedAsItIs holds what the recipe shows against the action.
func TestActionIsUsedAsItIs(t *testing.T) {
	page, err := os.ReadFile("../docs/recipes/ci-smoke-test.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(page), "```yaml\n")
	require.True(t, ok)
	text, _, _ := strings.Cut(rest, "```")
	var shown struct {
		Steps []struct {
			Uses string            `yaml:"uses"`
			With map[string]string `yaml:"with"`
		} `yaml:"steps"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(text), &shown))
	used := 0
	for _, step := range shown.Steps {
		if !strings.HasPrefix(step.Uses, "edrctl/edrctl@") {
			continue
		}
		used++
		for name := range step.With {
			assert.Contains(t, theAction(t).Inputs, name)
		}
	}
	assert.Equal(t, 1, used)
}

func tarred(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	packed := gzip.NewWriter(&b)
	w := tar.NewWriter(packed)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(data))}))
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, packed.Close())
	return b.Bytes()
}

func zipped(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	part, err := w.Create(name)
	require.NoError(t, err)
	_, err = part.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}
