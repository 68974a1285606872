package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withHelper configures Falcon so that its secret comes from a helper, a script
// that first does something else.
func (h *home) withHelper(t *testing.T, s *stage, does string) {
	t.Helper()
	settings := s.api.Settings(s.server.URL)
	secret := h.write(t, "secret-of-the-helper", settings["client-secret"])
	script := h.write(t, "helper.sh", "#!/bin/sh\n"+does+"\nexec cat "+secret+"\n")
	require.NoError(t, os.Chmod(script, 0o700))
	settings["client-secret"] = `exec:["` + script + `"]`
	settings["ca-file"] = h.write(t, "ca.pem", string(s.ca.pem))
	h.tenant(t, "crowdstrike", settings)
}

// coreLimit is the soft and the hard limit of /proc/PID/limits.
func coreLimit(t *testing.T, limits string) (soft, hard string) {
	t.Helper()
	found := regexp.MustCompile(`(?m)^Max core file size +(\S+) +(\S+)`).FindStringSubmatch(limits)
	require.NotNil(t, found, limits)
	return found[1], found[2]
}

// TestNoCoreDumps looks at edrctl from a helper that it has started, while it
// runs, and then at what a helper inherits.
func TestNoCoreDumps(t *testing.T) {
	s := newStage(t, consoles()[0], nil)
	h := newHome(t)
	h.withHelper(t, s, "cat /proc/$PPID/limits > "+h.path("ours")+"; cat /proc/self/limits > "+h.path("helpers"))
	through := []string{"/bin/sh", "-c", `ulimit -S -c 8; exec "$0" "$@"`}
	r, _ := h.process(t, through, "user", "list")
	require.Equal(t, 0, r.status, r.err)
	read := func(name string) string {
		data, err := os.ReadFile(h.path(name))
		require.NoError(t, err)
		return string(data)
	}
	_, before := coreLimit(t, own(t, "limits"))
	for _, who := range []string{"ours", "helpers"} {
		soft, hard := coreLimit(t, read(who))
		assert.Equal(t, "0", soft, who)
		assert.Equal(t, before, hard, who)
	}

	r, _ = h.process(t, through, "mock", "exec", "-q", "--", "cat", "/proc/self/limits")
	require.Equal(t, 0, r.status, r.err)
	soft, hard := coreLimit(t, r.out)
	assert.NotEqual(t, "0", soft, "a program of the user's gets its limit back")
	assert.Equal(t, before, hard)
}

func own(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("/proc/self/" + name)
	require.NoError(t, err)
	return string(data)
}

// TestNotDumpable runs edrctl as somebody else than root: a process that must not
// be dumped belongs to root in /proc, and nobody else of that user can look into
// its memory.
func TestNotDumpable(t *testing.T) {
	const nobody = 65534
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	h := &home{}
	var err error
	h.dir, err = os.MkdirTemp("", "edrctl-nobody-") //nolint:usetesting // nobody cannot enter what t.TempDir is in
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(h.dir) })
	h.work = h.dir
	h.environ = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir, asEdrctl + "=1"}
	s := newStage(t, consoles()[0], nil)
	h.withHelper(t, s, "stat -c %u /proc/$PPID/mem > "+h.path("edrctl")+"; stat -c %u /proc/self/mem > "+h.path("self")+
		"; cat /proc/$PPID/environ > /dev/null 2> "+h.path("environ")+"; true")
	self, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	program := h.path("edrctl-under-test")
	require.NoError(t, os.WriteFile(program, self, 0o700))
	require.NoError(t, filepath.WalkDir(h.dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(path, nobody, nobody)
		}
		return err
	}))
	cmd := exec.CommandContext(t.Context(), program, "user", "list")
	cmd.Env, cmd.Dir = h.environ, h.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	for name, want := range map[string]string{"edrctl": "0\n", "self": "65534\n", "environ": "Permission denied"} {
		data, err := os.ReadFile(h.path(name))
		require.NoError(t, err)
		assert.Contains(t, string(data), want, name)
	}
}

