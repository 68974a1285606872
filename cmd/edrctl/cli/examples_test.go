package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zalando/go-keyring"

	"edrctl/internal/mock"
	"edrctl/internal/render"
)

// documentOf is the kind of document that a command prints with -o json. A
// command that is missing here fails TestExamples, so that no output goes
// without a schema unnoticed.
func documentOf(path string) (kind string, known bool) {
	kinds := map[string]string{
		"user create": render.KindResultList, "user update": render.KindResultList, "user delete": render.KindResultList,
		"user reset-mfa": render.KindResultList, "user reset-password": render.KindResultList,
		"user get": render.KindUserList, "user list": render.KindUserList,
		"role list": render.KindRoleList, "role grant": render.KindResultList, "role revoke": render.KindResultList,
		"role set": render.KindResultList,
		"plan":     render.KindPlan, "apply": render.KindResultList, "offboard": render.KindResultList, "review": render.KindReview,
		"tenant list": render.KindTenantList, "vendor list": render.KindVendorList, "vendor show": render.KindVendorList,
		"doctor": render.KindDoctorReport, "audit list": render.KindAuditList,
		// These print no document: text for people, a file, or what another
		// program prints.
		"audit verify": "", "auth set": "", "auth clear": "", "config init": "", "config path": "", "config validate": "",
		"config schema": "", "config explain": "", "export": "", "mock exec": "", "mock serve": "", "version": "",
	}
	kind, known = kinds[path]
	return kind, known
}

// TestExamples runs every example of every command against fresh fakes. Each
// must end with status 0, and what it prints as JSON must be as its schema says.
func TestExamples(t *testing.T) {
	keyring.MockInit() // `auth set` has somewhere to put things
	commands := 0
	for _, cmd := range runnable(Root(Env{})) {
		path := strings.TrimPrefix(cmd.CommandPath(), "edrctl ")
		kind, known := documentOf(path)
		require.True(t, known, "say in documentOf which document `%s` prints", path)
		commands++
		for _, line := range exampleLines(cmd.Example) {
			t.Run(line, func(t *testing.T) {
				x := parseExample(t, line)
				w := newExampleWorld(t, path)
				w.prepare(path)
				status, out, errs := w.run(x)
				require.Equal(t, exitOK, status, "stdout: %s\nstderr: %s", out, errs)
				if kind == "" {
					return
				}
				if !slices.ContainsFunc(x.args, func(a string) bool { return a == "-o" || a == "--jq" }) {
					x.args = append(x.args, "-o", "json")
					w = newExampleWorld(t, path)
					w.prepare(path)
					status, out, errs = w.run(x)
					require.Equal(t, exitOK, status, "stdout: %s\nstderr: %s", out, errs)
				} else if !slices.Contains(x.args, "json") || slices.Contains(x.args, "--jq") {
					return
				}
				require.NoError(t, validDocument(kind, []byte(out)), out)
			})
		}
	}
	assert.Greater(t, commands, 25)
}

// runnable are the commands of a tree that do something, without those that
// cobra brings: help and completion.
func runnable(cmd *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, sub := range cmd.Commands() {
		switch {
		case sub.Name() == "completion" || sub.Name() == "help":
		case sub.HasSubCommands():
			list = append(list, runnable(sub)...)
		case sub.Runnable():
			list = append(list, sub)
		}
	}
	return list
}

func exampleLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// example is a command line as a shell would take it apart.
type example struct {
	args  []string
	piped bool   // something is piped into it
	to    string // where its output goes; "" for the terminal
}

func parseExample(t *testing.T, line string) example {
	t.Helper()
	words, err := shellWords(line)
	require.NoError(t, err)
	var x example
	if i := slices.Index(words, "|"); i >= 0 && words[0] != "edrctl" {
		x.piped, words = true, words[i+1:]
	}
	if i := slices.Index(words, "|"); i >= 0 {
		words = words[:i] // what another program makes of the output
	}
	if n := len(words); n > 2 && words[n-2] == ">" {
		x.to, words = words[n-1], words[:n-2]
	}
	require.Equal(t, "edrctl", words[0], "an example begins with edrctl")
	for _, w := range words {
		require.NotRegexp(t, "[|<>$`;&]", strings.Map(plainInQuotes(line, w), w), "TestExamples does not understand %s", w)
	}
	x.args = words[1:]
	return x
}

