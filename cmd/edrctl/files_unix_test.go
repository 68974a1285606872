//go:build unix

package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// eachFile calls f for everything below a person's folders.
func (h *home) eachFile(t *testing.T, f func(path string, info fs.FileInfo)) {
	t.Helper()
	for _, dir := range []string{h.dir, h.work} {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || path == dir {
				return err
			}
			info, err := d.Info()
			if err == nil {
				f(path, info)
			}
			return err
		}))
	}
}

// TestModes has everything written that edrctl writes, under umasks that take
// nothing away and too much. Nothing is open to others, nor closed to the user.
func TestModes(t *testing.T) {
	for _, umask := range []string{"000", "077", "027"} {
		t.Run(umask, func(t *testing.T) {
			t.Parallel()
			var stages []*stage
			for _, c := range consoles() {
				if c.sessions {
					stages = append(stages, newStage(t, c, nil))
				}
			}
			h := newHome(t)
			under := []string{"/bin/sh", "-c", "umask " + umask + `; exec "$0" "$@"`}
			do := func(status int, args ...string) {
				t.Helper()
				r, _ := h.process(t, under, args...)
				require.Equal(t, status, r.status, "%v: %s", args, r.err)
			}
			do(0, "config", "init")
			h.configure(t, stages...)
			do(0, "user", "list", "-A")
			do(0, "user", "create", "new.person@example.com", "-A", "--generate-password", "--password-out", h.path("passwords.jsonl"))
			do(0, "export", "-A", "--out", h.path("team.yaml"))
			do(0, "plan", "-f", h.path("team.yaml"), "--out", h.path("plan.json"))
			do(0, "apply", h.path("plan.json"), "--results", h.path("results.csv"))
			do(0, "offboard", "new.person@example.com", "--yes", "--evidence", h.path("evidence.json"), "--wait", "1s")
			do(0, "mock", "exec", "-q", "--write-config", h.path("mock.yaml"), "--", "/bin/true")
			written := 0
			h.eachFile(t, func(path string, info fs.FileInfo) {
				written++
				open := info.Mode().Perm() & 0o077
				switch {
				case info.IsDir() && path == h.path(".config"): // the test's own, see configure
				case info.IsDir():
					assert.Equal(t, fs.FileMode(0o700), info.Mode().Perm(), path)
				default:
					assert.Zero(t, open, "%s is %s", path, info.Mode())
					assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), path)
				}
			})
			assert.Greater(t, written, 15)
		})
	}
}

