package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/mock"
	"edrctl/internal/provision"
)

// secretWatch knows the secrets of a script, and at its end looks for them in
// all that was printed and in every file: as they are, in base64, in hex and
// percent-encoded. Its secrets are
//
//   - the credentials of the fakes that it has started, and the keys and
//     passwords of the people in them, which some vendors send along,
//   - the words in it that contain "canary",
//   - the tokens in session files, and
//   - the passwords that were generated.
//
// They may be in session files and files of passwords that only the user can
// read, in the configuration and the state of the fakes, and in the files that
// the script brings along.
type secretWatch struct {
	mu      sync.Mutex
	secrets map[string]bool
	mine    map[string]bool   // files of the fakes
	brought map[string]string // files of the script, by path
}

// scriptT is a test that hands out a secretWatch with each script and has the
// watch read the log.
type scriptT struct {
	*testing.T
	watch *secretWatch
}

// Run implements testscript.T.
func (t scriptT) Run(name string, f func(testscript.T)) {
	t.T.Run(name, func(t *testing.T) {
		f(scriptT{t, &secretWatch{secrets: map[string]bool{}, mine: map[string]bool{}, brought: map[string]string{}}})
	})
}

// Verbose implements testscript.T. What is not verbose forgets what was printed
// before the last comment of a script.
func (t scriptT) Verbose() bool { return true }

// Log implements testscript.T. It gets the log of a script at its end.
func (t scriptT) Log(args ...any) {
	t.Helper()
	log := fmt.Sprint(args...)
	for _, line := range printed(log) {
		if found := t.watch.leak([]byte(line)); found != "" {
			t.Errorf("a secret was printed, as %s: %s", found, line)
		}
	}
	if testing.Verbose() || t.Failed() {
		t.T.Log(shortened(log))
	}
}

// printed are the lines of a log that programs have printed, and not those of
// the script.
func printed(log string) []string {
	var lines []string
	output := false
	for line := range strings.Lines(log) {
		switch {
		case line == "[stdout]\n", line == "[stderr]\n":
			output = true
		case strings.HasPrefix(line, "> "), strings.HasPrefix(line, "# "):
			output = false
		case output:
			lines = append(lines, line)
		}
	}
	return lines
}

// shortened is a log with the comments alone of all that went well.
func shortened(log string) string {
	if testing.Verbose() {
		return log
	}
	last := strings.LastIndex(log, "\n# ")
	if last < 0 {
		return log
	}
	var b strings.Builder
	for line := range strings.Lines(log[:last+1]) {
		if strings.HasPrefix(line, "# ") {
			b.WriteString(line)
		}
	}
	return b.String() + log[last+1:]
}

func watchOf(ts *testscript.TestScript) *secretWatch { return world(ts).watch }

