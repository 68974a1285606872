package roster

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChecksAgainstTheConfiguration(t *testing.T) {
	r, err := Read(strings.NewReader("apiVersion: edrctl/v1\nkind: Roster\ndefaults:\n  tenants: [falcon, cbc-eu]\nusers:\n"+lines(
		"  - {login: fine@b.example, tenants: [falcon, cbc, cr], roles: [analyst, own], tenant-roles: {falcon: [lead]}}",
		"  - {login: tenant@b.example, tenants: [cbc, faclon, other]}",
		"  - {login: default@b.example}",
		"  - {login: alias@b.example, tenants: [cbc], roles: [lead]}",
		"  - {login: further@b.example, tenants: [falcon, cr], tenant-roles: {cr: [lead]}}",
		"  - {login: gone@b.example, tenants: [cbc], roles: [lead], state: absent}",
		"  - {login: vendor@b.example, tenants: [falcon], options: {cybereasn: {x: 1}, cybereason: {totp-enabled: 1}}}",
		"  - {login: again@b.example, tenants: [falcon], options: {cybereasn: {x: 1}}}",
		"  - {login: option@b.example, tenants: [cr], options: {cybereason: {totp: 1, totp-enabled: maybe}}}",
		"  - {login: option2@b.example, tenants: [cr], options: {cybereason: {totp: 1, totp-enabled: no}}}",
	)), "r.yaml")
	require.NoError(t, err)
	const options = "known are cybereason.totp-enabled, cybereason.groups, cybereason.scope"
	assert.Equal(t, []string{
		`r.yaml:4:12: unknown tenant "cbc-eu"; known are falcon, falcon-eu, cbc, cr`,
		`r.yaml:7:5: tenant@b.example: unknown tenant "faclon"; did you mean "falcon"?`,
		`r.yaml:7:5: tenant@b.example: unknown tenant "other"; known are falcon, falcon-eu, cbc, cr`,
		`r.yaml:9:5: alias@b.example: role alias "lead" has no role for carbonblack, which tenant cbc is`,
		`r.yaml:10:5: further@b.example: role alias "lead" has no role for cybereason, which tenant cr is`,
		`r.yaml:12:5: vendor@b.example: unknown vendor of options "cybereasn"; did you mean "cybereason"?`,
		`r.yaml:12:5: vendor@b.example: options for cybereason, but none of the user's tenants is one: falcon`,
		`r.yaml:14:5: option@b.example: cybereason has no option "totp"; ` + options,
		`r.yaml:14:5: option@b.example: option cybereason.totp-enabled is true or false, not "maybe"`,
		`r.yaml:15:5: option2@b.example: option cybereason.totp-enabled is true or false, not "no"`,
	}, faultsOf(t, r.Check(testKnown())))
}

func TestChecksUsersWithoutTenants(t *testing.T) {
	r, err := Read(strings.NewReader("login\na@b.example\n"), "r.csv")
	require.NoError(t, err)
	assert.Equal(t, []string{"r.csv:2:1: a@b.example: no tenant is named, and there are no default ones"}, faultsOf(t, r.Check(testKnown())))
}

func TestBringsOptionsIntoOneSpelling(t *testing.T) {
	r, err := Read(strings.NewReader(yamlFile(
		"  - login: a@b.example",
		"    tenants: [cr, falcon]",
		"    options: {cybereason: {totp-enabled: TRUE, groups: [a, b], scope: 0}, crowdstrike: {cid: 0123}}",
	)), "r.yaml")
	require.NoError(t, err)
	assert.Equal(t, "TRUE", r.Users[0].Options["cybereason"]["totp-enabled"])
	require.NoError(t, r.Check(testKnown()))
	assert.Equal(t, map[string]map[string]string{
		"cybereason": {"totp-enabled": "true", "groups": "a,b", "scope": "false"}, "crowdstrike": {"cid": "0123"},
	}, r.Users[0].Options)
}

func TestWarnsOfPasswordsThatNobodyWants(t *testing.T) {
	r, err := Read(strings.NewReader(lines(
		"login,tenants,password,state",
		"a@b.example,falcon;cr,env:A,",
		"b@b.example,falcon,,",
		"c@b.example,falcon,env:C,absent",
		"d@b.example,falcon;cbc,env:D,",
	)), "r.csv")
	require.NoError(t, err)
	require.NoError(t, r.Check(testKnown()))
	const one = "r.csv:5:1: the password of d@b.example is ignored: no tenant of this user takes one"
	assert.Equal(t, []string{one}, r.Warnings(testKnown()))
	r.Users = append(r.Users, r.Users[3], r.Users[3])
	assert.Equal(t, []string{one + "; nor of 2 more users"}, r.Warnings(testKnown()))
	r.Users = r.Users[:2]
	assert.Empty(t, r.Warnings(testKnown()))
}

func TestCheckEndsWithManyFaults(t *testing.T) {
	var file strings.Builder
	file.WriteString("login,tenants\n")
	for i := range 3 * maxFaults {
		fmt.Fprintf(&file, "a%d@b.example,nowhere\n", i)
	}
	r, err := Read(strings.NewReader(file.String()), "r.csv")
	require.NoError(t, err)
	assert.Len(t, faultsOf(t, r.Check(testKnown())), maxFaults)
}
