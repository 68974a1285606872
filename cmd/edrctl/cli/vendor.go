package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"edrctl/internal/provision"
	"edrctl/internal/render"
)

func newVendorCmd(a *app) *cobra.Command {
	return group("vendor", "Show what each vendor can do", newVendorListCmd(a), newVendorShowCmd(a))
}

func newVendorListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the vendors",
		Example: "  edrctl vendor list",
		Args:    wants(0, 0),
		RunE: a.run(func(*cobra.Command, []string) error {
			var items []render.VendorItem
			for _, v := range a.Vendors {
				items = append(items, vendorItem(v))
			}
			return render.Write(a.Out, render.Document{Kind: render.KindVendorList, Items: items}, a.renderOptions())
		}),
	}
}

func newVendorShowCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "show <vendor>",
		Short:             "Show what a vendor can do, its options and why something is missing",
		Example:           "  edrctl vendor show crowdstrike",
		Args:              wants(1, 1),
		ValidArgsFunction: fixed(a.vendorNames()...),
		RunE: a.run(func(_ *cobra.Command, args []string) error {
			i := slices.IndexFunc(a.Vendors, func(v provision.Vendor) bool { return v.Name == args[0] })
			if i < 0 {
				return &provision.Error{
					Kind: provision.ErrUsage, Message: "there is no vendor " + quoted(args)[0],
					Hint: "there are " + strings.Join(a.vendorNames(), ", "),
				}
			}
			v := a.Vendors[i]
			return render.Write(a.Out, render.Document{
				Kind: render.KindVendorList, Items: []render.VendorItem{vendorItem(v)},
				Rows: vendorRows(v), Columns: vendorColumns(),
			}, a.renderOptions())
		}),
	}
}

func vendorItem(v provision.Vendor) render.VendorItem {
	item := render.VendorItem{Name: v.Name, Title: v.Title, Capabilities: map[provision.CapabilityName]provision.Capability{}}
	for _, name := range provision.CapabilityNames() {
		item.Capabilities[name] = v.Capability(name)
	}
	for _, o := range v.Options {
		option := render.OptionItem{Name: o.Name, Kind: o.Kind, Help: o.Help, Values: o.Values}
		for verb, on := range map[string]bool{"create": o.OnCreate, "update": o.OnUpdate, "roles": o.OnRoles} {
			if on {
				option.On = append(option.On, verb)
			}
		}
		slices.Sort(option.On)
		item.Options = append(item.Options, option)
	}
	return item
}

// vendorRow is a line of the table of `vendor show`.
type vendorRow struct{ what, level, note string }

func vendorRows(v provision.Vendor) []vendorRow {
	var rows []vendorRow
	for _, name := range provision.CapabilityNames() {
		c := v.Capability(name)
		rows = append(rows, vendorRow{string(name), string(c.Level), c.Note})
	}
	for _, o := range v.Options {
		rows = append(rows, vendorRow{"--set " + v.Name + "." + o.Name, string(o.Kind), o.Help})
	}
	return rows
}

func vendorColumns() []render.Column {
	return []render.Column{
		render.NewColumn("WHAT", func(r vendorRow) string { return r.what }),
		render.NewColumn("LEVEL", func(r vendorRow) string { return r.level }),
		render.NewColumn("NOTE", func(r vendorRow) string { return r.note }),
	}
}