// begin notes what a script brings along, and has its files searched at the end.
func (w *secretWatch) begin(env *testscript.Env) {
	t := env.T().(scriptT)
	w.eachFile(env.WorkDir, func(path string, data []byte, _ fs.FileMode) {
		w.brought[path] = string(data)
		w.addCanaries(data)
	})
	_, name, _ := strings.Cut(t.Name(), "/")
	script, err := os.ReadFile(filepath.Join(scriptDir, name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	w.addCanaries(script)
	env.Defer(func() {
		w.learn(env.WorkDir)
		for _, leak := range w.search(env.WorkDir) {
			t.Errorf("%s", leak)
		}
	})
}

func (w *secretWatch) addCanaries(text []byte) {
	for _, word := range regexp.MustCompile(`\w*canary\w*`).FindAllString(string(text), -1) {
		w.secrets[word] = true
	}
}

// started makes the credentials of fakes known and exempts their configuration.
func (w *secretWatch) started(servers *mock.Servers, config string) {
	w.exempt(config)
	for _, s := range servers.All() {
		i := slices.IndexFunc(vendors(), func(v provision.Vendor) bool { return v.Name == s.Vendor })
		given := s.Settings()
		for _, setting := range vendors()[i].Settings {
			if value := given[setting.Name]; setting.Secret && value != "" {
				w.secrets[value] = true
			}
		}
		state, _ := json.Marshal(s.State())
		keys := regexp.MustCompile(`(?i)"[a-z_]*(?:totpsid|private_?key|password)":"([^"]{8,})"`)
		for _, found := range keys.FindAllSubmatch(state, -1) {
			var value string
			if json.Unmarshal(append(append([]byte{'"'}, found[1]...), '"'), &value) == nil {
				w.secrets[value] = true
			}
		}
	}
}

func (w *secretWatch) exempt(path string) { w.mine[path] = true }

// learn makes known the tokens of sessions and the passwords that were made.
func (w *secretWatch) learn(dir string) {
	w.eachFile(dir, func(path string, data []byte, _ fs.FileMode) {
		if isSession(path) {
			for _, token := range texts(data) {
				w.secrets[token] = true
			}
		}
		for _, l := range passwordLines(data) {
			w.secrets[l.Password] = true
		}
	})
}

// isSession reports a file below the folder for sessions.
func isSession(path string) bool { return strings.Contains(path, "/.cache/edrctl/") }

// texts are the long strings of a session file, but for lists of people and
// roles, which are kept beside sessions.
func texts(data []byte) []string {
	var record map[string]any
	if json.Unmarshal(data, &record) != nil || record["items"] != nil {
		return nil
	}
	var found []string
	for _, v := range record {
		if s, ok := v.(string); ok && len(s) >= 24 && !strings.ContainsAny(s, ":@") {
			found = append(found, s)
		}
	}
	return found
}

func passwordLines(data []byte) []passwordLine {
	var lines []passwordLine
	for line := range bytes.Lines(data) {
		var l passwordLine
		if json.Unmarshal(line, &l) == nil && l.Login != "" && l.Password != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

// search lists the files that hold a secret and must not.
func (w *secretWatch) search(dir string) []string {
	var leaks []string
	w.eachFile(dir, func(path string, data []byte, mode fs.FileMode) {
		private := mode.Perm() == 0o600
		moved := slices.Contains(slices.Collect(maps.Values(w.brought)), string(data))
		served := bytes.HasPrefix(data, []byte("version: 1\nallow-plaintext-secrets: true\n"))
		switch {
		case w.mine[path], w.brought[path] == string(data):
		case private && (isSession(path) || len(passwordLines(data)) > 0 || served || moved):
		default:
			if found := w.leak(data); found != "" {
				leaks = append(leaks, fmt.Sprintf("a secret is in %s (%s), as %s", strings.TrimPrefix(path, dir), mode, found))
			}
		}
	})
	return leaks
}

func (w *secretWatch) eachFile(dir string, f func(path string, data []byte, mode fs.FileMode)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // a folder that is closed to us, or gone, holds nothing to look at
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // as above
		}
		if data, err := os.ReadFile(path); err == nil {
			f(path, data, info.Mode())
		}
		return nil
	})
}

// leak names the secret that a text holds, and its form; empty for none.
func (w *secretWatch) leak(text []byte) string {
	for _, secret := range slices.Sorted(maps.Keys(w.secrets)) {
		for form, spelling := range formsOf(secret) {
			if bytes.Contains(text, []byte(spelling)) {
				return form + " of " + secret[:4] + "..."
			}
		}
	}
	return ""
}

// formsOf are the forms in which a secret could be written.
func formsOf(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	forms := map[string]string{
		"plain": secret, "hex": hex.EncodeToString([]byte(secret)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"query": url.QueryEscape(secret), "path": url.PathEscape(secret), "JSON": strings.Trim(string(quoted), `"`),
	}
	// In the midst of other bytes base64 has one of three forms, whose first
	// and last characters depend on the neighbours.
	for name, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
		for offset := range 3 {
			encoded := enc.EncodeToString(append(make([]byte, offset), secret...))
			from := []int{0, 2, 3}[offset]
			forms[fmt.Sprintf("%s at %d", name, offset)] = encoded[from : len(encoded)-1]
		}
	}
	return forms
}

func TestSecretWatch(t *testing.T) {
	const secret = `c4nary? "&' of ~ours` // every form of it is another
	w := &secretWatch{secrets: map[string]bool{secret: true}, mine: map[string]bool{}, brought: map[string]string{}}
	quoted, _ := json.Marshal(secret)
	texts := []string{
		"x" + secret + "y", string(quoted), url.QueryEscape(secret), url.PathEscape(secret), fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte("user:" + secret)),
		base64.URLEncoding.EncodeToString([]byte("client:" + secret + "\n")), base64.RawURLEncoding.EncodeToString([]byte("a" + secret + "b")),
	}
	dir := t.TempDir()
	for i, text := range texts {
		assert.NotEmpty(t, w.leak([]byte(text)), text)
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte(text), 0o644))
	}
	assert.Empty(t, w.leak([]byte("c4nary of theirs")))
	assert.Len(t, w.search(dir), len(texts))

	session := filepath.Join(dir, ".cache", "edrctl", "tenant")
	require.NoError(t, os.MkdirAll(session, 0o700))
	token := strings.Repeat("t0ken", 6)
	require.NoError(t, os.WriteFile(filepath.Join(session, "s"), []byte(`{"token":"`+token+`"}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "new"), []byte(`{"tenant":"cr","login":"a@b.example","password":"made-up-1"}`+"\n"), 0o600))
	w.learn(dir)
	assert.Len(t, w.search(dir), len(texts), "they are where they belong")
	assert.NotEmpty(t, w.leak([]byte("Bearer "+token)))
	assert.NotEmpty(t, w.leak([]byte("made-up-1")))
	for _, path := range []string{filepath.Join(session, "s"), filepath.Join(dir, "new")} {
		require.NoError(t, os.Chmod(path, 0o640))
	}
	assert.Len(t, w.search(dir), len(texts)+2, "others can read them")

	assert.Equal(t, []string{"out\n", "more\n", "err\n"},
		printed("# one\n> edrctl x\n[stdout]\nout\nmore\n[stderr]\nerr\n> edrctl y canary\n# two\nPASS\n"))
}
