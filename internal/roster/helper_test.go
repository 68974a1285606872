package roster

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"edrctl/internal/provision"
)

// known is a configuration.
type known struct {
	names   []string
	vendors map[string]provision.Vendor
	aliases map[string]map[string][]string
}

func (k known) Names() []string { return k.names }

func (k known) Tenant(name string) (provision.Vendor, bool) {
	v, ok := k.vendors[name]
	return v, ok
}

func (k known) ExpandRoles(vendor string, names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		byVendor, isAlias := k.aliases[name]
		if !isAlias {
			all = append(all, name)
			continue
		}
		if len(byVendor[vendor]) == 0 {
			return nil, provision.Usagef("role alias %q has no role for %s", name, vendor)
		}
		all = append(all, byVendor[vendor]...)
	}
	return all, nil
}

func testKnown() known {
	falcon := provision.Vendor{
		Name:    "crowdstrike",
		Options: []provision.Option{{Name: "cid", Kind: provision.KindString, OnCreate: true, OnRoles: true}},
	}
	cbc := provision.Vendor{
		Name:    "carbonblack",
		Options: []provision.Option{{Name: "auth-method", Kind: provision.KindString, OnCreate: true}},
	}
	cr := provision.Vendor{
		Name: "cybereason", PasswordRule: &provision.PasswordRule{},
		Options: []provision.Option{
			{Name: "totp-enabled", Kind: provision.KindBool, OnCreate: true, OnUpdate: true},
			{Name: "groups", Kind: provision.KindList, OnCreate: true, OnUpdate: true},
			{Name: "scope", Kind: provision.KindBool, OnRoles: true},
		},
	}
	return known{
		names: []string{"falcon", "falcon-eu", "cbc", "cr"},
		vendors: map[string]provision.Vendor{
			"falcon": falcon, "falcon-eu": falcon, "cbc": cbc, "cr": cr,
		},
		aliases: map[string]map[string][]string{
			"analyst": {"crowdstrike": {"ro"}, "carbonblack": {"View All"}, "cybereason": {"analyst_l1"}},
			"lead":    {"crowdstrike": {"admin"}},
		},
	}
}

// lines joins the lines of a file.
func lines(l ...string) string { return strings.Join(l, "\n") + "\n" }

// yamlFile is a roster with these lines below "users:", the first of which is
// line 4.
func yamlFile(l ...string) string {
	return "apiVersion: edrctl/v1\nkind: Roster\nusers:\n" + lines(l...)
}

// faultsOf are the faults an error consists of, one a line.
func faultsOf(tb testing.TB, err error) []string {
	tb.Helper()
	require.ErrorIs(tb, err, provision.ErrUsage)
	var faults Faults
	require.ErrorAs(tb, err, &faults)
	var all []string
	for _, f := range faults {
		all = append(all, f.String())
	}
	return all
}

// unplaced are users without their places.
func unplaced(users []User) []User {
	var all []User
	for _, u := range users {
		u.Line, u.Column, u.rolesAt, u.optionsAt = 0, 0, pos{}, nil
		all = append(all, u)
	}
	return all
}

// byUser are users with the places of their own alone.
func byUser(users []User) []User {
	var all []User
	for _, u := range users {
		u.rolesAt, u.optionsAt = pos{}, nil
		all = append(all, u)
	}
	return all
}

// manyItems are more items than a list may have.
func manyItems(separator string) string {
	var items []string
	for i := range maxList + 1 {
		items = append(items, fmt.Sprintf("r%d", i))
	}
	return strings.Join(items, separator)
}