// TestCrashLeavesNoCore kills edrctl in a way that would leave a core, were it
// not for edrctl, and makes sure that it would.
func TestCrashLeavesNoCore(t *testing.T) {
	h := newHome(t)
	crash := func(argv ...string) syscall.WaitStatus {
		cmd := exec.CommandContext(t.Context(), "/bin/sh", slices.Concat([]string{"-c", `ulimit -c unlimited; exec "$0" "$@"`}, argv)...)
		cmd.Dir = h.work
		cmd.Env = append(slices.Clone(h.environ), asEdrctl+"=1", "GOTRACEBACK=crash")
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		_, err = out.Read(make([]byte, 1)) // it is up
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(syscall.SIGABRT))
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		return cmd.ProcessState.Sys().(syscall.WaitStatus)
	}
	if control := crash("/bin/sh", "-c", "echo up; while :; do :; done"); !control.CoreDump() {
		t.Skip("nothing leaves a core here")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	status := crash(self, "mock", "serve", "--vendor", "crowdstrike")
	assert.False(t, status.CoreDump())
}

// traced is what strace saw: the programs that were started, by process, and the
// files that were opened.
type traced struct {
	programs map[int][]string
	opened   map[int][]string
}

func readTrace(t *testing.T, text string) traced {
	t.Helper()
	seen := traced{map[int][]string{}, map[int][]string{}}
	line := regexp.MustCompile(`^(\d+) +(execve|openat)\((.*)`)
	name := regexp.MustCompile(`^(?:AT_FDCWD|\d+)(?:<[^>]*>)?, "((?:[^"\\]|\\.)*)"`)
	for text := range strings.Lines(text) {
		found := line.FindStringSubmatch(text)
		if found == nil {
			continue
		}
		pid, err := strconv.Atoi(found[1])
		require.NoError(t, err)
		if found[2] == "execve" {
			seen.programs[pid] = append(seen.programs[pid], found[3])
			continue
		}
		path := name.FindStringSubmatch(found[3])
		require.NotNil(t, path, text)
		seen.opened[pid] = append(seen.opened[pid], path[1])
	}
	return seen
}

// TestWhatIsOpenedAndStarted watches one command from outside: no secret is in
// the arguments of a program, and nothing is opened but what belongs to edrctl,
// to the system, or was named. Traps lie in the working folder.
func TestWhatIsOpenedAndStarted(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	c := consoles()[0]
	s := newStage(t, c, nil)
	h := newHome(t)
	h.withHelper(t, s, "true")
	for _, trap := range []string{
		"config.yaml", ".edrctl.yaml", "edrctl.yaml", ".env", "edrctl/config.yaml", ".config/edrctl/config.yaml", "cat", "ca.pem", ".netrc",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(h.work, trap)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(h.work, trap), []byte("version: trap\n"), 0o755))
	}
	log := filepath.Join(t.TempDir(), "trace")
	through := []string{strace, "-f", "-qq", "-s", "65536", "-e", "trace=execve,openat", "-o", log}
	var hits notes
	s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
		hits.add(r.Method + " " + r.URL.Path)
		fake.ServeHTTP(w, r)
	})
	r, _ := h.process(t, through, "user", "create", "new.person@example.com", "--role", c.role)
	if strings.Contains(r.err, "ptrace") || strings.Contains(r.err, "not permitted") {
		t.Skip("strace may not trace here: " + r.err)
	}
	require.Equal(t, 0, r.status, r.err)
	require.Contains(t, strings.Join(hits.take(), "\n"), "/user-management/entities/users/v1")
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	seen := readTrace(t, string(text))

	secret := s.api.Settings("")["client-secret"]
	helpers := 0
	for pid, programs := range seen.programs {
		for _, argv := range programs {
			assert.Empty(t, leakIn(argv, secret), "process %d", pid)
			if strings.Contains(argv, "helper.sh") {
				helpers++
			}
		}
	}
	assert.Positive(t, helpers, "the helper was started")
	own := regexp.MustCompile(`^(` + strings.Join([]string{
		regexp.QuoteMeta(h.path(".config", "edrctl")) + `/config\.yaml`,
		regexp.QuoteMeta(h.path(".cache", "edrctl")) + `(/.*)?`, regexp.QuoteMeta(h.path(".state", "edrctl")) + `(/.*)?`,
		regexp.QuoteMeta(h.path("ca.pem")), // which the configuration names
		`/etc/(hosts|resolv\.conf|nsswitch\.conf|passwd|localtime|ssl/.*|pki/.*|ca-certificates.*|ld\.so\.cache)`,
		`/usr/(share|local/share|lib)/(zoneinfo|ca-certificates|ssl).*`,
		`/proc/(self|\d+|sys/net)/.*`, `/sys/.*`, `/dev/(null|urandom)`, `/(usr/)?lib.*\.so[.0-9]*`,
	}, "|") + `)$`)
	opened := 0
	for pid, paths := range seen.opened {
		if slices.ContainsFunc(seen.programs[pid], func(argv string) bool { return strings.Contains(argv, "helper.sh") }) {
			continue // what a helper opens is its own matter
		}
		for _, path := range paths {
			opened++
			assert.Regexp(t, own, path)
		}
	}
	assert.Greater(t, opened, 5)
}

