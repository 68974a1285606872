package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"edrctl/internal/config"
	"edrctl/internal/private"
	"edrctl/internal/provision"
)

func newConfigInitCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Write a first configuration file",
		Long: `Write a first configuration file, readable by you only. On a terminal it asks for
one console, signs in to see that the answers are right, and then writes them.
Without a terminal it writes a file with an example of each vendor in comments.
A file that is there already is left alone.`,
		Example: `  edrctl config init
  edrctl config init --config ./edrctl.yaml --no-input`,
		Args: wants(0, 0),
		RunE: a.run(func(cmd *cobra.Command, _ []string) error { return runConfigInit(cmd.Context(), a) }),
	}
}

func runConfigInit(ctx context.Context, a *app) error {
	path := config.Path(a.configEnv(), a.flags.config)
	if _, err := os.Lstat(path); err == nil {
		return &provision.Error{
			Kind: provision.ErrUsage, Message: path + " is there already", Hint: "`edrctl config explain` shows what is in it",
		}
	}
	if a.flags.dryRun {
		a.note("would write %s", path)
		return nil
	}
	if !a.mayAsk() {
		if err := config.Init(path, config.Template(a.Vendors)); err != nil {
			return err
		}
		a.note("wrote %s; edit it, then run `edrctl config validate`", path)
		return nil
	}
	data, err := a.askForTenant()
	if err != nil {
		return err
	}
	if err := a.tryConfig(ctx, path, data); err != nil {
		return err
	}
	if err := config.Init(path, data); err != nil {
		return err
	}
	a.note("wrote %s; try `edrctl user list`", path)
	return nil
}

// askForTenant asks for one console and renders the file.
func (a *app) askForTenant() ([]byte, error) {
	name, err := a.answer("vendor ("+strings.Join(a.vendorNames(), ", ")+")", a.vendorNames()[0], a.vendorNames())
	if err != nil {
		return nil, err
	}
	v := a.Vendors[slices.Index(a.vendorNames(), name)]
	tenant, err := a.answer("a name of your own for this console", name, nil)
	if err != nil {
		return nil, err
	}
	var values [][2]string
	answered := map[string]bool{}
	for _, s := range v.Settings {
		if s.OneOf != "" && answered[s.OneOf] || !s.Required {
			continue
		}
		value, err := a.askFor(v, tenant, s)
		if err != nil {
			return nil, err
		}
		if value == "" {
			continue // another of the group may have one
		}
		answered[s.OneOf] = true
		if value != s.Default {
			values = append(values, [2]string{s.Name, value})
		}
	}
	return config.First(tenant, v.Name, values)
}

func (a *app) askFor(v provision.Vendor, tenant string, s provision.Setting) (string, error) {
	if s.Secret {
		return a.askForSecret(v, tenant, s)
	}
	optional := ""
	if s.OneOf != "" {
		optional = "; leave it empty to be asked for another " + s.OneOf
	}
	return a.answer(fmt.Sprintf("%s: %s%s", s.Name, s.Help, optional), s.Default, s.Values)
}

// askForSecret asks where a secret is. Typing it in is not possible: the file
// holds references.
func (a *app) askForSecret(v provision.Vendor, tenant string, s provision.Setting) (string, error) {
	variable := "env:" + strings.ToUpper(strings.ReplaceAll(tenant+"_"+s.Name, "-", "_"))
	text := fmt.Sprintf("%s: %s\n  where is it? env:NAME, file:PATH, keyring:SERVICE/ACCOUNT or prompt:", s.Name, s.Help)
	ref, err := a.answer(text, variable, nil)
	if err != nil {
		return "", err
	}
	if kind, _, ok := strings.Cut(ref, ":"); !ok || !slices.Contains([]string{"env", "file", "keyring", "prompt"}, kind) {
		return "", provision.Usagef("%s of %s must be a reference such as %s, not the secret itself", s.Name, v.Name, variable)
	}
	return ref, nil
}

// answer asks for one line. An empty one means what is proposed.
func (a *app) answer(text, proposed string, allowed []string) (string, error) {
	prompt := text
	if proposed != "" {
		prompt += " [" + proposed + "]"
	}
	for range 3 {
		line, err := a.ask(prompt + ": ")
		if err != nil {
			return "", err
		}
		if line == "" {
			line = proposed
		}
		if len(allowed) == 0 || slices.Contains(allowed, line) {
			return line, nil
		}
		hint := ""
		if near := provision.Nearest(allowed, line); near != "" {
			hint = "; did you mean " + near + "?"
		}
		a.say("%q is none of %s%s", line, strings.Join(allowed, ", "), hint)
	}
	return "", provision.Usagef("no usable answer")
}

// tryConfig signs in with a configuration that is not in place yet.
func (a *app) tryConfig(ctx context.Context, path string, data []byte) error {
	dir, err := os.MkdirTemp("", "edrctl-init-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	trial := filepath.Join(dir, filepath.Base(path))
	if err := private.Create(trial, data); err != nil {
		return err
	}
	file, err := config.Load(a.configEnv(), a.Vendors, trial)
	if err != nil {
		return err
	}
	a.file = file
	targets, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer a.signOut(targets)
	a.note("signing in")
	for _, t := range targets {
		id, err := t.Provisioner.Check(ctx)
		if err != nil {
			return err
		}
		a.note("signed in as %s%s", id.Name, parenthesis(id.Note))
		if !id.MayManage {
			a.say("warning: this credential may not manage users")
		}
	}
	return nil
}
