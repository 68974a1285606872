package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"edrctl/internal/mock"
)

const (
	exampleDir = "../../../examples"
	docsDir    = "../../../docs"
)

// recipes are the scripts of the examples: flags of `mock exec`, and what each
// prints.
func recipes() map[string]struct{ flags, stdout string } {
	return map[string]struct{ flags, stdout string }{
		"onboard.sh":          {"--switch carbonblack:instant-activation=on", `cy\.okafor@example\.com +user\.delete +deleted`},
		"onboard-person.sh":   {"", `cortex: TO DO: make the account at the vendor`},
		"offboard-person.sh":  {"", `no access is left`},
		"quarterly-review.sh": {"", `in the list and in no console`},
		"ci-smoke-test.sh":    {"", `smoke test passed`},
		"apply-roster.sh":     {"", `the consoles are as the roster says`},
	}
}

// TestRecipes runs each script of the examples against the fakes, as
// `edrctl mock exec -- SCRIPT` does.
func TestRecipes(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(exampleDir, "*.sh"))
	require.NoError(t, err)
	examples, err := filepath.Abs(exampleDir)
	require.NoError(t, err)
	dir := t.TempDir()
	for _, path := range found {
		name := filepath.Base(path)
		r, known := recipes()[name]
		require.True(t, known, "%s is missing in recipes", name)
		script := fmt.Sprintf("exec edrctl mock exec --quiet %s -- %s\nstdout '%s'\n", r.flags, filepath.Join(examples, name), r.stdout)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".txtar"), []byte(script), 0o600))
	}
	require.Len(t, found, len(recipes()))
	testscript.Run(t, testscript.Params{Dir: dir, Setup: atHome})
}

// atHome gives a script a home of its own.
func atHome(env *testscript.Env) error {
	env.Setenv("HOME", env.WorkDir)
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"} {
		env.Setenv(name, filepath.Join(env.WorkDir, "."+name))
	}
	env.Setenv("TERM", "dumb")
	env.Setenv("WAIT", "2s")
	return nil
}

// otherwise are the shown commands that do not end with 0 against the fakes, with
// their statuses, and those that are not run, with -1.
func otherwise() map[string]int {
	return map[string]int{
		"edrctl user create noor.haddad@example.com -A":  exitPartial, // Cortex makes no accounts
		"edrctl review --against people.csv --exit-code": exitChanges,
		"kubectl": -1,
		// To build and to set up is the reader's own.
		"make build": -1, "export PATH": -1, "edrctl config init": -1, "edrctl auth set": -1,
	}
}

// TestRecipePages runs every command of each recipe, and those of the first
// steps, in their order against the fakes.
func TestRecipePages(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(docsDir, "recipes", "*.md"))
	require.NoError(t, err)
	require.Greater(t, len(pages), 5)
	examples, err := filepath.Abs(exampleDir)
	require.NoError(t, err)
	dir := t.TempDir()
	for _, page := range append(pages, filepath.Join(docsDir, "getting-started.md")) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		var script strings.Builder
		// What a reader has at hand: a list of people, a script to try, a roster.
		script.WriteString("set -u\nexport JOB_COMPLETION_INDEX=0\nln -s '" + examples + "' examples\ncp examples/onboard-person.sh onboard.sh\n" +
			"printf 'login\\nada.quist@example.com\\n' >people.csv\nedrctl export -A --out team.yaml\nprevious=\n")
		for _, command := range codeLines(string(text)) {
			want := 0
			for begin, status := range otherwise() {
				if strings.HasPrefix(command, begin) {
					want = status
				}
			}
			if want < 0 {
				continue
			}
			if strings.Contains(command, "export -A --out team.yaml") {
				script.WriteString("rm -f team.yaml\n")
			}
			// What the last command printed is what a reader approves.
			fmt.Fprintf(&script, "APPROVED=$previous\nstatus=0\n%s >out </dev/null || status=$?\nprevious=$(cat out)\n"+
				"[ $status -eq %d ] || { echo \"status $status and not %d\": '%s'; exit 1; }\n",
				command, want, want, strings.ReplaceAll(command, "'", `'\''`))
		}
		name := strings.TrimSuffix(filepath.Base(page), ".md")
		txtar := "exec edrctl mock exec --quiet -- sh page.sh\n-- page.sh --\n" + script.String()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".txtar"), []byte(txtar), 0o600))
	}
	testscript.Run(t, testscript.Params{Dir: dir, Setup: atHome})
}

// codeLines are the indented lines of a page, with those that go on joined.
func codeLines(text string) []string {
	var lines []string
	fenced := false
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		trimmed := strings.TrimSpace(line)
		word, _, _ := strings.Cut(trimmed, " ")
		if !fenced && strings.HasPrefix(line, "    ") && slices.Contains([]string{"edrctl", "kubectl", "make", "export"}, word) {
			lines = append(lines, trimmed)
		}
	}
	return lines
}

// TestRecipesNameScripts makes sure that each recipe leads to an example that
// exists, and that each example has a recipe.
func TestRecipesNameScripts(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(docsDir, "recipes", "*.md"))
	require.NoError(t, err)
	var all bytes.Buffer
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		assert.Contains(t, string(text), "examples/", page)
		all.Write(text)
	}
	for name := range recipes() {
		if name != "onboard.sh" { // the README's
			assert.Contains(t, all.String(), "examples/"+name)
		}
	}
}

