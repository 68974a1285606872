package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/audit"
)

// evidenceScene is an offboarding with evidence: of somebody who is everywhere,
// of somebody of whom something remains, and one console down.
type evidenceScene struct {
	*scene
	file, record string
	data         []byte
}

func openEvidenceScene(t *testing.T) *evidenceScene {
	t.Helper()
	s := &evidenceScene{scene: openScene(t, oneOfEach()...)}
	s.file, s.record = filepath.Join(s.dir, "evidence.json"), filepath.Join(s.dir, "edrctl", "audit.jsonl")
	s.environ = []string{"EDRCTL_CYBEREASON_URL=https://127.0.0.1:1"}
	r := s.run("offboard {ada} dana.reyes@contractors.example --yes --max-wait 1ms --evidence " + s.file)
	require.Equal(t, exitPartial, r.status, r.String())
	s.environ = nil
	var err error
	s.data, err = os.ReadFile(s.file)
	require.NoError(t, err)
	return s
}

// verify checks a file of evidence, without a configuration, with the record
// under a folder.
func (s *evidenceScene) verify(data []byte, environ ...string) (status int, said string) {
	s.t.Helper()
	file := filepath.Join(s.dir, "checked.json")
	require.NoError(s.t, os.WriteFile(file, data, 0o600))
	var out bytes.Buffer
	status = Main([]string{"audit", "verify", "--evidence", file}, Env{Out: &out, Err: &out, Now: time.Now, Environ: environ})
	return status, out.String()
}

func (s *evidenceScene) here() string { return "XDG_STATE_HOME=" + s.dir }

// TestEvidenceAlteredAnywhere alters each value of a file of evidence. By itself
// the file shows it; whoever puts the hash right too has the record against them.
func TestEvidenceAlteredAnywhere(t *testing.T) {
	t.Parallel()
	s := openEvidenceScene(t)
	status, said := s.verify(s.data, s.here())
	require.Zero(t, status, said)
	assert.Contains(t, said, "which knows of it")

	var places []string
	visit(decoded(t, s.data), "", func(place string, _ any) any { places = append(places, place); return nil })
	require.Greater(t, len(places), 200)
	for _, place := range places {
		doc := visit(decoded(t, s.data), "", func(at string, value any) any {
			if at == place {
				return other(value)
			}
			return nil
		})
		altered, err := json.MarshalIndent(doc, "", "  ")
		require.NoError(t, err)
		status, said := s.verify(altered)
		assert.Contains(t, []int{exitInternal, exitUsage}, status, "%s: %s", place, said)

		var e evidence
		if json.Unmarshal(altered, &e) != nil || e.Kind != kindEvidence || place == ".sha256" {
			continue
		}
		status, said = s.verify(sealed(t, e), s.here())
		assert.Equal(t, exitInternal, status, "%s, hashed anew: %s", place, said)
	}
}

// TestEvidenceTamperedWith is about what is not the change of a value.
func TestEvidenceTamperedWith(t *testing.T) {
	t.Parallel()
	s := openEvidenceScene(t)
	text := string(s.data)
	replace := func(is, instead string) []byte {
		require.Contains(t, text, is)
		return []byte(strings.Replace(text, is, instead, 1))
	}
	for name, data := range map[string][]byte{
		"a key twice":           replace(`"operator":`, `"operator": "somebody else", "operator":`),
		"a key in other case":   replace(`"operator":`, `"Operator":`),
		"a key more":            replace(`"operator":`, `"approved": true, "operator":`),
		"a key less":            replace(`"requestId": "",`, ""),
		"something after it":    append(bytes.Clone(s.data), "{}"...),
		"a character as escape": replace(`"operator"`, `"\u006fperator"`),
	} {
		status, said := s.verify(data, s.here())
		assert.Equal(t, exitInternal, status, "%s: %s", name, said)
	}
	for name, data := range map[string][]byte{
		"cut": s.data[:len(s.data)/2], "empty": nil, "something else": []byte(`{"kind":"Plan"}`), "a list": []byte("[]"),
	} {
		status, said := s.verify(data, s.here())
		assert.Equal(t, exitUsage, status, "%s: %s", name, said)
	}
	var e evidence
	require.NoError(t, json.Unmarshal(s.data, &e))
	for name, alter := range map[string]func(e *evidence){
		"a line less":     func(e *evidence) { e.Record = e.Record[1:] },
		"no lines":        func(e *evidence) { e.Record = []audit.Entry{} },
		"a line altered":  func(e *evidence) { e.Record[1].Outcome = "unchanged" },
		"a person less":   func(e *evidence) { e.Items = e.Items[1:] },
		"another machine": func(e *evidence) { e.Host = "elsewhere" },
	} {
		forged := e
		forged.Record = append([]audit.Entry{}, e.Record...)
		alter(&forged)
		status, said := s.verify(sealed(t, forged), s.here())
		assert.Equal(t, exitInternal, status, "%s: %s", name, said)
	}
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, s.data))
	status, said := s.verify(compact.Bytes(), s.here())
	assert.Zero(t, status, "white space says nothing: %s", said)
}