// TestUnsafeFilesAreRefused leads edrctl to files that are open to others, or
// that are symbolic links, one kind after the other. It ends with 2, before any
// change, and leaves what a link points to as it was.
func TestUnsafeFilesAreRefused(t *testing.T) {
	c := consoles()[0]
	settings := func(s *stage, secret string) map[string]string {
		given := s.api.Settings(s.server.URL)
		given["client-secret"] = secret
		return given
	}
	type scene struct {
		*testing.T
		*home
		s *stage
	}
	list, change := []string{"user", "list"}, []string{"user", "create", "new.person@example.com"}
	session := func(x scene) string {
		found, err := filepath.Glob(x.path(".cache/edrctl/*/*.json"))
		require.NoError(x.T, err)
		i := slices.IndexFunc(found, func(path string) bool {
			data, err := os.ReadFile(path)
			return err == nil && strings.Contains(string(data), `"token"`)
		})
		require.GreaterOrEqual(x.T, i, 0)
		return found[i]
	}
	link := func(x scene, path string) {
		target := filepath.Join(x.work, "elsewhere")
		require.NoError(x.T, os.Rename(path, target))
		require.NoError(x.T, os.Symlink(target, path))
	}
	loosen := func(mode fs.FileMode) func(x scene, path string) {
		return func(x scene, path string) { require.NoError(x.T, os.Chmod(path, mode)) }
	}
	bad := map[string]func(x scene, path string){
		"0644": loosen(0o644), "0640": loosen(0o640), "0604": loosen(0o604), "0620": loosen(0o620), "0610": loosen(0o610), "symlink": link,
		"folder": func(x scene, path string) {
			require.NoError(x.T, os.Remove(path))
			require.NoError(x.T, os.Mkdir(path, 0o700))
		},
	}
	for _, kind := range []struct {
		name string
		args []string
		path func(x scene) string
	}{
		{"configuration with literals", list, func(x scene) string { return x.path(".config/edrctl/config.yaml") }},
		{"secret file", list, func(x scene) string {
			path := x.write(x.T, "secret", x.s.api.Settings("")["client-secret"])
			x.tenant(x.T, "crowdstrike", settings(x.s, "file:"+path))
			return path
		}},
		{"session", list, func(x scene) string {
			require.Equal(x.T, 0, x.edrctl(list...).status)
			return session(x)
		}},
		{"record", change, func(x scene) string {
			require.Equal(x.T, 0, x.edrctl("user", "create", "first.person@example.com").status)
			return x.path(".state/edrctl/audit.jsonl")
		}},
	} {
		for how, spoil := range bad {
			t.Run(kind.name+"/"+how, func(t *testing.T) {
				s := newStage(t, c, nil)
				x := scene{T: t, home: newHome(t), s: s}
				x.configure(t, s)
				path := kind.path(x)
				spoil(x, path)
				writes := countWrites(s)
				before := x.snapshot(t)
				r := x.edrctl(kind.args...)
				assert.Equal(t, 2, r.status, r.err)
				if how == "symlink" {
					assert.Contains(t, r.err, "symbolic link")
					assert.Equal(t, before[filepath.Join(x.work, "elsewhere")], x.snapshot(t)[filepath.Join(x.work, "elsewhere")])
				}
				assert.Zero(t, writes.Load(), "changes")
			})
		}
	}
	for name, args := range map[string][]string{
		"--password-out": {"user", "create", "new.person@example.com", "-t", "cybereason", "--generate-password", "--password-out"},
		"--evidence":     {"offboard", "soc+night@example.com", "--yes", "--evidence"},
	} {
		for how, prepare := range map[string]func(t *testing.T, path, target string){
			"exists":        func(t *testing.T, path, _ string) { require.NoError(t, os.WriteFile(path, []byte("mine"), 0o600)) },
			"symlink":       func(t *testing.T, path, target string) { require.NoError(t, os.Symlink(target, path)) },
			"dangling link": func(t *testing.T, path, _ string) { require.NoError(t, os.Symlink(path+".none", path)) },
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				s := newStage(t, consoles()[3], nil)
				h := newHome(t)
				h.configure(t, s)
				path, target := h.path("out"), h.write(t, "target", "untouched")
				prepare(t, path, target)
				writes := countWrites(s)
				r := h.edrctl(append(args, path)...)
				assert.Equal(t, 2, r.status, r.err)
				data, err := os.ReadFile(target)
				require.NoError(t, err)
				assert.Equal(t, "untouched", string(data))
				assert.NoFileExists(t, path+".none")
				assert.Zero(t, writes.Load(), "changes")
			})
		}
	}
	for folder, status := range map[string]int{
		".cache/edrctl": 0, // no session is kept then, which -v tells
		".state/edrctl": 2,
	} {
		for _, how := range []string{"0755", "symlink"} {
			t.Run(folder+"/"+how, func(t *testing.T) {
				s := newStage(t, c, nil)
				h := newHome(t)
				h.configure(t, s)
				if how == "symlink" {
					require.NoError(t, os.MkdirAll(filepath.Dir(h.path(folder)), 0o700))
					require.NoError(t, os.Symlink(h.work, h.path(folder)))
				} else {
					require.NoError(t, os.MkdirAll(h.path(folder), 0o755))
				}
				writes := countWrites(s)
				r := h.edrctl(append(change, "-v")...)
				assert.Equal(t, status, r.status, r.err)
				assert.Contains(t, r.err, map[string]string{"0755": "open to others", "symlink": "symbolic link"}[how])
				assert.Equal(t, status == 0, writes.Load() > 0, "changes")
				for _, dir := range []string{h.work, h.path(folder)} {
					entries, err := os.ReadDir(dir)
					require.NoError(t, err)
					assert.Empty(t, entries)
				}
			})
		}
	}
}

// countWrites counts the changing requests that arrive from now on.
func countWrites(s *stage) *atomic.Int64 {
	var n atomic.Int64
	s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
		if s.api.Change(withBody(r)) {
			n.Add(1)
		}
		fake.ServeHTTP(w, r)
	})
	return &n
}

// snapshot tells the files below a person's folders, with what is in them.
func (h *home) snapshot(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	h.eachFile(t, func(path string, info fs.FileInfo) {
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			files[path] = fmt.Sprintf("%x %s %d", sha256.Sum256(data), info.ModTime(), info.Size())
		}
	})
	return files
}

// touched are the files that differ between two snapshots, without the folders
// that all of them are below.
func (h *home) touched(before, after map[string]string) []string {
	var paths []string
	for path := range after {
		if before[path] != after[path] {
			paths = append(paths, strings.TrimPrefix(strings.TrimPrefix(path, h.dir), h.work))
		}
	}
	for path := range before {
		if _, there := after[path]; !there {
			paths = append(paths, "-"+strings.TrimPrefix(path, h.dir))
		}
	}
	slices.Sort(paths)
	return paths
}