// job is what the example for Kubernetes says that concerns edrctl.
type job struct {
	Kind string            `yaml:"kind"`
	Data map[string]string `yaml:"data"`
	Spec struct {
		CompletionMode string `yaml:"completionMode"`
		Completions    int    `yaml:"completions"`
		Template       struct {
			Spec struct {
				Containers []struct {
					Args []string `yaml:"args"`
				} `yaml:"containers"`
			} `yaml:"spec"`
		} `yaml:"template"`
	} `yaml:"spec"`
}

// TestKubernetesExample reads the example and runs what its pods would, one
// after another, against a fake: together they carry out the whole roster, each
// person once.
func TestKubernetesExample(t *testing.T) {
	var configMap, indexed job
	for _, doc := range documents(t, filepath.Join(exampleDir, "kubernetes", "job.yaml")) {
		if doc.Kind == "Job" {
			indexed = doc
		} else {
			configMap = doc
		}
	}
	require.Equal(t, "Indexed", indexed.Spec.CompletionMode)
	args := indexed.Spec.Template.Spec.Containers[0].Args
	parts := indexed.Spec.Completions
	shard := slices.Index(args, "--shard")
	require.GreaterOrEqual(t, shard, 0)
	require.Equal(t, "auto/"+strconv.Itoa(parts), args[shard+1], "as many parts as completions")

	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte(configMap.Data["config.yaml"]), 0o600))
	env := []string{"FALCON_CLIENT_SECRET=example", "XDG_STATE_HOME=" + dir, "XDG_CACHE_HOME=" + dir}
	status, out := runEdrctl(t, append(env, "EDRCTL_CONFIG="+config), "config", "validate")
	require.Equal(t, exitOK, status, out)

	var roster strings.Builder
	roster.WriteString("apiVersion: edrctl/v1\nkind: Roster\ndefaults: {tenants: [crowdstrike]}\nusers:\n")
	const people = 24
	for i := range people {
		fmt.Fprintf(&roster, "  - {login: person-%d@example.com, roles: [event_viewer]}\n", i)
	}
	team := filepath.Join(dir, "team.yaml")
	require.NoError(t, os.WriteFile(team, []byte(roster.String()), 0o600))
	args[slices.Index(args, "-f")+1] = team

	servers, err := mock.Start(t.Context(), mock.Options{Makers: mocks()[:1]})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, servers.Close()) })
	require.NoError(t, writeMockConfig(servers, config))
	var logins []string
	for i := range parts {
		status, out := runEdrctl(t, append(env, "EDRCTL_CONFIG="+config, "JOB_COMPLETION_INDEX="+strconv.Itoa(i)), args...)
		require.Equal(t, exitOK, status, out)
		for line := range strings.Lines(out) {
			var item struct{ Login, Outcome string }
			require.NoError(t, json.Unmarshal([]byte(line), &item), out)
			assert.Equal(t, "created", item.Outcome, item.Login)
			logins = append(logins, item.Login)
		}
	}
	assert.Len(t, logins, people)
	slices.Sort(logins)
	assert.Len(t, slices.Compact(logins), people, "each person in one part")
}

// runEdrctl runs edrctl in this process and returns what it prints to stdout.
func runEdrctl(t *testing.T, environ []string, args ...string) (status int, stdout string) {
	t.Helper()
	dir := t.TempDir()
	var out, errs bytes.Buffer
	status = Main(args, Env{
		In: strings.NewReader(""), Out: &out, Err: &errs, Environ: environ, ConfigDir: dir, CacheDir: dir, HomeDir: dir,
		Now: time.Now, Vendors: vendors(), Mocks: mocks(),
	})
	if status != exitOK {
		t.Logf("edrctl %s: %s", strings.Join(args, " "), errs.String())
	}
	return status, out.String()
}

func documents(t *testing.T, path string) []job {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var all []job
	for dec := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var doc job
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err, path)
		all = append(all, doc)
	}
}

// TestShownCommands makes sure that every command line in the hand-written
// documentation is one that edrctl understands: the command is there and so are
// its flags.
func TestShownCommands(t *testing.T) {
	pages := []string{"../../../README.md", "../../../CONTRIBUTING.md"}
	for _, pattern := range []string{"*.md", "recipes/*.md", "vendors/*.md"} {
		found, err := filepath.Glob(filepath.Join(docsDir, pattern))
		require.NoError(t, err)
		pages = append(pages, found...)
	}
	shown := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, line := range shownCommands(string(text)) {
			shown++
			words, err := shellWords(line)
			require.NoError(t, err, "%s: %s", page, line)
			cmd, rest, err := Root(Env{Vendors: vendors(), Mocks: mocks()}).Find(words[1:])
			if !assert.NoError(t, err, "%s: %s", page, line) {
				continue
			}
			assert.NoError(t, cmd.ParseFlags(rest), "%s: %s", page, line)
		}
	}
	assert.Greater(t, shown, 50)
}

// shownCommands are the lines of code in a page that call edrctl, up to what
// belongs to the shell. Lines with a placeholder in capitals are taken as well.
func shownCommands(text string) []string {
	var lines []string
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		line = strings.TrimSpace(line)
		line = strings.TrimPrefix(line, "$ ")
		if !strings.HasPrefix(line, "edrctl ") || strings.HasPrefix(line, "edrctl: ") {
			continue
		}
		for _, cut := range []string{" # ", " | ", " > ", " >", " && ", " || ", "  #", "; "} {
			if quotes := strings.Index(line, "'"); quotes < 0 || strings.Index(line, cut) < quotes {
				line, _, _ = strings.Cut(line, cut)
			}
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}