// TestEvidenceAndRecord is about what the record has become since.
func TestEvidenceAndRecord(t *testing.T) {
	t.Parallel()
	s := openEvidenceScene(t)
	require.Zero(t, s.run("-t crowdstrike user delete {ben} --yes").status)
	status, said := s.verify(s.data, s.here())
	assert.Zero(t, status, "the record is longer by now: %s", said)

	status, said = s.verify(s.data)
	assert.Zero(t, status, "there is no place for a record: %s", said)
	assert.Contains(t, said, "is not here, and was not asked")
	status, said = s.verify(s.data, "XDG_STATE_HOME="+t.TempDir())
	assert.Zero(t, status, "there is no record: %s", said)
	assert.Contains(t, said, "is not here, and was not asked")

	whole, err := os.ReadFile(s.record)
	require.NoError(t, err)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	lines = lines[:len(lines)-1]
	last := len(lines) - 3 // of the evidence; what follows is the later deletion
	for n := range lines {
		require.NoError(t, os.WriteFile(s.record, bytes.Join(lines[:n], nil), 0o600))
		status, said = s.verify(s.data, s.here())
		if n <= last {
			assert.Equal(t, exitInternal, status, "cut after %d lines: %s", n, said)
			assert.Contains(t, said, "the record of this machine", "cut after %d lines", n)
			continue
		}
		assert.Zero(t, status, "cut after %d lines: %s", n, said)
	}
	require.NoError(t, os.WriteFile(s.record, bytes.Join(lines[1:], nil), 0o600))
	status, said = s.verify(s.data, s.here())
	assert.Equal(t, exitInternal, status, said)
	assert.Contains(t, said, "is damaged")

	// Others who look at it have a record too, an older one.
	require.NoError(t, os.Remove(s.record))
	before := func() time.Time { return time.Now().Add(-time.Hour) }
	colleague := audit.New(s.record, audit.Entry{OSUser: "colleague", Host: "elsewhere"}, before)
	require.NoError(t, colleague.Append(audit.Entry{Action: "user.delete", Outcome: "deleted"}))
	status, said = s.verify(s.data, s.here())
	assert.Zero(t, status, said)
	assert.Contains(t, said, "is not here, and was not asked")
}

