package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func realTree() *cobra.Command { return Root(Env{}) }

// everything is a command and all below it, topics and groups included.
func everything(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.Name() != "completion" && sub.Name() != "help" { // cobra's own
			all = append(all, everything(sub)...)
		}
	}
	return all
}

// TestCommandsExplainThemselves walks the tree for what people read of it.
func TestCommandsExplainThemselves(t *testing.T) {
	// In a usage line words are <required>, [optional], alternatives or flags.
	usage := regexp.MustCompile(`^((<[a-z-]+>(\.\.\.)?|\[[a-z-]+\]|--[a-z-]*|-[a-z]|\(|\)|\|) ?)*$`)
	flags := map[*pflag.Flag]bool{}
	for _, cmd := range everything(realTree()) {
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			assert.Regexp(t, `^[A-Z].*[^.]$`, cmd.Short)
			for line := range strings.Lines(cmd.Long + cmd.Example) {
				assert.NotContains(t, line, "\t")
			}
			for line := range strings.Lines(cmd.Long) {
				assert.LessOrEqual(t, len(strings.TrimSpace(line)), 82, line)
			}
			cmd.Flags().VisitAll(func(f *pflag.Flag) { flags[f] = true })
			cmd.PersistentFlags().VisitAll(func(f *pflag.Flag) { flags[f] = true })
			if cmd.Runnable() && !cmd.HasSubCommands() {
				_, words, _ := strings.Cut(cmd.Use, " ")
				words = regexp.MustCompile(`[()]`).ReplaceAllString(words, " $0 ")
				assert.Regexp(t, usage, strings.Join(strings.Fields(words), " "))
				assert.NotEmpty(t, exampleLines(cmd.Example))
				for _, line := range exampleLines(cmd.Example) {
					assert.Contains(t, line+" ", cmd.CommandPath()+" ", "an example shows its own command")
				}
			}
		})
	}
	for f := range flags {
		assert.Regexp(t, `^[^A-Z].*[^.]$|^SHA`, f.Usage, "--%s", f.Name)
		assert.Regexp(t, `^[a-z][a-z-]*$`, f.Name)
	}
	assert.Greater(t, len(flags), 25)
}

// quietEnv is a world without a configuration and without a terminal.
func quietEnv(t *testing.T, out, errs *bytes.Buffer) Env {
	t.Helper()
	dir := t.TempDir()
	return Env{
		In: strings.NewReader(""), Out: out, Err: errs, Now: time.Now, Vendors: vendors(), Mocks: mocks(),
		Environ: []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "XDG_CACHE_HOME=" + dir, "XDG_STATE_HOME=" + dir,
		},
		ConfigDir: dir, CacheDir: dir, HomeDir: dir,
	}
}

// TestMissingArguments holds usage lines against what commands accept.
func TestMissingArguments(t *testing.T) {
	for _, cmd := range runnable(realTree()) {
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			words := strings.Fields(cmd.CommandPath())[1:]
			run := func(more ...string) (int, string) {
				var out, errs bytes.Buffer
				return Main(append(words, more...), quietEnv(t, &out, &errs)), errs.String()
			}
			if strings.Contains(cmd.Use, "<") {
				status, said := run()
				assert.Equal(t, exitUsage, status)
				assert.Regexp(t, "needs .*<|name|which", said)
			}
			if !strings.Contains(cmd.Use, "...") {
				status, said := run("a@example.com", "b@example.com", "c@example.com")
				assert.Equal(t, exitUsage, status)
				assert.Contains(t, said, "takes ")
			}
		})
	}
}

// TestNoSecretOnTheCommandLine tries every way in which people put a secret on a
// command line. None may work, and none may be repeated.
func TestNoSecretOnTheCommandLine(t *testing.T) {
	const canary = "canary5ecret"
	for _, cmd := range runnable(realTree()) {
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			for _, given := range [][]string{
				{"--client-secret", canary},
				{"--client-secret=" + canary},
				{"--api-secret=" + canary},
				{"--api-key=" + canary},
				{"--totp-secret=" + canary},
				{"--secret=" + canary},
				{"--token=" + canary},
				{"--password=" + canary},
				{"-p" + canary},
			} {
				args := strings.Fields(cmd.CommandPath())[1:]
				if strings.Contains(cmd.Use, "<email>") {
					args = append(args, "a@example.com")
				}
				var out, errs bytes.Buffer
				status := Main(append(args, given...), quietEnv(t, &out, &errs))
				assert.Equal(t, exitUsage, status, given)
				assert.NotContains(t, out.String()+errs.String(), canary, given)
			}
		})
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "password" { // it takes a reference, and refuses everything else
				assert.NotRegexp(t, `secret|api-key|token|^(first-)?pass(word)?$`, f.Name, cmd.CommandPath())
			}
		})
	}
}

// TestShownConfigurationsAreValid takes the configurations out of the help and
// the README and checks them as a user's.
func TestShownConfigurationsAreValid(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	require.NoError(t, err)
	for name, text := range map[string]string{"help environment": helpEnvironment, "README.md": string(readme)} {
		t.Run(name, func(t *testing.T) {
			shown := regexp.MustCompile(`(?m)^( *)version: 1\n(?:[^\n]+\n)+`).FindStringSubmatch(text)
			require.NotEmpty(t, shown)
			config := strings.TrimSuffix(strings.ReplaceAll("\n"+shown[0], "\n"+shown[1], "\n"), "```\n")
			var out, errs bytes.Buffer
			env := quietEnv(t, &out, &errs)
			path := filepath.Join(env.ConfigDir, "shown.yaml")
			require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
			assert.Equal(t, exitOK, Main([]string{"config", "validate", "--config", path}, env), errs.String())
			assert.Contains(t, out.String(), "1 tenants, no faults")
		})
	}
}
