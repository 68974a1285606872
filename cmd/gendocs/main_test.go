package main

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edrctl/internal/render"
)

const docs = "../../docs"

// TestFresh holds the checked-in documentation against what the program says
// now, file by file.
func TestFresh(t *testing.T) {
	want, err := generate()
	require.NoError(t, err)
	got := read(t, docs)
	assert.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)), "run `make generate`")
	for name, page := range want {
		if old, ok := got[name]; ok {
			assert.Equal(t, string(page), string(old), "%s is stale: run `make generate`", name)
		}
	}
}

// read are the files in the generated folders below dir.
func read(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, folder := range folders() {
		err := fs.WalkDir(os.DirFS(dir), folder, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files[name], err = os.ReadFile(filepath.Join(dir, name))
			return err
		})
		require.NoError(t, err)
	}
	return files
}

func TestPagesAreTheSameEachTime(t *testing.T) {
	first, err := generate()
	require.NoError(t, err)
	// What a user has set must not show in pages that everybody reads.
	t.Setenv("EDRCTL_CONFIG", "/somewhere/else.yaml")
	t.Setenv("EDRCTL_OUTPUT", "csv")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("SOURCE_DATE_EPOCH", "1")
	second, err := generate()
	require.NoError(t, err)
	assert.Equal(t, first, second)
	for name, page := range first {
		assert.NotRegexp(t, `\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{4}\b|Auto generated`, string(page), name)
		assert.False(t, strings.HasSuffix(string(page), "\n\n"), name)
	}
}

func TestPages(t *testing.T) {
	pages, err := generate()
	require.NoError(t, err)
	for name, parts := range map[string][]string{
		"man/edrctl-user-create.1":             {`.TH "EDRCTL-USER-CREATE" "1" "" `, `edrctl user create <email>...`, "ines.duarte@example.com"},
		"man/edrctl-help-exit-codes.1":         {".EX\n  0    done, or nothing to do\n"},
		"man/edrctl-completion-bash.1":         {"bash-completion"},
		"reference/edrctl_user_create.md":      {"## edrctl user create\n", "edrctl user create <email>... [flags]", "--if-not-exists"},
		"reference/edrctl.md":                  {"(edrctl_user.md)", "(edrctl_help_secrets.md)"},
		"reference/edrctl_help_environment.md": {"EDRCTL_<TENANT>_<KEY>"},
		"schemas/UserList.json":                {`"urn:edrctl:v1:UserList"`},
	} {
		for _, part := range parts {
			assert.Contains(t, string(pages[name]), part, name)
		}
	}
	for name, page := range pages {
		for _, link := range regexp.MustCompile(`\]\(([^)]+\.md)\)`).FindAllStringSubmatch(string(page), -1) {
			assert.Contains(t, pages, "reference/"+link[1], name)
		}
		for _, other := range regexp.MustCompile(`\\fB(edrctl[a-z-]*)\(1\)`).FindAllStringSubmatch(string(page), -1) {
			assert.Contains(t, pages, "man/"+other[1]+".1", name)
		}
	}
}

func TestWriteRemovesOldPages(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "man"), 0o755))
	for _, name := range []string{"man/edrctl-gone.1", "kept.md"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
	}
	require.NoError(t, run([]string{dir}))
	want, err := generate()
	require.NoError(t, err)
	assert.Equal(t, want, read(t, dir))
	assert.FileExists(t, filepath.Join(dir, "kept.md"), "only the generated folders are cleared")
	require.Error(t, run(nil))
	require.Error(t, run([]string{filepath.Join(dir, "nowhere")}))
}

// TestLinkedIn keeps what only tests and this generator need out of edrctl.
func TestLinkedIn(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command here")
	}
	list := func(pkg string) string {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg).Output()
		require.NoError(t, err)
		return string(out)
	}
	const here = "github.com/cpuguy83/go-md2man"
	assert.Contains(t, list("edrctl/cmd/gendocs"), here)
	shipped := list("edrctl/cmd/edrctl")
	for _, pkg := range []string{here, "blackfriday", "spf13/cobra/doc", "testify", "go-internal", "santhosh-tekuri", "provisiontest"} {
		assert.NotContains(t, shipped, pkg)
	}
}

// released are the schemas of the last release. What reads output of version v1
// must be able to read all that follows under that name.
const released = "../../testdata/schemas/v1"