// TestStartIsQuick measures what the precautions of the start cost.
func TestStartIsQuick(t *testing.T) {
	h := newHome(t)
	var fastest time.Duration
	for range 5 {
		begin := time.Now()
		r, _ := h.process(t, nil, "version")
		require.Equal(t, 0, r.status, r.err)
		if took := time.Since(begin); fastest == 0 || took < fastest {
			fastest = took
		}
	}
	assert.Less(t, fastest, 500*time.Millisecond)
}

// TestMemoryUnderHostileAnswers runs edrctl against vendors that answer without
// end, and looks at the most memory that it had.
func TestMemoryUnderHostileAnswers(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector takes memory of its own")
	}
	repeat := func(w io.Writer, piece byte, mebibytes int) {
		block := bytes.Repeat([]byte{piece}, 1<<20)
		for range mebibytes {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
	for name, answer := range map[string]func(w http.ResponseWriter){
		"endless": func(w http.ResponseWriter) { repeat(w, ' ', 1<<12) },
		"deep":    func(w http.ResponseWriter) { repeat(w, '[', 60) },
		"one string": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"users":"`)
			repeat(w, 'a', 60)
		},
		"bomb": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			repeat(z, ' ', 1<<10)
			_ = z.Close()
		},
	} {
		for _, c := range consoles() {
			t.Run(c.vendor.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := newStage(t, c, nil)
				h := newHome(t)
				h.configure(t, s)
				s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
					if c.sessions && !strings.Contains(r.URL.Path, "user") {
						fake.ServeHTTP(w, r)
						return
					}
					w.Header().Set("Content-Type", "application/json")
					answer(w)
				})
				var most func() int
				h.started = func(pid int) { most = peak(pid) }
				r, _ := h.process(t, nil, "user", "list")
				assert.Contains(t, []int{1, 7}, r.status, r.err)
				assert.NotContains(t, r.err, "goroutine")
				mebibytes := most()
				assert.Positive(t, mebibytes)
				assert.Less(t, mebibytes, 100, "MiB")
			})
		}
	}
}

// peak watches a process until most is called, which tells the most memory that
// it had, in MiB. What the system counts for a process that has ended includes
// what this one had when it started it.
func peak(pid int) (most func() int) {
	result, stop := make(chan int), make(chan struct{})
	go func() {
		kib := 0
		for {
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
			if found != nil {
				n, _ := strconv.Atoi(string(found[1]))
				kib = max(kib, n)
			}
			select {
			case <-stop:
				result <- kib >> 10
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return func() int {
		close(stop)
		return <-result
	}
}