// plainInQuotes leaves out the characters of words that stand in quotes in a
// line, since there they mean nothing to a shell.
func plainInQuotes(line, word string) func(rune) rune {
	quoted := strings.Contains(line, "'"+word+"'") || strings.Contains(line, `"`+word+`"`)
	return func(r rune) rune {
		if quoted {
			return -1
		}
		return r
	}
}

// shellWords splits a line at spaces outside of quotes.
func shellWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune
	inWord := false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ' ':
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// exampleConsole is a console that examples speak of. Its tenant's name is that
// of the configuration in `edrctl help environment`, and two of the fake's people
// take the parts of those who are named.
type exampleConsole struct {
	tenant string
	people [2]string
}

func exampleConsoles() map[string]exampleConsole {
	return map[string]exampleConsole{
		"crowdstrike": {"falcon-prod", [2]string{"zofia.wisniewska@acme.example", "li.tran@my-company.com"}},
		"carbonblack": {"cbc", [2]string{"ines.duarte@example.com", "lea.brandt@example.com"}},
		"cortex":      {"xdr", [2]string{"ada.quist@northwind.example", "cy.okafor@example.com"}},
		"cybereason":  {"cr", [2]string{"soc+night@example.com", "field.team@north.example"}},
	}
}

// exampleWorld is what an example finds: the consoles that examples speak of,
// with their people, and a folder with the files that they name.
type exampleWorld struct {
	t   *testing.T
	dir string
	env Env
}

func newExampleWorld(t *testing.T, path string) *exampleWorld {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	// A vendor that cannot create accounts has the people listed all the same.
	created := path == "user create"
	makers := slices.DeleteFunc(mocks(), func(m mock.Maker) bool { return exampleConsoles()[m.Vendor].tenant == "" })
	servers, err := mock.Start(context.Background(), mock.Options{Makers: makers, Seed: exampleSeeds(t, makers, created)})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, servers.Close()) })

	require.NoError(t, os.WriteFile("ca.pem", servers.CAPEM(), 0o600))
	config := "default-tenants: [falcon-prod]\n" + string(servers.Config(filepath.Join(dir, "ca.pem")))
	for vendor, c := range exampleConsoles() {
		config = regexp.MustCompile(`(?m)^( +)`+vendor+`:$`).ReplaceAllString(config, "${1}"+c.tenant+":")
	}
	require.NoError(t, os.WriteFile("config.yaml", []byte(config), 0o600))
	for name, content := range exampleFiles() {
		require.NoError(t, os.WriteFile(name, []byte(content), 0o700))
	}
	return &exampleWorld{t: t, dir: dir, env: Env{
		Environ: []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "EDRCTL_CONFIG=" + filepath.Join(dir, "config.yaml"),
			"XDG_CACHE_HOME=" + filepath.Join(dir, "cache"), "XDG_STATE_HOME=" + filepath.Join(dir, "state"),
			"DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere",
		},
		ConfigDir: filepath.Join(dir, "config"), CacheDir: filepath.Join(dir, "cache"), HomeDir: dir,
		Now: time.Now, Vendors: vendors(), Mocks: mocks(),
	}}
}

// exampleSeeds are the fakes' states with two people renamed to those of the
// examples; with created only where accounts cannot be created.
func exampleSeeds(t *testing.T, makers []mock.Maker, created bool) map[string]json.RawMessage {
	t.Helper()
	seeds := map[string]json.RawMessage{}
	for _, m := range makers {
		state, err := json.Marshal(m.New(mock.Env{Now: time.Now}).State())
		require.NoError(t, err)
		names := [2]string{"ines.duarte@example.com", "tomas.keller@example.com"}
		if created && m.Vendor != "cortex" {
			names = [2]string{"somebody@example.com", "nobody@example.com"}
		}
		for i, login := range exampleConsoles()[m.Vendor].people {
			require.Contains(t, string(state), `"`+login+`"`)
			state = bytes.ReplaceAll(state, []byte(`"`+login+`"`), []byte(`"`+names[i]+`"`))
		}
		seeds[m.Vendor] = state
	}
	return seeds
}