func TestSchemasKeepWhatWasReleased(t *testing.T) {
	for _, kind := range render.Kinds() {
		t.Run(kind, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(released, kind+".json"))
			if os.IsNotExist(err) {
				t.Skip("this kind is newer than the last release")
			}
			require.NoError(t, err)
			now, err := render.Schema(kind)
			require.NoError(t, err)
			assert.Empty(t, broken("", object(t, data), object(t, now)))
		})
	}
	files, err := filepath.Glob(filepath.Join(released, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		assert.Contains(t, render.Kinds(), strings.TrimSuffix(filepath.Base(file), ".json"), "a kind that was released is gone")
	}
}

func object(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal(data, &v))
	return v
}

// broken lists what a schema no longer promises that an older one did: a
// property, its type, its presence, or a value of a fixed set. Properties may
// be added.
func broken(at string, old, now map[string]any) []string {
	var faults []string
	for _, key := range []string{"type", "const", "format"} {
		if !assert.ObjectsAreEqual(old[key], now[key]) {
			faults = append(faults, at+": "+key+" is not what it was")
		}
	}
	for _, key := range []string{"required", "enum"} {
		for _, value := range list(old[key]) {
			if !slices.Contains(list(now[key]), value) {
				faults = append(faults, at+": "+key+" has lost "+value)
			}
		}
	}
	if old["enum"] == nil && now["enum"] != nil {
		faults = append(faults, at+": its values are a fixed set now")
	}
	for _, key := range []string{"items", "additionalProperties"} {
		before, had := old[key].(map[string]any)
		after, has := now[key].(map[string]any)
		switch {
		case had && has:
			faults = append(faults, broken(at+"/"+key, before, after)...)
		case had || has:
			faults = append(faults, at+": "+key+" is not what it was")
		}
	}
	before, _ := old["properties"].(map[string]any)
	after, _ := now["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(before)) {
		is, ok := after[name].(map[string]any)
		if !ok {
			faults = append(faults, at+"/"+name+" is gone")
			continue
		}
		faults = append(faults, broken(at+"/"+name, before[name].(map[string]any), is)...)
	}
	return faults
}

func list(v any) []string {
	var texts []string
	values, _ := v.([]any)
	for _, value := range values {
		text, _ := json.Marshal(value)
		texts = append(texts, string(text))
	}
	return texts
}

func TestBroken(t *testing.T) {
	const old = `{"type":"object","required":["a"],"properties":{
		"a":{"type":"string","enum":["x","y"]},
		"b":{"type":"array","items":{"type":"object","required":["c"],"properties":{"c":{"type":["null","integer"]}}}},
		"d":{"type":"object","additionalProperties":{"type":"integer"}},
		"e":{"const":"v1"}}}`
	tests := []struct{ name, from, to, want string }{
		{"nothing", "", "", ""},
		{"property added", `"e":{"const":"v1"}`, `"e":{"const":"v1"},"f":{"type":"string"}`, ""},
		{"value added", `["x","y"]`, `["x","y","z"]`, ""},
		{"presence added", `"required":["a"]`, `"required":["a","b"]`, ""},
		{"property removed", `"c":{"type":["null","integer"]}`, "", "/b/items/c is gone"},
		{"property retyped", `"type":["null","integer"]`, `"type":["null","number"]`, "/b/items/c: type is not what it was"},
		{"null no more", `"type":["null","integer"]`, `"type":"integer"`, "/b/items/c: type is not what it was"},
		{"presence lost", `"required":["c"]`, `"required":[]`, `/b/items: required has lost "c"`},
		{"value lost", `["x","y"]`, `["x"]`, `/a: enum has lost "y"`},
		{"values fixed", `"type":["null","integer"]`, `"type":["null","integer"],"enum":[1]`, "/b/items/c: its values are a fixed set now"},
		{"constant", `"v1"`, `"v2"`, "/e: const is not what it was"},
		{"map retyped", `"additionalProperties":{"type":"integer"}`, `"additionalProperties":{"type":"string"}`, "/d/additionalProperties: type is not what it was"},
		{"map closed", `"additionalProperties":{"type":"integer"}`, `"additionalProperties":false`, "/d: additionalProperties is not what it was"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changed := strings.Replace(old, tt.from, tt.to, 1)
			require.True(t, tt.from == "" || changed != old)
			assert.Equal(t, tt.want, strings.Join(broken("", object(t, []byte(old)), object(t, []byte(changed))), "; "))
		})
	}
}