// TestEvidenceFile is about the file itself.
func TestEvidenceFile(t *testing.T) {
	t.Parallel()
	s := openScene(t, falcon())
	file := filepath.Join(s.dir, "evidence.json")
	s.configure("guards:\n  protected: [" + personBen + "]\n")
	for command, status := range map[string]int{
		"offboard {ada}":             exitRefused, // not confirmed
		"offboard {ben} --yes":       exitRefused,
		"offboard nonsense --yes":    exitUsage,
		"offboard {ada} --dry-run":   exitOK,
		"offboard {ada} -t no --yes": exitUsage,
	} {
		r := s.run(command + " --evidence " + file)
		assert.Equal(t, status, r.status, r.String())
		assert.NoFileExists(t, file, command)
	}
	link, target := filepath.Join(s.dir, "link.json"), filepath.Join(s.dir, "target.json")
	require.NoError(t, os.Symlink(target, link))
	for _, place := range []string{link, s.dir, filepath.Join(s.dir, "no", "such.json"), s.config()} {
		r := s.run("offboard {ada} --yes --evidence " + place)
		assert.Equal(t, exitUsage, r.status, r.String())
	}
	assert.NoFileExists(t, target)
	assert.Empty(t, s.writes(falcon()), "nothing is changed where the evidence has no place")

	r := s.run("offboard {ADA} {nobody} --yes --evidence " + file)
	require.Zero(t, r.status, r.String())
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	var e evidence
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &e))
	assert.NotEmpty(t, e.Items[0].Request, "the request of the deletion")
	assert.NotContains(t, string(data), "null,\n        \"rolesRemoved\"")
	assert.Equal(t, version(), e.Version)
	for _, l := range e.Record {
		if l.Outcome != audit.Intent {
			assert.NotEmpty(t, l.RequestID, "each change has that of its own")
		}
	}
	assert.Equal(t, "absent", e.Items[1].Result.Outcome)
	assert.NotNil(t, e.Items[1].BeforeAt, "it was looked at, and nobody was there")
	assert.Len(t, s.run("audit list").items, 2, "the line about the evidence is no change")
}

// TestEvidenceTellsNoSecret has a vendor repeat a secret and send what a
// terminal would obey.
func TestEvidenceTellsNoSecret(t *testing.T) {
	t.Parallel()
	a := &app{Env: Env{Now: time.Now, Environ: []string{"XDG_STATE_HOME=" + t.TempDir()}}}
	s := openScene(t, falcon())
	state := stateOf(t, s.server(falcon()))
	for _, u := range objects(state["users"]) {
		if strings.EqualFold(fmt.Sprint(u["uid"]), personAda) {
			u["last_name"] = "Moreau \x1b[2J\u202e " + falconSecret(t, s)
		}
	}
	data, err := json.Marshal(state)
	require.NoError(t, err)
	require.NoError(t, s.server(falcon()).API().Load(data))
	file := filepath.Join(s.dir, "evidence.json")
	r := s.run("offboard {ada} --yes --evidence " + file)
	require.Zero(t, r.status, r.String())
	data, err = os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"lastName": "Moreau \u001b[2J\u202e [redacted]"`)
	a.Environ = []string{"XDG_STATE_HOME=" + s.dir}
	said, err := a.verifyEvidence(file)
	require.NoError(t, err)
	assert.Contains(t, said, "which knows of it")
}

// falconSecret is the secret of the tenant as it is configured.
func falconSecret(t *testing.T, s *scene) string {
	t.Helper()
	secret := s.server(falcon()).API().Settings("")["client-secret"]
	require.NotEmpty(t, secret)
	return secret
}

func decoded(t *testing.T, data []byte) any {
	t.Helper()
	var doc any
	require.NoError(t, json.Unmarshal(data, &doc))
	return doc
}

// visit calls f with each value of a document that is no object or list with
// something in it, and puts what f returns, unless nil, in its place.
func visit(doc any, place string, f func(place string, value any) any) any {
	switch v := doc.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = visit(value, place+"."+key, f)
		}
		if len(v) > 0 {
			return v
		}
	case []any:
		for i, value := range v {
			v[i] = visit(value, fmt.Sprintf("%s[%d]", place, i), f)
		}
		if len(v) > 0 {
			return v
		}
	}
	if instead := f(place, doc); instead != nil {
		return instead
	}
	return doc
}

// other is another value of the same kind.
func other(value any) any {
	switch v := value.(type) {
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at.Add(time.Second).Format(time.RFC3339Nano)
		}
		return v + "x"
	case float64:
		return v + 1
	case bool:
		return !v
	case []any:
		return []any{"x"}
	case map[string]any:
		return map[string]any{"x": "y"}
	}
	return map[string]any{}
}

// sealed is evidence with a hash that is right.
func sealed(t *testing.T, e evidence) []byte {
	t.Helper()
	var err error
	e.SHA256, err = e.hash()
	require.NoError(t, err)
	text, err := e.text("  ")
	require.NoError(t, err)
	return text
}