// exampleFiles are the files that examples name. The roster leaves out a few
// people of either console, for --prune to find, and the CSV says what is so
// already.
func exampleFiles() map[string]string {
	return map[string]string{
		"onboard.sh": "#!/bin/sh\nexec edrctl tenant list\n",
		"team.yaml": `apiVersion: edrctl/v1
kind: Roster
defaults: {tenants: [falcon-prod]}
users:
  - login: ines.duarte@example.com
    tenants: [falcon-prod, cbc]
    roles: [analyst]
  - {login: nora.vance@example.com, roles: [falconhost_admin, user_admin]}
  - {login: ravi.mckenna@example.com, roles: [event_viewer]}
  - {login: sam.o'tieno@example.com, roles: [help_desk]}
  - {login: vera.lindqvist@example.com, tenants: [cbc], roles: [Super Admin]}
  - {login: marek.novak@soc.example, tenants: [cbc], roles: [Level 1 Analyst]}
`,
		"team.csv":   "login,roles,tenants\nravi.mckenna@example.com,event_viewer;help_desk,falcon-prod\n",
		"people.csv": "login\nines.duarte@example.com\n",
	}
}

// prepare does what an example takes for granted.
func (w *exampleWorld) prepare(path string) {
	w.t.Helper()
	before := func(line string) {
		status, _, errs := w.run(example{args: strings.Fields(line)})
		require.Equal(w.t, exitOK, status, errs)
	}
	switch path {
	case "apply":
		before("plan -f team.yaml --out team.plan.json")
	case "audit verify":
		before("offboard tomas.keller@example.com -t falcon-prod --evidence tomas.json --yes")
	case "config init":
		w.env.Environ = slices.DeleteFunc(w.env.Environ, func(v string) bool { return strings.HasPrefix(v, "EDRCTL_CONFIG=") })
	}
}

// run runs an example as somebody would who sits at a terminal and means it.
func (w *exampleWorld) run(x example) (status int, stdout, stderr string) {
	w.t.Helper()
	var out, errs bytes.Buffer
	env := w.env
	env.Out, env.Err = &out, &errs
	env.In, env.InTTY, env.ErrTTY = strings.NewReader("y\n"), true, true
	if path := strings.Join(x.args, " "); strings.HasPrefix(path, "offboard") {
		env.In = strings.NewReader(x.args[1] + "\n") // it wants the login typed
	}
	if strings.HasPrefix(strings.Join(x.args, " "), "config init") {
		env.InTTY = false // the questions are asked in a script of their own
	}
	if x.piped {
		env.In, env.InTTY = strings.NewReader("a piped secret\n"), false
	}
	env.ReadSecret = func() (string, error) { return "a typed secret", nil }
	interrupts := make(chan os.Signal, 1)
	if slices.Contains(x.args, "serve") {
		interrupts <- os.Interrupt // it serves until then
	}
	env.Interrupts = interrupts
	status = Main(x.args, env)
	if x.to != "" {
		require.NoError(w.t, os.WriteFile(x.to, out.Bytes(), 0o600))
	}
	return status, out.String(), errs.String()
}

// validDocument checks a document against the published schema of its kind, by
// another implementation of JSON Schema than the one that made it.
func validDocument(kind string, data []byte) error {
	schema, err := compiled(kind)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

// validLines checks lines of jsonl: each an item of a kind, or an error.
func validLines(kind string, data []byte) error {
	for line := range bytes.Lines(data) {
		var head struct{ Kind string }
		if err := json.Unmarshal(line, &head); err != nil {
			return err
		}
		err := validDocument(render.KindError, line)
		if head.Kind != render.KindError {
			envelope := fmt.Appendf(nil, `{"apiVersion":%q,"kind":%q,"sha256":"","summary":{},"items":[%s]}`, render.APIVersion, kind, line)
			err = validDocument(kind, envelope)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", bytes.TrimSpace(line), err)
		}
	}
	return nil
}

func compiled(kind string) (*jsonschema.Schema, error) {
	text, err := render.Schema(kind)
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	const at = "mem:schema.json"
	if err := c.AddResource(at, doc); err != nil {
		return nil, err
	}
	return c.Compile(at)
}
