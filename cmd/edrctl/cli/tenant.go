package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"edrctl/internal/render"
)

func newTenantCmd(a *app) *cobra.Command {
	return group("tenant", "Show the configured tenants", newTenantListCmd(a))
}

func newTenantListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the configured tenants",
		Example: `  edrctl tenant list
  edrctl tenant list -o name`,
		Args: wants(0, 0),
		RunE: a.run(func(*cobra.Command, []string) error { return runTenantList(a) }),
	}
}

func runTenantList(a *app) error {
	file, err := a.load()
	if err != nil {
		return err
	}
	var items []render.TenantItem
	for _, name := range file.Names() {
		t, err := file.Tenant(name)
		if err != nil {
			return err
		}
		items = append(items, render.TenantItem{
			Name: name, Vendor: t.Vendor.Name, URL: t.URL(), Default: slices.Contains(file.DefaultTenants, name),
		})
	}
	return render.Write(a.Out, render.Document{Kind: render.KindTenantList, Items: items}, a.renderOptions())
}
