package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"edrctl/internal/config"
	"edrctl/internal/render"
)

func newConfigCmd(a *app) *cobra.Command {
	return group("config", "Make, show and check the configuration",
		newConfigInitCmd(a), newConfigPathCmd(a), newConfigExplainCmd(a), newConfigValidateCmd(a), newConfigSchemaCmd(a))
}

func newConfigPathCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "path",
		Short:   "Print where the configuration file is looked for",
		Example: "  edrctl config path",
		Args:    wants(0, 0),
		RunE: a.run(func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.Out, config.Path(a.configEnv(), a.flags.config))
			return err
		}),
	}
}

func newConfigExplainCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "explain",
		Short: "Show each value and where it comes from",
		Long: `Show each value that is in force and where it comes from: a flag, a variable, a
line of the file, or the default. Of a secret only its reference is shown.`,
		Example: `  edrctl config explain
  edrctl config explain -t falcon-prod`,
		Args: wants(0, 0),
		RunE: a.run(func(*cobra.Command, []string) error {
			file, err := a.load()
			if err != nil {
				return err
			}
			for _, name := range a.flags.tenants {
				if _, err := file.Tenant(name); err != nil {
					return err
				}
			}
			return render.Write(a.Out, render.Document{
				Kind: "ConfigExplanation", Items: explained(file, a.flags.tenants), Columns: explainColumns(),
			}, a.renderOptions())
		}),
	}
}

// explainedItem is a line of `config explain`.
type explainedItem struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// explained leaves out other tenants than those chosen, if any are.
func explained(file *config.File, chosen []string) []explainedItem {
	items := []explainedItem{}
	for _, e := range file.Explain() {
		rest, ofTenant := strings.CutPrefix(e.Key, "tenants.")
		if name, _, _ := strings.Cut(rest, "."); ofTenant && len(chosen) > 0 && !slices.Contains(chosen, name) {
			continue
		}
		items = append(items, explainedItem(e))
	}
	return items
}

func explainColumns() []render.Column {
	return []render.Column{
		render.NewColumn("KEY", func(e explainedItem) string { return e.Key }),
		render.NewColumn("VALUE", func(e explainedItem) string { return e.Value }),
		render.NewColumn("SOURCE", func(e explainedItem) string { return e.Source }),
	}
}

func newConfigValidateCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "validate",
		Short:   "Check the configuration without asking any vendor",
		Example: "  edrctl config validate",
		Args:    wants(0, 0),
		RunE: a.run(func(*cobra.Command, []string) error {
			file, err := a.load()
			if err != nil {
				return err
			}
			if err := file.Validate(); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.Out, "%s: %d tenants, no faults\n", file.Path, len(file.Names()))
			return err
		}),
	}
}

func newConfigSchemaCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of the configuration file",
		Example: "  edrctl config schema > edrctl.schema.json",
		Args:    wants(0, 0),
		RunE: a.run(func(*cobra.Command, []string) error {
			schema, err := config.Schema(a.Vendors)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.Out, "%s\n", schema)
			return err
		}),
	}
}