// TestWhatCommandsLeaveBehind looks after each command for the files that are
// new or changed.
func TestWhatCommandsLeaveBehind(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		for _, cache := range []string{"file", "off"} {
			s := newStage(t, c, nil)
			h := newHome(t)
			h.environ = append(h.environ, "FIRST="+c.firstPassword, "EDRCTL_SESSION_CACHE="+cache, "TMPDIR="+h.work)
			h.configure(t, s)
			var signedOut atomic.Int64
			s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
				if r.URL.Path == "/oauth2/revoke" || r.URL.Path == "/logout" {
					signedOut.Add(1)
				}
				fake.ServeHTTP(w, r)
			})
			commands := slices.Concat(c.show(), c.change(), [][]string{
				{"export"},
				{"vendor", "list"},
				{"tenant", "list"},
				{"config", "explain"},
				{"audit", "list"},
				{"audit", "verify"},
				{"--dry-run", "user", "delete", c.listed},
				{"__complete", "user", "get", ""},
				{"auth", "clear"},
				{"version"},
			})
			for _, args := range commands {
				before, sessions := h.snapshot(t), signedOut.Load()
				r, _ := h.process(t, nil, args...)
				assert.NotContains(t, []int{1, 2, 130}, r.status, "%v: %s", args, r.err)
				allowed := `^-?/\.cache/edrctl/crowdstrike|^-?/\.cache/edrctl/` + c.vendor.Name + `-[0-9a-f]{16}/`
				if cache == "off" {
					allowed = `^$`
				}
				if slices.ContainsFunc(c.change(), func(a []string) bool { return slices.Equal(a, args) }) {
					allowed += `|^/\.state/edrctl/audit\.jsonl(\.lock)?$`
				}
				for _, path := range h.touched(before, h.snapshot(t)) {
					assert.Regexp(t, allowed, path, "%v with session-cache: %s", args, cache)
				}
				if c.sessions && cache == "off" && (args[0] == "user" || args[0] == "export") && r.status != 10 {
					assert.Equal(t, int64(1), signedOut.Load()-sessions, "%v signs out", args)
				}
			}
			assert.NoDirExists(t, h.path(".cache", "edrctl", c.vendor.Name), "auth clear")
			left, err := filepath.Glob(h.path(".cache/edrctl/*/*"))
			require.NoError(t, err)
			assert.Empty(t, left, "after auth clear")
			if cache == "file" {
				assert.Zero(t, signedOut.Load())
			}
		}
	})
}

// TestSessionThatIsNotTakenIsForgotten ends the sessions at the vendor: what was
// kept of them is gone after the next command.
func TestSessionThatIsNotTakenIsForgotten(t *testing.T) {
	eachConsole(t, func(t *testing.T, c console) {
		if !c.sessions {
			t.Skip(c.vendor.Name, "has no sessions: each request carries the key")
		}
		s := newStage(t, c, nil)
		h := newHome(t)
		h.configure(t, s)
		var credentials notes
		var refuse atomic.Bool // whoever signs in
		s.put(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
			if token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); bearer {
				credentials.add(token)
			} else if cookie, err := r.Cookie("JSESSIONID"); err == nil {
				credentials.add(cookie.Value)
			} else if refuse.Load() {
				s.api.Fail(w, r, http.StatusUnauthorized, 0)
				return
			}
			fake.ServeHTTP(w, r)
		})
		nowhere := func(string) bool { return false }
		require.Equal(t, 0, h.edrctl("user", "list").status)
		seen := credentials.take()
		token := seen[len(seen)-1]
		assert.NotEmpty(t, h.leakInFiles(t, nowhere, token), "it is kept")
		s.api.ExpireSessions()
		require.Equal(t, 0, h.edrctl("user", "list").status)
		seen = credentials.take()
		assert.Contains(t, seen, token, "the kept one was tried")
		assert.NotEqual(t, token, seen[len(seen)-1])
		assert.Empty(t, h.leakInFiles(t, nowhere, token))

		token = seen[len(seen)-1]
		s.api.ExpireSessions()
		refuse.Store(true)
		require.NotEqual(t, 0, h.edrctl("user", "list").status)
		assert.Empty(t, h.leakInFiles(t, nowhere, token), "forgotten, though there is none in its place")
		refuse.Store(false)

		require.Equal(t, 0, h.edrctl("user", "list").status)
		seen = credentials.take()
		require.Equal(t, 0, h.edrctl("auth", "clear", c.vendor.Name).status)
		assert.Empty(t, h.leakInFiles(t, nowhere, seen[len(seen)-1]))
	})
}
